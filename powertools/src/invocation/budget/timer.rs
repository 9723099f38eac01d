use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tokio::task::coop::unconstrained;
use tokio::time::{Sleep, sleep};

use super::warnings::note_overrun;
use super::{Budget, Invocation};

pin_project! {
    /// Completes when pending work is to be dropped: at the limit of its budget, or later if it cleans up
    /// or saves a result.
    #[derive(Debug, Default)]
    pub(crate) struct Timer {
        // Created when it is first needed: work that never waits needs none.
        #[pin]
        sleep: Option<Sleep>,
        phase: Phase,
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
enum Phase {
    #[default]
    BeforeLimit,
    CleaningUp,
    Saving,
}

impl Timer {
    /// Returns true from the limit on.
    pub(super) fn is_late(&self) -> bool {
        self.phase > Phase::BeforeLimit
    }

    /// Completes when work with this `budget`, which is pending, is to be dropped.
    pub(crate) fn poll(self: Pin<&mut Self>, budget: &Budget, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let scope = budget.scope();
        loop {
            let is_cleaning_up = scope.is_some_and(Invocation::has_cleanup);
            if budget.is_strict && *this.phase > Phase::BeforeLimit && !is_cleaning_up {
                return Poll::Ready(());
            }
            if this.sleep.is_none() {
                let end = match this.phase {
                    Phase::BeforeLimit => budget.limit,
                    Phase::CleaningUp => budget.cleanup_end,
                    Phase::Saving => budget.save_end,
                };
                this.sleep.set(Some(sleep(budget.time_to(end))));
            }
            let sleep = this.sleep.as_mut().as_pin_mut().expect("it was created above");
            // Busy work exhausts the budget of its task; the timer is polled regardless.
            ready!(Pin::new(&mut unconstrained(sleep)).poll(cx));
            this.sleep.set(None);

            if *this.phase == Phase::BeforeLimit {
                note_overrun(budget);
                if let Some(scope) = scope {
                    scope.mark_late();
                }
            }
            let is_saving = scope.is_some_and(Invocation::has_save);
            *this.phase = if is_saving && *this.phase < Phase::Saving {
                Phase::Saving
            } else if is_cleaning_up && *this.phase == Phase::BeforeLimit {
                Phase::CleaningUp
            } else {
                return Poll::Ready(());
            };
        }
    }
}
