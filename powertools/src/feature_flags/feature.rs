//! From a document to what is evaluated. Sources: the Python toolkit's `SchemaValidator`, and AppConfig's
//! format of retrieved flags.

use super::native::Native;
use super::problem::{Path, Problem, Problems};
use super::read_condition;
use super::rules::Rules;
use crate::json::Json;

/// A feature that can be evaluated.
#[derive(Debug)]
pub(super) enum Feature {
    Rules(Rules),
    Native(Native),
}

/// Reads a feature, or returns the first of its problems. All of them are added to `problems`.
pub(super) fn read(name: &str, json: &Json, problems: &mut Problems) -> Result<Feature, Problem> {
    let first = problems.0.len();
    let feature = feature(Path::of(name), json, problems);
    let mut own = problems.0[first..].iter();
    match (own.find(|problem| problem.is_fatal()), feature) {
        (None, Some(feature)) => Ok(feature),
        (Some(problem), _) => Err(problem.clone()),
        (None, None) => {
            let problem = Problem::new(Path::of(name), "it is not a feature", true);
            problems.0.push(problem.clone());
            Err(problem)
        }
    }
}

fn feature(path: Path<'_>, json: &Json, problems: &mut Problems) -> Option<Feature> {
    let Some(members) = json.as_object().filter(|members| !members.is_empty()) else {
        return problems.fatal(path, "a feature must be an object that is not empty");
    };
    match (json.get("enabled"), json.get("default")) {
        (None, _) => with_rules(path, json, members, problems).map(Feature::Rules),
        (Some(_), Some(_)) => problems.fatal(
            path,
            "it has both `enabled`, as a flag of AppConfig, and `default`, as a feature with rules",
        ),
        (Some(is_enabled @ Json::Bool(_)), None) => {
            Some(Feature::Native(Native { is_enabled: is_enabled.clone(), object: json.clone() }))
        }
        (Some(_), None) => problems.fatal(path.name("enabled"), "it must be true or false"),
    }
}

fn with_rules(
    path: Path<'_>,
    json: &Json,
    members: &[(String, Json)],
    problems: &mut Problems,
) -> Option<Rules> {
    doubt_unknown(path, members, &["default", "boolean_type", "rules"], problems);
    let is_boolean = match json.get("boolean_type") {
        None => true,
        Some(Json::Bool(is_boolean)) => *is_boolean,
        Some(_) => {
            return problems.fatal(path.name("boolean_type"), "it must be true or false");
        }
    };
    let default = value(path, "default", &json["default"], is_boolean, problems);
    let mut rules = Rules::new(default.cloned().unwrap_or(Json::Null));
    let path = path.name("rules");
    match &json["rules"] {
        Json::Object(list) if !list.is_empty() => {
            for (name, json) in list {
                rule(name, path.name(name), json, is_boolean, &mut rules, problems);
            }
        }
        // Some programs write an empty map as an empty list.
        Json::Object(_) => problems.doubt(path, "it is empty"),
        Json::Array(items) if items.is_empty() => problems.doubt(path, "it is an empty list"),
        Json::Null if json.get("rules").is_some() => problems.doubt(path, "it is null"),
        Json::Null => {}
        _ => return problems.fatal(path, "it must be an object, with a member for each rule"),
    }
    default.map(|_| rules)
}

/// Checks a value that a feature can have. Where the feature is not boolean, a default is needed, and any
/// other may be null.
fn value<'a>(
    path: Path<'_>,
    name: &str,
    json: &'a Json,
    is_boolean: bool,
    problems: &mut Problems,
) -> Option<&'a Json> {
    match json {
        Json::Bool(_) => Some(json),
        _ if is_boolean => problems.fatal(
            path.name(name),
            "it must be true or false, unless `boolean_type` of the feature is false",
        ),
        Json::Null if name == "default" => problems.fatal(path.name(name), "it is missing or null"),
        _ => Some(json),
    }
}

fn rule(
    name: &str,
    path: Path<'_>,
    json: &Json,
    is_boolean: bool,
    rules: &mut Rules,
    problems: &mut Problems,
) -> Option<()> {
    let Some(members) = json.as_object().filter(|members| !members.is_empty()) else {
        return problems.fatal(path, "a rule must be an object that is not empty");
    };
    if name.is_empty() {
        return problems.fatal(path, "a rule must have a name that is not empty");
    }
    doubt_unknown(path, members, &["when_match", "conditions"], problems);
    let when_match = value(path, "when_match", &json["when_match"], is_boolean, problems);
    let path = path.name("conditions");
    let list = match json["conditions"].as_array() {
        Some(list) if !list.is_empty() => list,
        _ => return problems.fatal(path, "it must be a list with at least one condition"),
    };
    let mut conditions = Vec::with_capacity(list.len());
    for (index, json) in list.iter().enumerate() {
        conditions.extend(read_condition::read(path.index(index), json, problems));
    }
    rules.push(name, when_match?.clone(), conditions);
    Some(())
}

/// Notes members that have no meaning, which are misspelt perhaps.
pub(super) fn doubt_unknown(
    path: Path<'_>,
    members: &[(String, Json)],
    known: &[&str],
    problems: &mut Problems,
) {
    for (name, _) in members.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
        problems.doubt(path.name(name), "it has no meaning here");
    }
}
