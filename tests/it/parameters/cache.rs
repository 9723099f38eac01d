//! Which values are kept, and who waits for a fetch.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use powertools::parameters::{Parameter, Parameters, Secret};
use powertools::testing::{self, ManualClock};
use powertools::{Invocation, parameters};
use tokio::time::{advance, timeout};
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

/// They have a value each, but a password that was rejected is bad in all of them.
#[tokio::test(start_paused = true)]
async fn what_is_forgotten_is_so_for_all_declarations_of_the_request() {
    static KEY: Parameter<String> = Parameter::plain("/orders/key");
    static YOUNG: Parameter<String> = Parameter::plain("/orders/key").max_age(SECOND);
    static JSON: Parameter<u32> = Parameter::json("/orders/key");
    static OTHER: Parameter<String> = Parameter::plain("/orders/other");

    let service = Service::with("1");
    let read = async {
        let all = || async {
            let [key, young, other] = [KEY.get().await, YOUNG.get().await, OTHER.get().await];
            let json = JSON.get().await.unwrap();
            format!("{} {} {} {}", *key.unwrap(), *young.unwrap(), *json, *other.unwrap())
        };
        assert_eq!(all().await, "1 1 1 1");
        service.put("2");
        assert_eq!(all().await, "1 1 1 1");
        KEY.invalidate().unwrap();
        assert_eq!(all().await, "2 2 2 1");
    };
    service.parameters().scope(read).await;
}

static POOL: Parameter<Pool> = Parameter::json("/orders/pool");

/// A value that comes back to its parameter when it is dropped.
#[derive(serde::Deserialize)]
struct Pool(#[expect(dead_code, reason = "it is a number like any other")] u32);

impl Drop for Pool {
    fn drop(&mut self) {
        POOL.invalidate().unwrap();
    }
}

#[test]
fn a_value_can_use_its_parameter_when_it_is_dropped() {
    let (sender, dropped) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let use_it = async {
                drop(POOL.get().await.unwrap());
                POOL.invalidate().unwrap();
            };
            Service::with("7").parameters().scope(use_it).await;
        });
        sender.send(()).unwrap();
    });
    // What has not ended by then never does: the thread waits for itself.
    assert_eq!(dropped.recv_timeout(10 * SECOND), Ok(()));
}

#[test]
fn no_caller_hangs_on_a_runtime_that_was_shut_down() {
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || {
        let runtime =
            || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let closed = runtime().handle().clone();
        let clock = ManualClock::new(SystemTime::UNIX_EPOCH + SECOND);
        let read = async {
            let on_closed = closed.enter();
            for read in [URL.get().await, URL.get_fresh().await, URL.refresh_if(|_| true).await] {
                assert_eq!(name(read), "Powertools.ParameterFailed");
            }
            drop(on_closed);
            URL.get().await.unwrap();
            // From here on it is refreshed ahead of time.
            clock.advance(95 * SECOND);
            let _on_closed = closed.enter();
            URL.get().await.unwrap();
        };
        let parameters = Parameters::new().source(Service::with("a")).clock(&clock);
        runtime().block_on(parameters.max_age(100 * SECOND).scope(read));
        sender.send(()).unwrap();
    });
    // What has not ended by then never does: the thread waits for itself.
    assert_eq!(ended.recv_timeout(10 * SECOND), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn values_that_no_declaration_holds_are_limited() {
    let service = Service::with("a");
    let read = async {
        let held: Parameter<String> = Parameter::plain("/held");
        held.get().await.unwrap();
        for number in 0..1100 {
            Parameter::<String>::plain(format!("/{number}").leak()).get().await.unwrap();
        }
        assert_eq!(service.fetches(), 1101);
        for (name, fetches) in [("/1099", 1101), ("/99", 1101), ("/98", 1102), ("/held", 1102)] {
            Parameter::<String>::plain(name).get().await.unwrap();
            assert_eq!(service.fetches(), fetches, "{name}");
        }
        // All that is done to a declaration's value reaches it.
        service.put("b");
        assert_eq!(*held.get_fresh().await.unwrap(), "b");
        assert_eq!(*held.get().await.unwrap(), "b");
        service.put("c");
        assert_eq!(*held.refresh_if(|_| true).await.unwrap(), "c");
        assert_eq!(*held.get().await.unwrap(), "c");
        service.put("d");
        held.invalidate().unwrap();
        assert_eq!(*held.get().await.unwrap(), "d");
    };
    service.parameters().scope(read).await;
}

#[tokio::test(start_paused = true)]
async fn values_that_declarations_hold_take_no_room_of_the_others() {
    let service = Service::with("a");
    let read = async {
        let declare = |name: String| Parameter::<String>::plain(name.leak());
        let held: Vec<_> = (0..600).map(|number| declare(format!("/held/{number}"))).collect();
        for parameter in &held {
            parameter.get().await.unwrap();
        }
        for _ in 0..2 {
            for number in 0..900 {
                declare(format!("/{number}")).get().await.unwrap();
            }
        }
        assert_eq!(service.fetches(), 1500);
    };
    service.parameters().scope(read).await;
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

#[tokio::test(start_paused = true)]
async fn a_read_belongs_to_where_it_is_awaited_and_not_to_where_it_was_created() {
    // Of this test alone, since a declaration knows the cached value of where it is first read.
    static LIMIT: Parameter<String> = Parameter::plain("/orders/limit");
    static KEY: Secret<String> = Secret::plain("api-key").per_tenant();

    let of = |tenant: &str| testing::invocation().tenant_id(tenant).build();
    let (outer, inner) = (Service::with("outer"), Service::with("inner"));
    let read = async {
        LIMIT.get().await.unwrap();
        assert_eq!(*inner.parameters().scope(LIMIT.get()).await.unwrap(), "inner");

        let in_the_invocation_of_a = async {
            KEY.get().await.unwrap();
            outer.put("of b");
            let created = KEY.get();
            of("b").scope(created).await.unwrap().to_string()
        };
        assert_eq!(of("a").scope(in_the_invocation_of_a).await, "of b");
    };
    outer.parameters().scope(read).await;
}

/// Counts the warnings of this thread.
#[derive(Clone, Default)]
pub(super) struct Warnings(Arc<AtomicU32>);

impl Warnings {
    pub(super) fn record() -> (Self, DefaultGuard) {
        let warnings = Self::default();
        let guard =
            powertools_tests::subscriber::set_default(Registry::default().with(warnings.clone()));
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
