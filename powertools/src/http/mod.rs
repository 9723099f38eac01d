//! HTTP functions: requests of every front end, and the answers that clients expect.
//!
//! Without the feature `http` it has [`is_final`] only.
//!
//! ```no_run
//! use lambda_runtime::Error;
//! use powertools::Powertools;
//! use powertools::http::{IntoResponse, Json, JsonError, Request, StatusCode};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Deserialize, Serialize)]
//! struct Order {
//!     id: u64,
//! }
//!
//! async fn create(request: Request) -> Result<impl IntoResponse, JsonError> {
//!     let Json(order) = Json::<Order>::read(&request)?; // 400, 413, 415 or 422 as a problem
//!     Ok((StatusCode::CREATED, Json(order)))
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     Powertools::http(create).run().await
//! }
//! ```
//!
//! [`Powertools::http`](crate::Powertools) takes an async function, or any `tower::Service` of
//! requests, such as a router of axum. The guide has a page about it.
//!
//! # Requests
//!
//! A request is [`Request`]: that of `lambda_http`, with what its `RequestExt` reads, and with
//! [`Origin`] in its extensions. It is read from the event of a REST, HTTP or WebSocket API of API
//! Gateway, a function URL, a load balancer or VPC Lattice:
//!
//! | | |
//! |---|---|
//! | headers | every value of each, in order. HTTP APIs, function URLs and version 1 of VPC Lattice join them by commas |
//! | cookies | in the header `cookie` |
//! | path | as the client sent it, where the front end keeps it. HTTP APIs decode paths, so that `%2F` is a slash to them: what is then no path is encoded again. The stage is not part of it |
//! | query | as the client sent it. REST APIs decode it: it is encoded again, with every value |
//! | host | that of the header `host`, or of the API |
//! | body | text, or bytes if the event has them in base64 |
//! | method | of a WebSocket API: GET for `$connect`, POST for what follows; the path is `/` and the route key |
//!
//! An event with a header, path or method that HTTP does not have, or with a body in invalid base64, is
//! answered with 400; no front end sends such events. An event of something else is reported to Lambda as
//! `Powertools.EventInvalid`.
//!
//! # Responses
//!
//! Every value of each header and every cookie is kept, in the form that the front end reads. The body is
//! text if its content type and encoding say so and it is valid UTF-8, else base64. REST APIs decode that
//! only for the types among their binary media types. A value of a header that is not UTF-8 is read as Latin-1.
//!
//! A reply that is not [streamed](crate::Powertools::streaming) has a limit, in bytes of its JSON. Of a body that has
//! more, no more than these are read, and the answer is 500:
//!
//! | front end | limit |
//! |---|---|
//! | load balancer | 1 MB (1,048,576 bytes): it would answer 502 |
//! | WebSocket API | 128 KB (131,072 bytes), of the body alone, or of its base64 |
//! | any | 6 MB (6,291,556 bytes), that of Lambda |

mod status;

#[cfg(feature = "http")]
mod handler;
#[cfg(feature = "http")]
mod idempotency_key;
#[cfg(feature = "http")]
mod json;
#[cfg(all(feature = "http", feature = "validate-jsonschema"))]
mod json_schema;
#[cfg(feature = "http")]
mod problem;
#[cfg(feature = "http")]
mod request;
#[cfg(feature = "http")]
mod response;
#[cfg(feature = "http")]
pub(crate) mod service;
#[cfg(feature = "http")]
mod signature;

#[cfg(feature = "http")]
pub use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
#[cfg(feature = "http")]
pub use lambda_http::{Body, Request};

#[cfg(feature = "http")]
pub use self::handler::{AsFunction, AsService, Handler, HandlerService, handler};
#[cfg(feature = "http")]
pub use self::idempotency_key::{IdempotencyKeyLayer, IdempotencyKeyService, ReplyBody};
#[cfg(feature = "http")]
pub use self::json::{Json, JsonError};
#[cfg(feature = "http")]
pub use self::problem::Problem;
#[cfg(feature = "http")]
pub use self::request::{Event, FrontEnd, Origin};
#[cfg(feature = "http")]
pub use self::response::{BodyStream, IntoResponse, Reply};
#[cfg(feature = "http")]
pub use self::service::HttpService;
#[cfg(feature = "http")]
pub use self::signature::{SignatureError, Webhook};
pub use self::status::is_final;
