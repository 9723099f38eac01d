//! Systems Manager and Secrets Manager, on moto.

use std::collections::BTreeMap;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_ssm::config::retry::RetryConfig;
use futures_util::future::join_all;
use powertools::parameters::{Parameter, Parameters, Secret, SecretsManager, Ssm, Value};
use powertools_tests::emulators::Emulator;
use powertools_tests::proxy::{Fault, Proxy};

use super::name;

/// The configuration of clients for an endpoint on loopback.
pub(super) fn config(endpoint: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(aws_sdk_ssm::config::SharedCredentialsProvider::new(
            Credentials::new("key", "secret", None, None, "tests"),
        ))
        .retry_config(RetryConfig::disabled())
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build()
}

fn of(endpoint: &str) -> Parameters {
    let config = config(endpoint);
    Parameters::new()
        .parameters_from(Ssm::new(aws_sdk_ssm::Client::new(&config)))
        .secrets_from(SecretsManager::new(aws_sdk_secretsmanager::Client::new(&config)))
}

/// A name that no other test has.
fn unique(name: &str) -> &'static str {
    format!("/{}/{name}", std::process::id()).leak()
}

#[tokio::test]
async fn parameters_are_written_and_read_with_their_versions() {
    let Some(moto) = Emulator::first() else { return };
    let url = unique("versions/url");
    let work = async {
        let current = Parameter::<String>::plain(url);
        assert_eq!(name(current.get().await), "Powertools.ParameterNotFound");
        current.set("one").await.unwrap();
        current.set("two").await.unwrap();
        let value = current.get().await.unwrap();
        assert_eq!((&**value, Value::version(&value)), ("two", Some("2")));
        assert_eq!(*Parameter::<String>::plain(url).version(1).get().await.unwrap(), "one");
        let missing = Parameter::<String>::plain(url).version(9).get().await;
        assert_eq!(name(missing), "Powertools.ParameterNotFound");
    };
    of(moto.endpoint()).scope(work).await;
}

#[tokio::test]
async fn an_encrypted_parameter_is_decrypted_or_refused() {
    let Some(moto) = Emulator::first() else { return };
    let key = unique("encrypted/key");
    let work = async {
        let decrypted = Parameter::<String>::plain(key).decrypt(true);
        decrypted.set("hunter2").await.unwrap();
        assert_eq!(*decrypted.get().await.unwrap(), "hunter2");
        let encrypted = Parameter::<String>::plain(key).get().await;
        assert_eq!(name(encrypted), "Powertools.ParameterEncrypted");
    };
    of(moto.endpoint()).scope(work).await;
}

#[tokio::test]
async fn a_path_has_all_its_pages_by_relative_names() {
    let Some(moto) = Emulator::first() else { return };
    let path = unique("pages");
    let work = async {
        for index in 0..25 {
            let parameter = Parameter::<String>::plain(format!("{path}/p/{index:02}").leak());
            parameter.set(index.to_string()).await.unwrap();
        }
        let all = Parameter::<BTreeMap<String, String>>::path(path).get().await.unwrap();
        assert_eq!(all.len(), 25);
        assert_eq!(all["p/07"], "7");
    };
    of(moto.endpoint()).scope(work).await;
}

#[tokio::test]
async fn parameters_that_are_asked_for_together_are_read_in_tens() {
    let Some(moto) = Emulator::first() else { return };
    let proxy = Proxy::before(moto.endpoint()).await;
    let path = unique("tens");
    let names: Vec<&'static str> =
        (0..20).map(|index| &*format!("{path}/{index}").leak()).collect();
    let work = async {
        for name in &names[..19] {
            Parameter::<String>::plain(name).set(*name).await.unwrap();
        }
        let before = proxy.captured().len();
        let declared: Vec<_> = names.iter().map(|name| Parameter::<String>::plain(name)).collect();
        let mut all = join_all(declared.iter().map(|parameter| parameter.get())).await;
        // The one that does not exist fails alone.
        assert_eq!(name(all.pop().unwrap()), "Powertools.ParameterNotFound");
        for (name, value) in names.iter().zip(all) {
            assert_eq!(*value.unwrap(), *name);
        }
        let mut operations: Vec<_> =
            proxy.captured()[before..].iter().map(|request| request.operation.clone()).collect();
        operations.sort();
        assert_eq!(operations, ["GetParameter", "GetParameters", "GetParameters"]);
    };
    of(proxy.endpoint()).scope(work).await;
}

#[tokio::test]
async fn without_the_permission_to_read_several_each_is_read_alone() {
    let Some(moto) = Emulator::first() else { return };
    let proxy = Proxy::before(moto.endpoint()).await;
    let (one, two) = (unique("alone/1"), unique("alone/2"));
    let work = async {
        let (one, two) = (Parameter::<u32>::json(one), Parameter::<u32>::json(two));
        one.set("1").await.unwrap();
        two.set("2").await.unwrap();
        proxy.next("GetParameters", Fault::Refuse("AccessDeniedException", "not authorized"));
        let (one, two) = tokio::join!(one.get(), two.get());
        assert_eq!((*one.unwrap(), *two.unwrap()), (1, 2));
    };
    of(proxy.endpoint()).scope(work).await;
}

