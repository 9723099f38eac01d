use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long an emulator may take to listen.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts an emulator and returns its port, which is the first line that it prints once it
/// listens. It ends when its standard input does: with this process.
pub(super) fn start(name: &str, mut command: Command, log: &Path) -> Result<u16, String> {
    let failed = |problem: &str| {
        let said = fs::read_to_string(log).unwrap_or_default();
        format!("{name} does not start: {problem}\n{said}")
    };
    let stderr = File::create(log).map_err(|error| failed(&error.to_string()))?;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .map_err(|error| failed(&format!("{command:?}: {error}")))?;

    let stdout = child.stdout.take().expect("it is piped");
    // Holds the pipe open until the operating system closes it.
    std::mem::forget(child.stdin.take());

    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let _ = sender.send(lines.next());
        // A full pipe would stop the emulator.
        lines.for_each(drop);
    });
    match receiver.recv_timeout(PATIENCE) {
        Ok(Some(line)) => {
            let port = line.trim().parse().map_err(|_| failed(&line))?;
            // Its output matters only if it fails to start.
            let _ = fs::remove_file(log);
            Ok(port)
        }
        Ok(None) => Err(failed("it ended")),
        Err(_) => {
            let _ = child.kill();
            Err(failed("it does not listen"))
        }
    }
}
