use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use lambda_runtime::Error as BoxError;

use super::action::Action;
use crate::idempotency::transaction::Item;

/// A client of DynamoDB, as far as the store needs one. It retries a request that may succeed in
/// another attempt, and all attempts together take at most `timeout`.
pub(super) trait Requests: fmt::Debug + Send + Sync {
    /// Returns the region of the tables.
    fn region(&self) -> Option<&str>;

    /// Makes one write: PutItem, UpdateItem or DeleteItem.
    fn write<'a>(&'a self, action: Action<'a>, timeout: Duration) -> Reply<'a, ()>;

    /// Reads an item: GetItem.
    fn read<'a>(&'a self, get: Get<'a>, timeout: Duration) -> Reply<'a, Option<Item>>;

    /// Makes all writes or none: TransactWriteItems. Writes that were made before under this token
    /// are not repeated.
    fn transact<'a>(
        &'a self,
        actions: Vec<Action<'a>>,
        token: &'a str,
        timeout: Duration,
    ) -> Reply<'a, ()>;
}

pub(super) type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// What to read.
#[derive(Debug)]
pub(super) struct Get<'a> {
    pub(super) table: &'a str,
    pub(super) key: Item,
    pub(super) part: Part<'a>,
}

/// How much of an item is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'a> {
    /// All of it, after every write that has returned.
    Consistent,
    /// This attribute, at half the price.
    Attribute(&'a str),
}

/// The placeholder of [`Part::Attribute`].
pub(super) const ATTRIBUTE: &str = "#id";

/// Why a request has no result.
#[derive(Debug)]
pub(super) enum Failure {
    /// The condition does not hold; with the existing item, if it was returned.
    Refused(Option<Item>),
    /// The transaction was cancelled, with a reason for each action.
    Cancelled(Vec<Reason>),
    /// The service returned an error with this code.
    Service(String, BoxError),
    /// There was no answer in time.
    Timeout(BoxError),
    /// There are no credentials.
    NoCredentials(BoxError),
    /// The service cannot be reached, or the connection broke.
    Unreachable(BoxError),
    /// No request can be built from these values.
    Invalid(BoxError),
    /// There is an answer, but not one of DynamoDB.
    Unusable(BoxError),
    /// The last attempt failed like this, but an earlier one may have been carried out.
    InDoubt(Box<Failure>),
}

impl Failure {
    /// Returns the failure of a request of which an earlier attempt may have been carried out.
    pub(super) fn in_doubt(self) -> Self {
        match self {
            // A refusal has its own rules: it may be the effect of the earlier attempt.
            Self::Refused(_) | Self::InDoubt(_) => self,
            failure => Self::InDoubt(Box::new(failure)),
        }
    }
}

/// Why an action of a transaction was not applied.
#[derive(Debug)]
pub(super) struct Reason {
    /// `None` for an action that is not the cause.
    pub(super) code: Option<String>,
    pub(super) item: Option<Item>,
}
