//! What is not sent, and what is cut.

use powertools::Powertools;
use powertools::testing::Event;
use serde_json::json;

use super::*;

/// True if any request has this text in it.
fn is_sent(collector: &Collector, text: &str) -> bool {
    let requests = collector.requests();
    assert!(!requests.is_empty());
    requests.iter().any(|(_, body)| String::from_utf8_lossy(body).contains(text))
}

#[tokio::test]
async fn an_event_that_is_logged_stays_in_the_logs() {
    #[tracing::instrument(skip_all)]
    async fn handle(event: LambdaEvent<serde_json::Value>) -> Result<String, Error> {
        powertools::logging::log_event(&event.payload);
        Ok(String::new())
    }
    let collector = Collector::start().await;
    let otel = otel(&collector, &[]);
    let (lines, _subscriber) = logged(&otel);
    let lambda = FakeRuntime::new().function_name("orders");
    let function = lambda.run(Powertools::new(handle).lifecycle(otel).run());
    let event = json!({ "order": "o-7", "token": "secret" });
    lambda.invoke(Event::new(event).trace_id(SAMPLED)).await.response().unwrap();
    function.stop().await;
    let lines = lines.lock().unwrap();
    assert!(lines.contains("o-7") && !lines.contains("secret"), "{lines}");
    assert!(collector.span("handle").span.events.is_empty());
    assert!(!is_sent(&collector, "o-7") && !is_sent(&collector, "secret"));
}
