use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::Side;
use crate::served::{self, Served};

/// How long the table thinks. One that answers at once sometimes has answered before the caller
/// goes to sleep, and then the side that works longer saves the price of being woken.
const THINKING: Duration = Duration::from_micros(500);

/// What this program is told to be the table.
pub(crate) const SERVE: &str = "--serve";
/// What this program is told to make the calls of one side, and nothing else.
pub(crate) const RUN: &str = "--run";

/// One run more than the other, so that what both do only once cancels out.
const COUNTS: [u64; 2] = [50, 250];

/// Starts the table.
pub(crate) fn table() -> Served {
    Served::start(&[SERVE])
}

/// Answers every request with an empty object, as a table does that agrees, until the input ends.
pub(crate) fn serve() {
    served::serve(answer);
}

fn answer(connection: &TcpStream) -> Option<()> {
    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\n\
        x-amzn-requestid: 0123456789\r\ncontent-length: 2\r\n\r\n{}";

    connection.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(connection);
    loop {
        let mut length = 0;
        let mut line = String::new();
        while reader.read_line(&mut line).ok()? > 2 {
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().ok()?;
            }
            line.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        if line.is_empty() {
            return None;
        }
        thread::sleep(THINKING);
        let mut writer = connection;
        writer.write_all(ANSWER).ok()?;
    }
}

/// The instructions of one first call outside of the kernel, by `valgrind`.
pub(crate) fn instructions(side: Side) -> f64 {
    let table = table();
    let [few, many] = COUNTS;
    let more = count(side, many, &table.address) - count(side, few, &table.address);
    more / (many - few) as f64
}

fn count(side: Side, count: u64, address: &str) -> f64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().expect("a program has a path"))
        .args([RUN, &format!("{side:?}"), &count.to_string(), address])
        .output()
        .expect("valgrind is installed");
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}");
    let collected = report.lines().find_map(|line| line.split_once("Collected : "));
    let (_, collected) = collected.expect("callgrind says how many it counted");
    collected.trim().parse().expect("a number")
}
