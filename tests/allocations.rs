//! What a log line and a look at the time allocate.

use std::hint::black_box;
use std::time::Duration;

use allocation_counter::measure;
use powertools::Deadline;
use powertools::logging::{self, Logging};
use powertools::testing;
use tracing_subscriber::layer::SubscriberExt;

#[test]
fn a_line_allocates_nothing_after_the_first_ones() {
    let line = || tracing::info!(order_id = 7, customer = "Ada", "order {}", black_box("accepted"));
    let debug = || tracing::debug!(order_id = 7, "looked at");
    let typed = || tracing::info!(x = 9.5, n = u128::MAX, d = ?Some(1), flag = true, "typed");
    for (name, log) in
        [("plain", &line as &dyn Fn()), ("below the level", &debug), ("typed", &typed)]
    {
        assert_eq!(allocations(Logging::new(), log), 0, "{name}");
    }
}

#[test]
fn a_line_in_a_span_and_with_appended_keys_allocates_nothing_either() {
    let logged = allocations(Logging::new().key("stage", "prod"), &|| {
        tracing::info!(order_id = 7, "order accepted");
    });
    assert_eq!(logged, 0);
}

#[test]
fn a_look_at_the_deadline_allocates_nothing() {
    let look = || {
        let deadline = Deadline::current();
        black_box((deadline.remaining(), deadline.ensure(Duration::from_millis(1)).is_ok()));
    };
    testing::invocation().build().sync_scope(|| {
        look();
        assert_eq!(measure(|| (0..10).for_each(|_| look())).count_total, 0);
    });
}

/// The allocations of ten lines in an invocation with a key and a span, when others were before.
fn allocations(logging: Logging, log: &dyn Fn()) -> u64 {
    let logging = logging.environment([("", "")]).writer(|line| {
        black_box(line);
    });
    let subscriber = tracing_subscriber::registry().with(logging.layer().unwrap());
    tracing::subscriber::with_default(subscriber, || {
        testing::invocation().build().sync_scope(|| {
            logging::append("step", 2);
            let _span = tracing::info_span!("charge", card = "visa", amount = 9.5).entered();
            log();
            log();
            measure(|| (0..10).for_each(|_| log())).count_total
        })
    })
}
