//! How a process begins to log.

use std::sync::OnceLock;

use tracing::dispatcher;
use tracing::subscriber::NoSubscriber;
use tracing::{Subscriber, subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;

use super::filter::Admit;
use super::layer::{Lines, settings_in_use};
use super::settings::Shared;
use super::{Error, emit, log_panics, traced};

/// What [`init`] was called with.
static OF_THE_PROCESS: OnceLock<Shared> = OnceLock::new();

/// The settings by which the whole process logs, if they were given to [`init`].
fn settings_of_the_process() -> Option<Shared> {
    OF_THE_PROCESS.get().cloned()
}

/// The settings by which this thread logs.
pub(super) fn settings_here() -> Option<Shared> {
    // Inside a dispatch `tracing` has no subscriber to ask.
    settings_in_use().or_else(settings_of_the_process)
}

/// Writes the lines that are held, before the process ends.
pub(crate) fn flush() {
    if let Some(settings) = settings_here() {
        settings.output.flush();
    }
}

/// Makes the process log by `settings`.
pub(super) fn init(settings: Shared, warnings: &[String]) -> Result<(), Error> {
    let subscriber = tracing_subscriber::registry();
    let subscriber = subscriber.with(traced::take_beside()).with(layer(settings.clone()));
    subscriber::set_global_default(subscriber).map_err(|_| Error::AlreadySet)?;
    let _ = OF_THE_PROCESS.set(settings.clone());
    warn(&settings, warnings);
    log_panics();
    Ok(())
}

/// Like [`init`], unless the program has set a subscriber: that is kept, with a warning if none of its
/// layers is of this crate.
pub(super) fn init_unless_set(settings: Shared, warnings: &[String]) {
    // A subscriber that was set only for a time does not count.
    let ours =
        dispatcher::get_default(|set| (!set.is::<NoSubscriber>()).then(|| set.is::<Lines>()));
    if !ours.unwrap_or_else(|| init(settings, warnings).is_ok()) {
        tracing::warn!(
            target: "powertools::logging",
            "a tracing subscriber is set already and stays: Powertools::logging writes nothing by its \
             own settings, unless Logging::layer is among the layers of that",
        );
    }
}

pub(super) fn layer<S>(settings: Shared) -> impl Layer<S> + Send + Sync + 'static
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    Lines::new(settings.clone()).with_filter(Admit(settings))
}

/// Writes what is worth a warning at start.
pub(super) fn warn(settings: &Shared, warnings: &[String]) {
    for warning in warnings {
        emit::warn(warning, settings);
    }
}
