use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper::StatusCode;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::aws::transport::{Client, Reply, TransportError};

const LIMIT: Duration = Duration::from_secs(5);
const HELLO: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

/// A certificate that signs itself.
struct Certificate {
    pem: String,
    der: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Certificate {
    fn of(host: &str) -> Self {
        Self::with(host, |_| {})
    }

    fn expired() -> Self {
        Self::with("localhost", |parameters| {
            parameters.not_before = date_time_ymd(2020, 1, 1);
            parameters.not_after = date_time_ymd(2021, 1, 1);
        })
    }

    fn with(host: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new([host.to_owned()]).unwrap();
        change(&mut parameters);
        let certificate = parameters.self_signed(&key).unwrap();
        let der = certificate.der().clone();
        Self { pem: certificate.pem(), der, key: key.serialize_der() }
    }

    fn trusted(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        trusting(roots).unwrap()
    }
}

/// A server on loopback, behind TLS.
struct Server {
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl Server {
    async fn start(certificate: &Certificate) -> Self {
        let key = PrivateKeyDer::try_from(certificate.key.clone()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(chosen::provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der.clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::<AtomicUsize>::default();
        let counted = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                let acceptor = acceptor.clone();
                tokio::spawn(async move { answer(acceptor.accept(stream).await?).await });
            }
        });
        Self { port, connections }
    }

    async fn get(&self, client: &Client) -> Result<Reply, TransportError> {
        client.get(&format!("https://localhost:{}/", self.port), &[], LIMIT).await
    }
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while !head(&mut stream).await?.is_empty() {
        stream.write_all(HELLO).await?;
        stream.flush().await?;
    }
    Ok(())
}

/// Reads the head of a request; nothing at the end.
async fn head(stream: &mut (impl AsyncBufReadExt + Unpin)) -> io::Result<String> {
    let mut head = String::new();
    while stream.read_line(&mut head).await? > 2 {}
    Ok(head)
}

/// A proxy, which records the heads that it receives.
struct Proxy {
    url: String,
    heads: Arc<std::sync::Mutex<Vec<String>>>,
}

impl Proxy {
    /// Connects every tunnel with this port, and answers other requests itself.
    async fn start(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://user:word@{}", listener.local_addr().unwrap());
        let heads = Arc::<std::sync::Mutex<Vec<String>>>::default();
        let recorded = heads.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let recorded = recorded.clone();
                tokio::spawn(async move {
                    let head = head(&mut BufReader::new(&mut stream)).await?;
                    recorded.lock().unwrap().push(head.clone());
                    if !head.starts_with("CONNECT") {
                        return stream.write_all(HELLO).await;
                    }
                    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
                    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
                    tokio::io::copy_bidirectional(&mut stream, &mut server).await.map(drop)
                });
            }
        });
        Self { url, heads }
    }

    fn only_head(&self) -> String {
        let heads = self.heads.lock().unwrap();
        let [head] = &heads[..] else { panic!("not one request: {heads:?}") };
        head.to_lowercase()
    }
}

