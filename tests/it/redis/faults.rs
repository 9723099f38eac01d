//! Replies that are lost, servers that fall silent or die.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::future::poll_immediate;
use powertools::idempotency::{Builder, Claimed, EpochMillis, Error, Idempotency, Outcome};
use powertools::idempotency::{RedisStore, Store};
use powertools::testing::store_suite::{claim, read};
use powertools_tests::emulators::RedisKind;
use powertools_tests::times;
use powertools_tests::wire::Loss;

use super::{SECOND, World};

/// What the requests of a store contain, apart from those for scripts that the server does not know yet.
const CLAIM: &str = "in_progress_expiration";
const COMPLETION: &str = "COMPLETED";
/// What a script receives that changes a claim.
const HELD: &str = "\"status\":\"INPROGRESS\"";

fn short(options: Builder<RedisStore>) -> Builder<RedisStore> {
    options.lease(SECOND).grace(Duration::ZERO)
}

impl World {
    /// Fails to charge the order. `end` is called at the end of the work.
    async fn fail(&self, end: impl FnOnce()) -> anyhow::Error {
        let work = async {
            end();
            Err(anyhow::anyhow!("no such card"))
        };
        self.run(30 * SECOND, "order", work).await.unwrap_err()
    }

    /// Charges an order as soon as its claim has ended.
    async fn charge_when_free(&self, order: &str) -> String {
        loop {
            match self.charge(order).await {
                Err(Error::InProgress { .. }) => tokio::time::sleep(SECOND / 50).await,
                outcome => return outcome.unwrap(),
            }
        }
    }
}

#[tokio::test]
async fn a_claim_whose_reply_was_lost_runs_once() {
    for kind in RedisKind::all() {
        let world = World::new(&kind).await;
        world.charge("first").await.unwrap();
        for loss in [Loss::Reply, Loss::Request] {
            let order = format!("{loss:?}");
            world.wire.lose(CLAIM, loss);
            let run = world.charge(&order).await.unwrap();
            assert_eq!(world.charge(&order).await.unwrap(), run);
            assert_eq!(world.wire.outstanding(), 0, "{order} on {}", kind.name());
        }
        assert_eq!(world.runs(), 3);
    }
}

#[tokio::test]
async fn a_completion_whose_reply_was_lost_is_a_success() {
    for kind in RedisKind::all() {
        let world = World::new(&kind).await;
        world.charge("first").await.unwrap();
        // A kept connection that breaks is replaced at once; the store makes three attempts, and the
        // engine calls it again while there is time.
        for lost in [1, 2, 4, 5] {
            let order = format!("order-{lost}");
            for _ in 0..lost {
                world.wire.lose(COMPLETION, Loss::Reply);
            }
            let run = world.charge(&order).await.unwrap();
            assert_eq!(world.charge(&order).await.unwrap(), run, "{order} on {}", kind.name());
            assert_eq!(world.wire.outstanding(), 0, "{order} on {}", kind.name());
        }
        assert_eq!(world.runs(), 5);
    }
}

#[tokio::test]
async fn a_claim_whose_replies_are_all_lost_excludes_no_one() {
    for kind in RedisKind::all() {
        let world = World::new(&kind).await;
        world.charge("first").await.unwrap();
        for _ in 0..4 {
            world.wire.lose(CLAIM, Loss::Reply);
        }
        let error = world.charge("order").await.unwrap_err();
        assert_eq!(error.error_type(), "Powertools.IdempotencyStore");
        assert!(error.is_retryable(), "{error:?}");
        assert_eq!((world.runs(), world.record("order")), (1, None), "on {}", kind.name());
        assert_eq!(world.charge("order").await.unwrap(), "run 2");
    }
}

#[tokio::test]
async fn a_claim_that_cannot_be_released_admits_the_repeat_after_its_lease() {
    for kind in RedisKind::all() {
        let world = World::with(&kind, &[], short).await;
        world.charge("first").await.unwrap();
        for _ in 0..4 {
            world.wire.lose(CLAIM, Loss::Reply);
        }
        // Of the release, on a new connection.
        for _ in 0..3 {
            world.wire.lose(HELD, Loss::Request);
        }
        let error = world.charge("order").await.unwrap_err();
        assert_eq!(error.error_type(), "Powertools.IdempotencyStore", "on {}", kind.name());
        assert_eq!((world.runs(), world.wire.outstanding()), (1, 0), "on {}", kind.name());

        let error = world.charge("order").await.unwrap_err();
        assert!(matches!(error, Error::InProgress { until: Some(_), .. }), "{error:?}");
        assert_eq!(world.runs(), 1);
        assert_eq!(world.charge_when_free("order").await, "run 2");
        assert_eq!(world.charge("order").await.unwrap(), "run 2");
    }
}

