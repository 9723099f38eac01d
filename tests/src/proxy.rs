//! A proxy in front of DynamoDB that records requests, and injects faults.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fmt, io};

use aws_sdk_dynamodb::Client;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

/// A server between a client and an endpoint. It serves on the runtime of the test that started it,
/// until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    endpoint: String,
    state: Arc<State>,
    serving: JoinHandle<Infallible>,
}

/// A request as a [`Proxy`] received it. A retry is a request of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Captured {
    /// The operation, such as `PutItem`.
    pub operation: String,
    /// The body.
    pub body: Value,
    /// The header of X-Ray.
    pub trace: Option<String>,
    /// The header of the signature, which names the headers that it covers.
    pub signature: Option<String>,
}

/// What a [`Proxy`] does with a request instead of passing it and its reply on.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Passes the request on, and closes the connection instead of replying.
    DropReply,
    /// Closes the connection.
    Close,
    /// Never replies.
    Stall,
    /// Passes the request on once it is notified.
    Hold(Arc<Notify>),
    /// Keeps the request for [`Proxy::deliver_late`], and closes the connection.
    Late,
    /// Replies that the table has no capacity left.
    Throttle,
    /// Replies with this error code and message, as DynamoDB does.
    Refuse(&'static str, &'static str),
    /// Replies with this body.
    Reply(StatusCode, Value),
}

#[derive(Debug)]
struct State {
    upstream: Option<String>,
    captured: Mutex<Vec<Captured>>,
    faults: Mutex<VecDeque<(String, Fault)>>,
    late: Mutex<Vec<Request<Full<Bytes>>>>,
}

type Reply = Response<Full<Bytes>>;

impl Proxy {
    /// Creates a proxy that passes requests on to `endpoint`.
    pub async fn before(endpoint: &str) -> Self {
        Self::start(Some(endpoint.trim_start_matches("http://").to_owned())).await
    }

    /// Creates a proxy without an endpoint, which replies `{}`: done, and there is no item.
    pub async fn alone() -> Self {
        Self::start(None).await
    }

    async fn start(upstream: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
        let state = Arc::new(State {
            upstream,
            captured: Mutex::default(),
            faults: Mutex::default(),
            late: Mutex::default(),
        });
        let serving = tokio::spawn(serve(listener, Arc::clone(&state)));
        Self { endpoint, state, serving }
    }

    /// Returns its URL.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns a client that sends its requests to it.
    #[must_use]
    pub fn client(&self) -> Client {
        crate::client(&self.endpoint)
    }

    /// Injects `fault` into the next request for `operation`, after earlier faults.
    pub fn next(&self, operation: &str, fault: Fault) {
        lock(&self.state.faults).push_back((operation.to_owned(), fault));
    }

    /// Passes on the requests that are late, and returns when they have been answered.
    ///
    /// # Panics
    ///
    /// Panics if there is none, or if one is not answered.
    pub async fn deliver_late(&self) {
        let late = std::mem::take(&mut *lock(&self.state.late));
        assert!(!late.is_empty(), "no request is late");
        for request in late {
            forward(&self.state, request).await.expect("it is answered");
        }
    }

    /// Returns the requests so far, in the order in which they arrived.
    #[must_use]
    pub fn captured(&self) -> Vec<Captured> {
        lock(&self.state.captured).clone()
    }

    /// Returns the operations so far, in the order in which they arrived.
    #[must_use]
    pub fn operations(&self) -> Vec<String> {
        self.captured().into_iter().map(|captured| captured.operation).collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) -> Infallible {
    // Ends the connections when it is dropped itself.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let state = Arc::clone(&state);
        connections.spawn(async move {
            let service = service_fn(|request| handle(&state, request));
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            // Fails with an injected fault, and when the client disconnects.
            let _ = connection.await;
        });
    }
}

/// A value in which each member of an object is there once.
struct Once(Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("what a request to DynamoDB consists of")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                let mut members = serde_json::Map::new();
                while let Some((name, Once(value))) = map.next_entry::<String, _>()? {
                    if members.contains_key(&name) {
                        return Err(A::Error::custom(format!("{name} is there twice")));
                    }
                    members.insert(name, value);
                }
                Ok(Value::Object(members))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                let mut values = Vec::new();
                while let Some(Once(value)) = seq.next_element()? {
                    values.push(value);
                }
                Ok(Value::Array(values))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
                Ok(text.into())
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
                Ok(number.into())
            }
        }
        deserializer.deserialize_any(Members).map(Self)
    }
}

/// An error closes the connection.
async fn handle(state: &State, request: Request<Incoming>) -> io::Result<Reply> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let operation = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = operation.and_then(|target| target.split('.').next_back()).unwrap_or_default();
    let header = |name| Some(parts.headers.get(name)?.to_str().ok()?.to_owned());
    lock(&state.captured).push(Captured {
        operation: operation.to_owned(),
        trace: header("x-amzn-trace-id"),
        signature: header("authorization"),
        body: if body.is_empty() { Value::Null } else { serde_json::from_slice::<Once>(&body)?.0 },
    });

    let fault = {
        let mut faults = lock(&state.faults);
        let position = faults.iter().position(|(wanted, _)| wanted == operation);
        position.and_then(|position| faults.remove(position)).map(|(_, fault)| fault)
    };
    let request = Request::from_parts(parts, Full::new(body));
    match fault {
        None => forward(state, request).await,
        Some(Fault::Hold(opened)) => {
            opened.notified().await;
            forward(state, request).await
        }
        Some(Fault::DropReply) => {
            forward(state, request).await?;
            Err(io::ErrorKind::ConnectionAborted.into())
        }
        Some(Fault::Late) => {
            lock(&state.late).push(request);
            Err(io::ErrorKind::ConnectionAborted.into())
        }
        Some(Fault::Close) => Err(io::ErrorKind::ConnectionAborted.into()),
        Some(Fault::Stall) => std::future::pending().await,
        Some(Fault::Throttle) => Ok(refusal("ProvisionedThroughputExceededException", "slow down")),
        Some(Fault::Refuse(code, message)) => Ok(refusal(code, message)),
        Some(Fault::Reply(status, body)) => Ok(reply(status, &body)),
    }
}

async fn forward(state: &State, request: Request<Full<Bytes>>) -> io::Result<Reply> {
    let Some(upstream) = &state.upstream else {
        return Ok(reply(StatusCode::OK, &serde_json::json!({})));
    };
    let stream = TokioIo::new(TcpStream::connect(upstream).await?);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(stream).await.map_err(io::Error::other)?;
    let answered = async move {
        let (mut parts, body) = sender.send_request(request).await?.into_parts();
        // These concern a single connection, not the message.
        for name in [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING] {
            parts.headers.remove(name);
        }
        Ok(Response::from_parts(parts, Full::new(body.collect().await?.to_bytes())))
    };
    // The connection reads and writes the bytes. It ends with its sender, once the reply is
    // complete.
    let (connection, answered): (_, hyper::Result<Reply>) =
        futures_util::future::join(connection, answered).await;
    connection.and(answered).map_err(io::Error::other)
}

fn refusal(code: &str, message: &str) -> Reply {
    let code = format!("com.amazonaws.dynamodb.v20120810#{code}");
    reply(StatusCode::BAD_REQUEST, &serde_json::json!({ "__type": code, "message": message }))
}

fn reply(status: StatusCode, body: &Value) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(body.to_string())));
    *reply.status_mut() = status;
    reply
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
