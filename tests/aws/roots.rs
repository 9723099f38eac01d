//! Which certificates of a server are trusted.

use std::fs;
use std::path::PathBuf;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use powertools::aws::{self, Error, Roots};
use powertools::testing::FakeRuntime;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use tokio::process::Command;

use super::endpoint::Endpoint;
use super::loader;

/// A certificate authority of its own, with a server that has one of its certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    async fn endpoint(&self) -> Endpoint {
        self.endpoint_with(&server()).await
    }

    async fn endpoint_with(&self, server: &CertificateParams) -> Endpoint {
        let key = KeyPair::generate().unwrap();
        let certificate = server.signed_by(&key, &self.issuer).unwrap().der().clone();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Endpoint::over_tls(config).await
    }
}

fn server() -> CertificateParams {
    CertificateParams::new(["localhost".to_owned()]).unwrap()
}

#[tokio::test]
async fn the_authority_in_ssl_cert_file_is_trusted() {
    let authority = Authority::new();
    let endpoint = authority.endpoint().await;
    let file = File::new("trusted", &authority.pem);
    call(&endpoint, &[("SSL_CERT_FILE", file.path())]).await;
    assert_eq!(endpoint.requests().len(), 1);
}

#[tokio::test]
async fn an_unknown_authority_is_not_trusted() {
    let authority = Authority::new();
    let endpoint = authority.endpoint().await;
    call(&endpoint, &[]).await;
    let file = File::new("unknown", &Authority::new().pem);
    call(&endpoint, &[("SSL_CERT_FILE", file.path())]).await;
    call(&endpoint, &[("AWS_CA_BUNDLE", file.path())]).await;
    assert!(endpoint.requests().is_empty());
    assert!(endpoint.connections() >= 3);
}

#[tokio::test]
async fn aws_ca_bundle_takes_precedence() {
    let (trusted, other) = (Authority::new(), Authority::new());
    let endpoint = trusted.endpoint().await;
    let file = File::new("bundle", &format!("{}{}", Authority::new().pem, trusted.pem));
    let other = File::new("other", &other.pem);
    call(&endpoint, &[("AWS_CA_BUNDLE", file.path()), ("SSL_CERT_FILE", other.path())]).await;
    assert_eq!(endpoint.requests().len(), 1);
    call(&endpoint, &[("AWS_CA_BUNDLE", other.path()), ("SSL_CERT_FILE", file.path())]).await;
    assert_eq!(endpoint.requests().len(), 1, "nothing else is trusted");
}

#[tokio::test]
async fn a_bundle_that_cannot_be_read_trusts_nothing_and_ends_nothing() {
    let authority = Authority::new();
    let endpoint = authority.endpoint().await;
    let trusted = File::new("beside", &authority.pem);
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let broken = File::new("broken", broken);
    for bundle in ["/nowhere", broken.path()] {
        let variables = [("AWS_CA_BUNDLE", bundle), ("SSL_CERT_FILE", trusted.path())];
        call(&endpoint, &variables).await;
    }
    assert!(endpoint.requests().is_empty());
    assert!(endpoint.connections() >= 2);
}

#[tokio::test]
async fn code_takes_precedence_over_variables() {
    let authority = Authority::new();
    let endpoint = authority.endpoint().await;
    let pem = Roots::Pem(authority.pem.clone().into_bytes());
    assert_eq!(try_call(&endpoint, pem).await, Ok(()));
    let error = try_call(&endpoint, Roots::Amazon).await.unwrap_err();
    assert!(error.contains("UnknownIssuer"), "{error}");
    let none = aws::http_client(Roots::Pem(b"no PEM".to_vec()));
    assert_eq!(none.unwrap_err(), Error::NoCertificates);
}

#[tokio::test]
async fn an_expired_certificate_and_one_for_another_host_are_not_trusted() {
    let authority = Authority::new();
    let pem = || Roots::Pem(authority.pem.clone().into_bytes());
    let mut expired = server();
    expired.not_after = date_time_ymd(2020, 1, 1);
    let error = try_call(&authority.endpoint_with(&expired).await, pem()).await.unwrap_err();
    assert!(error.contains("Expired"), "{error}");

    let other = CertificateParams::new(["example.test".to_owned()]).unwrap();
    let error = try_call(&authority.endpoint_with(&other).await, pem()).await.unwrap_err();
    assert!(error.contains("NotValidForName"), "{error}");
}

/// They age with the binary: this fails after an update of the list, if it has others.
#[test]
fn the_compiled_in_roots_are_amazons_in_the_list_of_mozilla() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../powertools/src/aws/amazon_roots.pem");
    let ours: Vec<_> = CertificateDer::pem_file_iter(path).unwrap().map(Result::unwrap).collect();
    let names = ["Amazon Root CA ", "Starfield Services Root Certificate Authority - G2"];
    let is_amazons = |root: &&CertificateDer<'_>| {
        names.iter().any(|name| root.windows(name.len()).any(|part| part == name.as_bytes()))
    };
    let mut theirs: Vec<_> =
        webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().filter(is_amazons).cloned().collect();
    let mut ours = ours;
    ours.sort_by(|a, b| a.as_ref().cmp(b));
    theirs.sort_by(|a, b| a.as_ref().cmp(b));
    assert_eq!(theirs.len(), 5);
    assert!(ours == theirs);
}

/// Runs a function whose warm-up calls DynamoDB at `endpoint` once.
async fn call(endpoint: &Endpoint, variables: &[(&str, &str)]) {
    let mut lambda = FakeRuntime::new()
        .env("AWS_REGION", "eu-north-1")
        .env("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_MAX_ATTEMPTS", "1")
        .env("AWS_ENDPOINT_URL", endpoint.url())
        .env("WARM_UPS", "tables");
    for (name, value) in variables {
        lambda = lambda.env(*name, *value);
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_lifecycle"));
    for name in ["AWS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"] {
        command.env_remove(name);
    }
    let function = lambda.spawn(command).unwrap();
    assert!(lambda.invoke(json!("answer")).await.response().is_some());
    function.kill().await;
}

async fn try_call(endpoint: &Endpoint, roots: Roots) -> Result<(), String> {
    let config = loader(endpoint.url())
        .http_client(aws::http_client(roots).unwrap())
        .retry_config(RetryConfig::disabled())
        .load()
        .await;
    let called = Client::new(&config).list_tables().send().await;
    called.map(drop).map_err(|error| DisplayErrorContext(error).to_string())
}

/// A file that is removed at the end.
struct File(PathBuf);

impl File {
    fn new(name: &str, content: &str) -> Self {
        let name = format!("powertools-roots-{}-{name}.pem", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, content).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
