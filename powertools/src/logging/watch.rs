//! Looks after the lines of an invocation until its handler ends.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use super::json;
use super::state::State;
use crate::Invocation;

/// The target of a line about a handler's error.
pub(super) const HANDLER: &str = "powertools::handler";

/// The target of a line about a panic.
pub(super) const PANIC: &str = "powertools::panic";

/// Stands around a handler, or a part of one, until it ends in whatever way.
///
/// The outermost of an invocation ends it; one further in only reports its own error.
#[derive(Debug)]
pub(super) struct Watch {
    invocation: Option<Invocation>,
    outermost: bool,
    /// The errors that were reported before this one began.
    before: usize,
}

/// What an invocation knows of the end of its handler.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// The outermost watch is at work.
    watched: bool,
    /// The errors that were reported, by the hashes of their messages and `Debug` forms.
    reported: Vec<u64>,
    said: Option<Said>,
    /// An error has a line: the level and the filter let it through.
    error_written: bool,
    /// A panic has a line: the hook is there, and the filter lets it through.
    panic_written: bool,
}

/// What the handler ended with.
#[derive(Debug)]
enum Said {
    /// An error, by the hash of what the runtime says of it.
    Error(u64),
    Panic,
}

/// An error as its line says it.
pub(super) struct Failure {
    pub(super) message: String,
    pub(super) name: Option<String>,
    pub(super) causes: Vec<String>,
}

impl Watch {
    pub(super) fn of_current() -> Self {
        let invocation = Invocation::current();
        let (mut outermost, mut before) = (false, 0);
        if let Some(invocation) = &invocation {
            let mut state = invocation.local::<State>().lock();
            outermost = !std::mem::replace(&mut state.ending.watched, true);
            before = state.ending.reported.len();
            if outermost {
                // Another one may have ended in this invocation before.
                state.ended = false;
                state.ending.said = None;
            }
        }
        Self { invocation, outermost, before }
    }

    pub(super) fn succeeded(mut self) {
        self.end(false);
    }

    /// Ends a handler that returned an error, which has the form `debug`. The runtime says it as
    /// `said`.
    pub(super) fn failed(mut self, error: &Failure, debug: &str, said: &str) {
        if !self.is_reported(error, debug, said) {
            error.log();
        }
        self.end(true);
    }

    /// True if the error has a line of a watch inside of this one.
    ///
    /// An error changes its type on the way out, as into a box, and so is known by what it says.
    fn is_reported(&self, error: &Failure, debug: &str, said: &str) -> bool {
        let Some(invocation) = &self.invocation else { return false };
        let says = [hash(&error.message), hash(debug)];
        let ending = &mut invocation.local::<State>().lock().ending;
        let reported = ending.reported[self.before..].iter().any(|inner| says.contains(inner));
        if !reported {
            ending.reported.extend(says);
        }
        if self.outermost {
            ending.said = Some(Said::Error(hash(said)));
        }
        reported
    }

    fn end(&mut self, failed: bool) {
        if let Some(invocation) = self.invocation.take()
            && self.outermost
        {
            invocation.local::<State>().lock().ending.watched = false;
            State::end(&invocation, failed);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(invocation) = &self.invocation
            && self.outermost
            && std::thread::panicking()
        {
            invocation.local::<State>().lock().ending.said = Some(Said::Panic);
        }
        self.end(true);
    }
}

impl Ending {
    /// A line of `target` was written at ERROR.
    pub(super) fn written(&mut self, target: &str) {
        self.error_written |= target == HANDLER;
        self.panic_written |= target == PANIC;
    }

    /// True if what the runtime says of the handler's end stands in a line already.
    pub(super) fn is_said(&self, text: &str) -> bool {
        match self.said {
            Some(Said::Error(said)) => self.error_written && said == hash(text),
            Some(Said::Panic) => self.panic_written && text.contains("panicked"),
            None => false,
        }
    }
}

impl Failure {
    /// Writes the line.
    fn log(&self) {
        let Self { message, name, causes } = self;
        tracing::error!(
            target: HANDLER,
            exception = message,
            exception_name = name,
            exception_chain = (!causes.is_empty()).then(|| json(causes)),
            "the handler failed",
        );
    }
}

fn hash(text: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(text)
}
