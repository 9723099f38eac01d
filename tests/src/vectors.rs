//! Recorded behaviour of other toolkits: see `vectors/README.md`.

use serde_json::Value;

/// Returns records of Kinesis and the aggregates that a producer made of them.
///
/// # Panics
///
/// Panics if the file is invalid.
#[must_use]
pub fn kinesis_aggregates() -> Vec<Value> {
    cases(include_str!("../vectors/kinesis-aggregates.json"))
}

/// Returns keys and values of Kafka as producers serialised them.
///
/// # Panics
///
/// Panics if the file is invalid.
#[must_use]
pub fn kafka_values() -> Vec<Value> {
    cases(include_str!("../vectors/kafka-values.json"))
}

/// Returns data in Avro whose reader has another schema than its writer.
///
/// # Panics
///
/// Panics if the file is invalid.
#[must_use]
pub fn avro_resolution() -> Vec<Value> {
    cases(include_str!("../vectors/avro-resolution.json"))
}

/// Returns the flows of the Python toolkit. Their times are still relative.
///
/// # Panics
///
/// Panics if the file is invalid.
#[must_use]
pub fn python_flows() -> Vec<Value> {
    cases(include_str!("../vectors/python-idempotency-flows.json"))
}

/// Returns the flows of the Python toolkit on a server of Redis. The time is always 1,800,000,000 s.
///
/// # Panics
///
/// Panics if the file is invalid.
#[must_use]
pub fn python_redis_flows() -> Vec<Value> {
    cases(include_str!("../vectors/python-idempotency-redis.json"))
}

/// Returns the flows of the TypeScript toolkit on a server of Redis. The time is always 1,800,000,000 s.
///
/// # Panics
///
/// Panics if the file is invalid.
#[must_use]
pub fn typescript_redis_flows() -> Vec<Value> {
    cases(include_str!("../vectors/typescript-idempotency-redis.json"))
}

fn cases(file: &str) -> Vec<Value> {
    let mut file: Value = serde_json::from_str(file).expect("it is JSON");
    match file["cases"].take() {
        Value::Array(cases) => cases,
        _ => panic!("it has cases"),
    }
}

/// Replaces the relative times in `value`, such as `<now+30s>` and `<now_ms+30s>`, by absolute
/// ones. `now` is in milliseconds since the epoch.
///
/// # Panics
///
/// Panics if a time is in another unit.
pub fn resolve_times(value: &mut Value, now: u64) {
    match value {
        Value::Object(members) => members.values_mut().for_each(|value| resolve_times(value, now)),
        Value::Array(values) => values.iter_mut().for_each(|value| resolve_times(value, now)),
        Value::String(text) => {
            let time = text.strip_prefix('<').and_then(|text| text.strip_suffix("s>"));
            let Some((unit, seconds)) = time.and_then(|time| time.split_once('+')) else { return };
            let seconds: u64 = seconds.parse().expect("it is a number of seconds");
            *text = match unit {
                "now" => (now / 1000 + seconds).to_string(),
                "now_ms" => (now + 1000 * seconds).to_string(),
                other => panic!("an unknown unit of time: {other}"),
            };
        }
        _ => {}
    }
}
