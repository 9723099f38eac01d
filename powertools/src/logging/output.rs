//! Where lines go: each at once, or those of an invocation together.

use std::cell::Cell;
use std::io;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::process::Writer;

/// The longest time that a line is held.
const LONGEST: Duration = Duration::from_millis(50);

/// How many bytes are held; with the line that reaches them, all are written.
const MOST: usize = 64 * 1024;

/// How many bytes are written at once. A pipe takes no more as a whole, so that a process that is
/// killed leaves no part of a line, and more is not faster.
const PIECE: usize = 4096;

/// After so many rounds without a line, the thread waits for the next line.
const IDLE_ROUNDS: u32 = 20;

thread_local! {
    /// This thread writes a group: a line of the writer itself cannot join it.
    static WRITES: Cell<bool> = const { Cell::new(false) };
}

/// Takes the lines of the logs.
pub(super) enum Output {
    /// Writes each line at once.
    OneByOne(Writer),
    /// Can hold lines.
    Together(Together),
}

impl Output {
    pub(super) fn new(writer: Writer, together: bool) -> Self {
        if !together {
            return Self::OneByOne(writer);
        }
        Self::Together(Together::new(writer, LONGEST))
    }

    /// Returns true if a line can be held here and now.
    pub(super) fn holds(&self) -> bool {
        matches!(self, Self::Together(_)) && !WRITES.get()
    }

    /// Writes a line at once, behind those that are held.
    pub(super) fn write(&self, line: &[u8]) {
        match self {
            Self::OneByOne(writer) => writer.write(line),
            Self::Together(Together(shared)) if WRITES.get() => shared.writer.write(line),
            Self::Together(Together(shared)) => shared.write(line),
        }
    }

    /// Holds a line, if this output can. Returns true if [`flush`](Self::flush) is due.
    pub(super) fn hold(&self, line: &[u8]) -> bool {
        let Self::Together(Together(shared)) = self else { return false };
        let mut group = shared.lock();
        group.lines.push(line);
        match group.thread {
            Thread::Ticks => {}
            Thread::Waits => shared.wake.notify_one(),
            Thread::None => group.thread = shared.clone().start(),
            Thread::Failed => return true,
        }
        group.lines.bytes.len() >= MOST
    }

    /// Writes the lines that are held.
    pub(super) fn flush(&self) {
        if let Self::Together(Together(shared)) = self {
            shared.flush();
        }
    }
}

/// The lines that are held, by all invocations. Its thread ends with it.
pub(super) struct Together(Arc<Shared>);

impl Together {
    fn new(writer: Writer, longest: Duration) -> Self {
        let (turn, group, wake) = (Mutex::default(), Mutex::default(), Condvar::new());
        Self(Arc::new(Shared { writer, longest, turn, group, wake }))
    }
}

impl Drop for Together {
    fn drop(&mut self) {
        self.0.flush();
        self.0.lock().is_closed = true;
        self.0.wake.notify_one();
    }
}

struct Shared {
    writer: Writer,
    longest: Duration,
    /// Held by the thread that calls a custom writer, as the lock of the standard output is by one
    /// that writes there. It is taken before `group`, so that lines keep their order.
    turn: Mutex<()>,
    /// Never held while something else is waited for, nor while code of the user runs: who logs may
    /// hold any lock, also that of the standard output.
    group: Mutex<Group>,
    wake: Condvar,
}

#[derive(Default)]
struct Group {
    lines: Lines,
    thread: Thread,
    is_closed: bool,
}

/// Lines with their line breaks, one behind the other.
#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
    /// Where each line ends.
    ends: Vec<usize>,
}

/// Writes what was held for long enough. Only a thread can, since a handler can block its own.
#[derive(Clone, Copy, Default, PartialEq)]
enum Thread {
    /// No line was held yet, or a panic of the writer has ended it.
    #[default]
    None,
    /// It looks for lines in turns.
    Ticks,
    /// It sleeps until there is a line.
    Waits,
    /// The system has none to give: nothing is held.
    Failed,
}

