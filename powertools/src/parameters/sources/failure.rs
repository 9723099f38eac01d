//! What the errors of SDK clients mean for a value.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::aws::no_credentials::{Lack, lack_of_credentials};
use crate::error::causes::causes;
use crate::parameters::{SourceError, SourceErrorKind};

/// Returns the error of a call, for which the role needs the permission `action`.
pub(super) fn failure<E>(sdk: SdkError<E, HttpResponse>, action: &str) -> SourceError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let no_response = (SourceErrorKind::Timeout, "the service did not respond in time".to_owned());
    let no_request =
        (SourceErrorKind::Other, "no request could be created: a region may be missing".to_owned());
    let lack = match &sdk {
        SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => {
            lack_of_credentials(&sdk)
        }
        _ => None,
    };
    let (kind, message) = match &sdk {
        _ if lack == Some(Lack::Missing) => {
            (SourceErrorKind::AccessDenied, "there are no credentials".to_owned())
        }
        _ if lack == Some(Lack::NotFetched) => {
            (SourceErrorKind::Unavailable, "the credentials could not be fetched".to_owned())
        }
        SdkError::TimeoutError(_) => no_response,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => no_response,
        SdkError::DispatchFailure(_) if causes(&sdk).any(is_of_region) => no_request,
        SdkError::DispatchFailure(_) => {
            (SourceErrorKind::Unavailable, "the service cannot be reached".to_owned())
        }
        SdkError::ConstructionFailure(_) => no_request,
        SdkError::ServiceError(refusal) => {
            let code = refusal.err().code().unwrap_or_default();
            let is_internal = refusal.raw().status().is_server_error();
            refused(code, is_internal, action)
        }
        // Its causes can quote the value, and contain the whole response.
        _ => return SourceError::new(SourceErrorKind::Other, "the response is invalid"),
    };
    let error = SourceError::new(kind, message);
    // The cause without the response in which it was.
    match sdk.into_source() {
        Ok(cause) => error.caused_by(cause),
        Err(_) => error,
    }
}

/// The SDK has no type for it that can be named.
fn is_of_region(error: &(dyn std::error::Error + 'static)) -> bool {
    error.to_string().contains("Missing Region")
}

/// Returns true for the error codes of credentials that have expired.
pub(super) fn is_expired(code: &str) -> bool {
    matches!(code, "ExpiredToken" | "ExpiredTokenException")
}

/// Returns what an error code of a service means.
fn refused(code: &str, is_internal: bool, action: &str) -> (SourceErrorKind, String) {
    match code {
        "ParameterNotFound" | "ParameterVersionNotFound" | "ResourceNotFoundException" => {
            (SourceErrorKind::NotFound, "it does not exist".to_owned())
        }
        "AccessDeniedException" => (
            SourceErrorKind::AccessDenied,
            format!("access is denied: the role of the function needs {action}"),
        ),
        "UnrecognizedClientException" => {
            (SourceErrorKind::AccessDenied, "the credentials are not accepted".to_owned())
        }
        // Others follow, here or in another environment.
        code if is_expired(code) => {
            (SourceErrorKind::Unavailable, "the credentials have expired".to_owned())
        }
        "InvalidKeyId" | "DecryptionFailure" => (
            SourceErrorKind::AccessDenied,
            "it cannot be decrypted: the role of the function needs kms:Decrypt on its key"
                .to_owned(),
        ),
        _ if code.starts_with("Throttl") || code.starts_with("TooMany") => {
            (SourceErrorKind::Throttled, "the service throttles requests".to_owned())
        }
        _ if is_internal => (SourceErrorKind::Unavailable, "the service failed".to_owned()),
        _ => (SourceErrorKind::Other, format!("the service refused the request: {code}")),
    }
}
