//! A DynamoDB on loopback that agrees to everything, behind TLS.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Where systems keep the certificates that they trust.
const TRUSTED: [&str; 2] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// The roots that `powertools` has compiled in.
const COMPILED_IN: &str = include_str!("../../src/aws/amazon_roots.pem");

/// Where the endpoint is, and what a client has to trust.
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    /// The certificates of the system, and that of the endpoint.
    pub(crate) system: PathBuf,
    /// As many certificates as are compiled in, and that of the endpoint.
    pub(crate) few: PathBuf,
}

impl Endpoint {
    /// Serves until the runtime ends. `folder` takes the bundles of certificates.
    ///
    /// # Errors
    ///
    /// Returns why a bundle cannot be written or no port be had.
    pub(crate) async fn start(folder: &Path) -> io::Result<Self> {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).map_err(io::Error::other)?;
        // As long as the bundle of a real environment, since every start reads all of it.
        let trusted = TRUSTED.iter().find_map(|path| std::fs::read_to_string(path).ok());
        let (system, few) = (folder.join("system.pem"), folder.join("few.pem"));
        std::fs::write(&system, trusted.unwrap_or_default() + &cert.pem())?;
        std::fs::write(&few, COMPILED_IN.to_owned() + &cert.pem())?;

        let provider = Arc::new(ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(
                vec![cert.der().clone()],
                PrivateKeyDer::try_from(signing_key.serialize_der()).map_err(io::Error::other)?,
            )
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));

        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(answer(acceptor.clone(), connection));
            }
        });
        Ok(Self { address, system, few })
    }
}

/// Answers every request with an empty object, until the connection ends.
async fn answer(acceptor: TlsAcceptor, connection: TcpStream) -> io::Result<()> {
    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\n\
        x-amzn-requestid: 0123456789\r\ncontent-length: 2\r\n\r\n{}";

    connection.set_nodelay(true)?;
    let mut connection = BufReader::new(acceptor.accept(connection).await?);
    loop {
        let mut length = 0;
        let mut line = String::new();
        while connection.read_line(&mut line).await? > 2 {
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
            line.clear();
        }
        if line.is_empty() {
            return Ok(());
        }
        let mut body = vec![0; length];
        connection.read_exact(&mut body).await?;
        connection.write_all(ANSWER).await?;
        connection.flush().await?;
    }
}
