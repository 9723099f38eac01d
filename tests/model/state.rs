//! What a state of the model is made of, and the steps between states.

use stateright::Representative;

use super::{KILL_DELAY, RENEWALS, WORKERS};

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
    /// Of commits: the owner in the condition.
    OwnerOnCommit,
    /// The status in the condition.
    StatusOnCommit,
    /// One transaction for the effect and the record.
    Transaction,
    /// The release that settles an end in doubt.
    Settling,
    /// An expiration that is not before the last answer to a commit.
    ExpirationOnCommit,
    /// The reading of the own completed record as success.
    OwnCompletion,
    /// Of renewals: the owner in the condition.
    OwnerOnRenewal,
    /// The status in the condition.
    StatusOnRenewal,
    /// The condition that the lease ends later than before.
    OnlyForwards,
    /// An expiration that is not before the end of the lease.
    ExpirationOnRenewal,
    /// The end of the work with the last lease that was confirmed.
    ConfirmedEnd,
    /// The end of a lease by when its renewal was sent, and not by when it was answered.
    EndBySending,
    /// The reading of an own lease that already ends later as success.
    OwnRenewal,
    /// The end of all leases with the invocation.
    RenewalsEnd,
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
    /// Finding out, by a conditional release, whether its commit was or will be applied.
    Settling(u8),
    /// Releasing the claim: after a failure, or because it is unknown whether it was acquired.
    Releasing,
    /// Refused by another's claim, given another's result, finished, or dead.
    Ended,
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
    /// The ends of the leases in renewals on their way; 0 where there is none.
    pub(super) renewals: [u8; RENEWALS],
    /// When its invocation ends: until then it can ask what became of its commit.
    pub(super) last: u8,
    pub(super) commit: Commit,
}

/// The effect of a worker, and what its caller knows about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Commit {
    /// How often the effect took place: again if late copies of its claim and its commit arrive when its first
    /// record has expired.
    pub(super) effects: u8,
    /// How often its record was completed.
    pub(super) completions: u8,
    /// Whether the effect took place, as the caller was told; `None` if that is unknown.
    pub(super) told: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) time: u8,
    pub(super) record: Option<Record>,
    pub(super) workers: [Worker; WORKERS],
    /// Set by the transition that broke it.
    pub(super) broken: Option<Broken>,
}

impl Worker {
    /// Whether its claim is, or may still become, the right to run.
    pub(super) fn may_run(&self, time: u8) -> bool {
        match self.work {
            Work::Claiming(_) | Work::Looking | Work::Running => true,
            // It can complete for longer than it can run.
            Work::Completing(_) => time <= self.deadline + KILL_DELAY,
            _ => false,
        }
    }

    /// It does nothing any more, and nothing that it sent is on its way.
    pub(super) fn is_over(&self) -> bool {
        self.work == Work::Ended
            && self.claims + self.completes + self.releases == 0
            && self.renewals == [0; RENEWALS]
    }

    /// Takes a renewal off its way.
    pub(super) fn take(&mut self, end: u8) {
        let place = self.renewals.iter_mut().find(|place| **place == end);
        *place.expect("it is on its way") = 0;
        self.renewals.sort_unstable();
    }

    /// Forgets what no longer matters, so that states which differ only in it are one.
    pub(super) fn forget(&mut self) {
        if self.claims == 0 && !matches!(self.work, Work::Claiming(_)) {
            self.now = 0;
        }
        if !matches!(self.work, Work::Claiming(_) | Work::Looking) {
            self.again = false;
        }
        if self.work == Work::Ended {
            self.deadline = 0;
            if self.completes == 0 {
                self.ahead = 0;
                if self.now == 0 {
                    self.last = 0;
                }
            }
            // Only that there is no effect can become untrue, by a late commit.
            let is_settled = self.completes == 0 || self.commit.told != Some(false);
            if is_settled && !self.commit.is_broken() {
                self.commit = Commit::default();
            }
        }
    }
}

impl Commit {
    /// The effect exists without the completed record, or more than once for it, or not as the caller was
    /// told.
    pub(super) fn is_broken(self) -> bool {
        self.effects != self.completions
            || self.told.is_some_and(|applied| applied != (self.effects > 0))
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
    CompletedRecordChanged,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Claim,
    Complete,
    Release,
    /// Of a lease, to this end.
    Renewal(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Tick,
    Start(usize),
    Send(usize),
    /// The worker sends a renewal of its lease.
    Renew(usize),
    /// The worker reads the record that was in its way.
    Look(usize),
    /// The worker gives up on an answer.
    GiveUp(usize),
    /// A request takes effect, and its answer arrives or not.
    Arrive(usize, Request, bool),
    Lose(usize, Request),
    /// A commit arrives, and the condition of the user does not hold. Its answer arrives or not.
    Reject(usize, bool),
    Succeed(usize),
    Fail(usize),
    Die(usize),
}
