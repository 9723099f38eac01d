//! Work that comes back when another has taken its record over.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use powertools::Clock;
use powertools::idempotency::{DynamoDbStore, Error, Idempotency, OnInterrupt};
use powertools::testing::{ManualClock, invocation};
use powertools_tests::proxy::Fault;
use serde_json::Value;
use tokio::sync::Notify;

use super::{MILLI, SECOND, World, on_each};

#[tokio::test]
async fn a_zombie_changes_nothing_when_its_work_succeeds() {
    on_each(async |emulator| {
        for finished in [false, true] {
            let outcome = Zombie::new(emulator).await.wake(finished, Ok("late".to_owned())).await;
            let Err(Failure::Idempotency(Error::LeaseLost { .. })) = outcome else {
                panic!("{outcome:?}")
            };
        }
    })
    .await;
}

#[tokio::test]
async fn a_zombie_changes_nothing_when_its_work_fails() {
    on_each(async |emulator| {
        for finished in [false, true] {
            let outcome = Zombie::new(emulator).await.wake(finished, Err(Failure::Handler)).await;
            assert!(matches!(outcome, Err(Failure::Handler)), "{outcome:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_completion_that_arrives_too_late_changes_nothing() {
    on_each(async |emulator| {
        let Zombie { world, own, other } = Zombie::new(emulator).await;
        let opened = Arc::new(Notify::new());
        world.next(1, "UpdateItem", &Fault::Hold(opened.clone()));
        // Where the machine is too slow for the first attempt, those after it get no further.
        world.next(2, "UpdateItem", &Fault::Stall);

        let own = invocation().clock(&own).remaining(30 * SECOND).build();
        let work = async { Ok::<_, Error>("late".to_owned()) };
        let late = own.scope(world.idempotency.run("charge", "order-1", work));
        let taken_over = async {
            while !world.proxy.operations().contains(&"UpdateItem".to_owned()) {
                tokio::time::sleep(MILLI).await;
            }
            let work = async { Ok::<_, Error>("the other's".to_owned()) };
            let result = other.run("charge", "order-1", work).await;
            opened.notify_one();
            (result, world.only_record().await)
        };
        let (outcome, (result, record)) = tokio::join!(late, taken_over);
        assert_eq!(result.unwrap(), "the other's");
        assert!(matches!(outcome, Err(Error::LeaseLost { .. })), "{outcome:?}");
        assert_eq!(record["data"]["S"], r#""the other's""#);
        assert_eq!(world.only_record().await, record);
    })
    .await;
}

#[tokio::test]
async fn work_that_is_stopped_at_the_end_of_its_lease_admits_the_next_one() {
    on_each(async |emulator| {
        for policy in [OnInterrupt::Release, OnInterrupt::Hold] {
            let lease = |options: powertools::idempotency::Builder<_>| {
                options.lease(SECOND).grace(Duration::ZERO).on_interrupt(policy)
            };
            let world = World::with(emulator, lease).await;
            let stuck = std::future::pending::<Result<String, Error>>();
            let error = world.run(30 * SECOND, stuck).await.unwrap_err();
            assert!(matches!(error, Error::LeaseExpired { .. }), "{error:?}");

            // The lease counts as held to the millisecond in which it ends.
            tokio::time::sleep(2 * MILLI).await;
            assert_eq!(world.charge().await.unwrap(), "run 1");
        }
    })
    .await;
}

/// A function that is frozen while it works: time passes it by.
struct Zombie {
    world: World,
    own: ManualClock,
    other: Idempotency<DynamoDbStore>,
}

#[derive(Debug)]
enum Failure {
    Handler,
    Idempotency(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Idempotency(error)
    }
}

impl Zombie {
    async fn new(emulator: &powertools_tests::emulators::Emulator) -> Self {
        let own = ManualClock::new(SystemTime::UNIX_EPOCH + 1_800_000_000 * SECOND);
        let world = World::with(emulator, |options| options.clock(own.clock())).await;
        let meanwhile = own.clone();
        // A millisecond after the end of the lease.
        let clock = Clock::from_fn(move || meanwhile.now() + 31 * SECOND + MILLI);
        let other = world.other(|options| options.clock(clock));
        Self { world, own, other }
    }

    /// Claims, is taken over by another who has finished or is still at work, and then ends so.
    async fn wake(self, finished: bool, end: Result<String, Failure>) -> Result<String, Failure> {
        let Self { world, own, other } = self;
        let (woken, slept) = (Notify::new(), Notify::new());
        let other_work = async {
            slept.notify_one();
            if !finished {
                woken.notified().await;
            }
            Ok::<_, Error>("the other's".to_owned())
        };
        let own_invocation = invocation().clock(&own).remaining(30 * SECOND).build();
        let idempotency = world.idempotency.clone();

        let asleep = Notify::new();
        let zombie = async {
            let work = async {
                asleep.notify_one();
                slept.notified().await;
                if finished {
                    woken.notified().await;
                }
                end
            };
            let call = idempotency.run("charge", "order-1", work);
            let outcome = own_invocation.scope(call).await;
            if !finished {
                // The other claim is untouched, and now its owner may complete it.
                assert_eq!(status(&world.only_record().await), "INPROGRESS");
                woken.notify_one();
            }
            outcome
        };
        let other = async {
            asleep.notified().await;
            let outcome = other.run("charge", "order-1", other_work).await;
            if finished {
                woken.notify_one();
            }
            outcome
        };
        let (outcome, other) = tokio::join!(zombie, other);
        assert_eq!(other.unwrap(), "the other's");

        let record = world.only_record().await;
        assert_eq!(
            (status(&record), &record["data"]["S"]),
            ("COMPLETED", &r#""the other's""#.into())
        );
        outcome
    }
}

fn status(record: &Value) -> &str {
    record["status"]["S"].as_str().unwrap()
}
