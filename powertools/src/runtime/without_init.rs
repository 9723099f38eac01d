use std::future::pending;

use lambda_runtime::{Error, SnapStartResource};
use tower::layer::util::Identity;

/// Stands for warm-ups and hooks where that module is not there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lifecycle(());

impl Lifecycle {
    pub(crate) async fn start(&self) -> Result<(), Error> {
        Ok(())
    }

    pub(crate) fn layer(&self) -> Identity {
        Identity::new()
    }

    pub(crate) fn into_resource(
        self,
    ) -> (impl SnapStartResource + 'static, impl Future<Output = Error>) {
        (self, pending())
    }
}

impl SnapStartResource for Lifecycle {}
