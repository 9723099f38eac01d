//! Keys of one invocation.

use powertools::{Invocation, logging as logs, testing};
use serde_json::json;

use super::{logged, logged_in_invocation, logging, start};

#[test]
fn an_appended_key_is_on_all_further_lines_of_its_invocation() {
    let one = testing::invocation().build();
    let other = testing::invocation().build();
    let lines = logged(logging(), || {
        one.clone().sync_scope(|| {
            tracing::info!("before");
            logs::append("order", json!({ "id": 7 }));
            tracing::info!("after");
        });
        other.sync_scope(|| tracing::info!("another"));
        one.sync_scope(|| tracing::info!("again"));
        tracing::info!("outside");
    });
    let order: Vec<_> = lines.json().iter().map(|line| line["order"]["id"].clone()).collect();
    assert_eq!(order, [json!(null), json!(7), json!(null), json!(7), json!(null)]);
}

#[test]
fn a_key_can_change_and_go() {
    let lines = logged_in_invocation(logging(), || {
        logs::append("a", 1);
        logs::append("b", 1);
        logs::append("a", "two");
        tracing::info!("x");
        logs::remove("a");
        tracing::info!("x");
    });
    let lines = lines.json();
    assert_eq!((&lines[0]["a"], &lines[0]["b"]), (&json!("two"), &json!(1)));
    assert_eq!((lines[1].get("a"), &lines[1]["b"]), (None, &json!(1)));
}

#[test]
fn a_scoped_key_goes_and_brings_back_what_was_there() {
    let lines = logged_in_invocation(logging(), || {
        logs::append("step", 0);
        {
            let _outer = logs::append_scoped("step", 1);
            let _other = logs::append_scoped("other", true);
            {
                let _inner = logs::append_scoped("step", 2);
                tracing::info!("inner");
            }
            tracing::info!("outer");
        }
        tracing::info!("after");
    });
    let lines = lines.json();
    let steps: Vec<_> = lines.iter().map(|line| &line["step"]).collect();
    assert_eq!(steps, [2, 1, 0]);
    assert_eq!(lines[1]["other"], true);
    assert_eq!(lines[2].get("other"), None);
}

#[test]
fn a_field_goes_over_a_key_and_a_key_over_one_of_the_process() {
    let lines = logged_in_invocation(logging().key("a", "process").key("b", "process"), || {
        logs::append("a", "key");
        logs::append("level", "mine");
        tracing::info!("x");
        tracing::info!(a = "field", "x");
    });
    let text = lines.take();
    let [first, second] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert!(first.ends_with(r#""b":"process","a":"key","level_":"mine"}"#), "{first}");
    assert!(second.ends_with(r#""b":"process","level_":"mine","a":"field"}"#), "{second}");
}

#[test]
fn outside_of_an_invocation_nothing_is_appended() {
    let lines = logged(logging(), || {
        logs::append("a", 1);
        logs::set_correlation_id("c");
        let _guard = logs::append_scoped("b", 1);
        tracing::info!("x");
    });
    let line = lines.one();
    assert_eq!((line.get("a"), line.get("b"), line.get("correlation_id")), (None, None, None));
}

#[test]
fn the_correlation_id_can_be_set_and_set_again() {
    let lines = logged_in_invocation(logging(), || {
        tracing::info!("x");
        logs::set_correlation_id("one");
        tracing::info!("x");
        let event = json!({ "headers": { "x-amzn-trace-id": "two" } });
        let path = logs::correlation::APPLICATION_LOAD_BALANCER;
        logs::set_correlation_id_from(&event, path).unwrap();
        tracing::info!("x");
        logs::set_correlation_id_from(&event, "nothing.there").unwrap();
        tracing::info!("x");
    });
    let ids: Vec<_> = lines.json().iter().map(|line| line["correlation_id"].clone()).collect();
    assert_eq!(ids, [json!(null), json!("one"), json!("two"), json!("two")]);
}

#[tokio::test]
async fn a_task_that_carries_the_invocation_writes_its_fields() {
    let (lines, _guard) = start(logging());
    testing::invocation()
        .request_id("r-1")
        .build()
        .scope(async {
            logs::append("order", 7);
            let carried = tokio::spawn(Invocation::carry(async { tracing::info!("carried") }));
            carried.await.unwrap();
            tokio::spawn(async { tracing::info!("alone") }).await.unwrap();
        })
        .await;
    let lines = lines.json();
    assert_eq!((&lines[0]["function_request_id"], &lines[0]["order"]), (&json!("r-1"), &json!(7)));
    assert_eq!((lines[1].get("function_request_id"), lines[1].get("order")), (None, None));
}

#[tokio::test]
async fn what_reserves_time_is_still_the_same_invocation() {
    let (lines, _guard) = start(logging());
    let invocation = testing::invocation().build();
    invocation.clone().sync_scope(|| logs::append("order", 7));
    let shorter = invocation.reserving(std::time::Duration::from_secs(1));
    shorter.sync_scope(|| tracing::info!("x"));
    assert_eq!(lines.one()["order"], 7);
}
