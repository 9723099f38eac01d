//! Looks after the lines of an invocation until its handler ends.

use super::emit;
use super::line::json::json;
use super::state::State;
use super::state::ending::{HANDLER, Said, hash};
use crate::Invocation;

tokio::task_local! {
    /// The innermost watch, also where what is inside of it has set an invocation that was taken
    /// outside. A task that was spawned has none, and knows its watch by its invocation.
    static INSIDE: Option<Invocation>;
}

/// Stands around a handler, or a part of one, until it ends in whatever way.
///
/// An outermost one ends the invocation, with the last of those that are at work side by side; one
/// further in only reports its own error.
#[derive(Debug)]
pub(crate) struct Watch {
    /// The invocation as it is inside.
    invocation: Option<Invocation>,
    id: u64,
    outermost: bool,
}

/// An error as its line says it.
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) name: Option<String>,
    pub(crate) causes: Vec<String>,
}

impl Watch {
    /// Begins to watch all that the runtime calls for the current invocation.
    pub(crate) fn of_handler() -> Self {
        Self::begin(true)
    }

    /// Begins to watch a part of the current invocation, which runs [`inside`](Self::inside).
    pub(super) fn of_current() -> Self {
        Self::begin(false)
    }

    fn begin(whole: bool) -> Self {
        let Some(invocation) = Invocation::current() else {
            return Self { invocation: None, id: 0, outermost: false };
        };
        let mut state = invocation.local::<State>().lock();
        if !state.ending.is_watched() {
            // Another one may have ended in this invocation before.
            state.ended = false;
            state.ending.said = None;
        }
        let (id, parent) = state.ending.begin(around(&invocation), whole);
        drop(state);
        Self { invocation: Some(invocation.watched(id)), id, outermost: parent == 0 }
    }

    /// Runs `future` so that the watches in it know this one.
    pub(super) fn inside<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let future = Invocation::enter(self.invocation.clone(), future);
        INSIDE.scope(self.invocation.clone(), future)
    }

    pub(crate) fn succeeded(mut self) {
        self.end(false);
    }

    /// Ends a handler that returned an error, which has the form `debug`. The runtime says it as
    /// `said`.
    pub(crate) fn failed(mut self, error: &Failure, debug: &str, said: &str) {
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
        let Some(inside) = ending.at_work(self.id) else { return false };
        let reported = inside.reported.iter().any(|inner| says.contains(inner));
        if !reported {
            inside.reported.extend(says);
        }
        if self.outermost {
            ending.said = Some(Said::Error(hash(said)));
        }
        reported
    }

    fn end(&mut self, failed: bool) {
        let Some(invocation) = self.invocation.take() else { return };
        let mut state = invocation.local::<State>().lock();
        state.ending.end(self.id);
        if self.outermost {
            state.ended = !state.ending.is_watched();
            drop(state);
            if failed {
                emit::flush_kept(&invocation);
            }
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

/// The innermost watch around what runs now in `invocation`; 0 where there is none.
fn around(invocation: &Invocation) -> u64 {
    let watch = |inside: &Option<Invocation>| {
        let inside = inside.as_ref().filter(|inside| inside.is_same_event(invocation));
        inside.map_or(0, Invocation::watch)
    };
    // One further in has the greater number.
    INSIDE.try_with(watch).unwrap_or_default().max(invocation.watch())
}
