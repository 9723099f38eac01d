//! Documents: what is wrong with them, and what that affects.

use std::time::Instant;

use powertools::feature_flags::{self, Error, FeatureFlags, RejectionReason, ValueSource};
use serde::Deserialize;
use serde_json::json;

use super::{document, with_condition};

/// The problem of a document with this condition, which makes its feature invalid.
fn problem(condition: &str) -> String {
    let found = feature_flags::check(&document(condition));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].is_fatal());
    found[0].to_string()
}

#[test]
fn a_problem_has_its_path_and_no_value() {
    let path = "/f/rules/r/conditions/0";
    assert_eq!(
        problem(r#"{"action": "EQUAL", "key": "k", "value": 1}"#),
        format!("{path}/action: there is no such action")
    );
    assert_eq!(
        problem(r#"{"action": "EQUALS", "value": "secret"}"#),
        format!("{path}/key: it must be a string that is not empty")
    );
    assert_eq!(
        problem(r#"{"action": "EQUALS", "key": "k"}"#),
        format!("{path}/value: it is missing or null")
    );
    assert_eq!(problem("7"), format!("{path}: a condition must be an object that is not empty"));
    assert_eq!(
        problem(
            r#"{"action": "SCHEDULE_BETWEEN_TIME_RANGE", "key": "CURRENT_TIME", "value":
                {"START": "09:00", "END": "17:00", "TIMEZONE": "Europe/Bielefeld"}}"#
        ),
        format!("{path}/value/TIMEZONE: it is not the name of a time zone in the IANA database")
    );
    assert_eq!(
        problem(r#"{"action": "ALL_IN_VALUE", "key": "k", "value": "secret"}"#),
        format!("{path}/value: it must be a list")
    );
    assert_eq!(
        problem(r#"{"action": "EQUALS", "key": "k", "value": [1e400]}"#),
        format!("{path}/value: it contains a number that is too large")
    );
    let text = r#"{"a/b~c": {"default": false, "rules": {"r": {"when_match": true}}}}"#;
    assert_eq!(
        feature_flags::check(text)[0].to_string(),
        "/a~1b~0c/rules/r/conditions: it must be a list with at least one condition"
    );
}

#[test]
fn an_invalid_feature_fails_alone() {
    let text =
        r#"{"good": {"default": true}, "bad": {"default": "on"}, "also good": {"default": false}}"#;
    let flags: FeatureFlags = text.parse().unwrap();
    assert!(flags.evaluate::<bool>("good", &()).unwrap());
    assert!(!flags.evaluate::<bool>("also good", &()).unwrap());
    assert_eq!(flags.enabled(&()).unwrap(), ["good"]);
    let error = flags.evaluate::<bool>("bad", &()).unwrap_err();
    assert_eq!(error.error_type(), "Powertools.FeatureFlagInvalid");
    assert!(matches!(error, Error::Invalid { problem, .. } if problem.path() == "/bad/default"));
    assert!(flags.explain("bad", &()).is_err());
}

#[test]
fn a_feature_that_does_not_exist_is_an_error() {
    let error = with_condition(r#"{"action": "EQUALS", "key": "k", "value": 1}"#)
        .evaluate::<bool>("g", &())
        .unwrap_err();
    assert_eq!(error.error_type(), "Powertools.FeatureFlagNotFound");
    assert_eq!(error.to_string(), "there is no feature g");
}

#[test]
fn a_value_of_another_type_is_an_error_with_its_path() {
    #[derive(Debug, Deserialize)]
    struct Discount {
        #[expect(dead_code, reason = "it is read only")]
        percent: u8,
    }

    let text = r#"{
        "discount": {"default": {"percent": "hunter2"}, "boolean_type": false},
        "native": {"enabled": true, "percent": "hunter2"}
    }"#;
    let flags: FeatureFlags = text.parse().unwrap();
    for feature in ["discount", "native"] {
        let error = flags.evaluate::<Discount>(feature, &()).unwrap_err();
        assert_eq!(error.error_type(), "Powertools.FeatureFlagTypeMismatch");
        let expected = format!(
            "the value of the feature {feature} does not fit the type that was asked for, at percent"
        );
        assert_eq!(error.to_string(), expected);
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}

#[test]
fn a_number_is_any_number_and_no_boolean() {
    let of = |value: &str| {
        let text = format!(r#"{{"f": {{"default": {value}, "boolean_type": false}}}}"#);
        text.parse::<FeatureFlags>().unwrap()
    };
    let three = of("3");
    assert_eq!(three.evaluate("f", &()), Ok(3.0_f64));
    assert_eq!(three.evaluate("f", &()), Ok(3_u8));
    assert_eq!(of("3.0").evaluate("f", &()), Ok(3.0_f64));
    assert_eq!(of("-3").evaluate("f", &()), Ok(-3_i64));
    let mismatch =
        |error: Error| assert_eq!(error.error_type(), "Powertools.FeatureFlagTypeMismatch");
    mismatch(of("true").evaluate::<u8>("f", &()).unwrap_err());
    mismatch(of("true").evaluate::<f64>("f", &()).unwrap_err());
    mismatch(three.evaluate::<bool>("f", &()).unwrap_err());
    mismatch(of("3.5").evaluate::<u8>("f", &()).unwrap_err());
    mismatch(of("300").evaluate::<u8>("f", &()).unwrap_err());
    mismatch(of(r#""3""#).evaluate::<u8>("f", &()).unwrap_err());
}

#[test]
fn a_document_that_is_no_object_is_an_error() {
    for wrong in ["", "[]", "7", "{", r#"{"f": {"default": true}} x"#] {
        let error = wrong.parse::<FeatureFlags>().unwrap_err();
        assert_eq!(error.error_type(), "Powertools.FeatureFlagsInvalid", "{wrong}");
        assert_eq!(feature_flags::check(wrong).len(), 1, "{wrong}");
    }
}

#[test]
fn probable_mistakes_are_found_and_harmless() {
    let text = r#"{"f": {"default": true, "rule": {}, "rules": {}}}"#;
    let found = feature_flags::check(text);
    assert!(found.iter().all(|problem| !problem.is_fatal()));
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, ["/f/rule: it has no meaning here", "/f/rules: it is empty"]);
    assert!(text.parse::<FeatureFlags>().unwrap().evaluate::<bool>("f", &()).unwrap());

    for never in [
        r#"{"action": "STARTSWITH", "key": "k", "value": 1}"#,
        r#"{"action": "IN", "key": "k", "value": 1}"#,
        r#"{"action": "KEY_LESS_THAN_VALUE", "key": "k", "value": {}}"#,
        r#"{"action": "SCHEDULE_BETWEEN_DAYS_OF_WEEK", "key": "CURRENT_DAY_OF_WEEK", "value": {"DAYS": []}}"#,
        r#"{"action": "SCHEDULE_BETWEEN_DATETIME_RANGE", "key": "CURRENT_DATETIME", "value":
            {"START": "2026-02-01", "END": "2026-01-01"}}"#,
        r#"{"action": "EQUALS", "key": "k", "value": 1, "values": 2}"#,
    ] {
        let found = feature_flags::check(&document(never));
        assert!(matches!(&found[..], [problem] if !problem.is_fatal()), "{never}: {found:?}");
    }
    assert_eq!(feature_flags::check("{}")[0].to_string(), "the document: it has no features");
}

#[test]
fn an_explanation_names_the_rule_and_why_others_did_not_match() {
    let flags: FeatureFlags = r#"{"f": {"default": 1, "boolean_type": false, "rules": {
        "absent": {"when_match": 2, "conditions": [{"action": "EQUALS", "key": "a", "value": 1}]},
        "unmet": {"when_match": 3, "conditions": [
            {"action": "EQUALS", "key": "k", "value": "x"},
            {"action": "IN", "key": "k", "value": ["y"]}
        ]},
        "incomparable": {"when_match": 4, "conditions": [
            {"action": "KEY_LESS_THAN_VALUE", "key": "k", "value": 7}
        ]},
        "last": {"when_match": 5, "conditions": [{"action": "EQUALS", "key": "k", "value": "x"}]}
    }}}"#
        .parse()
        .unwrap();
    let explanation = flags.explain("f", &json!({ "k": "x" })).unwrap();
    assert_eq!(explanation.source(), ValueSource::Rule("last"));
    let rejections: Vec<_> = explanation
        .rejections()
        .iter()
        .map(|rejection| (rejection.rule(), rejection.action(), rejection.reason()))
        .collect();
    assert_eq!(
        rejections,
        [
            ("absent", "EQUALS", RejectionReason::KeyAbsent),
            ("unmet", "IN", RejectionReason::Unmet),
            ("incomparable", "KEY_LESS_THAN_VALUE", RejectionReason::Incomparable),
        ]
    );
    assert!(
        explanation.to_string().starts_with(r#"f is 5 by the rule "last"; the rule "absent" "#)
    );
    assert_eq!(flags.explain("f", &()).unwrap().source(), ValueSource::Default);
}

#[test]
fn a_document_of_one_megabyte_is_read_in_moderate_time() {
    let rule = |n| {
        format!(
            r#""rule {n}": {{"when_match": true, "conditions": [{{"action": "EQUALS", "key": "k{n}", "value": "{n}"}}]}}"#
        )
    };
    let rules: Vec<_> = (0..10_000).map(rule).collect();
    let allowed: Vec<_> = (0..20_000).map(|n| format!(r#""customer-{n}""#)).collect();
    let text = format!(
        r#"{{"rules": {{"default": false, "rules": {{{}}}}}, "list": {{"default": false, "rules": {{"r":
            {{"when_match": true, "conditions": [{{"action": "IN", "key": "id", "value": [{}]}}]}}}}}}}}"#,
        rules.join(","),
        allowed.join(",")
    );
    assert!(text.len() > 1_000_000, "{}", text.len());
    let start = Instant::now();
    let flags: FeatureFlags = text.parse().unwrap();
    assert!(flags.evaluate::<bool>("rules", &json!({ "k9999": "9999" })).unwrap());
    assert!(flags.evaluate::<bool>("list", &json!({ "id": "customer-19999" })).unwrap());
    assert!(!flags.evaluate::<bool>("list", &json!({ "id": "customer-20000" })).unwrap());
    // In a debug build on a busy machine; what is quadratic takes minutes.
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}
