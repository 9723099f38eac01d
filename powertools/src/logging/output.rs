//! Where lines go: each at once, or those of an invocation together.

use std::cell::Cell;
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
            Self::Together(Together(shared)) => {
                let mut group = shared.lock();
                group.push(line);
                shared.write(&mut group);
            }
        }
    }

    /// Holds a line, if this output can. Returns true if [`flush`](Self::flush) is due.
    pub(super) fn hold(&self, line: &[u8]) -> bool {
        let Self::Together(Together(shared)) = self else { return false };
        let mut group = shared.lock();
        group.push(line);
        match group.thread {
            Thread::Ticks => {}
            Thread::Waits => shared.wake.notify_one(),
            Thread::None => group.thread = shared.clone().start(),
            Thread::Failed => return true,
        }
        group.bytes.len() >= MOST
    }

    /// Writes the lines that are held.
    pub(super) fn flush(&self) {
        if let Self::Together(Together(shared)) = self
            && !WRITES.get()
        {
            shared.write(&mut shared.lock());
        }
    }
}

/// The lines that are held, by all invocations. Its thread ends with it.
pub(super) struct Together(Arc<Shared>);

impl Together {
    fn new(writer: Writer, longest: Duration) -> Self {
        let (group, wake) = (Mutex::default(), Condvar::new());
        Self(Arc::new(Shared { writer, longest, group, wake }))
    }
}

impl Drop for Together {
    fn drop(&mut self) {
        let mut group = self.0.lock();
        self.0.write(&mut group);
        group.is_closed = true;
        self.0.wake.notify_one();
    }
}

struct Shared {
    writer: Writer,
    longest: Duration,
    group: Mutex<Group>,
    wake: Condvar,
}

#[derive(Default)]
struct Group {
    bytes: Vec<u8>,
    /// Where each line ends.
    ends: Vec<usize>,
    thread: Thread,
    is_closed: bool,
}

/// Writes what was held for long enough. Only a thread can, since a handler can block its own.
#[derive(Clone, Copy, Default, PartialEq)]
enum Thread {
    /// No line was held yet.
    #[default]
    None,
    /// It looks for lines in turns.
    Ticks,
    /// It sleeps until there is a line.
    Waits,
    /// The system has none to give: nothing is held.
    Failed,
}

impl Group {
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

    /// Writes a group while it is locked, so that lines keep their order.
    fn write(&self, group: &mut Group) {
        struct Writing;
        impl Drop for Writing {
            fn drop(&mut self) {
                WRITES.set(false);
            }
        }
        WRITES.set(true);
        let _writing = Writing;
        group.pieces(|lines| self.writer.write(lines));
        group.bytes.clear();
        group.bytes.shrink_to(MOST);
        group.ends.clear();
    }

    /// Starts the thread.
    fn start(self: Arc<Self>) -> Thread {
        let thread = thread::Builder::new().name("powertools-logs".to_owned());
        thread.spawn(move || self.tick()).map_or(Thread::Failed, |_| Thread::Ticks)
    }

    fn tick(&self) {
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
            idle = if group.bytes.is_empty() { idle + 1 } else { 0 };
            self.write(&mut group);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver};

    use super::*;

    const NEVER: Duration = Duration::from_secs(3_600);

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
            assert_eq!(written.recv_timeout(Duration::from_secs(10)).unwrap(), line);
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
}
