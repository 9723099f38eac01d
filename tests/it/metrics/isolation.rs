//! Many events at once: no value crosses, and none is lost.

use std::collections::HashMap;

use lambda_runtime::{Error, LambdaEvent};
use powertools::metrics::{self as measure, Unit};
use powertools::testing::FakeRuntime;
use powertools::{Invocation, Powertools, testing};
use powertools_tests::scale;
use serde_json::json;

use super::metrics;

/// Measures for its event in itself and in a task, with a pause after each.
async fn handle(event: LambdaEvent<u64>) -> Result<(), Error> {
    let id = event.payload;
    measure::property("event", id);
    measure::dimension("parity", if id.is_multiple_of(2) { "even" } else { "odd" });
    let task = tokio::spawn(Invocation::carry(async move {
        for value in 0..40 {
            measure::record("Task", id * 1_000 + value, Unit::None);
            tokio::task::yield_now().await;
        }
    }));
    for value in 0..39 {
        measure::record("Own", id * 1_000 + value, Unit::None);
        measure::count("Steps", 1);
        tokio::task::yield_now().await;
    }
    measure::with("kind", "last").count("Last", 1);
    measure::count("Last", 1);
    task.await?;
    Ok(())
}

/// 16 workers and 120 values for each event: at full scale 100,000 and more.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_crosses_and_nothing_is_lost() {
    let events = scale(200, 840) as u64;
    let captured = testing::metrics();
    let lambda = FakeRuntime::new().concurrency(16);
    let function = lambda.run(Powertools::new(handle).metrics(metrics(&captured)).run());
    let sent: Vec<_> = (0..events).map(|id| lambda.send(json!(id))).collect();
    for event in sent {
        assert!(event.outcome().await.response().is_some());
    }
    function.stop().await;

    let mut values: HashMap<u64, HashMap<String, Vec<f64>>> = HashMap::new();
    for line in captured.lines() {
        let id = line.properties["event"].as_u64().unwrap();
        assert_eq!(line.dimensions["parity"], if id.is_multiple_of(2) { "even" } else { "odd" });
        for (name, metric) in line.metrics {
            values.entry(id).or_default().entry(name).or_default().extend(metric.values);
        }
    }
    assert_eq!(values.len() as u64, events);
    for (id, mut metrics) in values {
        let numbers =
            |count: u64| (0..count).map(|value| (id * 1_000 + value) as f64).collect::<Vec<_>>();
        assert_eq!(metrics.remove("Task").unwrap(), numbers(40));
        assert_eq!(metrics.remove("Own").unwrap(), numbers(39));
        assert_eq!(metrics.remove("Steps").unwrap(), [1.0; 39]);
        assert_eq!(metrics.remove("Last").unwrap(), [1.0; 2]);
        assert!(metrics.is_empty());
    }
}
