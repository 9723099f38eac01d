//! What CloudWatch would not take: it is dropped alone, with one warning.

use std::fmt;
use std::time::{Duration, SystemTime};

use powertools::Clock;
use powertools::metrics::{self as measure, Unit};
use powertools::testing::CapturedMetrics;

use super::{clock, measured};
use crate::logging::{logging, start};

/// What `f` measures beside a value that is right, and the names in the warnings.
fn measured_and_warned(f: impl Fn()) -> (CapturedMetrics, Vec<String>) {
    let (logged, _guard) = start(logging());
    let measured = measured(|| {
        // Twice: one warning is enough.
        f();
        f();
        measure::count("Right", 1);
    });
    assert_eq!(measured.values("Right"), [1.0]);
    let lines = logged.json();
    let ours = lines
        .iter()
        .filter(|line| line["location"].as_str().unwrap().starts_with("powertools::metrics"));
    let name = |line: &serde_json::Value| {
        assert_eq!(line["level"], "WARN");
        line["name"].as_str().unwrap().to_owned()
    };
    (measured, ours.map(name).collect())
}

/// The names of the metrics on all lines.
fn names(measured: &CapturedMetrics) -> Vec<String> {
    measured.lines().into_iter().flat_map(|line| line.metrics.into_keys()).collect()
}

#[test]
fn a_value_that_is_no_number_is_dropped() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 2f64.powi(361), f64::MAX] {
        let (measured, warned) = measured_and_warned(|| {
            measure::record("Latency", [1.0, value, 2.0], Unit::Milliseconds);
            measure::record("Other", value, Unit::Milliseconds);
        });
        assert_eq!(measured.values("Latency"), [1.0, 1.0, 2.0, 2.0]);
        assert_eq!(names(&measured), ["Latency", "Right"]);
        assert_eq!(warned, ["Latency", "Other"], "{value}");
    }
    let (measured, warned) = measured_and_warned(|| {
        measure::record("Largest", [2f64.powi(360), -2f64.powi(360)], Unit::None);
    });
    assert_eq!((measured.values("Largest").len(), warned.len()), (4, 0));
}

#[test]
fn a_timestamp_at_the_end_of_all_time_is_warned_about() {
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(i64::MAX as u64);
    let (_, warned) = measured_and_warned(|| measure::at(end).count("Orders", 1));
    assert_eq!(warned.len(), 1);
}

#[test]
fn a_count_below_zero_is_dropped() {
    let (measured, warned) = measured_and_warned(|| {
        measure::count("Orders", -1);
        measure::count("Orders", 0);
        measure::record("Balance", -1, Unit::Count);
    });
    assert_eq!(measured.values("Orders"), [0.0, 0.0]);
    assert_eq!(measured.values("Balance"), [-1.0, -1.0]);
    assert_eq!(warned, ["Orders"]);
}

#[test]
fn a_unit_that_changes_drops_the_value() {
    let (measured, warned) = measured_and_warned(|| {
        measure::record("Latency", 1, Unit::Milliseconds);
        measure::record("Latency", 2, Unit::Seconds);
        measure::record("Latency", 3, Unit::Milliseconds.high_resolution());
    });
    assert_eq!(measured.values("Latency"), [1.0, 1.0]);
    assert_eq!(warned, ["Latency"]);
}

#[test]
fn a_duration_needs_a_unit_of_time() {
    let (measured, warned) = measured_and_warned(|| {
        measure::record("Size", Duration::from_secs(1), Unit::Bytes);
        measure::record("Time", Duration::from_micros(1500), Unit::Microseconds);
    });
    assert!(measured.values("Size").is_empty());
    assert_eq!(measured.values("Time"), [1500.0, 1500.0]);
    assert_eq!(warned, ["Size"]);
}

#[test]
fn a_metric_with_an_invalid_name_is_dropped() {
    for name in ["", " ", "_aws", "a\nb", "a\u{7f}", "a\u{85}", &"x".repeat(1025)] {
        let (measured, warned) = measured_and_warned(|| measure::count(name.to_owned(), 1));
        assert_eq!(names(&measured), ["Right"], "{name:?}");
        assert_eq!(warned.len(), 1, "{name:?}");
    }
    let name = "é \"quoted\" \\ 𝄞".to_owned() + &"x".repeat(1000);
    let (measured, warned) = measured_and_warned(|| measure::count(name.clone(), 1));
    assert_eq!((measured.values(&name), warned.len()), (vec![1.0, 1.0], 0));
}

