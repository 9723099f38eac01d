//! What Lambda receives when the table fails: one name for each fault. Nothing is
//! lost by it, and nothing runs twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::idempotency::{Builder, DynamoDbStore, Idempotency, OnSaveFailure};
use powertools::testing::{Event, FakeRuntime, FunctionTask, Outcome};
use powertools_tests::emulators::Emulator;
use powertools_tests::proxy::Fault;
use serde_json::{Value, json};

use super::{SECOND, World, on_each};

#[tokio::test]
async fn nothing_runs_if_the_table_is_missing() {
    on_each(async |emulator| {
        let store = emulator.store("missing");
        let function = Function::start(Idempotency::new(store).unwrap());
        let outcome = function.deliver().await;
        assert_eq!(outcome.error_type(), Some("Powertools.IdempotencyStoreNotFound"));
        let message = &outcome.diagnostic().unwrap().error_message;
        assert!(message.contains("table `missing` does not exist in eu-central-1"), "{message}");
        assert_eq!(function.runs(), 0);
    })
    .await;
}

#[tokio::test]
async fn nothing_runs_without_the_permission_to_put_items() {
    let denied = Fault::Refuse("AccessDeniedException", "not authorized to perform PutItem");
    on_each(async |emulator| {
        let (world, function) = start(emulator).await;
        world.next(1, "PutItem", &denied);
        let outcome = function.deliver().await;
        assert_eq!(outcome.error_type(), Some("Powertools.IdempotencyStoreAccessDenied"));
        let message = &outcome.diagnostic().unwrap().error_message;
        assert!(message.contains("the function's role needs dynamodb:PutItem"), "{message}");
        assert_eq!(function.runs(), 0);

        function.runs_once_when_retried().await;
    })
    .await;
}

#[tokio::test]
async fn nothing_runs_twice_without_the_permission_to_update_items() {
    let denied = Fault::Refuse("AccessDeniedException", "not authorized to perform UpdateItem");
    on_each(async |emulator| {
        let (world, function) = start(emulator).await;
        world.next(1, "UpdateItem", &denied);
        let outcome = function.deliver().await;
        assert_eq!(outcome.error_type(), Some("Powertools.IdempotencyNotSaved"));
        let again = function.deliver().await;
        assert_eq!(again.error_type(), Some("Powertools.IdempotencyInProgress"));
        assert_eq!(function.runs(), 1, "nothing runs twice while the lease holds");
    })
    .await;
}

#[tokio::test]
async fn nothing_runs_while_the_table_throttles() {
    on_each(async |emulator| {
        let (world, function) = start(emulator).await;
        world.next(3, "PutItem", &Fault::Throttle);
        let outcome = function.deliver().await;
        assert_eq!(outcome.error_type(), Some("Powertools.IdempotencyStoreThrottled"));
        assert_eq!(function.runs(), 0);

        function.runs_once_when_retried().await;
    })
    .await;
}

#[tokio::test]
async fn a_result_over_the_limit_of_an_item_is_returned_once() {
    on_each(async |emulator| {
        let (_world, function) = start(emulator).await;
        let first = function.invoke(large_order()).await;
        assert_eq!(first.json::<String>().len(), 500_000, "the first caller gets its result");
        for _ in 0..2 {
            let again = function.invoke(large_order()).await;
            assert_eq!(again.error_type(), Some("Powertools.IdempotencyResultNotStored"));
        }
        assert_eq!(function.runs(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_result_over_the_limit_of_an_item_is_an_error_with_the_option() {
    on_each(async |emulator| {
        let policy =
            |options: Builder<DynamoDbStore>| options.on_unstorable_result(OnSaveFailure::Error);
        let world = World::with(emulator, policy).await;
        let function = Function::start(world.idempotency.clone());
        for _ in 0..2 {
            let outcome = function.invoke(large_order()).await;
            assert_eq!(outcome.error_type(), Some("Powertools.IdempotencyResultNotStored"));
        }
        assert_eq!(function.runs(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_deadline_in_the_past_claims_nothing() {
    on_each(async |emulator| {
        let (world, function) = start(emulator).await;
        let past = order().deadline(SystemTime::UNIX_EPOCH + 1_700_000_000 * SECOND);
        let outcome = function.invoke(past).await;
        // The guard of the stack is further out than the engine.
        assert_eq!(outcome.error_type(), Some("Powertools.DeadlineNoTime"));
        assert_eq!(function.runs(), 0);
        assert_eq!(world.proxy.operations().len(), 0, "nothing is claimed in vain");

        function.runs_once_when_retried().await;
    })
    .await;
}

#[tokio::test]
async fn an_invalid_record_is_reported_under_its_own_name() {
    let records = [
        ("Powertools.IdempotencyRecordMalformed", "status", json!({ "N": "1" })),
        ("Powertools.IdempotencyRecordMalformed", "owner", json!({ "N": "1" })),
        ("Powertools.IdempotencyStatusUnknown", "status", json!({ "S": "PAUSED" })),
        ("Powertools.IdempotencyResultInvalid", "data", json!({ "S": "{" })),
        ("Powertools.IdempotencyResultInvalid", "data", json!({ "N": "1" })),
    ];
    on_each(async |emulator| {
        for (name, attribute, value) in &records {
            let (world, function) = start(emulator).await;
            function.runs_once_when_retried().await;
            let mut record = world.only_record().await;
            record[attribute] = value.clone();
            powertools_tests::items::put(&emulator.client(), &world.table, &record).await;

            let outcome = function.deliver().await;
            assert_eq!(outcome.error_type(), Some(*name), "{attribute}: {value}");
            assert_eq!(world.only_record().await, record, "what is not understood is kept");
            assert_eq!(function.runs(), 1);
        }
    })
    .await;
}

/// A function on a table of its own.
async fn start(emulator: &Emulator) -> (World, Function) {
    let world = World::new(emulator).await;
    let function = Function::start(world.idempotency.clone());
    (world, function)
}

/// A function that is idempotent by the `id` of its events, and answers with as many letters as
/// they ask for.
struct Function {
    lambda: FakeRuntime,
    runs: Arc<AtomicU32>,
    _task: FunctionTask<Result<(), Error>>,
}

impl Function {
    fn start(idempotency: Idempotency<DynamoDbStore>) -> Self {
        let runs = Arc::new(AtomicU32::new(0));
        let handler = {
            let runs = runs.clone();
            move |event: LambdaEvent<Value>| {
                runs.fetch_add(1, Ordering::SeqCst);
                let letters = event.payload["letters"].as_u64().unwrap_or(1);
                async move { Ok::<_, Error>("x".repeat(letters.try_into()?)) }
            }
        };
        let lambda = FakeRuntime::new();
        let function = Powertools::new(handler).idempotent(
            idempotency,
            "charge",
            |work, event: &LambdaEvent<Value>| work.key(&event.payload["id"]),
        );
        let task = lambda.run(function.run());
        Self { lambda, runs, _task: task }
    }

    async fn invoke(&self, event: Event) -> Outcome {
        self.lambda.invoke(event).await
    }

    async fn deliver(&self) -> Outcome {
        self.invoke(order()).await
    }

    async fn runs_once_when_retried(&self) {
        for _ in 0..2 {
            assert_eq!(self.deliver().await.json::<String>(), "x");
            assert_eq!(self.runs(), 1);
        }
    }

    fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }
}

fn order() -> Event {
    Event::new(json!({ "id": "order-1" }))
}

fn large_order() -> Event {
    Event::new(json!({ "id": "order-1", "letters": 500_000 }))
}
