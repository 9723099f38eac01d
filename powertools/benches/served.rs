//! A server in a process of its own, so that its time does not count.

use std::io::{BufRead, BufReader, Read, Write, stdin, stdout};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;

/// The server, until it is dropped.
pub(crate) struct Served {
    process: Child,
    /// The port on loopback and its host, without a scheme.
    pub(crate) address: String,
}

impl Served {
    /// Starts this program with `args`, which make it [`serve`].
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("a program has a path"))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program can be started");
        let mut address = String::new();
        BufReader::new(process.stdout.as_mut().expect("it is piped"))
            .read_line(&mut address)
            .expect("it says where it listens");
        Self { process, address: address.trim().to_owned() }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.process.stdin.take());
        _ = self.process.wait();
    }
}

/// Answers connections, each in a thread, until the input ends.
pub(crate) fn serve(answer: impl Fn(&TcpStream) -> Option<()> + Copy + Send + 'static) {
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
