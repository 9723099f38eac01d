//! Evaluations are those of the Python toolkit, but for the differences on the page of the module.

use std::collections::BTreeSet;

use powertools::feature_flags::{Error, FeatureFlags};
use powertools::idempotency::Json;

use super::at;

/// The evaluations that differ, by document and feature.
const DIFFERENCES: &[(&str, &str)] = &[
    // One span of time where the wall clock shows the hour twice.
    ("dates when the clock changes", "in the hour that comes twice"),
    ("dates when the clock changes", "to the hour that comes twice"),
    // As long, one hour later, where the wall clock leaves the hour out.
    ("dates when the clock changes", "in the hour that is left out"),
    // Names of the IANA database only.
    ("east of UTC", "zone"),
    // The format that AppConfig returns.
    ("an appconfig flag", "f"),
    ("an appconfig flag", "unknown"),
    // Mistakes that Python accepts.
    ("both formats", "f"),
    ("bad: boolean_type as a string", "bad"),
    ("bad: rules that are false", "bad"),
    ("bad: a boolean as base", "bad"),
    ("bad: DAYS as a day", "bad"),
    ("bad: a week date", "bad"),
    ("bad: an integer beyond 128 bits", "bad"),
    ("bad: infinity", "bad"),
    ("bad: half a surrogate pair", "bad"),
    ("bad: half a surrogate pair", "unknown"),
];

#[test]
fn evaluations_are_those_of_python_or_listed() {
    let file: Json = include_str!("../../vectors/python-feature-flags.json").parse().unwrap();
    let (mut compared, mut unlisted, mut different) = (0, Vec::new(), BTreeSet::new());
    for case in file["cases"].as_array().unwrap() {
        let document = case["document"].as_str().unwrap();
        let flags = file["documents"][document].as_str().unwrap().parse::<FeatureFlags>();
        let now = case["now"].as_number().unwrap().as_str().parse().unwrap();
        for (feature, python) in case["features"].as_object().unwrap() {
            let ours = match &flags {
                Ok(flags) => at(now, || flags.evaluate::<Json>(feature, &case["context"])),
                Err(_) => Err(Error::DocumentInvalid { reason: String::new() }),
            };
            compared += 1;
            if agree(document, feature, python, &ours) {
                continue;
            }
            if DIFFERENCES.contains(&(document, feature)) {
                different.insert((document, feature.as_str()));
            } else {
                let context = &case["context"];
                unlisted.push(format!("{document}, {feature}, {context}: {python}, not {ours:?}"));
            }
        }
    }
    assert!(compared > 800, "{compared}");
    assert_eq!(unlisted, [""; 0]);
    assert_eq!(different, DIFFERENCES.iter().copied().collect(), "what is listed differs");
}

#[test]
fn enabled_features_are_those_of_python() {
    let file: Json = include_str!("../../vectors/python-feature-flags.json").parse().unwrap();
    let mut compared = 0;
    for case in file["cases"].as_array().unwrap() {
        let document = case["document"].as_str().unwrap();
        let Some(python) = case["enabled"]["value"].as_array() else { continue };
        if DIFFERENCES.iter().any(|(its_document, _)| *its_document == document) {
            continue;
        }
        let flags: FeatureFlags = file["documents"][document].as_str().unwrap().parse().unwrap();
        let now = case["now"].as_number().unwrap().as_str().parse().unwrap();
        let ours = at(now, || flags.enabled(&case["context"]).unwrap());
        let python: Vec<_> = python.iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(ours, python, "{document}, {}", case["context"]);
        compared += 1;
    }
    assert!(compared > 100, "{compared}");
}

fn agree(document: &str, feature: &str, python: &Json, ours: &Result<Json, Error>) -> bool {
    let is_error = python.get("raised").is_some();
    match ours {
        // One bad feature makes every evaluation an error in Python.
        Ok(value) if is_error && document.starts_with("bad: ") && feature == "good" => {
            *value == Json::Bool(true)
        }
        Err(Error::NotFound { .. }) if is_error && document.starts_with("bad: ") => {
            feature == "unknown"
        }
        Ok(value) => python.get("value") == Some(value),
        Err(Error::NotFound { .. }) => python.get("absent").is_some(),
        Err(_) => is_error,
    }
}
