use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout_at};

use crate::error::panic::catch_future;

type Hook = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// What a function does before its process ends. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct ShutdownHooks(Arc<Mutex<Vec<(String, Hook)>>>);

impl ShutdownHooks {
    pub(crate) fn add<F, Fut>(&self, name: String, hook: F)
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let hook: Hook = Box::new(|| hook().boxed());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((name, hook));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Runs the hooks in order, until `end`.
    pub(crate) async fn run(&self, end: Instant) {
        let hooks = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for (name, hook) in hooks {
            if Instant::now() >= end {
                tracing::warn!(name, "no time remained for a shutdown hook");
                continue;
            }
            match timeout_at(end, catch_future(hook)).await {
                Ok(Ok(())) => {}
                Ok(Err(panic)) => tracing::warn!(name, "a shutdown hook panicked: {panic}"),
                Err(_) => tracing::warn!(name, "no time remained for a shutdown hook"),
            }
        }
    }
}

impl fmt::Debug for ShutdownHooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hooks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_list().entries(hooks.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::time::Duration;

    use super::*;

    const END: Duration = Duration::from_millis(450);

    /// Hooks that write down that they ran.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<&'static str>>>);

    impl Log {
        fn hook(&self, name: &'static str) -> impl FnOnce() -> BoxFuture<'static, ()> + use<> {
            let log = self.clone();
            move || {
                log.0.lock().unwrap().push(name);
                std::future::ready(()).boxed()
            }
        }

        fn names(&self) -> Vec<&'static str> {
            self.0.lock().unwrap().clone()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn hooks_run_in_order_even_after_a_panic() {
        let (hooks, log) = (ShutdownHooks::default(), Log::default());
        hooks.add("one".into(), log.hook("one"));
        hooks.add("bad".into(), || async { panic!("in a hook") });
        hooks.add("worse".into(), || -> BoxFuture<'static, ()> { panic!("before its future") });
        hooks.add("two".into(), log.hook("two"));
        hooks.run(Instant::now() + END).await;
        assert_eq!(log.names(), ["one", "two"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hook_that_hangs_leaves_time_to_flush() {
        let (hooks, log, start) = (ShutdownHooks::default(), Log::default(), Instant::now());
        hooks.add("hangs".into(), pending);
        hooks.add("late".into(), log.hook("late"));
        hooks.run(Instant::now() + END).await;
        assert_eq!(start.elapsed(), END);
        assert_eq!(log.names(), [""; 0], "what begins now would not end");
    }
}
