//! The engine itself, driven through random interleavings.
//!
//! A few workers get the same event. Each has its own clock and its own processes, which are killed
//! some time after a deadline, or crash. Between them and the records lies a bad network: requests
//! take their time, are lost before or after they take effect, arrive twice, or when their sender
//! is long dead. What each history must keep is in [`world`].
//!
//! Every choice of a history comes from its seed, and time is tokio's paused time, so that a seed
//! replays its history: `POWERTOOLS_TEST_SEED=7` runs that one and prints its log.
//! `POWERTOOLS_TEST_SCALE` set runs 20,000, and half of them commit.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use powertools::idempotency::transaction::{Commit, Item, Update};
use powertools::idempotency::{Error, Idempotency, LocalCache, OnInterrupt, WhileInProgress};
use powertools::testing::invocation;

use tokio::time::{sleep, timeout};

use self::link::Link;
use self::plan::{End, Plan, Receipt};
use self::random::Random;
use self::world::World;

mod link;
mod plan;
pub(crate) mod random;
mod world;

/// How far two clocks differ at most, and how long after its deadline a worker may live: together
/// the grace that a lease has by default.
const SKEW: u64 = 600;
const KILL_DELAY: u64 = 400;

/// Past the last request and every lease.
const QUIET: Duration = Duration::from_secs(60);

#[test]
fn every_history_keeps_the_promises() {
    let full = std::env::var_os("POWERTOOLS_TEST_SCALE").is_some();
    let chosen: Option<u64> =
        std::env::var("POWERTOOLS_TEST_SEED").ok().map(|seed| seed.parse().expect("a number"));
    let seeds = match chosen {
        Some(seed) => seed..seed + 1,
        // Half of them commit.
        None => 0..if full { 20_000 } else { 600 },
    };

    let mut seen = BTreeMap::new();
    let count = seeds.end - seeds.start;
    for seed in seeds {
        let world = play(seed);
        let log = world.log().join("\n");
        if seed.is_multiple_of(16) || chosen.is_some() {
            assert_eq!(log, play(seed).log().join("\n"), "seed {seed} does not replay");
        }
        if chosen.is_some() {
            eprintln!("{log}");
        }
        if let Some(broken) = world.broken() {
            panic!("{log}\n\n{broken}\nreplay it with POWERTOOLS_TEST_SEED={seed}");
        }
        for (what, times) in world.seen() {
            *seen.entry(what).or_insert(0_u64) += times;
        }
    }
    eprintln!("{count} seeds: {seen:#?}");
    if chosen.is_none() {
        for what in world::NEEDED {
            assert!(seen.contains_key(what), "no history has {what:?}");
        }
    }
}

/// Plays the history of a seed to its end.
fn play(seed: u64) -> Arc<World> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let world = World::new(Plan::new(Random::new(seed)));
        let workers: Vec<_> = (0..world.plan.workers)
            .map(|worker| tokio::spawn(work_off(world.clone(), worker)))
            .collect();
        for worker in workers {
            worker.await.expect("a worker does not panic");
        }
        sleep(QUIET).await;
        // No request is in flight and every lease has expired: now a call must succeed.
        let process = Process::new(&world, 0, true);
        let end = process.invoke(u64::MAX).await;
        world.check_last(&end);
        world
    })
}

/// One worker: a few invocations, in a new process where the last one died.
async fn work_off(world: Arc<World>, worker: usize) {
    let mut process = Process::new(&world, worker, false);
    for _ in 0..world.draw(|random| random.within(1, 4)) {
        let pause = world.draw(|random| random.skewed(3_000));
        sleep(Duration::from_millis(pause)).await;
        let kill = world.draw(|random| match random.chance(15) {
            true => random.within(0, 2_000),
            false => u64::MAX,
        });
        if matches!(process.invoke(kill).await, End::Killed) {
            process = Process::new(&world, worker, false);
        }
    }
}

