use lambda_runtime::LambdaEvent;
use proptest::prelude::*;
use serde::Deserialize;

use super::{Json, Number};

fn json(text: &str) -> Json {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Returns where and why a document is rejected.
fn refusal(text: &str) -> String {
    text.parse::<Json>().unwrap_err().to_string()
}

#[test]
fn keeps_digits_and_order_as_written() {
    let text = r#"{"z":[1.0,3.141592653589793,-0,-0.0,1E400,12345678901234567890123456789],"a":"\u0001é","A":{}}"#;
    assert_eq!(json(text).to_string(), text);
    assert_eq!(serde_json::to_string(&json(text)).unwrap(), text);
    assert_eq!(serde_json::from_str::<Json>(text).unwrap(), json(text));
}

#[test]
fn of_members_with_one_name_the_last_holds_in_the_place_of_the_first() {
    assert_eq!(json(r#"{"a":1,"b":2,"\u0061":3}"#).to_string(), r#"{"a":3,"b":2}"#);
    let many: Vec<_> = (0..100_000).map(|n| format!("\"{}\":{n}", n % 50_000)).collect();
    let tree = json(&format!("{{{}}}", many.join(",")));
    assert_eq!(tree.as_object().unwrap().len(), 50_000);
    assert_eq!(tree["7"].to_string(), "50007");
}

#[test]
fn rejects_invalid_json() {
    for text in [
        "",
        " ",
        "tru",
        "nul",
        "truex",
        "01",
        "-",
        "1.",
        ".5",
        "+1",
        "1e",
        "1e+",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{a:1}",
        "{\"a\"}",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u+123\"",
        "\"\n\"",
        "[",
        "{",
        "1 2",
        "NaN",
        "Infinity",
        "'a'",
        "\u{feff}1",
        "[1]]",
        "\"\\",
        "0x1",
        "--1",
    ] {
        assert!(text.parse::<Json>().is_err(), "{text}");
        assert!(serde_json::from_str::<Json>(text).is_err(), "{text}");
    }
    assert_eq!(refusal("[1,]"), "byte 3: expected a value");
    for text in ["", "1 ", " 1", "a", "1,", "true"] {
        assert!(text.parse::<Number>().is_err(), "{text}");
    }
}

#[test]
fn refuses_half_of_a_surrogate_pair() {
    for text in [
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud800a""#,
        r#""\ud800\ud800""#,
        r#""\udc00\ud800""#,
        r#""\ud83d\n""#,
    ] {
        assert!(refusal(text).contains("surrogate"), "{text}");
    }
    assert_eq!(json(r#""\ud83d\ude00\u00e9""#).as_str(), Some("😀é"));
}

#[test]
fn refuses_what_is_nested_too_deep() {
    for open in ["[", "{\"a\":"] {
        let bomb = open.repeat(1_000_000);
        assert!(refusal(&bomb).contains("deep"));
    }
    let bomb = "[".repeat(100_000) + &"]".repeat(100_000);
    assert!(serde_json::from_str::<Json>(&bomb).is_err());
    let deepest = "[".repeat(128) + &"]".repeat(128);
    assert_eq!(json(&deepest).to_string(), deepest);
}

#[test]
fn finds_its_way() {
    let tree = json(r#"{"a":[{"b":true}],"":{"x/y":1,"m~n":"t"},"01":null}"#);
    assert_eq!(tree.pointer("/a/0/b").and_then(Json::as_bool), Some(true));
    assert_eq!(tree.pointer("//x~1y").unwrap().as_number().unwrap().as_str(), "1");
    assert_eq!(tree.pointer("//m~0n").and_then(Json::as_str), Some("t"));
    assert_eq!(tree.pointer("/01"), Some(&Json::Null));
    for missing in ["a", "/b", "/a/1", "/a/00", "/a/+0", "/a/-", "/a/0/b/c"] {
        assert_eq!(tree.pointer(missing), None, "{missing}");
    }
    assert_eq!(tree["a"][0]["b"], Json::Bool(true));
    assert!(tree["a"][7]["b"].is_null());
}

#[test]
fn deserialises_as_an_event() {
    #[derive(Deserialize)]
    struct Envelope {
        detail: Json,
    }
    let text = r#"{"detail":{"price":10.0,"id":12345678901234567890123}}"#;
    let envelope: Envelope = serde_json::from_str(text).unwrap();
    assert_eq!(envelope.detail.to_string(), r#"{"price":10.0,"id":12345678901234567890123}"#);

    async fn handle(event: LambdaEvent<Json>) -> Result<Json, lambda_runtime::Error> {
        Ok(event.payload)
    }
    fn runs<F>(_: lambda_runtime::Runtime<F>) {}
    let _ = || runs(lambda_runtime::Runtime::new(lambda_runtime::service_fn(handle)));
}

#[test]
fn is_a_number_to_other_serializers() {
    let value = serde_json::to_value(json(r#"[1,-2,18446744073709551615,1.5,1e400]"#));
    // What serde_json cannot hold it refuses; nothing becomes an object of its private kind.
    assert!(value.is_err());
    let value = serde_json::to_value(json("[1,-2,18446744073709551615,1.5]")).unwrap();
    assert_eq!(value, serde_json::json!([1, -2, u64::MAX, 1.5]));
}

proptest! {
    #[test]
    fn accepts_the_same_documents_as_serde_json(text in "[\\[\\]{}\",:0-9eE.+\\-a-z\\\\ u]{0,12}") {
        let ours = text.parse::<Json>();
        let theirs = serde_json::from_str::<&serde_json::value::RawValue>(&text);
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?} {:?}", ours, theirs);
    }
}
