//! What happens in a history, and what must not.
//!
//! - **S** No claim takes effect while the holder of another one may still run, and nobody but its
//!   owner changes a record.
//! - Two runs never overlap, and one begins only with its own claim in the store. While a finished
//!   record counts, nothing runs, and its claim is not judged by a clock that is wrong.
//! - **R** Nobody is refused by their own claim.
//! - After a handler succeeded nothing deletes its record, and who gets its own result finds it
//!   saved.
//! - A claim is released once when its run failed or was stopped, when it is unknown whether it
//!   was granted, and when its caller went away; an answer that has expired is not given again.
//! - Every call ends by its deadline, with the result of a run that succeeded, made from its own
//!   payload, or with an error that fits what happened.
//! - **E** An effect that is committed exists exactly once for each record that its transaction completed,
//!   and never without it; who gets a result finds its effect, and who is told that there is none is
//!   told the truth, unless copies of its claim and then of its commit arrive after its release.
//! - **L** Once all is quiet, a call gets through.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

use powertools::Clock;
use powertools::idempotency::Outcome;
use powertools::idempotency::transaction::AttributeValue;
use powertools::idempotency::{EpochMillis, MemoryStore, Record, Status, Store};
use powertools::idempotency::{TransactStore, Transacted, Transaction};
use tokio::time::Instant;

use super::link::{Answer, Request};
use super::plan::{Attempt, Plan, Run};
use super::random::Random;

mod ends;

/// When histories begin, in milliseconds since the epoch.
const EPOCH: u64 = 1_800_000_000_000;

/// The default grace of a lease, in milliseconds.
const GRACE: u64 = 1_000;

