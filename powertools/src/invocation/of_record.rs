//! Which record of a batch the current invocation is for.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::Invocation;
use super::current::CURRENT;

/// The place of a record in its batch, or none.
///
/// Only the task that processes the batch changes it, in the invocation that is its current one; clones
/// keep what they have. It is atomic because an invocation is shared between threads.
pub(super) struct Place(AtomicU32);

/// The index of no record.
const NONE: u32 = u32::MAX;

impl Place {
    pub(super) fn of(index: usize) -> Self {
        // No event has more records than this can count.
        Self(AtomicU32::new(u32::try_from(index).unwrap_or(NONE)))
    }

    pub(super) fn none() -> Self {
        Self(AtomicU32::new(NONE))
    }

    fn load(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn get(&self) -> Option<u32> {
        Some(self.load()).filter(|&index| index != NONE)
    }
}

impl Clone for Place {
    fn clone(&self) -> Self {
        Self(AtomicU32::new(self.load()))
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

pin_project! {
    /// Work for one record of the batch that the current task processes.
    ///
    /// It sets the record in the current invocation while it is polled or dropped. A scope of its own for
    /// each record takes 100 instructions more, of 600 that an empty record takes in all.
    pub(crate) struct OfRecord<F> {
        index: u32,
        #[pin]
        work: Option<F>,
    }

    impl<F> PinnedDrop for OfRecord<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.work.is_some() {
                let _entered = Entered::new(*this.index);
                this.work.set(None);
            }
        }
    }
}

impl<F> OfRecord<F> {
    pub(crate) fn new(index: usize, work: F) -> Self {
        Self { index: Place::of(index).load(), work: Some(work) }
    }
}

impl<F: Future> Future for OfRecord<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let _entered = Entered::new(*this.index);
        let work = this.work.as_mut().as_pin_mut().expect("it is polled until it is ready");
        let output = ready!(work.poll(cx));
        this.work.set(None);
        Poll::Ready(output)
    }
}

/// While this lives, the current invocation is that of a record.
struct Entered {
    before: u32,
}

impl Entered {
    fn new(index: u32) -> Self {
        Self { before: set_current(index) }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        set_current(self.before);
    }
}

/// Sets the record of the current invocation, if there is one, and returns what was set before.
fn set_current(index: u32) -> u32 {
    let set = |current: &Invocation| {
        let before = current.record.load();
        current.record.0.store(index, Ordering::Relaxed);
        before
    };
    CURRENT.try_with(set).unwrap_or(NONE)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt;
    use futures_util::future::join;
    use tokio::task::yield_now;

    use super::super::{RecordIdentity, Records};
    use super::*;

    struct Numbered;

    impl Records for Numbered {
        fn count(&self) -> usize {
            2
        }

        fn identity(&self, index: usize) -> Option<RecordIdentity> {
            Some(RecordIdentity { identifier: index.to_string(), attempt: None, group: None })
        }
    }

    fn current() -> Option<String> {
        Some(Invocation::current()?.record()?.identifier)
    }

    struct SeenInDrop<'a>(&'a mut Option<String>);

    impl Drop for SeenInDrop<'_> {
        fn drop(&mut self) {
            *self.0 = current();
        }
    }

    #[tokio::test]
    async fn work_sees_its_own_record_beside_others_and_when_it_is_dropped() {
        let invocation = Invocation::new(&Default::default()).for_records(Arc::new(Numbered));
        let work = async |index: usize| {
            for _ in 0..3 {
                assert_eq!(current(), Some(index.to_string()));
                let carried = Invocation::current().unwrap();
                yield_now().await;
                assert_eq!(carried.record().unwrap().identifier, index.to_string());
            }
        };
        let both = async {
            join(OfRecord::new(0, work(0)), OfRecord::new(1, work(1))).await;
            assert_eq!(current(), None);

            let mut seen = None;
            let guard = SeenInDrop(&mut seen);
            let mut pending = Box::pin(OfRecord::new(1, async move {
                let _guard = guard;
                std::future::pending::<()>().await;
            }));
            assert_eq!((&mut pending).now_or_never(), None);
            assert_eq!(current(), None);
            drop(pending);
            assert_eq!(seen.as_deref(), Some("1"));
            assert_eq!(current(), None);
        };
        invocation.scope(both).await;
    }
}
