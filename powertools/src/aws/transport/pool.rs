use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
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
    /// A proxy that is no tunnel, with its authorisation.
    pub(super) through: Option<Option<HeaderValue>>,
    scheme: Option<Scheme>,
    authority: Option<Authority>,
}

impl Connection {
    pub(super) fn new(
        sender: SendRequest<Full<Bytes>>,
        to: &Uri,
        through: Option<Option<HeaderValue>>,
    ) -> Self {
        let (scheme, authority) = (to.scheme().cloned(), to.authority().cloned());
        Self { sender, through, scheme, authority }
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
            // One whose end has been noticed has an error here.
            if connection.sender.ready().await.is_ok() {
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
