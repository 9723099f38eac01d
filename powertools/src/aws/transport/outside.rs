//! The way to other hosts: TLS, and the proxies of the environment.

use std::sync::Arc;

use hyper::Uri;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use lambda_runtime::Error as BoxError;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;
use tower::Service;

use super::connect::{Connector, Tcp, start};
use super::pool::Connection;
use super::{Client, is_local};
use crate::aws::own_tls::{self, SetupError};
use crate::aws::proxies;
use crate::environment::Environment;

#[derive(Debug)]
pub(super) struct Outside {
    proxies: Proxies,
    tls: Arc<ClientConfig>,
}

#[derive(Debug)]
struct Proxies(Matcher);

impl Client {
    /// Creates a client of servers anywhere, which accepts bodies of at most `max_bytes`. It opens no
    /// connection.
    ///
    /// # Errors
    ///
    /// Returns an error if trusted certificates cannot be read, or a variable that names a proxy.
    pub(crate) fn outside(environment: &Environment, max_bytes: usize) -> Result<Self, SetupError> {
        if let Some(name) = proxies::unreadable(environment).next() {
            let what = format!("cannot read {name}");
            return Err(SetupError { what, source: "it is not the URL of a proxy".into() });
        }
        let proxies = Proxies::of(environment);
        let tls = own_tls::config(environment, proxies.for_https())?;
        Ok(Self::with(Connector::to(Outside { proxies, tls }), max_bytes))
    }

    /// Creates a client with these trusted certificates.
    #[cfg(test)]
    pub(in crate::aws) fn trusting(tls: Arc<ClientConfig>, proxies: &[(&str, &str)]) -> Self {
        let proxies = Proxies::of(&Environment::of(proxies.iter().copied()));
        Self::with(Connector::to(Outside { proxies, tls }), 100)
    }
}

impl Proxies {
    /// The variables of the SDK's client, in upper or lower case.
    fn of(environment: &Environment) -> Self {
        let get = |name: &str| {
            environment.get(name).or_else(|| environment.get(&name.to_ascii_lowercase()))
        };
        let all = get("ALL_PROXY").unwrap_or_default();
        let matcher = Matcher::builder()
            .http(get("HTTP_PROXY").unwrap_or_else(|| all.clone()))
            .https(get("HTTPS_PROXY").unwrap_or(all))
            .no(get("NO_PROXY").unwrap_or_default());
        Self(matcher.build())
    }

    /// Returns true if there is a proxy for HTTPS, which may have certificates of its own.
    fn for_https(&self) -> bool {
        self.0.intercept(&Uri::from_static("https://dynamodb.us-east-1.amazonaws.com")).is_some()
    }
}

impl Outside {
    pub(super) async fn connect(&self, mut tcp: Tcp, to: &Uri) -> Result<Connection, BoxError> {
        // A proxy would look for the server on its own host, and read what is sent.
        let proxy = if is_local(to) { None } else { self.proxies.0.intercept(to) };
        if proxy.as_ref().is_some_and(|proxy| proxy.uri().scheme_str() != Some("http")) {
            return Err("only proxies with an `http` URL are supported".into());
        }
        let is_encrypted = to.scheme_str() == Some("https");
        let stream = match &proxy {
            None => tcp.call(to.clone()).await?,
            Some(proxy) if is_encrypted => {
                let mut tunnel = Tunnel::new(proxy.uri().clone(), tcp);
                if let Some(authorization) = proxy.basic_auth() {
                    tunnel = tunnel.with_auth(authorization.clone());
                }
                tunnel.call(to.clone()).await?
            }
            Some(proxy) => {
                let stream = tcp.call(proxy.uri().clone()).await?;
                return start(stream, to, Some(proxy.basic_auth().cloned())).await;
            }
        };
        if !is_encrypted {
            return start(stream, to, None).await;
        }
        let host = to.host().unwrap_or_default().trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned())?;
        let tls = TlsConnector::from(self.tls.clone());
        let stream = tls.connect(name, stream.into_inner()).await?;
        start(TokioIo::new(stream), to, None).await
    }
}
