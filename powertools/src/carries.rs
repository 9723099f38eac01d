/// An error type that can carry the errors of a part of this toolkit: every one with `From<E>`.
///
/// `lambda_runtime::Error` and `anyhow::Error` carry all of them, an enum those that it has a
/// `#[from]` variant for.
///
/// ```
/// use powertools::{Carries, deadline};
///
/// #[derive(Debug, thiserror::Error)]
/// enum OrderError {
///     #[error(transparent)]
///     Deadline(#[from] deadline::Error),
/// }
///
/// fn carries<E: Carries<deadline::Error>>() {}
///
/// carries::<OrderError>();
/// carries::<lambda_runtime::Error>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot carry `{E}`",
    label = "this error type has no `From<{E}>`",
    note = "return `lambda_runtime::Error` or `anyhow::Error`, or an enum of your own with a variant \
            `#[from] {E}`"
)]
pub trait Carries<E>: From<E> {}

impl<T: From<E>, E> Carries<E> for T {}
