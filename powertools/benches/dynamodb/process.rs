use std::io::{BufRead, BufReader, Read, Write, stdin, stdout};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::Side;

/// How long the table thinks. One that answers at once sometimes has answered before the caller
/// goes to sleep, and then the side that works longer saves the price of being woken.
const THINKING: Duration = Duration::from_micros(500);

/// What this program is told to be the table.
pub(crate) const SERVE: &str = "--serve";
/// What this program is told to make the calls of one side, and nothing else.
pub(crate) const RUN: &str = "--run";

/// One run more than the other, so that what both do only once cancels out.
const COUNTS: [u64; 2] = [50, 250];

/// A process that answers every request with an empty object, as a table does that agrees.
pub(crate) struct Table {
    process: Child,
    pub(crate) endpoint: String,
}

impl Table {
    pub(crate) fn start() -> Self {
        let mut process = Command::new(std::env::current_exe().expect("a program has a path"))
            .arg(SERVE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program can be started");
        let mut address = String::new();
        BufReader::new(process.stdout.as_mut().expect("it is piped"))
            .read_line(&mut address)
            .expect("it says where it listens");
        Self { process, endpoint: format!("http://{}", address.trim()) }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.process.stdin.take());
        _ = self.process.wait();
    }
}

/// Is the table until the input ends.
pub(crate) fn serve() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port on loopback can be had");
    let address = listener.local_addr().expect("it listens");
    writeln!(stdout(), "{address}").expect("somebody reads it");
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            thread::spawn(move || answer(&connection));
        }
    });
    _ = stdin().read_to_end(&mut Vec::new());
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
    let table = Table::start();
    let [few, many] = COUNTS;
    let more = count(side, many, &table.endpoint) - count(side, few, &table.endpoint);
    more / (many - few) as f64
}

fn count(side: Side, count: u64, endpoint: &str) -> f64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().expect("a program has a path"))
        .args([RUN, &format!("{side:?}"), &count.to_string(), endpoint])
        .output()
        .expect("valgrind is installed");
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}");
    let collected = report.lines().find_map(|line| line.split_once("Collected : "));
    let (_, collected) = collected.expect("callgrind says how many it counted");
    collected.trim().parse().expect("a number")
}
