//! Names and values that try to break the line.

use std::collections::HashMap;

use powertools::logging::{self as logs, Format, Logging, json};
use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{logged_in_invocation, logging};

/// Anything that text can hold.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[\"\\\\{}\\[\\]:,\\x00-\\x20\\u{7f}-\\u{a0}\\u{2028}\\u{feff}]{0,40}",
        Just("\u{0}\u{1b}[31m".to_owned()),
    ]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(f64::MIN_POSITIVE),
        Just(f64::MAX),
        Just(-0.0),
    ]
}

/// The fields of the line below, which go over appended keys.
const FIELDS: [&str; 6] = ["na\"me\n", "b", "x", "s", "d", "map"];

proptest! {
    #[test]
    fn any_line_is_one_line_of_valid_json(
        names in prop::collection::vec(text(), 0..8),
        values in prop::collection::vec(text(), 8),
        x in number(),
        limit in prop_oneof![Just(256 * 1024), 1_024_usize..4_096],
    ) {
        let lines = logged_in_invocation(logging().line_limit(limit), || {
            for (name, value) in names.iter().zip(&values) {
                logs::append(name.clone(), value);
            }
            let map: Map<String, Value> =
                names.iter().cloned().zip(values.iter().map(|value| value.clone().into())).collect();
            let _span = tracing::info_span!("s", "na\"me\n" = values[0], b = ?values[1]).entered();
            tracing::info!(x, s = values[2], d = %values[3], map = json(&map), "{}", values[4]);
        });
        let text = lines.take();
        prop_assert_eq!(text.matches('\n').count(), 1);
        prop_assert!(text.len() <= limit);
        let line: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&line["function_request_id"], "8476a536-e9f4-11e8-9739-2dfe598c3fcd");
        if line.get("truncated").is_none() {
            prop_assert_eq!(&line["message"], &values[4]);
            prop_assert_eq!(&line["s"], &values[2]);
            prop_assert_eq!(&line["na\"me\n"], &values[0]);
            let expected: HashMap<&String, &String> = names.iter().zip(&values).collect();
            for (name, value) in expected {
                prop_assert_eq!(&line["map"][name], value);
                if !FIELDS.contains(&name.as_str()) {
                    prop_assert_eq!(&line[name], value);
                }
            }
        }
        no_name_twice(&text).unwrap();
    }

    #[test]
    fn any_event_is_one_line_in_text_format(message in text(), value in text()) {
        let lines = logged_in_invocation(logging().format(Format::Text), || {
            logs::append(value.clone(), &value);
            let map: Map<String, Value> = [(value.clone(), value.clone().into())].into_iter().collect();
            tracing::info!(value, map = json(&map), debug = ?value, "{message}");
        });
        let text = lines.take();
        prop_assert_eq!(text.matches('\n').count(), 1);
        prop_assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{:?}", text);
    }

    #[test]
    fn any_event_leaves_valid_json(mut event in text(), name in text()) {
        event = Value::Object([(name, event.into())].into_iter().collect()).to_string();
        let raw = RawValue::from_string(event.clone()).unwrap();
        let lines = logged_in_invocation(logging(), || logs::log_event(&raw));
        let expected: Value = serde_json::from_str(&event).unwrap();
        prop_assert_eq!(&lines.one()["message"], &expected);
    }
}

/// The line is an object that has no name twice: readers disagree about which one counts.
pub(crate) fn no_name_twice(text: &str) -> Result<(), serde_json::Error> {
    struct Once;
    impl<'de> serde::de::Visitor<'de> for Once {
        type Value = Once;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Once, A::Error> {
            let mut names = std::collections::HashSet::new();
            while let Some((name, _)) = map.next_entry::<String, serde::de::IgnoredAny>()? {
                if let Some(twice) = names.replace(name) {
                    let error = format!("{twice:?} stands there twice");
                    return Err(serde::de::Error::custom(error));
                }
            }
            Ok(Once)
        }
    }
    impl<'de> serde::Deserialize<'de> for Once {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            from.deserialize_map(Once)
        }
    }
    serde_json::from_str::<Once>(text).map(|_| ())
}

#[test]
fn half_surrogates_and_endless_numbers_in_an_event() {
    let raw = r#"{ "a": "\ud83d", "b": ["\ude00\ud83d\ude00"], "c": 1e999, "d": -1e400 }"#;
    let raw = RawValue::from_string(raw.to_owned()).unwrap();
    let line = logged_in_invocation(logging(), || logs::log_event(&raw)).one();
    let expected = serde_json::json!({
        "a": "\u{fffd}", "b": ["\u{fffd}😀"], "c": "1e999", "d": "-1e400",
    });
    assert_eq!(line["message"], expected);
}

#[test]
fn a_megabyte_of_text_is_truncated() {
    for unit in ["x", "\"", "\u{1}", "é", "😀"] {
        let long = unit.repeat(1_000_000 / unit.len());
        let lines = logged_in_invocation(logging(), || tracing::info!(long, other = 1, "{long}"));
        let text = lines.take();
        assert!(text.len() <= 256 * 1024 && text.len() > 250 * 1024, "{unit:?}: {}", text.len());
        let line: Value = serde_json::from_str(&text).unwrap();
        assert!(line["message"].as_str().unwrap().starts_with(unit));
        assert!(line["long"].as_str().unwrap().starts_with(unit));
    }
}

#[test]
fn ten_thousand_fields() {
    let lines = |logging: Logging| {
        logged_in_invocation(logging, || {
            for number in 0..10_000 {
                logs::append(format!("key_{number}"), number);
            }
            tracing::info!("x");
        })
    };
    let line = lines(logging()).one();
    assert_eq!((&line["key_0"], &line["key_9999"]), (&0.into(), &9_999.into()));
    let line = lines(logging().line_limit(4_096)).one();
    assert_eq!((&line["key_0"], &line["truncated"]), (&0.into(), &true.into()));
}

#[test]
fn values_that_are_nested_deeply() {
    let deep = format!("{}1{}", r#"{"a":["#.repeat(2_000), "]}".repeat(2_000));
    let deep = RawValue::from_string(deep).unwrap();
    let line = logged_in_invocation(logging(), || {
        logs::append("appended", &deep);
        tracing::info!(deep = json(&deep), "x");
    })
    .one();
    assert!(line["deep"]["a"][0]["a"].is_array());
    assert_eq!(line["appended"], line["deep"]);
}
