use aws_sdk_ssm::Client;
use aws_sdk_ssm::error::SdkError;
use aws_sdk_ssm::operation::put_parameter::PutParameterError;
use aws_sdk_ssm::types::ParameterType;

use crate::parameters::sources::failure::failure;
use crate::parameters::{Kind, Request, SourceError, SourceErrorKind};

/// Creates the parameter, or writes a new version of the one that exists, which keeps its type.
pub(super) async fn write(
    client: &Client,
    request: &Request,
    text: String,
) -> Result<(), SourceError> {
    let put = client.put_parameter().name(&request.name).value(text);
    let create = put.clone().r#type(kind(request)?).overwrite(false);
    let written = match create.send().await {
        Err(SdkError::ServiceError(refusal))
            if matches!(refusal.err(), PutParameterError::ParameterAlreadyExists(_)) =>
        {
            // The service does not change a type. Without one, it keeps what the parameter has.
            put.overwrite(true).send().await
        }
        created => created,
    };
    written.map(drop).map_err(|error| failure(error, "ssm:PutParameter"))
}

/// Returns the type of a parameter that does not exist. What may be a secret is not created as plain text
/// unless the declaration requires it.
fn kind(request: &Request) -> Result<ParameterType, SourceError> {
    match (request.kind, request.encrypt) {
        (Kind::Secret, _) | (_, Some(true)) => Ok(ParameterType::SecureString),
        (_, Some(false)) => Ok(ParameterType::String),
        (_, None) if request.decrypt => {
            let message = "it may be a secret: add encrypted(true) or encrypted(false) to its \
                           declaration";
            Err(SourceError::new(SourceErrorKind::Unsupported, message))
        }
        (_, None) => Ok(ParameterType::String),
    }
}
