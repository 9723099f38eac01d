use super::requests::Failure;
use super::{DynamoDbStore, StoreError, StoreErrorKind};

impl DynamoDbStore {
    /// Describes a failure in the terms of a store. Not for failed conditions.
    pub(super) fn failure(&self, failure: Failure) -> StoreError {
        use StoreErrorKind::{AccessDenied, Other, Timeout};

        let table = &self.schema.table;
        let ((kind, message), cause) = match failure {
            Failure::Timeout(cause) => {
                ((Timeout, format!("table `{table}` did not answer in time")), cause)
            }
            Failure::NoCredentials(cause) => {
                ((AccessDenied, format!("there are no credentials for table `{table}`")), cause)
            }
            Failure::Unreachable(cause) => {
                ((Other, format!("table `{table}` cannot be reached")), cause)
            }
            Failure::Invalid(cause) => {
                ((Other, format!("no request to table `{table}` could be built")), cause)
            }
            Failure::Service(code, cause) => (self.refusal(&code), cause),
            Failure::Unusable(cause) => {
                ((Other, format!("the answer of table `{table}` is not usable")), cause)
            }
            Failure::InDoubt(failure) => return self.failure(*failure).in_doubt(),
            Failure::Refused(_) | Failure::Cancelled(_) => {
                return StoreError::new(Other, format!("table `{table}` failed"));
            }
        };
        StoreError::new(kind, message).caused_by(cause)
    }

    /// Returns the error for a result that DynamoDB cannot represent.
    pub(super) fn unstorable(&self, failure: Failure) -> StoreError {
        let message = format!("table `{}` does not take the result", self.schema.table);
        let error = StoreError::new(StoreErrorKind::ResultTooLarge, message);
        match failure {
            Failure::Service(_, cause) => error.caused_by(cause),
            Failure::InDoubt(failure) => self.unstorable(*failure),
            _ => error,
        }
    }

    /// Classifies an error code of the service.
    pub(super) fn refusal(&self, code: &str) -> (StoreErrorKind, String) {
        let table = &self.schema.table;
        match code {
            "ResourceNotFoundException" => {
                let region = self.requests.region();
                let region = region.map(|region| format!(" in {region}")).unwrap_or_default();
                (StoreErrorKind::NotFound, format!("table `{table}` does not exist{region}"))
            }
            "AccessDeniedException" | "AccessDenied" => (
                StoreErrorKind::AccessDenied,
                format!(
                    "access to table `{table}` is denied; the function's role needs \
                     dynamodb:PutItem, dynamodb:UpdateItem, dynamodb:DeleteItem and \
                     dynamodb:GetItem on it"
                ),
            ),
            "UnrecognizedClientException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "IncompleteSignatureException"
            | "InvalidSignatureException"
            | "InvalidClientTokenId"
            | "ExpiredToken"
            | "ExpiredTokenException" => (
                StoreErrorKind::AccessDenied,
                format!("the credentials for table `{table}` are not accepted"),
            ),
            "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "TooManyRequestsException" => {
                (StoreErrorKind::Throttled, format!("table `{table}` throttles requests"))
            }
            "ValidationException" => (
                StoreErrorKind::Invalid,
                format!(
                    "table `{table}` does not take the request; its key must be {}",
                    self.schema.key_description()
                ),
            ),
            "TransactionConflictException" | "TransactionInProgressException" => (
                StoreErrorKind::Other,
                format!("a transaction is changing the record in table `{table}`"),
            ),
            _ => (StoreErrorKind::Other, format!("table `{table}` failed")),
        }
    }
}

/// Returns true if DynamoDB called the request invalid.
///
/// In a completion, only the result can be invalid, since the claim has shown that the table
/// accepts the rest: the result makes the item too large, is nested too deeply, or contains a
/// number that DynamoDB cannot represent.
pub(super) fn is_refused_as_invalid(failure: &Failure) -> bool {
    match failure {
        Failure::Service(code, _) => code == "ValidationException",
        // The earlier attempt was the same request.
        Failure::InDoubt(failure) => is_refused_as_invalid(failure),
        _ => false,
    }
}
