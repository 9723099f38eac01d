use super::{First, InitializationType};

/// Returns true for the first caller in this process, unless its concurrency is provisioned.
pub(crate) fn take_cold_start() -> bool {
    static COLD_START: First = First::new();

    COLD_START.is_first()
        && InitializationType::current() != InitializationType::ProvisionedConcurrency
}
