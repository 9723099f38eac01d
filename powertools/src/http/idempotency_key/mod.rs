//! The header `Idempotency-Key`.

mod body;
mod key;
mod service;
mod stored;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, StatusCode, request};
use tower::Layer;

pub use self::body::ReplyBody;
pub use self::service::IdempotencyKeyService;
use super::Origin;
use super::status::is_final_status;
use crate::idempotency::{Idempotency, Store};

/// Processes a request once for each key that its client sends in the header `Idempotency-Key`.
///
/// It follows draft-ietf-httpapi-idempotency-key-header-06, and takes keys without quotes as well, which
/// many clients send.
///
/// ```no_run
/// use lambda_runtime::Error;
/// use powertools::Powertools;
/// use powertools::http::{self, IdempotencyKeyLayer, IntoResponse, Request, StatusCode};
/// use powertools::idempotency::{Idempotency, MemoryStore};
/// use tower::ServiceBuilder;
///
/// async fn charge(request: Request) -> Result<impl IntoResponse, Error> {
///     Ok((StatusCode::CREATED, "charged, once"))
/// }
///
/// #[tokio::main]
/// async fn main() -> Result<(), Error> {
///     let idempotency = Idempotency::new(MemoryStore::new())?; // in production: DynamoDbStore
///     let once = IdempotencyKeyLayer::new(idempotency, "payments");
///     let service = ServiceBuilder::new().layer(once).service(http::handler(charge));
///     Powertools::http(service).run().await
/// }
/// ```
///
/// A router of axum takes it with `Router::layer` or `Router::route_layer`. On a handler function,
/// [`#[idempotent(http, with = once)]`](macro@crate::idempotent#http-functions) does the same.
///
/// # Which requests are the same
///
/// Those with the same key, from the same caller, with the same method and path. The path is the one that
/// the client sent ([`Origin::path`]), so `/orders/1/pay` and `/orders/2/pay` have keys of their own, also
/// in a nested router. The caller is [`Origin::caller`], or what [`caller`](Self::caller) returns: without
/// one, clients who choose the same key would receive each other's responses, so a request without a
/// caller is answered with 500, and the reason is logged. That is found out with each request, and not at the
/// start: only a request shows whether the route through which it came has an authorizer.
///
/// Query, content type and body must be the same too, byte for byte. The order of the query's names counts for HTTP APIs
/// and function URLs alone: other front ends pass the parameters on as an object, which has no order. That of the values of
/// one name always counts.
///
/// The API, its stage and its domain are not part of it: a client that retries through another domain, after a
/// move from one API to another for example, must not do the work again. The mapping of a custom domain, such as
/// `/v1`, is a part of the path like any other: with and without it, a request is not the same. So services that share a table need
/// different names, and stages of one service a
/// [`key_prefix`](crate::idempotency::Builder::key_prefix) or a table each.
///
/// # Answers
///
/// | request | answer |
/// |---|---|
/// | the first with its key | that of the handler |
/// | again, after the first was answered | the same status, body and [headers](Self::replay_header), and `Idempotency-Replayed: true` |
/// | again, while the first is in progress | 409, with `Retry-After` from the lease of the first |
/// | again, with another query, content type or body | 422 |
/// | POST or PATCH without a key | 400, unless keys are [optional](Self::optional) |
/// | with several keys, or an invalid one | 400 |
/// | a message of a WebSocket API, which has no headers | as one without a key |
/// | GET, HEAD, OPTIONS, TRACE; PUT and DELETE without a key | that of the handler: nothing is stored |
/// | again, if the response was too large to be stored | 409, with the status of the response as `response_status` |
/// | the first, if the response is too large [for the front end](crate::http#responses) | 500; the work is done, and later ones receive 409 or 500 |
/// | the time has run out | 503, or what `Powertools::when_out_of_time` sets |
/// | the store fails before the work | 503: nothing runs |
/// | the store fails after it, so that the response is not saved | that of the handler, with a warning in the log; until the claim ends, 409 to the same request, and then the handler runs again |
///
/// A 503 has `Retry-After`. After the work there is none, since it would have the client do it again: with
/// [`OnSaveFailure::Error`](crate::idempotency::OnSaveFailure::Error) the answer is 500 and says that the
/// request was processed.
///
/// A key is a string of a structured field (RFC 9651), in quotes, or a bare word of visible characters
/// without quotes, commas and semicolons. `"k-1"` and `k-1` are the same key. It has at most 255
/// characters.
///
/// # Which responses are stored
///
/// All but those that only say that this attempt did not succeed: 408, 425, 429 and from 500 on. After these,
/// and after an error or a panic of the handler, a retry with the same key runs the handler again.
/// [`keep_if`](Self::keep_if) decides otherwise. A stored response is replayed for 24 hours, or for what
/// [`expires_after`](crate::idempotency::Builder::expires_after) sets.
///
/// A body is stored as it is, text or bytes, up to [`max_body_bytes`](Self::max_body_bytes). Cookies are
/// never stored.
///
/// The work is done when the body is complete. One that breaks off is an error of the handler, and one that
/// is stopped is interrupted: the claim is released or held, as
/// [`on_error`](crate::idempotency::Builder::on_error) and
/// [`on_interrupt`](crate::idempotency::Builder::on_interrupt) say. Of a streamed body, up to `max_body_bytes`
/// are read before the first is sent; with more of them the request is in progress until the last was read, and the
/// lease limits the body as it limits the handler.
///
/// # Order
///
/// Put layers that change every response, such as CORS, outside of it, and authentication too. What is
/// inside of it does not run for a replay. Around a router and on one of its routes, layers of one name are one
/// layer: the outer.
///
/// A router answers for its handlers: what is an error of a handler function, after which a retry runs again, is a
/// response there, and is stored if its status is final. Both treat 422 alike only with
/// [`keep_if`](Self::keep_if).
#[must_use = "a layer does nothing until it is added to a service"]
pub struct IdempotencyKeyLayer<S> {
    idempotency: Idempotency<S>,
    options: Arc<Options>,
}

