//! Where lines meet the spans of powertools-otel.

use std::sync::{Mutex, OnceLock, PoisonError};

use tracing_subscriber::{Layer, Registry};

use super::layer::settings_in_use;
use super::line::debug_form;
use super::line::redact::Redaction;
use super::start::settings_here;

/// The trace and the span of the current task.
pub type Ids = ([u8; 16], [u8; 8]);

/// A layer beside that of the lines.
pub type BesideLines = Box<dyn Layer<Registry> + Send + Sync>;

/// The names whose values must not be written.
#[derive(Debug)]
pub struct Redacts(Redaction);

impl Redacts {
    /// Returns true if the value of the field `name` must not be written.
    #[must_use]
    pub fn hides(&self, name: &str) -> bool {
        self.0.hides(name)
    }

    /// Returns a value without the values of hidden names in it: of JSON, and of a `Debug` form. Returns nothing where
    /// there are none.
    #[must_use]
    pub fn search(&self, value: &str) -> Option<String> {
        debug_form::redact_any(value, &self.0)
    }
}

/// The target of a line with an event, in which the logs alone redact.
pub const EVENT: &str = super::handler::EVENT;

/// How the event begins where a field has it, which is not written.
pub const EVENT_FORM: &str = super::line::visitor::EVENT_FORM;

static CURRENT: OnceLock<fn() -> Option<Ids>> = OnceLock::new();
static BESIDE: Mutex<Option<BesideLines>> = Mutex::new(None);

/// Sets what finds the ids of a line.
pub fn find_ids_by(find: fn() -> Option<Ids>) {
    let _ = CURRENT.set(find);
}

/// Returns true if lines may have ids.
pub(super) fn is_on() -> bool {
    CURRENT.get().is_some()
}

pub(super) fn current_ids() -> Option<Ids> {
    CURRENT.get()?()
}

/// Sets the layer that the next subscriber of the logs takes in.
pub fn set_beside(layer: BesideLines) {
    *BESIDE.lock().unwrap_or_else(PoisonError::into_inner) = Some(layer);
}

/// Takes that layer, if no subscriber did.
pub fn take_beside() -> Option<BesideLines> {
    BESIDE.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Returns true if there are logs, which admit a warning or do not.
#[must_use]
pub fn has_logs() -> bool {
    settings_here().is_some()
}

/// Returns the names whose values must not be written: `names`, and those in the settings of the logs.
#[must_use]
pub fn redaction(names: &[String]) -> Option<Redacts> {
    let of_logs = settings_in_use().map(|settings| settings.redaction.clone());
    let mut redaction = of_logs.unwrap_or_default();
    names.iter().for_each(|name| redaction.add(name));
    (!redaction.is_empty()).then_some(Redacts(redaction))
}
