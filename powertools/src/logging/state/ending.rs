//! How the handler of an invocation ends, and what of that has a line already.

use std::fmt::{self, Write as _};

/// The target of a line about a handler's error.
pub(in crate::logging) const HANDLER: &str = "powertools::handler";

/// The target of a line about a panic.
pub(in crate::logging) const PANIC: &str = "powertools::panic";

/// The target of a line about a record that failed.
pub(in crate::logging) const RECORD: &str = "powertools::record";

/// How many bytes of an error's `Debug` form identify it.
const BEGINNING: usize = 256;

/// The state of an invocation about the end of its handler.
#[derive(Clone, Debug, Default)]
pub(in crate::logging) struct Ending {
    /// The active outermost watches: several if they run concurrently.
    watches: Vec<u64>,
    /// An outermost watch has ended that was the last one: what begins now can outlive the event.
    is_over: bool,
    /// The watch around all that the runtime calls, while it is active.
    handler: Option<u64>,
    /// The number of watches so far.
    begun: u64,
    /// The last report of a watch, since the runtime may report the same.
    pub(in crate::logging) reported: Option<Reported>,
    /// An error has its line: the level and the filter let it through.
    error_written: bool,
    /// A panic has its line: the hook is installed, and the filter lets it through.
    pub(in crate::logging) panic_written: bool,
}

/// What a watch ended with.
#[derive(Clone, Debug)]
pub(in crate::logging) enum Reported {
    /// The error that the runtime receives, in any form.
    Handler,
    /// An error whose `Debug` form begins like this.
    Error(String),
    Panic,
}

impl Ending {
    /// Starts a watch inside the one with the number `around`. Returns its own number, or `None`
    /// if another watch will report the same errors.
    pub(in crate::logging) fn begin(&mut self, around: u64, handler: bool) -> Option<u64> {
        // A task can outlive the watch in which it started.
        if self.handler.is_some() || self.watches.contains(&around) {
            return None;
        }
        if self.watches.is_empty() {
            // Another one may have ended in this invocation before.
            self.reported = None;
        }
        self.begun += 1;
        self.watches.push(self.begun);
        if handler {
            self.handler = Some(self.begun);
        }
        Some(self.begun)
    }

    /// True if a watch is at work.
    pub(in crate::logging) fn is_watched(&self) -> bool {
        !self.watches.is_empty()
    }

    /// True if the end of a watch comes before the reply: Lambda can freeze the process right after that.
    pub(in crate::logging) fn comes_before_reply(&self) -> bool {
        self.is_watched() && !self.is_over
    }

    pub(in crate::logging) fn end(&mut self, watch: u64) {
        self.watches.retain(|&at_work| at_work != watch);
        self.handler.take_if(|handler| *handler == watch);
        self.is_over |= self.watches.is_empty();
    }

    /// Takes note of a line with `target` at ERROR.
    pub(in crate::logging) fn written(&mut self, target: &str) {
        self.error_written |= target == HANDLER;
        self.panic_written |= target == PANIC;
    }

    /// True if what the runtime reports as `message` has a line already.
    pub(in crate::logging) fn is_written(&self, message: &dyn fmt::Debug) -> bool {
        match &self.reported {
            Some(Reported::Handler) => self.error_written,
            Some(Reported::Error(beginning)) => {
                self.error_written && begins_with(message, beginning)
            }
            Some(Reported::Panic) => {
                self.panic_written && debug_beginning(message, None).contains("panicked")
            }
            None => false,
        }
    }
}

/// Returns the beginning of the `Debug` form of an error, up to its whole `message` if it starts with
/// that: `anyhow` writes a backtrace after it, which can take hundreds of milliseconds.
pub(in crate::logging) fn debug_beginning(error: &dyn fmt::Debug, message: Option<&str>) -> String {
    struct Beginning<'a> {
        text: String,
        message: Option<&'a str>,
    }
    impl fmt::Write for Beginning<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let room = BEGINNING - self.text.len();
            self.text.push_str(&text[..text.floor_char_boundary(room)]);
            let message = self.message.filter(|message| !message.is_empty());
            let whole = message.filter(|message| self.text.starts_with(message));
            self.text.truncate(whole.map_or(BEGINNING, str::len));
            // An error ends the formatting.
            if whole.is_some() || text.len() >= room { Err(fmt::Error) } else { Ok(()) }
        }
    }
    let mut beginning = Beginning { text: String::new(), message };
    let _ = write!(beginning, "{error:?}");
    beginning.text
}

/// True if the `Debug` form of `value` begins with `expected`. Nothing behind that is formatted.
fn begins_with(value: &dyn fmt::Debug, expected: &str) -> bool {
    struct Rest<'a>(&'a str);
    impl fmt::Write for Rest<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            match self.0.strip_prefix(text) {
                Some(rest) => {
                    self.0 = rest;
                    if rest.is_empty() { Err(fmt::Error) } else { Ok(()) }
                }
                None => {
                    if text.starts_with(self.0) {
                        self.0 = "";
                    }
                    Err(fmt::Error)
                }
            }
        }
    }
    let mut rest = Rest(expected);
    let _ = write!(rest, "{value:?}");
    rest.0.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_ends_with_the_message_or_at_its_limit() {
        let anyhow = format_args!("{}\n\nCaused by:\n    {}", "lost", "no answer");
        assert_eq!(debug_beginning(&anyhow, Some("lost")), "lost");
        assert_eq!(debug_beginning(&"lost", Some("lost")), "\"lost\"");
        assert_eq!(debug_beginning(&"é".repeat(500), None).len(), BEGINNING - 1);
        assert_eq!(debug_beginning(&"", Some("")), "\"\"");
    }

    #[test]
    fn a_value_begins_with_its_beginning_only() {
        for value in ["lost", "é", &"x".repeat(1_000)] {
            let beginning = debug_beginning(&value, None);
            assert!(begins_with(&value, &beginning), "{value}");
            assert!(begins_with(&format_args!("{value:?} and more"), &beginning), "{value}");
            assert!(!begins_with(&"another", &beginning), "{value}");
            assert!(!begins_with(&&value[..0], &beginning), "{value}");
        }
    }
}
