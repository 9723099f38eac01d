//! Two of our layers at once, and one after the other.

use powertools::logging::{self as logs, Format, Logging};
use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt;

use super::{Lines, invocation, logged, logging};

/// What two layers write of `f`.
fn both(first: Logging, second: Logging, f: impl FnOnce()) -> (String, String) {
    let (a, b) = (Lines::default(), Lines::default());
    let subscriber = tracing_subscriber::registry().with(a.layer(first)).with(b.layer(second));
    tracing::subscriber::with_default(subscriber, f);
    (a.take(), b.take())
}

#[test]
fn each_layer_writes_lines_of_its_own() {
    let json = || logging().redact(["card"]);
    let text = || logging().format(Format::Text).redact(["customer"]);
    let events = || {
        invocation().build().sync_scope(|| {
            logs::append("customer", "Ada");
            logs::append("card", "4711");
            let span = tracing::info_span!("s", card = "4711", customer = "Ada", more = "none");
            let _entered = span.enter();
            span.record("more", "later");
            tracing::info!("one");
            tracing::info!("two");
        });
    };
    let alone = (logged(json(), events).take(), logged(text(), events).take());
    assert_eq!(both(json(), text(), events), alone);
    let (second, first) = both(text(), json(), events);
    assert_eq!((first, second), alone);
}

#[test]
fn each_layer_samples_and_keeps_its_own() {
    let kept = || logging().buffer(20 * 1024);
    let text = || logging().format(Format::Text).buffer(1024);
    let sampled = || logging().sample_rate(1.0);
    let unsampled = || logging().sample_rate(f64::MIN_POSITIVE);
    let events = || {
        invocation().build().sync_scope(|| {
            tracing::debug!("kept");
            tracing::info!("info");
            tracing::error!("error");
        });
    };
    let alone = |logging| logged(logging, events).take();
    assert_eq!(both(kept(), text(), events), (alone(kept()), alone(text())));
    assert_eq!(both(sampled(), unsampled(), events), (alone(sampled()), alone(unsampled())));
}

#[test]
fn an_invocation_can_be_logged_by_other_settings_later() {
    let invocation = invocation().build();
    let log = || invocation.clone().sync_scope(|| tracing::info!("x"));
    invocation.clone().sync_scope(|| logs::append("card", "4711"));
    let first: Value = logged(logging(), log).one();
    let text = logged(logging().format(Format::Text).redact(["card"]), log).take();
    assert!(text.contains(" function_name=\"orders-fn\" "), "{text}");
    assert!(text.ends_with("card=\"*****\"\n"), "{text}");
    let second: Value = logged(logging(), log).one();
    assert_eq!(second, first);
    assert_eq!(second["card"], "4711");
}

#[test]
fn a_layer_that_has_no_line_of_an_error_gets_that_of_the_runtime() {
    let silent = || logging().filter("powertools=off");
    let runtime = || tracing::error!(target: "lambda_runtime::layers::panic", "{:?}", "lost");
    let events = || {
        let failed = logs::observe(async { Err::<(), &str>("lost") });
        let failed = invocation().build().scope(async {
            failed.await.unwrap_err();
            runtime();
        });
        futures_util::FutureExt::now_or_never(failed).expect("nothing to wait for");
    };
    let alone = (logged(silent(), events).take(), logged(logging(), events).take());
    assert!(alone.0.contains("lost") && alone.1.contains("lost"), "{alone:?}");
    assert_eq!(both(silent(), logging(), events), alone);
}
