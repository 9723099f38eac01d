//! Contexts are values of any type that becomes an object.

use std::collections::{BTreeMap, HashMap};

use powertools::feature_flags::{Error, FeatureFlags};
use serde::{Serialize, Serializer};
use serde_json::json;
use serde_json::value::RawValue;

use super::with_condition;

fn matches(action: &str, value: &str, context: &impl Serialize) -> bool {
    let condition = format!(r#"{{"action": "{action}", "key": "k", "value": {value}}}"#);
    with_condition(&condition).evaluate("f", context).unwrap()
}

#[derive(Serialize)]
struct Context<T> {
    other: &'static str,
    k: T,
}

fn of<T>(k: T) -> Context<T> {
    Context { other: "x", k }
}

#[derive(Serialize)]
enum Tier {
    Premium,
}

#[derive(Serialize)]
struct Id(u64);

#[test]
fn every_scalar_of_serde_has_a_value() {
    assert!(matches("EQUALS", "7", &of(7_i8)));
    assert!(matches("EQUALS", "7", &of(7_u128)));
    assert!(matches("EQUALS", "170141183460469231731687303715884105727", &of(i128::MAX)));
    assert!(matches("EQUALS", "18446744073709551615", &of(u64::MAX)));
    assert!(matches("EQUALS", "7", &of(Id(7))));
    assert!(matches("EQUALS", "0.1", &of(0.1_f32)));
    assert!(matches("EQUALS", "0.1", &of(0.1_f64)));
    assert!(matches("EQUALS", "true", &of(Some(true))));
    assert!(matches("EQUALS", r#""x""#, &of('x')));
    assert!(matches("EQUALS", r#""Premium""#, &of(Tier::Premium)));
    assert!(matches("NOT_EQUALS", "1", &of(None::<u8>)), "null is a value");
    assert!(!matches("EQUALS", "0", &of(f64::NAN)));
    assert!(matches("NOT_EQUALS", "0", &of(f64::NAN)));
}

#[test]
fn lists_and_objects_are_compared_as_a_whole() {
    assert!(matches("EQUALS", r#"[1, {"a": null}]"#, &of(json!([1, { "a": null }]))));
    assert!(matches("EQUALS", r#"{"a": 1, "b": 2}"#, &of(BTreeMap::from([("b", 2), ("a", 1)]))));
    assert!(matches("ANY_IN_VALUE", r#"["a", "b"]"#, &of(["c", "a"])));
    assert!(matches("ALL_IN_VALUE", "[1, 2]", &of((1, 2))));
    assert!(matches("VALUE_IN_KEY", r#""admin""#, &of(vec!["admin"])));
}

/// As in Python 3.37: all of nothing are in any list.
#[test]
fn an_empty_list_is_in_every_list_and_has_nothing_in_common_with_one() {
    let nothing = of([""; 0]);
    for (action, in_empty, in_list) in [
        ("ALL_IN_VALUE", true, true),
        ("ANY_IN_VALUE", false, false),
        ("NONE_IN_VALUE", true, true),
    ] {
        assert_eq!(matches(action, "[]", &nothing), in_empty, "{action}");
        assert_eq!(matches(action, r#"["a"]"#, &nothing), in_list, "{action}");
        assert_eq!(matches(action, "[]", &of(["a"])), action == "NONE_IN_VALUE", "{action}");
    }
}

#[test]
fn a_context_is_a_struct_a_map_or_nothing() {
    let is_two = |context: &dyn Fn() -> bool| assert!(context());
    is_two(&|| matches("EQUALS", "2", &HashMap::from([("k", 2)])));
    is_two(&|| matches("EQUALS", "2", &json!({ "k": 2 })));
    is_two(&|| matches("EQUALS", "2", &Some(of(2))));
    is_two(&|| matches("EQUALS", "2", &Box::new(of(2))));
    assert!(!matches("EQUALS", "2", &()));
    assert!(!matches("EQUALS", "2", &None::<Context<u8>>));
    assert!(!matches("EQUALS", "2", &BTreeMap::from([(7, 2)])));
    let condition = |key: &str| {
        with_condition(&format!(r#"{{"action": "EQUALS", "key": "{key}", "value": 2}}"#))
    };
    // The keys that `serde_json` has.
    assert_eq!(condition("7").evaluate("f", &BTreeMap::from([(7, 2)])), Ok(true));
    assert_eq!(condition("true").evaluate("f", &BTreeMap::from([(true, 2)])), Ok(true));
    assert_eq!(condition("x").evaluate("f", &BTreeMap::from([('x', 2)])), Ok(true));
    let pair = condition("7").evaluate::<bool>("f", &BTreeMap::from([((7, 7), 2)]));
    assert_eq!(pair.unwrap_err().error_type(), "Powertools.FeatureFlagContextInvalid");
}

#[test]
fn a_context_can_be_raw_json() {
    let raw = |json: &str| RawValue::from_string(json.to_owned()).unwrap();
    assert!(matches("EQUALS", "2", &raw(r#"{"other": [], "k": 2}"#)));
    assert!(matches("EQUALS", "[2.50]", &Some(raw(r#"{"k": [2.5]}"#))));
    assert!(matches("EQUALS", "2", &of(raw("2"))));
    assert!(!matches("EQUALS", "2", &raw("{}")));
    assert!(!matches("EQUALS", "2", &raw("null")));
    let list = with_condition(r#"{"action": "EQUALS", "key": "k", "value": 2}"#)
        .evaluate::<bool>("f", &raw("[2]"));
    assert_eq!(list.unwrap_err().error_type(), "Powertools.FeatureFlagContextInvalid");
}

#[test]
fn of_two_members_with_one_key_the_last_counts() {
    struct Twice;

    impl Serialize for Twice {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map([("k", 1), ("k", 2)])
        }
    }

    assert!(matches("EQUALS", "2", &Twice));
    assert!(!matches("EQUALS", "1", &Twice));
}

#[test]
fn no_action_holds_for_a_key_that_is_absent() {
    for (action, value) in [
        ("EQUALS", "1"),
        ("NOT_EQUALS", "1"),
        ("NOT_IN", "[1]"),
        ("KEY_NOT_IN_VALUE", "[1]"),
        ("VALUE_NOT_IN_KEY", "1"),
        ("NONE_IN_VALUE", "[1]"),
    ] {
        assert!(!matches(action, value, &json!({ "l": 2 })), "{action}");
    }
}

#[test]
fn a_context_that_is_no_object_is_an_error() {
    let flags = with_condition(r#"{"action": "EQUALS", "key": "k", "value": 1}"#);
    let error = |error: Result<bool, Error>| error.unwrap_err();
    for error in [
        error(flags.evaluate("f", "text")),
        error(flags.evaluate("f", &7)),
        error(flags.evaluate("f", &["k"])),
        error(flags.evaluate("f", &Result::<u8, u8>::Ok(7))),
    ] {
        assert_eq!(error.error_type(), "Powertools.FeatureFlagContextInvalid", "{error}");
        assert!(!error.is_retryable());
    }

    #[derive(Serialize)]
    struct Failing {
        #[serde(serialize_with = "fail")]
        k: u8,
    }

    fn fail<S: Serializer>(_: &u8, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("hunter2 is not valid"))
    }

    let error = error(flags.evaluate("f", &Failing { k: 1 }));
    assert_eq!(
        error.to_string(),
        "invalid context for the feature f: one of its values cannot be serialised"
    );
}

#[test]
fn values_whose_keys_no_condition_has_are_not_serialised() {
    struct Unused;

    impl Serialize for Unused {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("nobody asked for it")
        }
    }

    #[derive(Serialize)]
    struct Large {
        k: u8,
        unused: Unused,
    }

    assert!(matches("EQUALS", "1", &Large { k: 1, unused: Unused }));
}

#[test]
fn a_feature_can_have_hundreds_of_conditions() {
    let condition = |n| format!(r#"{{"action": "EQUALS", "key": "k{n}", "value": {n}}}"#);
    let conditions: Vec<_> = (0..300).map(condition).collect();
    let flags: FeatureFlags = with_condition(&conditions.join(","));
    let mut context: BTreeMap<_, _> = (0..300).map(|n| (format!("k{n}"), n)).collect();
    assert!(flags.evaluate::<bool>("f", &context).unwrap());
    context.insert("k299".to_owned(), 0);
    assert!(!flags.evaluate::<bool>("f", &context).unwrap());
}
