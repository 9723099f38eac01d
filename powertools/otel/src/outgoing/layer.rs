use std::task::{Context, Poll};

use http::{HeaderName, HeaderValue, Request};
use tower::{Layer, Service};

use super::headers;
use crate::propagators::{TRACEPARENT, TRACESTATE};

/// Adds the headers of the current span to the requests of an HTTP client that is a `tower::Service` of `http::Request`, as
/// those of `hyper-util` are. Other clients take [`headers`](super::headers).
///
/// A header that a request has already is replaced. With W3C's `traceparent`, the `tracestate` of another trace is removed.
///
/// ```
/// use http::{Request, Response};
/// use powertools_otel::PropagationLayer;
/// use tower::ServiceBuilder;
///
/// let client = ServiceBuilder::new()
///     .layer(PropagationLayer::new())
///     .service_fn(async |_: Request<String>| Ok::<_, std::io::Error>(Response::new("")));
/// # let _ = client;
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct PropagationLayer(());

/// A client whose requests have the headers of the current span. Created by [`PropagationLayer`].
#[derive(Clone, Copy, Debug)]
pub struct Propagation<S> {
    inner: S,
}

impl PropagationLayer {
    /// Creates the layer.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<S> Layer<S> for PropagationLayer {
    type Service = Propagation<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Propagation { inner }
    }
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for Propagation<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let headers = headers();
        if headers.iter().any(|(name, _)| *name == TRACEPARENT) {
            request.headers_mut().remove(TRACESTATE);
        }
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                request.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        self.inner.call(request)
    }
}
