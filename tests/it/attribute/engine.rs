//! The engine behind the attribute.

use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use powertools::idempotency::OnInterrupt;

use super::*;

#[derive(Debug, thiserror::Error)]
enum OrderError {
    #[error("declined")]
    Declined,
    #[error(transparent)]
    Idempotency(#[from] Error),
}

/// Counts the runs of the functions that are given it.
struct World {
    records: Records,
    runs: AtomicU32,
}

impl World {
    fn new() -> Self {
        Self { records: records(), runs: AtomicU32::new(0) }
    }

    #[idempotent(key = id, with = self.records, name = "charge")]
    async fn charge(&self, id: &str) -> Result<u32, Error> {
        Ok(self.run())
    }

    #[idempotent(key = id, with = self.records, name = "ship")]
    async fn ship(&self, id: &str) -> Result<u32, Error> {
        Ok(self.run())
    }

    #[idempotent(key = id, payload = amount, with = self.records, name = "pay")]
    async fn pay(&self, id: &str, amount: u64) -> Result<u32, Error> {
        Ok(self.run())
    }

    #[idempotent(key = id, with = self.records, name = "decline")]
    async fn decline(&self, id: &str) -> Result<u32, OrderError> {
        if self.run() == 1 {
            return Err(OrderError::Declined);
        }
        let amount = id.len();
        Ok(u32::try_from(amount).expect("a short id"))
    }

    #[idempotent(key = id, with = self.records, name = "change")]
    async fn change(&self, mut id: String) -> Result<String, Error> {
        id.push('!');
        self.run();
        Ok(id)
    }

    #[idempotent(key = (id.ok_or(Error::Config("no id".to_owned()))?, 7), with = self.records, name = "key_that_fails")]
    async fn key_that_fails(&self, id: Option<u64>) -> Result<u32, Error> {
        Ok(self.run())
    }

    fn run(&self) -> u32 {
        self.runs.fetch_add(1, Ordering::Relaxed) + 1
    }
}

#[tokio::test]
async fn a_second_call_gets_the_result_of_the_first() {
    let world = World::new();
    assert_eq!(world.charge("order-7").await.unwrap(), 1);
    assert_eq!(world.charge("order-7").await.unwrap(), 1);
    assert_eq!(world.charge("order-8").await.unwrap(), 2);
}

#[tokio::test]
async fn functions_do_not_receive_each_others_results() {
    let world = World::new();
    assert_eq!(world.charge("order-7").await.unwrap(), 1);
    assert_eq!(world.ship("order-7").await.unwrap(), 2);
}

#[tokio::test]
async fn a_changed_payload_is_refused() {
    let world = World::new();
    assert_eq!(world.pay("order-7", 10).await.unwrap(), 1);
    assert_eq!(world.pay("order-7", 10).await.unwrap(), 1);
    let error = world.pay("order-7", 20).await.unwrap_err();
    assert!(matches!(error, Error::PayloadChanged { .. }), "{error:?}");
}

#[tokio::test]
async fn an_error_is_returned_and_the_next_call_runs() {
    let world = World::new();
    let error = world.decline("order").await.unwrap_err();
    assert!(matches!(error, OrderError::Declined), "{error:?}");
    assert_eq!(world.decline("order").await.unwrap(), 5);
    assert_eq!(world.decline("order").await.unwrap(), 5);
}

#[tokio::test]
async fn a_missing_key_is_the_function_s_own_error() {
    let world = World::new();
    let error = world.decline("").await.unwrap_err();
    assert!(matches!(error, OrderError::Idempotency(Error::KeyMissing { .. })), "{error:?}");
    assert_eq!(world.runs.into_inner(), 0);
}

#[tokio::test]
async fn a_key_can_fail() {
    let world = World::new();
    assert!(matches!(world.key_that_fails(None).await.unwrap_err(), Error::Config(_)));
    assert_eq!(world.key_that_fails(Some(1)).await.unwrap(), 1);
}

#[tokio::test]
async fn the_key_is_derived_before_the_body_changes_its_arguments() {
    let world = World::new();
    for _ in 0..2 {
        assert_eq!(world.change("order".to_owned()).await.unwrap(), "order!");
    }
    assert_eq!(world.change("order!".to_owned()).await.unwrap(), "order!!");
    assert_eq!(world.runs.into_inner(), 2);
}

#[tokio::test(start_paused = true)]
async fn stopped_work_is_gone_before_its_claim() {
    struct Held(MemoryStore, Arc<Mutex<Option<usize>>>);

    impl Drop for Held {
        fn drop(&mut self) {
            *self.1.lock().unwrap() = Some(self.0.snapshot().len());
        }
    }

    #[idempotent(key = ORDER, with = records, name = "hold")]
    async fn hold(records: &Idempotency<MemoryStore>, held: Held) -> Result<(), Error> {
        let _held = held;
        pending().await
    }

    let records = Idempotency::builder(MemoryStore::new())
        .lease(Duration::from_secs(1))
        .on_interrupt(OnInterrupt::Release)
        .build()
        .unwrap();
    let seen = Arc::default();
    let held = Held(records.store().clone(), Arc::clone(&seen));
    hold(&records, held).await.unwrap_err();
    assert_eq!(*seen.lock().unwrap(), Some(1));
    assert!(records.store().snapshot().is_empty());
}

#[tokio::test]
async fn an_http_response_that_asks_for_a_retry_is_not_stored() {
    use aws_lambda_events::alb::AlbTargetGroupResponse;
    use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayV2httpResponse};
    use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlResponse;

    macro_rules! assert_retried {
        ($($response:ident)*) => {$({
            #[idempotent(key = id, with = idempotency, name = "respond")]
            async fn respond(idempotency: &Records, id: &str, status: i64) -> Result<$response, Error> {
                let mut response = $response::default();
                response.status_code = status;
                Ok(response)
            }

            let idempotency = records();
            for (status, expected) in [(503, 503), (429, 429), (409, 409), (200, 409)] {
                let response = respond(&idempotency, "order-7", status).await.unwrap();
                assert_eq!(response.status_code, expected, stringify!($response));
            }
        })*};
    }
    assert_retried!(
        AlbTargetGroupResponse
        ApiGatewayProxyResponse
        ApiGatewayV2httpResponse
        LambdaFunctionUrlResponse
    );
}

#[tokio::test]
async fn an_option_decides_about_http_responses_before_their_type() {
    use aws_lambda_events::apigw::ApiGatewayProxyResponse;

    #[idempotent(key = id, with = idempotency, name = "respond")]
    async fn respond(
        idempotency: &Records,
        id: &str,
        status: i64,
    ) -> Result<ApiGatewayProxyResponse, Error> {
        let mut response = ApiGatewayProxyResponse::default();
        response.status_code = status;
        Ok(response)
    }

    let idempotency = Idempotency::builder(MemoryStore::new()).keep_if(|_| true).build().unwrap();
    for status in [503, 200] {
        assert_eq!(respond(&idempotency, "order-7", status).await.unwrap().status_code, 503);
    }
}
