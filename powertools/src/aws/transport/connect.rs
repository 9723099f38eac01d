use std::future::ready;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use hyper::Uri;
use hyper::client::conn::http1;
use hyper::header::HeaderValue;
use hyper::rt::{Read, Write};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
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
    tcp: Tcp,
    outside: Option<Outside>,
}

pub(super) type Tcp = HttpConnector<Resolver>;

/// Resolves names. That of this host has addresses that never change (RFC 6761), and asking the system takes a
/// thread.
#[derive(Clone, Debug)]
pub(super) struct Resolver(GaiResolver);

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = std::io::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        if name.as_str().eq_ignore_ascii_case("localhost") {
            let addresses: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
            let addresses = addresses.map(|address| SocketAddr::new(address, 0)).to_vec();
            return Box::pin(ready(Ok(addresses.into_iter())));
        }
        let resolved = self.0.call(name);
        Box::pin(async move { Ok(resolved.await?.collect::<Vec<_>>().into_iter()) })
    }
}

impl Connector {
    pub(super) fn local() -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
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
    Ok(Connection::new(sender, Box::pin(connection), to, through))
}
