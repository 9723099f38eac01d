use serde::Serialize;
use serde::de::DeserializeOwned;

/// A result that can be stored and given again: anything that serde writes and reads.
///
/// Every type that implements `Serialize` and `Deserialize` without borrowing is one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of idempotent work",
    label = "this result cannot be stored and given to the next caller",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it; it cannot borrow",
    note = "a streaming or `http` response cannot be stored: make an inner function idempotent"
)]
pub trait Replay: Serialize + DeserializeOwned {}

impl<R: Serialize + DeserializeOwned> Replay for R {}
