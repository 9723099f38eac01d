//! A replica that takes the place of its primary, under the same name.

use std::time::Instant;

use powertools::idempotency::RedisStore;
use powertools_tests::emulators::{RedisKind, RedisServer};

use super::{SECOND, World, url};

/// Starts a replica and waits until it has what the primary has.
fn replica_of(kind: &RedisKind, primary: &RedisServer, arguments: &[&str]) -> RedisServer {
    let port = primary.port().to_string();
    let mut all = vec!["--replicaof", "127.0.0.1", &port, "--repl-diskless-sync-delay", "0"];
    all.extend(arguments);
    let replica = kind.start(&all);
    let end = Instant::now() + 20 * SECOND;
    while !replica.command::<String>(&["INFO", "replication"]).contains("master_link_status:up") {
        assert!(Instant::now() < end, "{} does not replicate", kind.name());
        std::thread::sleep(SECOND / 100);
    }
    replica
}

#[tokio::test]
async fn after_a_failover_the_new_primary_is_found_by_the_same_name() {
    for kind in RedisKind::all() {
        let world = World::new(&kind).await;
        assert_eq!(world.charge("first").await.unwrap(), "run 1");
        let replica = replica_of(&kind, &world.server, &[]);
        assert_eq!(world.charge("second").await.unwrap(), "run 2");
        let copied = || replica.get(&world.key("second")).is_some_and(|it| it.contains("run 2"));
        while !copied() {
            std::thread::sleep(SECOND / 100);
        }

        // As a cluster manager does: the replica is promoted, the old primary obeys it, and the name
        // leads to the new one. The connection to the old one is still open.
        let _: () = replica.command(&["REPLICAOF", "NO", "ONE"]);
        let port = replica.port().to_string();
        let _: () = world.server.command(&["REPLICAOF", "127.0.0.1", &port]);
        world.wire.lead_to(replica.port());
        assert_eq!(world.charge("third").await.unwrap(), "run 3", "on {}", kind.name());
        assert!(replica.get(&world.key("third")).is_some());
        assert_eq!(world.charge("second").await.unwrap(), "run 2");
    }
}

#[tokio::test]
async fn a_failover_can_lose_the_last_writes() {
    // As the documentation of the store says: what the primary had not sent yet is gone.
    if let Some(kind) = RedisKind::first() {
        let mut world = World::new(&kind).await;
        let replica = replica_of(&kind, &world.server, &[]);
        replica.pause();
        assert_eq!(world.charge("order").await.unwrap(), "run 1");
        world.server.kill();
        replica.resume();
        let _: () = replica.command(&["REPLICAOF", "NO", "ONE"]);
        world.wire.lead_to(replica.port());
        // What the replica had received all the same is not lost.
        let _: () = replica.command(&["FLUSHALL"]);
        assert_eq!(world.charge("order").await.unwrap(), "run 2");
    }
}

#[tokio::test]
async fn a_replica_is_refused_whether_it_takes_writes_or_not() {
    for kind in RedisKind::all() {
        let world = World::new(&kind).await;
        for read_only in ["yes", "no"] {
            let replica = replica_of(&kind, &world.server, &["--replica-read-only", read_only]);
            world.wire.lead_to(replica.port());
            let store = RedisStore::new(&url(&world.wire)).unwrap();
            let error = store.warm_up().await.unwrap_err();
            let message = error.to_string();
            assert!(message.ends_with("is a replica, which keeps no writes"), "{message}");
            assert!(error.is_retryable());
        }

        // A replica of the connection that was made while it was the primary.
        world.wire.lead_to(world.server.port());
        assert_eq!(world.charge("first").await.unwrap(), "run 1");
        let _: () = world.server.command(&["REPLICAOF", "127.0.0.1", "1"]);
        let error = world.charge("second").await.unwrap_err();
        assert_eq!(error.error_type(), "Powertools.IdempotencyStore", "on {}", kind.name());
        assert!(error.is_retryable());
        assert_eq!((world.runs(), world.record("second")), (1, None));
    }
}
