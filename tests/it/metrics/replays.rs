//! Values of a durable execution, which runs its code again in each invocation.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use powertools::metrics::{self, MetricSet as _, Metrics, Unit};
use powertools::{DurableExecution, testing};

use super::invocation;

#[derive(Metrics)]
struct Order {
    #[unit(Count)]
    wide: u64,
}

#[test]
fn values_of_a_replay_and_of_a_suspension_are_left_out() {
    let captured = testing::metrics();
    let invocation = captured.invocation(invocation().build());
    let replaying = Arc::new(AtomicBool::new(true));
    let is_replaying = replaying.clone();
    let execution =
        DurableExecution::replaying("arn", move || is_replaying.load(Ordering::Relaxed));
    invocation.enter_execution(execution.clone());
    let measure = || {
        metrics::count("Orders", 1);
        metrics::record("Amount", 7, Unit::Count);
        Order { wide: 1 }.emit();
    };
    invocation.sync_scope(|| {
        measure();
        replaying.store(false, Ordering::Relaxed);
        measure();
        // What lives across a suspension is dropped by it.
        let across = (metrics::time("Charge"), Order { wide: 1 }.emit_on_drop());
        execution.suspend(|| drop(across));
        assert!(execution.is_suspended());
        metrics::count("Suspended", 1);
        metrics::flush();
    });
    assert_eq!(captured.values("Orders"), [1.0]);
    assert_eq!(captured.values("Amount"), [7.0]);
    assert_eq!(captured.values("wide"), [1.0]);
    assert_eq!(captured.values("Suspended"), [1.0]);
    assert!(captured.values("Charge").is_empty());
}
