use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode};
use lambda_runtime::Diagnostic;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::background::{listen, respond_to};
use super::outcome::{Outcome, Response};
use super::state::{Delivery, Environment, Refusal};
use crate::invocation::LARGEST_REPLY;

mod extensions;

/// The most bytes that Lambda takes as an error, as AWS's emulator of the Runtime API has it.
const LARGEST_ERROR: usize = 1024 * 1024;

/// How long an environment that has ended still answers those who come late.
const LINGER: Duration = Duration::from_secs(5);

type HttpResponse = hyper::Response<Full<Bytes>>;

/// Serves the Runtime API to one environment, on a port of its own.
pub(super) fn serve(environment: Arc<Environment>) -> io::Result<SocketAddr> {
    let (address, _) = listen(|listener| accept(listener, environment))?;
    Ok(address)
}

async fn accept(listener: TcpListener, environment: Arc<Environment>) {
    let mut connections = JoinSet::new();
    loop {
        // The workers of `run_concurrent` are tasks that outlive its future. They would ask a
        // closed port for their next event for ever, and end on an answer that they cannot read.
        let deserted = async {
            environment.closed().await;
            tokio::time::sleep(LINGER).await;
        };
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                let environment = environment.clone();
                connections.spawn(respond_to(stream, move |request| {
                    let environment = environment.clone();
                    async move { respond(request, &environment).await }
                }));
            }
            Some(_) = connections.join_next() => {}
            () = deserted, if connections.is_empty() => break,
        }
    }
}

async fn respond(request: Request<Incoming>, environment: &Arc<Environment>) -> HttpResponse {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    if let Some(path) = path.strip_prefix("/2020-01-01/extension/") {
        return extensions::respond(&parts.method, path, environment).await;
    }
    let path = path.strip_prefix("/2018-06-01/runtime/").unwrap_or_default();
    let path: Vec<&str> = path.split('/').collect();

    match (&parts.method, path.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => match environment.next().await {
            Some(delivery) => event(delivery),
            None => end_of_events(),
        },
        (&Method::POST, ["invocation", request_id, "response"]) => {
            let Ok(body) = body.collect().await else { return incomplete() };
            let streamed = header(&parts.headers, "lambda-runtime-function-response-mode")
                == Some("streaming");
            let response = Response { body: body.to_bytes(), streamed };
            take_response(environment, request_id, &parts.headers, response)
        }
        (&Method::POST, ["invocation", request_id, "error"]) => {
            match diagnostic(&parts.headers, body).await {
                Ok(diagnostic) => {
                    answer(environment, request_id, &parts.headers, Outcome::Failed(diagnostic))
                }
                Err(refusal) => refusal,
            }
        }
        (&Method::POST, ["init", "error"]) => match diagnostic(&parts.headers, body).await {
            Ok(diagnostic) => {
                environment.init_error(diagnostic);
                accepted()
            }
            Err(refusal) => refusal,
        },
        (&Method::GET, ["restore", "next"]) => {
            if environment.restored().await {
                json(StatusCode::OK, Bytes::new())
            } else {
                gone()
            }
        }
        (&Method::POST, ["restore", "error"]) => match diagnostic(&parts.headers, body).await {
            Ok(diagnostic) => {
                environment.restore_error(diagnostic);
                accepted()
            }
            Err(refusal) => refusal,
        },
        _ => problem(StatusCode::NOT_FOUND, "NotFound", "no such path in this fake Runtime API"),
    }
}

fn take_response(
    environment: &Environment,
    request_id: &str,
    headers: &HeaderMap,
    response: Response,
) -> HttpResponse {
    let size = response.body.len();
    if response.streamed || size <= LARGEST_REPLY {
        return answer(environment, request_id, headers, Outcome::Response(response));
    }
    let message = excess("Response", size, LARGEST_REPLY);
    let diagnostic = Diagnostic {
        error_type: "Function.ResponseSizeTooLarge".to_owned(),
        error_message: message.clone(),
    };
    let taken = answer(environment, request_id, headers, Outcome::Failed(diagnostic));
    if taken.status().is_success() {
        return problem(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message);
    }
    taken
}

fn excess(of: &str, size: usize, limit: usize) -> String {
    format!(
        "{of} payload size ({size} bytes) exceeded maximum allowed payload size ({limit} bytes)."
    )
}

fn answer(
    environment: &Environment,
    request_id: &str,
    headers: &HeaderMap,
    outcome: Outcome,
) -> HttpResponse {
    let invocation_id = header(headers, "lambda-runtime-invocation-id");
    match environment.answer(request_id, invocation_id, outcome) {
        Ok(()) => accepted(),
        Err(Refusal::Unknown) => {
            problem(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
        }
        Err(Refusal::Stale) => {
            problem(StatusCode::GONE, "InvalidRequestID", "The invocation is over")
        }
    }
}

/// Reads an error as a function reports it, or returns the answer to one that Lambda does not take.
async fn diagnostic(headers: &HeaderMap, body: Incoming) -> Result<Diagnostic, HttpResponse> {
    let body = body.collect().await.map_err(|_| incomplete())?.to_bytes();
    if body.len() > LARGEST_ERROR {
        let message = excess("Error", body.len(), LARGEST_ERROR);
        return Err(problem(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message));
    }
    Ok(serde_json::from_slice(&body).unwrap_or_else(|_| Diagnostic {
        error_type: header(headers, "lambda-runtime-function-error-type")
            .unwrap_or("Unknown")
            .to_owned(),
        error_message: String::from_utf8_lossy(&body).into_owned(),
    }))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn event(delivery: Delivery) -> HttpResponse {
    let mut response = json(StatusCode::OK, delivery.payload);
    response.headers_mut().extend(delivery.headers);
    response
}

/// Ends a loop that polls for events: a request id that is not a string is an error to it.
fn end_of_events() -> HttpResponse {
    let mut response = gone();
    let unreadable = HeaderValue::from_bytes(b"\xff").expect("an opaque byte fits a header");
    response.headers_mut().insert("lambda-runtime-aws-request-id", unreadable);
    response
}

fn gone() -> HttpResponse {
    problem(StatusCode::GONE, "Gone", "The environment has ended")
}

fn accepted() -> HttpResponse {
    json(StatusCode::ACCEPTED, Bytes::from_static(br#"{"status":"OK"}"#))
}

/// Returns the reply to a message that was truncated, which is never read.
fn incomplete() -> HttpResponse {
    problem(StatusCode::BAD_REQUEST, "IncompleteRequest", "The request ended early")
}

fn problem(status: StatusCode, error_type: &str, message: &str) -> HttpResponse {
    let body = serde_json::json!({ "errorType": error_type, "errorMessage": message });
    json(status, body.to_string().into())
}

fn json(status: StatusCode, body: Bytes) -> HttpResponse {
    let mut response = HttpResponse::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