/// What must happen in some history, or the test shows less than its name claims.
pub(super) const NEEDED: [&str; 20] = [
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
    "a commit",
    "a commit refused",
    "TransactionRefused",
    "CommitUnknown",
    "a renewal",
    "a renewal refused",
];

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
        let records = MemoryStore::new();
        records.create_table("effects", ["id"]);
        Arc::new(Self { plan, start: Instant::now(), records, state })
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
            looked: false,
            expiration: None,
            committed: 0,
            denied: false,
            reclaimed: false,
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
            Request::Claim(_) => {
                this.claims += 1;
                this.looked = false;
            }
            Request::Complete(completion) => this.expiration = Some(completion.expiration),
            Request::Transact(transaction) => {
                this.expiration = transaction.completion.as_ref().map(|it| it.expiration);
            }
            Request::Release(_) => this.releases += 1,
            Request::Read(_) => this.looked = true,
            Request::Renew(_) => {}
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
            Answer::Transact(Transacted::RecordRefused(Some(record))) => {
                state.attempts[attempt].heard = Some(Some((**record).clone()));
            }
            Answer::Write(_) | Answer::Transact(_) => {}
        }
        let what = match answer {
            Answer::Write(Outcome::Applied) => "hears yes".to_owned(),
            Answer::Write(Outcome::Refused(record)) => {
                format!("hears no: {}", state.describe(record.as_deref()))
            }
            Answer::Transact(Transacted::RecordRefused(record)) => {
                format!("hears no: {}", state.describe(record.as_deref()))
            }
            Answer::Transact(transacted) => format!("hears that it {}", verdict(transacted)),
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
            Request::Renew(renewal) => self.records.renew(renewal).await,
            Request::Release(release) => self.records.release(release).await,
            Request::Read(read) => return Answer::Read(self.records.read(read).await.unwrap()),
            Request::Transact(transaction) => {
                return Answer::Transact(self.commit(attempt, transaction).await);
            }
        };
        let outcome = outcome.expect("records in memory");
        let applied = outcome == Outcome::Applied;

        let state = &mut *self.state();
        let verdict = if applied { "is done" } else { "is refused" };
        let what = format!("{} {verdict} on {}", name(request), state.describe(before.as_ref()));
        self.note(state, attempt, &what);
        match request {
            Request::Complete(_) if !applied => state.see("a completion refused"),
            Request::Renew(_) if !applied => state.see("a renewal refused"),
            Request::Claim(claim) if applied => {
                if state.attempts[attempt].over {
                    state.see("an orphan");
                }
                state.attempts[attempt].reclaimed |= state.attempts[attempt].releases > 0;
                if let Some(before) = &before {
                    self.check_takeover(state, attempt, before, claim.now);
                }
            }
            _ if applied => {
                let holder = before.as_ref().map(|record| state.owner(record));
                let own = holder == Some(attempt);
                self.check(state, attempt, own, "S: only the owner changes a record");
                let run = state.attempts[attempt].run;
                if let Request::Renew(renewal) = request {
                    // It changes only when others may claim.
                    let ends = before.and_then(|record| record.in_progress_expiration);
                    let later = ends.is_some_and(|end| end < renewal.lease_end);
                    self.check(state, attempt, later, "a renewal never shortens a lease");
                    let Attempt { deadline, deadline_ahead, .. } = state.attempts[attempt];
                    let last = EPOCH + deadline + deadline_ahead + GRACE;
                    let bounded = renewal.lease_end.0 <= last;
                    self.check(state, attempt, bounded, "no lease outlasts its invocation");
                    state.see("a renewal");
                } else if let Request::Release(_) = request {
                    // The release of a commit shows whether it was applied.
                    let settles = self.plan.commits && run == Run::Succeeded;
                    let may = settles || !matches!(run, Run::Succeeded | Run::Running);
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

    /// A commit arrives.
    async fn commit(&self, attempt: usize, transaction: &Transaction) -> Transacted {
        let before = self.record();
        let is_held = before.as_ref().is_some_and(|record| {
            record.status == Status::InProgress && self.state().owner(record) == attempt
        });
        let refused = is_held && self.draw(|random| random.chance(self.plan.trouble / 4));
        let transacted = match refused {
            true => Transacted::WriteRefused { index: 0, item: None },
            false => self.records.transact(transaction).await.expect("a table in memory"),
        };
        let state = &mut *self.state();
        let verdict = verdict(&transacted);
        let what = format!("commit {verdict} on {}", state.describe(before.as_ref()));
        self.note(state, attempt, &what);
        match transacted {
            Transacted::Applied => {
                self.check(state, attempt, is_held, "S: only the owner changes a record");
                let may = state.attempts[attempt].run == Run::Succeeded;
                self.check(state, attempt, may, "nothing is finished but a run that succeeded");
                state.attempts[attempt].committed += 1;
                state.see("a commit");
                Transacted::Applied
            }
            Transacted::RecordRefused(_) if !self.plan.returns_old => {
                state.see("a commit refused");
                Transacted::RecordRefused(None)
            }
            other => {
                state.see("a commit refused");
                other
            }
        }
    }

    /// How often the effect of an attempt exists.
    fn effects(&self, attempt: usize) -> u32 {
        let id = AttributeValue::from(attempt.to_string());
        let effects = self.records.items("effects");
        let effect = effects.iter().find(|item| item.get("id") == Some(&id));
        match effect.and_then(|item| item.get("count")) {
            Some(AttributeValue::N(count)) => count.parse().expect("a count"),
            _ => 0,
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

    fn record(&self) -> Option<Record> {
        self.records.snapshot().pop().map(|(_, record)| record)
    }
}

/// What became of a commit. Without the record, whose owner is random and would not replay.
fn verdict(transacted: &Transacted) -> &'static str {
    match transacted {
        Transacted::Applied => "is applied",
        Transacted::RecordRefused(_) => "is refused for its record",
        Transacted::WriteRefused { .. } => "is refused for a condition",
        Transacted::WriteInvalid { .. } => "is invalid",
    }
}

fn name(request: &Request) -> &'static str {
    match request {
        Request::Claim(_) => "claim",
        Request::Complete(_) => "completion",
        Request::Renew(_) => "renewal",
        Request::Release(_) => "release",
        Request::Read(_) => "read",
        Request::Transact(_) => "commit",
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
