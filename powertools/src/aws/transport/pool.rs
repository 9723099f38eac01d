use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Uri;
use hyper::client::conn::http1::SendRequest;
use hyper::header::HeaderValue;
use hyper::http::uri::{Authority, Scheme};
use tokio::time::Instant;

use crate::process::restores;

/// An idle connection is closed after this time.
const IDLE: Duration = Duration::from_secs(90);

/// Connections that wait for their next request.
#[derive(Debug, Default)]
pub(super) struct Pool {
    idle: Mutex<Idle>,
}

#[derive(Debug, Default)]
struct Idle {
    /// The one that was used last is at the end.
    connections: VecDeque<(Connection, Instant)>,
    /// A restore closes all connections from before it.
    restores: u64,
}

pub(super) struct Connection {
    pub(super) sender: SendRequest<Full<Bytes>>,
    /// Moves the bytes. In a task of its own, each request would cost two switches between tasks.
    moving: Option<Moving>,
    /// A proxy that is no tunnel, with its authorisation.
    pub(super) through: Option<Option<HeaderValue>>,
    scheme: Option<Scheme>,
    authority: Option<Authority>,
}

type Moving = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

impl Connection {
    pub(super) fn new(
        sender: SendRequest<Full<Bytes>>,
        moving: Moving,
        to: &Uri,
        through: Option<Option<HeaderValue>>,
    ) -> Self {
        let (scheme, authority) = (to.scheme().cloned(), to.authority().cloned());
        Self { sender, moving: Some(moving), through, scheme, authority }
    }

    /// Runs work that waits for bytes of this connection.
    pub(super) async fn run<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|cx| {
            // Before the bytes move, to say what it waits for, and after it.
            if let Poll::Ready(output) = work.as_mut().poll(cx) {
                return Poll::Ready(output);
            }
            self.move_bytes(cx);
            work.as_mut().poll(cx)
        })
        .await
    }

    /// An error is one of the work, too. What has ended is dropped, which closes the sender.
    fn move_bytes(&mut self, cx: &mut Context<'_>) {
        if self.moving.as_mut().is_some_and(|moving| moving.as_mut().poll(cx).is_ready()) {
            self.moving = None;
        }
    }

    /// Returns true if the connection can take a request now. One that cannot may still be sending the last one,
    /// which the server answered without having read it.
    async fn is_ready(&mut self) -> bool {
        poll_fn(|cx| {
            // Notices that the server has closed it.
            self.move_bytes(cx);
            Poll::Ready(matches!(self.sender.poll_ready(cx), Poll::Ready(Ok(()))))
        })
        .await
    }

    fn leads(&self, to: &Uri) -> bool {
        self.scheme.as_ref() == to.scheme() && self.authority.as_ref() == to.authority()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("to", &self.authority).finish_non_exhaustive()
    }
}

impl Pool {
    /// Returns a connection to the server of `to` that seems to be alive.
    pub(super) async fn take(&self, to: &Uri) -> Option<Connection> {
        loop {
            let mut connection = self.last(to)?;
            if connection.is_ready().await {
                return Some(connection);
            }
        }
    }

    fn last(&self, to: &Uri) -> Option<Connection> {
        let mut idle = self.idle();
        while idle.connections.front().is_some_and(|(_, since)| since.elapsed() > IDLE) {
            idle.connections.pop_front();
        }
        let at = idle.connections.iter().rposition(|(connection, _)| connection.leads(to))?;
        Some(idle.connections.remove(at)?.0)
    }

    /// Takes a connection back whose response was read to its end.
    pub(super) fn give(&self, connection: Connection) {
        if !connection.sender.is_closed() {
            self.idle().connections.push_back((connection, Instant::now()));
        }
    }

    pub(super) fn clear(&self) {
        self.idle().connections.clear();
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.restores != restores() {
            *idle = Idle { connections: VecDeque::new(), restores: restores() };
        }
        idle
    }
}
