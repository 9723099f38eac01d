use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::history::{End, Fate, Happening, Received, Step};
use crate::invocation::Invocation;
use crate::testing::ManualClock;

/// Where a function under test records what it did to the world. Clones record in the same
/// [`History`](super::History).
///
/// ```
/// use lambda_runtime::{Error, LambdaEvent};
/// use powertools::testing::{EventSource, events};
/// use serde_json::Value;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let source = EventSource::sqs(events::sqs("orders").message("7").message("8"));
/// let effects = source.effects();
/// let history = source
///     .run(async |event: LambdaEvent<Value>| {
///         for message in event.payload["Records"].as_array().into_iter().flatten() {
///             effects.record(format!("charged {}", message["body"].as_str().unwrap()));
///         }
///         Ok::<_, Error>(())
///     })
///     .await;
/// assert_eq!(history.effects(), ["charged 7", "charged 8"]);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Effects(Arc<Mutex<Log>>);

impl Effects {
    /// Records an effect, as of now and of the invocation that has it.
    ///
    /// The invocation is known in the function itself, and where
    /// [`Invocation::current`] is.
    pub fn record(&self, name: impl Into<String>) {
        let current = Invocation::current();
        let mut log = self.log();
        let named = current.and_then(|current| log.requests.get(current.request_id()).copied());
        let invocation = named.or(log.running);
        log.push(Happening::Effect { invocation, name: name.into() });
    }

    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Log {
            clock: ManualClock::new(SystemTime::UNIX_EPOCH),
            start: SystemTime::UNIX_EPOCH,
            steps: Vec::new(),
            requests: HashMap::new(),
            running: None,
        })))
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The steps so far, and what is needed to write the next.
#[derive(Debug)]
pub struct Log {
    pub(super) clock: ManualClock,
    pub(super) start: SystemTime,
    pub(super) steps: Vec<Step>,
    /// The numbers of the invocations by their request ids.
    pub(super) requests: HashMap<String, usize>,
    /// The invocation that is being polled.
    pub(super) running: Option<usize>,
}

impl Log {
    /// Returns the simulated time since the start.
    pub(super) fn now(&self) -> Duration {
        self.clock.now().duration_since(self.start).unwrap_or_default()
    }

    pub(super) fn delivered(&mut self, invocation: usize, records: Vec<Received>) {
        self.push(Happening::Delivered { invocation, records });
    }

    pub(super) fn ended(&mut self, invocation: usize, end: End) {
        self.push(Happening::Ended { invocation, end });
    }

    pub(super) fn settled(&mut self, record: &str, fate: Fate) {
        self.push(Happening::Settled { record: record.to_owned(), fate });
    }

    fn push(&mut self, what: Happening) {
        let at = self.now();
        self.steps.push(Step { at, what });
    }
}
