//! Every source and every shape of a function over one record.

#![deny(warnings)]
#![allow(dead_code)]

use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent};
use powertools::batch::{Change, KafkaMessage, KinesisMessage, Message, RecordError, ReplyOf};
use powertools::events::{ParseError, SqsEvent, SqsRecord};
use powertools::{LambdaError, Powertools, batch, batch as records};

#[derive(serde::Deserialize)]
struct Order {
    id: String,
}

#[derive(Debug, thiserror::Error, LambdaError)]
#[error("declined")]
#[permanent]
struct Declined;

#[batch(sqs)]
async fn parsed(order: Message<Order>) -> Result<(), Error> {
    if order.body.id.is_empty() {
        return Err("no id".into());
    }
    Ok(())
}

#[batch(sqs, max_receive_count = 2 + 1)]
async fn raw(record: SqsRecord) -> Result<(), RecordError> {
    record.body().map(drop).ok_or_else(|| RecordError::permanent("no body"))
}

#[batch(kinesis, concurrency = 1 + 1)]
async fn clicks(_: KinesisMessage<String>) -> Result<(), Declined> {
    Err(Declined)
}

#[batch(dynamodb, stop_at_first_failure)]
async fn changes(mut change: Change<Order>) -> anyhow::Result<()> {
    change = change.clone_me();
    let _ = change;
    Ok(())
}

trait CloneMe: Sized {
    fn clone_me(self) -> Self {
        self
    }
}

impl<T> CloneMe for T {}

#[batch(kafka, partial_response, reserve = Duration::from_secs(3))]
async fn topic(message: KafkaMessage<String>) -> Result<(), Error> {
    drop(message);
    Ok(())
}

/// Hands the rest on.
#[batch(
    sqs,
    concurrency = 8,
    reserve = "2s",
    all_or_nothing,
    fail_when_all_failed,
    permanent_if = |error| error.is::<ParseError>(),
    permanent_sink = |record: SqsRecord, _| async move {
        drop(record);
        Ok::<_, Error>(())
    },
    on_outcome = |_, outcome| println!("{outcome:?}"),
)]
pub(crate) async fn everything(order: Message<Order>) -> Result<(), Error> {
    println!("{}", order.body.id);
    Ok(())
}

struct Pool;

#[batch(sqs, concurrency = 2)]
async fn with_state(
    pool: Arc<Pool>,
    (mut seen, _): (u64, u64),
    prefix: &'static str,
    _: u8,
    order: Message<Order>,
) -> Result<(), Error> {
    seen += 1;
    let _ = (pool, seen, prefix, order);
    Ok(())
}

#[batch(sqs)]
async fn generic<S: AsRef<str> + Clone, const N: usize>(
    names: [S; N],
    order: Message<Order>,
) -> Result<(), Error> {
    match names.iter().find(|name| name.as_ref() == order.body.id) {
        Some(_) => Ok(()),
        None => Err("unknown".into()),
    }
}

struct Orders(Arc<Pool>);

impl Orders {
    #[batch(sqs)]
    async fn method(&self, order: Message<Order>) -> Result<(), Error> {
        let _ = (&self.0, order);
        Ok(())
    }

    #[batch(source = SqsEvent, concurrency = 3)]
    async fn own_source(order: Message<Order>) -> Result<(), Error> {
        let _ = order;
        Ok(())
    }
}

#[records(sqs)]
async fn under_another_name(order: Message<Order>) -> Result<(), Error> {
    let _ = order;
    Ok(())
}

/// What the attribute makes is a handler.
async fn started(event: LambdaEvent<SqsEvent>) -> Result<ReplyOf<SqsEvent>, batch::Error> {
    everything(event).await
}

async fn runs(pool: Arc<Pool>) -> Result<(), Error> {
    Powertools::new(parsed).run().await?;
    Powertools::new(topic).run().await?;
    Powertools::new(move |event| with_state(pool.clone(), (0, 0), "", 0, event)).run().await
}

fn main() {}
