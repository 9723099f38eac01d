//! Many batches at once, on the real runtime.

use lambda_runtime::{Error, LambdaEvent};
use powertools::batch::{self, Message, Reply};
use powertools::events::SqsEvent;
use powertools::testing::events::{self, SqsMessage};
use powertools::testing::{FakeRuntime, Outcome};
use powertools::{Invocation, Powertools};
use serde_json::{Value, json};

async fn handle(event: LambdaEvent<SqsEvent>) -> Result<Reply, batch::Error> {
    let own = event.context.request_id;
    let batch = batch::sqs(event.payload).concurrency(4);
    batch.run(|message| record(own.clone(), message)).await.into_reply()
}

/// Fails for odd numbers, and if it sees another invocation than its own.
async fn record(own: String, message: Message<u64>) -> Result<(), Error> {
    tokio::task::yield_now().await;
    let invocation = Invocation::current().expect("set by Powertools");
    assert_eq!(invocation.request_id(), own);
    if message.body % 2 == 1 { Err("odd".into()) } else { Ok(()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_a_thousand_batches_on_16_workers_receives_its_own_reply() {
    let lambda = FakeRuntime::new().concurrency(16);
    let _function = lambda.run(Powertools::new(handle).run());

    let pending: Vec<_> = (0..1_000)
        .map(|batch| {
            let mut event = events::sqs("orders");
            for n in 0..7_u64 {
                let message = SqsMessage::from(json!(batch + n)).id(format!("{batch}-{n}"));
                event = event.message(message);
            }
            lambda.send(event.build())
        })
        .collect();
    for (batch, event) in pending.iter().enumerate() {
        let odd = (0..7).filter(|n| (batch + n) % 2 == 1);
        let failures: Vec<_> =
            odd.map(|n| json!({ "itemIdentifier": format!("{batch}-{n}") })).collect();
        let reply: Value = event.outcome().await.json();
        assert_eq!(reply, json!({ "batchItemFailures": failures }));
    }
}

#[tokio::test]
async fn a_rejected_batch_is_reported_under_its_own_name() {
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::new(boxed).run());
    let outcome = lambda.invoke(json!({ "Records": [{ "body": "1" }] })).await;
    let Outcome::Failed(error) = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.error_type, "Powertools.BatchIdentifierMissing");
    assert_eq!(
        error.error_message,
        "record 0 has no identifier, so its failure could not be reported"
    );
    let outcome = lambda.invoke(json!({ "detail": {} })).await;
    let Outcome::Failed(error) = outcome else { panic!("{outcome:?}") };
    assert!(error.error_message.contains("it has no list `Records`"), "{}", error.error_message);
}

/// The error is in a box here, which hides its type.
async fn boxed(event: LambdaEvent<SqsEvent>) -> Result<Reply, Error> {
    let report = batch::sqs(event.payload).run(async |_: Message<u64>| Ok::<_, Error>(()));
    Ok(report.await.into_reply()?)
}
