/// What an initialiser returns: a `Result`, under whatever name.
///
/// [`#[init_once]`](macro@crate::init_once) uses it where it cannot see the type of the value.
///
/// ```
/// use powertools::macro_support::MadeOnce;
///
/// type Made = Result<String, std::fmt::Error>;
///
/// let value: <Made as MadeOnce>::Value = String::new();
/// # let _ = value;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Result`",
    label = "`#[init_once]` needs a function that returns a `Result<T, E>`"
)]
pub trait MadeOnce {
    /// The value.
    type Value;
    /// Why it was not made.
    type Error;
}

impl<T, E> MadeOnce for Result<T, E> {
    type Value = T;
    type Error = E;
}
