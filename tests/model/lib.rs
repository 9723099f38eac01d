//! The protocol as a model, explored exhaustively.
//!
//! Workers get the same event at different times. Requests are lost before they arrive or
//! after, arrive late, twice, or when their sender is long dead; clocks differ; workers die at any
//! moment and are killed some time after their deadline. In every state that can be reached:
//!
//! - **S** no claim succeeds while the holder of another one lives and may run, and none but its
//!   owner finishes or removes a record;
//! - **L** once no worker lives and the lease has expired, a claim succeeds, or the work is done;
//! - **R** no worker is refused by its own claim;
//! - **E** where effects are committed with the record: an effect exists exactly once for each record
//!   that was completed and never without it, and the caller is told the truth about it or nothing,
//!   unless a copy of its claim is still on its way;
//! - **F** a record that was completed stays as it is until it expires.
//!
//! Each rule of the protocol is there for one of them: without the rule, the model finds a way to
//! break that one, and only that one.
//!
//! Two workers by default, which takes seconds; with `POWERTOOLS_TEST_SCALE` set also three, and two
//! that commit and renew their leases.

#![cfg(test)]

use std::fmt::Debug;
use std::hash::Hash;

use stateright::{Checker, HasDiscoveries, Model, Property, Representative};

use self::state::{Broken, Commit, Record, Request, State, Step, Without, Work, Worker};

mod commits;
mod durable;
mod moves;
mod renewals;
mod state;

/// How far two clocks differ at most, in ticks.
const SKEW: u8 = 1;
/// How long after its deadline a worker may live.
const KILL_DELAY: u8 = 1;
/// The time from the start of an invocation to its deadline.
const TIMEOUT: u8 = 0;
/// How long a result is kept: less than a lease, so that the rule about it matters.
const EXPIRES_AFTER: u8 = 1;
/// The first tick.
const START: u8 = 1;
/// How often a request is sent when there is no answer.
const SENDS: u8 = 2;

const WORKERS: usize = 3;

/// How long a lease is that is renewed, and for how long its work can go on in all.
const LEASE: u8 = 1;
const LONGEST: u8 = 3;
/// How many renewals of a worker can be on their way.
const RENEWALS: usize = 2;

#[derive(Clone, Copy, Debug)]
struct Protocol {
    without: Without,
    /// How many workers there are.
    workers: usize,
    /// The last tick at which a worker starts: the third is the first that sees a claim lapse.
    last_start: u8,
    /// Whether a worker that was refused can look again.
    looks: bool,
    /// Whether the effects of the work are committed with the record.
    commits: bool,
    /// Whether leases are short and renewed.
    renews: bool,
}

impl Protocol {
    /// The last tick. A worker that starts as late as it can has lost its lease by then.
    fn end(&self) -> u8 {
        let longest = if self.renews { LONGEST } else { TIMEOUT };
        self.last_start + longest + SKEW + KILL_DELAY + 1
    }

    /// When a worker is dead at the latest.
    fn killed(&self, worker: &Worker) -> u8 {
        // The end of a lease stops work, but nothing that follows it.
        match worker.work {
            Work::Completing(_) | Work::Settling(_) => worker.last + KILL_DELAY,
            _ => worker.deadline + KILL_DELAY,
        }
    }

    fn grace(&self) -> u8 {
        if self.without == Without::Grace { SKEW - 1 } else { SKEW + KILL_DELAY }
    }

    /// The condition of a claim. The comparison is that of the store; the time is the worker's.
    fn is_free(record: Option<Record>, now: u8) -> bool {
        record.is_none_or(|record| {
            let lapsed = !record.completed && record.lease_end.is_some_and(|end| end < now);
            record.expiration < now || lapsed
        })
    }

    /// The record that a worker's claim writes.
    fn claimed(&self, owner: usize, worker: &Worker) -> Record {
        let lease_end = match self.renews {
            true => self.lease_end(worker, worker.now),
            false => worker.last + self.grace(),
        };
        let kept = worker.now + EXPIRES_AFTER;
        let (expiration, lease_end) = match self.without {
            Without::ExpirationAfterLease => (kept, Some(lease_end)),
            Without::LeaseEnd => (u8::MAX, None),
            _ => (kept.max(lease_end), Some(lease_end)),
        };
        Record { owner, completed: false, expiration, lease_end }
    }

