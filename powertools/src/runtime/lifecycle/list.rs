use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use lambda_runtime::Error;
use tokio::time::{Instant, timeout_at};

use super::{
    EventReceived, Flush, FlushTime, HandlerBegins, HandlerEnds, Lifecycle, Moments, Restored,
    ShuttingDown, Snapshot, Starting,
};
use crate::clock::Clock;
use crate::error::panic::{catch, catch_future};
use crate::invocation::Invocation;
use crate::runtime::StartError;

/// How much longer the limit of the list is than the time that its values see, so that those with a limit of
/// their own end by themselves.
const MARGIN: Duration = Duration::from_millis(100);

/// The values of a function, in order. Clones share them.
#[derive(Clone, Default)]
pub(in crate::runtime) struct List {
    /// `None` without values, so that a clone costs nothing.
    values: Option<Arc<Vec<Entry>>>,
    wanted: Moments,
}

#[derive(Clone)]
struct Entry {
    value: Arc<dyn Lifecycle>,
    moments: Moments,
}

impl List {
    pub(in crate::runtime) fn push(&mut self, value: impl Lifecycle) {
        let index = self.entries().len();
        self.insert(index, value);
    }

    /// Inserts a value before all others, and removes another one of its type.
    pub(in crate::runtime) fn push_first<L: Lifecycle>(&mut self, value: L) {
        if let Some(index) = self.position::<L>() {
            self.edit(|entries| drop(entries.remove(index)));
        }
        self.insert(0, value);
    }

    /// Changes the value of type `L`. If there is none, one is added first.
    pub(in crate::runtime) fn change<L: Lifecycle + Clone + Default>(
        &mut self,
        change: impl FnOnce(&mut L),
    ) {
        let index = self.position::<L>();
        let mut value = match index {
            Some(index) => as_any(&*self.entries()[index].value)
                .downcast_ref::<L>()
                .cloned()
                .unwrap_or_default(),
            None => L::default(),
        };
        change(&mut value);
        match index {
            Some(index) => self.edit(|entries| entries[index] = Entry::new(value)),
            None => self.push(value),
        }
    }

    fn position<L: Lifecycle>(&self) -> Option<usize> {
        self.entries().iter().position(|entry| as_any(&*entry.value).is::<L>())
    }

    fn insert(&mut self, index: usize, value: impl Lifecycle) {
        self.edit(|entries| entries.insert(index, Entry::new(value)));
    }

    fn edit(&mut self, change: impl FnOnce(&mut Vec<Entry>)) {
        let mut entries = self.entries().to_vec();
        change(&mut entries);
        self.wanted = entries.iter().fold(Moments::NONE, |wanted, entry| wanted | entry.moments);
        self.values = Some(Arc::new(entries));
    }

    fn entries(&self) -> &[Entry] {
        self.values.as_deref().map_or(&[], Vec::as_slice)
    }

    /// Returns true if a value is called at `moment`.
    #[inline]
    pub(in crate::runtime) fn wants(&self, moment: Moments) -> bool {
        self.wanted.contains(moment)
    }

    /// Returns the values that are called at `moment`, in order.
    fn at(&self, moment: Moments) -> impl DoubleEndedIterator<Item = &dyn Lifecycle> {
        let entries = self.entries().iter().filter(move |entry| entry.moments.contains(moment));
        entries.map(|entry| &*entry.value)
    }

    /// Starts the values. The first error ends the start. A value that times out is skipped with a
    /// warning.
    pub(in crate::runtime) async fn start(&self, time: Duration) -> Result<(), Error> {
        let end = Instant::now() + time + MARGIN;
        self.prepare();
        for value in self.at(Moments::START) {
            let time = time_of_value(end);
            let starting = Starting { time };
            let started = catch_future(|| value.start(&starting));
            match timeout_at(end, started).await {
                Ok(Ok(started)) => started?,
                Ok(Err(panic)) => return Err(StartError::panicked("start", panic).into()),
                Err(_) => tracing::warn!(
                    time_ms = time.as_millis(),
                    "a lifecycle value was not ready in time: the function starts without it"
                ),
            }
        }
        self.ready();
        Ok(())
    }

