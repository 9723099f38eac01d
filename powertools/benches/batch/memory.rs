//! The memory of one batch, each time in a process of its own.

use std::fs;
use std::io::{Read, Write, stdin};
use std::process::{Command, Stdio};

use aws_lambda_events::event::sqs::SqsEvent as TheirEvent;
use bytes::Bytes;
use powertools::events::SqsEvent;
use tower::Service;

use crate::lines::{block_on, by_hand, context, invocation, ours, parse};
use crate::messages::event;

/// What this program is told to do one side, and nothing else.
pub(crate) const RUN: &str = "--run-memory";

const SIDES: [(&str, &str); 4] = [
    ("event", "our event alone"),
    ("ours", "our event, handled and answered"),
    ("their event", "aws_lambda_events alone"),
    ("by hand", "aws_lambda_events, handled and answered"),
];

/// Does one side with the event on its input, and says how much memory that took at most.
#[expect(clippy::print_stdout, reason = "what a bench is for")]
pub(crate) fn run(side: &str, length: &str) {
    let mut bytes = Vec::with_capacity(length.parse().expect("a length"));
    stdin().read_to_end(&mut bytes).expect("the event");
    let bytes = Bytes::from(bytes);
    let before = kilobytes("VmHWM");
    match side {
        "event" => drop(parse::<SqsEvent>(&bytes)),
        "their event" => drop(parse::<TheirEvent>(&bytes)),
        "ours" => drop(block_on(ours().call(invocation(&bytes, &context())))),
        _ => drop(block_on(by_hand().call(invocation(&bytes, &context())))),
    }
    println!("{}", kilobytes("VmHWM") - before);
}

fn kilobytes(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux says it");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("it has a line");
    line.trim_matches([':', ' ', '\t', 'k', 'B']).parse().expect("it is a number")
}

#[expect(clippy::print_stdout, reason = "what a bench is for")]
pub(crate) fn print() {
    let event = event(10_000, 412);
    println!("| 10,000 records                          | peak MB |");
    println!("|-----------------------------------------|--------:|");
    for (side, name) in SIDES {
        let program = std::env::current_exe().expect("a program has a path");
        let mut child = Command::new(program)
            .args([RUN, side, &event.len().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it can run itself");
        child.stdin.take().expect("a pipe").write_all(&event).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        let text = String::from_utf8_lossy(&output.stdout);
        let kilobytes: f64 = text.trim().parse().expect("a number");
        println!("| {name:39} | {:7.1} |", kilobytes / 1024.0);
    }
}
