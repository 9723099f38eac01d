use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server that receives responses of custom resources, as S3 does at a signed URL.
pub(super) struct CloudFormation {
    url: String,
    received: Arc<Received>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Received {
    answers: Mutex<VecDeque<(u16, &'static str)>>,
    responses: Mutex<Vec<Value>>,
}

impl CloudFormation {
    /// Answers the first requests with these statuses, and all others with 200.
    pub(super) async fn start(statuses: impl IntoIterator<Item = u16>) -> Self {
        Self::answering(statuses.into_iter().map(|status| (status, "AnyError"))).await
    }

    /// Answers the first requests with these statuses and codes, and all others with 200.
    pub(super) async fn answering(answers: impl IntoIterator<Item = (u16, &'static str)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/response", listener.local_addr().unwrap());
        let received = Arc::new(Received::default());
        received.answers.lock().unwrap().extend(answers);
        let shared = received.clone();
        let serving = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let shared = shared.clone();
                let service = service_fn(move |request| receive(shared.clone(), request));
                tokio::spawn(
                    http1::Builder::new().serve_connection(TokioIo::new(connection), service),
                );
            }
        });
        Self { url, received, serving }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn responses(&self) -> Vec<Value> {
        self.received.responses.lock().unwrap().clone()
    }

    #[track_caller]
    pub(super) fn only_response(&self) -> Value {
        let [response] = &self.responses()[..] else { panic!("{:?}", self.responses()) };
        response.clone()
    }
}

impl Drop for CloudFormation {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn receive(
    received: Arc<Received>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    // A content type would be signed, and the signature is not of one.
    let is_signed =
        request.method() == Method::PUT && !request.headers().contains_key("content-type");
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let next = received.answers.lock().unwrap().pop_front().unwrap_or((200, ""));
    let (status, code) =
        if is_signed && body.len() <= 4096 { next } else { (400, "InvalidRequest") };
    received.responses.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    let document = match status {
        200 => String::new(),
        _ => format!(
            "<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>x</Message></Error>"
        ),
    };
    Ok(Response::builder().status(status).body(document.into()).unwrap())
}