    fn ready(&self) {
        self.entries().iter().for_each(|entry| guarded("ready", || entry.value.ready()));
    }

    fn prepare(&self) {
        let entries = self.entries();
        let type_of = |entry: &Entry| as_any(&*entry.value).type_id();
        for (index, entry) in entries.iter().enumerate() {
            let is_first = entries[..index].iter().all(|other| type_of(other) != type_of(entry));
            guarded("prepare", || entry.value.prepare(is_first));
        }
    }

    pub(in crate::runtime) async fn before_snapshot(&self, time: Duration) -> Result<(), Error> {
        let end = Instant::now() + time;
        for value in self.at(Moments::SNAPSHOT).rev() {
            let snapshot = Snapshot { time: time_of_value(end) };
            let run = || value.before_snapshot(&snapshot);
            until("before_snapshot", end, time, run).await?;
        }
        Ok(())
    }

    pub(in crate::runtime) async fn after_restore(&self, time: Duration) -> Result<(), Error> {
        let (end, at) = (Instant::now() + time, Clock::system().now());
        for value in self.at(Moments::RESTORE) {
            let restored = Restored { time: time_of_value(end), at };
            until("after_restore", end, time, || value.after_restore(&restored)).await?;
        }
        self.ready();
        Ok(())
    }

    pub(in crate::runtime) fn event(&self, invocation: &Invocation, body: &[u8]) {
        if self.wants(Moments::EVENT) {
            let event = EventReceived { invocation, body };
            self.at(Moments::EVENT).for_each(|value| guarded("event", || value.event(&event)));
        }
    }

    pub(super) fn begin(&self, invocation: &Invocation) {
        if self.wants(Moments::HANDLER_BEGINS) {
            let begins = HandlerBegins { invocation };
            self.at(Moments::HANDLER_BEGINS)
                .for_each(|value| guarded("handler_begins", || value.handler_begins(&begins)));
        }
    }

    pub(super) fn end(&self, ends: &HandlerEnds<'_>) {
        self.at(Moments::HANDLER_ENDS)
            .rev()
            .for_each(|value| guarded("handler_ends", || value.handler_ends(ends)));
    }

    /// Returns true if a value is called before the reply, or after it.
    pub(in crate::runtime) fn flushes(&self, when: FlushTime) -> bool {
        self.wants(flush_moment(when))
    }

    /// Calls the flushes of the event of `invocation`. Runs inside the invocation.
    pub(in crate::runtime) async fn flush(self, when: FlushTime, invocation: Invocation) {
        let end = Instant::now() + invocation.time_to_flush();
        for value in self.at(flush_moment(when)).rev() {
            let time = end.saturating_duration_since(Instant::now());
            let flush = Flush { invocation: &invocation, when, time };
            let flushing = catch_future(|| value.flush(&flush));
            let flushed = match value.flushes_in_time() {
                true => Ok(flushing.await),
                false => timeout_at(end, flushing).await,
            };
            match flushed {
                Ok(Ok(())) => {}
                Ok(Err(panic)) => warn_of_panic("flush", &panic),
                Err(_) => tracing::warn!(
                    time_ms = time.as_millis(),
                    "a flush took too long and was stopped"
                ),
            }
        }
    }

    /// Calls the values at shutdown, until `end` at most.
    pub(in crate::runtime) async fn shutdown(&self, end: Instant) {
        // Values have time limits of their own, so the limit of the list is somewhat longer.
        let last = end + Duration::from_millis(20);
        for value in self.at(Moments::SHUTDOWN).rev() {
            let time = end.saturating_duration_since(Instant::now());
            let shutting_down = ShuttingDown { time };
            match timeout_at(last, catch_future(|| value.shutdown(&shutting_down))).await {
                Ok(Ok(())) => {}
                Ok(Err(panic)) => warn_of_panic("shutdown", &panic),
                Err(_) => {
                    tracing::warn!("a lifecycle value was stopped because the process has to end")
                }
            }
        }
    }
}

