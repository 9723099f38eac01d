use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot::{self, Sender};
use tokio::time::sleep;

use crate::parameters::{Fetched, SourceError, SourceErrorKind};

/// How long the first of several requests waits for the others.
const LINGER: Duration = Duration::from_millis(1);

pub(super) type Answer = Result<Fetched, SourceError>;

/// Who waits for each value.
pub(super) type Waiting<K> = BTreeMap<K, Waiters>;

/// The requests for one value.
#[derive(Debug, Default)]
pub(super) struct Waiters(Vec<Sender<Answer>>);

/// Reads values together that are asked for at the same time.
#[derive(Debug)]
pub(super) struct Together<K: Ord>(Mutex<Waiting<K>>);

impl<K: Ord> Default for Together<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord> Together<K> {
    /// Returns the value that `key` identifies. The first of those who ask at the same time calls
    /// `serve`, which answers all of them.
    pub(super) async fn get<F: Future<Output = ()>>(
        &self,
        key: K,
        serve: impl FnOnce(Waiting<K>) -> F,
    ) -> Answer {
        let (sender, receiver) = oneshot::channel();
        let is_first = {
            let mut waiting = self.waiting();
            let is_first = waiting.is_empty();
            waiting.entry(key).or_default().0.push(sender);
            is_first
        };
        if is_first {
            let first = First(Some(self));
            sleep(LINGER).await;
            serve(first.all()).await;
        }
        receiver.await.unwrap_or_else(|_| {
            let message = "the request for it was given up with that for others";
            Err(SourceError::new(SourceErrorKind::Unavailable, message))
        })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<K>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one that reads for all. If it is dropped while it waits, so are the others' requests, and the
/// next one is the first again.
struct First<'a, K: Ord>(Option<&'a Together<K>>);

impl<K: Ord> First<'_, K> {
    fn all(mut self) -> Waiting<K> {
        self.0.take().map(|together| mem::take(&mut *together.waiting())).unwrap_or_default()
    }
}

impl<K: Ord> Drop for First<'_, K> {
    fn drop(&mut self) {
        if let Some(together) = self.0 {
            together.waiting().clear();
        }
    }
}

impl Waiters {
    /// Answers all of them.
    pub(super) fn answer(self, answer: Answer) {
        match answer {
            Ok(fetched) => {
                for sender in self.0 {
                    // Nobody may wait any more.
                    let _ = sender.send(Ok(fetched.clone()));
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for sender in self.0 {
                    let shared = SourceError::new(error.kind(), "the request failed");
                    let _ = sender.send(Err(shared.caused_by(error.clone())));
                }
            }
        }
    }
}

/// Answers all who wait for one of these values with the same error.
pub(super) fn fail<K>(list: Vec<(K, Waiters)>, error: SourceError) {
    let senders = list.into_iter().flat_map(|(_, waiters)| waiters.0).collect();
    Waiters(senders).answer(Err(error));
}
