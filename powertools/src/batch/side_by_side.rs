//! Which records are at work, for one that waits for the others.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The records that are at work. One task handles all of them, so nothing races here.
#[derive(Debug, Default)]
pub(super) struct SideBySide {
    begun: AtomicUsize,
    at_work: AtomicUsize,
    /// How many wait, so that the list of them is not looked at for each record.
    waiting: AtomicUsize,
    waiters: Mutex<Vec<Waiter>>,
    changed: Notify,
}

/// A record at work, by how many began before it.
#[derive(Debug)]
pub(super) struct Turn(usize);

/// A record that waits for those that were at work when it began to wait.
#[derive(Debug)]
struct Waiter {
    since: usize,
    left: usize,
}

impl SideBySide {
    pub(super) fn begin(&self) -> Turn {
        add(&self.at_work, 1);
        Turn(add(&self.begun, 1))
    }

    /// Says that a record has ended, or waits itself.
    pub(super) fn end(&self, turn: &Turn) {
        add(&self.at_work, usize::MAX);
        if self.waiting.load(Ordering::Relaxed) == 0 {
            return;
        }
        for waiter in self.waiters().iter_mut().filter(|waiter| turn.0 < waiter.since) {
            waiter.left -= 1;
        }
        self.changed.notify_waiters();
    }

    /// Waits until those that are at work beside this one have ended. Returns false if there are
    /// none.
    pub(super) async fn wait_for_others(&self, turn: &mut Turn) -> bool {
        let left = self.at_work.load(Ordering::Relaxed) - 1;
        if left == 0 {
            return false;
        }
        self.end(turn);
        let since = self.begun.load(Ordering::Relaxed);
        let place = {
            let mut waiters = self.waiters();
            waiters.push(Waiter { since, left });
            waiters.len() - 1
        };
        add(&self.waiting, 1);
        while self.waiters()[place].left > 0 {
            self.changed.notified().await;
        }
        add(&self.waiting, usize::MAX);
        *turn = self.begin();
        true
    }

    fn waiters(&self) -> MutexGuard<'_, Vec<Waiter>> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds to a number that no other thread changes; returns what it was.
fn add(number: &AtomicUsize, more: usize) -> usize {
    let before = number.load(Ordering::Relaxed);
    number.store(before.wrapping_add(more), Ordering::Relaxed);
    before
}
