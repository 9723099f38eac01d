//! What is kept from one line for the next never shows.

use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::metrics::{self as measure, Unit};
use powertools::testing::{self, FakeRuntime};
use serde_json::json;

use super::{lines, metrics};

#[test]
fn a_unit_is_that_of_its_line() {
    let lines = lines(|| {
        measure::record("Latency", 1, Unit::Seconds);
        measure::flush();
        measure::record("Latency", 2, Unit::Milliseconds.high_resolution());
        measure::count("Orders", 1);
    });
    let definitions =
        |line: &serde_json::Value| line["_aws"]["CloudWatchMetrics"][0]["Metrics"].clone();
    assert_eq!(definitions(&lines[0]), json!([{ "Name": "Latency", "Unit": "Seconds" }]));
    assert_eq!(
        definitions(&lines[1]),
        json!([
            { "Name": "Latency", "Unit": "Milliseconds", "StorageResolution": 1 },
            { "Name": "Orders", "Unit": "Count" },
        ])
    );
    assert_eq!((&lines[1]["Latency"], &lines[1]["Orders"]), (&json!(2), &json!(1)));
}

#[test]
fn a_metric_of_an_earlier_line_hides_no_property() {
    let lines = lines(|| {
        measure::count("Orders", 1);
        measure::flush();
        measure::property("Orders", "o-1");
        measure::count("Lines", 1);
    });
    assert_eq!(lines[1]["Orders"], "o-1");
}

#[tokio::test]
async fn a_metric_of_an_earlier_event_is_no_dimension_of_a_later_one() {
    let captured = testing::metrics();
    let lambda = FakeRuntime::new();
    let handler = async |event: LambdaEvent<bool>| {
        if event.payload {
            measure::dimension("stage", "prod");
        }
        measure::count("stage", 1);
        measure::count("Orders", 1);
        Ok::<_, Error>(())
    };
    let _function = lambda.run(Powertools::new(handler).metrics(metrics(&captured)).run());
    for event in [false, true, false] {
        lambda.invoke(json!(event)).await;
    }
    let lines = super::json(&captured);
    let stages: Vec<_> = lines.iter().map(|line| line["stage"].clone()).collect();
    assert_eq!(stages, [json!(1), json!("prod"), json!(1)]);
    assert!(lines.iter().all(|line| line["Orders"] == 1));
}
