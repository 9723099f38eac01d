//! The store suite on Redis and Valkey.

use powertools::idempotency::{Record, RedisStore};
use powertools::testing::store_suite::StoreSuite;
use powertools_tests::emulators::{RedisKind, RedisServer};
use redis::aio::ConnectionManager;
use redis::{AsyncCommands, Client};
use serde_json::{Map, Value};

use crate::redis::cluster;

#[tokio::test(flavor = "multi_thread")]
async fn redis_keeps_the_rules() {
    for kind in RedisKind::all() {
        let server = kind.start(&[]);
        check(RedisStore::new(&server.url()).unwrap(), &server).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_keeps_the_rules_on_a_connection_of_the_user() {
    for kind in RedisKind::all() {
        let server = kind.start(&[]);
        let client = Client::open(server.url()).unwrap();
        let connection = ConnectionManager::new(client).await.unwrap();
        check(RedisStore::with_connection(connection, "orders"), &server).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_keeps_the_rules() {
    for kind in RedisKind::all().into_iter().filter(RedisKind::has_clusters) {
        let (servers, store) = cluster(&kind, 1).await;
        check(store, &servers[0]).await;
    }
}

#[expect(clippy::print_stdout, reason = "shown when the suite fails")]
async fn check(store: RedisStore, server: &RedisServer) {
    println!("on {}", server.name());
    let client = Client::open(server.url()).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    StoreSuite::new(store)
        .insert_with(move |key, record| {
            let mut connection = connection.clone();
            async move { connection.set(key.as_str(), text(&record)).await.unwrap() }
        })
        .run()
        .await;
}

/// A record as this toolkit writes it if it has an owner, and else as that for Python does.
fn text(record: &Record) -> String {
    let mut members = Map::new();
    members.insert("status".to_owned(), record.status.as_str().into());
    let times = [
        ("expiration", record.expiration.map(|time| time.0)),
        ("in_progress_expiration", record.in_progress_expiration.map(|time| time.0)),
    ];
    for (name, time) in times {
        if let Some(time) = time {
            members.insert(name.to_owned(), time.into());
        }
    }
    match &record.owner {
        Some(owner) => {
            let status = record.status.as_str();
            members.remove("status");
            let rest = Value::Object(members).to_string();
            let comma = if rest == "{}" { "" } else { "," };
            format!(r#"{{"owner":"{owner}","status":"{status}"{comma}{}"#, &rest[1..])
        }
        None => Value::Object(members).to_string().replace(':', ": ").replace(',', ", "),
    }
}
