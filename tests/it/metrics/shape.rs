//! Every line keeps to the specification of CloudWatch's embedded metric format, whatever is measured. CloudWatch itself
//! takes no part in this.

use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::sync::LazyLock;

use jsonschema::Validator;
use powertools::metrics::{self as measure, MetricSet, Unit};
use powertools::testing::CapturedMetrics;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::measured;

/// A schema written by hand after the specification, in a validator that is not ours.
static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema = include_str!("../../vectors/emf-schema.json");
    jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap()
});

/// Checks what the schema has, and what the specification says in words.
fn check(line: &str) {
    assert!(line.len() <= 1024 * 1024 && line.ends_with('\n') && line.lines().count() == 1);
    let value: Value = serde_json::from_str(line).expect(line);
    if let Err(error) = SCHEMA.validate(&value) {
        panic!("{error} at {}: {line}", error.instance_path());
    }
    let members = value.as_object().unwrap();
    let directive = &value["_aws"]["CloudWatchMetrics"][0];
    for name in directive["Dimensions"][0].as_array().unwrap() {
        let dimension = members[name.as_str().unwrap()].as_str().unwrap();
        assert!((1..=1024).contains(&dimension.chars().count()), "{line}");
    }
    let metrics = directive["Metrics"].as_array().unwrap();
    assert!((1..=100).contains(&metrics.len()), "{line}");
    for metric in metrics {
        let resolution =
            metric.get("StorageResolution").map_or(60, |seconds| seconds.as_u64().unwrap());
        assert!([1, 60].contains(&resolution), "{line}");
        let values = match &members[metric["Name"].as_str().unwrap()] {
            // Not in the specification, which has numbers and arrays: the form of AWS's own writers for values that repeat.
            Value::Object(counted) => {
                assert_eq!(
                    counted["Values"].as_array().unwrap().len(),
                    counted["Counts"].as_array().unwrap().len()
                );
                counted["Values"].as_array().unwrap().clone()
            }
            Value::Array(values) => values.clone(),
            value => vec![value.clone()],
        };
        assert!((1..=100).contains(&values.len()), "{line}");
        assert!(values.iter().all(Value::is_number), "{line}");
    }
    // serde_json keeps the last of two members with one name.
    let Counted(written) = serde_json::from_str(line).unwrap();
    assert_eq!(written, members.len(), "a name is there twice: {line}");
}

/// The number of members of an object, equal ones too.
struct Counted(usize);

impl<'de> serde::Deserialize<'de> for Counted {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Counted;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Counted, A::Error> {
                let mut count = 0;
                while map.next_entry::<String, serde::de::IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Counted(count))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// What a function can do.
#[derive(Clone, Debug)]
enum Action {
    Count(String, i32),
    Record(String, Vec<f64>, Unit, bool),
    Dimension(String, String),
    Property(String, String),
    With(String, String, String, f64),
    Wide(Vec<(String, f64)>, Vec<(String, String)>),
    Flush,
}

struct Wide(Vec<(String, f64)>, Vec<(String, String)>);

impl MetricSet for Wide {
    fn describe(&self, line: &mut measure::Line) {
        for (name, value) in &self.1 {
            line.dimension(name.clone(), value);
            line.property(format!("p{name}"), value);
        }
        for (name, value) in &self.0 {
            line.record(name.clone(), value, Unit::Percent);
        }
    }
}

impl Action {
    fn act(self) {
        match self {
            Self::Count(name, by) => measure::count(name, by),
            Self::Record(name, values, unit, false) => measure::record(name, values, unit),
            Self::Record(name, values, unit, true) => {
                measure::record(name, values, unit.high_resolution());
            }
            Self::Dimension(name, value) => measure::dimension(name, value),
            Self::Property(name, value) => measure::property(name, value),
            Self::With(name, dimension, value, number) => {
                measure::with(dimension, value).record(name, number, Unit::None);
            }
            Self::Wide(values, labels) => Wide(values, labels).emit(),
            Self::Flush => measure::flush(),
        }
    }
}

/// Few names, so that they clash, and any others.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[a-d]", 1 => any::<String>(), 1 => "m[0-9]{3}", 1 => Just("service".to_owned())]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof!["[x-z]{0,2}", any::<String>()]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), (-5..5).prop_map(f64::from)]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => (name(), any::<i32>()).prop_map(|(name, by)| Action::Count(name, by)),
        3 => (name(), prop::collection::vec(number(), 0..250), 0..27usize, any::<bool>())
            .prop_map(|(name, values, unit, high)| Action::Record(name, values, Unit::ALL[unit], high)),
        1 => (name(), value()).prop_map(|(name, value)| Action::Dimension(name, value)),
        1 => (name(), value()).prop_map(|(name, value)| Action::Property(name, value)),
        2 => (name(), name(), value(), number())
            .prop_map(|(name, dimension, value, number)| Action::With(name, dimension, value, number)),
        1 => (
            prop::collection::vec((name(), number()), 0..120),
            prop::collection::vec((name(), value()), 0..40),
        )
            .prop_map(|(values, labels)| Action::Wide(values, labels)),
        1 => Just(Action::Flush),
    ]
}

