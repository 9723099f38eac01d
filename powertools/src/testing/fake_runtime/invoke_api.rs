//! The API by which others invoke the function.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

use super::background::{listen, respond_to};
use super::event::Event;
use super::outcome::{Outcome, Pending};
use super::state::Shared;

/// Whom the API invokes.
pub(super) struct Function {
    pub(super) name: String,
    pub(super) shared: Arc<Shared>,
}

/// Serves the API on a port of its own, until it is aborted.
pub(super) fn serve(function: Function) -> std::io::Result<(SocketAddr, AbortHandle)> {
    listen(|listener| accept(listener, Arc::new(function)))
}

async fn accept(listener: TcpListener, function: Arc<Function>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                let function = function.clone();
                connections.spawn(respond_to(stream, move |request| {
                    let function = function.clone();
                    async move { respond(request, &function).await }
                }));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn respond(request: Request<Incoming>, function: &Function) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().strip_prefix("/2015-03-31/functions/");
    let name = path.and_then(|path| path.strip_suffix("/invocations"));
    // Also an ARN, or a name with a version.
    let is_own = name.is_some_and(|name| {
        let name = name.replace("%3A", ":");
        name.split(':').any(|part| part == function.name)
    });
    if parts.method != Method::POST || !is_own {
        let message = json!({ "Type": "User", "Message": "no such function in this fake Lambda" });
        let mut response = reply(StatusCode::NOT_FOUND, message.to_string().into());
        let name = HeaderValue::from_static("ResourceNotFoundException");
        response.headers_mut().insert("x-amzn-errortype", name);
        return response;
    }
    let Ok(body) = body.collect().await else {
        return reply(StatusCode::BAD_REQUEST, Bytes::new());
    };
    let mut event = Event::raw(body.to_bytes());
    if let Some(tenant) = parts.headers.get("x-amz-tenant-id").and_then(|it| it.to_str().ok()) {
        event = event.tenant_id(tenant);
    }
    let request_id = event.request_id.clone();
    let headers = event.headers(&function.name);
    let progress = function.shared.send(event, headers);
    let kind = parts.headers.get("x-amz-invocation-type");
    let mut response = if kind.is_some_and(|kind| kind == "Event") {
        reply(StatusCode::ACCEPTED, Bytes::new())
    } else {
        match (Pending { request_id: request_id.clone(), progress }).outcome().await {
            Outcome::Response(response) => reply(StatusCode::OK, response.body),
            Outcome::Failed(error) | Outcome::TimedOut(error) | Outcome::Exited(error) => {
                let error =
                    json!({ "errorType": error.error_type, "errorMessage": error.error_message });
                let mut response = reply(StatusCode::OK, error.to_string().into());
                let kind = HeaderValue::from_static("Unhandled");
                response.headers_mut().insert("x-amz-function-error", kind);
                response
            }
        }
    };
    if let Ok(id) = request_id.parse() {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

fn reply(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