/// A process of a function.
struct Process {
    world: Arc<World>,
    worker: usize,
    link: Link,
    idempotency: Idempotency<Link>,
}

impl Process {
    fn new(world: &Arc<World>, worker: usize, reliable: bool) -> Self {
        let link = Link::new(world.clone(), reliable);
        let plan = &world.plan;
        let mut options = Idempotency::builder(link.clone()).expires_after(plan.expires_after);
        if let Some(lease) = plan.lease {
            options = options.lease(lease);
        }
        if plan.renews {
            options = options.renew_lease();
        }
        if plan.holds {
            options = options.on_interrupt(OnInterrupt::Hold);
        }
        if plan.waits {
            // Shorter than the shortest pause, whose length is random: so it is always this.
            options = options.while_in_progress(WhileInProgress::Wait(Duration::from_millis(25)));
        }
        if plan.caches {
            options = options.local_cache(LocalCache::new(NonZeroUsize::MIN, 1 << 12));
        }
        let idempotency = options.build().unwrap();
        Self { world: world.clone(), worker, link, idempotency }
    }

    /// One invocation, killed after `crash` milliseconds at the latest.
    async fn invoke(&self, crash: u64) -> End {
        let world = &self.world;
        let attempt = world.start(self.worker);
        let invocation = invocation()
            .request_id(attempt.id.to_string())
            .clock(world.clock(attempt.clock_ahead))
            .deadline(world.time_at(attempt.deadline + attempt.deadline_ahead))
            .build();

        let work = work(world.clone(), attempt.id, attempt.payload);
        let call = self.idempotency.operation("charge").key("order-1").unwrap();
        let call = call.payload(&attempt.payload).unwrap();
        let (commits, id) = (world.plan.commits, attempt.id.to_string());
        let call = async move {
            if !commits {
                return call.run(work).await;
            }
            // It counts, so that a second effect would show.
            let effect = Update::new("effects", Item::new().set("id", id)).add("count", 1);
            call.commit(async { Ok(Commit::new(work.await?).update(effect)) }).await
        };
        let cancel = world.draw(|random| match random.chance(10) {
            true => random.within(0, 2_000),
            false => 1_000_000,
        });
        let call = timeout(Duration::from_millis(cancel), call);
        let mut task = tokio::spawn(invocation.scope(call));

        let late = world.draw(|random| random.within(0, KILL_DELAY));
        let left = (attempt.deadline + late).saturating_sub(world.now()).min(crash);
        let end = tokio::select! {
            biased;
            end = &mut task => match end {
                Ok(Ok(Ok(receipt))) => End::Result(receipt),
                Ok(Ok(Err(Failure::Handler(run)))) => End::Failure(run),
                Ok(Ok(Err(Failure::Idempotency(error)))) => End::Error(error),
                Ok(Err(_)) => End::Cancelled,
                Err(_) => End::Panic,
            },
            () = sleep(Duration::from_millis(left)) => {
                // Requests of the process from now on are lost. Earlier ones are still in flight.
                self.link.cut();
                task.abort();
                End::Killed
            }
        };
        world.end(attempt.id, &end);
        end
    }
}

/// What is to be done once.
async fn work(world: Arc<World>, id: usize, payload: u64) -> Result<Receipt, Failure> {
    let running = world.begin(id);
    let (time, end) = world.draw(|random| (random.skewed(4_000), random.within(0, 9)));
    if time > 0 {
        sleep(Duration::from_millis(time)).await;
    }
    match end {
        0 | 1 => {
            running.failed();
            Err(Failure::Handler(id))
        }
        2 => {
            running.failed();
            // Without the hook, which would print it.
            resume_unwind(Box::new("the handler panics"))
        }
        _ => {
            running.succeeded();
            Ok(Receipt { run: id, payload })
        }
    }
}

/// An error of the handler's own, or of its protection.
enum Failure {
    Handler(usize),
    Idempotency(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Idempotency(error)
    }
}
