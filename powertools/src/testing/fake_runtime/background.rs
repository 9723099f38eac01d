use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::LazyLock;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Handle};
use tokio::task::AbortHandle;

/// Serves a port of its own on loopback, until the service ends or is aborted.
pub(super) fn listen<F: Future<Output = ()> + Send + 'static>(
    serve: impl FnOnce(TcpListener) -> F,
) -> io::Result<(SocketAddr, AbortHandle)> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;

    let runtime = background();
    let _runtime = runtime.enter();
    let served = runtime.spawn(serve(TcpListener::from_std(listener)?));
    Ok((address, served.abort_handle()))
}

/// Answers the requests of a connection, until the caller hangs up or is killed.
pub(super) async fn respond_to<F: Future<Output = Response<Full<Bytes>>>>(
    stream: TcpStream,
    respond: impl Fn(Request<Incoming>) -> F,
) {
    // Small messages one way and then the other are the slow case of Nagle's algorithm.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let response = respond(request);
        async move { Ok::<_, Infallible>(response.await) }
    });
    // An error here is a caller that was killed or hung up.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Returns the thread that serves every fake runtime of this process.
///
/// It is not one of the test's: a test may pause its time, block its only thread or end at any
/// moment, and the service would still count the seconds and answer.
pub(super) fn background() -> &'static Handle {
    static RUNTIME: LazyLock<Handle> = LazyLock::new(|| {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime for the fake Lambda service can be made");
        let handle = runtime.handle().clone();
        std::thread::Builder::new()
            .name("fake-lambda".to_owned())
            .spawn(move || runtime.block_on(std::future::pending::<()>()))
            .expect("a thread for the fake Lambda service can be made");
        handle
    });
    &RUNTIME
}
