//! Warm-ups and hooks: their value of the lifecycle, and the methods that add them.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lambda_runtime::Error;
use tokio::time::Instant;

use super::Powertools;
use super::lifecycle::{Lifecycle, Moments, Restored, ShuttingDown, Snapshot, Starting};
use crate::init::hooks::{AFTER_RESTORE, BEFORE_SNAPSHOT};
use crate::init::shutdown::ShutdownHooks;
use crate::init::warm_up::{self, AFTER_RESTORE_BOUND, Job, WarmUp};

/// The warm-ups and hooks of a function.
#[derive(Clone, Default)]
struct Hooks {
    warm_ups: Vec<WarmUp>,
    before_snapshot: Vec<Job>,
    after_restore: Vec<Job>,
    shutdown: ShutdownHooks,
}

impl Lifecycle for Hooks {
    fn moments(&self) -> Moments {
        let mut moments = Moments::NONE;
        if !self.warm_ups.is_empty() {
            moments = moments | Moments::START | Moments::RESTORE;
        }
        if !self.before_snapshot.is_empty() {
            moments = moments | Moments::SNAPSHOT;
        }
        if !self.after_restore.is_empty() {
            moments = moments | Moments::RESTORE;
        }
        if !self.shutdown.is_empty() {
            moments = moments | Moments::SHUTDOWN;
        }
        moments
    }

    fn start<'a>(&'a self, starting: &'a Starting) -> BoxFuture<'a, Result<(), Error>> {
        async { Ok(warm_up::run(&self.warm_ups, starting.time).await?) }.boxed()
    }

    fn before_snapshot<'a>(&'a self, snapshot: &'a Snapshot) -> BoxFuture<'a, Result<(), Error>> {
        async {
            let jobs = self.before_snapshot.iter().rev();
            Ok(BEFORE_SNAPSHOT.run(jobs, snapshot.time).await?)
        }
        .boxed()
    }

    fn after_restore<'a>(&'a self, restored: &'a Restored) -> BoxFuture<'a, Result<(), Error>> {
        async {
            let end = Instant::now() + restored.time;
            AFTER_RESTORE.run(self.after_restore.iter(), restored.time).await?;
            let left = end.saturating_duration_since(Instant::now());
            Ok(warm_up::run(&self.warm_ups, AFTER_RESTORE_BOUND.min(left)).await?)
        }
        .boxed()
    }

    fn shutdown<'a>(&'a self, shutting_down: &'a ShuttingDown) -> BoxFuture<'a, ()> {
        self.shutdown.run(Instant::now() + shutting_down.time).boxed()
    }
}

