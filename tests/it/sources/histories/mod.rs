//! Batches through the simulated mappings: many histories of records that fail, panic or are
//! poison, in functions that are slow, die and time out, each repeatable by its seed.

use lambda_runtime::LambdaEvent;
use powertools::batch::{self, Change, KafkaMessage, KinesisMessage, Message};
use powertools::events::{DynamoDbEvent, KafkaEvent, KinesisEvent, SqsEvent};
use powertools::testing::events::{self, KafkaRecord, KinesisRecord, SqsMessage};
use powertools::testing::{EventSource, Sqs};
use powertools_tests::times;
use serde_json::json;

use self::check::{Checked, Rules};
use self::world::{Job, Kind, World};

mod check;
mod store;
mod world;

#[tokio::test(start_paused = true)]
async fn of_a_standard_queue() {
    let mut checked = Checked::new(Rules { ordered: false, checkpoint: false });
    for seed in seeds() {
        let world = World::new(seed);
        let history = queue(&world, "jobs")
            .run(async |event: LambdaEvent<SqsEvent>| {
                let batch = batch::sqs(event.payload);
                world.handle(batch, |message: &Message<Job>| message.body.clone()).await
            })
            .await;
        checked.check(&world, &history);
    }
    checked.finish("a standard queue");
}

#[tokio::test(start_paused = true)]
async fn of_a_fifo_queue() {
    let mut checked = Checked::new(Rules { ordered: true, checkpoint: false });
    for seed in seeds() {
        let world = World::new(seed);
        let history = queue(&world, "jobs.fifo")
            .run(async |event: LambdaEvent<SqsEvent>| {
                let batch = batch::sqs(event.payload);
                world.handle(batch, |message: &Message<Job>| message.body.clone()).await
            })
            .await;
        checked.check(&world, &history);
    }
    checked.finish("a FIFO queue");
}

#[tokio::test(start_paused = true)]
async fn of_a_kinesis_stream() {
    let mut checked = Checked::new(Rules { ordered: true, checkpoint: true });
    for seed in seeds() {
        let world = World::new(seed);
        let records = world.jobs.iter().fold(events::kinesis("jobs"), |records, job| {
            records.record(KinesisRecord::new(job.group.to_string(), job.text()))
        });
        let history = world
            .set_up_stream(EventSource::kinesis(records).shards(2))
            .run(async |event: LambdaEvent<KinesisEvent>| {
                let batch = batch::kinesis(event.payload);
                world.handle(batch, |message: &KinesisMessage<Job>| message.body.clone()).await
            })
            .await;
        checked.check(&world, &history);
    }
    checked.finish("a Kinesis stream");
}

#[tokio::test(start_paused = true)]
async fn of_a_dynamodb_stream() {
    let mut checked = Checked::new(Rules { ordered: true, checkpoint: true });
    for seed in seeds() {
        let world = World::new(seed);
        let changes = world.jobs.iter().fold(events::dynamodb("jobs"), |changes, job| {
            let item = match job.kind {
                Kind::Unreadable => json!({ "n": "no number" }),
                _ => json!(job),
            };
            changes.insert(json!({ "group": job.group }), item)
        });
        let history = world
            .set_up_stream(EventSource::dynamodb(changes).shards(2))
            .run(async |event: LambdaEvent<DynamoDbEvent>| {
                let batch = batch::dynamodb(event.payload);
                world.handle(batch, |change: &Change<Job>| change.new.clone().unwrap()).await
            })
            .await;
        checked.check(&world, &history);
    }
    checked.finish("a DynamoDB stream");
}

#[tokio::test(start_paused = true)]
async fn of_a_kafka_topic() {
    let mut checked = Checked::new(Rules { ordered: true, checkpoint: false });
    for seed in seeds() {
        let world = World::new(seed);
        let records = world.jobs.iter().fold(events::kafka("jobs"), |records, job| {
            records.record(KafkaRecord::new(job.text()).partition(job.group))
        });
        let history = world
            .set_up_stream(EventSource::kafka(records))
            .run(async |event: LambdaEvent<KafkaEvent>| {
                let batch = batch::kafka(event.payload).partial_response();
                world.handle(batch, |message: &KafkaMessage<Job>| message.body.clone()).await
            })
            .await;
        checked.check(&world, &history);
    }
    checked.finish("a Kafka topic");
}

#[tokio::test(start_paused = true)]
async fn a_seed_gives_the_same_history_again() {
    for seed in 0..20 {
        let run = async || {
            let world = World::new(seed);
            queue(&world, "jobs")
                .run(async |event: LambdaEvent<SqsEvent>| {
                    let batch = batch::sqs(event.payload);
                    world.handle(batch, |message: &Message<Job>| message.body.clone()).await
                })
                .await
        };
        assert_eq!(run().await, run().await);
    }
}

fn queue(world: &World, name: &str) -> EventSource<Sqs> {
    let messages = world.jobs.iter().fold(events::sqs(name), |queue, job| {
        let message = SqsMessage::from(job.text()).id(format!("m{}", job.n));
        queue.message(message.group(job.group.to_string()))
    });
    world.set_up(EventSource::sqs(messages).max_receive_count(5))
}

/// `POWERTOOLS_TEST_SEED` replays one.
fn seeds() -> std::ops::Range<u64> {
    match std::env::var("POWERTOOLS_TEST_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..times(60) as u64,
    }
}
