use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use super::Json;
use crate::hex::write_hex;
use crate::invocation::DurableExecution;

/// The string under which a record is stored.
///
/// Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// Returns the key as a string slice.
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

/// A map by keys finds them by a string slice, too.
impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Seconds since the Unix epoch, the unit of `expiration` in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EpochSeconds(pub u64);

/// Milliseconds since the Unix epoch, the unit of `in_progress_expiration` in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EpochMillis(pub u64);

impl EpochMillis {
    /// Returns the second that contains this instant.
    #[must_use]
    pub fn floor(self) -> EpochSeconds {
        EpochSeconds(self.0 / 1000)
    }

    /// Returns the first second that does not start before this instant.
    #[must_use]
    pub fn ceil(self) -> EpochSeconds {
        EpochSeconds(self.0.div_ceil(1000))
    }

    /// Returns this instant as a [`SystemTime`].
    #[must_use]
    pub fn to_system_time(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.0)
    }
}

/// Converts a time before the epoch to the epoch.
impl From<SystemTime> for EpochMillis {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self(since.as_millis().try_into().unwrap_or(u64::MAX))
    }
}

/// The random id of a claim: 128 bits from the operating system, new for every claim.
///
/// It fences every later write. It does not come from a generator in this process, because one that
/// was seeded before a snapshot repeats itself in every environment that is restored from it.
///
/// All claims of one [durable execution](crate::DurableExecution) have the same id: 128 bits of the hash
/// of its ARN. What differs, and fences the writes, is their [`attempt`](Self::attempt).
// An array, since every request has a copy, which would allocate if it were a `String`.
#[derive(Clone, PartialEq, Eq)]
pub struct Owner {
    id: [u8; 32],
    attempt: Option<Arc<str>>,
}

fn random() -> Result<[u8; 32], getrandom::Error> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits)?;
    let mut digits = [0; 32];
    write_hex(&mut digits, &bits);
    Ok(digits)
}

fn digits(digits: &[u8]) -> &str {
    std::str::from_utf8(digits).unwrap_or_default()
}

fn attempt(claim: &[u8; 32], invocation: &str) -> Arc<str> {
    format!("{}/{invocation}", digits(claim)).into()
}

/// Returns the id of the invocation in an attempt.
fn invocation_of(attempt: &str) -> Option<&str> {
    Some(attempt.split_once('/')?.1)
}

impl Owner {
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        Ok(Self { id: random()?, attempt: None })
    }

    /// Returns the owner of a new claim in an invocation of a durable execution.
    pub(crate) fn of_execution(execution: &DurableExecution) -> Result<Self, getrandom::Error> {
        let mut id = [0; 32];
        write_hex(&mut id, &Sha256::digest(execution.arn().as_bytes())[..16]);
        let claim = random()?;
        let invocation = digits(execution.invocation_id(claim));
        Ok(Self { id, attempt: Some(attempt(&claim, invocation)) })
    }

    /// Returns the owner for another claim in the same invocation of the durable execution.
    pub(super) fn again(&self) -> Result<Self, getrandom::Error> {
        let invocation = self.attempt().and_then(invocation_of).unwrap_or_default();
        Ok(Self { id: self.id, attempt: Some(attempt(&random()?, invocation)) })
    }

    /// Returns the owner as it is written to a record: 32 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        digits(&self.id)
    }

    /// Returns what distinguishes this claim from the others of its durable execution, as it is written
    /// to a record: 128 random bits in hexadecimal digits, a slash, and those of the first claim in the
    /// invocation. `None` outside a durable execution.
    #[must_use]
    pub fn attempt(&self) -> Option<&str> {
        self.attempt.as_deref()
    }

    /// Returns true if this claim wrote the record.
    pub(super) fn wrote(&self, record: &Record) -> bool {
        record.owner.as_deref() == Some(self.as_str())
            && record.attempt.as_deref() == self.attempt()
    }

    /// Returns the attempt of another claim of the same durable execution that wrote the record, if
    /// this one may take its place: one of another invocation.
    pub(super) fn earlier_attempt<'a>(&self, record: &'a Record) -> Option<&'a str> {
        let own = invocation_of(self.attempt()?)?;
        let earlier = record.attempt.as_deref()?;
        let is_same_execution = record.owner.as_deref() == Some(self.as_str());
        (is_same_execution && invocation_of(earlier)? != own).then_some(earlier)
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut owner = f.debug_tuple("Owner");
        owner.field(&self.as_str());
        if let Some(attempt) = self.attempt() {
            owner.field(&attempt);
        }
        owner.finish()
    }
}

/// The state of the work of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Claimed, and neither completed nor released: `INPROGRESS`.
    InProgress,
    /// Completed, with a result or with the reason for not having one: `COMPLETED`.
    Completed,
    /// A status that this version does not know.
    Other(String),
}

impl Status {
    /// Returns the status as it is written to a record.
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

/// A stored result, in one of two forms.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Data {
    /// A string: the attribute type S of DynamoDB.
    Text(String),
    /// A value in the types of the store: M, L, N, BOOL or NULL in DynamoDB.
    Value(Json),
}

/// What a store keeps under one key.
///
/// Attributes that a record does not have are `None`; the toolkits for other languages omit some.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Record {
    /// The state of the work.
    pub status: Status,
    /// When the record expires; also the time-to-live attribute of the table.
    pub expiration: Option<EpochSeconds>,
    /// When the lease of a record that is in progress expires. One that another toolkit completed has it, too.
    pub in_progress_expiration: Option<EpochMillis>,
    /// The owner of the claim.
    pub owner: Option<String>,
    /// The claim among those of one durable execution: see [`Owner::attempt`].
    pub attempt: Option<String>,
    /// The hash of the payload, if payloads are validated.
    pub validation: Option<String>,
    /// The result.
    pub data: Option<Data>,
    /// Why the record of completed work does not contain the result.
    pub not_stored: Option<String>,
}

impl Record {
    /// Creates a record that has only a status.
    #[must_use]
    pub fn new(status: Status) -> Self {
        Self {
            status,
            expiration: None,
            in_progress_expiration: None,
            owner: None,
            attempt: None,
            validation: None,
            data: None,
            not_stored: None,
        }
    }

    /// Returns true if nothing prevents a claim at `now`: see
    /// [`Store::claim`](super::Store::claim).
    pub(super) fn is_free(&self, now: EpochMillis) -> bool {
        let expired = self.expiration.is_some_and(|end| end < now.floor());
        let lapsed = self.status == Status::InProgress
            && self.in_progress_expiration.is_some_and(|end| end < now);
        expired || lapsed
    }
}