#[tokio::test]
async fn what_a_service_refuses_has_its_name() {
    let proxy = Proxy::alone().await;
    let work = async {
        for (code, expected) in [
            ("AccessDeniedException", "Powertools.ParameterAccessDenied"),
            ("InvalidKeyId", "Powertools.ParameterAccessDenied"),
            ("ThrottlingException", "Powertools.ParameterThrottled"),
            ("ParameterNotFound", "Powertools.ParameterNotFound"),
            ("ValidationException", "Powertools.ParameterFailed"),
        ] {
            proxy.next("GetParameter", Fault::Refuse(code, "no"));
            let parameter = Parameter::<String>::plain(unique(code));
            assert_eq!(name(parameter.get().await), expected, "{code}");
        }
        proxy.next("GetSecretValue", Fault::Refuse("ResourceNotFoundException", "no"));
        let secret = Secret::<String>::plain("none").get().await;
        assert_eq!(name(secret), "Powertools.ParameterNotFound");
        proxy.next("GetSecretValue", Fault::Close);
        let secret = Secret::<String>::plain("closed").get().await;
        assert_eq!(name(secret), "Powertools.ParameterUnavailable");
    };
    of(proxy.endpoint()).scope(work).await;
}

#[tokio::test]
async fn secrets_are_created_and_read_by_stage_and_version() {
    let Some(moto) = Emulator::first() else { return };
    let login = unique("stages");
    let work = async {
        let current = Secret::<String>::plain(login);
        current.set("one").await.unwrap();
        let first = current.get().await.unwrap();
        current.set("two").await.unwrap();
        let second = current.get().await.unwrap();
        assert_eq!((&**first, &**second), ("one", "two"));
        let previous = Secret::<String>::plain(login).stage("AWSPREVIOUS").get().await.unwrap();
        assert_eq!(*previous, "one");
        let id = Value::version(&first).unwrap().to_owned().leak();
        assert_eq!(*Secret::<String>::plain(login).version_id(id).get().await.unwrap(), "one");
    };
    of(moto.endpoint()).scope(work).await;
}

#[tokio::test]
async fn a_secret_can_be_binary() {
    let Some(moto) = Emulator::first() else { return };
    let key = unique("binary");
    let work = async {
        let secret = Secret::<Vec<u8>>::binary(key);
        secret.set(vec![0xff, 0]).await.unwrap();
        assert_eq!(*secret.get().await.unwrap(), [0xff, 0]);
        let text = Secret::<String>::plain(key).get().await;
        assert_eq!(name(text), "Powertools.ParameterInvalid");
    };
    of(moto.endpoint()).scope(work).await;
}

#[tokio::test]
async fn secrets_that_are_asked_for_together_are_read_in_one_request() {
    let Some(moto) = Emulator::first() else { return };
    let proxy = Proxy::before(moto.endpoint()).await;
    // The second name begins with the first, which a filter by names would find, too.
    let (one, ten, missing) = (unique("batch/s1"), unique("batch/s10"), unique("batch/s1/none"));
    let work = async {
        let [one, ten, missing] = [one, ten, missing].map(Secret::<String>::plain);
        one.set("one").await.unwrap();
        ten.set("ten").await.unwrap();
        let before = proxy.captured().len();
        let (one, ten, missing) = tokio::join!(one.get(), ten.get(), missing.get());
        let (one, ten) = (one.unwrap(), ten.unwrap());
        assert_eq!((&**one, &**ten), ("one", "ten"));
        assert!(Value::version(&one).is_some());
        assert_eq!(name(missing), "Powertools.ParameterNotFound");
        let mut operations: Vec<_> =
            proxy.captured()[before..].iter().map(|request| request.operation.clone()).collect();
        operations.sort();
        assert_eq!(operations, ["BatchGetSecretValue", "GetSecretValue"]);
    };
    of(proxy.endpoint()).scope(work).await;
}

#[tokio::test]
async fn without_the_permission_to_read_several_secrets_it_is_not_tried_again() {
    let Some(moto) = Emulator::first() else { return };
    let proxy = Proxy::before(moto.endpoint()).await;
    let (one, two) = (unique("denied/1"), unique("denied/2"));
    let work = async {
        let (one, two) = (Secret::<String>::plain(one), Secret::<String>::plain(two));
        one.set("1").await.unwrap();
        two.set("2").await.unwrap();
        proxy.next("BatchGetSecretValue", Fault::Refuse("AccessDeniedException", "no"));
        for _ in 0..2 {
            let (one, two) = tokio::join!(one.get_fresh(), two.get_fresh());
            assert_eq!((&**one.unwrap(), &**two.unwrap()), ("1", "2"));
        }
        let operations = proxy.operations();
        let batches = operations.iter().filter(|operation| *operation == "BatchGetSecretValue");
        assert_eq!(batches.count(), 1, "{operations:?}");
    };
    of(proxy.endpoint()).scope(work).await;
}
