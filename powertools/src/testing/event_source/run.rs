use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::{Either, select};
use lambda_runtime::LambdaEvent;

use super::effects::Effects;
use super::flight::{Flight, Progress};
use super::history::{End, History};
use super::random::Random;
use super::reply::{self, Reply};
use super::source::{Source, Turn, Verdict};
use super::{EventSource, Settings};
use crate::invocation::Invocation;
use crate::testing::ManualClock;
use crate::testing::invocation as new_invocation;

/// So many polls in a row, then other tasks of the test have a turn.
const POLLS: u32 = 32;

/// The mapping at work.
pub(super) struct Run<'a, S: Source, F> {
    source: S,
    settings: Settings,
    effects: Effects,
    clock: ManualClock,
    start: SystemTime,
    random: Random,
    function: &'a F,
    flights: Vec<Flight<'a, S::Ticket>>,
    invocations: usize,
    polls: u32,
}

impl<'a, S, F> Run<'a, S, F>
where
    S: Source,
    F: AsyncFn(LambdaEvent<Bytes>) -> Result<Bytes, String>,
{
    pub(super) fn new(mapping: EventSource<S>, function: &'a F) -> Self {
        let EventSource { source, settings, effects } = mapping;
        let clock = settings.clock.clone();
        let start = clock.now();
        let mut log = effects.log();
        log.clock = clock.clone();
        log.start = start;
        drop(log);
        Self {
            random: Random::new(settings.seed),
            source,
            settings,
            effects,
            clock,
            start,
            function,
            flights: Vec::new(),
            invocations: 0,
            polls: 0,
        }
    }

    pub(super) async fn finish(mut self) -> History {
        loop {
            self.time_out();
            self.deliver();
            if self.flights.iter().any(|flight| !flight.hangs) {
                self.work().await;
            } else if let Some(at) = self.next() {
                self.clock.pass(at.saturating_sub(self.now())).await;
            } else {
                break;
            }
        }
        let steps = std::mem::take(&mut self.effects.log().steps);
        History { seed: self.settings.seed, records: self.source.ids(), steps }
    }

    fn now(&self) -> Duration {
        self.clock.now().duration_since(self.start).unwrap_or_default()
    }

    /// When something happens next by itself.
    fn next(&self) -> Option<Duration> {
        let deadlines = self.flights.iter().map(|flight| flight.deadline);
        let more = self.has_more().then(|| self.source.next(self.now())).flatten();
        deadlines.chain(more).min()
    }

    fn has_more(&self) -> bool {
        self.invocations < self.settings.max_invocations
    }

    /// Ends the functions whose time is up.
    fn time_out(&mut self) {
        let now = self.now();
        while let Some(index) = self.flights.iter().position(|flight| flight.deadline <= now) {
            self.end(index, End::TimedOut, &Verdict::Again);
        }
    }

    /// Starts the function on all that can be delivered.
    fn deliver(&mut self) {
        while self.has_more() && self.flights.len() < self.source.concurrency() {
            let most = self.settings.batch_size;
            let irregular = self.settings.irregular_batches;
            let batch_size = if irregular { self.random.within(1..most + 1) } else { most };
            let mut log = self.effects.log();
            let turn = Turn {
                now: log.now(),
                batch_size,
                shuffled: irregular,
                random: &mut self.random,
                log: &mut log,
            };
            let Some(batch) = self.source.take(turn) else { break };

            self.invocations += 1;
            let number = self.invocations;
            let plan = self.settings.faults.plan(number, &mut self.random);
            let invocation = new_invocation()
                .clock(&self.clock)
                .request_id(request_id(self.settings.seed, number))
                .remaining(self.settings.timeout);
            log.requests.insert(request_id(self.settings.seed, number), number);
            log.delivered(number, batch.records.clone());
            drop(log);

            let event = invocation.clone().event(Bytes::from(batch.payload.to_string()));
            let function = self.function;
            let work =
                Invocation::enter(Some(invocation.build()), async move { function(event).await });
            let deadline = self.now() + self.settings.timeout;
            let reply_lost = plan.duplicate && !self.source.copy(&batch.ticket);
            let mut flight = Flight::new(number, batch, deadline, plan, work);
            flight.reply_lost = reply_lost;
            self.flights.push(flight);
        }
    }

    /// Polls one of the functions that can continue; waits if none can.
    async fn work(&mut self) {
        self.polls += 1;
        if self.polls.is_multiple_of(POLLS) {
            tokio::task::yield_now().await;
        }
        let next = self.next().map(|at| at.saturating_sub(self.now()));
        let clock = self.clock.clone();
        let passed = async move {
            match next {
                Some(by) if clock.follows_tokio() => clock.pass(by).await,
                _ => std::future::pending().await,
            }
        };
        let ready = poll_fn(|context| {
            let flights = self.flights.iter().enumerate();
            let ready: Vec<_> = flights
                .filter(|(_, flight)| flight.is_ready(context.waker()))
                .map(|(index, _)| index)
                .collect();
            if ready.is_empty() { Poll::Pending } else { Poll::Ready(ready) }
        });
        let ready = match select(ready, std::pin::pin!(passed)).await {
            Either::Left((ready, _)) => ready,
            Either::Right(_) => return,
        };
        let index = ready[self.random.within(0..ready.len())];
        self.poll(index);
    }

    fn poll(&mut self, index: usize) {
        let number = self.flights[index].invocation;
        self.effects.log().running = Some(number);
        let progress = self.flights[index].poll();
        self.effects.log().running = None;

        // A reply after the deadline is ignored.
        if self.now() >= self.flights[index].deadline {
            return;
        }
        match progress {
            Progress::Going => {}
            Progress::Over(end) => self.end(index, end, &Verdict::Again),
            Progress::Returned(Err(error)) => self.end(index, End::Failed(error), &Verdict::Again),
            Progress::Returned(Ok(_)) if self.flights[index].reply_lost => {
                self.end(index, End::ReplyLost, &Verdict::Lost);
            }
            Progress::Returned(Ok(reply)) => self.replied(index, &reply),
        }
    }

    fn replied(&mut self, index: usize, reply: &[u8]) {
        if !self.source.reads_replies(self.settings.report_batch_item_failures) {
            return self.end(index, End::Replied(Vec::new()), &Verdict::Failed(Vec::new()));
        }
        let flight = &self.flights[index];
        match reply::read(reply, &flight.identifiers, self.source.is_shard()) {
            Reply::Failed(failed) => {
                let ids = failed.iter().map(|position| flight.ids[*position].clone());
                let end = End::Replied(ids.collect());
                self.end(index, end, &Verdict::Failed(failed));
            }
            Reply::Unreadable(reason) => {
                self.end(index, End::Unreadable(reason), &Verdict::Again);
            }
        }
    }

    fn end(&mut self, index: usize, end: End, verdict: &Verdict) {
        let flight = self.flights.remove(index);
        let killed = end.is_cut() && self.settings.kill_without_drop;
        self.effects.log().ended(flight.invocation, end);
        let ticket = flight.end(killed);
        self.source.settle(ticket, verdict, &mut self.effects.log());
    }
}

/// Returns the request id of an invocation, in the form of a UUID, and the same for the same seed.
fn request_id(seed: u64, number: usize) -> String {
    let (high, low) = (seed >> 32, seed & 0xffff_ffff);
    format!("{low:08x}-{:04x}-4{:03x}-8000-{number:012x}", high & 0xffff, high >> 20)
}
