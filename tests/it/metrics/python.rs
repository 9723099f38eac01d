//! The lines of the Python toolkit.

use powertools::metrics::{self as measure, Unit};
use powertools::testing;
use powertools::{Powertools, testing::FakeRuntime};
use serde_json::{Value, json};

use super::{json, metrics};

/// What each recorded case does, in Rust.
fn measure(case: &str) {
    match case {
        "one metric" => measure::count("Orders", 1),
        "same metric twice" => {
            measure::count("Orders", 1);
            measure::count("Orders", 2.5);
        }
        "high resolution" => {
            measure::record("Lag", 12, Unit::Milliseconds.high_resolution());
        }
        "dimension and metadata" => {
            measure::dimension("env", "prod");
            measure::property("order_id", "o-1");
            measure::count("Orders", 1);
        }
        "101 values of one metric" => {
            (0..101).for_each(|value| measure::record("Orders", value, Unit::Count));
        }
        "101 metrics" => {
            (0..101).for_each(|index| measure::record(format!("M{index}"), index, Unit::Count));
        }
        "empty dimension value" => {
            measure::dimension("env", "");
            measure::count("Orders", 1);
        }
        "30 dimensions" => {
            (0..30).for_each(|index| measure::dimension(format!("d{index}"), "x"));
            measure::count("Orders", 1);
        }
        "second dimension set" => {
            measure::dimension("env", "prod");
            measure::with("region", "eu").with("az", "1a").count("Orders", 1);
        }
        "no metric" => {}
        other => panic!("an unknown case: {other}"),
    }
}

/// The differences, each with its reason.
///
/// | | Python | here | reason |
/// |---|---|---|---|
/// | one value | `[1.0]` | `1` | as in TypeScript: Logs Insights adds up a number, not an array |
/// | 29 of its own dimensions and a service | raises at the 30th, loses all | 30 dimensions | CloudWatch takes 30; a value is not lost for a dimension |
/// | a second set of dimensions | one line, whose sets share values | a line with all dimensions of the value | a name with two values would change both sets |
/// | an unknown unit, a value that is no number | raise | do not compile | `Unit` is an enum, values are numbers |
#[tokio::test]
async fn the_same_lines_where_they_are_right() {
    let file = include_str!("../../vectors/python-metrics.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 12);
    for case in cases {
        let name = case["name"].as_str().unwrap().to_owned();
        if ["invalid unit", "invalid value"].contains(&&*name) {
            assert!(case["raised"].is_string());
            continue;
        }
        let ours = lines(&name).await;
        match &*name {
            "30 dimensions" => {
                assert!(case["raised"].is_string());
                let dimensions = &ours[0]["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0];
                let dimensions = dimensions.as_array().unwrap();
                assert_eq!(dimensions.len(), 30);
                assert_eq!(dimensions[29], "service");
                assert!(!dimensions.contains(&json!("d29")));
                assert_eq!((ours.len(), &ours[0]["Orders"]), (1, &json!(1)));
            }
            "second dimension set" => {
                assert_eq!(
                    ours[0]["_aws"]["CloudWatchMetrics"][0]["Dimensions"],
                    json!([["env", "region", "az", "service"]])
                );
            }
            _ => {
                let theirs = case["emitted"].as_array().unwrap();
                let theirs: Vec<_> = theirs.iter().map(as_here).collect();
                assert_eq!(ours, theirs, "{name}");
            }
        }
    }
}

/// The recorded line with one value by itself, and numbers without an empty fraction.
fn as_here(line: &Value) -> Value {
    let mut line = line.clone();
    line["_aws"]["Timestamp"] = json!("now");
    for (_, member) in line.as_object_mut().unwrap() {
        let Value::Array(values) = member else { continue };
        for value in &mut *values {
            let number = value.as_f64().unwrap();
            if number.fract() == 0.0 {
                *value = json!(number as i64);
            }
        }
        if let [value] = &values[..] {
            *member = value.clone();
        }
    }
    line
}

async fn lines(case: &str) -> Vec<Value> {
    let captured = testing::metrics();
    let name = case.to_owned();
    let handler = move |_: lambda_runtime::LambdaEvent<Value>| {
        measure(&name);
        async { Ok::<_, lambda_runtime::Error>(()) }
    };
    let lambda = FakeRuntime::new();
    let function = lambda.run(Powertools::new(handler).metrics(metrics(&captured)).run());
    assert!(lambda.invoke(json!({})).await.response().is_some());
    function.stop().await;
    let mut lines = json(&captured);
    lines.iter_mut().for_each(|line| line["_aws"]["Timestamp"] = json!("now"));
    lines
}