impl<S> Powertools<S> {
    /// Calls `make` before the first event.
    ///
    /// All warm-ups run concurrently, each in its own task, and one log line lists how long each
    /// took. If a warm-up fails, the error is logged and the value is initialised on first use.
    /// The same applies to a warm-up that times out: all of them together have 5 seconds on
    /// demand, 60 seconds before a SnapStart snapshot, and 120 seconds under provisioned
    /// concurrency and on Lambda Managed Instances. [`start_timeout`](Self::start_timeout) sets
    /// another limit.
    ///
    /// Like every time limit, this one can only stop a task that awaits. A task that blocks its
    /// thread delays the start for as long as it blocks, and a warning is logged afterwards. Use
    /// `spawn_blocking` for blocking work.
    ///
    /// After a SnapStart restore the warm-ups run again, for 5 seconds at most.
    ///
    /// ```no_run
    /// # use lambda_runtime::{Error, LambdaEvent};
    /// # use powertools::{InitOnce, Powertools};
    /// # async fn handle(_: LambdaEvent<String>) -> Result<(), Error> { Ok(()) }
    /// # async fn pool() -> Result<&'static u32, Error> { Ok(&1) }
    /// # async fn run() -> Result<(), Error> {
    /// Powertools::new(handle).warm_up("pool", pool).run().await
    /// # }
    /// ```
    pub fn warm_up<F, Fut, T, E>(self, name: impl Into<String>, make: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        E: Into<Error>,
    {
        self.add_warm_up(WarmUp { name: name.into(), job: job(make), is_required: false })
    }

    /// Calls `make` before the first event, and does not start without its value.
    ///
    /// It is like [`warm_up`](Self::warm_up), but if it fails, panics or times out, the reason is
    /// reported to Lambda at once as the error of the initialisation, under a [fixed name], and
    /// [`run`](Self::run) returns it, so that `main` exits with code 1. The other warm-ups are
    /// abandoned, but `#[tokio::main]` waits for running `spawn_blocking` tasks.
    ///
    /// [fixed name]: crate::init::Error::error_type
    pub fn warm_up_required<F, Fut, T, E>(self, name: impl Into<String>, make: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        E: Into<Error>,
    {
        self.add_warm_up(WarmUp { name: name.into(), job: job(make), is_required: true })
    }

    fn add_warm_up(mut self, warm_up: WarmUp) -> Self {
        self.lifecycle.change(|hooks: &mut Hooks| hooks.warm_ups.push(warm_up));
        self
    }

    /// Calls `hook` before a SnapStart snapshot is taken. Hooks run in the reverse of the order in
    /// which they were added.
    ///
    /// An error ends the function, and is reported to Lambda as an error of the initialisation,
    /// under a [fixed name](crate::init::Error::error_type). A panic, and hooks that take longer
    /// than 60 seconds, do the same.
    pub fn before_snapshot<F, Fut, E>(mut self, hook: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Error>,
    {
        self.lifecycle.change(|hooks: &mut Hooks| hooks.before_snapshot.push(job(hook)));
        self
    }

    /// Calls `hook` after a restore from a SnapStart snapshot. Hooks run in the order in which
    /// they were added, and the warm-ups follow.
    ///
    /// An error ends the function, and is reported to Lambda as an error of the restore, under a
    /// [fixed name](crate::init::Error::error_type). A panic, and hooks that take longer than 4
    /// seconds, do the same: Lambda allows 10 seconds, and the warm-ups need the rest.
    pub fn after_restore<F, Fut, E>(mut self, hook: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Error>,
    {
        self.lifecycle.change(|hooks: &mut Hooks| hooks.after_restore.push(job(hook)));
        self
    }

    /// Calls `hook` when Lambda ends the environment.
    ///
    /// Lambda sends SIGTERM only to functions with an extension, so the first hook registers one,
    /// which does nothing else. If Lambda rejects it, a warning is logged that no hook will run.
    ///
    /// After the signal, the function waits up to 300 ms for running invocations. Then the hooks
    /// run in the order in which they were added, until 450 ms after the signal; Lambda kills the
    /// process at 500 ms. In a function with external extensions (in `/opt/extensions`) Lambda
    /// kills it at 300 ms, and the two limits are 150 ms and 260 ms. A hook that would start later
    /// is skipped with a warning. Then the process exits.
    ///
    /// An invocation that is still running then is killed without the clean-up of a time guard: an
    /// idempotent claim is held until its lease expires, and buffered debug lines are lost.
    ///
    /// ```no_run
    /// # use lambda_runtime::{Error, LambdaEvent};
    /// # use powertools::Powertools;
    /// # async fn handle(_: LambdaEvent<String>) -> Result<(), Error> { Ok(()) }
    /// # async fn run() -> Result<(), Error> {
    /// Powertools::new(handle)
    ///     .on_shutdown("goodbye", async || eprintln!("this environment ends"))
    ///     .run()
    ///     .await
    /// # }
    /// ```
    pub fn on_shutdown<F, Fut>(mut self, name: impl Into<String>, hook: F) -> Self
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.lifecycle.change(|hooks: &mut Hooks| hooks.shutdown.add(name.into(), hook));
        self
    }
}

fn job<F, Fut, T, E>(make: F) -> Job
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
    E: Into<Error>,
{
    Arc::new(move || make().map(|made| made.map(drop).map_err(Into::into)).boxed())
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;
    use crate::error::find;
    use crate::runtime::lifecycle::List;

    const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

    /// Takes its time at the start and after a restore.
    struct Slow(u32);

    impl Lifecycle for Slow {
        fn moments(&self) -> Moments {
            Moments::START | Moments::RESTORE
        }

        fn start<'a>(&'a self, _: &'a Starting) -> BoxFuture<'a, Result<(), Error>> {
            tokio::time::sleep(self.0 * SECOND).map(Ok).boxed()
        }

        fn after_restore<'a>(&'a self, _: &'a Restored) -> BoxFuture<'a, Result<(), Error>> {
            tokio::time::sleep(self.0 * SECOND).map(Ok).boxed()
        }
    }

    /// A warm-up that never ends, after another value.
    fn hanging(after: Slow, is_required: bool) -> List {
        let mut list = List::default();
        list.push(after);
        let job = job(pending::<Result<(), Error>>);
        let warm_up = WarmUp { name: "table".to_owned(), job, is_required };
        list.change(|hooks: &mut Hooks| hooks.warm_ups.push(warm_up));
        list
    }

    #[tokio::test(start_paused = true)]
    async fn a_required_warm_up_is_never_left_out_for_lack_of_time() {
        for (seconds, message) in [
            (3, "the warm-up of table timed out after 2s"),
            (5, "the warm-up of table timed out after 0ns"),
        ] {
            let error = hanging(Slow(seconds), true).start(5 * SECOND).await.unwrap_err();
            assert_eq!(error.to_string(), message);
            assert_eq!(find(&*error).unwrap().error_type, "Powertools.WarmUpTimeout");
            hanging(Slow(seconds), false).start(5 * SECOND).await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_optional_warm_up_that_hangs_ends_no_restore() {
        let time = 19 * SECOND / 2;
        for seconds in [0, 5, 9] {
            hanging(Slow(seconds), false).after_restore(time).await.unwrap();
            let error = hanging(Slow(seconds), true).after_restore(time).await.unwrap_err();
            assert_eq!(find(&*error).unwrap().error_type, "Powertools.WarmUpTimeout");
        }
    }
}
