use std::process::Command;

use crate::lines::{LINES, Line};
use crate::table::Row;

/// What this program is told to do one side of a line so often, and nothing else.
pub(crate) const RUN: &str = "--run";

/// One run more than the other, so that what both do only once cancels out.
const COUNTS: [u64; 2] = [1_000, 3_000];

/// Does one side of a line.
pub(crate) fn run(name: &str, side: &str, count: &str) {
    let line = LINES.iter().find(|line| line.name == name).expect("a line has this name");
    let side = if side == "ours" { line.ours } else { line.floor };
    side(count.parse().expect("a number"));
}

/// Counts the instructions of all lines.
pub(crate) fn rows() -> Vec<Row> {
    LINES
        .iter()
        .map(|line| {
            let (ours, floor) = (per_call(line, "ours"), per_call(line, "floor"));
            Row { line, ours, floor, ratio: ours / floor }
        })
        .collect()
}

fn per_call(line: &Line, side: &str) -> f64 {
    let [few, many] = COUNTS;
    let more = count(line, side, many).saturating_sub(count(line, side, few));
    more as f64 / (many - few) as f64
}

/// The instructions of this program for `count` calls, by `valgrind`.
fn count(line: &Line, side: &str, count: u64) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().expect("a program has a path"))
        .args([RUN, line.name, side, &count.to_string()])
        .output()
        .expect("valgrind is installed");
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}");
    let collected = report.lines().find_map(|line| line.split_once("Collected : "));
    let (_, collected) = collected.expect("callgrind says how many it counted");
    collected.trim().parse().expect("a number")
}
