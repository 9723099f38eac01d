//! The store on the nodes of a cluster.

use powertools::idempotency::{Error, Idempotency, Outcome, RedisStore, Store};
use powertools::testing::invocation;
use powertools_tests::emulators::{RedisKind, RedisServer};

use super::records::claimed;
use super::{SECOND, cluster};

#[tokio::test]
async fn keys_of_a_cluster_need_no_tags() {
    for kind in RedisKind::all().into_iter().filter(RedisKind::has_clusters) {
        let (_servers, store) = cluster(&kind, 1).await;
        for key in ["fn#1", "{fn}#1", "fn#{1}", "{}", "}{"] {
            let (claim, completion) = claimed(key);
            assert_eq!(store.claim(&claim).await.unwrap(), Outcome::Applied, "{key}");
            assert_eq!(store.complete(&completion).await.unwrap(), Outcome::Applied, "{key}");
        }
    }
}

#[tokio::test]
async fn each_node_of_a_cluster_keeps_its_share() {
    let Some(kind) = RedisKind::first() else { return };
    let (servers, store) = cluster(&kind, 3).await;
    let idempotency = Idempotency::new(store).unwrap();
    for order in 0..60 {
        assert_eq!(charge(&idempotency, order, "first").await.unwrap(), "first");
    }
    let sizes: Vec<_> = servers.iter().map(|it| it.command::<i64>(&["DBSIZE"])).collect();
    assert_eq!(sizes.iter().sum::<i64>(), 60);
    assert!(sizes.iter().all(|&size| size > 0), "{sizes:?}");
    for order in 0..60 {
        assert_eq!(charge(&idempotency, order, "second").await.unwrap(), "first");
    }
}

#[tokio::test]
async fn a_slot_that_moves_takes_its_records_along() {
    let Some(kind) = RedisKind::first() else { return };
    let (servers, store) = cluster(&kind, 2).await;
    let idempotency = Idempotency::new(store).unwrap();
    assert_eq!(charge(&idempotency, 7, "first").await.unwrap(), "first");

    let key = key(&idempotency, 7);
    let (from, to) = match servers[0].command::<i64>(&["DBSIZE"]) {
        1 => (&servers[0], &servers[1]),
        _ => (&servers[1], &servers[0]),
    };
    let slot = from.command::<i64>(&["CLUSTER", "KEYSLOT", &key]).to_string();
    let id = |server: &RedisServer| server.command::<String>(&["CLUSTER", "MYID"]);
    to.command::<()>(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &id(from)]);
    from.command::<()>(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &id(to)]);
    let port = to.port().to_string();
    from.command::<()>(&["MIGRATE", "127.0.0.1", &port, &key, "0", "5000"]);
    // Between the two: the old node asks for the new one.
    assert_eq!(charge(&idempotency, 7, "second").await.unwrap(), "first");
    for server in [to, from] {
        server.command::<()>(&["CLUSTER", "SETSLOT", &slot, "NODE", &id(to)]);
    }
    assert_eq!(charge(&idempotency, 7, "third").await.unwrap(), "first");
    assert_eq!(to.command::<i64>(&["DBSIZE"]), 1);
}

#[tokio::test]
async fn a_node_that_is_away_fails_its_own_keys_only() {
    let Some(kind) = RedisKind::first() else { return };
    let (mut servers, store) = cluster(&kind, 3).await;
    for server in &servers {
        server.command::<()>(&["CONFIG", "SET", "cluster-require-full-coverage", "no"]);
    }
    let idempotency = Idempotency::new(store).unwrap();
    for order in 0..12 {
        assert_eq!(charge(&idempotency, order, "first").await.unwrap(), "first");
    }
    let kept = servers[0].command::<i64>(&["DBSIZE"]);
    servers[0].kill();
    let mut failed = 0;
    for order in 0..12 {
        match charge(&idempotency, order, "second").await {
            Ok(result) => assert_eq!(result, "first"),
            Err(Error::Store(_)) => failed += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(failed, kept);
}

fn key(idempotency: &Idempotency<RedisStore>, order: u32) -> String {
    let call = idempotency.operation("charge").key(&order).unwrap();
    call.derived_key().unwrap().as_str().to_owned()
}

async fn charge(
    idempotency: &Idempotency<RedisStore>,
    order: u32,
    result: &str,
) -> Result<String, Error> {
    let invocation = invocation().remaining(30 * SECOND).build();
    invocation.scope(idempotency.run("charge", &order, async { Ok(result.to_owned()) })).await
}
