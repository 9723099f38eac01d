use std::pin::Pin;

use crate::http::{IntoResponse, ReplyBody, Response};

/// What a handler of requests returns: a `Result` of a response, under whatever name.
///
/// ```
/// use powertools::http::{Json, JsonError};
/// use powertools::macro_support::Answers;
///
/// type Receipt = Result<Json<u64>, JsonError>;
///
/// let returned: fn(<Receipt as Answers>::Result) -> _ = |result| result.is_ok();
/// # let _: fn(_) -> bool = returned;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Result` of the response of an HTTP function",
    label = "`#[idempotent(http, ..)]` goes on a function that returns a `Result<impl IntoResponse, E>`"
)]
pub trait Answers {
    /// What the caller of the function receives.
    type Result;
}

impl<R: IntoResponse, E> Answers for Result<R, E> {
    type Result = Result<Response<ReplyBody<Pin<Box<R::Body>>>>, E>;
}
