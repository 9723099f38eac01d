use proptest::prelude::*;
use serde_json::Value;

use super::*;

#[test]
fn removes_spaces_and_line_breaks() {
    assert_eq!(copied("{ \"a\" :\r\n [ 1 , \"b c\\n\" ] }\n"), r#"{"a":[1,"b c\n"]}"#);
}

#[test]
fn hides_values_at_any_depth_whatever_they_are() {
    let text = r#"{"a":[{"Password":{"x":[1,"}"]},"b":1}],"pass\u0077ord" : "s]","c":"password"}"#;
    let expected = r#"{"a":[{"Password":"*****","b":1}],"pass\u0077ord":"*****","c":"password"}"#;
    assert_eq!(hiding("password", text), expected);
    for scalar in ["null", "-1.5e3", "true", "[]", "{}"] {
        let text = format!(r#"{{"password":{scalar},"b":2}}"#);
        assert_eq!(hiding("PASSWORD", &text), r#"{"password":"*****","b":2}"#);
    }
}

#[test]
fn half_a_surrogate_pair_is_replaced_and_a_whole_one_stays() {
    let text = r#"["\ud83d\ude00","\ud83d","\ude00x","\ud83d\ud83d\ude00","\\ud83d","\ud83d\\"]"#;
    let expected =
        r#"["\ud83d\ude00","\ufffd","\ufffdx","\ufffd\ud83d\ude00","\\ud83d","\ufffd\\"]"#;
    assert_eq!(copied(text), expected);
    serde_json::from_str::<Value>(expected).unwrap();
}

#[test]
fn a_number_beyond_a_double_becomes_a_string() {
    assert_eq!(copied("[1e999,-1E+400,1e5,18446744073709551616]"), {
        r#"["1e999","-1E+400",1e5,18446744073709551616]"#
    });
}

#[test]
fn a_value_that_is_nested_too_deeply_is_omitted() {
    let text = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let copy = copied(&text);
    serde_json::from_str::<Value>(&copy).unwrap();
    assert!(copy.contains("[nested too deeply]"));
}

#[test]
fn a_deeply_nested_string_contains_no_redacted_value() {
    let deep = format!("{}{{\"hidden\":\"secret\"}}{}", "[".repeat(101), "]".repeat(101));
    let copy = hiding("hidden", &serde_json::json!({ "body": deep }).to_string());
    assert!(!copy.contains("secret"), "{copy}");
    assert!(copy.contains("[nested too deeply]"), "{copy}");
}

#[test]
fn a_copy_is_not_much_longer_than_its_source() {
    let raw = ["\u{7f}".repeat(1000), "\u{85}".repeat(1000)].map(|text| format!("\"{text}\""));
    for filling in raw.into_iter().chain(["1e999,".repeat(1000) + "1"]) {
        let mut text = format!("[{filling},{{\"hidden\":1}}]");
        for depth in 0..TEXTS + 2 {
            let copy = hiding("hidden", &text);
            assert!(copy.len() < 7 * text.len(), "{depth}: {} of {}", copy.len(), text.len());
            serde_json::from_str::<Value>(&copy).unwrap();
            text = serde_json::to_string(&[text]).unwrap();
        }
    }
}

#[test]
fn values_one_after_the_other_stay_apart() {
    let text = r#"{"hidden":1} 2 true[ 3 ]  "a"{} "#;
    let copy = hiding("hidden", &serde_json::json!([text]).to_string());
    let inner = r#"{"hidden":"*****"} 2 true[3] "a"{}"#;
    assert_eq!(copy, serde_json::json!([inner]).to_string());
}

#[test]
fn json_in_a_string_is_searched_and_kept_if_nothing_is_redacted() {
    let inner = r#"{\"password\": \"s\\u0065cret\", \"n\": 1}"#;
    let text = format!(r#"{{"body":"{inner}","other":" [1, {{\"a\": 2}}]"}}"#);
    let expected = r#"{"body":"{\"password\":\"*****\",\"n\":1}","other":" [1, {\"a\": 2}]"}"#;
    assert_eq!(hiding("password", &text), expected);
    // Half a surrogate pair does not keep it from being read.
    let half = r#"["{\"a\":\"\ud83d\",\"password\":1}"]"#;
    assert_eq!(
        hiding("password", half),
        r#"["{\"a\":\"\ufffd\",\"password\":\"*****\"}"]"#.replace("\\ufffd", "\u{fffd}")
    );
    // Without hidden names there is no search.
    assert_eq!(copied(&text), text);
}

proptest! {
    #[test]
    fn any_value_round_trips(text in json()) {
        let value: Value = serde_json::from_str(&text).unwrap();
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let value: Value = serde_json::from_str(&pretty).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&copied(&pretty)).unwrap(), value);
    }

    #[test]
    fn any_valid_text_is_copied_into_valid_json(
        mut text in json(),
        spaces in any::<bool>(),
        changes in prop::collection::vec((any::<usize>(), "[0e\\-\"\\\\{}\\[\\]:, \\tud8]"), 0..4),
    ) {
        if spaces {
            let value: Value = serde_json::from_str(&text).unwrap();
            text = serde_json::to_string_pretty(&value).unwrap();
        }
        for (at, change) in changes {
            let at = text.floor_char_boundary(at % text.len());
            let end = text.ceil_char_boundary(at + 1);
            text.replace_range(at..end, &change);
        }
        let mut redaction = Redaction::default();
        redaction.add("hidden");
        let mut out = Vec::new();
        // Only valid JSON is given to it.
        if serde_json::from_str::<&RawValue>(&text).is_ok() {
            copy(&text, &redaction, &mut out);
            let copy = String::from_utf8(out).unwrap();
            prop_assert!(serde_json::from_str::<Value>(&copy).is_ok(), "{} of {}", copy, text);
            prop_assert!(!copy.contains(|c: char| c.is_control()), "{:?}", copy);
        }
    }

    #[test]
    fn no_redacted_value_is_written(value in with_secrets(), texts in 0..4) {
        let mut value = value;
        for _ in 0..texts {
            value = serde_json::json!({ "body": value.to_string() });
        }
        let copy = hiding("hidden", &value.to_string());
        prop_assert!(!copy.contains("secret"), "{}", copy);
        serde_json::from_str::<Value>(&copy).unwrap();
    }
}

/// Values in which "secret" appears under "hidden" only.
fn with_secrets() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![any::<i64>().prop_map(Value::from), "[^s]{0,9}".prop_map(Value::from)];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let secret = prop_oneof![
            Just(Value::from("secret")),
            Just(serde_json::json!({ "a": ["secret", "}"] })),
        ];
        let members = prop::collection::btree_map("[^s]{0,4}", inner.clone(), 0..4);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            inner.prop_map(|value| value.to_string().into()),
            (members, secret, any::<bool>()).prop_map(|(members, secret, upper)| {
                let mut members: serde_json::Map<_, _> = members.into_iter().collect();
                members.insert(if upper { "HIDDEN" } else { "hidden" }.to_owned(), secret);
                Value::Object(members)
            }),
        ]
    })
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        r#"[{}\[\]":,\\ \x7f-\xa0ud]{0,12}"#.prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            inner.clone().prop_map(|value| value.to_string().into()),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    value.prop_map(|value| value.to_string())
}

fn copied(text: &str) -> String {
    let mut out = Vec::new();
    copy(text, &Redaction::default(), &mut out);
    String::from_utf8(out).unwrap()
}

fn hiding(name: &str, text: &str) -> String {
    let mut redaction = Redaction::default();
    redaction.add(name);
    let mut out = Vec::new();
    copy(text, &redaction, &mut out);
    String::from_utf8(out).unwrap()
}
