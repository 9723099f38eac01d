//! Warm-ups and hooks: the value of the lifecycle that they make up, and how they are added.

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

    fn before_snapshot<'a>(&'a self, _: &'a Snapshot) -> BoxFuture<'a, Result<(), Error>> {
        async { Ok(BEFORE_SNAPSHOT.run(self.before_snapshot.iter().rev()).await?) }.boxed()
    }

    fn after_restore<'a>(&'a self, _: &'a Restored) -> BoxFuture<'a, Result<(), Error>> {
        async {
            AFTER_RESTORE.run(self.after_restore.iter()).await?;
            Ok(warm_up::run(&self.warm_ups, AFTER_RESTORE_BOUND).await?)
        }
        .boxed()
    }

    fn shutdown<'a>(&'a self, shutting_down: &'a ShuttingDown) -> BoxFuture<'a, ()> {
        self.shutdown.run(Instant::now() + shutting_down.time).boxed()
    }
}

impl<S> Powertools<S> {
    /// Calls `make` before the first event is asked for.
    ///
    /// All warm-ups run concurrently, each in a task of its own, and one log line has the time of
    /// each. A warm-up that fails is logged, and its value is made on first use. The same happens to one
    /// that is not done in time: all of them together have 5 seconds on demand, 60 seconds before a
    /// SnapStart snapshot, and 120 seconds under provisioned concurrency and on Lambda Managed
    /// Instances. [`start_timeout`](Self::start_timeout) sets another limit.
    ///
    /// Like every limit on time this one needs tasks that wait: one that blocks its thread can hold
    /// up the start for as long as it likes, and a warning says so afterwards. `spawn_blocking` is for
    /// what blocks.
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

    /// Calls `make` before the first event is asked for, and does not start without it.
    ///
    /// As [`warm_up`](Self::warm_up), but if it fails, panics or is not done in time, the reason is
    /// reported at once to Lambda as the error of the initialisation, under a [fixed name], and
    /// [`run`](Self::run) returns it, so that `main` ends with code 1. The other warm-ups are not
    /// waited for; but `#[tokio::main]` does wait for what is still in `spawn_blocking`.
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

    /// Calls `hook` before a SnapStart snapshot is taken: the last one that was added is the first.
    ///
    /// An error ends the function, and is reported to Lambda as one of the initialisation, under a
    /// [fixed name](crate::init::Error::error_type). So does a panic, and so do hooks that are not
    /// done after 60 seconds.
    pub fn before_snapshot<F, Fut, E>(mut self, hook: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Error>,
    {
        self.lifecycle.change(|hooks: &mut Hooks| hooks.before_snapshot.push(job(hook)));
        self
    }

    /// Calls `hook` after a restore from a SnapStart snapshot, in the order in which they were
    /// added. The warm-ups follow.
    ///
    /// An error ends the function, and is reported to Lambda as one of the restore, under a
    /// [fixed name](crate::init::Error::error_type). So does a panic, and so do hooks that are not
    /// done after 4 seconds: Lambda gives 10, and the warm-ups need theirs.
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
    /// which does nothing else; if Lambda refuses it, a warning says that no hook will run. On the
    /// signal, running invocations are waited for, for 300 ms at most. Then the hooks run in the
    /// order in which they were added, until 450 ms after the signal; Lambda kills the process at
    /// 500 ms. In a function with extensions of other processes (in `/opt/extensions`) Lambda does so at
    /// 300 ms, and the two limits are 150 ms and 260 ms. A hook whose turn comes later is skipped with
    /// a warning. Then the process ends.
    ///
    /// An invocation that still runs then is cut off where it stands. Nothing in it is stopped first,
    /// as a time guard would: an idempotent claim is held until its lease ends, and debug lines that
    /// are buffered for the case of an error are lost.
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
