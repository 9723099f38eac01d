//! What the tests of this package share.

use std::path::{Path, PathBuf};
use std::process::Command;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Region};
use serde_json::Value;

mod alone;
pub mod emulators;
pub mod faulty;
pub mod items;
pub mod otlp;
pub mod proxy;
pub mod subscriber;
pub mod vectors;
pub mod via;
pub mod wire;

pub use alone::{alone, alone_with};

/// Returns a client for a DynamoDB that answers on plain HTTP.
#[must_use]
pub fn client(endpoint: &str) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "tests"))
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

/// Returns the folder of the source of a package that this one depends on.
///
/// # Panics
///
/// Without cargo, or if there is no such dependency.
#[must_use]
pub fn source_of(package: &str) -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        // What other platforms need may not have been downloaded.
        .args(["--filter-platform", "host-tuple"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().expect("cargo lists packages");
    let found = packages.iter().find(|other| other["name"] == package).expect("a dependency");
    let manifest = found["manifest_path"].as_str().expect("a package has a manifest");
    Path::new(manifest).parent().expect("a manifest is in a folder").to_owned()
}

/// Returns how much a long test does: `full` if `POWERTOOLS_TEST_SCALE` is set and not 0, otherwise
/// `small`.
#[must_use]
pub fn scale(small: usize, full: usize) -> usize {
    match std::env::var("POWERTOOLS_TEST_SCALE").as_deref() {
        Err(_) | Ok("" | "0") => small,
        Ok(_) => full,
    }
}

/// Returns `POWERTOOLS_TEST_SCALE` times `small`, for tests whose full length takes too long.
#[must_use]
pub fn times(small: usize) -> usize {
    let scale = std::env::var("POWERTOOLS_TEST_SCALE").ok().and_then(|scale| scale.parse().ok());
    small * scale.unwrap_or(1).max(1)
}
