use crate::idempotency::Commit;

/// What a function with a transaction returns: a `Result` of a commit, under whatever name.
///
/// ```
/// use powertools::idempotency::{Commit, Error};
/// use powertools::macro_support::Commits;
///
/// type Committed = Result<Commit<String>, Error>;
///
/// let returned: <Committed as Commits>::Result = Ok(String::new());
/// # let _ = returned;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Result` of a `Commit`",
    label = "`#[idempotent(.., transaction)]` goes on a function that returns a `Result<Commit<R>, E>`"
)]
pub trait Commits {
    /// What the caller of the function receives.
    type Result;
}

impl<R, E> Commits for Result<Commit<R>, E> {
    type Result = Result<R, E>;
}
