use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use lambda_runtime::Error as BoxError;
use serde_json::Value;

/// What the handler of an HTTP function returns.
///
/// A response of `http`, with the body of any framework, among them those of axum and `lambda_http`; a
/// [`Problem`](crate::http::Problem) or [`Json`](crate::http::Json); a string (`text/plain`), a
/// `serde_json::Value`, a status, or one of these after a status:
///
/// ```
/// use lambda_runtime::Error;
/// use powertools::http::{IntoResponse, Json, Request, StatusCode};
/// use serde::Serialize;
///
/// #[derive(Serialize)]
/// struct Order {
///     id: u64,
/// }
///
/// async fn create(request: Request) -> Result<impl IntoResponse, Error> {
///     Ok((StatusCode::CREATED, Json(Order { id: 7 })))
/// }
/// # let _ = create;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the response of an HTTP function",
    note = "return an `http::Response`, `Json`, `Problem`, a string, a status or a pair of a status and one of these"
)]
pub trait IntoResponse {
    /// The body of the response.
    type Body: http_body::Body<Data: Send, Error: Into<BoxError>> + Send + 'static;

    /// Returns the response.
    fn into_response(self) -> Response<Self::Body>;
}

impl<B> IntoResponse for Response<B>
where
    B: http_body::Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    type Body = B;

    fn into_response(self) -> Self {
        self
    }
}

impl IntoResponse for StatusCode {
    type Body = Full<Bytes>;

    fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::default());
        *response.status_mut() = self;
        response
    }
}

impl IntoResponse for () {
    type Body = Full<Bytes>;

    fn into_response(self) -> Response<Full<Bytes>> {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl IntoResponse for String {
    type Body = Full<Bytes>;

    fn into_response(self) -> Response<Full<Bytes>> {
        with_type("text/plain; charset=utf-8", self.into())
    }
}

// Of any lifetime: for static ones alone, the compiler takes a function that returns one inside of an async function
// for "not general enough".
impl IntoResponse for &str {
    type Body = Full<Bytes>;

    fn into_response(self) -> Response<Full<Bytes>> {
        self.to_owned().into_response()
    }
}

impl IntoResponse for Value {
    type Body = Full<Bytes>;

    fn into_response(self) -> Response<Full<Bytes>> {
        with_type("application/json", self.to_string().into())
    }
}

impl<R: IntoResponse> IntoResponse for (StatusCode, R) {
    type Body = R::Body;

    fn into_response(self) -> Response<R::Body> {
        let mut response = self.1.into_response();
        *response.status_mut() = self.0;
        response
    }
}

/// Returns a response with this body and content type.
pub(in crate::http) fn with_type(content_type: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
