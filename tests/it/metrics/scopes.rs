//! To whom dimensions and properties belong.

use std::time::Duration;

use powertools::batch::{self, Message};
use powertools::metrics::{self as measure, Unit};
use powertools::{Invocation, testing};
use serde_json::json;
use tokio::time::sleep;

use super::{invocation, lines, measured};
use crate::batch::messages;

#[test]
fn a_value_keeps_the_dimensions_with_which_it_was_recorded() {
    let measured = measured(|| {
        measure::count("Orders", 1);
        measure::dimension("currency", "EUR");
        measure::count("Orders", 2);
        measure::dimension("currency", "USD");
        measure::count("Orders", 4);
        measure::dimension("currency", "EUR");
        measure::count("Orders", 8);
    });
    let lines = measured.lines();
    let orders = |currency: Option<&str>| {
        let line =
            lines.iter().find(|line| line.dimensions.get("currency").map(|c| &**c) == currency);
        line.expect("there is a line").metrics["Orders"].values.clone()
    };
    assert_eq!(lines.len(), 3);
    assert_eq!(orders(None), [1.0]);
    assert_eq!(orders(Some("EUR")), [2.0, 8.0]);
    assert_eq!(orders(Some("USD")), [4.0]);
}

#[test]
fn a_set_for_single_values_changes_no_others() {
    let measured = measured(|| {
        let euros = measure::with("currency", "EUR").property("order", 7);
        euros.count("Orders", 1);
        measure::count("Orders", 2);
        euros.record("Revenue", 9.5, Unit::None);
    });
    let [euros, others] = &measured.lines()[..] else { panic!("two lines") };
    assert_eq!(euros.dimensions["currency"], "EUR");
    assert_eq!(euros.properties["order"], 7);
    assert_eq!(euros.metrics.len(), 2);
    assert!(others.dimensions.is_empty() && others.properties.is_empty());
    assert_eq!(others.metrics["Orders"].values, [2.0]);
}

#[test]
fn a_property_of_the_event_is_on_all_its_lines() {
    let lines = lines(|| {
        measure::count("Orders", 1);
        measure::with("currency", "EUR").count("Orders", 1);
        measure::property("order_id", "o-1");
        measure::property("lines", json!([1, { "sku": "a" }]));
    });
    assert_eq!(lines.len(), 2);
    for line in lines {
        assert_eq!(line["order_id"], "o-1");
        assert_eq!(line["lines"], json!([1, { "sku": "a" }]));
    }
}

#[test]
fn a_raw_property_with_line_breaks_stays_on_its_line() {
    let captured = measured(|| {
        let raw: Box<serde_json::value::RawValue> =
            serde_json::from_str("{\n\"a\": \"b\\nc\"\r\n}").unwrap();
        measure::property("raw", raw);
        measure::count("Orders", 1);
    });
    let [line] = &captured.json_lines()[..] else { panic!("one line") };
    assert_eq!(line.trim_end().lines().count(), 1);
    assert_eq!(captured.lines()[0].properties["raw"], json!({ "a": "b\nc" }));
}

#[tokio::test(start_paused = true)]
async fn what_a_record_sets_ends_with_it_at_any_concurrency() {
    for concurrency in [1, 4] {
        let captured = testing::metrics();
        let invocation = captured.invocation(invocation().build());
        invocation
            .scope(async {
                measure::dimension("queue", "orders");
                let handler = async |message: Message<u64>| {
                    let n = message.body;
                    measure::count("Received", 1);
                    measure::dimension("customer", format!("c{n}"));
                    measure::property("n", n);
                    sleep(Duration::from_secs(5 - n)).await;
                    let timer = measure::time("Charge");
                    sleep(Duration::from_secs(1)).await;
                    drop(timer);
                    measure::record("Amount", n, Unit::None);
                    Ok::<_, String>(())
                };
                let report = batch::sqs(messages(4)).concurrency(concurrency).run(handler).await;
                assert!(report.is_done());
                measure::count("Batches", 1);
            })
            .await;

        let lines = captured.lines();
        let (of_records, of_event): (Vec<_>, Vec<_>) =
            lines.iter().partition(|line| line.dimensions.contains_key("customer"));
        assert_eq!(of_records.len(), 4);
        for line in of_records {
            let n = line.properties["n"].as_u64().unwrap();
            assert_eq!(line.dimensions["customer"], format!("c{n}"));
            assert_eq!(line.dimensions["queue"], "orders");
            assert_eq!(line.metrics["Amount"].values, [n as f64]);
            assert_eq!(line.metrics["Charge"].values, [1000.0]);
        }
        let [line] = of_event[..] else { panic!("one line of the event: {of_event:#?}") };
        assert_eq!(line.metrics["Received"].values, [1.0; 4]);
        assert_eq!(line.metrics["Batches"].values, [1.0]);
        assert!(line.properties.is_empty());
    }
}

#[tokio::test]
async fn a_task_that_carries_the_invocation_measures_for_it() {
    let captured = testing::metrics();
    let invocation = captured.invocation(invocation().build());
    invocation
        .scope(async {
            measure::dimension("currency", "EUR");
            let task = Invocation::carry(async { measure::count("Orders", 1) });
            tokio::spawn(task).await.unwrap();
            measure::count("Orders", 1);
        })
        .await;
    let [line] = &captured.lines()[..] else { panic!("one line") };
    assert_eq!(line.dimensions["currency"], "EUR");
    assert_eq!(line.metrics["Orders"].values, [1.0, 1.0]);
}

#[tokio::test(start_paused = true)]
async fn a_timer_records_for_where_it_was_started() {
    let captured = testing::metrics();
    let invocation = captured.invocation(invocation().build());
    let timers = invocation.clone().sync_scope(|| {
        [
            measure::time("Dropped"),
            measure::time("Seconds").unit(Unit::Seconds),
            measure::with("step", "pay").time("Step"),
        ]
    });
    let (stopped, discarded) =
        invocation.sync_scope(|| (measure::time("Stopped"), measure::time("Discarded")));
    sleep(Duration::from_millis(1500)).await;
    drop(timers);
    assert_eq!(stopped.stop(), Duration::from_millis(1500));
    discarded.discard();
    assert_eq!(captured.values("Dropped"), [1500.0]);
    assert_eq!(captured.values("Seconds"), [1.5]);
    assert_eq!(captured.values("Stopped"), [1500.0]);
    assert!(captured.values("Discarded").is_empty());
    let lines = captured.lines();
    let step = lines.iter().find(|line| line.dimensions.contains_key("step")).unwrap();
    assert_eq!(step.metrics["Step"].values, [1500.0]);
}
