//! Values that the caller does not accept from the cache.

use futures_util::future::join_all;
use powertools::parameters::{Secret, SourceErrorKind};
use tokio::join;
use tokio::time::{advance, sleep};

use super::{SECOND, Service, name};

static PASSWORD: Secret<String> = Secret::plain("prod/db/password");

#[tokio::test(start_paused = true)]
async fn a_fresh_value_was_fetched_after_the_call() {
    let service = Service::with("old");
    service.delay(2 * SECOND);
    let work = async {
        // The first fetch began before the password changed.
        let cached = PASSWORD.get();
        let fresh = async {
            sleep(SECOND).await;
            service.put("new");
            let all = join_all((0..64).map(|_| PASSWORD.get_fresh())).await;
            assert!(all.into_iter().all(|value| *value.unwrap() == "new"));
        };
        let (cached, ()) = join!(cached, fresh);
        assert_eq!(*cached.unwrap(), "old");
        assert_eq!(service.fetches(), 2);
    };
    service.parameters().scope(work).await;
}

#[tokio::test(start_paused = true)]
async fn a_fresh_fetch_that_fails_leaves_the_cached_value() {
    let service = Service::with("old");
    let work = async {
        PASSWORD.get().await.unwrap();
        service.fail(SourceErrorKind::Throttled);
        assert_eq!(name(PASSWORD.get_fresh().await), "Powertools.ParameterThrottled");
        assert_eq!(*PASSWORD.get().await.unwrap(), "old");
    };
    service.parameters().scope(work).await;
}

#[tokio::test(start_paused = true)]
async fn callers_whose_logins_fail_together_fetch_once() {
    let service = Service::with("old");
    let work = async {
        let used = PASSWORD.get().await.unwrap();
        service.put("new");
        service.delay(SECOND);
        let all = join_all((0..64).map(|_| PASSWORD.refresh_if(|cached| cached == &*used))).await;
        assert!(all.into_iter().all(|value| *value.unwrap() == "new"));
        // One that failed with the old password and asks late gets the new one.
        PASSWORD.refresh_if(|cached| cached == &*used).await.unwrap();
        assert_eq!(service.fetches(), 2);
    };
    service.parameters().scope(work).await;
}

#[tokio::test(start_paused = true)]
async fn a_value_that_stays_bad_is_fetched_once_in_the_interval() {
    let service = Service::with("bad");
    let work = async {
        PASSWORD.get().await.unwrap();
        for _ in 0..10 {
            assert_eq!(*PASSWORD.refresh_if(|_| true).await.unwrap(), "bad");
        }
        assert_eq!(service.fetches(), 2);
        advance(SECOND).await;
        PASSWORD.refresh_if(|_| true).await.unwrap();
        assert_eq!(service.fetches(), 3);
    };
    service.parameters().scope(work).await;
}

#[tokio::test(start_paused = true)]
async fn a_fetch_from_before_an_invalidation_is_not_cached() {
    let service = Service::with("old");
    service.delay(2 * SECOND);
    let work = async {
        let before = PASSWORD.get();
        let after = async {
            sleep(SECOND).await;
            service.put("new");
            PASSWORD.invalidate().unwrap();
            // The fetch from before it ends meanwhile.
            sleep(2 * SECOND).await;
            assert_eq!(*PASSWORD.get().await.unwrap(), "new");
        };
        let (before, ()) = join!(before, after);
        assert_eq!(*before.unwrap(), "old");
        assert_eq!(*PASSWORD.get().await.unwrap(), "new");
        assert_eq!(service.fetches(), 2);
    };
    service.parameters().scope(work).await;
}

#[tokio::test(start_paused = true)]
async fn a_refresh_does_not_return_what_was_read_before_it() {
    for is_bad in [|cached: &String| cached == "old", |_: &String| true] {
        let service = Service::with("old");
        let work = async {
            PASSWORD.get().await.unwrap();
            advance(95 * SECOND).await;
            service.delay(SECOND);
            // Ahead of time, in the background, and before the rotation.
            PASSWORD.get().await.unwrap();
            sleep(SECOND / 2).await;
            service.put("new");
            assert_eq!(*PASSWORD.refresh_if(is_bad).await.unwrap(), "new");
            assert_eq!(*PASSWORD.get().await.unwrap(), "new");
            assert_eq!(service.fetches(), 3);
        };
        service.parameters().max_age(100 * SECOND).scope(work).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_without_a_cached_value_returns_one_from_after_it() {
    let service = Service::with("old");
    let work = async {
        service.delay(SECOND);
        let first = PASSWORD.get();
        let refresh = async {
            sleep(SECOND / 2).await;
            service.put("new");
            PASSWORD.refresh_if(|cached| cached == "old").await
        };
        let (first, refreshed) = join!(first, refresh);
        assert_eq!(*first.unwrap(), "old");
        assert_eq!(*refreshed.unwrap(), "new");
    };
    service.parameters().scope(work).await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_from_before_an_invalidation_is_not_remembered() {
    let service = Service::with("a");
    let work = async {
        service.delay(2 * SECOND);
        service.fail(SourceErrorKind::Unavailable);
        let before = PASSWORD.get();
        let after = async {
            sleep(SECOND).await;
            PASSWORD.invalidate().unwrap();
            service.delay(SECOND / 4);
            service.fail(None);
            PASSWORD.get().await.unwrap();
        };
        let (before, ()) = join!(before, after);
        before.unwrap_err();
        // Another fetch begins at once.
        PASSWORD.get().await.unwrap();
        assert_eq!(service.fetches(), 3);
    };
    service.parameters().max_age(SECOND / 2).scope(work).await;
}

#[tokio::test(start_paused = true)]
async fn a_refresh_returns_no_value_past_its_age() {
    let service = Service::with("old");
    let work = async {
        PASSWORD.get().await.unwrap();
        service.put("new");
        advance(100 * SECOND).await;
        assert_eq!(*PASSWORD.refresh_if(|_| false).await.unwrap(), "new");
        service.fail(SourceErrorKind::Unavailable);
        advance(100 * SECOND).await;
        // One that is not rejected is still of use, as for `get`.
        assert_eq!(*PASSWORD.refresh_if(|_| false).await.unwrap(), "new");
        advance(1000 * SECOND).await;
        for is_bad in [false, true, true] {
            let refreshed = PASSWORD.refresh_if(|_| is_bad).await;
            assert_eq!(name(refreshed), "Powertools.ParameterUnavailable", "{is_bad}");
        }
    };
    service.parameters().max_age(100 * SECOND).max_stale(500 * SECOND).scope(work).await;
}
