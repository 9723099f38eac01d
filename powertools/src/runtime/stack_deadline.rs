//! The built-in time guard of [`Powertools`](crate::Powertools).

use tower::layer::util::Identity;
use tower::util::{Either, option_layer};

use crate::deadline::DeadlineLayer;
use crate::invocation::Invocation;
use crate::invocation::budget::Budget;

/// The guard of a stack, unless it is disabled.
#[derive(Clone, Debug)]
pub(super) struct StackDeadline(pub(super) Option<DeadlineLayer>);

impl Default for StackDeadline {
    fn default() -> Self {
        Self(Some(DeadlineLayer::new()))
    }
}

impl StackDeadline {
    /// Returns the budget of a streamed body, which ends when its handler would be stopped.
    pub(super) fn budget(&self) -> Option<Budget> {
        let layer = self.0.as_ref()?;
        Some(layer.budget(&Invocation::current()?))
    }

    pub(super) fn into_layer(self) -> Either<DeadlineLayer, Identity> {
        option_layer(self.0)
    }
}
