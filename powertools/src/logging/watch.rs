//! Looks after the lines of an invocation until its handler ends.

use super::emit;
use super::line::json::json;
use super::state::State;
use super::state::ending::{HANDLER, Reported};
use super::state::spanned::attach;
use crate::invocation::Invocation;

tokio::task_local! {
    /// The invocation of the outermost watch, also where what is inside has set one that was taken
    /// outside. A task that was spawned has none, and knows its watch by its invocation.
    static INSIDE: Invocation;
}

/// Observes a handler, or a part of one, until it ends in any way.
///
/// Only the outermost one reports, and the last of several concurrent ones ends the invocation. A
/// nested one has no effect.
#[derive(Debug)]
pub(crate) struct Watch {
    /// The invocation inside the watch, and the number of the watch in it. `None` if the watch is
    /// nested or there is no invocation.
    at_work: Option<(Invocation, u64)>,
    /// An error is reported here, even without an invocation.
    reports: bool,
}

/// An error as it is logged.
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) name: Option<String>,
    pub(crate) causes: Vec<String>,
    pub(crate) stack_trace: Option<String>,
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

    fn begin(handler: bool) -> Self {
        let Some(invocation) = Invocation::current() else {
            return Self { at_work: None, reports: true };
        };
        let mut state = invocation.local::<State>().lock();
        let id = state.event.ending.begin(around(&invocation), handler);
        if id.is_some() {
            state.event.ended = false;
        }
        drop(state);
        if id.is_some() && !handler {
            attach(&invocation);
        }
        Self { at_work: id.map(|id| (invocation.watched(id), id)), reports: id.is_some() }
    }

    /// Runs `future` so that the watches in it know this one.
    pub(super) async fn inside<F: Future>(&self, future: F) -> F::Output {
        match &self.at_work {
            Some((invocation, _)) => {
                let future = Invocation::enter(Some(invocation.clone()), future);
                INSIDE.scope(invocation.clone(), future).await
            }
            None => future.await,
        }
    }

    /// True unless another watch reports the errors of this one.
    pub(super) fn reports(&self) -> bool {
        self.reports
    }

    /// Ends a handler that panicked. Returns true if the hook of panics has logged that.
    pub(crate) fn panicked(mut self) -> bool {
        let mut is_written = false;
        if let Some((invocation, _)) = &self.at_work {
            let ending = &mut invocation.local::<State>().lock().event.ending;
            ending.reported = Some(Reported::Panic);
            is_written = ending.panic_written;
        }
        self.end(true);
        is_written
    }

    pub(crate) fn succeeded(mut self) {
        self.end(false);
    }

    /// Ends a handler whose error the runtime gets.
    pub(crate) fn failed(self, error: &Failure) {
        self.report(error, Reported::Handler);
    }

    /// Ends a part that returned an error. `beginning` is that of its `Debug` form, by which the
    /// runtime's line is known if the error gets there.
    pub(super) fn part_failed(self, error: &Failure, beginning: String) {
        self.report(error, Reported::Error(beginning));
    }

    fn report(mut self, error: &Failure, reported: Reported) {
        if let Some((invocation, _)) = &self.at_work {
            invocation.local::<State>().lock().event.ending.reported = Some(reported);
        }
        if self.reports {
            error.log();
        }
        self.end(true);
    }

    fn end(&mut self, failed: bool) {
        let Some((invocation, id)) = self.at_work.take() else { return };
        let holds = invocation.local::<State>().lock().event.end(id);
        if failed {
            emit::flush_kept(&invocation);
        }
        if let Some(settings) = holds {
            settings.output.flush();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some((invocation, _)) = &self.at_work
            && std::thread::panicking()
        {
            invocation.local::<State>().lock().event.ending.reported = Some(Reported::Panic);
        }
        self.end(true);
    }
}

impl Failure {
    /// Writes the line.
    fn log(&self) {
        let Self { message, name, causes, stack_trace } = self;
        tracing::error!(
            target: HANDLER,
            exception = message,
            exception_name = name,
            exception_chain = (!causes.is_empty()).then(|| json(causes)),
            stack_trace,
            "the handler failed",
        );
    }
}

/// The watch around what runs now in `invocation`; 0 where there is none.
fn around(invocation: &Invocation) -> u64 {
    let watch = |inside: &Invocation| {
        if inside.is_same_event(invocation) { inside.watch() } else { 0 }
    };
    INSIDE.try_with(watch).unwrap_or_default().max(invocation.watch())
}
