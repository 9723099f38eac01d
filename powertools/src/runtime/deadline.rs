use std::time::Duration;

use super::Powertools;
use super::stack_deadline::StackDeadline;
use crate::deadline::DeadlineLayer;

impl<S> Powertools<S> {
    /// Sets how long before the Lambda timeout the handler is stopped. Defaults to 500 ms.
    ///
    /// In this time the error reaches Lambda, an idempotent handler releases its claim, and logs
    /// are written. [`deadline`](mod@crate::deadline) describes what stopping means and when a
    /// reserve is shortened.
    pub fn deadline_reserve(mut self, reserve: Duration) -> Self {
        self.deadline = StackDeadline(Some(DeadlineLayer::new().reserve(reserve)));
        self
    }

    /// Lets the handler run until Lambda stops it. Lambda Managed Instances never stop it.
    pub fn without_deadline(mut self) -> Self {
        self.deadline = StackDeadline(None);
        self
    }
}
