//! Both clients have the same effects and return the same answers.

use std::time::{Duration, Instant, SystemTime};

use powertools::idempotency::transaction::{
    AttributeValue, Check, Delete, Item, Put, Update, Write,
};
use powertools::idempotency::{Commit, Data, DynamoDbStore, EpochMillis, EpochSeconds};
use powertools::idempotency::{Error, Idempotency, Json, Store, StoreErrorKind};
use powertools::testing::store_suite::{claim, completion, read, release, renewal};
use powertools::testing::{ManualClock, invocation};
use powertools_tests::emulators::Emulator;
use powertools_tests::via::Via;
use powertools_tests::{items, times};
use serde_json::Value;

use crate::interleave::random::Random;

/// How many requests a history has.
const LENGTH: usize = 40;

#[tokio::test]
async fn histories_of_requests_have_the_same_answers_and_the_same_table() {
    for emulator in emulators() {
        let tables = [emulator.create_table(&["id"]).await, emulator.create_table(&["id"]).await];
        let stores = stores(&emulator, &tables);
        for seed in 0..times(6) {
            requests(&stores, seed as u64, emulator.name()).await;
        }
        assert_eq!(all(&emulator, &tables[0]).await, all(&emulator, &tables[1]).await);
    }
}

/// Makes the same requests to both stores, with keys that the seed has alone.
async fn requests(stores: &[DynamoDbStore; 2], seed: u64, emulator: String) {
    let mut random = Random::new(seed);
    let mut claims = Vec::new();
    let mut now = EpochMillis(1_800_000_000_000);
    for step in 0..LENGTH {
        now.0 += random.skewed(100_000);
        let key = format!("{seed}-{}", random.within(0, 2));
        let what =
            Step { name: format!("seed {seed}, step {step} on {emulator}"), start: Instant::now() };
        let mut claimed = claim(key.as_str(), now);
        claimed.validation = random.chance(30).then(|| "hash \"é\"".to_owned());
        if claims.is_empty() || random.chance(40) {
            same(&what, stores[0].claim(&claimed).await, stores[1].claim(&claimed).await);
            claims.push(claimed);
            continue;
        }
        let earlier = &claims[random.within(0, claims.len() as u64 - 1) as usize];
        match random.within(0, 3) {
            0 => {
                let mut done = completion(earlier);
                done.expiration = EpochSeconds(now.floor().0 + random.skewed(60));
                done.data = data(&mut random);
                let (sdk, lean) =
                    (stores[0].complete(&done).await, stores[1].complete(&done).await);
                same(&what, sdk, lean);
            }
            1 => {
                let released = release(earlier);
                let sdk = stores[0].release(&released).await;
                same(&what, sdk, stores[1].release(&released).await);
            }
            2 => {
                let mut renewed = renewal(earlier);
                renewed.lease_end = EpochMillis(now.0 + random.skewed(100_000));
                let sdk = stores[0].renew(&renewed).await;
                same(&what, sdk, stores[1].renew(&renewed).await);
            }
            _ => {
                let read = read(key.as_str());
                same(&what, stores[0].read(&read).await, stores[1].read(&read).await);
            }
        }
    }
}

/// A result of any kind; one in ten is too deep for DynamoDB.
fn data(random: &mut Random) -> Option<Data> {
    let number = |text: &str| Json::Number(text.parse().unwrap());
    let member = |name: &str, value| (name.to_owned(), value);
    Some(match random.within(0, 9) {
        0 => return None,
        1 => Data::Text(String::new()),
        2 => Data::Text("{\"order\": \"Zoë ✓\u{1f600}\\u0000\"}\u{7}\n".to_owned()),
        3 => Data::Text("x".repeat(20_000)),
        4 => Data::Value(Json::Null),
        5 => Data::Value(number("-12345678901234567890.5")),
        6 => Data::Value(Json::Array(vec![Json::Bool(true), Json::String("a\"b".to_owned())])),
        7 => {
            let mut deep = Json::Null;
            for _ in 0..40 {
                deep = Json::Array(vec![deep]);
            }
            Data::Value(deep)
        }
        // No member without a name: moto 5.2.5 returns the type of its value as its name.
        _ => Data::Value(Json::Object(vec![
            member("a", number("1E+2")),
            member("b", Json::Object(vec![member("c", Json::Array(Vec::new()))])),
        ])),
    })
}

#[tokio::test]
async fn histories_of_commits_have_the_same_answers_and_the_same_tables() {
    for emulator in emulators().into_iter().filter(Emulator::has_transactions) {
        let records = [emulator.create_table(&["id"]).await, emulator.create_table(&["id"]).await];
        let shops = [emulator.create_table(&["id"]).await, emulator.create_table(&["id"]).await];
        let stores = stores(&emulator, &records);
        for seed in 0..times(4) {
            commits(&stores, &shops, seed as u64, emulator.name()).await;
        }
        assert_eq!(all(&emulator, &shops[0]).await, all(&emulator, &shops[1]).await);
        let [sdk, lean] = [all(&emulator, &records[0]).await, all(&emulator, &records[1]).await];
        assert_eq!(without_owners(sdk), without_owners(lean));
    }
}

