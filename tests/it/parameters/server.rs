//! A server on loopback that stands where an extension would.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Replies to each request with the next of its replies, and with the last one from then on.
#[derive(Debug)]
pub(super) struct Server {
    port: u16,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    replies: Mutex<VecDeque<Reply>>,
    requests: Mutex<Vec<Received>>,
}

/// A status, headers and a body.
pub(super) type Reply = (StatusCode, &'static [(&'static str, &'static str)], &'static str);

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) target: String,
    pub(super) token: Option<String>,
}

impl Server {
    pub(super) async fn replying(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let replies = Mutex::new(replies.into_iter().collect());
        let state = Arc::new(State { replies, requests: Mutex::default() });
        let shared = state.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let state = shared.clone();
                let service = service_fn(move |request| {
                    let reply = state.reply(&request);
                    async { Ok::<_, Infallible>(reply) }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        Self { port, state }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn requests(&self) -> Vec<Received> {
        self.state.requests.lock().unwrap().clone()
    }
}

impl State {
    fn reply<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let token = request.headers().get("X-Aws-Parameters-Secrets-Token");
        self.requests.lock().unwrap().push(Received {
            target: request.uri().to_string(),
            token: token.map(|token| token.to_str().unwrap().to_owned()),
        });
        let mut replies = self.replies.lock().unwrap();
        let (status, headers, body) =
            if replies.len() > 1 { replies.pop_front().unwrap() } else { replies[0] };
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        response.body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap()
    }
}
