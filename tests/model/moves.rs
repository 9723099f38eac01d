//! A move of records to another layout of their table.
//!
//! Workers of the old layout and of the new one look for the record of a key in different places. The source
//! of the events is stopped at any time, and goes on with the new layout some time later. Requests are lost,
//! arrive late, or twice; clocks differ; workers die at any moment and are killed some time after their
//! deadline. In every state that can be reached:
//!
//! - **S** no claim of a worker that lives succeeds while the holder of another one, in either layout, does;
//! - **E** no effect takes place by a claim for which an effect in the other layout has a result that had not
//!   expired.
//!
//! Each rule of the move is there for them: without the rule, the model finds a way to break what the rule is
//! for, and nothing else. Two workers by default, and three in the full model where there are not too many
//! states; one request in a history is sent twice.

use stateright::{HasDiscoveries, Model, Property, Representative};

use super::{KILL_DELAY, SKEW, START, TIMEOUT, assert_breaks, assert_holds, full};

const WORKERS: usize = 3;
const OLD: usize = 0;
const NEW: usize = 1;
/// The last tick at which the source is stopped: the first that sees a claim in the old layout lapse.
const LAST_STOP: u8 = START + 2;
/// How many requests are sent again, in all, when there is no answer.
const REPEATS: u8 = 1;

/// What a move can be without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Without {
    Nothing,
    /// The stop of the source.
    Stop,
    /// The end of the old layout when the source goes on: a deployment that is not gradual.
    Switch,
    /// The wait until the last worker that was started before the stop is dead.
    Life,
    /// The wait until what it completed has expired.
    Expiry,
    /// The same for leases that are longer than results are kept.
    Lease,
    /// The allowance for its clock in both.
    Clocks,
    /// The wait until what it sent has arrived.
    Arrival,
}

#[derive(Clone, Copy, Debug)]
struct Move {
    without: Without,
    /// How many workers there are.
    workers: usize,
    /// How long a result is kept.
    kept: u8,
    /// How long a claim excludes others, with its grace.
    lease: u8,
    /// How long a request can be on its way when its sender is dead.
    delay: u8,
}

