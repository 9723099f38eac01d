//! Where values come from.

mod agent;
mod environment;
mod extension;
mod fallback;
mod files;
mod local;
mod memory;
#[cfg(not(all(feature = "appconfig", feature = "secrets", feature = "ssm")))]
mod missing;

#[cfg(feature = "appconfig")]
mod appconfig;
#[cfg(feature = "dynamodb")]
mod dynamodb;
#[cfg(any(feature = "appconfig", feature = "dynamodb", feature = "secrets", feature = "ssm"))]
mod failure;
#[cfg(any(feature = "appconfig", feature = "secrets", feature = "ssm"))]
mod sdk;
#[cfg(feature = "secrets")]
mod secrets;
#[cfg(feature = "ssm")]
mod ssm;
#[cfg(any(feature = "secrets", feature = "ssm"))]
mod together;

// The default sources, with or without the feature that brings each.
#[cfg(feature = "appconfig")]
#[path = "default/appconfig.rs"]
mod default_appconfig;
#[cfg(not(feature = "appconfig"))]
#[path = "default/no_appconfig.rs"]
mod default_appconfig;
#[cfg(feature = "secrets")]
#[path = "default/secrets.rs"]
mod default_secrets;
#[cfg(not(feature = "secrets"))]
#[path = "default/no_secrets.rs"]
mod default_secrets;
#[cfg(feature = "ssm")]
#[path = "default/ssm.rs"]
mod default_ssm;
#[cfg(not(feature = "ssm"))]
#[path = "default/no_ssm.rs"]
mod default_ssm;

pub use self::agent::AppConfigAgent;
#[cfg(feature = "appconfig")]
pub use self::appconfig::AppConfig;
#[cfg(feature = "dynamodb")]
pub use self::dynamodb::DynamoDb;
pub use self::environment::Variables;
pub use self::extension::Extension;
pub use self::files::Files;
pub use self::memory::Memory;
#[cfg(feature = "secrets")]
pub use self::secrets::SecretsManager;
#[cfg(feature = "ssm")]
pub use self::ssm::Ssm;

use super::engine::Sources;

/// Returns the sources of the enabled features.
pub(super) fn defaults() -> Sources {
    Sources {
        parameters: default_ssm::source(),
        secrets: default_secrets::source(),
        configurations: default_appconfig::source(),
    }
}
