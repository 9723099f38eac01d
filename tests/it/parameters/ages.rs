//! How old a value becomes, and what happens then.

use std::time::{Duration, SystemTime};

use powertools::parameters::{Parameter, Parameters, SourceErrorKind};
use powertools::testing::{self, ManualClock};
use tokio::time::{advance, sleep};

use super::cache::Warnings;
use super::{SECOND, Service, name};

static URL: Parameter<String> = Parameter::plain("/orders/url");

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
        service.fail(SourceErrorKind::Unavailable);
        for fetches in 3..5 {
            assert_eq!(name(URL.get().await), "Powertools.ParameterUnavailable");
            assert_eq!(service.fetches(), fetches);
        }
        service.fail(None);
        assert_eq!(*URL.get().await.unwrap(), "b");
    };
    service.parameters().max_age(Duration::ZERO).scope(read).await;

    // One declaration, with its neighbours' values cached.
    let service = Service::with("a");
    let read = async {
        let never = Parameter::<String>::plain("/never").max_age(Duration::ZERO);
        never.get().await.unwrap();
        URL.get().await.unwrap();
        service.fail(SourceErrorKind::Unavailable);
        assert_eq!(name(never.get().await), "Powertools.ParameterUnavailable");
        advance(301 * SECOND).await;
        assert_eq!(*URL.get().await.unwrap(), "a");
    };
    service.parameters().scope(read).await;

    // Not even a clock that was set back makes it young.
    let clock = ManualClock::new(SystemTime::UNIX_EPOCH + 1000 * SECOND);
    let service = Service::with("a");
    let read = async {
        URL.get().await.unwrap();
        service.fail(SourceErrorKind::Unavailable);
        clock.set(SystemTime::UNIX_EPOCH);
        URL.get().await.unwrap_err();
    };
    service.parameters().clock(&clock).max_age(Duration::ZERO).scope(read).await;
}

#[tokio::test(start_paused = true)]
async fn an_age_has_no_upper_limit() {
    let service = Service::with("a");
    service.min_age(Duration::MAX);
    let read = async {
        for forever in [
            Parameter::<String>::plain("/a").max_age(Duration::MAX),
            Parameter::plain("/b").max_age(Duration::ZERO),
            Parameter::plain("/c"),
        ] {
            assert_eq!(*forever.get().await.unwrap(), "a");
            assert_eq!(*forever.get_fresh().await.unwrap(), "a");
            forever.refresh_if(|_| true).await.unwrap();
            forever.refresh_if(|_| true).await.unwrap();
            advance(1000 * 24 * 3600 * SECOND).await;
            forever.get().await.unwrap();
        }
        assert_eq!(service.fetches(), 9);
        service.fail(SourceErrorKind::NotFound);
        for _ in 0..2 {
            Parameter::<String>::plain("/d").get().await.unwrap_err();
        }
        assert_eq!(service.fetches(), 10);
    };
    let parameters = service.parameters().max_age(Duration::MAX).max_stale(Duration::MAX);
    let parameters = parameters.failure_age(Duration::MAX).refresh_interval(Duration::MAX);
    parameters.timeout(Duration::MAX).scope(read).await;
}

#[tokio::test(start_paused = true)]
async fn a_source_is_not_asked_again_before_it_admits_it() {
    let service = Service::with("a");
    let read = async {
        service.min_age(100 * SECOND);
        URL.get().await.unwrap();
        advance(99 * SECOND).await;
        URL.get().await.unwrap();
        assert_eq!(service.fetches(), 1);
        advance(SECOND).await;
        URL.get().await.unwrap();
        assert_eq!(service.fetches(), 2);
    };
    service.parameters().max_age(60 * SECOND).scope(read).await;
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
