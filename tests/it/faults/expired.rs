//! A large table, in which DynamoDB has not removed everything yet that has expired.

use std::time::{Duration, SystemTime};

use futures_util::{StreamExt, TryStreamExt, stream};
use powertools::Clock;
use powertools::idempotency::Error;
use powertools_tests::items;
use powertools_tests::scale;
use powertools_tests::via::Via;
use serde_json::{Value, json};

use super::{World, on_each};

/// How many records of each kind are looked at.
const SAMPLE: usize = 50;

#[tokio::test]
async fn expired_records_count_as_absent_before_they_are_removed() {
    let clock = Clock::system();
    let now = clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    on_each(async |emulator| {
        // The size of a table matters to the emulator, and not to the client.
        let count = if emulator.via() == Via::Sdk { scale(2_000, 100_000) } else { 2_000 };
        let world = World::with(emulator, |options| options.lease(Duration::from_secs(60))).await;
        let records = (0..count).map(|number| {
            let call = world.idempotency.operation("charge").key(&number).unwrap();
            old_record(call.derived_key().unwrap().as_str(), Kind::of(number), now)
        });
        write(&world, records).await;

        for number in sample(count) {
            let work = async { Ok::<_, Error>("new".to_owned()) };
            let outcome = world.idempotency.run("charge", &number, work).await;
            let fits = match Kind::of(number) {
                Kind::Expired | Kind::ExpiredClaim => {
                    matches!(&outcome, Ok(result) if result == "new")
                }
                Kind::Finished => matches!(&outcome, Ok(result) if result == "old"),
                Kind::Claimed => matches!(&outcome, Err(Error::InProgress { .. })),
            };
            assert!(fits, "{:?} {number}: {outcome:?}", Kind::of(number));
        }
        for number in sample(count).filter(|number| Kind::of(*number).is_expired()) {
            let work = async { Ok::<_, Error>("newer".to_owned()) };
            let again = world.idempotency.run("charge", &number, work).await.unwrap();
            assert_eq!(again, "new", "a record that took the place of an old one counts");
        }
    })
    .await;
}

#[derive(Debug, PartialEq)]
enum Kind {
    Expired,
    ExpiredClaim,
    Finished,
    Claimed,
}

impl Kind {
    /// One in ten has expired.
    fn of(number: usize) -> Self {
        match number % 20 {
            0 => Self::Expired,
            10 => Self::ExpiredClaim,
            5 => Self::Claimed,
            _ => Self::Finished,
        }
    }

    fn is_expired(&self) -> bool {
        matches!(self, Self::Expired | Self::ExpiredClaim)
    }
}

/// Numbers from all over the table, as many of each kind.
fn sample(count: usize) -> impl Iterator<Item = usize> {
    let step = count / 20 / SAMPLE * 20;
    (0..SAMPLE).flat_map(move |position| [0, 5, 7, 10].map(|kind| position * step + kind))
}

fn old_record(key: &str, kind: Kind, now: u64) -> Value {
    let status = match kind {
        Kind::Expired | Kind::Finished => "COMPLETED",
        Kind::ExpiredClaim | Kind::Claimed => "INPROGRESS",
    };
    let expiration = if kind.is_expired() { now - 60 } else { now + 3600 };
    json!({
        "id": { "S": key },
        "status": { "S": status },
        "expiration": { "N": expiration.to_string() },
        // It reports an expired claim as held, but the record is gone.
        "in_progress_expiration": { "N": (1000 * (now + 1800)).to_string() },
        "owner": { "S": "0123456789abcdef0123456789abcdef" },
        "data": { "S": r#""old""# },
    })
}

/// Fills the table, as many records at once as DynamoDB takes.
async fn write(world: &World, records: impl Iterator<Item = Value>) {
    use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};

    let client = world.emulator.client();
    let writes = records.map(|record| {
        let put = PutRequest::builder().set_item(Some(items::from_json(&record))).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    });
    let batches = stream::iter(writes).chunks(25).map(|batch| {
        let request = client.batch_write_item().request_items(&world.table, batch);
        async move {
            let output = request.send().await?;
            assert!(output.unprocessed_items.unwrap_or_default().is_empty());
            Ok::<_, aws_sdk_dynamodb::Error>(())
        }
    });
    // Few at once: moto handles one request at a time, and other tests wait for theirs.
    batches.buffer_unordered(2).try_collect::<()>().await.unwrap();
}
