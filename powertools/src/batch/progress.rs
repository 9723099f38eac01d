//! The progress of each record of a batch.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use tokio::sync::Notify;

const NOT_STARTED: u8 = 0;
const RUNNING: u8 = 1;
const WAITING: u8 = 2;
const ENDED: u8 = 3;

/// The state of each record of a batch. One task processes all of them, so nothing races here.
#[derive(Debug)]
pub(super) struct Progress {
    records: Vec<AtomicU8>,
    /// How many records wait for others, so that nothing is notified where none does.
    waiting: AtomicUsize,
    changed: Notify,
}

impl Progress {
    pub(super) fn new(records: usize) -> Self {
        Self {
            records: (0..records).map(|_| AtomicU8::new(NOT_STARTED)).collect(),
            waiting: AtomicUsize::new(0),
            changed: Notify::new(),
        }
    }

    pub(super) fn start(&self, record: usize) {
        self.records[record].store(RUNNING, Ordering::Relaxed);
    }

    pub(super) fn end(&self, record: usize) {
        self.leave(record, ENDED);
    }

    /// Returns true if the record was started.
    pub(super) fn is_started(&self, record: usize) -> bool {
        self.records[record].load(Ordering::Relaxed) != NOT_STARTED
    }

    /// Waits until all other records that are running now have ended or wait themselves. Returns false
    /// if there are none.
    pub(super) async fn wait_for_others(&self, record: usize) -> bool {
        let is_running = |&other: &usize| {
            other != record && self.records[other].load(Ordering::Relaxed) == RUNNING
        };
        let mut others: Vec<_> = (0..self.records.len()).filter(is_running).collect();
        if others.is_empty() {
            return false;
        }
        self.leave(record, WAITING);
        self.waiting.fetch_add(1, Ordering::Relaxed);
        while !others.is_empty() {
            self.changed.notified().await;
            others.retain(is_running);
        }
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        self.start(record);
        true
    }

    fn leave(&self, record: usize, state: u8) {
        self.records[record].store(state, Ordering::Relaxed);
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.changed.notify_waiters();
        }
    }
}
