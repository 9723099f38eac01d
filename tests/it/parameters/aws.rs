//! Systems Manager and Secrets Manager, on moto.

use std::collections::BTreeMap;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
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
    // moto reads megabytes of its own parameters at the first request.
    Parameters::new()
        .timeout(std::time::Duration::from_secs(60))
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
async fn a_label_is_a_version() {
    let Some(moto) = Emulator::first() else { return };
    let url = unique("labels/url");
    let work = async {
        let current = Parameter::<String>::plain(url);
        current.set("one").await.unwrap();
        current.set("two").await.unwrap();
        let client = aws_sdk_ssm::Client::new(&config(moto.endpoint()));
        let label = client.label_parameter_version().name(url).labels("live").parameter_version(1);
        label.send().await.unwrap();
        let live = Parameter::<String>::plain(url).label("live");
        // Together with the current one.
        let (live, current) = tokio::join!(live.get(), current.get());
        let (live, current) = (live.unwrap(), current.unwrap());
        assert_eq!((&**live, Value::version(&live)), ("one", Some("1")));
        assert_eq!(&**current, "two");
        let missing = Parameter::<String>::plain(url).label("dead").get().await;
        assert_eq!(name(missing), "Powertools.ParameterNotFound");
    };
    of(moto.endpoint()).scope(work).await;
}

/// Credentials that cannot be loaded.
#[derive(Debug)]
struct Nobody;

impl ProvideCredentials for Nobody {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let error = CredentialsError::not_loaded("there are none");
        future::ProvideCredentials::ready(Err(error))
    }
}

#[tokio::test]
async fn without_a_region_or_credentials_no_request_is_sent() {
    let proxy = Proxy::alone().await;
    let with = |change: fn(&mut aws_sdk_ssm::config::Builder)| {
        let mut builder = aws_sdk_ssm::config::Builder::from(&config(proxy.endpoint()));
        change(&mut builder);
        let client = aws_sdk_ssm::Client::from_conf(builder.build());
        Parameters::new().source(Ssm::new(client))
    };
    let read = async || {
        let error = Parameter::<String>::plain("/p").get().await.unwrap_err();
        let message = lambda_runtime::Diagnostic::from(error.clone()).error_message;
        (error.error_type(), message)
    };
    let without_region = with(|config| {
        config.set_region(None).set_endpoint_url(None);
    });
    let (name, message) = without_region.scope(read()).await;
    assert_eq!(name, "Powertools.ParameterFailed", "{message}");
    assert!(message.contains("region"), "{message}");
    let without_credentials = with(|config| {
        let nobody = aws_sdk_ssm::config::SharedCredentialsProvider::new(Nobody);
        config.set_credentials_provider(Some(nobody));
    });
    let (name, message) = without_credentials.scope(read()).await;
    assert_eq!(name, "Powertools.ParameterAccessDenied", "{message}");
    assert!(message.contains("there are no credentials"), "{message}");
    assert!(proxy.captured().is_empty());
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
async fn of_secrets_whose_names_begin_with_each_other_each_has_its_own_value() {
    let Some(moto) = Emulator::first() else { return };
    let proxy = Proxy::before(moto.endpoint()).await;
    let names = ["prefix/db", "prefix/db-2", "prefix/db-2-old"].map(unique);
    let part = unique("prefix/db-");
    let work = async {
        for name in names {
            Secret::<String>::plain(name).set(name).await.unwrap();
        }
        let [db, two, old] = names.map(Secret::<String>::plain);
        let before = proxy.captured().len();
        let (second, first) = tokio::join!(two.get(), db.get());
        assert_eq!([&**first.unwrap(), &**second.unwrap()], names[..2]);
        // Half of a name is not a name.
        let part = Secret::<String>::plain(part);
        let (missing, third, first) = tokio::join!(part.get_fresh(), old.get(), db.get_fresh());
        assert_eq!(name(missing), "Powertools.ParameterNotFound");
        assert_eq!([&**first.unwrap(), &**third.unwrap()], [names[0], names[2]]);
        let requests = &proxy.captured()[before..];
        let batches = requests.iter().filter(|request| request.operation == "BatchGetSecretValue");
        assert_eq!(batches.count(), 2);
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
