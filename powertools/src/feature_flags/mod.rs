//! Feature flags: values that depend on a context, by rules in a document.
//!
//! The document is that of Powertools for AWS Lambda (Python), or that of AppConfig's own feature flags.
//! It is read where other values from outside are, and cached as they are:
//!
//! ```
//! use powertools::feature_flags::FeatureFlags;
//! use powertools::parameters::{Configuration, Memory, Parameters};
//! use serde::Serialize;
//!
//! static FLAGS: Configuration<FeatureFlags> = Configuration::json("shop/prod/features");
//!
//! #[derive(Serialize)]
//! struct Customer {
//!     tier: &'static str,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # let document = r#"{"premium_features": {"default": false, "rules": {"tier is premium":
//! #   {"when_match": true, "conditions": [{"action": "EQUALS", "key": "tier", "value": "premium"}]}}}}"#;
//! # let parameters = Parameters::new().source(Memory::new().with("shop/prod/features", document));
//! # parameters.scope(async {
//! let flags = FLAGS.get().await.unwrap();
//! let is_premium: bool = flags.evaluate("premium_features", &Customer { tier: "premium" }).unwrap();
//! assert!(is_premium);
//! # }).await;
//! # }
//! ```
//!
//! # The document
//!
//! ```json
//! {
//!   "discount": {
//!     "default": { "percent": 0 },
//!     "boolean_type": false,
//!     "rules": {
//!       "customers of the first day": {
//!         "when_match": { "percent": 20 },
//!         "conditions": [
//!           { "action": "KEY_LESS_THAN_VALUE", "key": "customer_number", "value": 1000 },
//!           { "action": "SCHEDULE_BETWEEN_DAYS_OF_WEEK", "key": "CURRENT_DAY_OF_WEEK",
//!             "value": { "DAYS": ["SATURDAY", "SUNDAY"], "TIMEZONE": "Europe/Berlin" } }
//!         ]
//!       }
//!     }
//!   },
//!   "new_checkout": { "enabled": true, "color": "green" }
//! }
//! ```
//!
//! The first rule in the order of the document whose conditions all hold determines the value, or else the
//! `default`. A feature with `enabled` is one of AppConfig's own: it has attributes in place of rules.
//! A feature that is invalid fails alone, with the path in the document.
//!
//! | action | holds if |
//! |---|---|
//! | `EQUALS`, `NOT_EQUALS` | the value of the key equals that of the condition, or does not |
//! | `KEY_GREATER_THAN_VALUE`, `KEY_LESS_THAN_VALUE`, and with `_OR_EQUAL_VALUE` | it is greater or less: a number, a string by its code points, or a list by its first different element |
//! | `STARTSWITH`, `ENDSWITH` | the string starts or ends with that of the condition |
//! | `IN`, `KEY_IN_VALUE`, `NOT_IN`, `KEY_NOT_IN_VALUE` | it is an element of the list, a part of the string or a name in the object of the condition, or is not |
//! | `VALUE_IN_KEY`, `VALUE_NOT_IN_KEY` | the other way round |
//! | `ALL_IN_VALUE`, `ANY_IN_VALUE`, `NONE_IN_VALUE` | all, some or none of the elements of the key's list are in that of the condition |
//! | `MODULO_RANGE` | `START <= key mod BASE <= END`, where the remainder is never negative |
//! | `SCHEDULE_BETWEEN_TIME_RANGE` | the wall clock of `TIMEZONE` is between the minutes `START` and `END` as `HH:MM`, both included to their last second; past midnight if `END` is first |
//! | `SCHEDULE_BETWEEN_DATETIME_RANGE` | the time is between the instants `START` and `END`, both included |
//! | `SCHEDULE_BETWEEN_DAYS_OF_WEEK` | it is one of the `DAYS` in `TIMEZONE` |
//!
//! No condition holds for a key that the context does not have, nor between values for which its action
//! is not defined; the latter is logged once. False and true are the numbers 0 and 1.
//!
//! # Differences from Python
//!
//! Evaluations agree with version 3.37 of the Python toolkit, which the tests compare, but for these:
//!
//! | document | Python | here | reason |
//! |---|---|---|---|
//! | one invalid feature | every evaluation is an error | this feature is an error | a mistake in one feature is no reason to turn off the others |
//! | `SCHEDULE_BETWEEN_DATETIME_RANGE` when the clock is set back | can match, end, and match again, since wall clocks are compared | one span of time, from and to the first of two equal times | a campaign has one end |
//! | the same within an hour that is left out | never matches | matches as long, one hour later on the clock | a campaign that was planned takes place |
//! | `START` or `END` in a form that only newer versions of Python read, such as a week date | depends on the version of Python | invalid | the same document has one meaning |
//! | `TIMEZONE` such as `UTC+3` or `EST5EDT,M3.2.0,M11.1.0` | read by `dateutil`, which takes `UTC+3` for a zone east of UTC, unlike POSIX | invalid: names of the IANA database only | `Etc/GMT-3` has one meaning |
//! | `TIMEZONE` null or empty | the zone of the process | UTC, as if it were absent | a document does not depend on where it is evaluated |
//! | `DAYS` with `"DAYS"` | accepted | invalid | it is no day |
//! | `boolean_type` that is not a boolean, such as `"false"` | true, unless empty | invalid | it is a mistake that changes the type of the flag |
//! | `rules` that are false, zero or an empty string | no rules | invalid | they are a mistake |
//! | `BASE`, `START` or `END` of `MODULO_RANGE` that is a boolean | 0 or 1 | invalid | it is a mistake |
//! | an integer beyond 128 bits; a number beyond the doubles | an integer of any size; infinity | invalid | it is rounded by most other programs |
//! | a feature with both `default` and `enabled` | `enabled` is ignored | invalid | it could be on in one format and off in the other |
//! | a flag of AppConfig's own format | every evaluation is an error | evaluated | it is what AppConfig returns |
//! | an escaped half of a surrogate pair in a string | accepted | the document is invalid | it is no Unicode string |
//!
//! The time zones are those of the IANA database in the program, of the crate `jiff`. They do not depend on
//! the operating system, and are updated with that crate.
//!
//! # AppConfig's own flags
//!
//! They are evaluated as AppConfig returns them. Flags with variants are evaluated by the AppConfig agent:
//! read them from [`AppConfigAgent`](crate::parameters::AppConfigAgent), which receives no context from
//! here. AppConfig itself returns a document with variants in another format, which is not JSON.

mod condition;
mod context;
mod document;
mod error;
mod explain;
mod feature;
mod native;
mod problem;
mod read_condition;
mod rules;
mod schedule;
mod value;

pub use self::document::{FeatureFlags, check};
pub use self::error::Error;
pub use self::explain::{Explanation, Rejection, RejectionReason, ValueSource};
pub use self::problem::Problem;
