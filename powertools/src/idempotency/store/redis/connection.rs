use std::fmt;

use futures_util::future::BoxFuture;
use redis::aio::ConnectionLike;
use redis::{Cmd, Value};
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};

use super::failure::Failure;
use super::fitness::{self, Fitness};

/// A connection to the server.
pub(super) trait Connection: fmt::Debug + Send + Sync {
    /// Checks that the server can be reached and can keep records.
    fn open(&self, end: Instant) -> BoxFuture<'_, Result<(), Failure>>;

    /// Sends a command and returns the reply. A reply that is an error is a [`Failure`].
    fn send<'a>(&'a self, command: &'a Cmd, end: Instant) -> BoxFuture<'a, Result<Value, Failure>>;
}

/// The user's own connection, which reconnects by itself.
pub(super) struct Shared<C> {
    connection: C,
    fit: OnceCell<()>,
    fitness: Fitness,
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> Shared<C> {
    pub(super) fn new(connection: C, server: &str) -> Self {
        Self { connection, fit: OnceCell::new(), fitness: Fitness::of(server) }
    }

    async fn fit(&self) -> Result<(), Failure> {
        let check = || async {
            // It is unknown which of several servers answers, so the role of one proves nothing.
            self.fitness.check_policy(fitness::policy(&mut self.connection.clone()).await)
        };
        self.fit.get_or_try_init(check).await.copied()
    }
}

impl<C> fmt::Debug for Shared<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> Connection for Shared<C> {
    fn open(&self, end: Instant) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move { timeout_at(end, self.fit()).await? })
    }

    fn send<'a>(&'a self, command: &'a Cmd, end: Instant) -> BoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async move {
            let reply = async {
                self.fit().await?;
                Ok(command.query_async(&mut self.connection.clone()).await?)
            };
            timeout_at(end, reply).await?
        })
    }
}
