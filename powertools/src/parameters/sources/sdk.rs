//! Clients with the SDK's configuration of the function.

use aws_config::SdkConfig;
use tokio::sync::OnceCell;

use crate::aws;
use crate::process::is_restored;

/// The client of a source.
#[derive(Debug)]
pub(super) enum Client<C> {
    Given(C),
    /// One with [`aws::config`], from before a restore, and one from after it.
    Own([OnceCell<C>; 2]),
}

impl<C> Client<C> {
    pub(super) const fn own() -> Self {
        Self::Own([const { OnceCell::const_new() }; 2])
    }

    pub(super) async fn get(&self, create: fn(&SdkConfig) -> C) -> &C {
        match self {
            Self::Given(client) => client,
            Self::Own(cells) => {
                let cell = &cells[usize::from(is_restored())];
                cell.get_or_init(async || create(aws::config().await)).await
            }
        }
    }
}
