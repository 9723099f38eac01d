use hyper::header::HeaderValue;
use hyper::{Method, StatusCode};

use super::{Environment, HttpResponse, gone, json, problem};
use crate::testing::identifiers;

/// Serves the Extensions API, to extensions that subscribe to no events.
pub(super) async fn respond(
    method: &Method,
    path: &str,
    environment: &Environment,
) -> HttpResponse {
    match (method, path) {
        (&Method::POST, "register") => register(environment),
        (&Method::GET, "event/next") => {
            environment.closed().await;
            gone()
        }
        _ => problem(StatusCode::NOT_FOUND, "NotFound", "no such path in this fake Extensions API"),
    }
}

fn register(environment: &Environment) -> HttpResponse {
    if !environment.register_extension() {
        let message = "Extension registration is refused";
        return problem(StatusCode::FORBIDDEN, "Extension.RegistrationRefused", message);
    }
    let body = serde_json::json!({
        "functionName": environment.function_name(),
        "functionVersion": identifiers::FUNCTION_VERSION,
        "handler": "bootstrap",
        "accountId": identifiers::ACCOUNT,
    });
    let mut response = json(StatusCode::OK, body.to_string().into());
    let id = HeaderValue::from_str(&identifiers::request_id()).expect("an id fits a header");
    response.headers_mut().insert("lambda-extension-identifier", id);
    response
}