/// Makes the same commits with both stores, each on items of its own table.
async fn commits(stores: &[DynamoDbStore; 2], shops: &[String; 2], seed: u64, emulator: String) {
    let time = ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    let engines = stores
        .clone()
        .map(|store| Idempotency::builder(store).clock(time.clock()).build().unwrap());
    let mut random = Random::new(1_000_000 + seed);
    for step in 0..LENGTH / 2 {
        time.advance(Duration::from_secs(random.skewed(2_000)));
        let key = format!("{seed}-{}", random.within(0, 3));
        let (fails, writes) = (random.chance(10), random.next());
        let mut outcomes = Vec::new();
        for (engine, shop) in engines.iter().zip(shops) {
            let commit = commit(&mut Random::new(writes), shop, seed).result(step);
            let work =
                async { if fails { Err(anyhow::anyhow!("no such card")) } else { Ok(commit) } };
            let call = engine.operation("order").key(&key).unwrap();
            let invocation = invocation().clock(time.clock()).remaining(Duration::from_secs(30));
            let outcome = invocation.build().scope(call.commit(work)).await;
            let outcome = outcome.map_err(|error| match error.downcast_ref::<Error>() {
                Some(Error::TransactionRefused { index, item }) => {
                    format!("refused {index} {:?}", item.as_deref().map(shown))
                }
                Some(other) => other.error_type().to_owned(),
                None => error.to_string(),
            });
            outcomes.push(outcome);
        }
        assert_eq!(outcomes[0], outcomes[1], "seed {seed}, step {step} on {emulator}");
    }
}

/// Some writes on a few items, on different ones each.
struct Writes(Vec<Write>);

impl Writes {
    fn result(self, result: usize) -> Commit<usize> {
        self.0.into_iter().fold(Commit::new(result), Commit::write)
    }
}

fn commit(random: &mut Random, shop: &str, seed: u64) -> Writes {
    let mut writes = Vec::new();
    for item in 0..4 {
        let key = Item::new().set("id", format!("{seed}-{item}"));
        let bytes = AttributeValue::B(vec![0, 255, item]);
        let tags = AttributeValue::Ss(vec!["a".to_owned(), "é".to_owned()]);
        let put = Put::new(shop, key.clone().set("count", 3).set("b", bytes).set("tags", tags));
        let update = Update::new(shop, key.clone()).add("count", random.within(0, 9));
        let expression = Update::new(shop, key.clone())
            .expression("SET #c = if_not_exists(#c, :zero) + :n")
            .name("#c", "count")
            .value(":zero", 0)
            .value(":n", 2);
        let write = match random.within(0, 9) {
            0 => put.into(),
            1 => put.if_absent("id").into(),
            2 => update.into(),
            3 => update.if_exists("id").set("seen", true).into(),
            4 => update.if_equals("count", 3).remove("tags").into(),
            5 => expression.into(),
            6 => Delete::new(shop, key).if_exists("tags").into(),
            7 => Check::new(shop, key).if_absent("missing").into(),
            _ => continue,
        };
        writes.push(write);
    }
    Writes(writes)
}

/// Each emulator once.
fn emulators() -> Vec<Emulator> {
    Emulator::all().into_iter().filter(|emulator| emulator.via() == Via::Sdk).collect()
}

/// A store with each of the clients.
fn stores(emulator: &Emulator, tables: &[String; 2]) -> [DynamoDbStore; 2] {
    let [sdk, lean] = Via::ALL;
    [sdk.store(emulator.endpoint(), &tables[0]), lean.store(emulator.endpoint(), &tables[1])]
}

/// A step of a history.
struct Step {
    name: String,
    start: Instant,
}

/// Compares answers, and errors by what they say. A client sends a request again that was not answered within a
/// second, and the second answer is another one; what it does to the table is the same.
#[track_caller]
fn same<T: std::fmt::Debug>(
    step: &Step,
    sdk: Result<T, powertools::idempotency::StoreError>,
    lean: Result<T, powertools::idempotency::StoreError>,
) {
    if step.start.elapsed() >= Duration::from_secs(1) {
        return;
    }
    // The names of tables differ in their last digits.
    let shown = |answer: Result<T, powertools::idempotency::StoreError>| {
        answer.map(|answer| format!("{answer:?}")).map_err(|error| {
            let message = error.to_string();
            let message = message.split('`').step_by(2).collect::<String>();
            // What no client can read is described by each in its own words.
            (
                error.kind(),
                if error.kind() == StoreErrorKind::Other { String::new() } else { message },
            )
        })
    };
    assert_eq!(shown(sdk), shown(lean), "{}", step.name);
}

fn shown(item: &Item) -> Vec<String> {
    // `Debug` hides values: compare them as requests would have them.
    let shown = |(name, value): (&str, &AttributeValue)| match value {
        AttributeValue::S(text) | AttributeValue::N(text) => format!("{name}: {text}"),
        AttributeValue::B(bytes) => format!("{name}: {bytes:?}"),
        AttributeValue::Ss(texts) => {
            let mut texts = texts.clone();
            texts.sort();
            format!("{name}: {texts:?}")
        }
        other => format!("{name}: {other:?}"),
    };
    item.iter().map(shown).collect()
}

async fn all(emulator: &Emulator, table: &str) -> Vec<Value> {
    let mut all = items::all(&emulator.client(), table).await;
    all.sort_by_key(Value::to_string);
    all
}

fn without_owners(mut records: Vec<Value>) -> Vec<Value> {
    for record in &mut records {
        record.as_object_mut().unwrap().remove("owner");
    }
    records.sort_by_key(Value::to_string);
    records
}
