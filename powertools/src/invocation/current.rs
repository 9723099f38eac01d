//! Where the invocation of a task is kept.

use futures_util::future::Either;
use lambda_runtime::Context;
use tokio::task::futures::TaskLocalFuture;

use super::{Invocation, Scope};

tokio::task_local! {
    pub(super) static CURRENT: Invocation;
}

impl Invocation {
    /// Returns the invocation that the current task works for.
    ///
    /// `None` outside [`Powertools`](crate::Powertools),
    /// [`InvocationLayer`](super::InvocationLayer) and [`scope`](Self::scope), and in a task or
    /// thread that was spawned without [`carry`](Self::carry) or [`sync_scope`](Self::sync_scope).
    #[must_use]
    pub fn current() -> Option<Self> {
        Self::with_current(Self::clone)
    }

    /// Calls `f` with the current invocation, if there is one, without the cost of a clone.
    ///
    /// `f` must not set another one, nor call code of the user, which can do that: a subscriber, a writer, a
    /// record. The task-local is borrowed.
    pub(crate) fn with_current<T>(f: impl FnOnce(&Self) -> T) -> Option<T> {
        CURRENT.try_with(f).ok()
    }

    /// Returns the scope of work that the current task begins, with the limit of this one. It is inside the current
    /// scope, if that is of the same event: this one may be from before other work began around it.
    pub(crate) fn in_current(&self) -> Self {
        match Self::current().filter(|current| current.is_same_event(self)) {
            None => self.clone(),
            Some(current) if current.limit() <= self.limit() => current,
            Some(current) => current.in_scope(Scope { limit: self.limit(), ..current.inner() }),
        }
    }

    /// Runs the future of a service that was called with `invocation`. Other work can have begun around it since the
    /// call, such as idempotent work, which has to learn what is stopped inside of it.
    pub(crate) async fn enter_called<F: Future>(invocation: Option<Self>, future: F) -> F::Output {
        Self::enter(invocation.map(|called| called.in_current()), future).await
    }

    /// Runs `future` with this invocation as the current one.
    pub fn scope<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, future)
    }

    /// Like [`scope`](Self::scope), with a type that has a name.
    pub(crate) fn named_scope<F: Future>(self, future: F) -> TaskLocalFuture<Self, F> {
        CURRENT.scope(self, future)
    }

    /// Calls `f` with this invocation as the current one: for `spawn_blocking` and threads.
    pub fn sync_scope<T>(self, f: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, f)
    }

    /// Binds `future` to the current invocation, for `tokio::spawn` and `JoinSet::spawn`.
    ///
    /// Without a current invocation the future runs unchanged.
    pub fn carry<F: Future>(future: F) -> impl Future<Output = F::Output> {
        Self::enter(Self::current(), future)
    }

    /// Returns the current invocation or, without one, the one that `context` describes.
    ///
    /// With [`enter`](Self::enter) this is how an attribute works on a handler under plain
    /// `lambda_runtime::run`, where nothing sets the invocation but the handler's own argument
    /// has the context.
    #[must_use]
    pub fn current_or(context: Option<&Context>) -> Option<Self> {
        Self::current().or_else(|| context.map(Self::new))
    }

    /// Runs `future` with `invocation` as the current one, or unchanged if there is none.
    pub fn enter<F: Future>(
        invocation: Option<Self>,
        future: F,
    ) -> impl Future<Output = F::Output> {
        match invocation {
            Some(invocation) => Either::Left(CURRENT.scope(invocation, future)),
            None => Either::Right(future),
        }
    }
}
