//! Claims of durable executions, which many invocations continue.
//!
//! An execution claims a key once. Each of its invocations takes the claim over by a fence, the attempt in
//! the record, and may be overtaken by the next one at any moment: it suspends, dies, or goes on without
//! anybody waiting for it. An answer may not come, and a request may arrive twice, or when its sender is long
//! gone.
//!
//! The claim of an invocation has an attempt, and each of its re-entries another one. So an attempt that was
//! overtaken does not come back, and a late copy of a re-entry does not find again what it has seen. Only a copy
//! of a claim that arrives when the record is gone writes an attempt again. It is the same claim, and who has
//! seen it may continue it.
//!
//! Work that succeeds commits: its effect and the completion of the record are one transaction, which may also
//! have a condition of the user that does not hold. A commit that is refused is settled by a release. If that
//! finds the record of another one, the invocation has lost its claim: it is repeated, and does not end the
//! execution. A commit without an answer is not settled: the claim is kept, and the next invocation continues it
//! or finds the result. Work that is completed without a commit sends the same requests and has no effect.
//!
//! In every state that can be reached:
//!
//! - **A** nothing that an invocation sends changes the record after a later one has overtaken it, or after
//!   the work was completed;
//! - **E** an effect exists exactly once for each record that was completed and never without it; no
//!   execution has it twice while its lease holds; and an invocation that ends the execution does it with the
//!   truth about its own effect, unless copies of both its claim and its commit are still on their way;
//! - **S** no execution claims while another one has begun the work and its lease holds, nor while an
//!   invocation of another one runs that was not overtaken;
//! - **R** no invocation is refused by the claim of its own execution;
//! - **N** no copy of a re-entry that arrives late takes the claim from an invocation that it has not seen, or
//!   that has re-entered since;
//! - **L** once all is over and the lease has ended, a claim succeeds, or the work is done.
//!
//! Each rule is there for one of them, or two. One execution with three invocations, and two executions, one
//! of them with two. One request in a history is sent twice, in the full model also two.

use stateright::{HasDiscoveries, Model, Property, Representative};

use super::state::Commit;
use super::{assert_breaks, assert_holds, full};

const WORKERS: usize = 3;
/// How long the lease of an execution is, in ticks. There is one clock: the model of single invocations has
/// their differences.
const LEASE: u8 = 1;
/// How long an invocation waits for the last answer about its commit.
const ANSWER: u8 = 1;
/// The last tick: another execution finds that the lease has ended. What arrives even later can as well arrive
/// now, since nothing claims at a later time.
const LAST: u8 = 2;
/// When every lease has ended.
const END: u8 = LAST + LEASE + 1;

/// What the protocol can be without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Without {
    Nothing,
    /// The attempt in the condition of a completion.
    AttemptOnComplete,
    /// The status in it.
    StatusOnComplete,
    /// One transaction for the effect and the record.
    Transaction,
    /// The release that settles a commit which was refused.
    Settling,
    /// The status in the condition of a release.
    StatusOnRelease,
    /// The reading of the own completed record as success.
    OwnCompletion,
    /// The repetition of an invocation that does not know the outcome.
    Repetition,
    /// An expiration that is not before the end of the lease.
    ExpirationAfterLease,
    /// An expiration that is not before the last answer to a commit.
    ExpirationOnCommit,
    /// The attempt in the condition of a release.
    AttemptOnRelease,
    /// The attempt that was seen, in the condition of a re-entry.
    EarlierOnReentry,
    /// The status in it.
    StatusOnReentry,
    /// An attempt of its own for each re-entry.
    FreshAttempt,
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
    /// How many requests are sent again, in all, when there is no answer.
    repeats: u8,
}

/// What fences the writes of an invocation: its claim has one, and each of its re-entries another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Attempt {
    invocation: usize,
    /// It is that of its latest re-entry, and not that of its claim.
    fresh: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Record {
    execution: usize,
    attempt: Attempt,
    completed: bool,
    /// When the lease ends, or the result expires.
    end: u8,
}

