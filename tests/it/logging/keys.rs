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
fn a_scoped_key_restores_the_previous_value() {
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
fn scoped_keys_go_in_any_order() {
    let steps = |f: &dyn Fn()| -> Vec<serde_json::Value> {
        let lines = logged_in_invocation(logging(), f);
        lines.json().iter().map(|line| line["step"].clone()).collect()
    };
    let log = || tracing::info!("x");
    let first_goes_first = steps(&|| {
        let one = logs::append_scoped("step", 1);
        let two = logs::append_scoped("step", 2);
        drop(one);
        log();
        drop(two);
        log();
    });
    assert_eq!(first_goes_first, [json!(2), json!(null)]);

    let over_a_key = steps(&|| {
        logs::append("step", 0);
        let one = logs::append_scoped("step", 1);
        let two = logs::append_scoped("step", 2);
        let three = logs::append_scoped("step", 3);
        drop(two);
        log();
        drop(three);
        log();
        drop(one);
        log();
    });
    assert_eq!(over_a_key, [3, 1, 0]);

    let changed_inside = steps(&|| {
        logs::append("step", 0);
        let one = logs::append_scoped("step", 1);
        logs::append("step", "changed");
        log();
        logs::remove("step");
        log();
        drop(one);
        log();
        logs::remove("step");
        log();
    });
    assert_eq!(changed_inside, [json!("changed"), json!(null), json!(0), json!(null)]);
}

#[test]
fn the_debug_form_of_a_guard_has_no_value() {
    logged_in_invocation(logging().redact(["card"]), || {
        logs::append("card", "4711");
        let guard = logs::append_scoped("card", "4712");
        assert!(!format!("{guard:?}").contains("471"), "{guard:?}");
    });
}

#[test]
fn a_name_with_and_without_its_underscore_is_one_key() {
    let lines = logged_in_invocation(logging(), || {
        logs::append("level", 1);
        logs::append("level_", 2);
        tracing::info!("x");
        logs::remove("level");
        tracing::info!("x");
    });
    let lines = lines.json();
    assert_eq!((&lines[0]["level_"], lines[1].get("level_")), (&json!(2), None));
}

#[test]
fn a_key_on_each_line_costs_only_its_bytes() {
    let begun = std::time::Instant::now();
    let lines = logged_in_invocation(logging(), || {
        for number in 0..2_000 {
            logs::append(format!("key_{number}"), number);
            logs::append("last", number);
            tracing::info!("x");
        }
    });
    // It is a third of a second where nothing is optimised; were all written again, thirty.
    let taken = begun.elapsed();
    assert!(taken.as_secs() < 10, "{taken:?}");
    let text = lines.take();
    let line: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!((&line["key_0"], &line["last"]), (&json!(0), &json!(1_999)));
}

#[test]
fn a_long_correlation_id_is_truncated() {
    for unit in ["c", "é", "\u{1}"] {
        let lines = logged_in_invocation(logging(), || {
            logs::set_correlation_id(unit.repeat(2_000_000));
            tracing::info!(order = 7, "important");
        });
        let line = lines.one();
        let id = line["correlation_id"].as_str().unwrap();
        assert!(id.len() <= 256 && id.starts_with(unit) && id.ends_with('…'), "{id}");
        assert_eq!((&line["message"], &line["order"]), (&json!("important"), &json!(7)));
        assert_eq!(line.get("truncated"), None);
    }
    let whole = "c".repeat(256);
    let lines = logged_in_invocation(logging(), || {
        logs::set_correlation_id(whole.clone());
        tracing::info!("x");
    });
    assert_eq!(lines.one()["correlation_id"], whole);
}

#[test]
fn a_position_beyond_all_ends_the_search() {
    let event = json!({ "a": [1] });
    logs::set_correlation_id_from(&event, "/a/18446744073709551615").unwrap();
}

#[test]
fn a_field_overrides_a_key_and_a_key_overrides_one_of_the_process() {
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
        logs::set_correlation_id_from(&event, "/nothing/there").unwrap();
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
async fn a_reserve_does_not_change_the_invocation() {
    let (lines, _guard) = start(logging());
    let invocation = testing::invocation().build();
    invocation.clone().sync_scope(|| logs::append("order", 7));
    let shorter = invocation.reserving(std::time::Duration::from_secs(1));
    shorter.sync_scope(|| tracing::info!("x"));
    assert_eq!(lines.one()["order"], 7);
}

#[test]
fn a_name_that_logs_while_it_is_created_does_not_deadlock() {
    struct Name;
    impl From<Name> for std::borrow::Cow<'static, str> {
        fn from(_: Name) -> Self {
            tracing::info!("named");
            "order_id".into()
        }
    }
    let lines = logged_in_invocation(logging(), || {
        logs::append(Name, 7);
        tracing::info!("accepted");
    });
    assert_eq!(lines.messages(), ["named", "accepted"]);
}
