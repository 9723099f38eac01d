use std::fmt;

use futures_util::future::BoxFuture;
use redis::aio::ConnectionLike;
use redis::{Cmd, Value};
use tokio::sync::OnceCell;
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, timeout_at};

use super::failure::Failure;
use super::fitness::{self, Fitness};

/// A connection to the server.
pub(super) trait Connection: fmt::Debug + Send + Sync {
    /// Checks that the server can be reached and can keep records.
    fn open(&self, end: Instant) -> BoxFuture<'_, Result<(), Failure>>;

    /// Sends a command and returns the reply. A reply that is an error is a [`Failure`].
    ///
    /// It ends at `end` also in a task that is busy: nothing else stops it.
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
        Box::pin(unconstrained(async move {
            let reply = async {
                self.fit().await?;
                Ok(command.query_async(&mut self.connection.clone()).await?)
            };
            timeout_at(end, reply).await?
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, poll_fn};
    use std::task::Poll;
    use std::time::Duration;

    use futures_util::future::{Either, select};
    use redis::{Pipeline, RedisFuture, cmd};
    use tokio::task::coop::poll_proceed;

    use super::*;

    /// A server that never replies.
    #[derive(Clone)]
    struct Silent;

    impl ConnectionLike for Silent {
        fn req_packed_command<'a>(&'a mut self, _: &'a Cmd) -> RedisFuture<'a, Value> {
            Box::pin(pending())
        }

        fn req_packed_commands<'a>(
            &'a mut self,
            _: &'a Pipeline,
            _: usize,
            _: usize,
        ) -> RedisFuture<'a, Vec<Value>> {
            Box::pin(pending())
        }

        fn get_db(&self) -> i64 {
            0
        }
    }

    #[tokio::test]
    async fn a_request_ends_in_a_task_that_is_busy() {
        let shared = Shared::new(Silent, "a server");
        let (now, command) = (Instant::now(), cmd("PING"));
        let end = now + Duration::from_millis(20);
        // Exhausts Tokio's budget of its task each time.
        let busy = poll_fn(|cx| {
            while let Poll::Ready(turn) = poll_proceed(cx) {
                turn.made_progress();
            }
            if now.elapsed() < Duration::from_secs(10) { Poll::Pending } else { Poll::Ready(()) }
        });
        match select(busy, shared.send(&command, end)).await {
            Either::Right((sent, _)) => assert!(matches!(sent, Err(Failure::Timeout(_)))),
            Either::Left(_) => panic!("it is still waiting"),
        }
    }
}
