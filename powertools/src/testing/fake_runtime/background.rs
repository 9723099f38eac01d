use std::sync::LazyLock;

use tokio::runtime::{Builder, Handle};

/// Returns the thread that serves every fake runtime of this process.
///
/// It is not one of the test's: a test may pause its time, block its only thread or end at any
/// moment, and the service would still count the seconds and answer.
pub(super) fn background() -> &'static Handle {
    static RUNTIME: LazyLock<Handle> = LazyLock::new(|| {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime for the fake Lambda service can be made");
        let handle = runtime.handle().clone();
        std::thread::Builder::new()
            .name("fake-lambda".to_owned())
            .spawn(move || runtime.block_on(std::future::pending::<()>()))
            .expect("a thread for the fake Lambda service can be made");
        handle
    });
    &RUNTIME
}
