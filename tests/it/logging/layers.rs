//! One logging layer for each process.

use tracing_subscriber::layer::SubscriberExt;

use super::{Lines, invocation, logging};

#[test]
fn a_second_layer_writes_a_warning_and_nothing_else() {
    let (first, second) = (Lines::default(), Lines::default());
    let subscriber = tracing_subscriber::registry()
        .with(first.layer(logging().redact(["card"])))
        .with(second.layer(logging().buffer(1024)));
    tracing::subscriber::with_default(subscriber, || {
        invocation().build().sync_scope(|| {
            let span = tracing::info_span!("s", card = "4711", more = "none").entered();
            span.record("more", "later");
            tracing::debug!("debug");
            tracing::error!("error");
        });
    });
    let line = first.one();
    assert_eq!((&line["message"], &line["more"]), (&"error".into(), &"later".into()));
    assert_eq!(line["card"], "*****");
    let line = second.one();
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["message"], "there is another logging layer: this one writes nothing");
}
