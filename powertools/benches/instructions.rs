//! The instructions of one side of a bench, by valgrind: on a machine with other work, times say little.

use std::process::Command;

/// The argument that makes a bench run one side of a line so often, and nothing else.
pub(crate) const RUN: &str = "--run";

/// Counts the instructions of one run of `side`, from the difference between two numbers of runs: what both do only
/// once cancels out.
pub(crate) fn per_run(line: &str, side: &str, [few, many]: [u64; 2]) -> f64 {
    let more = count(line, side, many).saturating_sub(count(line, side, few));
    more as f64 / (many - few) as f64
}

fn count(line: &str, side: &str, runs: u64) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().expect("a program has a path"))
        .args([RUN, line, side, &runs.to_string()])
        .output()
        .expect("valgrind is installed");
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}");
    let collected = report.lines().find_map(|line| line.split_once("Collected : "));
    let (_, collected) = collected.expect("callgrind reports how many it counted");
    collected.trim().parse().expect("a number")
}