#[derive(Clone)]
struct Options {
    name: String,
    is_optional: bool,
    caller: Option<Caller>,
    keep_if: Keep,
    max_body_bytes: usize,
    replayed: Vec<HeaderName>,
}

type Caller = Arc<dyn Fn(&request::Parts) -> Option<String> + Send + Sync>;
type Keep = Arc<dyn Fn(StatusCode) -> bool + Send + Sync>;

/// How long a response is replayed by default.
const EXPIRES_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The default limit of a stored body: with its base64 and the headers it fits into an item of DynamoDB.
const MAX_BODY: usize = 256 * 1024;

/// The headers that are replayed by default.
const REPLAYED: [HeaderName; 11] = [
    http::header::CACHE_CONTROL,
    http::header::CONTENT_DISPOSITION,
    http::header::CONTENT_ENCODING,
    http::header::CONTENT_LANGUAGE,
    http::header::CONTENT_LOCATION,
    http::header::CONTENT_TYPE,
    http::header::ETAG,
    http::header::LAST_MODIFIED,
    http::header::LINK,
    http::header::LOCATION,
    http::header::VARY,
];

impl<S: Store> IdempotencyKeyLayer<S> {
    /// Creates the layer. `name` is part of every key: services with different names share no records.
    pub fn new(idempotency: Idempotency<S>, name: impl Into<String>) -> Self {
        let options = Options {
            name: name.into(),
            is_optional: false,
            caller: None,
            keep_if: Arc::new(|status| is_final_status(status.as_u16().into())),
            max_body_bytes: MAX_BODY,
            replayed: REPLAYED.into(),
        };
        Self { idempotency, options: Arc::new(options) }
    }

    fn change(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(Arc::make_mut(&mut self.options));
        self
    }

