//! What is kept from one line for the next never shows.

use std::time::{Duration, SystemTime};

use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::metrics::{self as measure, Unit};
use powertools::testing::{self, FakeRuntime};
use serde_json::{Value, json};

use super::{NOW, lines, metrics};

fn definitions(line: &Value) -> &Value {
    &line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
}

/// The names of the metrics of a line.
fn names(line: &Value) -> Vec<&str> {
    let metrics = definitions(line).as_array().unwrap();
    metrics.iter().map(|metric| metric["Name"].as_str().unwrap()).collect()
}

#[test]
fn a_unit_is_that_of_its_line() {
    let lines = lines(|| {
        measure::record("Latency", 1, Unit::Seconds);
        measure::flush();
        measure::record("Latency", 2, Unit::Milliseconds.high_resolution());
        measure::count("Orders", 1);
    });
    assert_eq!(*definitions(&lines[0]), json!([{ "Name": "Latency", "Unit": "Seconds" }]));
    assert_eq!(
        *definitions(&lines[1]),
        json!([
            { "Name": "Latency", "Unit": "Milliseconds", "StorageResolution": 1 },
            { "Name": "Orders", "Unit": "Count" },
        ])
    );
    assert_eq!((&lines[1]["Latency"], &lines[1]["Orders"]), (&json!(2), &json!(1)));
}

#[test]
fn a_unit_may_be_all_that_changes() {
    let lines = lines(|| {
        measure::record("Latency", 1, Unit::Seconds);
        measure::flush();
        measure::record("Latency", 2, Unit::Milliseconds);
    });
    let units: Vec<_> = lines.iter().map(|line| &definitions(line)[0]["Unit"]).collect();
    assert_eq!(units, ["Seconds", "Milliseconds"]);
}

#[test]
fn metrics_may_come_in_another_order() {
    let lines = lines(|| {
        for order in [["a", "b", "c"], ["c", "a", "b"], ["b", "b", "a"]] {
            for name in order {
                measure::record(name, u32::from(name.as_bytes()[0]), Unit::None);
            }
            measure::flush();
        }
    });
    for line in &lines[..2] {
        assert_eq!(names(line), ["a", "b", "c"]);
        assert_eq!((&line["a"], &line["b"], &line["c"]), (&json!(97), &json!(98), &json!(99)));
    }
    assert_eq!((&lines[2]["a"], &lines[2]["b"]), (&json!(97), &json!([98, 98])));
}

#[test]
fn a_line_has_the_metrics_that_were_measured_for_it() {
    let measured =
        [&["a", "b"][..], &["b"], &["b"], &["b", "a"], &["b", "a", "c"], &["a"], &["a", "c"]];
    let lines = lines(|| {
        for names in measured {
            names.iter().for_each(|name| measure::count(*name, 1));
            measure::flush();
        }
    });
    assert_eq!(lines.iter().map(names).collect::<Vec<_>>(), measured);
    for (line, names) in lines.iter().zip(measured) {
        assert!(names.iter().all(|name| line[name] == 1), "{line}");
        assert_eq!(line.as_object().unwrap().len(), 1 + names.len(), "{line}");
    }
}

#[test]
fn a_name_made_at_run_time_is_that_of_the_program() {
    let lines = lines(|| {
        measure::count("Orders", 1);
        measure::count("Orders".to_owned(), 2);
        measure::flush();
        measure::count(String::from("Orders"), 3);
        measure::count("Orders", 4);
    });
    assert!(lines.iter().all(|line| names(line) == ["Orders"]));
    assert_eq!((&lines[0]["Orders"], &lines[1]["Orders"]), (&json!([1, 2]), &json!([3, 4])));
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

#[tokio::test]
async fn what_an_event_sets_is_not_set_for_a_later_one() {
    let captured = testing::metrics();
    let lambda = FakeRuntime::new();
    let handler = async |event: LambdaEvent<String>| {
        match &*event.payload {
            "dimension" => measure::dimension("stage", "prod"),
            "other" => measure::dimension("stage", "dev"),
            "with" => measure::with("stage", "prod").count("Orders", 1),
            "property" => measure::with("a", "").property("order", 1).count("Orders", 1),
            "at" => {
                let time = SystemTime::UNIX_EPOCH + Duration::from_millis(NOW);
                measure::at(time).count("Orders", 1);
            }
            _ => {}
        }
        measure::count("Orders", 2);
        Ok::<_, Error>(())
    };
    let _function = lambda.run(Powertools::new(handler).metrics(metrics(&captured)).run());
    for event in ["", "dimension", "", "other", "dimension", "with", "", "property", "", "at", ""] {
        let before = captured.json_lines().len();
        lambda.invoke(json!(event)).await;
        let lines = super::json(&captured).split_off(before);
        let (stage, dimensions) = match event {
            "dimension" => (json!("prod"), json!([["stage", "service"]])),
            "other" => (json!("dev"), json!([["stage", "service"]])),
            _ => (json!(null), json!([["service"]])),
        };
        assert_eq!(lines.len(), if matches!(event, "with" | "property" | "at") { 2 } else { 1 });
        let last = lines.last().unwrap();
        assert_eq!(last["Orders"], 2, "{event}");
        assert_eq!(last["stage"], stage, "{event}");
        assert_eq!(last["_aws"]["CloudWatchMetrics"][0]["Dimensions"], dimensions, "{event}");
        assert_eq!(last["order"], json!(null), "{event}");
        assert_ne!(last["_aws"]["Timestamp"], NOW, "{event}");
    }
}
