//! What the sources on the SDK's clients share.

use aws_config::SdkConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::sync::OnceCell;

use crate::aws;
use crate::error::causes::causes;
use crate::parameters::{SourceError, SourceErrorKind};
use crate::process::is_restored;

/// The client of a source.
#[derive(Debug)]
pub(super) enum Client<C> {
    Given(C),
    /// One with [`aws::config`], from before a restore, and one from after it.
    Own([OnceCell<C>; 2]),
}

impl<C> Client<C> {
    pub(super) const fn own() -> Self {
        Self::Own([const { OnceCell::const_new() }; 2])
    }

    pub(super) async fn get(&self, create: fn(&SdkConfig) -> C) -> &C {
        match self {
            Self::Given(client) => client,
            Self::Own(cells) => {
                let cell = &cells[usize::from(is_restored())];
                cell.get_or_init(async || create(aws::config().await)).await
            }
        }
    }
}

/// Returns the error of a call, for which the role needs the permission `action`.
pub(super) fn failure<E>(error: SdkError<E, HttpResponse>, action: &str) -> SourceError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let no_response = (SourceErrorKind::Timeout, "the service did not respond in time".to_owned());
    let (kind, message) = match &error {
        _ if causes(&error).any(|error| error.is::<CredentialsError>()) => {
            (SourceErrorKind::AccessDenied, "there are no credentials".to_owned())
        }
        SdkError::TimeoutError(_) => no_response,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => no_response,
        SdkError::DispatchFailure(_) => {
            (SourceErrorKind::Unavailable, "the service cannot be reached".to_owned())
        }
        SdkError::ConstructionFailure(_) => (
            SourceErrorKind::Other,
            "no request could be created: a region may be missing".to_owned(),
        ),
        SdkError::ServiceError(refusal) => {
            let code = refusal.err().code().unwrap_or_default();
            let is_internal = refusal.raw().status().is_server_error();
            refused(code, is_internal, action)
        }
        _ => (SourceErrorKind::Other, "the response is invalid".to_owned()),
    };
    SourceError::new(kind, message).caused_by(error)
}

/// Returns what an error code of a service means.
fn refused(code: &str, is_internal: bool, action: &str) -> (SourceErrorKind, String) {
    match code {
        "ParameterNotFound" | "ParameterVersionNotFound" | "ResourceNotFoundException" => {
            (SourceErrorKind::NotFound, "it does not exist".to_owned())
        }
        "AccessDeniedException" | "UnrecognizedClientException" | "ExpiredTokenException" => (
            SourceErrorKind::AccessDenied,
            format!("access is denied: the role of the function needs {action}"),
        ),
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