    /// A worker that was refused sees what is in its way.
    fn look(&self, state: &mut State, at: usize, now: u8) {
        let held = state.record.is_some_and(|record| record.owner == at && !record.completed);
        let free = Self::is_free(state.record, now);
        let worker = &mut state.workers[at];
        if held && self.without != Without::Ownership {
            worker.work = Work::Running;
        } else if free && self.looks && !worker.again {
            // Copies of its first claim may still be on their way. They count as copies of this
            // one, which succeeds wherever they do.
            *worker = Worker {
                work: Work::Claiming(SENDS - 1),
                now,
                again: true,
                claims: worker.claims + 1,
                ..*worker
            };
        } else {
            if held {
                state.broken = Some(Broken::RefusedByOwnClaim);
            }
            if !self.looks {
                worker.work = Work::Ended;
            }
        }
    }

    fn arrive(&self, state: &mut State, at: usize, request: Request, answered: bool) {
        let worker = state.workers[at];
        match request {
            Request::Claim => {
                state.workers[at].claims -= 1;
                let found = state.record;
                let granted = Self::is_free(found, worker.now);
                if granted {
                    let live = found.is_some_and(|record| {
                        record.owner != at
                            && !record.completed
                            && state.workers[record.owner].may_run(state.time)
                    });
                    if live {
                        state.broken = Some(Broken::ClaimOverLiveClaim);
                    }
                    state.record = Some(self.claimed(at, &worker));
                }
                if answered && matches!(worker.work, Work::Claiming(_)) {
                    state.workers[at].work = if granted { Work::Running } else { Work::Looking };
                    // The answer has the record that is in the way, or it must be read.
                    if !granted && !self.looks {
                        self.look(state, at, worker.now);
                    }
                }
            }
            Request::Renewal(end) => self.renew(state, at, end, answered),
            Request::Complete if self.commits => self.commit(state, at, answered),
            Request::Complete => {
                state.workers[at].completes -= 1;
                if let Some(record) = &mut state.record
                    && !record.completed
                    && (record.owner == at || self.without == Without::OwnerOnComplete)
                {
                    if record.owner != at {
                        state.broken = Some(Broken::RecordOfAnother);
                    }
                    record.completed = true;
                    // As if it was sent just now, which keeps the record longest.
                    record.expiration = state.time + worker.ahead + EXPIRES_AFTER;
                }
                if answered && matches!(worker.work, Work::Completing(_)) {
                    state.workers[at].work = Work::Ended;
                }
            }
            Request::Release => {
                state.workers[at].releases -= 1;
                if let Some(record) = state.record
                    && !record.completed
                    && (record.owner == at || self.without == Without::OwnerOnRelease)
                {
                    if record.owner != at {
                        state.broken = Some(Broken::RecordOfAnother);
                    }
                    state.record = None;
                }
                if answered && worker.work == Work::Releasing {
                    state.workers[at].work = Work::Ended;
                }
                if answered && matches!(worker.work, Work::Settling(_)) {
                    self.conclude(state, at);
                }
            }
        }
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let worker = |at, ahead| Worker {
            work: if at < self.workers { Work::NotStarted } else { Work::Ended },
            ahead,
            deadline: 0,
            now: 0,
            again: false,
            claims: 0,
            completes: 0,
            releases: 0,
            renewals: [0; RENEWALS],
            last: 0,
            commit: Commit::default(),
        };
        let clocks = (0..1 << self.workers).map(|bits: u8| {
            std::array::from_fn(|at| worker(at, if bits >> at & 1 == 1 { SKEW } else { 0 }))
        });
        clocks.map(|workers| State { time: START, record: None, workers, broken: None }).collect()
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if state.broken.is_some() {
            return;
        }
        let alive = |worker: &Worker| !matches!(worker.work, Work::NotStarted | Work::Ended);
        // Who has outlived the deadline for too long is dead before the clock goes on.
        let overdue = |worker: &Worker| alive(worker) && state.time >= self.killed(worker);
        if state.time < self.end() && !state.workers.iter().any(overdue) {
            steps.push(Step::Tick);
        }
        for (at, worker) in state.workers.iter().enumerate() {
            match worker.work {
                Work::NotStarted if state.time <= self.last_start => steps.push(Step::Start(at)),
                Work::Claiming(sends) | Work::Completing(sends) | Work::Settling(sends) => {
                    steps.push(if sends > 0 { Step::Send(at) } else { Step::GiveUp(at) });
                }
                // Who is refused for good just ends, as one who dies does.
                Work::Looking => steps.extend([Step::Look(at), Step::GiveUp(at)]),
                Work::Running => steps.extend([Step::Succeed(at), Step::Fail(at)]),
                _ => {}
            }
            if self.renews
                && worker.work == Work::Running
                && state.time <= worker.deadline
                && worker.renewals.contains(&0)
                && self.limit(worker, self.lease_end(worker, state.time + worker.ahead))
                    > worker.deadline
            {
                steps.push(Step::Renew(at));
            }
            if alive(worker) {
                steps.push(Step::Die(at));
            }
            let waiting = [
                (worker.claims, Request::Claim),
                (worker.completes, Request::Complete),
                (worker.releases, Request::Release),
            ];
            let renewals = worker.renewals.map(|end| (u8::from(end > 0), Request::Renewal(end)));
            if self.commits && worker.completes > 0 {
                steps.extend([Step::Reject(at, true), Step::Reject(at, false)]);
            }
            let waiting = waiting.into_iter().chain(renewals);
            for (_, request) in waiting.filter(|(count, _)| *count > 0) {
                steps.push(Step::Arrive(at, request, true));
                if alive(worker) {
                    steps.push(Step::Arrive(at, request, false));
                }
                steps.push(Step::Lose(at, request));
            }
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        let time = state.time;
        match step {
            Step::Tick => state.time += 1,
            Step::Start(at) => {
                let worker = &mut state.workers[at];
                worker.last = time + if self.renews { LONGEST } else { TIMEOUT };
                worker.deadline = worker.last;
                worker.now = time + worker.ahead;
                worker.claims = 1;
                if self.renews {
                    worker.deadline = self.limit(worker, self.lease_end(worker, worker.now));
                }
                // With copies of claims beside renewals there would be too many states.
                let copies = !self.renews;
                worker.work = Work::Claiming(if copies { SENDS - 1 } else { 0 });
            }
            Step::Renew(at) => {
                let worker = &mut state.workers[at];
                let end = self.lease_end(worker, time + worker.ahead);
                let free = worker.renewals.iter_mut().find(|end| **end == 0);
                *free.expect("it was looked for before") = end;
                worker.renewals.sort_unstable();
                if self.without == Without::ConfirmedEnd {
                    worker.deadline = self.limit(worker, end);
                }
            }
            Step::Send(at) => {
                let worker = &mut state.workers[at];
                match &mut worker.work {
                    Work::Claiming(sends) => {
                        *sends -= 1;
                        worker.claims += 1;
                    }
                    Work::Completing(sends) => {
                        *sends -= 1;
                        worker.completes += 1;
                    }
                    Work::Settling(sends) => {
                        *sends -= 1;
                        worker.releases += 1;
                    }
                    _ => unreachable!("only these are sent again"),
                }
            }
            Step::Look(at) => {
                let now = time + state.workers[at].ahead;
                self.look(&mut state, at, now);
            }
            Step::GiveUp(at) => {
                let worker = &mut state.workers[at];
                if matches!(worker.work, Work::Completing(_)) && self.commits {
                    self.settle(&mut state, at);
                } else if matches!(worker.work, Work::Completing(_) | Work::Settling(_)) {
                    worker.work = Work::Ended;
                } else {
                    worker.work = Work::Releasing;
                    worker.releases = 1;
                }
            }
            Step::Arrive(at, request, answered) => self.arrive(&mut state, at, request, answered),
            Step::Reject(at, answered) => {
                let worker = &mut state.workers[at];
                worker.completes -= 1;
                let held = state.record.is_some_and(|it| it.owner == at && !it.completed);
                if answered && matches!(worker.work, Work::Completing(_)) {
                    // The record's own reason takes precedence.
                    if held {
                        self.settle(&mut state, at);
                    } else {
                        self.conclude(&mut state, at);
                    }
                }
            }
            Step::Lose(at, request) => {
                let worker = &mut state.workers[at];
                match request {
                    Request::Claim => worker.claims -= 1,
                    Request::Complete => worker.completes -= 1,
                    Request::Release => worker.releases -= 1,
                    Request::Renewal(end) => worker.take(end),
                }
            }
            Step::Succeed(at) => {
                let worker = &mut state.workers[at];
                // With copies of plain completions beside renewals there would be too many states.
                let copies = !self.renews || self.commits;
                worker.work = Work::Completing(if copies { SENDS - 1 } else { 0 });
                worker.completes = 1;
                if self.without == Without::Transaction {
                    worker.commit.effects += 1;
                }
            }
            Step::Fail(at) => {
                let worker = &mut state.workers[at];
                worker.work = Work::Releasing;
                worker.releases = 1;
            }
            Step::Die(at) => state.workers[at].work = Work::Ended,
        }
        for worker in &mut state.workers {
            // It is too late for it.
            if worker.work == Work::NotStarted && state.time > self.last_start {
                worker.work = Work::Ended;
            }
            worker.forget();
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("S", |_, state: &State| {
                !matches!(state.broken, Some(Broken::ClaimOverLiveClaim | Broken::RecordOfAnother))
            }),
            Property::always("L", |protocol: &Self, state: &State| {
                let over =
                    state.time == protocol.end() && state.workers.iter().all(Worker::is_over);
                !over
                    || state.record.is_some_and(|record| record.completed)
                    || Self::is_free(state.record, state.time)
            }),
            Property::always("E", |protocol: &Self, state: &State| {
                !protocol.commits || !state.workers.iter().any(|worker| worker.commit.is_broken())
            }),
            Property::always("F", |_, state: &State| {
                state.broken != Some(Broken::CompletedRecordChanged)
            }),
            Property::always("R", |_, state: &State| {
                state.broken != Some(Broken::RefusedByOwnClaim)
            }),
            // What the others are about does happen.
            Property::sometimes("an orphan holds until its lease ends", |_, state: &State| {
                state.record.is_some_and(|record| {
                    !record.completed
                        && record.lease_end.is_some_and(|end| state.time <= end)
                        && state.workers[record.owner].is_over()
                        && state
                            .workers
                            .iter()
                            .any(|worker| matches!(worker.work, Work::Claiming(_)))
                })
            }),
            Property::sometimes("the work is done", |_, state: &State| {
                state.record.is_some_and(|record| record.completed)
            }),
        ]
    }
}

/// Two workers with everything that they can do.
const SMALL: Protocol = Protocol {
    without: Without::Nothing,
    workers: 2,
    last_start: START + 2,
    looks: true,
    commits: false,
    renews: false,
};
/// Two workers whose leases are renewed. The second one can start when the first has lost its first
/// and its second lease.
const RENEW: Protocol = Protocol { renews: true, looks: false, last_start: START + 4, ..SMALL };
/// Where that takes too long: when the first has lost its first lease.
const RENEW_ONCE: Protocol = Protocol { last_start: START + 3, ..RENEW };
/// Two workers that commit.
const COMMIT: Protocol = Protocol { commits: true, looks: false, ..SMALL };
/// Two workers that commit, and whose leases are renewed before that. Only in the full model.
const COMMIT_RENEW: Protocol = Protocol { commits: true, ..RENEW };
/// Three workers. With second looks there would be too many states.
const FULL: Protocol = Protocol { workers: 3, looks: false, ..SMALL };
const FULL_COMMIT: Protocol = Protocol { commits: true, ..FULL };

/// Whether there is time for the full model.
fn full() -> bool {
    std::env::var_os("POWERTOOLS_TEST_SCALE").is_some()
}

/// Explores the states of a protocol.
fn explore<P>(protocol: P, until: HasDiscoveries) -> impl Checker<P>
where
    P: Model + Send + Sync + 'static,
    P::State: Representative + Hash + Send + Sync + Clone + PartialEq + 'static,
    P::Action: Clone + PartialEq,
{
    protocol.checker().threads(2).symmetry().finish_when(until).spawn_dfs().join()
}

/// Asserts that a protocol holds in every state.
fn assert_holds<P>(protocol: P)
where
    P: Model + Copy + Debug + Send + Sync + 'static,
    P::State: Representative + Debug + Hash + Send + Sync + Clone + PartialEq + 'static,
    P::Action: Clone + Debug + PartialEq,
{
    let checker = explore(protocol, HasDiscoveries::All);
    eprintln!("explored {} states of {protocol:?}", checker.unique_state_count());
    checker.assert_properties();
}

/// Asserts that of the properties `all`, a protocol breaks these.
fn assert_breaks<P>(
    protocol: P,
    until: HasDiscoveries,
    all: &[&str],
    properties: &[&str],
    without: impl Debug,
) where
    P: Model + Send + Sync + 'static,
    P::State: Representative + Hash + Send + Sync + Clone + PartialEq + 'static,
    P::Action: Clone + PartialEq,
{
    let checker = explore(protocol, until);
    let mut broken: Vec<_> = checker.discoveries().into_keys().collect();
    broken.retain(|name| all.contains(name));
    broken.sort_unstable();
    assert_eq!(broken, properties, "without {without:?}");
    let (properties, states) = (properties.join(" and "), checker.unique_state_count());
    eprintln!("without {without:?}: {properties} breaks, in {states} states");
}

#[test]
fn the_protocol_holds_in_every_state() {
    let protocols: &[Protocol] = match full() {
        true => &[SMALL, COMMIT, RENEW, COMMIT_RENEW, FULL, FULL_COMMIT],
        false => &[SMALL, COMMIT, RENEW_ONCE],
    };
    protocols.iter().copied().for_each(assert_holds);
}

#[test]
fn each_rule_is_needed() {
    let needed = [
        (Without::OwnerOnComplete, "S"),
        (Without::OwnerOnRelease, "S"),
        (Without::ExpirationAfterLease, "S"),
        (Without::Grace, "S"),
        (Without::LeaseEnd, "L"),
        (Without::Ownership, "R"),
    ];
    let commits = [
        (Without::OwnerOnCommit, "E"),
        (Without::StatusOnCommit, "E"),
        (Without::Transaction, "E"),
        (Without::Settling, "E"),
        (Without::ExpirationOnCommit, "E"),
        (Without::OwnCompletion, "E"),
    ];
    let renewals = [
        (Without::OwnerOnRenewal, "S"),
        (Without::StatusOnRenewal, "F"),
        (Without::OnlyForwards, "S"),
        (Without::ExpirationOnRenewal, "S"),
        (Without::ConfirmedEnd, "S"),
        (Without::EndBySending, "S"),
        (Without::OwnRenewal, "R"),
        (Without::RenewalsEnd, "L"),
    ];
    let of = |protocol| move |(without, property)| (without, property, protocol);
    let both = commits.into_iter().chain(renewals).map(of(COMMIT_RENEW));
    let large = both.chain(commits.map(of(FULL_COMMIT))).filter(|_| full());
    let needed = needed.into_iter().map(of(SMALL));
    let needed = needed.chain(commits.map(of(COMMIT))).chain(renewals.map(of(RENEW)));
    for (without, property, protocol) in needed.chain(large) {
        let looks = full() && protocol.looks;
        let protocol = Protocol { without, looks, ..protocol };
        // That nothing else breaks takes a look at every state. With commits and renewals, and with
        // three workers, it would take minutes.
        let is_large = protocol.renews && (protocol.commits || !full()) || protocol.workers > 2;
        let until = match is_large {
            true => HasDiscoveries::AnyFailures,
            false => HasDiscoveries::All,
        };
        assert_breaks(protocol, until, &["S", "L", "R", "E", "F"], &[property], without);
    }
}
