//! Counts the clicks in a Kinesis stream, by page.
//!
//! The producer uses the visitor as the partition key. After a failure, Lambda reads the stream
//! again from the record that failed. The event source mapping requires `ReportBatchItemFailures`.

use std::collections::BTreeMap;
use std::sync::Mutex;

use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::batch::{self, KinesisMessage, RecordError, Reply};
use powertools::events::{KinesisEvent, KinesisRecord, ParseError};
use powertools::logging::Logging;
use powertools::metrics::{self, Metrics, Namespace};
use serde::Deserialize;

#[derive(Deserialize)]
struct Click {
    page: String,
}

async fn handle(event: LambdaEvent<KinesisEvent>) -> Result<Reply, batch::Error> {
    let pages = Mutex::new(BTreeMap::<String, u64>::new());
    let report = batch::kinesis(event.payload)
        // A click that cannot be parsed must not block its shard until it expires.
        .permanent_if(|error| error.is::<ParseError>())
        .permanent_sink(async |record: KinesisRecord, error| {
            tracing::warn!(record = record.sequence_number(), %error, "skipped");
            Ok::<_, Error>(())
        })
        .run(|click: KinesisMessage<Click>| {
            *pages.lock().expect("no holder panics").entry(click.body.page).or_default() += 1;
            async { Ok::<_, RecordError>(()) }
        })
        .await;
    let pages = pages.into_inner().expect("no holder panics");
    metrics::count("ClicksCounted", pages.values().sum::<u64>());
    tracing::info!(?pages, "counted");
    report.into_reply()
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    Powertools::new(handle)
        .logging(Logging::new())
        .metrics(Metrics::new().namespace(Namespace::from_static("Shop")))
        .run()
        .await
}
