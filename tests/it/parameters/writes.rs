//! Values that a function writes.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use powertools::parameters::{
    Content, Extension, Fetched, Memory, Parameter, Parameters, Request, Secret, Source,
    SourceError,
};
use powertools::testing::ManualClock;
use tokio::time::{sleep, timeout};

use super::{SECOND, Service, name};

static LIMIT: Parameter<u32> = Parameter::json("/limit");
static PASSWORD: Secret<String> = Secret::plain("prod/db/password");

#[tokio::test(start_paused = true)]
async fn what_is_set_is_read_next() {
    let memory = Memory::new().with("/limit", "1").with("prod/db/password", "old");
    let work = async {
        assert_eq!(*LIMIT.get().await.unwrap(), 1);
        LIMIT.set("2").await.unwrap();
        assert_eq!(*LIMIT.get().await.unwrap(), 2);
        assert_eq!(*PASSWORD.get().await.unwrap(), "old");
        PASSWORD.set("new").await.unwrap();
        assert_eq!(*PASSWORD.get().await.unwrap(), "new");
    };
    Parameters::new().source(memory).scope(work).await;

    let read_only = async { name(LIMIT.set("2").await) };
    let read_only = Service::default().parameters().scope(read_only).await;
    assert_eq!(read_only, "Powertools.ParameterUnsupported");
}

#[tokio::test(start_paused = true)]
async fn what_is_set_is_read_next_by_every_declaration() {
    let memory = Memory::new().with("/orders/limit", "1").with("/orders/limits", "1");
    let work = async {
        let limit: Parameter<u32> = Parameter::json("/orders/limit");
        let text: Parameter<String> = Parameter::plain("/orders/limit");
        let kept: Parameter<u32> = Parameter::json("/orders/limit").max_age(SECOND);
        let other: Parameter<u32> = Parameter::json("/orders/limits");
        let all = Parameter::<BTreeMap<String, String>>::path("/orders/");
        limit.get().await.unwrap();
        text.get().await.unwrap();
        kept.get().await.unwrap();
        all.get().await.unwrap();
        other.get().await.unwrap();
        memory.put("/orders/limits", "5");
        limit.set("2").await.unwrap();
        assert_eq!(*limit.get().await.unwrap(), 2);
        assert_eq!(*text.get().await.unwrap(), "2");
        assert_eq!(*kept.get().await.unwrap(), 2);
        assert_eq!(all.get().await.unwrap()["limit"], "2");
        assert_eq!(*other.get().await.unwrap(), 1, "the others are still cached");
    };
    Parameters::new().source(memory.clone()).scope(work).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_set_is_read_next_by_every_kind_of_the_same_source() {
    let [one, other] = ["1", "1"].map(|value| Memory::new().with("login", value));
    let work = async |next: &'static str| {
        let parameter: Parameter<String> = Parameter::plain("login");
        let secret: Secret<String> = Secret::plain("login");
        secret.get().await.unwrap();
        other.put("login", "5");
        parameter.set("2").await.unwrap();
        assert_eq!(*secret.get().await.unwrap(), next);
    };
    Parameters::new().source(one.clone()).scope(work("2")).await;
    // Another source has a value of its own, which is still cached.
    let separate = Parameters::new().parameters_from(one.clone()).secrets_from(other.clone());
    other.put("login", "1");
    separate.scope(work("1")).await;
}

/// Writes at once, or after a second, and replies another second later.
#[derive(Clone, Debug)]
struct Slow(Memory, bool);

impl Source for Slow {
    fn fetch<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Fetched, SourceError>> {
        self.0.fetch(request)
    }

    fn set<'a>(
        &'a self,
        request: &'a Request,
        content: Content,
    ) -> BoxFuture<'a, Result<(), SourceError>> {
        Box::pin(async {
            if self.1 {
                sleep(SECOND).await;
            }
            self.0.set(request, content).await?;
            sleep(SECOND).await;
            Ok(())
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_caller_is_cancelled_is_read_next() {
    for is_late in [false, true] {
        let memory = Memory::new().with("/limit", "1");
        let work = async {
            assert_eq!(*LIMIT.get().await.unwrap(), 1);
            let cancelled = timeout(SECOND / 2, LIMIT.set("2")).await;
            assert!(cancelled.is_err());
            // Meanwhile, a caller can read and cache the old value.
            LIMIT.get().await.unwrap();
            sleep(2 * SECOND).await;
            assert_eq!(*LIMIT.get().await.unwrap(), 2);
        };
        let clock = ManualClock::following_tokio(std::time::SystemTime::UNIX_EPOCH + SECOND);
        Parameters::new().source(Slow(memory, is_late)).clock(&clock).scope(work).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_version_is_not_set() {
    let memory = Memory::new().with("/limit", "1").with("prod/db/password", "old");
    let work = async {
        let first: Parameter<u32> = Parameter::json("/limit").version(1);
        assert_eq!(name(first.set("2").await), "Powertools.ParameterUnsupported");
        let previous = Secret::<String>::plain("prod/db/password").stage("AWSPREVIOUS");
        assert_eq!(name(previous.set("new").await), "Powertools.ParameterUnsupported");
        assert_eq!(*LIMIT.get().await.unwrap(), 1);
        let unnamed: Parameter<String> = Parameter::plain("");
        assert_eq!(name(unnamed.set("2").await), "Powertools.ParameterNameInvalid");
    };
    Parameters::new().source(memory).scope(work).await;
}

#[tokio::test]
async fn an_extension_writes_with_its_fallback() {
    let memory = Memory::new();
    let work = async { PASSWORD.set("new").await.unwrap() };
    let extension = Extension::new().fallback(memory.clone());
    Parameters::new().source(extension).scope(work).await;
    let read = async { assert_eq!(*PASSWORD.get().await.unwrap(), "new") };
    Parameters::new().source(memory).scope(read).await;

    let alone = async {
        let error = PASSWORD.set("new").await.unwrap_err();
        assert_eq!(error.error_type(), "Powertools.ParameterUnsupported");
        let message = lambda_runtime::Diagnostic::from(error).error_message;
        assert!(message.contains("give it a fallback"), "{message}");
    };
    Parameters::new().source(Extension::new()).scope(alone).await;
}
