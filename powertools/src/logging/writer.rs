use std::io::Write as _;

/// Where lines go.
pub(super) enum Writer {
    Stdout,
    Custom(Box<Write>),
}

/// Takes a whole line.
pub(super) type Write = dyn Fn(&[u8]) + Send + Sync;

impl Writer {
    /// Writes one line with its line break, whole.
    pub(super) fn write(&self, line: &[u8]) {
        match self {
            // The lock of the standard output keeps lines whole, also among those of `println!`;
            // a line that ends is handed on at once. A closed pipe or a full disk loses the line:
            // there is nobody to be told, and the invocation goes on.
            Self::Stdout => {
                let _ = std::io::stdout().lock().write_all(line);
            }
            Self::Custom(write) => write(line),
        }
    }
}
