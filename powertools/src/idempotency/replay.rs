use serde::Serialize;
use serde::de::DeserializeOwned;

/// A result that can be stored and replayed: anything that serde writes and reads.
///
/// Every type that implements `Serialize` and `Deserialize` without borrowing is one. Saving detects
/// a value that would not be read as the same value: a float that is infinite or not a number,
/// `Some` of a value that is written as null, a value that is nested too deeply, a number that loses digits in
/// the format of another toolkit, and one that its own type rejects, such as a `u128` under `#[serde(flatten)]` or
/// in an untagged enum, or a member that is left out and has no default. The work is then completed without its
/// result:
/// [`Error::ResultNotStored`](super::Error::ResultNotStored). `testing::assert_replays` checks a
/// value in a test, in this toolkit's own format, and `testing::assert_replays_with` in that of another toolkit.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of idempotent work",
    label = "this result cannot be stored and given to the next caller",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it; it cannot borrow",
    note = "a streaming or `http` response cannot be stored: make an inner function idempotent"
)]
pub trait Replay: Serialize + DeserializeOwned {}

impl<R: Serialize + DeserializeOwned> Replay for R {}
