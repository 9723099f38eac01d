use std::sync::Arc;

use super::SecretsManager;
use crate::parameters::Source;

pub(super) fn source() -> Arc<dyn Source> {
    Arc::new(SecretsManager::own())
}