#[tokio::test]
async fn a_release_whose_reply_was_lost_admits_the_repeat() {
    for kind in RedisKind::all() {
        let world = World::new(&kind).await;
        for lost in 1..=4 {
            let error = world.fail(|| (0..lost).for_each(|_| world.wire.lose(HELD, Loss::Reply)));
            let error = error.await;
            assert_eq!(error.to_string(), "no such card", "on {}", kind.name());
            assert_eq!((world.wire.outstanding(), world.record("order")), (0, None), "{lost}");
        }
        assert_eq!(world.charge("order").await.unwrap(), "run 1");
    }
}

#[tokio::test]
async fn a_completion_whose_replies_are_all_lost_is_replayed() {
    for kind in RedisKind::all() {
        let world = World::new(&kind).await;
        world.charge("first").await.unwrap();
        for _ in 0..100 {
            world.wire.lose(COMPLETION, Loss::Reply);
        }
        let error = world.charge_within(2 * SECOND, "order").await.unwrap_err();
        assert_eq!(error.error_type(), "Powertools.IdempotencyNotSaved", "on {}", kind.name());
        assert_ne!(world.wire.outstanding(), 0);
        assert_eq!(world.charge("order").await.unwrap(), "run 2");
        assert_eq!(world.runs(), 2);
    }
}

