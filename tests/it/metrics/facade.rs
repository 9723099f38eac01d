//! Metrics that other crates measure by the macros of the crate `metrics`.

use ::metrics::{
    counter, describe_counter, describe_histogram, gauge, histogram, with_local_recorder,
};
use powertools::metrics::{Recorder, Unit};
use powertools::testing;

use super::{invocation, measured};

#[test]
fn each_kind_is_recorded_in_the_invocation() {
    let recorder = Recorder::new();
    let measured = measured(|| {
        with_local_recorder(&recorder, || {
            counter!("QueriesSent").increment(2);
            counter!("QueriesSent").increment(1);
            histogram!("RowsRead").record(7.5);
            gauge!("ConnectionsOpen").set(3.0);
            gauge!("ConnectionsOpen").increment(2.0);
            gauge!("ConnectionsOpen").decrement(4.0);
        });
    });
    let [line] = &measured.lines()[..] else { panic!("one line") };
    assert_eq!(line.metrics["QueriesSent"].unit, Unit::Count);
    assert_eq!(measured.sum("QueriesSent"), 3.0);
    assert_eq!(line.metrics["RowsRead"].unit, Unit::None);
    assert_eq!(line.metrics["RowsRead"].values, [7.5]);
    assert_eq!(line.metrics["ConnectionsOpen"].values, [3.0, 5.0, 1.0]);
}

#[test]
fn labels_are_dimensions_of_their_value_alone() {
    let recorder = Recorder::new();
    let measured = measured(|| {
        with_local_recorder(&recorder, || {
            counter!("QueriesSent", "Table" => "orders").increment(1);
            counter!("QueriesSent", "Table" => "items").increment(2);
            counter!("QueriesSent").increment(4);
        });
    });
    let mut lines: Vec<_> = measured
        .lines()
        .into_iter()
        .map(|line| {
            (line.dimensions.get("Table").cloned(), line.metrics["QueriesSent"].values.clone())
        })
        .collect();
    lines.sort_by(|a, b| a.0.cmp(&b.0));
    let table = |name: &str| Some(name.to_owned());
    assert_eq!(
        lines,
        [(None, vec![4.0]), (table("items"), vec![2.0]), (table("orders"), vec![1.0])]
    );
}

#[test]
fn units_are_those_that_were_described() {
    let recorder = Recorder::new();
    let measured = measured(|| {
        with_local_recorder(&recorder, || {
            describe_histogram!("Parsing", ::metrics::Unit::Nanoseconds, "of one row");
            describe_histogram!("Cache", ::metrics::Unit::Mebibytes, "in use");
            describe_counter!("Received", ::metrics::Unit::Kibibytes, "from the socket");
            histogram!("Parsing").record(1500.0);
            histogram!("Cache").record(2.0);
            counter!("Received").increment(3);
        });
    });
    let [line] = &measured.lines()[..] else { panic!("one line") };
    for (name, value, unit) in [
        ("Parsing", 1.5, Unit::Microseconds),
        ("Cache", 2_097_152.0, Unit::Bytes),
        ("Received", 3072.0, Unit::Bytes),
    ] {
        assert_eq!((&line.metrics[name].values[..], line.metrics[name].unit), (&[value][..], unit));
    }
}

#[test]
fn a_counter_that_is_set_counts_what_was_added() {
    let (recorder, captured) = (Recorder::new(), testing::metrics());
    for total in [10, 25, 20, 26] {
        captured.invocation(invocation().build()).sync_scope(|| {
            with_local_recorder(&recorder, || counter!("PacketsSeen").absolute(total));
        });
    }
    assert_eq!(captured.values("PacketsSeen"), [10.0, 15.0, 1.0]);
}

#[test]
fn an_increment_of_a_counter_that_is_set_is_a_part_of_its_value() {
    let recorder = Recorder::new();
    let measured = measured(|| {
        with_local_recorder(&recorder, || {
            counter!("PacketsSeen").absolute(10);
            counter!("PacketsSeen").increment(3);
            counter!("PacketsSeen").absolute(20);
        });
    });
    assert_eq!(measured.sum("PacketsSeen"), 20.0);
}
