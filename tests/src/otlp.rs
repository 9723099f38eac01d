//! A collector of spans, which decodes what it receives.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use prost::Message;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// A server that receives spans on loopback, on the runtime of the test that started it, until it is
/// dropped.
#[derive(Debug)]
pub struct Collector {
    port: u16,
    state: Arc<State>,
    serving: JoinHandle<Infallible>,
}

/// What a [`Collector`] does with requests.
#[derive(Clone, Debug, Default)]
pub enum Answer {
    /// Takes the spans.
    #[default]
    Take,
    /// Takes them after this time.
    Slow(Duration),
    /// Answers with this status.
    Refuse(StatusCode),
    /// Takes them, and answers with this body.
    Body(Bytes),
    /// Never answers.
    Hang,
}

/// A span as it was received.
#[derive(Clone, Debug)]
pub struct Received {
    /// The attributes of the function.
    pub resource: BTreeMap<String, Value>,
    /// The span.
    pub span: Span,
}

/// The headers and the body of a request.
pub type Sent = (HeaderMap, Bytes);

#[derive(Debug, Default)]
struct State {
    answer: Mutex<Answer>,
    requests: Mutex<Vec<Sent>>,
    spans: Mutex<Vec<Received>>,
}

impl Collector {
    /// Starts a collector.
    ///
    /// # Panics
    ///
    /// Panics if there is no free port.
    pub async fn start() -> Self {
        Self::on(0).await
    }

    /// Starts a collector on this port.
    ///
    /// # Panics
    ///
    /// Panics if the port is taken.
    pub async fn on(port: u16) -> Self {
        Self::serving(port, None).await
    }

    /// Starts a collector at `localhost` that speaks TLS. Returns it with its certificate in PEM.
    ///
    /// # Panics
    ///
    /// Panics if there is no free port.
    pub async fn over_tls() -> (Self, String) {
        let key = KeyPair::generate().expect("a key can be made");
        let parameters = CertificateParams::new(["localhost".to_owned()]).expect("it is a name");
        let certificate = parameters.self_signed(&key).expect("the key signs");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has them")
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .expect("the key is that of the certificate");
        let collector = Self::serving(0, Some(TlsAcceptor::from(Arc::new(tls)))).await;
        (collector, certificate.pem())
    }

    async fn serving(port: u16, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let state = Arc::new(State::default());
        let serving = tokio::spawn(serve(listener, tls, state.clone()));
        Self { port, state, serving }
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its URL, as `OTEL_EXPORTER_OTLP_ENDPOINT` has it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Sets what it does from now on.
    pub fn answer(&self, answer: Answer) {
        *lock(&self.state.answer) = answer;
    }

    /// Returns the requests that arrived, including those that were refused.
    #[must_use]
    pub fn requests(&self) -> Vec<Sent> {
        lock(&self.state.requests).clone()
    }

    /// Returns the spans that were accepted.
    #[must_use]
    pub fn spans(&self) -> Vec<Received> {
        lock(&self.state.spans).clone()
    }

    /// Returns the only span with this name.
    ///
    /// # Panics
    ///
    /// Panics if there is none, or another one.
    #[must_use]
    pub fn span(&self, name: &str) -> Received {
        let spans = self.spans();
        let names: Vec<_> = spans.iter().map(|received| received.span.name.clone()).collect();
        let mut found = spans.into_iter().filter(|received| received.span.name == name);
        let span = found.next().unwrap_or_else(|| panic!("{name} is not among {names:?}"));
        assert!(found.next().is_none(), "{name} is there once: {names:?}");
        span
    }
}

impl Received {
    /// Returns the value of an attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<Value> {
        attributes(&self.span.attributes).remove(name)
    }

    /// Returns the value of an attribute that is a string.
    ///
    /// # Panics
    ///
    /// Panics if it is not a string.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        match self.attribute(name)? {
            Value::StringValue(text) => Some(text),
            other => panic!("{name} is {other:?}"),
        }
    }

    /// Returns the trace in hexadecimal digits.
    #[must_use]
    pub fn trace(&self) -> String {
        hex(&self.span.trace_id)
    }

    /// Returns the span in hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> String {
        hex(&self.span.span_id)
    }

    /// Returns the span around it in hexadecimal digits; empty if there is none.
    #[must_use]
    pub fn parent(&self) -> String {
        hex(&self.span.parent_span_id)
    }

    /// Returns the status. 0 is unset, and 2 is an error.
    #[must_use]
    pub fn status(&self) -> (i32, String) {
        let Status { code, message } = self.span.status.clone().unwrap_or_default();
        (code, message)
    }

    /// Returns the attributes of its event with this name.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<BTreeMap<String, Value>> {
        let event: &Event = self.span.events.iter().find(|event| event.name == name)?;
        Some(attributes(&event.attributes))
    }

    /// Returns the traces and spans that it links to, in hexadecimal digits.
    #[must_use]
    pub fn links(&self) -> Vec<(String, String)> {
        let links = self.span.links.iter();
        links.map(|link| (hex(&link.trace_id), hex(&link.span_id))).collect()
    }
}

/// Returns attributes by their names.
#[must_use]
pub fn attributes(list: &[KeyValue]) -> BTreeMap<String, Value> {
    let pair = |pair: &KeyValue| Some((pair.key.clone(), pair.value.clone()?.value?));
    list.iter().filter_map(pair).collect()
}

/// Decodes a request.
///
/// # Panics
///
/// Panics if it is not a request of OTLP.
#[must_use]
pub fn decode(body: &[u8]) -> Vec<Received> {
    let request = ExportTraceServiceRequest::decode(body).expect("the request is OTLP");
    let mut received = Vec::new();
    for resource in request.resource_spans {
        let of_resource = attributes(&resource.resource.unwrap_or_default().attributes);
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            received.push(Received { resource: of_resource.clone(), span });
        }
    }
    received
}

async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, state: Arc<State>) -> Infallible {
    // Dropped, and so closed, with the collector.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let (tls, state) = (tls.clone(), state.clone());
        connections.spawn(async move {
            match tls {
                None => state.serve(stream).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        state.serve(stream).await;
                    }
                }
            }
        });
    }
}

impl State {
    async fn serve(self: Arc<Self>, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let service = service_fn(move |request| {
            let state = self.clone();
            async move { Ok::<_, Infallible>(state.receive(request).await) }
        });
        let http = hyper::server::conn::http1::Builder::new();
        let _ = http.serve_connection(TokioIo::new(stream), service).await;
    }

    async fn receive(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await else { return response(StatusCode::BAD_REQUEST, "") };
        let body = body.to_bytes();
        lock(&self.requests).push((head.headers, body.clone()));
        let answer = lock(&self.answer).clone();
        match answer {
            Answer::Take => {}
            Answer::Slow(time) => tokio::time::sleep(time).await,
            Answer::Refuse(status) => return response(status, ""),
            Answer::Body(answer) => return response(StatusCode::OK, answer),
            Answer::Hang => std::future::pending().await,
        }
        if head.uri.path() != "/v1/traces" {
            return response(StatusCode::NOT_FOUND, "");
        }
        lock(&self.spans).extend(decode(&body));
        response(StatusCode::OK, "")
    }
}

fn response(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
