use super::redact::Redaction;
use crate::json::write;

/// The form of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// One JSON object, flat: for CloudWatch and what reads it.
    #[default]
    Json,
    /// `time level location: message key=value …`: for people.
    Text,
}

impl Format {
    /// What precedes the message.
    pub(in crate::logging) fn before_message(self) -> &'static [u8] {
        match self {
            Self::Json => br#","message":"#,
            Self::Text => b"",
        }
    }

    /// Writes what precedes the message.
    pub(in crate::logging) fn message(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.before_message());
    }

    /// Writes what precedes the value of the field `name`.
    pub(in crate::logging) fn name(self, out: &mut Vec<u8>, name: &str) {
        match self {
            Self::Json => {
                out.extend_from_slice(b",\"");
                write::escaped(out, name, &write::JSON);
                out.extend_from_slice(b"\":");
            }
            Self::Text => {
                out.push(b' ');
                write::escaped(out, name, &write::PLAIN);
                out.push(b'=');
            }
        }
    }
}

/// How fields are written.
#[derive(Clone, Copy)]
pub(in crate::logging) struct Style<'a> {
    pub(in crate::logging) format: Format,
    pub(in crate::logging) redaction: &'a Redaction,
}
