//! Feature flags: documents, rules and the values that they yield.

use std::time::{Duration, SystemTime};

use powertools::Clock;
use powertools::feature_flags::FeatureFlags;
use powertools::testing;

mod contexts;
mod documents;
mod native;
mod python;
mod schedules;
mod sources;

/// Reads a document of one boolean feature `f`, whose only rule has this condition.
fn with_condition(condition: &str) -> FeatureFlags {
    document(condition).parse().unwrap()
}

fn document(condition: &str) -> String {
    format!(
        r#"{{"f": {{"default": false, "rules": {{"r": {{"when_match": true, "conditions": [{condition}]}}}}}}}}"#
    )
}

/// Runs `work` in an invocation at this second of the Unix epoch.
fn at<T>(seconds: f64, work: impl FnOnce() -> T) -> T {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds);
    testing::invocation().clock(Clock::from_fn(move || now)).build().sync_scope(work)
}
