//! Waiting for the winner.

use std::future::pending;

use powertools::idempotency::WhileInProgress;
use powertools_tests::faulty::{FaultyStore, Op};
use tokio::time::{Instant, sleep};

use super::world::*;

#[tokio::test(start_paused = true)]
async fn a_waiting_duplicate_receives_the_result_of_the_holder() {
    let world = World::with(FaultyStore::new(), |options| {
        options.while_in_progress(WhileInProgress::Wait(10 * SECOND))
    });
    let winner = world.spawn(30 * SECOND, succeed_after(3 * SECOND));
    tokio::task::yield_now().await;
    let start = Instant::now();
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 1");
    assert!(start.elapsed() < 4 * SECOND + 100 * MILLI);
    assert_eq!(winner.await.unwrap().unwrap(), "run 1");
    assert_eq!(world.runs(), 1);
    // It reads, and does not claim while another run is active.
    let claims = world.store.calls().into_iter().filter(|op| *op == Op::Claim).count();
    assert_eq!(claims, 2);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_duplicate_takes_over_when_the_holder_fails() {
    let world = World::with(FaultyStore::new(), |options| {
        options.while_in_progress(WhileInProgress::Wait(10 * SECOND))
    });
    let winner = world.spawn(30 * SECOND, async {
        sleep(2 * SECOND).await;
        Err(Failure::Handler("no luck"))
    });
    tokio::task::yield_now().await;
    assert_eq!(world.run(30 * SECOND, succeed()).await.unwrap(), "run 2");
    winner.await.unwrap().unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn waiting_is_bounded_and_leaves_half_of_the_time_for_the_work() {
    for (bound, remaining, waited) in
        [(3 * SECOND, 60 * SECOND, 3 * SECOND), (60 * SECOND, 10_500 * MILLI, 5 * SECOND)]
    {
        let world = World::with(FaultyStore::new(), |options| {
            options.while_in_progress(WhileInProgress::Wait(bound))
        });
        let winner = world.spawn(200 * SECOND, pending());
        tokio::task::yield_now().await;
        let start = Instant::now();
        let error = world.run(remaining, succeed()).await.unwrap_err();
        assert_eq!(error.name(), "InProgress");
        assert_eq!(start.elapsed(), waited);
        winner.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiter_outlasts_a_holder_whose_lease_is_longer_than_half_of_its_own() {
    let world = World::with(FaultyStore::new(), |options| {
        options.lease(2 * SECOND).while_in_progress(WhileInProgress::Wait(10 * SECOND))
    });
    let crashed = world.spawn(60 * SECOND, pending());
    tokio::task::yield_now().await;
    assert_eq!(world.run(60 * SECOND, succeed()).await.unwrap(), "run 2");
    crashed.await.unwrap().unwrap_err();
}
