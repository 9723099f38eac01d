//! What an HTTP function is made from.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use lambda_http::Request;
use pin_project_lite::pin_project;
use tower::Service;

use super::IntoResponse;

/// A handler of HTTP requests, for [`Powertools::http`](crate::Powertools::http): an async function, or
/// any `tower::Service`, such as a router of axum.
///
/// `M` tells these apart, and is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler of HTTP requests",
    note = "take an async function from `http::Request` to `Result<impl IntoResponse, E>`, or a \
            `tower::Service<http::Request>` such as an axum `Router`"
)]
pub trait Handler<M> {
    /// The handler as a service.
    type Service;

    /// Returns the handler as a service.
    fn into_service(self) -> Self::Service;
}

/// A handler is a service.
#[derive(Debug)]
pub struct AsService(());

/// A handler is a function.
#[derive(Debug)]
pub struct AsFunction(());

impl<S: Service<Request>> Handler<AsService> for S {
    type Service = S;

    fn into_service(self) -> S {
        self
    }
}

impl<F, Fut, R, E> Handler<AsFunction> for F
where
    F: Fn(Request) -> Fut,
    Fut: Future<Output = Result<R, E>>,
    R: IntoResponse,
{
    type Service = HandlerService<F>;

    fn into_service(self) -> HandlerService<F> {
        HandlerService(self)
    }
}

/// An async function as a service. Created by [`handler`].
#[derive(Clone, Copy, Debug)]
pub struct HandlerService<F>(F);

/// Returns an async function from a request to a response as a service, for layers around it, such as those of
/// `tower-http`.
///
/// ```
/// use lambda_runtime::Error;
/// use powertools::http::{self, Request};
/// use tower::ServiceBuilder;
///
/// async fn hello(_: Request) -> Result<&'static str, Error> {
///     Ok("hello")
/// }
///
/// let service = ServiceBuilder::new().service(http::handler(hello));
/// # let _ = service;
/// ```
pub fn handler<F>(function: F) -> HandlerService<F> {
    HandlerService(function)
}

impl<F, Fut, R, E> Service<Request> for HandlerService<F>
where
    F: Fn(Request) -> Fut,
    Fut: Future<Output = Result<R, E>>,
    R: IntoResponse,
{
    // A response, as the layers of tower-http expect it.
    type Response = Response<R::Body>;
    type Error = E;
    type Future = HandlerFuture<Fut>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> HandlerFuture<Fut> {
        HandlerFuture { inner: (self.0)(request) }
    }
}

pin_project! {
    /// The future of [`HandlerService`].
    #[derive(Debug)]
    pub struct HandlerFuture<Fut> {
        #[pin]
        inner: Fut,
    }
}

impl<Fut, R, E> Future for HandlerFuture<Fut>
where
    Fut: Future<Output = Result<R, E>>,
    R: IntoResponse,
{
    type Output = Result<Response<R::Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().inner.poll(cx).map_ok(IntoResponse::into_response)
    }
}
