//! How the handler of an invocation has ended, and what stands in a line of it already.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

/// The target of a line about a handler's error.
pub(in crate::logging) const HANDLER: &str = "powertools::handler";

/// The target of a line about a panic.
pub(in crate::logging) const PANIC: &str = "powertools::panic";

/// What an invocation knows of the end of its handler.
#[derive(Debug, Default)]
pub(in crate::logging) struct Ending {
    /// The watches at work.
    watches: Vec<AtWork>,
    /// How many watches have begun.
    begun: u64,
    pub(in crate::logging) said: Option<Said>,
    /// The settings by which an error has a line: the level and the filter let it through.
    error_written: Vec<u64>,
    /// Those by which a panic has: the hook is there, and the filter lets it through.
    panic_written: Vec<u64>,
}

/// A watch, as its invocation knows it.
#[derive(Debug)]
pub(in crate::logging) struct AtWork {
    id: u64,
    /// The one around it; 0 where there is none.
    parent: u64,
    /// It stands around all that the runtime has called.
    whole: bool,
    /// The errors that were reported inside of it, by the hashes of their messages and `Debug`
    /// forms.
    pub(in crate::logging) reported: Vec<u64>,
}

/// What the handler ended with.
#[derive(Debug)]
pub(in crate::logging) enum Said {
    /// An error, by the hash of what the runtime says of it.
    Error(u64),
    Panic,
}

impl Ending {
    /// Begins a watch inside of `parent`. Returns its number and that of the one around it.
    pub(in crate::logging) fn begin(&mut self, parent: u64, whole: bool) -> (u64, u64) {
        self.begun += 1;
        // A task can outlive the watch in which it began.
        let around = |watch: &&AtWork| watch.id == parent || watch.whole;
        let parent = self.watches.iter().rfind(around).map_or(0, |watch| watch.id);
        self.watches.push(AtWork { id: self.begun, parent, whole, reported: Vec::new() });
        (self.begun, parent)
    }

    /// True if an outermost watch is at work.
    pub(in crate::logging) fn is_watched(&self) -> bool {
        self.watches.iter().any(|watch| watch.parent == 0)
    }

    pub(in crate::logging) fn at_work(&mut self, id: u64) -> Option<&mut AtWork> {
        self.watches.iter_mut().find(|watch| watch.id == id)
    }

    /// Ends a watch: the one around it gets to know what was reported.
    pub(in crate::logging) fn end(&mut self, id: u64) {
        let Some(at) = self.watches.iter().position(|watch| watch.id == id) else { return };
        let AtWork { parent, reported, .. } = self.watches.remove(at);
        if let Some(parent) = self.at_work(parent) {
            parent.reported.extend(reported);
        }
    }

    /// A line of `target` was written at ERROR, by the settings of that number.
    pub(in crate::logging) fn written(&mut self, target: &str, settings: u64) {
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
    pub(in crate::logging) fn is_said(&self, text: &str, settings: u64) -> bool {
        match self.said {
            Some(Said::Error(said)) => self.error_written.contains(&settings) && said == hash(text),
            Some(Said::Panic) => {
                self.panic_written.contains(&settings) && text.contains("panicked")
            }
            None => false,
        }
    }
}

pub(in crate::logging) fn hash(text: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(text)
}