#[test]
fn a_metric_with_the_name_of_a_dimension_is_dropped() {
    let (measured, warned) = measured_and_warned(|| {
        measure::dimension("stage", "prod");
        measure::count("stage", 1);
    });
    assert_eq!(names(&measured), ["Right"]);
    assert_eq!(measured.lines()[0].dimensions["stage"], "prod");
    assert_eq!(warned, ["stage"]);
}

#[test]
fn a_dimension_that_is_invalid_is_dropped_and_the_value_is_not() {
    let long = "x".repeat(1025);
    for (name, value) in [
        ("", "x"),
        (" ", "x"),
        (":stage", "x"),
        ("_aws", "x"),
        ("a\tb", "x"),
        (&long[..251], "x"),
        ("stage", ""),
        ("stage", " \t"),
        ("stage", "a\u{0}"),
        ("stage", &long),
    ] {
        let (measured, warned) = measured_and_warned(|| {
            measure::dimension(name.to_owned(), value.to_owned());
            measure::with(name.to_owned(), value.to_owned()).count("Orders", 1);
        });
        let [line] = &measured.lines()[..] else { panic!("one line") };
        assert_eq!(line.dimensions.len(), 0, "{name:?}: {value:?}");
        assert_eq!(line.metrics["Orders"].values, [1.0, 1.0]);
        assert_eq!(warned.len(), 1, "{name:?}: {value:?}");
    }
}

#[test]
fn the_31st_dimension_is_dropped() {
    let (measured, warned) = measured_and_warned(|| {
        (0..31).for_each(|index| measure::dimension(format!("d{index}"), "x"));
    });
    let [line] = &measured.lines()[..] else { panic!("one line") };
    assert_eq!(line.dimensions.len(), 30);
    assert!(!line.dimensions.contains_key("d30"));
    assert_eq!(warned, ["d30"]);
}

#[test]
fn a_property_that_hides_something_or_is_invalid_is_dropped() {
    struct Broken;
    impl serde::Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("broken"))
        }
    }
    let (measured, warned) = measured_and_warned(|| {
        measure::dimension("stage", "prod");
        measure::property("stage", "test");
        measure::property("Right", 7);
        measure::property("", 1);
        measure::property("_aws", 1);
        measure::property("broken", Broken);
        measure::property("kept", 1);
    });
    let [line] = &measured.lines()[..] else { panic!("one line") };
    assert_eq!(line.dimensions["stage"], "prod");
    assert_eq!(line.properties.keys().collect::<Vec<_>>(), ["kept"]);
    let mut warned = warned;
    warned.sort();
    assert_eq!(warned, ["", "Right", "_aws", "broken", "stage"]);
}

#[test]
fn a_timestamp_that_cloudwatch_ignores_is_written_with_a_warning() {
    const HOUR: Duration = Duration::from_secs(60 * 60);
    let now = Clock::from(clock()).now();
    for (time, warns) in [
        (now - 14 * 24 * HOUR, 0),
        (now - 14 * 24 * HOUR - Duration::from_millis(1), 1),
        (now + 2 * HOUR, 0),
        (now + 2 * HOUR + Duration::from_millis(1), 1),
        (std::time::UNIX_EPOCH - HOUR, 1),
    ] {
        let (measured, warned) = measured_and_warned(|| measure::at(time).count("Orders", 1));
        let [late, right] = &measured.lines()[..] else { panic!("two lines") };
        let millis = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_millis();
        assert_eq!(u128::from(late.timestamp), millis);
        assert_eq!(right.timestamp, super::NOW);
        assert_eq!(warned.len(), warns);
    }
}

#[test]
fn a_dimension_of_a_wide_line_that_cannot_be_displayed_is_dropped() {
    struct Broken;
    impl fmt::Display for Broken {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }
    struct Wide;
    impl measure::MetricSet for Wide {
        fn describe(&self, line: &mut measure::Line) {
            line.dimension("broken", Broken);
            line.record("Orders", 1, Unit::Count);
        }
    }
    let (measured, warned) = measured_and_warned(|| measure::MetricSet::emit(&Wide));
    assert_eq!(measured.values("Orders"), [1.0, 1.0]);
    assert_eq!(warned, ["broken"]);
}
