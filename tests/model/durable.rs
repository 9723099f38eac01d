//! Claims of durable executions, which many invocations continue.
//!
//! An execution claims a key once. Each of its invocations takes the claim over by a fence, the attempt in
//! the record, and may be overtaken by the next one at any moment: it suspends, dies, or goes on without
//! anybody waiting for it. An answer may not come, and a request may arrive twice, or when its sender is long
//! gone. In every state that can be reached:
//!
//! - **A** the work is completed at most once, and nothing that an invocation sends changes the record after
//!   a later one has overtaken it;
//! - **S** no execution claims while another one has begun the work and its lease holds, nor while an
//!   invocation of another one runs that was not overtaken;
//! - **R** no invocation is refused by the claim of its own execution;
//! - **N** no copy of a re-entry that arrives late takes the claim from an invocation that it has not seen;
//! - **L** once all is over and the lease has ended, a claim succeeds, or the work is done.
//!
//! Each rule is there for one of them. One execution with three invocations, and two executions, one of them
//! with two; one request in a history is sent twice.

use stateright::{HasDiscoveries, Model, Property, Representative};

use super::{assert_breaks, assert_holds, full};

const WORKERS: usize = 3;
/// How long the lease of an execution is, in ticks. There is one clock: the model of single invocations has
/// their differences.
const LEASE: u8 = 1;
/// The last tick at which an invocation starts: another execution finds that the lease has ended.
const LAST_START: u8 = 2;
const END: u8 = LAST_START + LEASE + 1;
/// How many requests are sent again, in all, when there is no answer.
const REPEATS: u8 = 1;

/// What the protocol can be without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Without {
    Nothing,
    /// The attempt in the condition of a completion.
    AttemptOnComplete,
    /// The status in it.
    StatusOnComplete,
    /// The attempt in the condition of a release.
    AttemptOnRelease,
    /// The attempt that was seen, in the condition of a re-entry.
    EarlierOnReentry,
    /// The re-entry itself.
    Reentry,
    /// The reading of the own attempt as success.
    OwnAttempt,
    /// The claim that is kept when an invocation suspends.
    HoldOnSuspension,
    /// The claim that is kept when it is unknown whether the work was completed.
    HoldOnDoubt,
    /// The end of a lease with the first claim, whoever continues it.
    LeaseOfFirst,
    /// The end of the lease.
    LeaseEnd,
}

