//! What the format allows on one line: more makes more lines, and loses nothing.

use std::collections::BTreeMap;

use powertools::metrics::{self as measure, MetricSet, Unit};
use serde_json::json;

use super::{lines, measured};

#[test]
fn a_line_has_100_metrics() {
    let measured = measured(|| {
        (0..250).for_each(|index| measure::count(format!("M{index}"), index));
    });
    let lines = measured.lines();
    let metrics: Vec<_> = lines.iter().map(|line| line.metrics.len()).collect();
    assert_eq!(metrics, [100, 100, 50]);
    (0..250).for_each(|index| assert_eq!(measured.values(&format!("M{index}")), [index as f64]));
}

#[test]
fn a_metric_has_100_different_values() {
    let values: Vec<f64> = (0..250).map(f64::from).collect();
    let all_at_once = measured(|| measure::record("Latency", &values, Unit::None));
    let one_by_one = measured(|| {
        values.iter().for_each(|value| measure::record("Latency", value, Unit::None));
    });
    for measured in [all_at_once, one_by_one] {
        let lines = measured.lines();
        let counts: Vec<_> =
            lines.iter().map(|line| line.metrics["Latency"].values.len()).collect();
        assert_eq!(counts, [100, 100, 50]);
        assert_eq!(measured.values("Latency"), values);
    }
}

/// Each value would otherwise be compared with all those before it: 45,000,000,000 times.
#[test]
fn a_slice_of_300_000_different_values_takes_no_long_time() {
    let values: Vec<f64> = (0..300_000).map(f64::from).chain([7.0, -0.0]).collect();
    let start = std::time::Instant::now();
    let measured = measured(|| measure::record("Latency", &values, Unit::None));
    assert!(start.elapsed() < std::time::Duration::from_secs(10), "{:?}", start.elapsed());
    let lines = measured.lines();
    assert_eq!(lines.len(), 3000);
    let mut found = measured.values("Latency");
    found.sort_by(f64::total_cmp);
    let mut expected = values;
    expected.iter_mut().for_each(|value| *value += 0.0);
    expected.sort_by(f64::total_cmp);
    assert_eq!(found, expected);
}

#[test]
fn equal_values_are_written_with_their_count_where_that_is_shorter() {
    let written = |values: &[f64]| {
        let values = values.to_vec();
        lines(|| measure::record("A", values, Unit::None)).remove(0)["A"].clone()
    };
    assert_eq!(written(&[1.5]), json!(1.5));
    assert_eq!(written(&[1.0, 1.0, 1.0]), json!([1, 1, 1]));
    assert_eq!(written(&[1.0, 2.0, 1.0]), json!([1, 1, 2]));
    assert_eq!(written(&[2.0; 20]), json!({ "Values": [2], "Counts": [20] }));
    let mut many = [0.125; 60];
    many[7] = 3.0;
    assert_eq!(written(&many), json!({ "Values": [0.125, 3], "Counts": [59, 1] }));
}

#[test]
fn a_counter_of_a_million_is_one_value() {
    let lines = lines(|| (0..1_000_000).for_each(|_| measure::count("Rows", 1)));
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["Rows"], json!({ "Values": [1], "Counts": [1_000_000] }));
}

#[test]
fn a_line_has_1_mb() {
    // 100 names of 1,024 characters with four bytes each, twice on the line: 820 KB without values.
    let name = |index: usize| format!("{}{index:03}", "𝄞".repeat(1021));
    let values: Vec<f64> = (0..100).map(|value| 1e300_f64.recip() * f64::from(value + 1)).collect();
    let measured = measured(|| {
        measure::property("note", "n".repeat(100_000));
        (0..100).for_each(|index| measure::record(name(index), &values[..], Unit::None));
    });
    let written = measured.json_lines();
    assert!(written.len() > 1);
    assert!(written.iter().all(|line| line.len() <= 1024 * 1024));
    assert!(measured.lines().iter().all(|line| line.properties.contains_key("note")));
    (0..100).for_each(|index| assert_eq!(measured.values(&name(index)), values));
}

#[test]
fn properties_that_fit_no_line_are_dropped_and_values_are_not() {
    let measured = measured(|| {
        measure::property("note", "n".repeat(2_000_000));
        measure::count("Orders", 1);
    });
    let [line] = &measured.lines()[..] else { panic!("one line") };
    assert!(line.properties.is_empty());
    assert_eq!(line.metrics["Orders"].values, [1.0]);
}

#[test]
fn many_maps_of_dimensions_are_written_before_the_end() {
    let captured = measured(|| {
        for index in 0..1_000 {
            measure::with("customer", format!("c{index}")).count("Orders", 1);
        }
    });
    let lines = captured.lines();
    let mut orders = BTreeMap::new();
    for line in &lines {
        *orders.entry(line.dimensions["customer"].clone()).or_insert(0.0) +=
            line.metrics["Orders"].values.iter().sum::<f64>();
    }
    assert_eq!((lines.len(), orders.len()), (1_000, 1_000));
    assert!(orders.values().all(|count| *count == 1.0));
}

#[test]
fn a_wide_line_is_split_too() {
    struct Wide;
    impl MetricSet for Wide {
        fn describe(&self, line: &mut measure::Line) {
            (0..150).for_each(|index| line.record(format!("M{index}"), index, Unit::None));
            line.record("Many", (0..150).collect::<Vec<u32>>(), Unit::None);
        }
    }
    let measured = measured(|| Wide.emit());
    let metrics: Vec<_> = measured.lines().iter().map(|line| line.metrics.len()).collect();
    assert_eq!(metrics, [100, 51, 1]);
    assert_eq!(measured.values("Many").len(), 150);
}
