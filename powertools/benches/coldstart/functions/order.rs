//! What all the programs have in common.

use serde::Deserialize;

pub(crate) const TABLE: &str = "idempotency";

/// The event.
#[derive(Deserialize)]
pub(crate) struct Order {
    pub(crate) order: String,
}

/// The work. The order `exit` ends the process, for tools that report at the end.
pub(crate) fn charge(order: &str) -> String {
    if order == "exit" {
        std::process::exit(0);
    }
    format!("charged {order}")
}
