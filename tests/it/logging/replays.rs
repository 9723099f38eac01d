//! Lines of a durable execution, which runs its code again in each invocation.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use powertools::DurableExecution;
use tracing::{debug, error, info, info_span, warn};

use super::{invocation, logging, start};

#[test]
fn lines_of_a_replay_are_left_out_and_warnings_are_not() {
    let (lines, _guard) = start(logging().buffer(10_000));
    let replaying = Arc::new(AtomicBool::new(true));
    let invocation = invocation().build();
    let is_replaying = replaying.clone();
    invocation.enter_execution(DurableExecution::replaying("arn", move || {
        is_replaying.load(Ordering::Relaxed)
    }));
    let log = || {
        debug!("debug");
        info!("info");
        warn!("warn");
        error!("error");
    };
    invocation.sync_scope(|| {
        log();
        assert_eq!(lines.messages(), ["warn", "error"]);
        replaying.store(false, Ordering::Relaxed);
        log();
        assert_eq!(lines.messages(), ["info", "warn", "debug", "error"]);
    });
    log();
    assert_eq!(lines.messages(), ["info", "warn", "error"]);
}

#[test]
fn spans_of_the_sdk_say_which_part_is_replayed() {
    const SDK: &str = "aws_durable_execution_sdk::tracing_layer";
    let (lines, _guard) = start(logging());
    let invocation = invocation().build();
    invocation.enter_execution(DurableExecution::replaying("arn", || false));
    invocation.sync_scope(|| {
        let branch = info_span!(target: SDK, parent: None, "durable_execution", isReplay = true);
        branch.in_scope(|| {
            info!("replayed");
            info_span!(target: SDK, "durable_operation", isReplay = false)
                .in_scope(|| info_span!("users").in_scope(|| info!("a step")));
            branch.record("isReplay", false);
            info!("live");
        });
    });
    // A branch can be a task that has no invocation.
    let branch = info_span!(target: SDK, parent: None, "durable_execution", isReplay = true);
    branch.in_scope(|| info!("replayed"));
    // Of others it is a field like any other.
    info_span!("users", isReplay = true).in_scope(|| info!("plain"));
    assert_eq!(lines.messages(), ["a step", "live", "plain"]);
}
