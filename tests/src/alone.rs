//! Tests that would disturb others in their process.

use std::process::Command;

/// Runs a test in a process that has it alone: no other test sees the variables that it sets or waits for the
/// memory that it takes.
///
/// # Panics
///
/// If the test fails there.
pub fn alone(test: impl FnOnce()) {
    const IS_ALONE: &str = "POWERTOOLS_TEST_IS_ALONE";

    if std::env::var_os(IS_ALONE).is_none() {
        let thread = std::thread::current();
        // Named after its test, unless tests run one by one on the main thread.
        if let Some(name) = thread.name().filter(|name| *name != "main") {
            let mut process = Command::new(std::env::current_exe().expect("a test has a program"));
            let output = process.args([name, "--exact"]).env(IS_ALONE, "1").output();
            let output = output.expect("a process can be started");
            let said = String::from_utf8_lossy(&output.stdout);
            return assert!(output.status.success() && said.contains("1 passed"), "{said}");
        }
    }
    test();
}

/// Like [`alone`], with these variables and a runtime of one thread.
///
/// # Panics
///
/// If the test fails.
pub fn alone_with(variables: &[(&str, &str)], test: impl Future<Output = ()>) {
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, Some(*value))).collect();
    alone(|| {
        temp_env::with_vars(variables, || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be built").block_on(test);
        });
    });
}
