//! What happens in a history, and what must not.
//!
//! - **S** No claim takes effect while the holder of another one may still run, and nobody but its
//!   owner changes a record.
//! - Two runs never overlap, and one begins only with its own claim in the store. While a finished
//!   record counts, nothing runs, and its claim is not judged by a clock that is wrong.
//! - **R** Nobody is refused by their own claim.
//! - After a handler succeeded nothing deletes its record, and who gets its own result finds it
//!   saved.
//! - A claim is given back once when its run failed or was stopped, when nobody knows whether it
//!   was granted, and when its caller went away; an answer that has expired is not given again.
//! - Every call ends by its deadline, with the result of a run that succeeded, made from its own
//!   payload, or with an error that fits what happened.
//! - **L** Once all is quiet, a call gets through.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use powertools::Clock;
use powertools::idempotency::store::Outcome;
use powertools::idempotency::{
    EpochMillis, EpochSeconds, Error, MemoryStore, Record, Status, Store, StoreErrorKind,
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::SKEW;
use super::link::{Answer, Request};
use super::random::Random;

/// When histories begin, in milliseconds since the epoch.
const EPOCH: u64 = 1_800_000_000_000;

/// What must happen in some history, or the test shows less than it says.
pub(super) const NEEDED: [&str; 14] = [
    "a run of one's own",
    "a replay",
    "a lapsed claim taken over",
    "an expired record taken over",
    "an own claim recognised",
    "an orphan",
    "a completion refused",
    "killed",
    "cancelled",
    "failed",
    "panicked",
    "InProgress",
    "PayloadChanged",
    "OutOfTime",
];

/// The choices that hold for a whole history.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) workers: usize,
    pub(super) lease: Option<Duration>,
    pub(super) expires_after: Duration,
    pub(super) holds: bool,
    pub(super) waits: bool,
    pub(super) caches: bool,
    /// How often something happens to a request, in percent.
    pub(super) trouble: u64,
    returns_old: bool,
    skew: u64,
    random: Mutex<Random>,
}

impl Plan {
    pub(super) fn new(mut random: Random) -> Self {
        let lease = random.chance(20).then(|| Duration::from_millis(random.within(500, 4_000)));
        Self {
            workers: random.within(3, 5) as usize,
            lease,
            expires_after: Duration::from_secs(if random.chance(50) { 1 } else { 3600 }),
            holds: random.chance(20),
            waits: random.chance(30),
            caches: random.chance(20),
            trouble: [0, 10, 25, 40][random.within(0, 3) as usize],
            returns_old: random.chance(50),
            // A lease of its own length has no grace: it wants clocks that agree.
            skew: if lease.is_some() { 0 } else { SKEW },
            random: Mutex::new(random),
        }
    }

