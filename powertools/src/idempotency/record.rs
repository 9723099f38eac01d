use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::Json;

/// The text under which a record is kept.
///
/// Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Seconds since the Unix epoch: the unit of a record's `expiration`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EpochSeconds(pub u64);

/// Milliseconds since the Unix epoch: the unit of a record's `in_progress_expiration`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EpochMillis(pub u64);

impl EpochMillis {
    /// The second that this moment is in.
    #[must_use]
    pub fn floor(self) -> EpochSeconds {
        EpochSeconds(self.0 / 1000)
    }

    /// The first second that does not begin before this moment.
    #[must_use]
    pub fn ceil(self) -> EpochSeconds {
        EpochSeconds(self.0.div_ceil(1000))
    }

    /// This moment as a [`SystemTime`].
    #[must_use]
    pub fn to_system_time(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.0)
    }
}

/// A time before the epoch becomes the epoch.
impl From<SystemTime> for EpochMillis {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self(since.as_millis().try_into().unwrap_or(u64::MAX))
    }
}

/// Who holds a claim: 128 bits from the operating system, new for every claim.
///
/// Not from a generator in this process: one that was seeded before a snapshot repeats itself in
/// every environment that is restored from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner(String);

impl Owner {
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut bits = [0; 16];
        getrandom::fill(&mut bits)?;
        Ok(Self(format!("{:032x}", u128::from_ne_bytes(bits))))
    }

    /// The owner as it stands in a record: 32 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How far the work of a record has come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Claimed, and not finished: `INPROGRESS`.
    InProgress,
    /// Finished, with a result or the reason why there is none: `COMPLETED`.
    Completed,
    /// A word that this version does not know.
    Other(String),
}

impl Status {
    /// The status as it stands in a record.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::InProgress => "INPROGRESS",
            Self::Completed => "COMPLETED",
            Self::Other(word) => word,
        }
    }
}

impl From<String> for Status {
    fn from(word: String) -> Self {
        match word.as_str() {
            "INPROGRESS" => Self::InProgress,
            "COMPLETED" => Self::Completed,
            _ => Self::Other(word),
        }
    }
}

/// A stored result, in one of the two forms that records have.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Data {
    /// A text: attribute type S in DynamoDB.
    Text(String),
    /// A value in the store's own types: M, L, N, BOOL or NULL in DynamoDB.
    Value(Json),
}

/// What a store holds under one key.
///
/// Times and fields that a record lacks are `None`; the toolkits of other languages leave some out.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Record {
    /// How far the work has come.
    pub status: Status,
    /// From when on the record counts as gone; also the time-to-live of the table.
    pub expiration: Option<EpochSeconds>,
    /// When the claim of an unfinished record ends.
    pub in_progress_expiration: Option<EpochMillis>,
    /// Who claimed it.
    pub owner: Option<String>,
    /// The hash of the payload, where payloads are validated.
    pub validation: Option<String>,
    /// The result.
    pub data: Option<Data>,
    /// Why the result of finished work is not in the record.
    pub not_stored: Option<String>,
}

impl Record {
    /// A record with nothing but its status; set the fields that it has.
    #[must_use]
    pub fn new(status: Status) -> Self {
        Self {
            status,
            expiration: None,
            in_progress_expiration: None,
            owner: None,
            validation: None,
            data: None,
            not_stored: None,
        }
    }
}
