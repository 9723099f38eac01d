//! Files, variables, and a declaration's name.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use powertools::parameters::{
    Files, Memory, Parameter, Parameters, Secret, SourceErrorKind, Variables,
};
use powertools_tests::alone_with;

use super::name;

/// A folder of this process that is empty.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("powertools-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("orders/db")).unwrap();
    folder
}

#[tokio::test]
async fn a_file_is_a_value_and_a_folder_a_path() {
    let folder = folder("files");
    fs::write(folder.join("orders/limit"), "25").unwrap();
    fs::write(folder.join("orders/db/url"), "postgres://").unwrap();
    fs::write(folder.join("key"), [0xff, 0]).unwrap();
    let read = async {
        assert_eq!(*Parameter::<u32>::json("/orders/limit").get().await.unwrap(), 25);
        assert_eq!(*Secret::<Vec<u8>>::binary("key").get().await.unwrap(), [0xff, 0]);
        let all = Parameter::<BTreeMap<String, String>>::path("/orders").get().await.unwrap();
        let all: Vec<_> = all.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(all, [("db/url", "postgres://"), ("limit", "25")]);
        let missing = Parameter::<String>::plain("/orders/nothing").get().await;
        assert_eq!(name(missing), "Powertools.ParameterNotFound");
    };
    Parameters::new().source(Files::new(&folder)).scope(read).await;
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_name_does_not_leave_the_folder() {
    let folder = folder("outside");
    fs::write(folder.join("secret"), "s").unwrap();
    let read = async {
        for path in ["../secret", "/../secret", "db/../../secret"] {
            let escaped = Parameter::<String>::plain(path).get().await;
            assert_eq!(name(escaped), "Powertools.ParameterNotFound", "{path}");
        }
    };
    Parameters::new().source(Files::new(folder.join("orders"))).scope(read).await;
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn variables_have_values_and_names() {
    let variables = [("TEST_ORDERS_URL", "https://example.com"), ("PASSWORD_NAME", "orders/url")];
    alone_with(&variables, async {
        let read = async {
            let url = Parameter::<String>::plain("/orders/url").get().await.unwrap();
            assert_eq!(*url, "https://example.com");
            let named = Secret::<String>::plain("other").name_from("PASSWORD_NAME");
            assert_eq!(*named.get().await.unwrap(), "https://example.com");
            let unnamed = Secret::<String>::plain("orders/url").name_from("NOT_SET");
            assert_eq!(*unnamed.get().await.unwrap(), "https://example.com");
            let path = Parameter::<BTreeMap<String, String>>::path("/orders").get().await;
            assert_eq!(name(path), "Powertools.ParameterUnsupported");
        };
        Parameters::new().source(Variables::new().prefix("TEST_")).scope(read).await;
    });
}

#[test]
fn variables_set_the_age_and_whether_parameters_are_decrypted() {
    let variables =
        [("POWERTOOLS_PARAMETERS_MAX_AGE", "0"), ("POWERTOOLS_PARAMETERS_SSM_DECRYPT", "true")];
    alone_with(&variables, async {
        let service = super::Service::with("a");
        let read = async {
            let value = Parameter::<String>::plain("/a");
            value.get().await.unwrap();
            value.get().await.unwrap();
            Parameter::<String>::plain("/a").decrypt(false).get().await.unwrap();
            // An age in the code is stronger, that of the declaration, too.
            let kept = Parameter::<String>::plain("/b").max_age(super::SECOND);
            kept.get().await.unwrap();
            kept.get().await.unwrap();
        };
        service.parameters().scope(read).await;
        let requests = service.requests();
        let decrypted: Vec<_> = requests.iter().map(|request| request.decrypt).collect();
        assert_eq!(decrypted, [true, true, false, true]);
    });
}

#[tokio::test]
async fn each_kind_can_have_a_source_of_its_own() {
    let service = super::Service::default();
    service.fail(SourceErrorKind::Unavailable);
    let parameters = Parameters::new()
        .source(service)
        .parameters_from(Memory::new().with("a", "parameter"))
        .secrets_from(Memory::new().with("a", "secret"));
    let read = async {
        assert_eq!(*Parameter::<String>::plain("a").get().await.unwrap(), "parameter");
        assert_eq!(*Secret::<String>::plain("a").get().await.unwrap(), "secret");
    };
    parameters.scope(read).await;
}

#[tokio::test]
async fn paths_in_memory_are_those_of_systems_manager() {
    let memory = Memory::new()
        .with("/orders/limit", "25")
        .with("/orders/db/url", "postgres://")
        .with("/orders-old/limit", "1")
        .with("debug", "on");
    let read = async {
        for path in ["/orders", "/orders/", "orders", "orders/"] {
            let all = Parameter::<BTreeMap<String, String>>::path(path).get().await.unwrap();
            let names: Vec<_> = all.keys().map(String::as_str).collect();
            assert_eq!(names, ["db/url", "limit"], "{path}");
        }
        let all = Parameter::<BTreeMap<String, String>>::path("/").get().await.unwrap();
        let names: Vec<_> = all.keys().map(String::as_str).collect();
        assert_eq!(names, ["debug", "orders-old/limit", "orders/db/url", "orders/limit"]);
        let none = Parameter::<BTreeMap<String, String>>::path("/none").get().await.unwrap();
        assert!(none.is_empty());
    };
    Parameters::new().source(memory).scope(read).await;
}

#[tokio::test]
async fn memory_has_versions() {
    let memory = Memory::new().with("p", "one").with("p", "two").with("once", "one");
    let read = async {
        assert_eq!(*Parameter::<String>::plain("p").version(1).get().await.unwrap(), "one");
        assert_eq!(*Parameter::<String>::plain("p").version(2).get().await.unwrap(), "two");
        assert_eq!(*Secret::<String>::plain("p").version_id("1").get().await.unwrap(), "one");
        let of = |stage| Secret::<String>::plain("p").stage(stage);
        assert_eq!(*of("AWSCURRENT").get().await.unwrap(), "two");
        assert_eq!(*of("AWSPREVIOUS").get().await.unwrap(), "one");
        assert_eq!(name(of("AWSPENDING").get().await), "Powertools.ParameterUnsupported");
        let label = Parameter::<String>::plain("p").label("live").get().await;
        assert_eq!(name(label), "Powertools.ParameterUnsupported");
        for missing in [
            Parameter::<String>::plain("p").version(0),
            Parameter::plain("p").version(3),
            Parameter::plain("p").version(u64::MAX),
        ] {
            assert_eq!(name(missing.get().await), "Powertools.ParameterNotFound");
        }
        let previous = Secret::<String>::plain("once").stage("AWSPREVIOUS").get().await;
        assert_eq!(name(previous), "Powertools.ParameterNotFound");
    };
    Parameters::new().source(memory).scope(read).await;
}

#[test]
fn a_source_without_versions_refuses_one() {
    alone_with(&[("P", "current")], async {
        let folder = folder("versions");
        fs::write(folder.join("p"), "current").unwrap();
        let versions = async || {
            assert_eq!(*Parameter::<String>::plain("p").get().await.unwrap(), "current");
            for error in [
                Parameter::<String>::plain("p").version(1).get().await,
                Parameter::<String>::plain("p").label("live").get().await,
                Secret::<String>::plain("p").stage("AWSPREVIOUS").get().await,
                Secret::<String>::plain("p").version_id("1").get().await,
            ] {
                assert_eq!(name(error), "Powertools.ParameterUnsupported");
            }
        };
        Parameters::new().source(Files::new(&folder)).scope(versions()).await;
        Parameters::new().source(Variables::new()).scope(versions()).await;
        fs::remove_dir_all(folder).unwrap();
    });
}