    /// Whether work that is stopped keeps its claim.
    fn holds(&self) -> bool {
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
    started: u64,
    over: bool,
    cancelled: bool,
    run: Run,
    /// How often it sent each.
    claims: u32,
    releases: u32,
    /// When the record expires that it finished.
    expiration: Option<EpochSeconds>,
    /// The last record that the store showed it, if it showed anything.
    heard: Option<Option<Record>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Run {
    None,
    Running,
    Succeeded,
    Failed,
    Stopped,
}

pub(super) struct World {
    pub(super) plan: Plan,
    start: Instant,
    records: MemoryStore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    attempts: Vec<Attempt>,
    /// Which attempt an owner is.
    owners: HashMap<String, usize>,
    log: Vec<String>,
    broken: Option<String>,
    seen: BTreeMap<&'static str, u64>,
}

impl State {
    fn see(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    /// The attempt that a record belongs to.
    fn owner(&self, record: &Record) -> usize {
        self.owners[record.owner.as_ref().expect("each record here has an owner")]
    }

    fn describe(&self, record: Option<&Record>) -> String {
        let Some(record) = record else { return "nothing".to_owned() };
        let lease = record.in_progress_expiration.map_or(0, |end| end.0 - EPOCH);
        let expiration = record.expiration.map_or(0, |end| end.0 * 1000 - EPOCH);
        let status = record.status.as_str();
        format!("{status} of {}, lease {lease}, expiration {expiration}", self.owner(record))
    }
}

impl World {
    pub(super) fn new(plan: Plan) -> Arc<Self> {
        let first = format!("{plan:?}");
        let state = State { log: vec![first], ..State::default() };
        let state = Mutex::new(state);
        Arc::new(Self { plan, start: Instant::now(), records: MemoryStore::new(), state })
    }

    pub(super) fn draw<T>(&self, choose: impl FnOnce(&mut Random) -> T) -> T {
        choose(&mut self.plan.random.lock().unwrap())
    }

    /// Milliseconds since the history began.
    pub(super) fn now(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    pub(super) fn time_at(&self, millis: u64) -> SystemTime {
        EpochMillis(EPOCH + millis).to_system_time()
    }

    pub(super) fn clock(self: &Arc<Self>, ahead: u64) -> Clock {
        let world = self.clone();
        Clock::from_fn(move || world.time_at(world.now() + ahead))
    }

    pub(super) fn log(&self) -> Vec<String> {
        self.state().log.clone()
    }

    pub(super) fn broken(&self) -> Option<String> {
        self.state().broken.clone()
    }

    pub(super) fn seen(&self) -> BTreeMap<&'static str, u64> {
        self.state().seen.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn note(&self, state: &mut State, attempt: usize, what: &str) {
        state.log.push(format!("{:6} {attempt:2} {what}", self.now()));
    }

    /// Notes what is wrong unless it holds. The first one counts.
    fn check(&self, state: &mut State, attempt: usize, holds: bool, rule: &str) {
        if !holds {
            self.note(state, attempt, &format!("BROKEN: {rule}"));
            let now = self.now();
            state.broken.get_or_insert_with(|| format!("at {now}, invocation {attempt}: {rule}"));
        }
    }

    /// An invocation begins.
    pub(super) fn start(&self, worker: usize) -> Attempt {
        let now = self.now();
        let (time, ahead, payload) = self.draw(|random| {
            let ahead = random.within(0, self.plan.skew);
            (random.within(600, 4_000), ahead, if random.chance(8) { 20 } else { 10 })
        });
        let state = &mut *self.state();
        let attempt = Attempt {
            id: state.attempts.len(),
            payload,
            deadline: now + time,
            deadline_ahead: ahead,
            // Each worker has its own clock: the first one's is right, the second one's wrong.
            clock_ahead: self.plan.skew * (worker as u64 % 3) / 2,
            started: now,
            over: false,
            cancelled: false,
            run: Run::None,
            claims: 0,
            releases: 0,
            expiration: None,
            heard: None,
        };
        let what = format!("starts on worker {worker}: {attempt:?}");
        self.note(state, attempt.id, &what);
        state.attempts.push(attempt.clone());
        attempt
    }

    /// A request leaves.
    pub(super) fn sent(&self, attempt: usize, request: &Request) {
        let state = &mut *self.state();
        let this = &mut state.attempts[attempt];
        match request {
            Request::Claim(_) => this.claims += 1,
            Request::Complete(completion) => this.expiration = Some(completion.expiration),
            Request::Release(_) => this.releases += 1,
            Request::Read(_) => {}
        }
        if let Request::Claim(claim) = request {
            state.owners.insert(claim.owner.as_str().to_owned(), attempt);
            let ahead = state.attempts[attempt].clock_ahead;
            let honest = claim.now.0 == EPOCH + self.now() + ahead;
            self.check(state, attempt, honest, "a claim is judged by the time at which it is made");
        }
        self.note(state, attempt, &format!("sends {}", name(request)));
    }

    /// An answer reaches its process.
    pub(super) fn heard(&self, attempt: usize, answer: &Answer) {
        let state = &mut *self.state();
        match answer {
            Answer::Write(Outcome::Refused(Some(record))) => {
                state.attempts[attempt].heard = Some(Some((**record).clone()));
            }
            Answer::Read(record) => state.attempts[attempt].heard = Some(record.clone()),
            Answer::Write(_) => {}
        }
        let what = match answer {
            Answer::Write(Outcome::Applied) => "hears yes".to_owned(),
            Answer::Write(Outcome::Refused(record)) => {
                format!("hears no: {}", state.describe(record.as_deref()))
            }
            Answer::Read(record) => format!("reads {}", state.describe(record.as_ref())),
        };
        self.note(state, attempt, &what);
    }

    /// A request takes effect.
    pub(super) async fn arrive(&self, attempt: usize, request: &Request) -> Answer {
        let before = self.record();
        let outcome = match request {
            Request::Claim(claim) => self.records.claim(claim).await,
            Request::Complete(completion) => self.records.complete(completion).await,
            Request::Release(release) => self.records.release(release).await,
            Request::Read(read) => return Answer::Read(self.records.read(read).await.unwrap()),
        };
        let outcome = outcome.expect("records in memory");
        let applied = outcome == Outcome::Applied;

        let state = &mut *self.state();
        let verdict = if applied { "is done" } else { "is refused" };
        let what = format!("{} {verdict} on {}", name(request), state.describe(before.as_ref()));
        self.note(state, attempt, &what);
        match request {
            Request::Complete(_) if !applied => state.see("a completion refused"),
            Request::Claim(claim) if applied => {
                if state.attempts[attempt].over {
                    state.see("an orphan");
                }
                if let Some(before) = &before {
                    self.check_takeover(state, attempt, before, claim.now);
                }
            }
            _ if applied => {
                let holder = before.as_ref().map(|record| state.owner(record));
                let own = holder == Some(attempt);
                self.check(state, attempt, own, "S: only the owner changes a record");
                let run = state.attempts[attempt].run;
                if let Request::Release(_) = request {
                    let may = !matches!(run, Run::Succeeded | Run::Running);
                    self.check(state, attempt, may, "no run is released that succeeded or goes on");
                } else {
                    let may = run == Run::Succeeded;
                    self.check(state, attempt, may, "nothing is finished but a run that succeeded");
                }
            }
            _ => {}
        }
        match outcome {
            Outcome::Refused(_) if !self.plan.returns_old => Answer::Write(Outcome::Refused(None)),
            outcome => Answer::Write(outcome),
        }
    }

    /// A claim has replaced a record.
    fn check_takeover(&self, state: &mut State, attempt: usize, before: &Record, now: EpochMillis) {
        let holder = state.owner(before);
        if before.status == Status::Completed {
            let expired = before.expiration.is_some_and(|end| end < now.floor());
            self.check(state, attempt, expired, "a finished record counts until it expires");
            state.see("an expired record taken over");
            return;
        }
        if holder == attempt {
            return;
        }
        let lapsed = before.in_progress_expiration.is_some_and(|end| end < now);
        self.check(state, attempt, lapsed, "S: a claim holds until its lease ends");
        let Attempt { over, run, .. } = state.attempts[holder];
        // Work can outlive its invocation's lease only by saving past one of its own length.
        let idle = if self.plan.lease.is_some() { run != Run::Running } else { over };
        self.check(state, attempt, idle, "S: a claim holds while its worker may run");
        state.see("a lapsed claim taken over");
    }

    /// The handler begins.
    pub(super) fn begin(self: &Arc<Self>, attempt: usize) -> Running {
        let record = self.record();
        let state = &mut *self.state();
        self.note(state, attempt, "runs");
        let alone = state.attempts.iter().all(|other| other.run != Run::Running);
        self.check(state, attempt, alone, "two runs never overlap");
        let held = record.is_some_and(|record| {
            record.status == Status::InProgress && state.owner(&record) == attempt
        });
        self.check(state, attempt, held, "a run begins with its own claim in the store");
        if let Some(Some(record)) = &state.attempts[attempt].heard
            && state.owner(record) == attempt
        {
            state.see("an own claim recognised");
        }
        self.check(state, attempt, state.attempts[attempt].run == Run::None, "a call runs once");
        state.attempts[attempt].run = Run::Running;
        Running { world: self.clone(), attempt }
    }

    fn stop(&self, attempt: usize, how: Run) {
        let state = &mut *self.state();
        if state.attempts[attempt].run == Run::Running {
            state.attempts[attempt].run = how;
            self.note(state, attempt, &format!("{how:?}"));
        }
    }

    /// An invocation ends.
    pub(super) fn end(&self, attempt: usize, end: &End) {
        if matches!(end, End::Killed) {
            self.stop(attempt, Run::Stopped);
        }
        let record = self.record();
        let state = &mut *self.state();
        let (seen, what) = match end {
            End::Result(receipt) if receipt.run == attempt => ("a run of one's own", None),
            End::Result(receipt) => ("a replay", Some(format!("{receipt:?}"))),
            End::Failure(_) => ("failed", None),
            End::Panic => ("panicked", None),
            End::Cancelled => ("cancelled", None),
            End::Killed => ("killed", None),
            End::Error(error) => {
                let name = error.error_type().strip_prefix("Powertools.Idempotency").unwrap();
                (name, Some(error.to_string()))
            }
        };
        state.see(seen);
        self.note(state, attempt, &format!("ends: {seen} {}", what.unwrap_or_default()));

        let this = &mut state.attempts[attempt];
        this.over = true;
        this.cancelled = matches!(end, End::Cancelled);
        let Attempt { run, payload, deadline, deadline_ahead, clock_ahead, .. } = *this;
        let heard = this.heard.clone();
        let seen_owner = heard.iter().flatten().map(|record| state.owner(record)).next();

        // By its own clock, and as it was told.
        let in_time = self.now() + clock_ahead <= deadline + deadline_ahead;
        self.check(state, attempt, in_time, "a call ends by its deadline");

        let fits = match end {
            End::Result(receipt) => {
                let source = state.attempts[receipt.run].run;
                let saved = receipt.run != attempt || self.is_saved(state, attempt, record);
                let fresh = receipt.run == attempt || self.is_fresh(state, attempt, receipt.run);
                source == Run::Succeeded && receipt.payload == payload && saved && fresh
            }
            End::Failure(id) => *id == attempt && run == Run::Failed,
            End::Panic => run == Run::Failed,
            End::Cancelled | End::Killed => true,
            End::Error(error) => match error {
                Error::InProgress { .. } => {
                    run == Run::None && seen_owner.is_some_and(|owner| owner != attempt)
                }
                Error::PayloadChanged { .. } => {
                    let other = seen_owner.map(|owner| state.attempts[owner].payload);
                    run == Run::None
                        && (self.plan.caches || other.is_some_and(|other| other != payload))
                }
                Error::Contended { .. } | Error::NoTime { .. } | Error::Store(_) => {
                    run == Run::None
                }
                Error::OutOfTime { .. } => matches!(run, Run::None | Run::Stopped),
                Error::LeaseExpired { .. } => {
                    self.plan.lease.is_some() && matches!(run, Run::None | Run::Stopped)
                }
                Error::LeaseLost { .. } => {
                    run == Run::Succeeded && seen_owner.is_some_and(|owner| owner != attempt)
                }
                Error::RecordGone { .. } => run == Run::Succeeded && heard == Some(None),
                Error::NotSaved { .. } => run == Run::Succeeded,
                _ => false,
            },
        };
        self.check(state, attempt, fits, "how a call ends fits what happened");
        self.check_given_back(state, attempt, end);
    }

    /// Whether the claim was given back, or left alone, as the end of its call wants it.
    fn check_given_back(&self, state: &mut State, attempt: usize, end: &End) {
        let Attempt { run, releases, .. } = state.attempts[attempt];
        let wanted = match end {
            End::Failure(_) | End::Panic => 1,
            End::Error(Error::OutOfTime { .. } | Error::LeaseExpired { .. }) => {
                u32::from(run == Run::None || !self.plan.holds())
            }
            // What failed may also have been a look at the record of another.
            End::Error(Error::Store(_)) if self.plan.waits => return,
            End::Error(Error::Store(error)) => {
                u32::from(error.kind() != StoreErrorKind::AccessDenied)
            }
            End::Result(_) | End::Error(_) => 0,
            // After its end.
            End::Cancelled | End::Killed => return,
        };
        self.check(state, attempt, releases == wanted, "a claim is given back when it must be");
    }

    /// Whether the answer of an earlier run still counted when this call began.
    fn is_fresh(&self, state: &State, attempt: usize, run: usize) -> bool {
        let Attempt { started, clock_ahead, .. } = state.attempts[attempt];
        let began = EpochMillis(EPOCH + started + clock_ahead).floor();
        state.attempts[run].expiration.is_some_and(|end| end >= began)
    }

    /// Whether the result of this attempt is in the store, or was until it expired.
    fn is_saved(&self, state: &State, attempt: usize, record: Option<Record>) -> bool {
        let Some(record) = record else { return self.plan.expires_after < Duration::from_secs(60) };
        let own = state.owner(&record) == attempt && record.status == Status::Completed;
        own || self.plan.expires_after < Duration::from_secs(60)
    }

    /// How the call ended that came when all was quiet.
    pub(super) fn check_last(&self, end: &End) {
        let state = &mut *self.state();
        for attempt in 0..state.attempts.len() {
            let Attempt { cancelled, run, claims, releases, .. } = state.attempts[attempt];
            let wanted = match run {
                Run::None => claims > 0,
                Run::Stopped => !self.plan.holds(),
                // It was being given back, or saved, already.
                Run::Running | Run::Succeeded | Run::Failed => continue,
            };
            let given_back = !cancelled || releases > 0 || !wanted;
            self.check(state, attempt, given_back, "a claim is given back when its caller leaves");
        }
        let last = state.attempts.len() - 1;
        // A handler may fail, and the work may have been done with another payload.
        let through = match end {
            End::Error(Error::PayloadChanged { .. }) => true,
            End::Error(Error::OutOfTime { .. } | Error::LeaseExpired { .. }) => true,
            End::Error(Error::NoTime { .. }) => true,
            End::Error(_) => false,
            _ => true,
        };
        self.check(state, last, through, "L: when all is quiet, a call gets through");
    }

    fn record(&self) -> Option<Record> {
        self.records.snapshot().pop().map(|(_, record)| record)
    }
}

fn name(request: &Request) -> &'static str {
    match request {
        Request::Claim(_) => "claim",
        Request::Complete(_) => "completion",
        Request::Release(_) => "release",
        Request::Read(_) => "read",
    }
}

/// A handler that runs. It was stopped if it is dropped.
pub(super) struct Running {
    world: Arc<World>,
    attempt: usize,
}

impl Running {
    pub(super) fn succeeded(self) {
        self.world.stop(self.attempt, Run::Succeeded);
    }

    pub(super) fn failed(self) {
        self.world.stop(self.attempt, Run::Failed);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.world.stop(self.attempt, Run::Stopped);
    }
}
