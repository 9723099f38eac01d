//! What a state of the model is made of, and the steps between states.

use stateright::Representative;

use super::WORKERS;

/// What the protocol can be without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Without {
    Nothing,
    OwnerOnComplete,
    OwnerOnRelease,
    ExpirationAfterLease,
    Grace,
    LeaseEnd,
    Ownership,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Record {
    pub(super) owner: usize,
    pub(super) completed: bool,
    pub(super) expiration: u8,
    pub(super) lease_end: Option<u8>,
}

/// What a worker is doing. The number is how often the request can still be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Work {
    NotStarted,
    Claiming(u8),
    /// Refused: it looks at what is in its way, now or after waiting.
    Looking,
    Running,
    Completing(u8),
    /// Giving the claim back: after a failure, or since nobody knows whether it was granted.
    Releasing,
    /// Refused by another's claim, given another's result, or finished.
    Ended,
    Dead,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Worker {
    pub(super) work: Work,
    /// How far its clock is ahead of the time.
    pub(super) ahead: u8,
    pub(super) deadline: u8,
    /// The time of its clock when it sent its claim.
    pub(super) now: u8,
    /// It claims for the second time, since it saw that the record had become free. The model
    /// stops there, the engine after three times.
    pub(super) again: bool,
    /// Requests on their way.
    pub(super) claims: u8,
    pub(super) completes: u8,
    pub(super) releases: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) time: u8,
    pub(super) record: Option<Record>,
    pub(super) workers: [Worker; WORKERS],
    /// Set by the transition that broke it.
    pub(super) broken: Option<Broken>,
}

impl Work {
    /// Whether its claim is, or may still become, the right to run.
    pub(super) fn may_run(self) -> bool {
        matches!(self, Self::Claiming(_) | Self::Looking | Self::Running | Self::Completing(_))
    }
}

impl Worker {
    /// It does nothing any more, and nothing that it sent is on its way.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.work, Work::Ended | Work::Dead)
            && self.claims + self.completes + self.releases == 0
    }

    /// Forgets what no longer matters, so that states which differ only in it are one.
    pub(super) fn forget(&mut self) {
        if self.claims == 0 && !matches!(self.work, Work::Claiming(_)) {
            self.now = 0;
        }
        if !matches!(self.work, Work::Claiming(_) | Work::Looking) {
            self.again = false;
        }
        if self.now == 0 && matches!(self.work, Work::Ended | Work::Dead) {
            self.work = Work::Ended;
            self.deadline = 0;
        }
    }
}

/// Which worker is which does not matter.
impl Representative for State {
    fn representative(&self) -> Self {
        let mut order: [usize; WORKERS] = std::array::from_fn(|at| at);
        let owner = self.record.map(|record| record.owner);
        order.sort_by_key(|&at| (self.workers[at], owner == Some(at)));
        let mut state = self.clone();
        state.workers = order.map(|at| self.workers[at]);
        if let Some(record) = &mut state.record {
            record.owner = order.iter().position(|&at| at == record.owner).expect("a permutation");
        }
        state
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Broken {
    ClaimOverLiveClaim,
    RecordOfAnother,
    RefusedByOwnClaim,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Claim,
    Complete,
    Release,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Tick,
    Start(usize),
    Send(usize),
    /// The worker reads the record that was in its way.
    Look(usize),
    /// The worker gives up on an answer.
    GiveUp(usize),
    /// A request takes effect, and its answer arrives or not.
    Arrive(usize, Request, bool),
    Lose(usize, Request),
    Succeed(usize),
    Fail(usize),
    Die(usize),
}
