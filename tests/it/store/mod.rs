//! The store suite, on every store.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use powertools::idempotency::Outcome;
use powertools::idempotency::{EpochMillis, Key, MemoryStore, Record, Store};
use powertools::testing::store_suite::{self, StoreSuite};
use powertools_tests::emulators::Emulator;
use powertools_tests::items;

mod redis;
mod suite;

#[tokio::test(flavor = "multi_thread")]
async fn memory_keeps_the_rules() {
    let store = MemoryStore::new();
    StoreSuite::new(store.clone())
        .insert_with(move |key, record| {
            store.insert(key.as_str(), record);
            async {}
        })
        .run()
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamodb_keeps_the_rules() {
    for emulator in Emulator::all() {
        check(&emulator, &SIMPLE).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamodb_with_a_composite_key_keeps_the_rules() {
    for emulator in Emulator::all() {
        check(&emulator, &COMPOSITE).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamodb_with_other_names_keeps_the_rules() {
    for emulator in Emulator::all() {
        check(&emulator, &RENAMED).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamodb_with_shards_keeps_the_rules() {
    for emulator in Emulator::all() {
        let table = emulator.create_table(&["pk", "sk"]).await;
        let store = |shards| {
            let builder = emulator.store_builder(&table).key_attribute("pk");
            let builder = builder.sort_key_attribute("sk").partition_value("orders");
            builder.partition_shards(shards).build().unwrap()
        };
        StoreSuite::new(store(8)).run().await;

        let items = items::all(&emulator.client(), &table).await;
        let partitions: BTreeSet<_> = items.iter().map(|item| item["pk"]["S"].as_str()).collect();
        let all = (0..8).map(|shard| format!("orders#{shard}")).collect::<Vec<_>>();
        let all: BTreeSet<_> = all.iter().map(|shard| Some(&**shard)).collect();
        assert!(partitions.is_subset(&all), "{partitions:?} on {}", emulator.name());
        assert!(partitions.len() > 4, "{partitions:?} on {}", emulator.name());

        // Another number of shards is another set of records.
        let claim = store_suite::claim("moved", EpochMillis(1_800_000_000_000));
        assert_eq!(store(8).claim(&claim).await.unwrap(), Outcome::Applied);
        assert_eq!(store(7).claim(&claim).await.unwrap(), Outcome::Applied);
    }
}

#[tokio::test]
async fn partitions_of_one_table_do_not_share_keys() {
    for emulator in Emulator::all() {
        let table = emulator.create_table(&["pk", "sk"]).await;
        for partition in ["a", "b"] {
            let store = emulator
                .store_builder(&table)
                .key_attribute("pk")
                .sort_key_attribute("sk")
                .partition_value(partition)
                .build()
                .unwrap();
            let claim = store_suite::claim("same", EpochMillis(1_800_000_000_000));
            let outcome = store.claim(&claim).await.unwrap();
            assert_eq!(outcome, Outcome::Applied, "{}", emulator.name());
        }
    }
}

/// The names of a table.
struct Names {
    key: &'static [&'static str],
    expiration: &'static str,
    in_progress_expiration: &'static str,
    status: &'static str,
    data: &'static str,
    validation: &'static str,
    owner: &'static str,
    attempt: &'static str,
    not_stored: &'static str,
}

const SIMPLE: Names = Names {
    key: &["id"],
    expiration: "expiration",
    in_progress_expiration: "in_progress_expiration",
    status: "status",
    data: "data",
    validation: "validation",
    owner: "owner",
    attempt: "attempt",
    not_stored: "not_stored",
};

const COMPOSITE: Names = Names { key: &["pk", "sk"], ..SIMPLE };

const RENAMED: Names = Names {
    key: &["#id"],
    expiration: "ttl",
    in_progress_expiration: "lease end",
    status: "state",
    data: "in",
    validation: "a.b",
    owner: "size",
    attempt: "a-t",
    not_stored: "why-not",
};

#[expect(clippy::print_stdout, reason = "shown when the suite fails")]
async fn check(emulator: &Emulator, names: &'static Names) {
    let table = emulator.create_table(names.key).await;
    let client = emulator.client();
    let mut builder = emulator
        .store_builder(&table)
        .key_attribute(names.key[0])
        .expiration_attribute(names.expiration)
        .in_progress_expiration_attribute(names.in_progress_expiration)
        .status_attribute(names.status)
        .data_attribute(names.data)
        .validation_attribute(names.validation)
        .owner_attribute(names.owner)
        .attempt_attribute(names.attempt)
        .not_stored_attribute(names.not_stored);
    if let [_, sort_key] = names.key {
        builder = builder.sort_key_attribute(*sort_key).partition_value("partition");
    }

    println!("on {}", emulator.name());
    StoreSuite::new(builder.build().unwrap())
        .insert_with(move |key, record| insert(client.clone(), table.clone(), names, key, record))
        .run()
        .await;
}

/// Writes a record as other toolkits do: without what it lacks.
async fn insert(client: Client, table: String, names: &Names, key: Key, record: Record) {
    let text = |text: &str| Some(AttributeValue::S(text.to_owned()));
    let number = |number: u64| AttributeValue::N(number.to_string());
    let key = text(key.as_str());
    let (partition, sort_key) = match names.key {
        [simple] => ((*simple, key), None),
        [partition, sort] => ((*partition, text("partition")), Some((*sort, key))),
        _ => unreachable!("a key has one or two parts"),
    };
    let attributes = [
        partition,
        (names.expiration, record.expiration.map(|time| number(time.0))),
        (names.in_progress_expiration, record.in_progress_expiration.map(|time| number(time.0))),
        (names.status, text(record.status.as_str())),
        (names.owner, record.owner.as_deref().and_then(text)),
    ];
    let mut request = client.put_item().table_name(table);
    for (name, value) in attributes.into_iter().chain(sort_key) {
        if let Some(value) = value {
            request = request.item(name, value);
        }
    }
    request.send().await.unwrap();
}