/// An error with its causes.
fn with_causes(error: &TransportError) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |e| e.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[tokio::test]
async fn a_trusted_server_is_reached_and_its_connection_kept() {
    let certificate = Certificate::of("localhost");
    let server = Server::start(&certificate).await;
    let client = Client::trusting(certificate.trusted(), &[]);
    for _ in 0..2 {
        let reply = server.get(&client).await.unwrap();
        assert_eq!((reply.status, &reply.body[..]), (StatusCode::OK, &b"hello"[..]));
    }
    assert_eq!(server.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_server_that_is_not_trusted_receives_nothing() {
    let cases = [
        (Certificate::of("localhost"), Certificate::of("localhost"), "invalid peer certificate"),
        (Certificate::expired(), Certificate::of("localhost"), "expired"),
        (Certificate::of("other.example"), Certificate::of("localhost"), "localhost"),
    ];
    for (served, another, reason) in cases {
        let server = Server::start(&served).await;
        // The last two are trusted but for their time or name.
        let trusted =
            if reason == "invalid peer certificate" { another.trusted() } else { served.trusted() };
        let error = server.get(&Client::trusting(trusted, &[])).await.unwrap_err();
        assert!(matches!(error, TransportError::Connect(_)), "{error:?}");
        let message = with_causes(&error);
        assert!(message.contains(reason), "{message}");
    }
}

#[tokio::test]
async fn https_goes_through_the_tunnel_of_a_proxy() {
    let certificate = Certificate::of("localhost");
    let server = Server::start(&certificate).await;
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let proxy = Proxy::start(server.port).await;
        let client = Client::trusting(certificate.trusted(), &[(name, &proxy.url)]);
        assert_eq!(&server.get(&client).await.unwrap().body[..], b"hello");
        let head = proxy.only_head();
        assert!(head.starts_with(&format!("connect localhost:{}", server.port)), "{head}");
        assert!(head.contains("proxy-authorization: basic dxnlcjp3b3jk"), "{head}");
    }
}

#[tokio::test]
async fn hosts_in_no_proxy_are_called_directly() {
    let certificate = Certificate::of("localhost");
    let server = Server::start(&certificate).await;
    let proxy = Proxy::start(server.port).await;
    let variables = [("HTTPS_PROXY", &*proxy.url), ("NO_PROXY", "example.com,localhost")];
    let client = Client::trusting(certificate.trusted(), &variables);
    assert_eq!(&server.get(&client).await.unwrap().body[..], b"hello");
    assert!(proxy.heads.lock().unwrap().is_empty());
}

#[tokio::test]
async fn http_is_sent_to_its_proxy() {
    let proxy = Proxy::start(0).await;
    let certificate = Certificate::of("localhost");
    let client = Client::trusting(certificate.trusted(), &[("HTTP_PROXY", &*proxy.url)]);
    let reply = client.get("http://dynamodb.test/", &[], LIMIT).await.unwrap();
    assert_eq!(&reply.body[..], b"hello");
    let head = proxy.only_head();
    assert!(head.starts_with("get http://dynamodb.test/ http/1.1"), "{head}");
    assert!(head.contains("proxy-authorization: basic"), "{head}");
    assert!(!head.contains("user:word"), "{head}");
}

#[tokio::test]
async fn http_to_the_same_host_is_sent_to_no_proxy() {
    let certificate = Certificate::of("localhost");
    let (server, proxy) = (Proxy::start(0).await, Proxy::start(0).await);
    let variables = [("HTTP_PROXY", &*proxy.url), ("ALL_PROXY", &*proxy.url)];
    let client = Client::trusting(certificate.trusted(), &variables);
    let port = server.url.rsplit(':').next().unwrap();
    let reply = client.get(&format!("http://127.0.0.1:{port}/"), &[], LIMIT).await.unwrap();
    assert_eq!(&reply.body[..], b"hello");
    let head = server.only_head();
    assert!(head.starts_with("get / http/1.1"), "{head}");
    assert!(!head.contains("proxy-authorization"), "{head}");
    assert!(proxy.heads.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_proxy_that_refuses_is_an_error() {
    let certificate = Certificate::of("localhost");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut BufReader::new(&mut stream)).await.unwrap();
        let refused = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n";
        stream.write_all(refused).await.unwrap();
    });
    let client = Client::trusting(certificate.trusted(), &[("HTTPS_PROXY", &url)]);
    let error = client.get("https://localhost:1/", &[], LIMIT).await.unwrap_err();
    assert!(matches!(error, TransportError::Connect(_)), "{error:?}");

    let client = Client::trusting(certificate.trusted(), &[("HTTPS_PROXY", "https://localhost")]);
    let error = client.get("https://localhost:1/", &[], LIMIT).await.unwrap_err();
    assert!(with_causes(&error).contains("only proxies with an `http` URL"), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_stalls_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    let client = Client::trusting(Certificate::of("localhost").trusted(), &[]);
    let error = client.get(&url, &[], LIMIT).await.unwrap_err();
    assert!(matches!(error, TransportError::Timeout(limit) if limit < LIMIT), "{error:?}");
}

#[tokio::test]
async fn plain_servers_need_no_tls() {
    let url = "https://localhost:1/";
    let error = Client::new(100).get(url, &[], LIMIT).await.unwrap_err();
    assert!(matches!(error, TransportError::Connect(_)), "{error:?}");
}

#[tokio::test]
async fn a_bundle_replaces_the_certificates_that_are_compiled_in() {
    let certificate = Certificate::of("localhost");
    let server = Server::start(&certificate).await;
    let bundle = std::env::temp_dir().join(format!("bundle-{}.pem", std::process::id()));
    std::fs::write(&bundle, &certificate.pem).unwrap();
    let environment = Environment::of([(BUNDLE, bundle.to_str().unwrap())]);
    let client = Client::outside(&environment, 100).unwrap();
    assert_eq!(&server.get(&client).await.unwrap().body[..], b"hello");
    std::fs::remove_file(&bundle).unwrap();

    let default = Client::outside(&Environment::of::<&str, &str>([]), 100).unwrap();
    assert!(matches!(server.get(&default).await, Err(TransportError::Connect(_))));
}

#[test]
fn a_proxy_that_cannot_be_read_is_an_error_at_the_start() {
    for value in ["http://user:hunter2@a proxy:3128", "socks://user:hunter2@proxy"] {
        for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY"] {
            let environment = Environment::of([(name, value), ("NO_PROXY", "*")]);
            let error = Client::outside(&environment, 100).unwrap_err();
            assert_eq!(error.to_string(), format!("cannot read {name}"));
            assert!(!format!("{error:?}").contains("hunter2"));
        }
    }
}

#[test]
fn a_bundle_that_cannot_be_read_is_an_error_at_the_start() {
    let environment = Environment::of([(BUNDLE, "/nowhere/bundle.pem")]);
    let error = Client::outside(&environment, 100).unwrap_err();
    assert_eq!(error.to_string(), "cannot read AWS_CA_BUNDLE");
    let error = Client::outside(&Environment::of([(BUNDLE, "/dev/null")]), 100).unwrap_err();
    assert_eq!(error.to_string(), "there are no trusted certificates");
}
