use std::time::Duration;

use super::Powertools;
use super::stack_deadline::StackDeadline;
use crate::deadline::DeadlineLayer;

impl<S> Powertools<S> {
    /// Sets how long before the Lambda timeout the handler is stopped; 500 ms by default.
    ///
    /// That is the time in which the error reaches Lambda, an idempotent handler gives its claim
    /// back, and logs are written. See [`deadline`](mod@crate::deadline) for what stopping means and
    /// what becomes of a reserve that is too long.
    pub fn deadline_reserve(mut self, reserve: Duration) -> Self {
        self.deadline = StackDeadline(Some(DeadlineLayer::new().reserve(reserve)));
        self
    }

    /// Lets the handler run until Lambda stops it; on Lambda Managed Instances nobody does.
    pub fn without_deadline(mut self) -> Self {
        self.deadline = StackDeadline(None);
        self
    }
}
