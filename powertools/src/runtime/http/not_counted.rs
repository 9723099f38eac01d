/// Without the module that measures, nothing is counted.
pub(super) fn count(_: &'static str) {}
