//! How long values are kept, and who waits for a fetch.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use powertools::parameters::{Parameter, Parameters, Secret, SourceErrorKind};
use powertools::testing::{self, ManualClock};
use powertools::{Invocation, parameters};
use serde::Deserialize;
use tokio::task::JoinSet;
use tokio::time::{advance, sleep, timeout};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::{Layer, Registry};

use super::{SECOND, Service, name};

static URL: Parameter<String> = Parameter::plain("/orders/url");
static LATER: Parameter<String> = Parameter::plain("/orders/later");

#[tokio::test(start_paused = true)]
async fn a_cached_value_is_not_fetched_again() {
    let service = Service::with("a");
    let read = async {
        for _ in 0..3 {
            assert_eq!(*URL.get().await.unwrap(), "a");
            // A declaration of its own, of the same request and type.
            let url: Parameter<String> = Parameter::plain("/orders/url");
            assert_eq!(*url.get().await.unwrap(), "a");
        }
    };
    service.parameters().scope(read).await;
    assert_eq!(service.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_value_past_max_age_is_fetched_before_it_is_returned() {
    let service = Service::with("a");
    let read = async {
        let url = &URL;
        url.get().await.unwrap();
        service.put("b");
        advance(59 * SECOND).await;
        assert_eq!(*url.get().await.unwrap(), "a");
        advance(60 * SECOND).await;
        assert_eq!(*url.get().await.unwrap(), "b");
    };
    service.parameters().max_age(60 * SECOND).scope(read).await;
}

#[tokio::test(start_paused = true)]
async fn a_value_in_the_last_tenth_of_its_age_is_returned_and_fetched_meanwhile() {
    let service = Service::with("a");
    let read = async {
        let url = &URL;
        url.get().await.unwrap();
        service.put("b");
        advance(69 * SECOND).await;
        assert_eq!(*url.get().await.unwrap(), "a");
        assert_eq!(service.fetches(), 1, "not before 70 per cent of its age");
        advance(22 * SECOND).await;
        assert_eq!(*url.get().await.unwrap(), "a");
        sleep(SECOND).await;
        assert_eq!(service.fetches(), 2);
        assert_eq!(*url.get().await.unwrap(), "b");
    };
    service.parameters().max_age(100 * SECOND).scope(read).await;
}

#[tokio::test(start_paused = true)]
async fn no_refresh_begins_where_the_invocation_has_no_time_for_it() {
    let service = Service::with("a");
    let read = async {
        let url = &URL;
        url.get().await.unwrap();
        advance(95 * SECOND).await;
        let short = testing::invocation().remaining(Duration::from_millis(900)).build();
        short.scope(async { url.get().await.unwrap() }).await;
        sleep(SECOND).await;
        assert_eq!(service.fetches(), 1);
        let long = testing::invocation().remaining(3 * SECOND).build();
        long.scope(async { url.get().await.unwrap() }).await;
        sleep(SECOND).await;
        assert_eq!(service.fetches(), 2);
    };
    service.parameters().max_age(100 * SECOND).scope(read).await;
}

#[tokio::test(start_paused = true)]
async fn an_old_value_is_returned_with_one_warning_while_a_fetch_fails() {
    for kind in [
        SourceErrorKind::Unavailable,
        SourceErrorKind::Throttled,
        SourceErrorKind::AccessDenied,
        SourceErrorKind::NotFound,
    ] {
        let (warnings, _guard) = Warnings::record();
        let service = Service::with("a");
        let read = async {
            let url = &URL;
            url.get().await.unwrap();
            service.fail(kind);
            advance(61 * SECOND).await;
            for _ in 0..3 {
                assert_eq!(*url.get().await.unwrap(), "a");
                sleep(2 * SECOND).await;
            }
            assert_eq!(service.fetches(), 4);
            assert_eq!(warnings.count(), 1);
            advance(3600 * SECOND).await;
            url.get().await.unwrap_err();

            service.fail(None);
            service.put("b");
            advance(2 * SECOND).await;
            assert_eq!(*url.get().await.unwrap(), "b");
        };
        service.parameters().max_age(60 * SECOND).max_stale(3600 * SECOND).scope(read).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_that_does_not_fit_its_type_does_not_replace_one_that_does() {
    let service = Service::with("25");
    let read = async {
        let limit: Parameter<u32> = Parameter::json("/limit");
        assert_eq!(*limit.get().await.unwrap(), 25);
        service.put("many");
        advance(61 * SECOND).await;
        assert_eq!(*limit.get().await.unwrap(), 25);
        assert_eq!(name(limit.get_fresh().await), "Powertools.ParameterInvalid");
        assert_eq!(*limit.get().await.unwrap(), 25);
    };
    service.parameters().max_age(60 * SECOND).scope(read).await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_remembered_for_a_second() {
    let service = Service::default();
    service.fail(SourceErrorKind::NotFound);
    let read = async {
        for _ in 0..5 {
            assert_eq!(name(URL.get().await), "Powertools.ParameterNotFound");
        }
        assert_eq!(service.fetches(), 1);
        advance(SECOND).await;
        service.fail(None);
        URL.get().await.unwrap();
    };
    service.parameters().scope(read).await;
}

#[tokio::test(start_paused = true)]
async fn an_age_of_zero_turns_the_cache_off() {
    let service = Service::with("a");
    let read = async {
        URL.get().await.unwrap();
        service.put("b");
        assert_eq!(*URL.get().await.unwrap(), "b");
    };
    service.parameters().max_age(Duration::ZERO).scope(read).await;
}

#[tokio::test]
async fn a_clock_that_was_set_back_makes_no_value_young() {
    let clock = ManualClock::new(SystemTime::UNIX_EPOCH + 1000 * SECOND);
    let service = Service::with("a");
    let read = async {
        URL.get().await.unwrap();
        service.put("b");
        clock.set(SystemTime::UNIX_EPOCH);
        assert_eq!(*URL.get().await.unwrap(), "b");
    };
    Parameters::new().source(service.clone()).clock(&clock).scope(read).await;
}

#[tokio::test(start_paused = true)]
async fn callers_share_a_fetch_and_those_that_are_cancelled_cancel_nothing() {
    let service = Service::with("a");
    service.delay(2 * SECOND);
    let read = async {
        let impatient = timeout(SECOND, URL.get()).await;
        assert!(impatient.is_err());
        let all = join_all((0..64).map(|_| async { URL.get().await.unwrap().to_string() })).await;
        assert_eq!(all, vec!["a"; 64]);
    };
    service.parameters().scope(read).await;
    assert_eq!(service.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_caller_waits_no_longer_than_its_invocation_has_time() {
    let service = Service::with("a");
    service.delay(4 * SECOND);
    let read = async {
        let invocation = |seconds: u32| {
            let clock = ManualClock::following_tokio(SystemTime::UNIX_EPOCH + SECOND);
            testing::invocation().clock(&clock).remaining(seconds * SECOND).build()
        };
        let hasty = invocation(2).scope(async { name(URL.get().await) }).await;
        assert_eq!(hasty, "Powertools.ParameterOutOfTime");
        invocation(10).scope(async { URL.get().await.unwrap() }).await;
        assert_eq!(service.fetches(), 1);

        // A guard around it knows why.
        let work = async {
            let guarded = powertools::Deadline::current();
            let work = async { Ok::<_, lambda_runtime::Error>(LATER.get().await?.to_string()) };
            guarded.run_or(Duration::from_millis(100), work, |_| Ok("out of time".to_owned())).await
        };
        assert_eq!(invocation(2).scope(work).await.unwrap(), "out of time");

        // With an old value, half of the time is enough.
        advance(301 * SECOND).await;
        let start = tokio::time::Instant::now();
        invocation(2).scope(async { URL.get().await.unwrap() }).await;
        assert_eq!(start.elapsed(), SECOND);
    };
    service.parameters().scope(read).await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_times_out() {
    let service = Service::with("a");
    service.delay(3600 * SECOND);
    let read = async { assert_eq!(name(URL.get().await), "Powertools.ParameterTimeout") };
    service.parameters().scope(read).await;
}

#[derive(Deserialize)]
struct Login {
    user: u32,
    password: u32,
}

/// 64 callers on the threads of a runtime, while the secret changes 1,000 times.
#[tokio::test(flavor = "multi_thread", worker_threads = 16)]
async fn no_caller_sees_half_of_a_rotation() {
    static LOGIN: Secret<Login> = Secret::json("prod/db");
    static SEEN: AtomicU32 = AtomicU32::new(0);

    let service = Service::default();
    let put = |number: u32| {
        service.put(&format!(r#"{{ "user": {number}, "password": {number} }}"#));
    };
    put(0);
    let clock = ManualClock::new(SystemTime::UNIX_EPOCH + SECOND);
    let work = async {
        let callers = join_all((0..64).map(|_| async {
            let mut last = 0;
            while last < 1000 {
                let login = LOGIN.get().await.unwrap();
                assert_eq!(login.user, login.password);
                assert!(login.user >= last, "an older value came after a newer one");
                last = login.user;
                SEEN.fetch_max(last, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        }));
        let rotation = async {
            for number in 1..=1000 {
                put(number);
                clock.advance(61 * SECOND);
                while SEEN.load(Ordering::Relaxed) < number {
                    tokio::task::yield_now().await;
                }
            }
        };
        tokio::join!(callers, rotation);
    };
    let parameters = Parameters::new().source(service.clone()).clock(&clock);
    parameters.max_age(60 * SECOND).scope(work).await;
    // One of them before the first rotation, unless that was faster.
    assert!((1000..=1001).contains(&service.fetches()), "{}", service.fetches());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 16)]
async fn sixteen_workers_share_a_fetch() {
    let service = Service::with("a");
    service.delay(Duration::from_millis(50));
    let work = async {
        let mut tasks = JoinSet::new();
        for value in join_all((0..16).map(|_| URL.get())).await {
            let value = value.unwrap();
            // A value can go to another thread.
            tasks.spawn(async move { value.len() });
        }
        assert!(tasks.join_all().await.iter().all(|length| *length == 1));
    };
    Parameters::new().source(service.clone()).scope(work).await;
    assert_eq!(service.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn requests_that_differ_in_anything_have_a_value_each() {
    let service = Service::with("5");
    let read = async {
        let name = "/orders/limit";
        Parameter::<String>::plain(name).get().await.unwrap();
        Parameter::<String>::plain(name).decrypt(true).get().await.unwrap();
        Parameter::<String>::plain(name).version(2).get().await.unwrap();
        Parameter::<String>::plain(name).label("live").get().await.unwrap();
        Parameter::<u32>::json(name).get().await.unwrap();
        Parameter::<u64>::json(name).get().await.unwrap();
        Secret::<String>::plain(name).get().await.unwrap();
        Secret::<String>::plain(name).stage("AWSPREVIOUS").get().await.unwrap();
        Secret::<String>::plain(name).version_id("1").get().await.unwrap();
        assert_eq!(service.fetches(), 9);
    };
    service.parameters().scope(read).await;
    let decrypted: Vec<_> = service.requests().iter().map(|request| request.decrypt).collect();
    assert_eq!(decrypted[..3], [false, true, false]);
}

#[tokio::test(start_paused = true)]
async fn tenants_have_a_value_each_if_the_declaration_is_per_tenant() {
    static KEY: Secret<String> = Secret::plain("api-key").per_tenant();

    let service = Service::with("of a");
    let of = |tenant: &str| testing::invocation().tenant_id(tenant).build();
    let read = async {
        let get = || async { KEY.get().await.unwrap().to_string() };
        assert_eq!(of("a").scope(get()).await, "of a");
        service.put("of b");
        assert_eq!(of("b").scope(get()).await, "of b");
        assert_eq!(of("a").scope(get()).await, "of a");
        assert_eq!(name(KEY.get().await), "Powertools.ParameterTenantMissing");
        assert_eq!(name(KEY.invalidate()), "Powertools.ParameterTenantMissing");
    };
    service.parameters().scope(read).await;
    let tenants: Vec<_> = service.requests().into_iter().map(|request| request.tenant).collect();
    assert_eq!(tenants, [Some("a".to_owned()), Some("b".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_runs_in_the_invocation_that_began_it() {
    #[derive(Debug)]
    struct Who(Mutex<BTreeMap<String, String>>);

    impl parameters::Source for Who {
        fn fetch<'a>(
            &'a self,
            request: &'a parameters::Request,
        ) -> futures_util::future::BoxFuture<'a, Result<parameters::Fetched, parameters::SourceError>>
        {
            let id = Invocation::current().map(|invocation| invocation.request_id().to_owned());
            self.0.lock().unwrap().insert(request.name.clone(), id.clone().unwrap_or_default());
            Box::pin(async { Ok(parameters::Fetched::new(id.unwrap_or_default())) })
        }
    }

    let invocation = testing::invocation().request_id("first").build();
    let read = invocation.scope(async { URL.get().await.unwrap().to_string() });
    let who = Parameters::new().source(Who(Mutex::default())).scope(read).await;
    assert_eq!(who, "first");
}

/// Counts the warnings of this thread.
#[derive(Clone, Default)]
pub(super) struct Warnings(Arc<AtomicU32>);

impl Warnings {
    pub(super) fn record() -> (Self, DefaultGuard) {
        let warnings = Self::default();
        let guard = tracing::subscriber::set_default(Registry::default().with(warnings.clone()));
        (warnings, guard)
    }

    pub(super) fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

impl<S: tracing::Subscriber> Layer<S> for Warnings {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() == tracing::Level::WARN
            && event.metadata().target().starts_with("powertools")
        {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}
