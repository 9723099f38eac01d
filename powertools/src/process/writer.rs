use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where the lines of logs and metrics go.
pub(crate) enum Writer {
    Stdout,
    Custom(Box<Write>),
}

/// Receives a whole line.
pub(crate) type Write = dyn Fn(&[u8]) + Send + Sync;

impl Writer {
    /// Writes one line with its line break, whole.
    pub(crate) fn write(&self, line: &[u8]) {
        static BROKEN: AtomicBool = AtomicBool::new(false);

        match self {
            // The lock of the standard output keeps lines whole, also among those of `println!`.
            // Each line is flushed at its end.
            Self::Stdout => write_line(&mut io::stdout().lock(), &BROKEN, line),
            Self::Custom(write) => write(line),
        }
    }
}

/// Writes a line, and before it a line break if the previous one was incomplete.
///
/// With a closed pipe, a full pipe or a full disk the line is lost: the error cannot be reported, and
/// the invocation continues.
fn write_line(out: &mut impl io::Write, broken: &AtomicBool, line: &[u8]) {
    let begun = if broken.load(Ordering::Relaxed) { out.write_all(b"\n") } else { Ok(()) };
    let written = begun.and_then(|()| out.write_all(line));
    broken.store(written.is_err(), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Accepts this many more bytes.
    struct Room(usize, Vec<u8>);

    impl io::Write for Room {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let Self(room, written) = self;
            if *room == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let taken = bytes.len().min(*room);
            *room -= taken;
            written.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_after_a_partial_one_starts_on_a_new_line() {
        let broken = AtomicBool::new(false);
        let mut out = Room(8, Vec::new());
        for line in ["one\n", "two and more\n", "lost\n"] {
            write_line(&mut out, &broken, line.as_bytes());
        }
        out.0 = 100;
        for line in ["three\n", "four\n"] {
            write_line(&mut out, &broken, line.as_bytes());
        }
        assert_eq!(String::from_utf8(out.1).unwrap(), "one\ntwo \nthree\nfour\n");
    }
}
