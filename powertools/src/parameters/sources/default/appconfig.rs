use std::sync::Arc;

use super::AppConfig;
use crate::parameters::Source;

pub(super) fn source() -> Arc<dyn Source> {
    Arc::new(AppConfig::own())
}
