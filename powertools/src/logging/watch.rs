//! Looks after the lines of an invocation until its handler ends.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use super::json;
use super::state::State;
use crate::Invocation;

/// The target of a line about a handler's error.
pub(super) const HANDLER: &str = "powertools::handler";

/// The target of a line about a panic.
pub(super) const PANIC: &str = "powertools::panic";

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

/// What an invocation knows of the end of its handler.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// The watches at work.
    watches: Vec<AtWork>,
    /// How many watches have begun.
    begun: u64,
    said: Option<Said>,
    /// The settings by which an error has a line: the level and the filter let it through.
    error_written: Vec<u64>,
    /// Those by which a panic has: the hook is there, and the filter lets it through.
    panic_written: Vec<u64>,
}

/// A watch, as its invocation knows it.
#[derive(Debug)]
struct AtWork {
    id: u64,
    /// The one around it; 0 where there is none.
    parent: u64,
    /// It stands around all that the runtime has called.
    whole: bool,
    /// The errors that were reported inside of it, by the hashes of their messages and `Debug`
    /// forms.
    reported: Vec<u64>,
}

/// What the handler ended with.
#[derive(Debug)]
enum Said {
    /// An error, by the hash of what the runtime says of it.
    Error(u64),
    Panic,
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
                State::flush(&invocation);
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

impl Ending {
    /// Begins a watch inside of `parent`. Returns its number and that of the one around it.
    fn begin(&mut self, parent: u64, whole: bool) -> (u64, u64) {
        self.begun += 1;
        // A task can outlive the watch in which it began.
        let around = |watch: &&AtWork| watch.id == parent || watch.whole;
        let parent = self.watches.iter().rfind(around).map_or(0, |watch| watch.id);
        self.watches.push(AtWork { id: self.begun, parent, whole, reported: Vec::new() });
        (self.begun, parent)
    }

    /// True if an outermost watch is at work.
    fn is_watched(&self) -> bool {
        self.watches.iter().any(|watch| watch.parent == 0)
    }

    fn at_work(&mut self, id: u64) -> Option<&mut AtWork> {
        self.watches.iter_mut().find(|watch| watch.id == id)
    }

    /// Ends a watch: the one around it gets to know what was reported.
    fn end(&mut self, id: u64) {
        let Some(at) = self.watches.iter().position(|watch| watch.id == id) else { return };
        let AtWork { parent, reported, .. } = self.watches.remove(at);
        if let Some(parent) = self.at_work(parent) {
            parent.reported.extend(reported);
        }
    }

    /// A line of `target` was written at ERROR, by the settings of that number.
    pub(super) fn written(&mut self, target: &str, settings: u64) {
        let written = match target {
            HANDLER => &mut self.error_written,
            PANIC => &mut self.panic_written,
            _ => return,
        };
        if !written.contains(&settings) {
            written.push(settings);
        }
    }

    /// True if what the runtime says of the handler's end stands in a line of these settings already.
    pub(super) fn is_said(&self, text: &str, settings: u64) -> bool {
        match self.said {
            Some(Said::Error(said)) => self.error_written.contains(&settings) && said == hash(text),
            Some(Said::Panic) => {
                self.panic_written.contains(&settings) && text.contains("panicked")
            }
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

/// The innermost watch around what runs now in `invocation`; 0 where there is none.
fn around(invocation: &Invocation) -> u64 {
    let watch = |inside: &Option<Invocation>| {
        let inside = inside.as_ref().filter(|inside| inside.is_same_event(invocation));
        inside.map_or(0, Invocation::watch)
    };
    // One further in has the greater number.
    INSIDE.try_with(watch).unwrap_or_default().max(invocation.watch())
}

fn hash(text: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(text)
}
