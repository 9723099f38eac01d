//! By what the metrics are written, once all is decided.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::builder::Metrics;
use super::problem::{Kind, Problems, Reported};
use super::store::Sets;
use super::{Dimension, Error, Namespace};
use crate::clock::Clock;
use crate::json::write::{JSON, quoted};
use crate::process::Writer;

/// The settings, where several parts hold them.
pub(super) type Shared = Arc<Settings>;

pub(super) struct Settings {
    /// What precedes the names of the dimensions on each line; empty without a namespace.
    pub(super) head: Vec<u8>,
    pub(super) service: Option<String>,
    pub(super) dimensions: Vec<Dimension>,
    pub(super) function_name: Option<String>,
    pub(super) counts_cold_starts: bool,
    /// True where nothing is measured.
    pub(super) is_silent: bool,
    /// The level of Lambda's own setting, where it can drop the lines.
    pub(super) level_above_info: Option<String>,
    pub(super) writer: Writer,
    pub(super) clock: Clock,
    pub(super) reported: Reported,
    pub(super) pool: Pool,
}

impl Settings {
    pub(super) fn has_namespace(&self) -> bool {
        !self.head.is_empty()
    }

    /// Warns of what can lose all lines.
    pub(super) fn warn_of_levels(&self) {
        if let Some(level) = self.level_above_info.as_deref().filter(|_| !self.is_silent) {
            let mut problems = Problems::default();
            problems.push(Kind::LevelAboveInfo, level);
            problems.report(&self.reported);
        }
    }
}

/// Renders what precedes the names of the dimensions.
pub(super) fn head(namespace: &Namespace) -> Vec<u8> {
    let mut head = br#","CloudWatchMetrics":[{"Namespace":"#.to_vec();
    quoted(&mut head, namespace.as_str(), &JSON);
    head.extend_from_slice(br#","Dimensions":[["#);
    head
}

/// The memory of invocations that have ended.
#[derive(Default)]
#[expect(clippy::vec_box, reason = "the boxes go to the invocations and come back")]
pub(super) struct Pool(Mutex<Vec<Box<Sets>>>);

/// How many are kept: as many as events that one process handles at once.
const POOL: usize = 64;

impl Pool {
    pub(super) fn take(&self) -> Box<Sets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    pub(super) fn put(&self, sets: Box<Sets>) {
        let sets = sets.recycled();
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < POOL {
            pool.push(sets);
        }
    }
}

/// Those that the program has set.
static SET: OnceLock<Shared> = OnceLock::new();

/// Those of the environment, by which a process measures before it has set some.
static OF_THE_ENVIRONMENT: OnceLock<Shared> = OnceLock::new();

/// The settings of the process; those of the environment if there are no others.
///
/// The first call may report a variable that is invalid, so that it must not hold a lock.
pub(super) fn of_the_process() -> &'static Shared {
    known_of_the_process().unwrap_or_else(|| of_the_environment())
}

/// Returns the settings of the process, unless nothing has been measured or set yet.
pub(super) fn known_of_the_process() -> Option<&'static Shared> {
    SET.get().or_else(|| OF_THE_ENVIRONMENT.get())
}

/// Makes the settings those of the process, unless it has set some.
pub(super) fn set_for_the_process(settings: Shared) -> Result<(), Error> {
    SET.set(settings).map_err(|_| Error::AlreadySet)
}

/// Returns true if the process has measured by the environment alone.
pub(super) fn is_environment_in_use() -> bool {
    OF_THE_ENVIRONMENT.get().is_some()
}

/// An invalid variable is a warning here: this is no start.
#[cold]
fn of_the_environment() -> &'static Shared {
    let mut problems = Problems::default();
    let settings = OF_THE_ENVIRONMENT.get_or_init(|| {
        let settings = Metrics::new().build_reporting(|error| {
            problems.push(Kind::Setting, &error.to_string());
        });
        Arc::new(settings)
    });
    // Not inside: a subscriber may measure, too.
    problems.report(&settings.reported);
    settings
}
