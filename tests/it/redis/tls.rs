//! A server behind TLS.

use std::fs;

use powertools::idempotency::{RedisStore, StoreErrorKind};
use powertools_tests::alone_with;
use powertools_tests::emulators::RedisKind;
use rcgen::{CertificateParams, KeyPair};

#[test]
fn a_server_with_a_trusted_certificate_is_reached() {
    alone_with(&[], reach_a_server_with_a_trusted_certificate());
}

async fn reach_a_server_with_a_trusted_certificate() {
    let Some(kind) = RedisKind::first() else { return };
    let folder = std::env::temp_dir().join(format!("redis-tls-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let certificate = |key| {
        let parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
        parameters.self_signed(key).unwrap().pem()
    };
    let file = |name: &str, text: &str| {
        let path = folder.join(name).to_str().unwrap().to_owned();
        fs::write(&path, text).unwrap();
        path
    };
    let trusted = file("certificate.pem", &certificate(&key));
    let key = file("key.pem", &key.serialize_pem());
    let another = file("another.pem", &certificate(&other));
    let server = kind.start(&[
        "--tls-cert-file",
        &trusted,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &trusted,
        "--tls-auth-clients",
        "no",
    ]);

    let store = |bundle: &str, scheme: &str| {
        let url = format!("{scheme}://localhost:{}", server.port());
        temp_env::with_var("AWS_CA_BUNDLE", Some(bundle), || RedisStore::new(&url)).unwrap()
    };
    for scheme in ["rediss", "valkeys"] {
        store(&trusted, scheme).warm_up().await.unwrap();
        let error = store(&another, scheme).warm_up().await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Other);
        assert!(error.to_string().ends_with("cannot be reached"), "{error}");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("certificate"), "{cause}");
    }
    fs::remove_dir_all(&folder).unwrap();
}
