use std::ops::Deref;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Response};
use http_body_util::Full;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Problem;
use super::response::{IntoResponse, with_type};
use crate::error::{self, Http};
use crate::json::cut::truncate;
use crate::json::without_values;
use crate::validation::{self, Validate};

/// A body in JSON: of a request, and of a response.
///
/// ```
/// use powertools::http::{Json, Problem, Request};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize, Serialize)]
/// struct Order {
///     id: u64,
///     amounts: Vec<u32>,
/// }
///
/// async fn create(request: Request) -> Result<Json<Order>, powertools::http::JsonError> {
///     let Json(order) = Json::<Order>::read(&request)?;
///     Ok(Json(order))
/// }
///
/// let request = http::Request::post("/orders")
///     .header("content-type", "application/json")
///     .body(r#"{"id":7,"amounts":[1,"two"]}"#.into())
///     .unwrap();
/// # let error = futures_util::FutureExt::now_or_never(create(request)).unwrap().err().unwrap();
/// let problem = Problem::of(&error);
/// assert_eq!(problem.status(), 422);
/// assert!(problem.to_json().contains("amounts[1]"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

/// The default limit of a body, in bytes.
pub(super) const LIMIT: usize = 1024 * 1024;

/// The longest path and the longest detail that a client is told, in bytes: it chose the names in them.
const LONGEST_PATH: usize = 256;
const LONGEST_DETAIL: usize = 1024;

impl<T: DeserializeOwned> Json<T> {
    /// Reads the body of a request, of at most 1 MiB.
    ///
    /// # Errors
    ///
    /// Returns [`JsonError`] if the content is not declared as JSON, is larger, is invalid JSON or is
    /// not a `T`.
    pub fn read<B: AsRef<[u8]>>(request: &http::Request<B>) -> Result<Self, JsonError> {
        Self::read_up_to(request, LIMIT)
    }

    /// Reads the body of a request, of at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// See [`read`](Self::read).
    pub fn read_up_to<B: AsRef<[u8]>>(
        request: &http::Request<B>,
        limit: usize,
    ) -> Result<Self, JsonError> {
        parsed(content(request, limit)?).map(Self)
    }
}

impl<T: Validate> Json<T> {
    /// Checks the rules of the value.
    ///
    /// # Errors
    ///
    /// Returns [`JsonError::Invalid`] if one is broken.
    pub fn validated(self) -> Result<Self, JsonError> {
        self.0.check().map_err(JsonError::Invalid)?;
        Ok(self)
    }
}

/// Returns the body of a request that is declared as JSON, of at most `limit` bytes.
pub(super) fn content<B: AsRef<[u8]>>(
    request: &http::Request<B>,
    limit: usize,
) -> Result<&[u8], JsonError> {
    if !is_json(request.headers()) {
        return Err(JsonError::ContentType);
    }
    let body = request.body().as_ref();
    if body.len() > limit { Err(JsonError::TooLarge { limit }) } else { Ok(body) }
}

pub(super) fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, JsonError> {
    serde_json::from_slice(body).map_err(|error| {
        if !error.is_data() {
            return JsonError::Syntax(error);
        }
        // Once more for the path, which would take time for nothing where reading succeeds.
        let parser = &mut serde_json::Deserializer::from_slice(body);
        let path = match serde_path_to_error::deserialize::<_, T>(parser) {
            Err(error) if error.path().iter().len() > 0 => error.path().to_string(),
            _ => String::new(),
        };
        let path = beginning(path, LONGEST_PATH);
        JsonError::Data { path, source: without_values(error) }
    })
}

/// Returns true for `application/json` and for types with the suffix `+json`.
fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    let media_type = media_type.trim().to_ascii_lowercase();
    let Some(subtype) = media_type.strip_prefix("application/") else { return false };
    subtype == "json" || subtype.ends_with("+json")
}

/// Why a body could not be read as JSON.
///
/// [`Powertools::http`](crate::Powertools::http) answers it with the status in the table; its details are
/// for the client.
///
/// | | status |
/// |---|---|
/// | [`ContentType`](Self::ContentType) | 415 |
/// | [`TooLarge`](Self::TooLarge) | 413 |
/// | [`Syntax`](Self::Syntax) | 400 |
/// | [`Data`](Self::Data) | 422 |
/// | [`Invalid`](Self::Invalid) | 422, with the violations as the member `errors` |
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// The content type is not JSON, or there is none.
    #[error("the content type of the request is not JSON")]
    ContentType,
    /// The body is larger than the limit.
    #[error("the body of the request has more than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The body is not JSON.
    #[error("the body of the request is invalid JSON")]
    Syntax(#[source] serde_json::Error),
    /// The body is JSON of another form.
    #[error("the body of the request is invalid{}", at(.path))]
    #[non_exhaustive]
    Data {
        /// Where, such as `items[0].price`; empty for the body as a whole. Truncated at 256 bytes.
        path: String,
        /// What is wrong there.
        source: serde_json::Error,
    },
    /// The body breaks rules of its type or its schema.
    #[error("the body of the request is invalid")]
    Invalid(#[source] validation::Error),
}

fn beginning(mut text: String, limit: usize) -> String {
    truncate(&mut text, limit);
    text
}

fn at(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" at `{path}`") }
}

impl JsonError {
    /// Returns the name under which Lambda reports the error. It never changes, so that an alarm can
    /// match it.
    #[must_use]
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::ContentType => "Powertools.HttpContentTypeInvalid",
            Self::TooLarge { .. } => "Powertools.HttpBodyTooLarge",
            Self::Syntax(_) => "Powertools.HttpJsonInvalid",
            Self::Data { .. } => "Powertools.HttpDataInvalid",
            Self::Invalid(error) => error.error_type(),
        }
    }

    /// Returns true if another attempt with the same request can succeed: never.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        false
    }

    fn http(&self) -> Option<Http> {
        let status = match self {
            Self::ContentType => 415,
            Self::TooLarge { .. } => 413,
            Self::Syntax(_) => 400,
            Self::Data { .. } => 422,
            Self::Invalid(error) => {
                let mut told = error::http(error)?;
                told.detail = told.detail.map(|_| self.to_string());
                return Some(told);
            }
        };
        let mut told = Http::new(status).with_message_of(self);
        if let (Some(detail), Self::Syntax(source) | Self::Data { source, .. }) =
            (&mut told.detail, self)
        {
            // It can contain the name of a member, which the client chose.
            *detail = beginning(format!("{detail}: {source}"), LONGEST_DETAIL);
        }
        Some(told)
    }
}

crate::error::own::name_in_lambda!(JsonError, http = JsonError::http);

impl From<JsonError> for Problem {
    fn from(error: JsonError) -> Self {
        Self::of(&error)
    }
}

impl From<validation::Error> for Problem {
    fn from(error: validation::Error) -> Self {
        Self::of(&error)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    type Body = Full<Bytes>;

    /// Returns the response, or one with status 500 if the value cannot be written as JSON.
    fn into_response(self) -> Response<Full<Bytes>> {
        match serde_json::to_vec(&self.0) {
            Ok(body) => with_type("application/json", body.into()),
            Err(error) => {
                tracing::error!(%error, "the body of a response cannot be written as JSON");
                Problem::new(http::StatusCode::INTERNAL_SERVER_ERROR).into_response()
            }
        }
    }
}

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
