//! One line for a unit of work.

use std::fmt;
use std::panic::catch_unwind;
use std::time::Duration;

use powertools::Invocation;
use powertools::metrics::{self as measure, MetricSet as _, Metrics, Unit};
use serde_json::json;

use super::measured;

#[derive(Metrics)]
#[metrics(rename_all = "PascalCase")]
struct Checkout<'a> {
    #[dimension]
    #[name = "channel"]
    channel: &'a str,
    #[property]
    order_id: u32,
    #[unit(Milliseconds)]
    #[high_resolution]
    charge_time: Duration,
    #[unit(Count)]
    items: Vec<u32>,
    #[unit(Bytes)]
    invoice: Option<u64>,
    #[skip]
    #[expect(dead_code, reason = "it is not on the line")]
    card: &'a str,
}

fn checkout() -> Checkout<'static> {
    Checkout {
        channel: "web",
        order_id: 7,
        charge_time: Duration::from_micros(1500),
        items: vec![1, 2],
        invoice: None,
        card: "4242",
    }
}

#[test]
fn a_unit_of_work_is_one_line_of_its_own() {
    let measured = measured(|| {
        measure::dimension("stage", "prod");
        measure::property("request", "r-1");
        measure::count("Orders", 1);
        checkout().emit();
        Checkout { invoice: Some(100), ..checkout() }.emit();
    });
    let [first, second, orders] = &measured.lines()[..] else { panic!("three lines") };
    assert_eq!(first.dimensions.iter().collect::<Vec<_>>().len(), 2);
    assert_eq!((&*first.dimensions["stage"], &*first.dimensions["channel"]), ("prod", "web"));
    assert_eq!(first.properties["OrderId"], 7);
    assert_eq!(first.properties["request"], json!("r-1"));
    let names: Vec<_> = first.metrics.keys().collect();
    assert_eq!(names, ["ChargeTime", "Items"]);
    assert_eq!(first.metrics["ChargeTime"].values, [1.5]);
    assert_eq!(first.metrics["ChargeTime"].unit, Unit::Milliseconds);
    assert!(first.metrics["ChargeTime"].is_high_resolution);
    assert_eq!(first.metrics["Items"].values, [1.0, 2.0]);
    assert_eq!(second.metrics["Invoice"].values, [100.0]);
    assert!(!orders.dimensions.contains_key("channel"));
}

#[test]
fn a_line_that_is_emitted_when_it_is_dropped_belongs_to_where_it_began() {
    let mut kept = None;
    let measured = measured(|| {
        let mut checkout = checkout().emit_on_drop();
        checkout.items.push(3);
        kept = Some(checkout);
    });
    assert!(Invocation::current().is_none());
    assert_eq!(measured.lines().len(), 0);
    drop(kept);
    assert_eq!(measured.values("Items"), [1.0, 2.0, 3.0]);
}

#[test]
fn an_error_writes_the_line_too() {
    fn fail() -> Result<(), &'static str> {
        let _line = checkout().emit_on_drop();
        Err("declined")
    }
    let captured = measured(|| assert!(fail().is_err()));
    assert_eq!(captured.values("Items"), [1.0, 2.0]);
}

/// A second panic would end the process, with all of its invocations.
#[test]
fn a_value_that_panics_is_not_written_and_leaves_the_panic_of_the_work() {
    struct Panics;
    impl fmt::Display for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("in a dimension")
        }
    }
    #[derive(Metrics)]
    struct Line {
        #[dimension]
        stage: Panics,
        #[unit(Count)]
        items: u32,
    }
    let captured = measured(|| {
        drop(Line { stage: Panics, items: 1 }.emit_on_drop());
        let work = || -> () {
            let _line = Line { stage: Panics, items: 1 }.emit_on_drop();
            panic!("in the work");
        };
        let panic = catch_unwind(work).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"in the work"));
    });
    assert_eq!(captured.json_lines(), [] as [String; 0]);
}

#[test]
fn a_line_without_a_value_is_not_written() {
    #[derive(Metrics)]
    struct Nothing {
        #[dimension]
        stage: &'static str,
        #[unit(Count)]
        items: Option<u32>,
    }
    let captured = measured(|| Nothing { stage: "prod", items: None }.emit());
    assert_eq!(captured.json_lines(), [] as [String; 0]);
}