#[derive(Clone, Copy, Debug)]
struct Durable {
    without: Without,
    /// The execution of each invocation.
    executions: [usize; WORKERS],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Record {
    execution: usize,
    attempt: usize,
    completed: bool,
    lease_end: u8,
}

/// What an invocation is doing. The number is how often the request can still be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Work {
    NotStarted,
    Claiming,
    /// Continuing the claim of the attempt that it saw.
    Reentering(usize),
    Running,
    Completing,
    /// Its work has failed, which ends the execution.
    Releasing,
    /// It has suspended, given up, or ended the execution; or it is dead.
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Worker {
    execution: usize,
    work: Work,
    /// The time at which it claimed, and when its work is stopped.
    now: u8,
    limit: u8,
    /// Another invocation has continued its claim. It changes nothing any more, but it may still run.
    overtaken: bool,
    /// Requests on their way.
    claims: u8,
    completes: u8,
    releases: u8,
    /// Copies of a re-entry, and the attempt that it continues.
    reentries: (u8, Option<usize>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    time: u8,
    record: Option<Record>,
    workers: [Worker; WORKERS],
    /// When the lease ends of an execution that has begun the work, until it is over.
    begun: [Option<u8>; 2],
    /// The execution has a result or an error: no invocation of it starts any more.
    concluded: [bool; 2],
    completions: u8,
    repeats: u8,
    /// The property that the last step broke.
    broken: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Claim,
    Reenter,
    Complete,
    Release,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Tick,
    Start(usize),
    Send(usize),
    /// No answer comes.
    GiveUp(usize),
    /// A request takes effect, and its answer arrives or not.
    Arrive(usize, Request, bool),
    Suspend(usize),
    Succeed(usize),
    Fail(usize),
}

impl Durable {
    fn is_free(&self, record: Option<Record>, now: u8) -> bool {
        let lapsed = |record: Record| !record.completed && record.lease_end < now;
        record.is_none_or(|record| self.without != Without::LeaseEnd && lapsed(record))
    }

    /// An invocation was refused, or a copy of its request was: it sees the record.
    fn look(&self, state: &mut State, at: usize) {
        let worker = &mut state.workers[at];
        worker.work = Work::Over;
        let Some(record) = state.record else { return };
        let is_own = record.execution == worker.execution;
        if record.completed {
            state.concluded[worker.execution] = true;
        } else if is_own && record.attempt == at && self.without != Without::OwnAttempt {
            self.run(state, at);
        } else if is_own && record.attempt != at && self.without != Without::Reentry {
            worker.work = Work::Reentering(record.attempt);
            worker.reentries = (1, Some(record.attempt));
        } else if is_own {
            state.broken = Some("R");
        } else {
            // It is refused by another execution, and fails.
            state.concluded[worker.execution] = true;
        }
    }

    /// An invocation knows that the claim is its own.
    fn run(&self, state: &mut State, at: usize) {
        let lease_end = state.record.map_or(state.time, |record| record.lease_end);
        let (time, worker) = (state.time, &mut state.workers[at]);
        let renewed = self.without == Without::LeaseOfFirst;
        worker.limit = if renewed { time + LEASE } else { lease_end };
        if time > worker.limit {
            worker.work = Work::Over;
            return;
        }
        worker.work = Work::Running;
        state.begun[worker.execution] = Some(worker.limit);
    }

    fn arrive(&self, state: &mut State, at: usize, request: Request, answered: bool) {
        let worker = state.workers[at];
        let execution = worker.execution;
        let held = state.record.filter(|it| it.execution == execution && !it.completed);
        let is_own = held.is_some_and(|record| record.attempt == at);
        match request {
            Request::Claim => {
                state.workers[at].claims -= 1;
                let granted = self.is_free(state.record, worker.now);
                if granted {
                    let other = 1 - execution;
                    let has_begun = state.begun[other].is_some_and(|end| end >= state.time);
                    let runs = |it: &Worker| {
                        it.execution == other && it.work == Work::Running && !it.overtaken
                    };
                    if has_begun && !state.concluded[other] || state.workers.iter().any(runs) {
                        state.broken = Some("S");
                    }
                    let lease_end = worker.now + LEASE;
                    state.record =
                        Some(Record { execution, attempt: at, completed: false, lease_end });
                }
                if answered && matches!(worker.work, Work::Claiming) {
                    if granted { self.run(state, at) } else { self.look(state, at) }
                }
            }
            Request::Reenter => {
                let earlier = worker.reentries.1;
                state.workers[at].reentries.0 -= 1;
                let seen = held.is_some_and(|record| Some(record.attempt) == earlier);
                let applied = seen || held.is_some() && self.without == Without::EarlierOnReentry;
                if let Some(record) = state.record.as_mut().filter(|_| applied) {
                    let overtaken = state.workers[record.attempt].work;
                    if !seen && !is_own && overtaken == Work::Running {
                        state.broken = Some("N");
                    }
                    state.workers[record.attempt].overtaken = true;
                    state.workers[at].overtaken = false;
                    record.attempt = at;
                }
                if answered && matches!(worker.work, Work::Reentering(_)) {
                    if applied || is_own && self.without != Without::OwnAttempt {
                        self.run(state, at);
                    } else {
                        if is_own {
                            state.broken = Some("R");
                        }
                        state.workers[at].work = Work::Over;
                    }
                }
            }
            Request::Complete => {
                state.workers[at].completes -= 1;
                let applied = match self.without {
                    Without::AttemptOnComplete => held.is_some(),
                    Without::StatusOnComplete => {
                        state.record.is_some_and(|it| it.execution == execution && it.attempt == at)
                    }
                    _ => is_own,
                };
                if let Some(record) = state.record.as_mut().filter(|_| applied) {
                    state.completions += 1;
                    if state.completions > 1 || record.attempt != at {
                        state.broken = Some("A");
                    }
                    record.completed = true;
                }
                if answered && matches!(worker.work, Work::Completing) {
                    // If it is lost, the invocation is repeated.
                    let completed = state.record.is_some_and(|it| it.completed && it.attempt == at);
                    state.concluded[execution] |= completed;
                    state.workers[at].work = Work::Over;
                }
            }
            Request::Release => {
                state.workers[at].releases -= 1;
                let without = self.without == Without::AttemptOnRelease;
                if is_own || without && held.is_some() {
                    if !is_own {
                        state.broken = Some("A");
                    }
                    state.record = None;
                }
                if answered && worker.work == Work::Releasing {
                    state.workers[at].work = Work::Over;
                }
            }
        }
    }
}

impl Model for Durable {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let workers = self.executions.map(|execution| Worker {
            execution,
            work: Work::NotStarted,
            now: 0,
            limit: 0,
            overtaken: false,
            claims: 0,
            completes: 0,
            releases: 0,
            reentries: (0, None),
        });
        let (begun, concluded) = ([None; 2], [false; 2]);
        vec![State {
            time: 0,
            record: None,
            workers,
            begun,
            concluded,
            completions: 0,
            repeats: REPEATS,
            broken: None,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if state.broken.is_some() {
            return;
        }
        // Who runs at the end of its lease is stopped before the clock goes on.
        let late = |it: &Worker| it.work == Work::Running && state.time >= it.limit;
        if state.time < END && !state.workers.iter().any(late) {
            steps.push(Step::Tick);
        }
        for (at, worker) in state.workers.iter().enumerate() {
            match worker.work {
                Work::NotStarted => {
                    if state.time <= LAST_START && !state.concluded[worker.execution] {
                        steps.push(Step::Start(at));
                    }
                    continue;
                }
                Work::Claiming | Work::Reentering(_) | Work::Completing => {
                    if state.repeats > 0 {
                        steps.push(Step::Send(at));
                    }
                    steps.push(Step::GiveUp(at));
                }
                Work::Running => {
                    steps.extend([Step::Suspend(at), Step::Succeed(at), Step::Fail(at)]);
                }
                Work::Releasing | Work::Over => {}
            }
            let waiting = [
                (worker.claims, Request::Claim),
                (worker.reentries.0, Request::Reenter),
                (worker.completes, Request::Complete),
                (worker.releases, Request::Release),
            ];
            for (_, request) in waiting.into_iter().filter(|(count, _)| *count > 0) {
                steps.push(Step::Arrive(at, request, true));
                if worker.work != Work::Over {
                    steps.push(Step::Arrive(at, request, false));
                }
            }
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        match step {
            Step::Tick => state.time += 1,
            Step::Start(at) => {
                let worker = &mut state.workers[at];
                worker.now = state.time;
                worker.claims = 1;
                worker.work = Work::Claiming;
            }
            Step::Send(at) => {
                state.repeats -= 1;
                let worker = &mut state.workers[at];
                match worker.work {
                    Work::Claiming => worker.claims += 1,
                    Work::Reentering(_) => worker.reentries.0 += 1,
                    Work::Completing => worker.completes += 1,
                    _ => return None,
                }
            }
            Step::GiveUp(at) => {
                let worker = &mut state.workers[at];
                // Nothing has begun under a claim without an answer.
                let releases = match worker.work {
                    Work::Claiming => true,
                    Work::Completing => self.without == Without::HoldOnDoubt,
                    _ => false,
                };
                worker.releases += u8::from(releases);
                worker.work = Work::Over;
            }
            Step::Arrive(at, request, answered) => self.arrive(&mut state, at, request, answered),
            Step::Suspend(at) => {
                let worker = &mut state.workers[at];
                worker.releases += u8::from(self.without == Without::HoldOnSuspension);
                worker.work = Work::Over;
            }
            Step::Succeed(at) => {
                let worker = &mut state.workers[at];
                worker.completes = 1;
                worker.work = Work::Completing;
            }
            Step::Fail(at) => {
                let worker = &mut state.workers[at];
                worker.releases += 1;
                worker.work = Work::Releasing;
                state.concluded[worker.execution] = true;
            }
        }
        state.workers.iter_mut().for_each(Worker::forget);
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("A", |_, state: &State| state.broken != Some("A")),
            Property::always("S", |_, state: &State| state.broken != Some("S")),
            Property::always("R", |_, state: &State| state.broken != Some("R")),
            Property::always("N", |_, state: &State| state.broken != Some("N")),
            Property::always("L", |protocol: &Self, state: &State| {
                let done = state.record.is_some_and(|record| record.completed);
                state.time < END || done || protocol.is_free(state.record, END)
            }),
            // What the others are about does happen.
            Property::sometimes("work that was continued is done", |_, state: &State| {
                state.record.is_some_and(|record| {
                    record.completed && state.workers[record.attempt].reentries.1.is_some()
                })
            }),
            Property::sometimes("two invocations of an execution run", |_, state: &State| {
                let runs = |it: &&Worker| it.work == Work::Running;
                state.workers.iter().filter(runs).count() > 1
            }),
        ]
    }
}

impl Worker {
    /// Forgets what no longer matters, so that states which differ only in it are one.
    fn forget(&mut self) {
        if self.claims == 0 {
            self.now = 0;
        }
        if self.work != Work::Running {
            self.limit = 0;
            self.overtaken = false;
        }
    }
}

/// Which invocation of an execution is which does not matter. Their attempts are their places.
impl Representative for State {
    fn representative(&self) -> Self {
        let mut order: [usize; WORKERS] = std::array::from_fn(|at| at);
        let attempt = self.record.map(|record| record.attempt);
        order.sort_by_key(|&at| (self.workers[at], attempt == Some(at)));
        let place = |old: usize| order.iter().position(|&at| at == old).expect("a permutation");
        let mut state = self.clone();
        state.workers = order.map(|at| self.workers[at]);
        for worker in &mut state.workers {
            worker.reentries.1 = worker.reentries.1.map(place);
            if let Work::Reentering(attempt) = &mut worker.work {
                *attempt = place(*attempt);
            }
        }
        if let Some(record) = &mut state.record {
            record.attempt = place(record.attempt);
        }
        state
    }
}

const PROTOCOLS: [Durable; 2] = [
    // An execution with two invocations, and another one.
    Durable { without: Without::Nothing, executions: [0, 0, 1] },
    // One with three.
    Durable { without: Without::Nothing, executions: [0, 0, 0] },
];

#[test]
fn the_protocol_of_durable_executions_holds_in_every_state() {
    PROTOCOLS.into_iter().for_each(assert_holds);
}

#[test]
fn each_rule_of_durable_executions_is_needed() {
    let [two, one] = PROTOCOLS;
    for (without, property, protocol) in [
        (Without::AttemptOnComplete, "A", two),
        (Without::StatusOnComplete, "A", two),
        (Without::AttemptOnRelease, "A", two),
        (Without::EarlierOnReentry, "N", one),
        (Without::Reentry, "R", two),
        (Without::OwnAttempt, "R", two),
        (Without::HoldOnSuspension, "S", two),
        (Without::HoldOnDoubt, "S", two),
        (Without::LeaseOfFirst, "S", two),
        (Without::LeaseEnd, "L", two),
    ] {
        let protocol = Durable { without, ..protocol };
        // That nothing else breaks takes a look at every state.
        let until = if full() { HasDiscoveries::All } else { HasDiscoveries::AnyFailures };
        assert_breaks(protocol, until, &["A", "S", "R", "N", "L"], &[property], without);
    }
}
