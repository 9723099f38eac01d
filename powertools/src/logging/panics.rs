use std::panic::{self, PanicHookInfo};
use std::sync::Once;

use super::state::ending::PANIC;

/// Logs every panic of the process from here on, before the panic hook that was there does its work.
///
/// [`Logging::init`](super::Logging::init) does this. It is for a program that sets its own
/// subscriber, with [`Logging::layer`](super::Logging::layer) in it. A second call does nothing.
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
    let message = panic.payload_as_str().unwrap_or("the panic has no message");
    let location = panic.location().map(tracing::field::display);
    tracing::error!(
        target: PANIC,
        exception = message,
        exception_name = "Powertools.Panic",
        panic_location = location,
        "panicked: {message}",
    );
}
