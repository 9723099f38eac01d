use std::time::Duration;

use lambda_runtime::{Diagnostic, Error as BoxError};
use lambda_runtime_api_client::body::Body;
use lambda_runtime_api_client::{PooledClient, build_request};

use crate::error::causes::with_causes;
use crate::error::diagnose::diagnose;

/// The limit of the report to Lambda, since the function ends in any case.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The phase in which a function failed, which decides where it is reported.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    Init,
    Restore,
}

/// Reports to Lambda why the function cannot start.
pub(super) async fn report(phase: Phase, error: &BoxError) {
    let diagnostic = diagnose(&**error);
    let reported = match tokio::time::timeout(TIMEOUT, post(phase, &diagnostic)).await {
        Ok(reported) => reported,
        Err(_) => Err(format!("there was no answer within {TIMEOUT:?}").into()),
    };
    if let Err(error) = reported {
        tracing::warn!(
            error = with_causes(&*error),
            "could not report to Lambda why the start failed"
        );
    }
}

async fn post(phase: Phase, diagnostic: &Diagnostic) -> Result<(), BoxError> {
    let path = match phase {
        Phase::Init => "/2018-06-01/runtime/init/error",
        Phase::Restore => "/2018-06-01/runtime/restore/error",
    };
    let request = build_request()
        .method("POST")
        .uri(path)
        .header("lambda-runtime-function-error-type", &diagnostic.error_type)
        .body(Body::from(serde_json::to_vec(diagnostic)?))?;
    let status = PooledClient::builder().build().call(request).await?.status();
    if !status.is_success() {
        return Err(format!("the answer was {status}").into());
    }
    Ok(())
}
