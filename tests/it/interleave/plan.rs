//! The parts of a history.

use std::sync::Mutex;
use std::time::Duration;

use powertools::idempotency::{EpochSeconds, Error, Record};
use serde::{Deserialize, Serialize};

use super::SKEW;
use super::random::Random;

/// The choices that hold for a whole history.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) workers: usize,
    pub(super) lease: Option<Duration>,
    /// Whether the lease is renewed.
    pub(super) renews: bool,
    pub(super) expires_after: Duration,
    pub(super) holds: bool,
    pub(super) waits: bool,
    pub(super) caches: bool,
    /// Whether the effect of the work is committed with its record.
    pub(super) commits: bool,
    /// How often something happens to a request, in percent.
    pub(super) trouble: u64,
    pub(super) returns_old: bool,
    pub(super) skew: u64,
    pub(super) random: Mutex<Random>,
}

impl Plan {
    pub(super) fn new(mut random: Random) -> Self {
        let lease = random.chance(35).then(|| Duration::from_millis(random.within(1_000, 4_000)));
        let renews = lease.is_some() && random.chance(60);
        Self {
            workers: random.within(3, 5) as usize,
            lease,
            renews,
            expires_after: Duration::from_secs(if random.chance(50) { 1 } else { 3600 }),
            holds: random.chance(20),
            waits: random.chance(30),
            caches: random.chance(20),
            commits: random.chance(50),
            trouble: [0, 10, 25, 40][random.within(0, 3) as usize],
            returns_old: random.chance(50),
            skew: SKEW,
            random: Mutex::new(random),
        }
    }

    /// Whether work that is stopped keeps its claim.
    pub(super) fn holds(&self) -> bool {
        self.holds || self.lease.is_some()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Receipt {
    pub(super) run: usize,
    pub(super) payload: u64,
}

/// How an invocation ended.
pub(super) enum End {
    Result(Receipt),
    /// The error of this run of the handler.
    Failure(usize),
    Panic,
    Error(Error),
    /// The caller did not wait for it.
    Cancelled,
    Killed,
}

/// One invocation.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) id: usize,
    pub(super) payload: u64,
    /// In milliseconds since the history began.
    pub(super) deadline: u64,
    /// How far the clock that set the deadline is ahead.
    pub(super) deadline_ahead: u64,
    /// How far the worker's clock is ahead.
    pub(super) clock_ahead: u64,
    pub(super) started: u64,
    pub(super) over: bool,
    pub(super) cancelled: bool,
    pub(super) run: Run,
    /// How often it sent each.
    pub(super) claims: u32,
    pub(super) releases: u32,
    /// Whether what it sent last, but for a release, looked at what refused its claim.
    pub(super) looked: bool,
    /// When the record expires that it finished.
    pub(super) expiration: Option<EpochSeconds>,
    /// How often its record was completed by a transaction.
    pub(super) committed: u32,
    /// The caller was told that there is no effect.
    pub(super) denied: bool,
    /// A copy of its claim arrived after its release.
    pub(super) reclaimed: bool,
    /// The last record that the store showed it, if it showed anything.
    pub(super) heard: Option<Option<Record>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Run {
    None,
    Running,
    Succeeded,
    Failed,
    Stopped,
}