/// What an invocation is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Work {
    NotStarted,
    Claiming,
    /// Continuing the claim of the attempt that it saw.
    Reentering,
    Running,
    Completing,
    /// Finding out, by a conditional release, whether another copy of a refused commit was or will be applied.
    Settling(Refusal),
    /// Its work has failed, which ends the execution.
    Releasing,
    /// It has suspended, given up, or ended the execution; or it is dead.
    Over,
}

/// Whose condition did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Refusal {
    User,
    Record,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Worker {
    execution: usize,
    work: Work,
    /// The time at which it claimed.
    now: u8,
    /// When its work is stopped, or when it has the last answer about its commit.
    limit: u8,
    /// Another invocation has continued its claim. It changes nothing any more, but it may still run.
    overtaken: bool,
    /// Its attempt is that of its re-entry, and no longer that of its claim.
    fresh: bool,
    /// Requests on their way.
    claims: u8,
    completes: u8,
    releases: u8,
    reentry: Reentry,
    commit: Commit,
}

/// The latest re-entry of an invocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Reentry {
    /// Copies on their way.
    copies: u8,
    /// The attempt that it continues, as long as that can still be in the record.
    earlier: Option<Attempt>,
    /// The invocation that it saw has re-entered since.
    outdated: bool,
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
    /// When the lease ends under which an execution has had its effect.
    done: [Option<u8>; 2],
    repeats: u8,
    /// The properties that the last step broke.
    broken: &'static [&'static str],
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
    /// A commit arrives, and the condition of the user does not hold.
    Refuse(usize),
    Suspend(usize),
    Succeed(usize),
    Fail(usize),
}

impl Durable {
    fn is_free(&self, record: Option<Record>, now: u8) -> bool {
        record.is_none_or(|record| self.without != Without::LeaseEnd && record.end < now)
    }

    /// An invocation was refused, or a copy of its request was: it sees the record.
    fn look(&self, state: &mut State, at: usize) {
        let attempt = state.attempt(at);
        let worker = &mut state.workers[at];
        worker.work = Work::Over;
        let Some(record) = state.record else { return };
        let is_own = record.execution == worker.execution;
        let is_earlier = record.attempt.invocation != at;
        if record.completed {
            state.concluded[worker.execution] = true;
        } else if is_own && record.attempt == attempt && self.without != Without::OwnAttempt {
            self.run(state, at);
        } else if is_own && is_earlier && self.without != Without::Reentry {
            self.reenter(state, at, record.attempt);
        } else if is_own {
            state.broken = &["R"];
        } else {
            // It is refused by another execution, and fails.
            state.concluded[worker.execution] = true;
        }
    }

    /// An invocation continues the claim of an earlier attempt.
    fn reenter(&self, state: &mut State, at: usize, earlier: Attempt) {
        // It has an attempt that was never written. No copy of its last re-entry is on its way, so that the attempt
        // of that one is gone for good: what would continue it is refused.
        let last = Attempt { invocation: at, fresh: true };
        for worker in &mut state.workers {
            worker.reentry.earlier = worker.reentry.earlier.filter(|seen| *seen != last);
        }
        let worker = &mut state.workers[at];
        worker.work = Work::Reentering;
        worker.fresh = self.without != Without::FreshAttempt;
        worker.reentry = Reentry { copies: 1, earlier: Some(earlier), outdated: false };
    }

