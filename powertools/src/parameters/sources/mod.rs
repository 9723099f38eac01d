//! Where values come from.

mod agent;
mod environment;
mod extension;
mod fallback;
mod files;
mod local;
mod memory;
mod missing;

pub use self::agent::AppConfigAgent;
pub use self::environment::Variables;
pub use self::extension::Extension;
pub use self::files::Files;
pub use self::memory::Memory;

use std::sync::Arc;

use self::missing::Missing;
use super::engine::Sources;

/// Returns the sources of the enabled features.
pub(super) fn defaults() -> Sources {
    Sources {
        parameters: Arc::new(Missing("ssm")),
        secrets: Arc::new(Missing("secrets")),
        configurations: Arc::new(Missing("appconfig")),
    }
}
