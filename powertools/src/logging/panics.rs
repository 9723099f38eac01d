use std::panic::{self, PanicHookInfo};
use std::sync::Once;

use super::state::State;
use crate::Invocation;

/// Logs every panic of the process, before the hook that was there does its work.
pub(super) fn log() {
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
        target: "powertools::panic",
        exception = message,
        exception_name = "Powertools.Panic",
        panic_location = location,
        "panicked: {message}",
    );
    Invocation::with_current(|invocation| {
        invocation.local::<State>().lock().panic_reported = true;
    });
}
