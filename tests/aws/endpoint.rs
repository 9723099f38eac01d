use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A service on loopback that counts the connections to it.
pub(super) struct Endpoint {
    url: String,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    connections: AtomicUsize,
    /// The head of each request, line by line.
    requests: Mutex<Vec<Vec<String>>>,
}

impl Endpoint {
    /// Answers every request with an empty object.
    pub(super) async fn answering() -> Self {
        Self::start(async |state, connection| {
            let _ = answer(&state, connection, "{}").await;
        })
        .await
    }

    /// Answers every request with `body`.
    pub(super) async fn answering_with(body: String) -> Self {
        let body = Arc::new(body);
        Self::start(move |state, connection| {
            let body = body.clone();
            async move {
                let _ = answer(&state, connection, &body).await;
            }
        })
        .await
    }

    /// Answers every request over TLS with an empty object, at `localhost`.
    pub(super) async fn over_tls(config: ServerConfig) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let mut endpoint = Self::start(move |state, connection| {
            let acceptor = acceptor.clone();
            async move {
                if let Ok(connection) = acceptor.accept(connection).await {
                    let _ = answer(&state, connection, "{}").await;
                }
            }
        })
        .await;
        endpoint.url = endpoint.url.replace("http://127.0.0.1", "https://localhost");
        endpoint
    }

    /// Accepts connections, and never answers.
    pub(super) async fn silent() -> Self {
        Self::start(async |_, connection| {
            let _open = connection;
            std::future::pending().await
        })
        .await
    }

    async fn start<F>(serve: impl Fn(Arc<State>, TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::<State>::default();
        let shared = state.clone();
        let serving = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(shared.clone(), connection));
            }
        });
        Self { url, state, serving }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    pub(super) fn requests(&self) -> Vec<Vec<String>> {
        self.state.requests.lock().unwrap().clone()
    }

    /// The value of a header in the only request.
    pub(super) fn header(&self, name: &str) -> String {
        let requests = self.requests();
        let [request] = &requests[..] else { panic!("not one request: {requests:#?}") };
        let mut headers = request.iter().filter_map(|line| line.split_once(": "));
        let header = headers.find(|(header, _)| header.eq_ignore_ascii_case(name));
        header.unwrap_or_else(|| panic!("no {name} in {request:#?}")).1.to_owned()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(
    state: &State,
    connection: impl AsyncRead + AsyncWrite + Unpin,
    content: &str,
) -> std::io::Result<()> {
    let mut connection = BufReader::new(connection);
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if connection.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            if line == "\r\n" {
                break;
            }
            head.push(line.trim_end().to_owned());
        }
        let length = head.iter().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        connection.read_exact(&mut body).await?;
        state.requests.lock().unwrap().push(head);
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{content}",
            content.len(),
        );
        connection.write_all(answer.as_bytes()).await?;
        connection.flush().await?;
    }
}
