//! What [`Powertools`] does around the events: before the first one, and after the last.

use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use lambda_runtime::{BoxFuture, Error, SnapStartResource};
use tokio::sync::oneshot;

use super::hooks::{AFTER_RESTORE, BEFORE_SNAPSHOT};
use super::report::{Phase, report};
use super::running::Running;
use super::shutdown::Shutdown;
use super::warm_up::{self, Job, WarmUp};
use crate::Powertools;
use crate::process::starting;

/// The hooks of a stack.
///
/// What is there for hooks alone is called through pointers that whoever adds one sets: in a function
/// without hooks nothing names that code, and the linker leaves it out.
#[derive(Clone, Default)]
pub(crate) struct Lifecycle {
    warm_ups: Vec<WarmUp>,
    before_snapshot: Vec<Job>,
    after_restore: Vec<Job>,
    /// [`Lifecycle::run`], once there is something to run.
    run: Option<Run>,
    shutdown: Shutdown,
    /// [`Shutdown::listen`], once there is a hook.
    listen: Option<fn(Shutdown, Running) -> BoxFuture<'static, ()>>,
    running: Running,
}

type Run = fn(&Lifecycle, Moment) -> BoxFuture<'_, Result<(), Error>>;

/// When hooks run.
#[derive(Clone, Copy)]
enum Moment {
    Start,
    Snapshot,
    Restore,
}

impl Lifecycle {
    /// Does what comes before the first event is asked for.
    pub(crate) async fn start(&self) -> Result<(), Error> {
        if let Some(listen) = self.listen {
            listen(self.shutdown.clone(), self.running.clone()).await;
        }
        self.reach(Moment::Start).await
    }

    /// Counts the invocations that a shutdown waits for.
    pub(crate) fn layer(&self) -> Running {
        self.running.clone()
    }

    /// What the runtime calls around a snapshot; and the error, if there is one, that then ends the
    /// function.
    pub(crate) fn into_resource(
        self,
    ) -> (impl SnapStartResource + 'static, impl Future<Output = Error>) {
        let (failed, failure) = oneshot::channel();
        let failure = async {
            match failure.await {
                Ok(error) => error,
                Err(_) => pending().await,
            }
        };
        (AroundSnapshot { lifecycle: self, failed: Mutex::new(Some(failed)) }, failure)
    }

    /// Runs the hooks of a moment, if there are any at all. Lambda has been told of an error.
    async fn reach(&self, moment: Moment) -> Result<(), Error> {
        match self.run {
            Some(run) => run(self, moment).await,
            None => Ok(()),
        }
    }

    fn run(&self, moment: Moment) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let Err(error) = self.run_hooks(moment).await else { return Ok(()) };
            let phase = match moment {
                Moment::Start | Moment::Snapshot => Phase::Init,
                Moment::Restore => Phase::Restore,
            };
            report(phase, &error).await;
            Err(error.into())
        })
    }

    async fn run_hooks(&self, moment: Moment) -> Result<(), super::Error> {
        match moment {
            Moment::Start => {}
            Moment::Snapshot => {
                return BEFORE_SNAPSHOT.run(self.before_snapshot.iter().rev()).await;
            }
            Moment::Restore => AFTER_RESTORE.run(self.after_restore.iter()).await?,
        }
        warm_up::run(&self.warm_ups).await
    }
}

struct AroundSnapshot {
    lifecycle: Lifecycle,
    failed: Mutex<Option<oneshot::Sender<Error>>>,
}

impl AroundSnapshot {
    async fn reach(&self, moment: Moment) -> Result<(), Error> {
        match self.lifecycle.reach(moment).await {
            Ok(()) => Ok(()),
            Err(error) => self.end(error).await,
        }
    }

    /// Ends the function. The runtime never hears of the error: it would report it once more, without
    /// its name and its causes.
    async fn end<T>(&self, error: Error) -> T {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(failed) = failed {
            let _ = failed.send(error);
        }
        pending().await
    }
}

impl SnapStartResource for AroundSnapshot {
    fn before_snapshot(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(starting(self.reach(Moment::Snapshot)))
    }

    fn after_restore(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(starting(self.reach(Moment::Restore)))
    }
}

impl fmt::Debug for Lifecycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lifecycle")
            .field("warm_ups", &self.warm_ups)
            .field("shutdown", &self.shutdown)
            .finish_non_exhaustive()
    }
}

impl<S> Powertools<S> {
    /// Calls `make` before the first event is asked for.
    ///
    /// All warm-ups run side by side, each in a task of its own, and one log line has the time of
    /// each. One that fails is logged, and what it should have made is made on first use. So is one
    /// that is not done after 5 seconds, which is what all of them may take together: Lambda gives
    /// 10 seconds to the initialisation on demand, and then repeats it inside the first invocation.
    ///
    /// Like every limit on time this one needs tasks that wait: one that blocks its thread can hold
    /// up the start for as long as it likes, and a warning says so afterwards. `spawn_blocking` is for
    /// what blocks.
    ///
    /// After a SnapStart restore the warm-ups run again.
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
        self.lifecycle.warm_ups.push(warm_up);
        self.lifecycle.run = Some(Lifecycle::run);
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
        self.lifecycle.before_snapshot.push(job(hook));
        self.lifecycle.run = Some(Lifecycle::run);
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
        self.lifecycle.after_restore.push(job(hook));
        self.lifecycle.run = Some(Lifecycle::run);
        self
    }

    /// Calls `hook` when Lambda ends the environment.
    ///
    /// Lambda sends SIGTERM only to functions with an extension, so the first hook registers one,
    /// which does nothing else; if Lambda refuses it, a warning says that no hook will run. On the
    /// signal, running invocations are waited for, for 300 ms at most. Then the hooks run in the
    /// order in which they were added, until 450 ms after the signal; Lambda kills the process at
    /// 500. A hook whose turn comes later is left out, with a warning. Then the process ends.
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
        self.lifecycle.shutdown.add(name.into(), hook);
        self.lifecycle.listen = Some(Shutdown::listen);
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
