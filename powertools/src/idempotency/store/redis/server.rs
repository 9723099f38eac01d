use std::fmt;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, FusedFuture, Shared, join};
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Cmd, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, Value,
};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::connection::Connection;
use super::failure::Failure;
use super::fitness::{self, Fitness};
use crate::aws::own_tls;
use crate::environment::Environment;
use crate::idempotency::Error;
use crate::process::restores;

/// One server, and the connection to it that all requests share.
pub(super) struct Server {
    host: String,
    port: u16,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    settings: RedisConnectionInfo,
    fitness: Fitness,
    live: Mutex<Option<Arc<Live>>>,
    /// Held while connecting, so that concurrent requests wait for one new connection.
    connecting: tokio::sync::Mutex<()>,
}

/// A connection.
struct Live {
    connection: MultiplexedConnection,
    /// Reads and writes its bytes. Every waiting request polls it, so that none has to wake another task, and
    /// none depends on the task of another.
    driver: Driver,
    /// Held while it is polled: `Shared` does not poll again for a request that comes meanwhile, whose command
    /// would wait for the next one.
    polling: Mutex<()>,
    /// The number of restores of the process when the connection was opened.
    restores: u64,
}

type Driver = Shared<BoxFuture<'static, ()>>;

impl Live {
    fn is_usable(&self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.restores == restores() && self.poll(&mut self.driver.clone(), &mut cx).is_pending()
    }

    fn poll(&self, driver: &mut Driver, cx: &mut Context<'_>) -> Poll<()> {
        let _turn = self.polling.lock().unwrap_or_else(PoisonError::into_inner);
        driver.poll_unpin(cx)
    }

    async fn send(&self, command: &Cmd) -> Result<Value, Failure> {
        let mut connection = self.connection.clone();
        Ok(self.drive(command.query_async(&mut connection)).await?)
    }

    /// Moves the bytes of the connection until `request` has its reply.
    async fn drive<T>(&self, request: impl Future<Output = T>) -> T {
        let (mut request, mut driver) = (pin!(request), self.driver.clone());
        poll_fn(|cx| {
            let reply = request.as_mut().poll(cx);
            // Its end fails the request.
            if reply.is_ready() || driver.is_terminated() {
                return reply;
            }
            _ = self.poll(&mut driver, cx);
            request.as_mut().poll(cx)
        })
        .await
    }
}

impl Server {
    /// Reads a URL. It opens no connection.
    pub(super) fn at(url: &str, environment: &Environment) -> Result<Self, Error> {
        let invalid = |problem: &str| {
            Error::Config(format!("the URL of the Redis server is invalid: {problem}"))
        };
        let (url, is_encrypted) = match url.split_once("://") {
            Some(("redis" | "valkey", _)) => (url.to_owned(), false),
            // The TLS of the crate `redis` is disabled; that of this toolkit is used.
            Some(("rediss" | "valkeys", rest)) => (format!("redis://{rest}"), true),
            _ => {
                return Err(invalid(
                    "it begins with none of redis://, rediss://, valkey://, valkeys://",
                ));
            }
        };
        if url.contains('#') {
            return Err(invalid("it has a fragment; TLS is never without verification"));
        }
        let info = url.into_connection_info().map_err(|error| invalid(&error.to_string()))?;
        let ConnectionAddr::Tcp(host, port) = info.addr() else {
            return Err(invalid("it has no host"));
        };
        let tls = match is_encrypted {
            false => None,
            true => {
                let config = own_tls::config(environment, false);
                let config =
                    config.map_err(|error| Error::Config(format!("{error}: {}", error.source)))?;
                let name = ServerName::try_from(host.clone());
                Some((config, name.map_err(|error| invalid(&error.to_string()))?))
            }
        };
        let settings = info.redis_settings().clone();
        let settings = settings.set_lib_name("powertools-rust", env!("CARGO_PKG_VERSION"));
        Ok(Self {
            host: host.clone(),
            port: *port,
            tls,
            fitness: Fitness::of(&format!("{host}:{port}")),
            settings,
            live: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
        })
    }

    /// Returns the address of the server and the database, for messages and as the scope.
    pub(super) fn name(&self) -> String {
        let Self { host, port, settings, .. } = self;
        format!("{host}:{port}/{}", settings.db())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Live>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> Option<Arc<Live>> {
        let live = self.lock().clone();
        live.filter(|live| live.is_usable())
    }

    /// Forgets a connection, unless it was replaced already.
    fn forget(&self, used: &Arc<Live>) {
        let mut live = self.lock();
        if live.as_ref().is_some_and(|live| Arc::ptr_eq(live, used)) {
            *live = None;
        }
    }

    /// Returns the connection, and whether it is new.
    async fn live(&self) -> Result<(Arc<Live>, bool), Failure> {
        if let Some(live) = self.kept() {
            return Ok((live, false));
        }
        let _turn = self.connecting.lock().await;
        if let Some(live) = self.kept() {
            return Ok((live, true));
        }
        // Apart, since its future is large, and requests on a kept connection do not need it.
        let live = Arc::new(Box::pin(self.connect()).await?);
        *self.lock() = Some(live.clone());
        Ok((live, true))
    }

    async fn connect(&self) -> Result<Live, Failure> {
        let tcp = TcpStream::connect((&*self.host, self.port)).await.map_err(unreachable)?;
        tcp.set_nodelay(true).map_err(unreachable)?;
        match &self.tls {
            None => self.start(tcp).await,
            Some((config, name)) => {
                let tls = TlsConnector::from(config.clone());
                self.start(tls.connect(name.clone(), tcp).await.map_err(unreachable)?).await
            }
        }
    }

    async fn start<S>(&self, stream: S) -> Result<Live, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // Each request has a limit of its own.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let (connection, driver) =
            MultiplexedConnection::new_with_config(&self.settings, stream, config).await?;
        // After a panic, requests connect anew.
        let driver = AssertUnwindSafe(driver).catch_unwind().map(drop).boxed().shared();
        let live = Live { connection, driver, polling: Mutex::default(), restores: restores() };

        let (mut first, mut second) = (live.connection.clone(), live.connection.clone());
        let checks = join(fitness::role(&mut first), fitness::policy(&mut second));
        let (role, policy) = live.drive(checks).await;
        self.fitness.check_role(role)?;
        self.fitness.check_policy(policy)?;
        Ok(live)
    }

    async fn send_until(&self, command: &Cmd, end: Instant) -> Result<Value, Failure> {
        let (live, is_new) = timeout_at(end, self.live()).await??;
        let failure = match timeout_at(end, live.send(command)).await {
            Ok(Ok(reply)) => return Ok(reply),
            Ok(Err(failure)) => failure,
            Err(elapsed) => elapsed.into(),
        };
        if !failure.ends_connection() {
            return Err(failure);
        }
        self.forget(&live);
        Err(match failure {
            Failure::Redis(error) if !is_new => Failure::OldConnection(error),
            failure => failure,
        })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("name", &self.name()).finish_non_exhaustive()
    }
}

impl Connection for Server {
    fn open(&self, end: Instant) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            timeout_at(end, self.live()).await??;
            Ok(())
        })
    }

    fn send<'a>(&'a self, command: &'a Cmd, end: Instant) -> BoxFuture<'a, Result<Value, Failure>> {
        Box::pin(unconstrained(self.send_until(command, end)))
    }
}

fn unreachable(error: std::io::Error) -> Failure {
    Failure::Unreachable(error.into())
}
