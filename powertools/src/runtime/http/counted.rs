use crate::metrics::count_if_measured;

/// Counts one more, in a function that measures.
pub(super) fn count(name: &'static str) {
    count_if_measured(name);
}
