use std::sync::Arc;

use super::Ssm;
use crate::parameters::Source;

pub(super) fn source() -> Arc<dyn Source> {
    Arc::new(Ssm::own())
}
