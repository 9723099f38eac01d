//! A proxy in front of a TCP server, which loses what the test selects.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A proxy that serves on the runtime of the test that started it, until it is dropped.
#[derive(Debug)]
pub struct Wire {
    port: u16,
    state: Arc<State>,
    serving: JoinHandle<Infallible>,
}

/// What is lost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// The request and the connection.
    Request,
    /// The reply and the connection.
    Reply,
    /// The reply; the connection stays open, and silent.
    Silence,
    /// The reply and the connection. The request is kept for [`Wire::deliver_late`].
    Late,
}

#[derive(Debug)]
struct State {
    upstream: AtomicU16,
    connections: AtomicUsize,
    losses: Mutex<VecDeque<(String, Loss)>>,
    late: Mutex<Vec<(TcpStream, Vec<u8>)>>,
}

impl Wire {
    /// Creates a proxy to this port of this host.
    ///
    /// # Panics
    ///
    /// Panics if there is no free port.
    pub async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let state = Arc::new(State {
            upstream: AtomicU16::new(port),
            connections: AtomicUsize::new(0),
            losses: Mutex::default(),
            late: Mutex::default(),
        });
        let port = listener.local_addr().expect("it is bound").port();
        let serving = tokio::spawn(serve(listener, Arc::clone(&state)));
        Self { port, state, serving }
    }

    /// Returns its own port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Directs new connections to another port, as a name does after a failover.
    pub fn lead_to(&self, port: u16) {
        self.state.upstream.store(port, Ordering::SeqCst);
    }

    /// Loses something of the next request that contains `text`, after earlier losses.
    pub fn lose(&self, text: &str, loss: Loss) {
        lock(&self.state.losses).push_back((text.to_owned(), loss));
    }

    /// Returns how many losses are still to come.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        lock(&self.state.losses).len()
    }

    /// Passes on the requests that are late, and returns when they have been answered.
    ///
    /// # Panics
    ///
    /// Panics if there is none, or if the answer is an error of Redis: it then had no effect whatever it is.
    pub async fn deliver_late(&self) {
        let late = std::mem::take(&mut *lock(&self.state.late));
        assert!(!late.is_empty(), "no request is late");
        for (mut server, request) in late {
            server.write_all(&request).await.expect("the server is there");
            let mut reply = [0; 1 << 12];
            let length = server.read(&mut reply).await.expect("the server is there");
            let reply = String::from_utf8_lossy(&reply[..length]);
            assert!(!reply.is_empty() && !reply.starts_with('-'), "not carried out: {reply}");
        }
    }

    /// Returns how many connections there have been.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl State {
    fn loss(&self, request: &[u8]) -> Option<Loss> {
        let mut losses = lock(&self.losses);
        let has = |text: &str| request.windows(text.len()).any(|part| part == text.as_bytes());
        let position = losses.iter().position(|(text, _)| has(text))?;
        losses.remove(position).map(|(_, loss)| loss)
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) -> Infallible {
    // Ends the connections when it is dropped itself.
    let mut connections = JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        state.connections.fetch_add(1, Ordering::SeqCst);
        let state = Arc::clone(&state);
        connections.spawn(async move { pass(client, &state).await });
    }
}

async fn pass(mut client: TcpStream, state: &State) -> io::Result<()> {
    let upstream = state.upstream.load(Ordering::SeqCst);
    let mut server = TcpStream::connect(("127.0.0.1", upstream)).await?;
    let (mut sent, mut replied) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            read = client.read(&mut sent) => {
                let request = &sent[..read?];
                let loss = state.loss(request);
                if request.is_empty() || loss == Some(Loss::Request) {
                    return Ok(());
                }
                if loss == Some(Loss::Late) {
                    lock(&state.late).push((server, request.to_vec()));
                    return Ok(());
                }
                server.write_all(request).await?;
                match loss {
                    Some(Loss::Reply) => return server.read(&mut replied).await.map(drop),
                    Some(_) => return std::future::pending().await,
                    None => {}
                }
            }
            read = server.read(&mut replied) => {
                let reply = &replied[..read?];
                if reply.is_empty() {
                    return Ok(());
                }
                client.write_all(reply).await?;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
