//! The reply of an invocation, which the SDK hides.

use aws_durable_execution_sdk::InvocationResponse;
use lambda_runtime::Error as BoxError;
use powertools::Invocation;
use powertools::error::Diagnostic;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use crate::Error;
use crate::handler::{Failed, Kept};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reply {
    status: String,
    error: Option<Failure>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    #[serde(default)]
    error_type: String,
    #[serde(default)]
    error_message: String,
    error_data: Option<String>,
}

/// Returns the reply of an invocation, or the error with which the execution failed: the invocation then
/// has the reply that Lambda receives in its place.
pub(crate) fn conclude(response: &InvocationResponse) -> Result<Box<RawValue>, BoxError> {
    let response = to_raw_value(response)?;
    let reply: Reply = serde_json::from_str(response.get())?;
    let (true, Some(failure)) = (reply.status == "FAILED", reply.error) else {
        return Ok(response);
    };
    let Some(invocation) = Invocation::current() else { return Ok(response) };
    let Failure { error_type, error_message, error_data } = failure;
    let error: BoxError = match (invocation.local::<Kept>().take(), &*error_type) {
        (_, "NonDeterministicExecutionError") => {
            Error::StepsChanged { message: error_message }.into()
        }
        (_, "CheckpointFailedError") => Error::CheckpointRefused { message: error_message }.into(),
        (Some(Failed::Execution(error)), _) => error,
        (kept, _) => {
            let name = match kept {
                Some(Failed::Operation(name)) => name,
                _ => None,
            };
            Error::OperationFailed { error_type, message: error_message, name }.into()
        }
    };
    let Diagnostic { error_type, error_message } = powertools::error::diagnose(&*error);
    let error_type = match error.downcast_ref() {
        // The name that others gave the error is better than that of its kind.
        Some(Error::OperationFailed { error_type, name: None, .. }) => error_type.clone(),
        _ => error_type,
    };
    // Without the stack trace, of 10 kB: it is that of the SDK.
    let mut failure = json!({ "ErrorType": error_type, "ErrorMessage": error_message });
    if let Some(data) = error_data {
        failure["ErrorData"] = data.into();
    }
    let reply = to_raw_value(&json!({ "Status": "FAILED", "Error": failure }))?;
    if let Some(execution) = invocation.execution() {
        execution.fail_with(reply);
    }
    Err(error)
}
