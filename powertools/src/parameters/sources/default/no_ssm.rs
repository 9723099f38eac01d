use std::sync::Arc;

use super::missing::Missing;
use crate::parameters::Source;

pub(super) fn source() -> Arc<dyn Source> {
    Arc::new(Missing("ssm"))
}
