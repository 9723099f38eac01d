//! Bad input: each has a fixed name, and no error contains a value.

use std::error::Error as _;

use futures_util::future::BoxFuture;
use lambda_runtime::Diagnostic;
use powertools::parameters::{
    Configuration, Content, Fetched, Memory, Parameter, Parameters, Request, Secret, Source,
    SourceError, SourceErrorKind, Value,
};
use powertools::testing::FakeRuntime;
use serde::Deserialize;

use super::{Service, name};

#[derive(Deserialize, Debug)]
#[allow(dead_code)] // Its members are read by `Debug` alone.
struct Database {
    host: String,
    ports: Vec<u16>,
    mode: Mode,
}

#[derive(Deserialize, Debug)]
enum Mode {
    Fast,
}

#[tokio::test(start_paused = true)]
async fn a_value_that_does_not_fit_its_type_is_named_by_its_path_alone() {
    let cases = [
        (r#"{ "host": "h", "ports": [1, "hunter2"], "mode": "Fast" }"#, "its member ports[1] "),
        (r#"{ "host": "h", "ports": [1], "mode": "hunter2" }"#, "its member mode "),
        (r#"{ "host": "hunter2" }"#, "its member . "),
        (r#"{ "host": "hunter2" "#, "it is invalid JSON at line 1 column 20"),
        (r#""hunter2""#, "its member . "),
        ("hunter2", "it is invalid JSON at line 1 column 1"),
        (r#"{ "host": "h", "ports": [], "mode": "Fast" } hunter2"#, "it is invalid JSON"),
        ("", "it is invalid JSON"),
    ];
    for (text, reason) in cases {
        let read = async {
            let database: Secret<Database> = Secret::json("prod/db");
            let error = database.get().await.unwrap_err();
            assert_eq!(error.error_type(), "Powertools.ParameterInvalid");
            assert!(!error.is_retryable());
            assert!(error.source().is_none());
            Diagnostic::from(error).error_message
        };
        let message = Service::with(text).parameters().scope(read).await;
        assert!(message.starts_with("the secret prod/db is not as declared: "), "{message}");
        assert!(message.contains(reason), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

/// A type whose `Deserialize` panics with the value.
#[derive(Debug)]
struct Panics;

impl<'de> Deserialize<'de> for Panics {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        panic!("{}", String::deserialize(deserializer)?)
    }
}

#[tokio::test(start_paused = true)]
async fn a_type_that_panics_is_an_error_of_its_fetch_for_all_who_wait() {
    let service = Service::with(r#""hunter2""#);
    let read = async {
        let secret: Secret<Panics> = Secret::json("prod/db");
        let (one, two) = tokio::join!(secret.get(), secret.get());
        // It is remembered, as every failure.
        for result in [one, two, secret.get().await] {
            let error = result.unwrap_err();
            assert_eq!(error.error_type(), "Powertools.ParameterInvalid");
            let reason = "the secret prod/db is not as declared: reading it as its type panicked";
            assert_eq!(error.to_string(), reason);
        }
    };
    service.parameters().scope(read).await;
    assert_eq!(service.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_debug_forms_contain_no_value() {
    let memory = Memory::new()
        .with("s", r#"{ "host": "hunter2", "ports": [], "mode": "Fast" }"#)
        .with("b", b"hunter2".to_vec());
    let debug = format!("{memory:?} {:?}", Content::from("hunter2"));
    assert!(!debug.contains("hunter2"), "{debug}");
    let read = async {
        let secret: Secret<Database> = Secret::json("s");
        let value = secret.get().await.unwrap();
        assert_eq!(format!("{value:?}"), r#"Value { version: Some("1"), .. }"#);
        assert_eq!(Value::version(&value), Some("1"));
        let debug = format!("{secret:?} {:?}", Fetched::new("hunter2"));
        assert!(!debug.contains("hunter2"), "{debug}");
    };
    Parameters::new().source(memory).scope(read).await;
}

#[tokio::test(start_paused = true)]
async fn binary_is_no_string_and_a_string_is_base64_for_binary() {
    let memory = Memory::new().with("b", vec![0xff, 0]).with("t", "/wA=\n").with("bad", "a?b");
    let read = async {
        assert_eq!(name(Secret::<String>::plain("b").get().await), "Powertools.ParameterInvalid");
        assert_eq!(*Secret::<Vec<u8>>::binary("b").get().await.unwrap(), [0xff, 0]);
        assert_eq!(*Secret::<Vec<u8>>::binary("t").get().await.unwrap(), [0xff, 0]);
        let bad = Secret::<Vec<u8>>::binary("bad").get().await;
        assert_eq!(name(bad), "Powertools.ParameterInvalid");
    };
    Parameters::new().source(memory).scope(read).await;
}

#[tokio::test(start_paused = true)]
async fn an_invalid_name_is_not_sent() {
    let service = Service::with("a");
    let long: &'static str = Box::leak("n".repeat(2049).into_boxed_str());
    let read = async {
        for name in ["", long] {
            let error = Parameter::<String>::plain(name).get().await.unwrap_err();
            assert_eq!(error.error_type(), "Powertools.ParameterNameInvalid");
            assert!(error.to_string().len() < 200, "{error}");
        }
        for wrong in ["profile", "a/b", "a/b/c/d"] {
            let error = name(Configuration::<String>::plain(wrong).get().await);
            assert_eq!(error, "Powertools.ParameterNameInvalid", "{wrong}");
        }
        assert_eq!(service.fetches(), 0);
        Parameter::<String>::plain(&long[1..]).get().await.unwrap();
    };
    service.parameters().scope(read).await;
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_failure_has_its_name() {
    for (kind, expected, is_retryable) in [
        (SourceErrorKind::NotFound, "Powertools.ParameterNotFound", false),
        (SourceErrorKind::AccessDenied, "Powertools.ParameterAccessDenied", false),
        (SourceErrorKind::Throttled, "Powertools.ParameterThrottled", true),
        (SourceErrorKind::Timeout, "Powertools.ParameterTimeout", true),
        (SourceErrorKind::Encrypted, "Powertools.ParameterEncrypted", false),
        (SourceErrorKind::Unsupported, "Powertools.ParameterUnsupported", false),
        (SourceErrorKind::Unavailable, "Powertools.ParameterUnavailable", true),
        (SourceErrorKind::Other, "Powertools.ParameterFailed", true),
    ] {
        let service = Service::default();
        service.fail(kind);
        let read = async { Parameter::<String>::plain("p").get().await.unwrap_err() };
        let error = service.parameters().scope(read).await;
        assert_eq!((error.error_type(), error.is_retryable()), (expected, is_retryable));
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_panics_fails_its_callers_and_no_more() {
    #[derive(Debug)]
    struct Panics;

    impl Source for Panics {
        fn fetch<'a>(&'a self, _: &'a Request) -> BoxFuture<'a, Result<Fetched, SourceError>> {
            Box::pin(async { panic!("in a source") })
        }
    }

    let read = async { name(Parameter::<String>::plain("p").get().await) };
    let name = Parameters::new().source(Panics).scope(read).await;
    assert_eq!(name, "Powertools.ParameterFailed");
}

#[tokio::test]
async fn an_invalid_variable_ends_the_start() {
    let lambda = FakeRuntime::new().env("POWERTOOLS_PARAMETERS_MAX_AGE", "5 minutes");
    let handler = async |_: lambda_runtime::LambdaEvent<()>| Ok::<_, lambda_runtime::Error>(());
    let function = powertools::Powertools::new(handler).parameters(Parameters::new());
    let ended = lambda.run(async move { function.run().await }).wait().await;
    let error = ended.unwrap_err().to_string();
    assert_eq!(error, "POWERTOOLS_PARAMETERS_MAX_AGE is not a whole number of seconds");
}