impl Lines {
    fn push(&mut self, line: &[u8]) {
        self.bytes.extend_from_slice(line);
        self.ends.push(self.bytes.len());
    }

    /// Calls `write` with the lines in order, as many at a time as fit into a piece.
    fn pieces(&self, mut write: impl FnMut(&[u8])) {
        let (mut begin, mut end) = (0, 0);
        for &line_end in &self.ends {
            if line_end - begin > PIECE && end > begin {
                write(&self.bytes[begin..end]);
                begin = end;
            }
            end = line_end;
        }
        if end > begin {
            write(&self.bytes[begin..end]);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Group> {
        self.group.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the lines that are held, and then `line`.
    fn write(&self, line: &[u8]) {
        struct Writing;
        impl Drop for Writing {
            fn drop(&mut self) {
                WRITES.set(false);
            }
        }
        let is_stdout = matches!(self.writer, Writer::Stdout);
        let _stdout = is_stdout.then(|| io::stdout().lock());
        let _turn = (!is_stdout).then(|| self.turn.lock().unwrap_or_else(PoisonError::into_inner));
        let mut group = self.lock();
        if !line.is_empty() {
            group.lines.push(line);
        }
        let mut lines = mem::take(&mut group.lines);
        drop(group);

        WRITES.set(true);
        let writing = Writing;
        lines.pieces(|lines| self.writer.write(lines));
        drop(writing);

        lines.bytes.clear();
        lines.bytes.shrink_to(MOST);
        lines.ends.clear();
        let mut group = self.lock();
        if group.lines.bytes.is_empty() {
            group.lines = lines;
        }
    }

    /// Writes the lines that are held. In the writer itself that is for those who called it.
    fn flush(&self) {
        if !WRITES.get() {
            self.write(b"");
        }
    }

    /// Starts the thread.
    fn start(self: Arc<Self>) -> Thread {
        let thread = thread::Builder::new().name("powertools-logs".to_owned());
        thread.spawn(move || self.tick()).map_or(Thread::Failed, |_| Thread::Ticks)
    }

    fn tick(&self) {
        struct Alive<'a>(&'a Shared);
        impl Drop for Alive<'_> {
            fn drop(&mut self) {
                // The next line starts another one.
                self.0.lock().thread = Thread::None;
            }
        }
        let _alive = Alive(self);
        let mut group = self.lock();
        let mut idle = 0;
        while !group.is_closed {
            if idle == IDLE_ROUNDS {
                group.thread = Thread::Waits;
                group = self.wake.wait(group).unwrap_or_else(PoisonError::into_inner);
                group.thread = Thread::Ticks;
                idle = 0;
                continue;
            }
            let waited = self.wake.wait_timeout(group, self.longest);
            group = waited.unwrap_or_else(PoisonError::into_inner).0;
            if group.lines.bytes.is_empty() {
                idle += 1;
                continue;
            }
            idle = 0;
            drop(group);
            self.flush();
            group = self.lock();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver};
    use std::time::Instant;

    use super::*;

    const NEVER: Duration = Duration::from_secs(3_600);

    /// What does not happen within this time never happens.
    const LONG: Duration = Duration::from_secs(10);

    /// An output that holds lines for so long, and what it writes at a time.
    fn together(longest: Duration) -> (Output, Receiver<String>) {
        let (sender, written) = mpsc::channel();
        let write = move |lines: &[u8]| {
            let _ = sender.send(String::from_utf8(lines.to_vec()).unwrap());
        };
        (Output::Together(Together::new(Writer::Custom(Box::new(write)), longest)), written)
    }

    #[test]
    fn a_line_that_is_held_comes_before_one_that_is_not() {
        let (output, written) = together(NEVER);
        output.hold(b"one\n");
        output.hold(b"two\n");
        output.write(b"three\n");
        assert_eq!(written.recv().unwrap(), "one\ntwo\nthree\n");
        drop(output);
        assert_eq!(written.recv().ok(), None);
    }

    #[test]
    fn pieces_consist_of_whole_lines_that_a_pipe_takes_at_once() {
        let (output, written) = together(NEVER);
        let lengths = [1, 4095, 4096, 1, 10_000, 4000, 96, 1, 2000, 2096, 4097];
        let lines = lengths.map(|length| "x".repeat(length - 1) + "\n");
        for line in &lines {
            output.hold(line.as_bytes());
        }
        output.flush();
        drop(output);
        let pieces: Vec<String> = written.iter().collect();
        let lengths: Vec<_> = pieces.iter().map(String::len).collect();
        assert_eq!(lengths, [4096, 4096, 1, 10_000, 4096, 2001, 2096, 4097]);
        assert_eq!(pieces.concat(), lines.concat());
    }

    #[test]
    fn a_flush_is_due_at_64_kib() {
        let (output, _written) = together(NEVER);
        let line = [b'x'; 1024];
        let due: Vec<_> = (0..64).map(|_| output.hold(&line)).collect();
        assert_eq!(due.iter().position(|due| *due), Some(63));
    }

    #[test]
    fn a_line_is_written_after_a_while_also_by_a_thread_that_had_nothing_to_do() {
        let (output, written) = together(Duration::from_millis(1));
        let Output::Together(Together(shared)) = &output else { unreachable!() };
        for line in ["one\n", "two\n"] {
            output.hold(line.as_bytes());
            assert_eq!(written.recv_timeout(LONG).unwrap(), line);
            while shared.lock().thread != Thread::Waits {
                thread::yield_now();
            }
        }
    }

    #[test]
    fn a_line_of_the_writer_itself_is_written() {
        let (sender, written) = mpsc::channel();
        let output: Arc<std::sync::OnceLock<Output>> = Arc::default();
        let inner = output.clone();
        let write = move |lines: &[u8]| {
            let _ = sender.send(lines.to_vec());
            let output = inner.get().unwrap();
            assert!(!output.holds());
            if lines == b"outer\n" {
                output.write(b"inner\n");
                output.flush();
            }
        };
        let _ = output.set(Output::new(Writer::Custom(Box::new(write)), true));
        output.get().unwrap().write(b"outer\n");
        assert_eq!([written.recv().unwrap(), written.recv().unwrap()].concat(), b"outer\ninner\n");
    }

    #[test]
    fn a_line_is_held_while_others_are_written() {
        let (held, is_held) = mpsc::channel();
        let (sender, written) = mpsc::channel();
        let is_held = Mutex::new(is_held);
        let write = move |lines: &[u8]| {
            sender.send(lines.to_vec()).unwrap();
            // As a writer that logs waits for a lock of who holds a line.
            let _ = sender.send(match is_held.lock().unwrap().recv_timeout(LONG) {
                Ok(()) => b"ended".to_vec(),
                Err(_) => b"hung".to_vec(),
            });
        };
        let output = Output::new(Writer::Custom(Box::new(write)), true);
        thread::scope(|scope| {
            scope.spawn(|| output.write(b"one\n"));
            assert_eq!(written.recv().unwrap(), b"one\n");
            output.hold(b"two\n");
            held.send(()).unwrap();
            assert_eq!(written.recv().unwrap(), b"ended");
            held.send(()).unwrap();
        });
    }

    #[test]
    fn a_panic_of_the_writer_ends_neither_later_lines_nor_their_writing_after_a_while() {
        let (sender, written) = mpsc::channel();
        let write = move |lines: &[u8]| {
            assert_ne!(lines, b"one\n", "on purpose");
            let _ = sender.send(lines.to_vec());
        };
        let writer = Writer::Custom(Box::new(write));
        let output = Output::Together(Together::new(writer, Duration::from_millis(1)));
        let Output::Together(Together(shared)) = &output else { unreachable!() };
        output.hold(b"one\n");
        let begun = Instant::now();
        while shared.lock().thread != Thread::None {
            assert!(begun.elapsed() < LONG, "the dead thread counts as alive");
            thread::yield_now();
        }
        output.hold(b"two\n");
        assert_eq!(written.recv_timeout(LONG).unwrap(), b"two\n");
    }
}