/// Returns the time of a value that has to be done before `end`.
fn time_of_value(end: Instant) -> Duration {
    end.saturating_duration_since(Instant::now()).saturating_sub(MARGIN)
}

/// Runs the future of a value until `end`, which is `time` after that of the first one began.
async fn until<'a>(
    moment: &'static str,
    end: Instant,
    time: Duration,
    run: impl FnOnce() -> BoxFuture<'a, Result<(), Error>>,
) -> Result<(), Error> {
    match timeout_at(end, catch_future(run)).await {
        Ok(Ok(done)) => done,
        Ok(Err(panic)) => Err(StartError::panicked(moment, panic).into()),
        Err(_) => Err(StartError::timed_out(moment, time).into()),
    }
}

fn flush_moment(when: FlushTime) -> Moments {
    match when {
        FlushTime::BeforeReply => Moments::FLUSH_BEFORE_REPLY,
        FlushTime::AfterReply => Moments::FLUSH_AFTER_REPLY,
    }
}

fn guarded(moment: &'static str, call: impl FnOnce()) {
    if let Err(panic) = catch(call) {
        warn_of_panic(moment, &panic);
    }
}

fn warn_of_panic(moment: &'static str, panic: &str) {
    // A subscriber can panic, too.
    let _ = catch(|| tracing::warn!(moment, "a lifecycle value panicked: {panic}"));
}

fn as_any(value: &dyn Lifecycle) -> &dyn std::any::Any {
    value
}

impl Entry {
    fn new(value: impl Lifecycle) -> Self {
        Self { moments: value.moments(), value: Arc::new(value) }
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moments = self.entries().iter().map(|entry| entry.moments);
        f.debug_list().entries(moments).finish()
    }
}

#[cfg(test)]
mod tests {
    use allocation_counter::measure;

    use super::*;
    use crate::runtime::lifecycle::{Ending, Outcome};

    #[test]
    fn moments_of_an_event_do_not_allocate_without_values() {
        let list = List::default();
        let invocation = Invocation::new(&lambda_runtime::Context::default());
        invocation.clone().sync_scope(|| {
            let allocated = measure(|| {
                let list = list.clone();
                list.event(&invocation, b"{}");
                let ending = Ending::begin(&list);
                assert!(!ending.end(Outcome::Success));
                assert!(!list.flushes(FlushTime::BeforeReply));
                assert!(!list.flushes(FlushTime::AfterReply));
            });
            assert_eq!(allocated.count_total, 0);
        });
    }

    struct Silent;

    impl Lifecycle for Silent {
        fn moments(&self) -> Moments {
            Moments::HANDLER_ENDS
        }
    }

    #[test]
    fn a_value_is_called_only_at_its_moments() {
        let mut list = List::default();
        list.push(Silent);
        assert!(list.wants(Moments::HANDLER_ENDS));
        assert!(!list.wants(Moments::HANDLER_BEGINS) && !list.wants(Moments::SHUTDOWN));
        list.push_first(Silent);
        assert_eq!(list.entries().len(), 1, "a value replaces another one of its type");
    }

    struct NeverFlushed;

    impl Lifecycle for NeverFlushed {
        fn moments(&self) -> Moments {
            Moments::FLUSH_BEFORE_REPLY
        }

        fn flush<'a>(&'a self, _: &'a Flush<'a>) -> BoxFuture<'a, ()> {
            Box::pin(std::future::pending())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_flush_that_does_not_say_that_it_ends_in_time_is_stopped() {
        let mut list = List::default();
        list.push(NeverFlushed);
        let mut context = lambda_runtime::Context::default();
        let deadline = Clock::system().now() + Duration::from_secs(60);
        let since_epoch = deadline.duration_since(std::time::UNIX_EPOCH).unwrap();
        context.deadline = since_epoch.as_millis().try_into().unwrap();
        let flush = list.flush(FlushTime::BeforeReply, Invocation::new(&context));
        tokio::time::timeout(Duration::from_secs(6), flush).await.unwrap();
    }
}