/// What the source of the events does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Source {
    /// It delivers to the old layout.
    Old,
    /// It is stopped, since this time.
    Stopped(u8),
    /// It delivers to the new layout.
    New,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Record {
    owner: usize,
    completed: bool,
    expiration: u8,
    lease_end: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Work {
    NotStarted,
    Claiming,
    Running,
    Committing,
    /// Finished, refused, given up, or dead.
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Worker {
    work: Work,
    layout: usize,
    /// How far its clock is ahead of the time.
    ahead: u8,
    deadline: u8,
    /// The time of its clock when it sent its claim.
    now: u8,
    /// When the result that it commits expires.
    expiration: u8,
    /// Requests on their way.
    claims: u8,
    commits: u8,
    releases: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    time: u8,
    source: Source,
    /// The record of the key in each layout.
    records: [Option<Record>; 2],
    /// When the result of the last effect in each layout expires; 0 if there was none.
    effects: [u8; 2],
    workers: [Worker; WORKERS],
    repeats: u8,
    /// The property that the last step broke.
    broken: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Claim,
    Commit,
    Release,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Tick,
    Stop,
    /// The source goes on, with the new layout.
    Resume,
    /// A worker of a layout gets the event.
    Start(usize, usize),
    Send(usize),
    /// No answer comes: the claim is released.
    GiveUp(usize),
    /// A request takes effect, and its answer arrives or not.
    Arrive(usize, Request, bool),
    Succeed(usize),
    Fail(usize),
    Die(usize),
}

impl Move {
    /// The first time at which a source that was stopped at `stop` goes on.
    fn resumption(&self, stop: u8) -> u8 {
        let unless = |without, time| if self.without == without { 0 } else { time };
        let life = unless(Without::Life, TIMEOUT + KILL_DELAY);
        let kept = unless(Without::Expiry, self.kept).max(unless(Without::Lease, self.lease));
        let expired = kept + unless(Without::Clocks, SKEW);
        stop + life + expired.max(unless(Without::Arrival, self.delay)) + 1
    }

    /// The last tick at which a worker starts: the first of the new layout, if the source was stopped
    /// as late as it can be.
    fn last_start(&self) -> u8 {
        Self { without: Without::Nothing, ..*self }.resumption(LAST_STOP)
    }

    fn end(&self) -> u8 {
        self.last_start() + TIMEOUT + KILL_DELAY + 1
    }

    /// Whether the source delivers the event to workers of this layout.
    fn delivers(&self, state: &State, layout: usize) -> bool {
        match state.source {
            Source::Old => layout == OLD,
            Source::Stopped(_) => layout == OLD && self.without == Without::Stop,
            Source::New => layout == NEW || self.without == Without::Switch,
        }
    }

    fn arrive(&self, state: &mut State, at: usize, request: Request, answered: bool) {
        let worker = state.workers[at];
        let layout = worker.layout;
        let is_own = state.records[layout].is_some_and(|it| it.owner == at && !it.completed);
        match request {
            Request::Claim => {
                state.workers[at].claims -= 1;
                let granted = state.records[layout].is_none_or(|it| it.is_free(worker.now));
                if granted {
                    let live = |it: Record| {
                        it.owner != at && !it.completed && state.workers[it.owner].is_alive()
                    };
                    if worker.is_alive() && state.records.into_iter().flatten().any(live) {
                        state.broken = Some("S");
                    }
                    let lease_end = worker.now + self.lease;
                    let expiration = lease_end.max(worker.now + self.kept);
                    state.records[layout] =
                        Some(Record { owner: at, completed: false, expiration, lease_end });
                }
                if answered && worker.work == Work::Claiming {
                    let runs = granted || is_own;
                    state.workers[at].work = if runs { Work::Running } else { Work::Over };
                }
            }
            Request::Commit => {
                state.workers[at].commits -= 1;
                if let Some(record) = state.records[layout].as_mut().filter(|_| is_own) {
                    if state.effects[1 - layout] >= worker.now {
                        state.broken = Some("E");
                    }
                    record.completed = true;
                    record.expiration = worker.expiration.max(record.lease_end);
                    state.effects[layout] = record.expiration;
                }
                if answered {
                    state.workers[at].work = Work::Over;
                }
            }
            Request::Release => {
                state.workers[at].releases -= 1;
                if is_own {
                    state.records[layout] = None;
                }
            }
        }
    }
}

impl Model for Move {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let worker = |at, ahead| Worker {
            work: if at < self.workers { Work::NotStarted } else { Work::Over },
            layout: OLD,
            ahead,
            deadline: 0,
            now: 0,
            expiration: 0,
            claims: 0,
            commits: 0,
            releases: 0,
        };
        let clocks = (0..1 << self.workers).map(|bits: u8| {
            std::array::from_fn(|at| worker(at, if bits >> at & 1 == 1 { SKEW } else { 0 }))
        });
        let state = |workers| State {
            time: START,
            source: Source::Old,
            records: [None; 2],
            effects: [0; 2],
            workers,
            repeats: REPEATS,
            broken: None,
        };
        clocks.map(state).collect()
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if state.broken.is_some() {
            return;
        }
        // Who has outlived the deadline for too long is dead before the clock goes on.
        let overdue = |it: &Worker| it.is_alive() && state.time >= it.deadline + KILL_DELAY;
        if state.time < self.end() && !state.workers.iter().any(overdue) {
            steps.push(Step::Tick);
        }
        match state.source {
            Source::Old if state.time <= LAST_STOP => steps.push(Step::Stop),
            Source::Stopped(stop) if state.time >= self.resumption(stop) => {
                steps.push(Step::Resume);
            }
            _ => {}
        }
        for (at, worker) in state.workers.iter().enumerate() {
            match worker.work {
                Work::NotStarted if state.time <= self.last_start() => {
                    let layouts = [OLD, NEW].into_iter().filter(|&it| self.delivers(state, it));
                    steps.extend(layouts.map(|layout| Step::Start(at, layout)));
                }
                Work::Claiming | Work::Committing => {
                    if state.repeats > 0 {
                        steps.push(Step::Send(at));
                    }
                    steps.push(Step::GiveUp(at));
                }
                Work::Running => steps.extend([Step::Succeed(at), Step::Fail(at)]),
                _ => {}
            }
            if worker.is_alive() {
                steps.push(Step::Die(at));
            }
            let waiting = [
                (worker.claims, Request::Claim, worker.work == Work::Claiming),
                (worker.commits, Request::Commit, worker.work == Work::Committing),
                (worker.releases, Request::Release, false),
            ];
            for (_, request, waits) in waiting.into_iter().filter(|(count, ..)| *count > 0) {
                steps.push(Step::Arrive(at, request, false));
                if waits {
                    steps.push(Step::Arrive(at, request, true));
                }
            }
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        match step {
            Step::Tick => {
                state.time += 1;
                for worker in &mut state.workers {
                    // What has not arrived by then is lost.
                    if state.time > worker.deadline + KILL_DELAY + self.delay {
                        (worker.claims, worker.commits, worker.releases) = (0, 0, 0);
                    }
                }
            }
            Step::Stop => state.source = Source::Stopped(state.time),
            Step::Resume => state.source = Source::New,
            Step::Start(at, layout) => {
                let worker = &mut state.workers[at];
                worker.layout = layout;
                worker.deadline = state.time + TIMEOUT;
                worker.now = state.time + worker.ahead;
                worker.claims = 1;
                worker.work = Work::Claiming;
            }
            Step::Send(at) => {
                state.repeats -= 1;
                let worker = &mut state.workers[at];
                match worker.work {
                    Work::Claiming => worker.claims += 1,
                    _ => worker.commits += 1,
                }
            }
            Step::GiveUp(at) | Step::Fail(at) => {
                let worker = &mut state.workers[at];
                worker.releases = 1;
                worker.work = Work::Over;
            }
            Step::Arrive(at, request, answered) => self.arrive(&mut state, at, request, answered),
            Step::Succeed(at) => {
                let worker = &mut state.workers[at];
                worker.expiration = state.time + worker.ahead + self.kept;
                worker.commits = 1;
                worker.work = Work::Committing;
            }
            Step::Die(at) => state.workers[at].work = Work::Over,
        }
        state.workers.iter_mut().for_each(Worker::forget);
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("S", |_, state: &State| state.broken != Some("S")),
            Property::always("E", |_, state: &State| state.broken != Some("E")),
            // What the others are about does happen.
            Property::sometimes("the work is done in both layouts", |_, state: &State| {
                state.records.iter().flatten().filter(|record| record.completed).count() == 2
            }),
            Property::sometimes("a commit arrives after its worker", |_, state: &State| {
                let late = |it: &Worker| it.commits > 0 && state.time > it.deadline + KILL_DELAY;
                state.workers.iter().any(late)
            }),
        ]
    }
}

impl Record {
    fn is_free(&self, now: u8) -> bool {
        self.expiration < now || !self.completed && self.lease_end < now
    }
}

impl Worker {
    /// Whether its claim is, or may still become, the right to run.
    fn is_alive(&self) -> bool {
        !matches!(self.work, Work::NotStarted | Work::Over)
    }

    /// Forgets what no longer matters, so that states which differ only in it are one.
    fn forget(&mut self) {
        if self.work == Work::Over && self.claims + self.commits == 0 {
            self.now = 0;
            self.expiration = 0;
            self.ahead = 0;
            if self.releases == 0 {
                self.layout = OLD;
                self.deadline = 0;
            }
        }
    }
}

/// Which worker is which does not matter.
impl Representative for State {
    fn representative(&self) -> Self {
        let mut order: [usize; WORKERS] = std::array::from_fn(|at| at);
        let owners = self.records.map(|record| record.map(|record| record.owner));
        order.sort_by_key(|&at| (self.workers[at], owners.map(|owner| owner == Some(at))));
        let mut state = self.clone();
        state.workers = order.map(|at| self.workers[at]);
        for record in state.records.iter_mut().flatten() {
            record.owner = order.iter().position(|&at| at == record.owner).expect("a permutation");
        }
        state
    }
}

/// The shortest lease that a worker cannot outlive, whatever its clock shows.
const SHORTEST: u8 = TIMEOUT + SKEW + KILL_DELAY;
/// Results are kept for longer than the lease, and than a request can be on its way.
const KEPT: Move =
    Move { without: Without::Nothing, workers: 2, kept: SHORTEST + 1, lease: SHORTEST, delay: 1 };
/// The lease is longer than the others.
const LEASED: Move = Move { kept: 1, lease: SHORTEST + 2, ..KEPT };
/// A request can be on its way for longer.
const LATE: Move = Move { kept: 1, delay: SHORTEST + 2, ..KEPT };
/// Three workers. Of the others there would be too many states.
const FULL: Move = Move { workers: WORKERS, ..KEPT };

#[test]
fn a_move_holds_in_every_state() {
    let protocols: &[Move] = match full() {
        true => &[KEPT, LEASED, LATE, FULL],
        false => &[KEPT, LEASED, LATE],
    };
    protocols.iter().copied().for_each(assert_holds);
}

#[test]
fn each_rule_of_a_move_is_needed() {
    for (without, properties, protocol) in [
        (Without::Stop, &["E", "S"][..], KEPT),
        (Without::Switch, &["E", "S"], KEPT),
        (Without::Life, &["E"], KEPT),
        (Without::Expiry, &["E"], KEPT),
        (Without::Lease, &["E"], LEASED),
        (Without::Clocks, &["E"], KEPT),
        (Without::Arrival, &["E"], LATE),
    ] {
        let protocol = Move { without, ..protocol };
        // That nothing else breaks takes a look at every state.
        assert_breaks(protocol, HasDiscoveries::All, &["E", "S"], properties, without);
    }
}