fn check_all(captured: &CapturedMetrics) {
    captured.json_lines().iter().for_each(|line| check(line));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_line_is_in_the_format(actions in prop::collection::vec(action(), 0..60)) {
        check_all(&measured(|| actions.into_iter().for_each(Action::act)));
    }

    /// Values that CloudWatch takes, with names that do not clash.
    #[test]
    fn no_value_is_lost(values in prop::collection::vec((0..150u32, -1e300..1e300f64, 0..3u8), 0..600)) {
        let mut expected: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        let captured = measured(|| {
            for (index, value, dimension) in &values {
                let (name, value) = (format!("M{index}"), value % 1e108);
                expected.entry(name.clone()).or_default().push(value);
                match dimension {
                    0 => measure::record(name, value, Unit::None),
                    n => measure::with("n", n.to_string()).record(name, value, Unit::None),
                }
            }
        });
        // Read once, and not for each name.
        let mut written: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for (name, metric) in captured.lines().into_iter().flat_map(|line| line.metrics) {
            written.entry(name).or_default().extend(metric.values);
        }
        for values in expected.values_mut().chain(written.values_mut()) {
            values.sort_by(f64::total_cmp);
        }
        prop_assert_eq!(written, expected);
    }
}

#[test]
fn a_line_that_breaks_a_rule_of_the_words_is_seen() {
    let line = |dimension: Value, resolution: u32, value: Value| {
        let metric = json!({ "Name": "a", "StorageResolution": resolution });
        let directive = json!({ "Namespace": "n", "Dimensions": [["d"]], "Metrics": [metric] });
        let metadata = json!({ "Timestamp": 1, "CloudWatchMetrics": [directive] });
        format!("{}\n", json!({ "_aws": metadata, "d": dimension, "a": value }))
    };
    check(&line(json!("x"), 60, json!([1, 2.5])));
    for line in [
        line(json!(7), 60, json!(1)),
        line(json!("x"), 5, json!(1)),
        line(json!("x"), 60, json!("1")),
        line(json!("x"), 60, json!(vec![1; 101])),
        line(json!("x"), 60, json!({ "Values": [1, 2], "Counts": [1] })),
    ] {
        assert!(catch_unwind(|| check(&line)).is_err(), "{line}");
    }
}

#[test]
fn a_line_that_is_not_in_the_format_is_seen() {
    for line in [
        "{\"a\":1}\n",
        "{\"_aws\":{\"Timestamp\":1.5,\"CloudWatchMetrics\":[]}}\n",
        "{\"_aws\":{\"Timestamp\":1,\"CloudWatchMetrics\":[{\"Namespace\":\"\",\"Dimensions\":[[]],\"Metrics\":[{\"Name\":\"a\"}]}]},\"a\":1}\n",
        "{\"_aws\":{\"Timestamp\":1,\"CloudWatchMetrics\":[{\"Namespace\":\"n\",\"Dimensions\":[[]],\"Metrics\":[{\"Name\":\"a\",\"Unit\":\"Furlongs\"}]}]},\"a\":1}\n",
    ] {
        assert!(SCHEMA.validate(&serde_json::from_str(line).unwrap()).is_err(), "{line}");
    }
}
