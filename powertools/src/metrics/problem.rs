//! What is wrong with what a function measures: one warning for each name, and no failure.

use std::collections::HashSet;
use std::io::{Write, stderr};
use std::sync::{Mutex, PoisonError};

use tracing::dispatcher::has_been_set;

/// The target of warnings.
const TARGET: &str = "powertools::metrics";

/// What a warning is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    NamespaceMissing,
    Setting,
    LevelAboveInfo,
    MetricName,
    NotFinite,
    TooLarge,
    NegativeCount,
    UnitChanges,
    NotATime,
    NameIsDimension,
    DimensionInvalid,
    TooManyDimensions,
    PropertyInvalid,
    PropertyHidden,
    PropertiesTooLong,
    Timestamp,
}

impl Kind {
    fn message(self) -> &'static str {
        match self {
            Self::NamespaceMissing => {
                "no metrics are written: set POWERTOOLS_METRICS_NAMESPACE or `Metrics::namespace`"
            }
            Self::Setting => "a setting of the metrics is invalid and was ignored",
            Self::LevelAboveInfo => {
                "AWS_LAMBDA_LOG_LEVEL is above INFO: Lambda can drop the lines of the metrics, which have \
                 no level and count as INFO"
            }
            Self::MetricName => {
                "a value was dropped: the name of its metric is empty, longer than 1,024 characters, \
                 `_aws`, or has a control character"
            }
            Self::NotFinite => "a value was dropped: it is NaN or infinite",
            Self::TooLarge => "a value was dropped: CloudWatch takes -2^360 to 2^360",
            Self::NegativeCount => {
                "a value was dropped: a count is not negative, record it with a unit instead"
            }
            Self::UnitChanges => {
                "a value was dropped: its metric has another unit or resolution in this invocation"
            }
            Self::NotATime => {
                "a value was dropped: a duration needs a unit of time, such as `Unit::Milliseconds`"
            }
            Self::NameIsDimension => {
                "a value was dropped: its metric has the name of a dimension, rename one of them"
            }
            Self::DimensionInvalid => {
                "a dimension was dropped: its name or value is blank, too long or has a control \
                 character, or its name begins with a colon or is `_aws`"
            }
            Self::TooManyDimensions => {
                "a dimension was dropped: CloudWatch takes 30 of them, `service` included; \
                 use a property for what only identifies"
            }
            Self::PropertyInvalid => {
                "a property was dropped: its name is empty or `_aws`, or its value is no JSON"
            }
            Self::PropertyHidden => {
                "a property was dropped: it has the name of a dimension or a metric, rename it"
            }
            Self::PropertiesTooLong => "the properties were dropped: a line has at most 1 MB",
            Self::Timestamp => {
                "CloudWatch ignores metrics more than 14 days old or 2 hours ahead: the line is \
                 in the log only"
            }
        }
    }
}

/// A problem, which is reported when no lock is held: a subscriber may measure, too.
#[derive(Debug)]
pub(super) struct Problem {
    kind: Kind,
    name: String,
}

/// The problems of one call.
#[derive(Debug, Default)]
#[must_use = "they have to be reported"]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    #[cold]
    pub(super) fn push(&mut self, kind: Kind, name: &str) {
        self.0.push(Problem { kind, name: name.chars().take(LONGEST_NAME).collect() });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Warns of those that were not reported before.
    #[inline]
    pub(super) fn report(self, reported: &Reported) {
        if !self.0.is_empty() {
            self.report_new(reported);
        }
    }

    #[cold]
    fn report_new(self, reported: &Reported) {
        for Problem { kind, name } in self.0 {
            if reported.is_new(kind, &name) {
                tracing::warn!(target: TARGET, name, "{}", kind.message());
                // Values are lost: without a subscriber, nobody else says so.
                if !has_been_set() {
                    let name = if name.is_empty() { name } else { format!(" (name: {name:?})") };
                    // It may be closed.
                    let _ = writeln!(stderr(), "WARN {TARGET}: {}{name}", kind.message());
                }
            }
        }
    }
}

/// What was reported in this process.
#[derive(Debug, Default)]
pub(super) struct Reported(Mutex<HashSet<(Kind, String)>>);

/// How many warnings a process can write: names can come from outside.
const MOST: usize = 100;

/// How much of a name is in its warning, in characters.
const LONGEST_NAME: usize = 100;

impl Reported {
    fn is_new(&self, kind: Kind, name: &str) -> bool {
        let mut reported = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reported.len() < MOST && reported.insert((kind, name.to_owned()))
    }
}
