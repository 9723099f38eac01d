use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use super::{DynamoDbStore, StoreError, StoreErrorKind};

/// The error of an operation.
pub(super) trait ServiceError:
    std::error::Error + ProvideErrorMetadata + Send + Sync + 'static
{
}

impl<E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static> ServiceError for E {}

impl DynamoDbStore {
    /// Describes a failure in the terms of a store. Not for failed conditions.
    pub(super) fn failure<E: ServiceError>(&self, error: SdkError<E>) -> StoreError {
        let table = &self.schema.table;
        let (kind, message) = match &error {
            SdkError::TimeoutError(_) => no_answer(table),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => no_answer(table),
            _ if lacks_credentials(&error) => (
                StoreErrorKind::AccessDenied,
                format!("there are no credentials for table `{table}`"),
            ),
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
    pub(super) fn refusal(&self, code: Option<&str>) -> (StoreErrorKind, String) {
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
            "TransactionConflictException" | "TransactionInProgressException" => (
                StoreErrorKind::Other,
                format!("a transaction is changing the record in table `{table}`"),
            ),
            _ => (StoreErrorKind::Other, format!("table `{table}` failed")),
        }
    }
}

/// Returns true if no request was made, since nothing could sign it.
fn lacks_credentials<E: ServiceError>(error: &SdkError<E>) -> bool {
    if !matches!(error, SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_)) {
        return false;
    }
    let first: &dyn std::error::Error = error;
    let mut causes = std::iter::successors(Some(first), |error| error.source());
    // The second has no type that can be named: the client has no provider of credentials at all.
    causes.any(|cause| {
        cause.is::<CredentialsError>() || cause.to_string().contains("no identity resolver")
    })
}

fn no_answer(table: &str) -> (StoreErrorKind, String) {
    (StoreErrorKind::Timeout, format!("table `{table}` did not answer in time"))
}

/// Returns true if DynamoDB called the request invalid.
///
/// Of a completion only the result can be: the claim has shown that the table takes the rest. It
/// exceeds the limit for items, nested too deeply, or has a number that DynamoDB cannot hold.
pub(super) fn is_refused_as_invalid<E: ServiceError>(error: &SdkError<E>) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code) == Some("ValidationException")
}

#[cfg(test)]
mod tests {
    use aws_credential_types::provider::future::ProvideCredentials as Provided;
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::config::{BehaviorVersion, Config, ProvideCredentials, Region};

    use super::*;

    #[derive(Debug)]
    struct Without;

    impl ProvideCredentials for Without {
        fn provide_credentials<'a>(&'a self) -> Provided<'a>
        where
            Self: 'a,
        {
            Provided::ready(Err(CredentialsError::not_loaded("none here")))
        }
    }

    #[tokio::test]
    async fn missing_credentials_are_not_a_table_that_cannot_be_reached() {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-central-1"))
            .endpoint_url("http://127.0.0.1:1");
        for config in [config.clone(), config.credentials_provider(Without)] {
            let store = DynamoDbStore::new(Client::from_conf(config.build()), "orders");
            let error = store.warm_up().await.unwrap_err();
            assert_eq!(error.to_string(), "there are no credentials for table `orders`");
            assert_eq!(error.kind(), StoreErrorKind::AccessDenied);
            assert!(!error.is_retryable());
        }
    }
}
