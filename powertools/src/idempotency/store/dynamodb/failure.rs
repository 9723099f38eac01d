use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use super::{DynamoDbStore, StoreError, StoreErrorKind};

/// The error of an operation.
pub(super) trait ServiceError:
    std::error::Error + ProvideErrorMetadata + Send + Sync + 'static
{
}

impl<E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static> ServiceError for E {}

impl DynamoDbStore {
    /// Says what went wrong in the terms of a store. Not for failed conditions.
    pub(super) fn failure<E: ServiceError>(&self, error: SdkError<E>) -> StoreError {
        let table = &self.schema.table;
        let (kind, message) = match &error {
            SdkError::TimeoutError(_) => no_answer(table),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => no_answer(table),
            SdkError::DispatchFailure(_) => {
                (StoreErrorKind::Other, format!("table `{table}` cannot be reached"))
            }
            SdkError::ConstructionFailure(_) => {
                (StoreErrorKind::Other, format!("no request to table `{table}` could be made"))
            }
            SdkError::ServiceError(failure) => self.refusal(failure.err().code()),
            _ => (StoreErrorKind::Other, format!("the answer of table `{table}` is not usable")),
        };
        StoreError::new(kind, message).caused_by(error)
    }

    /// The error for a result that DynamoDB has no form for.
    pub(super) fn unstorable<E: ServiceError>(&self, error: SdkError<E>) -> StoreError {
        let message = format!("table `{}` does not take the result", self.schema.table);
        StoreError::new(StoreErrorKind::ResultTooLarge, message).caused_by(error)
    }

    /// What an error code of the service means.
    fn refusal(&self, code: Option<&str>) -> (StoreErrorKind, String) {
        let table = &self.schema.table;
        match code.unwrap_or_default() {
            "ResourceNotFoundException" => {
                let region = self.client.config().region();
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
            | "TooManyRequestsException" => (
                StoreErrorKind::Throttled,
                format!("table `{table}` takes no more requests just now"),
            ),
            "ValidationException" => (
                StoreErrorKind::Invalid,
                format!(
                    "table `{table}` does not take the request; its key must be {}",
                    self.schema.key_description()
                ),
            ),
            _ => (StoreErrorKind::Other, format!("table `{table}` failed")),
        }
    }
}

fn no_answer(table: &str) -> (StoreErrorKind, String) {
    (StoreErrorKind::Timeout, format!("table `{table}` did not answer in time"))
}

/// Returns true if DynamoDB called the request invalid.
///
/// Of a completion only the result can be: the claim has shown that the table takes the rest. It
/// is over the limit for items, nested too deeply, or has a number that DynamoDB cannot hold.
pub(super) fn is_refused_as_invalid<E: ServiceError>(error: &SdkError<E>) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code) == Some("ValidationException")
}