#[tokio::test]
async fn what_arrives_after_a_takeover_changes_nothing() {
    for kind in RedisKind::all() {
        for completes in [true, false] {
            let world = World::with(&kind, &[], short).await;
            // The server knows both scripts from here on.
            world.charge("first").await.unwrap();
            world.fail(|| {}).await;

            let delay = || {
                world.wire.lose(HELD, Loss::Late);
                (0..100).for_each(|_| world.wire.lose(HELD, Loss::Request));
            };
            if completes {
                let work = async {
                    delay();
                    Ok::<_, Error>("late".to_owned())
                };
                let error = world.run(2 * SECOND, "order", work).await.unwrap_err();
                assert_eq!(error.error_type(), "Powertools.IdempotencyNotSaved");
            } else {
                world.fail(delay).await;
            }

            let store = RedisStore::new(&world.server.url()).unwrap();
            let other = Idempotency::builder(store).lease(30 * SECOND).build().unwrap();
            let lease = loop {
                match other.operation("charge").key("order").unwrap().claim::<String>().await {
                    Ok(Claimed::Lease(lease)) => break lease,
                    Err(Error::InProgress { .. }) => tokio::time::sleep(SECOND / 50).await,
                    outcome => panic!("on {}: {outcome:?}", kind.name()),
                }
            };
            let theirs = world.record("order");
            world.wire.deliver_late().await;
            assert_eq!(world.record("order"), theirs, "completes: {completes}, on {}", kind.name());
            lease.complete(&"the other's".to_owned()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_connection_that_falls_silent_is_replaced() {
    if let Some(kind) = RedisKind::first() {
        let world = World::new(&kind).await;
        world.charge("first").await.unwrap();
        world.wire.lose(CLAIM, Loss::Silence);
        assert_eq!(world.charge("order").await.unwrap(), "run 2");
        assert_eq!(world.wire.connections(), 2);
    }
}

/// Otherwise two attempts would wait for the same silent connection.
#[tokio::test]
async fn a_new_connection_that_is_silent_is_replaced_too() {
    if let Some(kind) = RedisKind::first() {
        let world = World::new(&kind).await;
        world.charge("first").await.unwrap();
        world.wire.lose(CLAIM, Loss::Request);
        for _ in 0..2 {
            world.wire.lose(CLAIM, Loss::Silence);
        }
        assert_eq!(world.charge("order").await.unwrap(), "run 2");
        assert_eq!((world.wire.connections(), world.wire.outstanding()), (4, 0));
    }
}

#[tokio::test]
async fn nothing_runs_if_the_server_is_silent_before_the_work() {
    for kind in RedisKind::all() {
        let world = World::new(&kind).await;
        world.charge("first").await.unwrap();
        world.server.pause();
        let start = Instant::now();
        // There is half a second for the claim, and then for giving it back.
        let error = world.charge_within(SECOND, "order").await.unwrap_err();
        assert_eq!(error.error_type(), "Powertools.IdempotencyStoreTimeout");
        assert!(start.elapsed() < 2 * SECOND, "{:?}", start.elapsed());
        world.server.resume();
        assert_eq!(world.runs(), 1, "nothing runs without a claim");
        // The claim and its release may have been carried out in any order.
        if let Some(record) = world.record("order") {
            assert!(record.contains("INPROGRESS"), "{record}");
        }
        assert_eq!(world.charge("another").await.unwrap(), "run 2");
    }
}

#[tokio::test]
async fn a_server_that_was_restarted_is_reached_again_at_once() {
    for kind in RedisKind::all() {
        let mut world = World::new(&kind).await;
        world.charge("first").await.unwrap();
        world.server.restart();
        assert_eq!(world.charge("second").await.unwrap(), "run 2", "on {}", kind.name());
        // It keeps nothing on disk, and its scripts are gone too.
        assert_eq!(world.charge("first").await.unwrap(), "run 3");
    }
}

#[tokio::test]
async fn a_server_that_dies_during_the_work_loses_its_claim() {
    for kind in RedisKind::all() {
        let mut world = World::new(&kind).await;
        let restarting = std::sync::Mutex::new(&mut world.server);
        let invocation = powertools::testing::invocation().remaining(30 * SECOND).build();
        let work = async {
            restarting.lock().unwrap().restart();
            Ok::<_, Error>("charged".to_owned())
        };
        let error = invocation.scope(world.idempotency.run("charge", "order", work)).await;
        let error = error.unwrap_err();
        assert_eq!(error.error_type(), "Powertools.IdempotencyRecordGone", "on {}", kind.name());
    }
}

#[tokio::test]
async fn a_server_with_a_log_keeps_its_claims_when_it_dies() {
    for kind in RedisKind::all() {
        let log = ["--appendonly", "yes", "--appendfsync", "always"];
        let mut world = World::with(&kind, &log, |options| options).await;
        let restarting = std::sync::Mutex::new(&mut world.server);
        let invocation = powertools::testing::invocation().remaining(30 * SECOND).build();
        let work = async {
            restarting.lock().unwrap().restart();
            Ok::<_, Error>("charged".to_owned())
        };
        let run = invocation.scope(world.idempotency.run("charge", "order", work)).await;
        assert_eq!(run.unwrap(), "charged");
        assert_eq!(world.charge("order").await.unwrap(), "charged", "on {}", kind.name());
        assert_eq!(world.runs(), 0);
    }
}

#[tokio::test]
async fn a_result_that_cannot_be_saved_is_reported_in_time() {
    for kind in RedisKind::all() {
        let mut world = World::new(&kind).await;
        let dying = std::sync::Mutex::new(&mut world.server);
        let invocation = powertools::testing::invocation().remaining(2 * SECOND).build();
        let work = async {
            dying.lock().unwrap().kill();
            Ok::<_, Error>("charged".to_owned())
        };
        let start = Instant::now();
        let error = invocation.scope(world.idempotency.run("charge", "order", work)).await;
        assert!(start.elapsed() < 2 * SECOND, "{:?}", start.elapsed());
        let error = error.unwrap_err();
        assert_eq!(error.error_type(), "Powertools.IdempotencyNotSaved", "on {}", kind.name());
        assert!(error.is_retryable());
    }
}

/// Requests share a connection, and each of them moves its bytes.
#[tokio::test]
async fn a_request_that_is_not_polled_holds_up_no_other() {
    for kind in RedisKind::all() {
        let server = kind.start(&[]);
        let store = RedisStore::new(&server.url()).unwrap();
        store.warm_up().await.unwrap();
        let [first, second] =
            ["first", "second"].map(|key| claim(key, EpochMillis(1_800_000_000_000)));
        let mut first = pin!(store.claim(&first));
        assert!(poll_immediate(first.as_mut()).await.is_none());
        assert_eq!(store.claim(&second).await.unwrap(), Outcome::Applied);
        assert_eq!(first.await.unwrap(), Outcome::Applied);
        let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        assert_eq!(tasks, 0, "no task has to be woken for a request");
    }
}

/// A command that is queued while another thread moves bytes is sent nevertheless.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_of_several_threads_do_not_miss_their_turn() {
    for kind in RedisKind::all() {
        let server = kind.start(&[]);
        let store = RedisStore::new(&server.url()).unwrap();
        store.warm_up().await.unwrap();
        let read = || {
            let store = store.clone();
            tokio::spawn(async move { store.read(&read("nothing")).await.unwrap() })
        };
        for _ in 0..times(4_000) {
            let start = Instant::now();
            // Nothing else is under way, so that one which is missed waits for the end of its attempt.
            let (first, second) = (read(), read());
            assert!(first.await.unwrap().is_none() && second.await.unwrap().is_none());
            assert!(start.elapsed() < SECOND, "{:?} on {}", start.elapsed(), kind.name());
        }
    }
}
