use std::cell::Cell;

use super::{Failure, HandlerEnds, List, Moments, Outcome};
use crate::invocation::Invocation;

/// The end of a handler that has started. It happens once, in every case.
#[derive(Debug)]
pub(in crate::runtime) struct Ending(Option<Open>);

#[derive(Debug)]
struct Open {
    list: List,
    invocation: Invocation,
    is_streamed: bool,
}

impl Ending {
    /// Notifies the values that the handler begins, and returns its end.
    pub(in crate::runtime) fn begin(list: &List) -> Self {
        if !list.wants(Moments::HANDLER_BEGINS) && !list.wants(Moments::HANDLER_ENDS) {
            return Self(None);
        }
        let Some(invocation) = Invocation::current() else { return Self(None) };
        list.begin(&invocation);
        let wants = list.wants(Moments::HANDLER_ENDS);
        Self(wants.then(|| Open { list: list.clone(), invocation, is_streamed: false }))
    }

    /// Returns true if a value is notified of the end.
    pub(in crate::runtime) fn is_awaited(&self) -> bool {
        self.0.is_some()
    }

    /// Notes that the handler has returned a streamed body.
    pub(in crate::runtime) fn streams(mut self) -> Self {
        if let Some(open) = &mut self.0 {
            open.is_streamed = true;
        }
        self
    }

    /// Notifies the values of the end. Returns true if the failure has a log line.
    pub(in crate::runtime) fn end(mut self, outcome: Outcome<'_>) -> bool {
        self.0.take().is_some_and(|open| open.end(outcome))
    }

    /// Like [`end`](Self::end), with a failure.
    pub(in crate::runtime) fn fail(self, kind: Kind, failure: Failure<'_>) -> bool {
        self.end(match kind {
            Kind::Error => Outcome::Error(failure),
            Kind::Panicked => Outcome::Panicked(failure),
            Kind::Stopped => Outcome::Stopped(failure),
        })
    }
}

/// The kinds of failures.
#[derive(Clone, Copy, Debug)]
pub(in crate::runtime) enum Kind {
    Error,
    Panicked,
    Stopped,
}

impl Open {
    fn end(self, outcome: Outcome<'_>) -> bool {
        let Self { list, invocation, is_streamed } = self;
        let ends =
            HandlerEnds { invocation: &invocation, outcome, is_streamed, logged: Cell::new(false) };
        // A handler can be dropped outside of its invocation.
        invocation.clone().sync_scope(|| list.end(&ends));
        ends.logged.get()
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(open) = self.0.take() {
            open.end(Outcome::Dropped);
        }
    }
}
