use super::{Check, Delete, Put, Update, Write};

/// The result of work, and the writes that take effect together with its completion: all of them or
/// none. Returned by the work of [`Call::commit`](crate::idempotency::Call::commit).
///
/// At most 99 writes, on different items, in tables of one region and account, and 4 MB in all.
#[derive(Clone, Debug)]
#[must_use = "a commit does nothing until the work returns it"]
pub struct Commit<R> {
    result: R,
    writes: Vec<Write>,
}

impl<R> Commit<R> {
    /// Creates a commit without writes. `result` is what the caller receives, now and when the event is
    /// delivered again.
    pub fn new(result: R) -> Self {
        Self { result, writes: Vec::new() }
    }

    /// Adds a write that puts an item, and replaces the existing one.
    pub fn put(self, put: impl Into<Put>) -> Self {
        self.write(put.into())
    }

    /// Adds a write that changes attributes of an item, and creates the item if there is none.
    pub fn update(self, update: impl Into<Update>) -> Self {
        self.write(update.into())
    }

    /// Adds a write that deletes an item, if there is one.
    pub fn delete(self, delete: impl Into<Delete>) -> Self {
        self.write(delete.into())
    }

    /// Adds a condition on an item that is not changed.
    pub fn check(self, check: impl Into<Check>) -> Self {
        self.write(check.into())
    }

    /// Adds a write of any kind.
    pub fn write(mut self, write: impl Into<Write>) -> Self {
        self.writes.push(write.into());
        self
    }

    /// Returns the writes, in the order of their indexes.
    #[must_use]
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// Returns the result.
    #[must_use]
    pub fn result(&self) -> &R {
        &self.result
    }

    pub(in crate::idempotency) fn into_parts(self) -> (R, Vec<Write>) {
        (self.result, self.writes)
    }
}