    /// An invocation knows that the claim is its own.
    fn run(&self, state: &mut State, at: usize) {
        let lease_end = state.record.map_or(state.time, |record| record.end);
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

    /// A commit arrives: the record is completed and the effect takes place, or neither.
    fn commit(&self, state: &mut State, at: usize, answered: bool) {
        let attempt = state.attempt(at);
        let worker = &mut state.workers[at];
        worker.completes -= 1;
        let (execution, last_answer) = (worker.execution, worker.limit);
        let applies = |record: &Record| {
            record.execution == execution
                && (record.attempt == attempt || self.without == Without::AttemptOnComplete)
                && (!record.completed || self.without == Without::StatusOnComplete)
        };
        let applied = state.record.as_ref().is_some_and(applies);
        if let Some(record) = state.record.as_mut().filter(|_| applied) {
            if state.done[execution].is_some_and(|end| end >= state.time) {
                state.broken = &["E"];
            }
            if record.completed || record.attempt != attempt {
                state.broken = &["A"];
            }
            // Only its own record is evidence of an effect.
            let is_own = record.attempt == attempt && !record.completed;
            worker.commit.completions += u8::from(is_own);
            worker.commit.effects += u8::from(self.without != Without::Transaction);
            state.done[execution] = Some(record.end);
            record.completed = true;
            let lease_end =
                if self.without == Without::ExpirationAfterLease { 0 } else { record.end };
            let last_answer =
                if self.without == Without::ExpirationOnCommit { 0 } else { last_answer };
            record.end = state.time.max(lease_end).max(last_answer);
        }
        if answered && state.workers[at].work == Work::Completing {
            if applied || self.is_completed_by(state, at) {
                self.conclude(state, at, Some(true));
            } else {
                self.settle(state, at, Refusal::Record);
            }
        }
    }

    /// Whether the record shows an invocation that its commit was applied.
    fn is_completed_by(&self, state: &State, at: usize) -> bool {
        let is_own = |record: Record| record.completed && record.attempt == state.attempt(at);
        state.record.is_some_and(is_own) && self.without != Without::OwnCompletion
    }

    /// A commit was not applied, as far as its answer shows.
    fn settle(&self, state: &mut State, at: usize, refusal: Refusal) {
        if self.without == Without::Settling {
            self.settled(state, at, refusal);
        } else {
            let worker = &mut state.workers[at];
            worker.work = Work::Settling(refusal);
            worker.releases += 1;
        }
    }

    /// An invocation knows that nothing of it is in progress any more, and sees the record.
    fn settled(&self, state: &mut State, at: usize, refusal: Refusal) {
        let attempt = state.attempt(at);
        let is_lost = state.record.is_some_and(|record| record.attempt != attempt);
        let told = match refusal {
            _ if self.is_completed_by(state, at) => Some(true),
            // Who has the record decides what becomes of the execution, and the invocation is repeated.
            Refusal::User if is_lost => None,
            Refusal::User => Some(false),
            Refusal::Record => None,
        };
        self.conclude(state, at, told);
    }

    /// An invocation ends. The execution ends with it, and is told whether there is an effect; or the invocation
    /// does not know that, and is repeated.
    fn conclude(&self, state: &mut State, at: usize, told: Option<bool>) {
        let told = told.or((self.without == Without::Repetition).then_some(false));
        let worker = &mut state.workers[at];
        worker.work = Work::Over;
        state.concluded[worker.execution] |= told.is_some();
        // A copy of its claim that is still on its way can renew what a release has ended, and a late copy of its
        // commit complete that: the execution is told too early. It takes two requests that are sent twice.
        let is_early = worker.claims > 0 && worker.completes > 0;
        worker.commit.told = told.filter(|applied| *applied || !is_early);
    }

    fn arrive(&self, state: &mut State, at: usize, request: Request, answered: bool) {
        let worker = state.workers[at];
        let execution = worker.execution;
        let held = state.record.filter(|it| it.execution == execution && !it.completed);
        let attempt = state.attempt(at);
        let is_own = held.is_some_and(|record| record.attempt == attempt);
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
                        state.broken = &["S"];
                    }
                    let attempt = Attempt { invocation: at, fresh: false };
                    let end = worker.now + LEASE;
                    state.record = Some(Record { execution, attempt, completed: false, end });
                }
                if answered && matches!(worker.work, Work::Claiming) {
                    if granted { self.run(state, at) } else { self.look(state, at) }
                }
            }
            Request::Reenter => {
                let Reentry { earlier, outdated, .. } = worker.reentry;
                state.workers[at].reentry.copies -= 1;
                let seen = state.record.is_some_and(|record| {
                    record.execution == execution
                        && Some(record.attempt) == earlier
                        && (!record.completed || self.without == Without::StatusOnReentry)
                });
                let applied = seen || held.is_some() && self.without == Without::EarlierOnReentry;
                if let Some(record) = state.record.as_mut().filter(|_| applied) {
                    if record.completed {
                        state.broken = &["A"];
                    }
                    let overtaken = record.attempt.invocation;
                    if (!seen || outdated)
                        && !is_own
                        && state.workers[overtaken].work == Work::Running
                    {
                        state.broken = &["N"];
                    }
                    state.workers[overtaken].overtaken = true;
                    state.workers[at].overtaken = false;
                    record.attempt = attempt;
                    for worker in &mut state.workers {
                        let is_seen = |earlier: Attempt| earlier.invocation == at;
                        worker.reentry.outdated |= worker.reentry.earlier.is_some_and(is_seen);
                    }
                }
                if answered && worker.work == Work::Reentering {
                    if applied || is_own && self.without != Without::OwnAttempt {
                        self.run(state, at);
                    } else {
                        if is_own {
                            state.broken = &["R"];
                        }
                        // Another invocation was faster, or the claim is gone. The model knows one re-entry
                        // of an invocation at a time, and stops where a copy of it is still on its way.
                        match state.workers[at].reentry.copies {
                            0 => state.claim(at),
                            _ => state.workers[at].work = Work::Over,
                        }
                    }
                }
            }
            Request::Complete => self.commit(state, at, answered),
            Request::Release => {
                state.workers[at].releases -= 1;
                let applies = |record: &Record| {
                    record.execution == execution
                        && (record.attempt == attempt || self.without == Without::AttemptOnRelease)
                        && (!record.completed || self.without == Without::StatusOnRelease)
                };
                if let Some(record) = state.record.take_if(|record| applies(record)) {
                    if record.completed {
                        state.broken = &["A", "E"];
                    } else if record.attempt != attempt {
                        state.broken = &["A"];
                    }
                }
                match worker.work {
                    Work::Releasing if answered => state.workers[at].work = Work::Over,
                    Work::Settling(refusal) if answered => self.settled(state, at, refusal),
                    _ => {}
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
            fresh: false,
            claims: 0,
            completes: 0,
            releases: 0,
            reentry: Reentry::default(),
            commit: Commit::default(),
        });
        let (begun, done, concluded) = ([None; 2], [None; 2], [false; 2]);
        vec![State {
            time: 0,
            record: None,
            workers,
            begun,
            concluded,
            done,
            repeats: self.repeats,
            broken: &[],
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if !state.broken.is_empty() {
            return;
        }
        // Who runs at the end of its lease, or waits for its last answer, is stopped before the clock goes on.
        let stops = |work| matches!(work, Work::Running | Work::Completing | Work::Settling(_));
        let late = |it: &Worker| stops(it.work) && state.time >= it.limit;
        if state.time < LAST && !state.workers.iter().any(late) {
            steps.push(Step::Tick);
        }
        for (at, worker) in state.workers.iter().enumerate() {
            match worker.work {
                Work::NotStarted => {
                    if !state.concluded[worker.execution] {
                        steps.push(Step::Start(at));
                    }
                    continue;
                }
                Work::Claiming | Work::Reentering | Work::Completing | Work::Settling(_) => {
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
                (worker.reentry.copies, Request::Reenter),
                (worker.completes, Request::Complete),
                (worker.releases, Request::Release),
            ];
            for (_, request) in waiting.into_iter().filter(|(count, _)| *count > 0) {
                steps.push(Step::Arrive(at, request, true));
                if worker.work != Work::Over {
                    steps.push(Step::Arrive(at, request, false));
                }
            }
            // Where the condition of the record does not hold, that takes precedence.
            let attempt = state.attempt(at);
            let held = state.record.is_some_and(|it| it.attempt == attempt && !it.completed);
            if worker.completes > 0 && worker.work == Work::Completing && held {
                steps.push(Step::Refuse(at));
            }
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        match step {
            Step::Tick => state.time += 1,
            Step::Start(at) => state.claim(at),
            Step::Send(at) => {
                state.repeats -= 1;
                let worker = &mut state.workers[at];
                match worker.work {
                    Work::Claiming => worker.claims += 1,
                    Work::Reentering => worker.reentry.copies += 1,
                    Work::Completing => worker.completes += 1,
                    Work::Settling(_) => worker.releases += 1,
                    _ => return None,
                }
            }
            Step::GiveUp(at) => {
                let worker = &mut state.workers[at];
                match worker.work {
                    // Nothing has begun under a claim without an answer.
                    Work::Claiming => worker.releases += 1,
                    Work::Completing if self.without == Without::HoldOnDoubt => {
                        worker.releases += 1;
                    }
                    _ => {}
                }
                match worker.work {
                    Work::Completing | Work::Settling(_) => self.conclude(&mut state, at, None),
                    _ => worker.work = Work::Over,
                }
            }
            Step::Arrive(at, request, answered) => self.arrive(&mut state, at, request, answered),
            Step::Refuse(at) => {
                let worker = &mut state.workers[at];
                worker.completes -= 1;
                // The work has failed, and another execution may begin it.
                state.begun[worker.execution] = None;
                self.settle(&mut state, at, Refusal::User);
            }
            Step::Suspend(at) => {
                let worker = &mut state.workers[at];
                worker.releases += u8::from(self.without == Without::HoldOnSuspension);
                worker.work = Work::Over;
            }
            Step::Succeed(at) => {
                let worker = &mut state.workers[at];
                worker.completes = 1;
                worker.limit = state.time + ANSWER;
                worker.commit.effects += u8::from(self.without == Without::Transaction);
                worker.work = Work::Completing;
            }
            Step::Fail(at) => {
                let worker = &mut state.workers[at];
                worker.releases += 1;
                worker.work = Work::Releasing;
                state.concluded[worker.execution] = true;
            }
        }
        state.forget();
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("A", |_, state: &State| !state.broken.contains(&"A")),
            Property::always("E", |_, state: &State| {
                let is_broken = |it: &Worker| it.commit.is_broken();
                !state.broken.contains(&"E") && !state.workers.iter().any(is_broken)
            }),
            Property::always("S", |_, state: &State| !state.broken.contains(&"S")),
            Property::always("R", |_, state: &State| !state.broken.contains(&"R")),
            Property::always("N", |_, state: &State| !state.broken.contains(&"N")),
            Property::always("L", |protocol: &Self, state: &State| {
                let done = state.record.is_some_and(|record| record.completed);
                done || protocol.is_free(state.record, END)
            }),
            // What the others are about does happen.
            Property::sometimes("work that was continued is done", |_, state: &State| {
                state.record.is_some_and(|record| record.completed && record.attempt.fresh)
            }),
            Property::sometimes("two invocations of an execution run", |_, state: &State| {
                let runs = |it: &&Worker| it.work == Work::Running;
                state.workers.iter().filter(runs).count() > 1
            }),
            Property::sometimes(
                "the work is done, and its execution does not know",
                |_, state: &State| {
                    state.record.is_some_and(|record| {
                        record.completed
                            && state.workers[record.attempt.invocation].work == Work::Over
                            && !state.concluded[record.execution]
                    })
                },
            ),
            Property::sometimes(
                "a commit that was refused is applied after all",
                |_, state: &State| {
                    state.record.is_some_and(|record| {
                        let work = state.workers[record.attempt.invocation].work;
                        record.completed && work == Work::Settling(Refusal::User)
                    })
                },
            ),
        ]
    }
}

impl State {
    /// What fences the requests of an invocation now.
    fn attempt(&self, at: usize) -> Attempt {
        Attempt { invocation: at, fresh: self.workers[at].fresh }
    }

    /// An invocation claims the key. Copies of an earlier claim of it may still be on their way. They count as
    /// copies of this one, which succeeds wherever they do.
    fn claim(&mut self, at: usize) {
        let worker = &mut self.workers[at];
        worker.now = self.time;
        worker.claims += 1;
        worker.fresh = false;
        worker.work = Work::Claiming;
    }

    /// Forgets what no longer matters, so that states which differ only in it are one.
    fn forget(&mut self) {
        for end in self.begun.iter_mut().chain(&mut self.done) {
            *end = end.filter(|end| *end >= self.time);
        }
        for worker in &mut self.workers {
            if worker.work == Work::NotStarted && self.concluded[worker.execution] {
                worker.work = Work::Over;
            }
            worker.forget();
        }
    }
}

impl Worker {
    fn forget(&mut self) {
        if self.claims == 0 {
            self.now = 0;
        }
        if self.work != Work::Running {
            self.overtaken = false;
        }
        if !matches!(self.work, Work::Running | Work::Completing | Work::Settling(_)) {
            self.limit = 0;
        }
        if self.work != Work::Reentering && self.reentry.copies == 0 {
            self.reentry = Reentry::default();
        }
        if self.work == Work::Over {
            if self.reentry.copies + self.completes + self.releases == 0 {
                self.fresh = false;
            }
            // Only that there is no effect can become untrue, by a late commit.
            let is_settled = self.completes == 0 || self.commit.told != Some(false);
            if is_settled && !self.commit.is_broken() {
                self.commit = Commit::default();
            }
        }
    }
}

/// Which invocation of an execution is which does not matter. Their attempts have their places.
impl Representative for State {
    fn representative(&self) -> Self {
        let mut order: [usize; WORKERS] = std::array::from_fn(|at| at);
        let holder = self.record.map(|record| record.attempt.invocation);
        order.sort_by_key(|&at| (self.workers[at], holder == Some(at)));
        let place = |old: usize| order.iter().position(|&at| at == old).expect("a permutation");
        let mut state = self.clone();
        state.workers = order.map(|at| self.workers[at]);
        for worker in &mut state.workers {
            if let Some(earlier) = &mut worker.reentry.earlier {
                earlier.invocation = place(earlier.invocation);
            }
        }
        if let Some(record) = &mut state.record {
            record.attempt.invocation = place(record.attempt.invocation);
        }
        state
    }
}

/// An execution with two invocations, and another one.
const TWO: Durable = Durable { without: Without::Nothing, executions: [0, 0, 1], repeats: 1 };
/// One execution with three.
const ONE: Durable = Durable { executions: [0, 0, 0], ..TWO };
/// Where two requests are sent twice. In every state only in the full model.
const TWO_TWICE: Durable = Durable { repeats: 2, ..TWO };
const ONE_TWICE: Durable = Durable { repeats: 2, ..ONE };

#[test]
fn the_protocol_of_durable_executions_holds_in_every_state() {
    let protocols: &[Durable] = match full() {
        true => &[TWO, ONE, TWO_TWICE, ONE_TWICE],
        false => &[TWO, ONE],
    };
    protocols.iter().copied().for_each(assert_holds);
}

#[test]
fn each_rule_of_durable_executions_is_needed() {
    for (without, properties, protocol) in [
        (Without::AttemptOnComplete, &["A", "E"][..], TWO),
        (Without::StatusOnComplete, &["A", "E"], TWO),
        (Without::Transaction, &["E"], TWO),
        (Without::Settling, &["E"], TWO),
        (Without::StatusOnRelease, &["A", "E"], TWO),
        (Without::OwnCompletion, &["E"], TWO),
        (Without::Repetition, &["E"], TWO),
        (Without::ExpirationAfterLease, &["E", "S"], TWO),
        (Without::ExpirationOnCommit, &["E"], TWO),
        (Without::AttemptOnRelease, &["A"], TWO),
        (Without::EarlierOnReentry, &["N"], ONE),
        (Without::StatusOnReentry, &["A"], TWO),
        (Without::FreshAttempt, &["N", "S"], TWO_TWICE),
        (Without::Reentry, &["R"], TWO),
        (Without::OwnAttempt, &["R"], TWO),
        (Without::HoldOnSuspension, &["S"], TWO),
        (Without::HoldOnDoubt, &["S"], TWO),
        (Without::LeaseOfFirst, &["S"], TWO),
        (Without::LeaseEnd, &["L"], TWO),
    ] {
        let protocol = Durable { without, ..protocol };
        // That nothing else breaks takes a look at every state.
        let until = match full() {
            true => HasDiscoveries::All,
            false => HasDiscoveries::AllOf(properties.iter().copied().collect()),
        };
        assert_breaks(protocol, until, &["A", "E", "S", "R", "N", "L"], properties, without);
    }
}
