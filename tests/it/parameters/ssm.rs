//! Parameters of Systems Manager, on moto.

use std::collections::BTreeMap;

use aws_sdk_ssm::types::ParameterType;
use futures_util::future::join_all;
use lambda_runtime::LambdaEvent;
use powertools::Powertools;
use powertools::parameters::{Parameter, Parameters, Secret, Ssm, Value};
use powertools::testing::FakeRuntime;
use powertools_tests::emulators::Emulator;
use powertools_tests::proxy::{Fault, Proxy};
use serde_json::json;

use super::aws::{TIMEOUT, config, of, unique};
use super::name;

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

#[tokio::test]
async fn an_encrypted_parameter_is_decrypted_or_refused() {
    let Some(moto) = Emulator::first() else { return };
    let key = unique("encrypted/key");
    let work = async {
        Parameter::<String>::plain(key).encrypted(true).set("hunter2").await.unwrap();
        let decrypted = Parameter::<String>::plain(key).decrypt(true);
        assert_eq!(*decrypted.get().await.unwrap(), "hunter2");
        let encrypted = Parameter::<String>::plain(key).get().await;
        assert_eq!(name(encrypted), "Powertools.ParameterEncrypted");
    };
    of(moto.endpoint()).scope(work).await;
}

#[tokio::test]
async fn the_declaration_determines_the_type_of_a_new_parameter_and_none_is_changed() {
    let Some(moto) = Emulator::first() else { return };
    let proxy = Proxy::before(moto.endpoint()).await;
    let client = aws_sdk_ssm::Client::new(&config(moto.endpoint()));
    let kind = async |name: &str| {
        let read = client.get_parameter().name(name).with_decryption(true).send().await;
        let parameter = read.unwrap().parameter.unwrap();
        (parameter.r#type.unwrap(), parameter.value.unwrap())
    };
    let work = async {
        let plain = unique("types/plain");
        Parameter::<String>::plain(plain).set("1").await.unwrap();
        assert_eq!(kind(plain).await, (ParameterType::String, "1".to_owned()));
        Parameter::<String>::plain(plain).encrypted(true).set("2").await.unwrap();
        assert_eq!(kind(plain).await, (ParameterType::String, "2".to_owned()));

        let secret = unique("types/secret");
        let declared = Parameter::<String>::plain(secret).encrypted(true);
        declared.set("1").await.unwrap();
        assert_eq!(kind(secret).await, (ParameterType::SecureString, "1".to_owned()));
        assert_eq!(*declared.get().await.unwrap(), "1", "it is decrypted");
        Parameter::<String>::plain(secret).encrypted(false).set("2").await.unwrap();
        assert_eq!(kind(secret).await, (ParameterType::SecureString, "2".to_owned()));

        let unclear = unique("types/unclear");
        let before = proxy.captured().len();
        let error = Parameter::<String>::plain(unclear).decrypt(true).set("1").await;
        assert_eq!(name(error), "Powertools.ParameterUnsupported");
        assert_eq!(proxy.captured().len(), before, "no request is sent");
        Parameter::<String>::plain(unclear).decrypt(true).encrypted(false).set("1").await.unwrap();
        assert_eq!(kind(unclear).await, (ParameterType::String, "1".to_owned()));
    };
    of(proxy.endpoint()).scope(work).await;
}

#[tokio::test]
async fn a_secret_in_systems_manager_is_a_secure_string() {
    let Some(moto) = Emulator::first() else { return };
    let client = aws_sdk_ssm::Client::new(&config(moto.endpoint()));
    let password = unique("types/password");
    let work = async {
        let declared = Secret::<String>::plain(password);
        declared.set("hunter2").await.unwrap();
        assert_eq!(*declared.get().await.unwrap(), "hunter2");
        let encrypted = Parameter::<String>::plain(password).get().await;
        assert_eq!(name(encrypted), "Powertools.ParameterEncrypted");
        let previous = Secret::<String>::plain(password).stage("AWSPREVIOUS").get().await;
        assert_eq!(name(previous), "Powertools.ParameterUnsupported");
    };
    Parameters::new().source(Ssm::new(client)).timeout(TIMEOUT).scope(work).await;
}

#[tokio::test]
async fn an_invalid_name_fails_alone() {
    let Some(moto) = Emulator::first() else { return };
    let proxy = Proxy::before(moto.endpoint()).await;
    let names: Vec<_> = (0..10).map(|index| unique(&format!("invalid/{index}"))).collect();
    let work = async {
        for name in &names[..9] {
            Parameter::<String>::plain(name).set(*name).await.unwrap();
        }
        // As the service does for a name with a space in it.
        let invalid = || Fault::Refuse("ValidationException", "Invalid parameter name");
        proxy.next("GetParameters", invalid());
        let declared: Vec<_> = names.iter().map(|name| Parameter::<String>::plain(name)).collect();
        let mut all = join_all(declared.iter().map(|parameter| parameter.get())).await;
        all.pop().unwrap().unwrap_err();
        for (name, value) in names.iter().zip(all) {
            assert_eq!(*value.unwrap(), *name);
        }
        // What is not the fault of a name fails all, without ten more requests.
        let before = proxy.captured().len();
        proxy.next("GetParameters", Fault::Refuse("ThrottlingException", "slow down"));
        for error in join_all(declared.iter().map(|parameter| parameter.get_fresh())).await {
            assert_eq!(self::name(error), "Powertools.ParameterThrottled");
        }
        assert_eq!(proxy.captured().len(), before + 1);
    };
    of(proxy.endpoint()).scope(work).await;
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

/// The sources that it installs are those of the whole process: other tests have their own in a scope.
#[tokio::test]
async fn warm_ups_read_parameters_together() {
    let Some(moto) = Emulator::first() else { return };
    let proxy = Proxy::before(moto.endpoint()).await;
    let [one, two, three] = ["warm/1", "warm/2", "warm/3"].map(|name| {
        let declared: &'static Parameter<u32> = Box::leak(Box::new(Parameter::json(unique(name))));
        declared
    });
    let write = async {
        for (parameter, value) in [(one, "1"), (two, "2"), (three, "3")] {
            parameter.set(value).await.unwrap();
        }
    };
    of(moto.endpoint()).scope(write).await;

    let sum = async |_: LambdaEvent<()>| {
        let (one, two, three) = tokio::try_join!(one.get(), two.get(), three.get())?;
        Ok::<_, lambda_runtime::Error>(*one + *two + *three)
    };
    let lambda = FakeRuntime::new();
    let function = Powertools::new(sum)
        .parameters(of(proxy.endpoint()))
        .warm_up("one", || one.get())
        .warm_up("two", || two.get())
        .warm_up_required("three", || three.get());
    let _function = lambda.run(function.run());
    assert_eq!(lambda.invoke(json!(null)).await.json::<u32>(), 6);
    assert_eq!(proxy.operations(), ["GetParameters"]);
}
