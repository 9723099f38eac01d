use std::fmt;
use std::panic::{self, PanicHookInfo};
use std::sync::Once;

use super::{emit, start};

/// Logs every further panic of the process, and then runs the previous panic hook.
///
/// [`Logging::init`](super::Logging::init) does this. Call it in a program that sets its own
/// subscriber, with [`Logging::layer`](super::Logging::layer) in it. A second call does nothing.
///
/// The line is written by that layer alone, since the panic can come from another layer that holds a
/// lock.
pub fn log_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            report(panic);
            before(panic);
        }));
    });
}

fn report(panic: &PanicHookInfo<'_>) {
    let Some(settings) = start::settings_here() else { return };
    let message = panic.payload_as_str().unwrap_or("the panic has no message");
    let location = panic.location().map(|location| location as &dyn fmt::Display);
    emit::panicked(message, location, &settings);
}
