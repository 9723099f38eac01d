use std::time::Duration;

use hyper::Uri;
use hyper::client::conn::http1;
use hyper::header::HeaderValue;
use hyper::rt::{Read, Write};
use hyper_util::client::legacy::connect::HttpConnector;
use lambda_runtime::Error as BoxError;
use tokio::time::timeout;
use tower::Service;

use super::TransportError;
use super::outside::Outside;
use super::pool::Connection;

/// The limit for a connection, including TLS. On the same host it is refused at once or accepted at
/// once.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Opens connections.
#[derive(Debug)]
pub(super) struct Connector {
    tcp: HttpConnector,
    outside: Option<Outside>,
}

impl Connector {
    pub(super) fn local() -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        Self { tcp, outside: None }
    }

    /// Opens connections to other hosts, too.
    pub(super) fn to(outside: Outside) -> Self {
        let Self { mut tcp, .. } = Self::local();
        // The scheme still decides about the port.
        tcp.enforce_http(false);
        Self { tcp, outside: Some(outside) }
    }

    pub(super) async fn connect(&self, to: &Uri) -> Result<Connection, TransportError> {
        let connect = async {
            match &self.outside {
                Some(outside) => outside.connect(self.tcp.clone(), to).await,
                None => start(self.tcp.clone().call(to.clone()).await?, to, None).await,
            }
        };
        match timeout(CONNECT_TIMEOUT, connect).await {
            Ok(connected) => connected.map_err(TransportError::Connect),
            Err(_) => Err(TransportError::Timeout(CONNECT_TIMEOUT)),
        }
    }
}

/// Starts HTTP on a stream. `through` is a proxy that is no tunnel.
pub(super) async fn start<S>(
    stream: S,
    to: &Uri,
    through: Option<Option<HeaderValue>>,
) -> Result<Connection, BoxError>
where
    S: Read + Write + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(stream).await?;
    // It moves the bytes, and ends with its sender or with the server.
    tokio::spawn(connection);
    Ok(Connection::new(sender, to, through))
}
