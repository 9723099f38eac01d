//! The rules of `InitOnce`.

use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use lambda_runtime::Error;
use powertools::{InitOnce, init};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// Makes values, counts how often, and takes its time.
#[derive(Default)]
struct Maker(AtomicU32);

impl Maker {
    async fn make(&self) -> Result<u32, Error> {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        sleep(SECOND).await;
        Ok(number)
    }

    fn made(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_concurrent_tasks_initialise_one_value() {
    let shared = Arc::new((InitOnce::<u32>::new(), Maker::default()));
    let mut tasks = JoinSet::new();
    for _ in 0..1000 {
        let shared = shared.clone();
        tasks.spawn(async move {
            let (cell, maker) = &*shared;
            *cell.get_or_try_init(|| maker.make()).await.unwrap()
        });
    }
    for value in tasks.join_all().await {
        assert_eq!(value, 1);
    }
    assert_eq!(shared.1.made(), 1);
}

#[tokio::test]
async fn a_failure_is_not_kept() {
    let cell = InitOnce::new();
    let failure = cell.get_or_try_init(async || Err::<u32, Error>("no".into())).await;
    assert_eq!(failure.unwrap_err().to_string(), "no");
    assert_eq!(cell.get(), None);
    assert_eq!(*cell.get_or_try_init(async || Ok::<_, Error>(7)).await.unwrap(), 7);
    assert_eq!(cell.get(), Some(&7));
}

#[tokio::test(start_paused = true)]
async fn one_who_waited_for_a_failure_tries_for_itself() {
    let cell = InitOnce::new();
    let first = cell.get_or_try_init(async || {
        sleep(SECOND).await;
        Err::<u32, Error>("no".into())
    });
    let second = cell.get_or_try_init(async || Ok::<_, Error>(7));
    let (first, second) = tokio::join!(first, second);
    first.unwrap_err();
    assert_eq!(*second.unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn another_caller_initialises_the_value_after_the_first_is_dropped() {
    let shared = Arc::new((InitOnce::<u32>::new(), Maker::default()));
    let first = timeout(SECOND, shared.0.get_or_try_init(pending::<Result<_, Error>>));
    let mut others = JoinSet::new();
    for _ in 0..1000 {
        let shared = shared.clone();
        others.spawn(async move {
            let (cell, maker) = &*shared;
            *cell.get_or_try_init(|| maker.make()).await.unwrap()
        });
    }
    first.await.unwrap_err();
    assert!(others.join_all().await.into_iter().all(|value| value == 1));
    assert_eq!(shared.1.made(), 1);
}

#[tokio::test]
async fn a_panic_poisons_nothing() {
    let cell = InitOnce::new();
    let panics = cell.get_or_try_init(async || -> Result<u32, Error> { panic!("in the making") });
    AssertUnwindSafe(panics).catch_unwind().await.unwrap_err();
    assert_eq!(*cell.get_or_try_init(async || Ok::<_, Error>(7)).await.unwrap(), 7);
}

async fn snake() -> Result<&'static u32, Error> {
    static SNAKE: InitOnce<u32> = InitOnce::new();
    SNAKE.get_or_try_init(|| Box::pin(async { tail().await.copied() })).await
}

async fn tail() -> Result<&'static u32, Error> {
    static TAIL: InitOnce<u32> = InitOnce::new();
    TAIL.get_or_try_init(|| Box::pin(async { snake().await.copied() })).await
}

#[tokio::test(start_paused = true)]
async fn a_value_that_needs_itself_is_an_error() {
    let error = timeout(SECOND, snake()).await.expect("it does not hang").unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(init::Error::Reentrant)), "{error}");
    let error = timeout(SECOND, tail()).await.expect("it does not hang").unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(init::Error::Reentrant)), "{error}");
}

#[tokio::test]
async fn one_value_may_need_another() {
    static ONE: InitOnce<u32> = InitOnce::new();
    static TWO: InitOnce<u32> = InitOnce::new();
    let one = async || ONE.get_or_try_init(async || Ok::<_, Error>(1)).await;
    let two = TWO.get_or_try_init(async || Ok::<_, Error>(1 + *one().await?)).await;
    assert_eq!(*two.unwrap(), 2);
    assert_eq!(ONE.get(), Some(&1));
}

#[tokio::test]
async fn a_static_lends_its_value_for_ever() {
    static NAME: InitOnce<String> = InitOnce::new();
    let make = async || Ok::<_, Error>("orders".to_owned());
    let name: &'static String = NAME.get_or_try_init(make).await.unwrap();
    assert_eq!(std::thread::spawn(move || name.len()).join().unwrap(), 6);
}

#[test]
fn reading_a_value_does_not_carry_the_initialiser_around() {
    let cell = InitOnce::<u32>::new();
    let read = cell.get_or_try_init(async || {
        let block = [1_u8; 4000];
        sleep(SECOND).await;
        Ok::<_, Error>(u32::from(block[0]))
    });
    assert!(size_of_val(&read) <= 64, "{} bytes", size_of_val(&read));
}

#[test]
fn errors_have_names_that_do_not_change() {
    let source = || "no such table".into();
    let (name, after) = ("orders".to_owned(), SECOND);
    for (error, error_type, retryable, message) in [
        (
            init::Error::Reentrant,
            "Powertools.InitReentrant",
            false,
            "the initialisation of the value needs the value itself",
        ),
        (
            init::Error::Generic { function: "Shop<u8>::url".to_owned() },
            "Powertools.InitGeneric",
            false,
            "the path of Shop<u8>::url depends on types, and all of them would share one value",
        ),
        (
            init::Error::WarmUpFailed { name: name.clone(), source: source() },
            "Powertools.WarmUpFailed",
            true,
            "the warm-up of orders failed: no such table",
        ),
        (
            init::Error::WarmUpPanicked { name: name.clone(), message: "no table".to_owned() },
            "Powertools.WarmUpPanicked",
            false,
            "the warm-up of orders panicked: no table",
        ),
        (
            init::Error::HookFailed { hook: "before_snapshot", source: source() },
            "Powertools.SnapshotHookFailed",
            true,
            "the hook before_snapshot failed: no such table",
        ),
        (
            init::Error::HookPanicked { hook: "after_restore", message: "no table".to_owned() },
            "Powertools.SnapshotHookPanicked",
            false,
            "the hook after_restore panicked: no table",
        ),
        (
            init::Error::HookTimeout { hook: "after_restore", after },
            "Powertools.SnapshotHookTimeout",
            true,
            "the hooks after_restore timed out after 1s",
        ),
        (
            init::Error::WarmUpTimeout { name, after },
            "Powertools.WarmUpTimeout",
            true,
            "the warm-up of orders timed out after 1s",
        ),
    ] {
        assert_eq!(error.error_type(), error_type);
        assert_eq!(error.is_retryable(), retryable);
        let diagnostic = lambda_runtime::Diagnostic::from(error);
        assert_eq!((&*diagnostic.error_type, &*diagnostic.error_message), (error_type, message));
    }
}