    /// Processes a POST or PATCH without a key like any other request, instead of answering it with 400.
    pub fn optional(self) -> Self {
        self.change(|options| options.is_optional = true)
    }

    /// Sets who sent a request, instead of [`Origin::caller`].
    ///
    /// It must be something that the client cannot choose freely, such as the subject of a token that was
    /// verified, or the account to which a signature belongs. `None` rejects the request: 500 is its
    /// answer.
    ///
    /// If the keys of all clients are unguessable, as those of one payment provider whose signature is
    /// checked, a constant will do.
    ///
    /// ```
    /// use powertools::http::IdempotencyKeyLayer;
    /// use powertools::idempotency::{Idempotency, MemoryStore};
    ///
    /// #[derive(Clone)]
    /// struct Account(String); // set by a layer that has verified it
    ///
    /// let idempotency = Idempotency::new(MemoryStore::new())?;
    /// let once = IdempotencyKeyLayer::new(idempotency, "payments")
    ///     .caller(|request| Some(request.extensions.get::<Account>()?.0.clone()));
    /// # let _ = once;
    /// # Ok::<(), powertools::idempotency::Error>(())
    /// ```
    pub fn caller(
        self,
        caller: impl Fn(&request::Parts) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.change(|options| options.caller = Some(Arc::new(caller)))
    }

    /// Sets which responses are stored, by their status, unless
    /// [`keep_if`](crate::idempotency::Builder::keep_if) of the `Idempotency` is set.
    pub fn keep_if(self, keep: impl Fn(StatusCode) -> bool + Send + Sync + 'static) -> Self {
        self.change(|options| options.keep_if = Arc::new(keep))
    }

    /// Sets how many bytes of a body are stored at most. The default is 256 KiB, which fits into an item of
    /// DynamoDB.
    ///
    /// A larger response is answered once, and is not replayed: later requests receive 409 with its
    /// status. A text whose JSON is longer than the limit by more than a third, since most of it is
    /// quotes, line breaks or control characters, counts as larger.
    ///
    /// With a limit beyond what the store takes the answer is the same, but without the status.
    ///
    /// A replay is a reply like any other, with its [limit](crate::http#responses): one that fits only without
    /// the header `Idempotency-Replayed` is answered with 500.
    pub fn max_body_bytes(self, bytes: usize) -> Self {
        self.change(|options| options.max_body_bytes = bytes)
    }

    /// Adds a header that is replayed. `Set-Cookie` never is.
    ///
    /// By default these are: `Cache-Control`, `Content-Disposition`, `Content-Encoding`,
    /// `Content-Language`, `Content-Location`, `Content-Type`, `ETag`, `Last-Modified`, `Link`, `Location`
    /// and `Vary`.
    pub fn replay_header(self, name: HeaderName) -> Self {
        self.change(|options| options.replayed.push(name))
    }
}

impl Options {
    /// Returns the caller of a request.
    fn caller_of(&self, request: &request::Parts) -> Option<String> {
        let caller = match &self.caller {
            Some(caller) => caller(request),
            None => request.extensions.get::<Origin>()?.caller().map(str::to_owned),
        };
        caller.filter(|caller| !caller.is_empty())
    }
}

impl<H, S> Layer<H> for IdempotencyKeyLayer<S> {
    type Service = IdempotencyKeyService<H, S>;

    fn layer(&self, inner: H) -> Self::Service {
        IdempotencyKeyService { inner, config: self.clone() }
    }
}

impl<S> Clone for IdempotencyKeyLayer<S> {
    // By hand, since a derive would ask for `S: Clone`.
    fn clone(&self) -> Self {
        Self { idempotency: self.idempotency.clone(), options: self.options.clone() }
    }
}

impl<S> fmt::Debug for IdempotencyKeyLayer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotencyKeyLayer")
            .field("name", &self.options.name)
            .finish_non_exhaustive()
    }
}
