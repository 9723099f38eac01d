use std::sync::Arc;
use std::time::Duration;

use super::attempts::WARM_UP_TIMEOUT;
use super::{
    Claim, Completion, Outcome, Read, Reentry, Release, Renewal, Store, StoreError, StoreErrorKind,
};
use crate::idempotency::transaction::Kind;
use crate::idempotency::{EpochMillis, Key, Owner, Record, Status};

mod action;
mod builder;
mod failure;
mod item;
#[cfg(feature = "dynamodb-lean")]
mod lean;
mod requests;
#[cfg(feature = "dynamodb")]
mod sdk;
mod shards;
mod size;
mod transact;

use action::Action;
pub use builder::Builder;
use builder::Schema;
#[cfg(feature = "dynamodb-lean")]
pub use lean::{LeanClient, LeanClientBuilder};
use requests::{Failure, Get, Part, Requests};

/// A store in a DynamoDB table.
///
/// ```no_run
/// use powertools::idempotency::{DynamoDbStore, Error, Idempotency};
///
/// # async fn example(client: aws_sdk_dynamodb::Client) -> Result<(), Error> {
/// // `client` is any client, with the TLS stack, region and credentials of your choice.
/// let idempotency = Idempotency::new(DynamoDbStore::new(client, "idempotency"))?;
///
/// let receipt = idempotency
///     .run("charge", &"order-7", async { Ok::<_, Error>("charged".to_owned()) })
///     .await?;
/// # let _ = receipt;
/// # Ok(()) }
/// ```
///
/// # The table
///
/// The partition key is `id`, a string; there is no sort key. The time-to-live attribute is
/// `expiration`, so that DynamoDB deletes old records. Nothing depends on when it does: an expired
/// record counts as absent.
///
/// ```yaml
/// IdempotencyTable:
///   Type: AWS::DynamoDB::Table
///   Properties:
///     BillingMode: PAY_PER_REQUEST
///     AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
///     KeySchema: [{ AttributeName: id, KeyType: HASH }]
///     TimeToLiveSpecification: { AttributeName: expiration, Enabled: true }
/// ```
///
/// A table with a sort key, which may contain other items too, needs [`Builder::sort_key_attribute`]. All
/// records are then in one partition, which accepts about 1,000 writes a second;
/// [`Builder::partition_shards`] spreads them over more. The attributes are those of the toolkits for
/// Python, TypeScript, Java and .NET, so that functions in those languages can share the table. They ignore
/// `owner`, `attempt` and `not_stored`, and read `in_progress_expiration` while a record is in progress only: its
/// completion here removes it, while theirs keep it. The [`Builder`] can change each name.
///
/// # Permissions
///
/// `dynamodb:PutItem`, `dynamodb:UpdateItem`, `dynamodb:DeleteItem` and `dynamodb:GetItem`, on the
/// table alone. A commit needs on its other tables what its writes need: `dynamodb:PutItem`,
/// `dynamodb:UpdateItem`, `dynamodb:DeleteItem` or `dynamodb:ConditionCheckItem`.
///
/// # Requests
///
/// | | requests | cost, in units for each started KB of the record |
/// |---|---|---|
/// | first call | PutItem, UpdateItem | 2 write units |
/// | first call whose handler fails | PutItem, DeleteItem | 2 write units |
/// | replay | PutItem, refused; it returns the record | 1 write unit |
/// | a [commit](crate::idempotency::Call::commit) | PutItem, TransactWriteItems | 1 write unit, and 2 for the record and each write |
///
/// A GetItem follows a refused write only if the endpoint did not return the old item, which some
/// emulators never do. A record has at most 400 KB.
///
/// Each request has up to three attempts. It is retried after throttling, a lost connection, a
/// failure of the service, a conflict with a transaction, or 1 second without an answer. These
/// retries and timeouts replace those of the client for this store only, which has a retry quota of
/// its own: other requests of the program do not consume it.
///
/// # Clocks
///
/// The clock of the environment that claims a record decides whether the record may be taken over.
/// Lambda keeps its clocks within a few milliseconds of each other. Elsewhere, a clock that is
/// ahead by more than the [grace](crate::idempotency::Builder::grace) can end the lease of another
/// environment early.
///
/// # Without the AWS SDK
///
/// With the feature `dynamodb-lean`, `DynamoDbStore::lean` creates the same store with this toolkit's
/// own client, `LeanClient`.
///
/// Cloning is cheap.
#[derive(Clone, Debug)]
pub struct DynamoDbStore {
    requests: Arc<dyn Requests>,
    scope: Arc<str>,
    schema: Arc<Schema>,
}

/// A key that no operation can have: those contain a `#`.
const WARM_UP_KEY: &str = "powertools-warm-up";

/// The condition for completing or deleting a record.
const IS_HELD: &str = "#owner = :owner AND #status = :inprogress";
/// The condition of a claim, exactly as the Python toolkit sends it.
const IS_FREE: &str = "attribute_not_exists(#id) OR #expiry < :now OR (#status = :inprogress \
    AND attribute_exists(#in_progress_expiry) AND #in_progress_expiry < :now_in_millis)";

/// [`IS_HELD`], and the lease must end earlier than the renewed one.
const IS_HELD_AND_EARLIER: &str = "#owner = :owner AND #status = :inprogress \
    AND #in_progress_expiry < :in_progress_expiry";

impl DynamoDbStore {
    /// Reads a record that does not exist, so that no event waits for what only the first request
    /// needs: credentials, DNS, TLS and its entropy.
    ///
    /// During initialisation Lambda provides a full processor, whatever the memory of the function
    /// is. It is one eventually consistent GetItem, half a read unit, with a permission that the
    /// store needs anyway. The connection is kept even if the service rejects the request.
    ///
    /// # Errors
    ///
    /// Returns an error if the table does not exist, if the role has no access to it, if there are
    /// no credentials, or after 4 seconds without an answer.
    pub async fn warm_up(&self) -> Result<(), StoreError> {
        let schema = &self.schema;
        let key = schema.key(&Key::from(WARM_UP_KEY));
        let get = Get { table: &schema.table, key, part: Part::Attribute(&schema.key) };
        match self.requests.read(get, WARM_UP_TIMEOUT).await {
            Ok(_) => Ok(()),
            Err(failure) => Err(self.failure(failure)),
        }
    }

    fn with_schema(requests: Arc<dyn Requests>, schema: Schema) -> Self {
        // Each region has tables of its own.
        let partition = schema.sort_key.as_ref().map(|sort_key| sort_key.scope());
        let scope = [requests.region(), Some(&*schema.table), partition.as_deref()];
        let scope = scope.into_iter().flatten().collect::<Vec<_>>().join("/").into();
        Self { requests, scope, schema: Arc::new(schema) }
    }

    /// Makes a conditional write.
    async fn write(
        &self,
        key: &Key,
        action: Action<'_>,
        timeout: Duration,
    ) -> Result<Outcome, StoreError> {
        self.outcome(key, self.requests.write(action, timeout).await)
    }

    fn outcome(&self, key: &Key, result: Result<(), Failure>) -> Result<Outcome, StoreError> {
        match result {
            Ok(()) => Ok(Outcome::Applied),
            Err(Failure::Refused(item)) => {
                let record = item.map(|item| self.schema.record(key, &item)).transpose()?;
                Ok(Outcome::Refused(record.map(Box::new)))
            }
            Err(failure) => Err(self.failure(failure)),
        }
    }
}

impl Schema {
    /// Creates a write of the record under `key`, if `owner` holds it. `condition` is [`IS_HELD`]
    /// or includes it.
    fn held_by<'a>(
        &'a self,
        kind: Kind,
        key: &Key,
        owner: &Owner,
        condition: &'a str,
    ) -> Action<'a> {
        self.held_in(owner.attempt(), kind, key, owner, condition)
    }

    /// Like [`held_by`](Self::held_by), with the attempt of a durable execution that the record has.
    fn held_in<'a>(
        &'a self,
        attempt: Option<&str>,
        kind: Kind,
        key: &Key,
        owner: &Owner,
        condition: &'a str,
    ) -> Action<'a> {
        let mut action = Action::new(kind, &self.table, self.key(key), condition);
        action.name("#owner", &self.owner);
        action.name("#status", &self.status);
        action.value(":owner", owner.as_str());
        action.value(":inprogress", Status::InProgress.as_str());
        if let Some(attempt) = attempt {
            action.condition = Some(format!("{condition} AND #attempt = :attempt").into());
            action.name("#attempt", &self.attempt);
            action.value(":attempt", attempt);
        }
        action
    }

    fn claim(&self, claim: &Claim) -> Action<'_> {
        let EpochMillis(now) = claim.now;
        let mut put = Action::new(Kind::Put, &self.table, self.claimed_item(claim), IS_FREE);
        put.name("#id", &self.key);
        put.name("#expiry", &self.expiration);
        put.name("#in_progress_expiry", &self.in_progress_expiration);
        put.name("#status", &self.status);
        put.value(":now", claim.now.floor().0);
        put.value(":now_in_millis", now);
        put.value(":inprogress", Status::InProgress.as_str());
        put
    }

    fn complete(&self, completion: &Completion) -> Action<'_> {
        let Completion { key, owner, .. } = completion;
        let mut update = self.held_by(Kind::Update, key, owner, IS_HELD);
        if let Some(data) = &completion.data {
            update.set("#response_data", &self.data, ":response_data", item::value(data));
        }
        update.set("#expiry", &self.expiration, ":expiry", completion.expiration.0);
        update.set("#status", &self.status, ":status", Status::Completed.as_str());
        if let Some(hash) = &completion.validation {
            update.set("#validation_key", &self.validation, ":validation_key", hash.as_str());
        }
        if let Some(reason) = &completion.not_stored {
            update.set("#not_stored", &self.not_stored, ":not_stored", reason.as_str());
        }
        update.remove("#in_progress_expiry", &self.in_progress_expiration);
        update
    }

    fn renew(&self, renewal: &Renewal) -> Action<'_> {
        let Renewal { key, owner, .. } = renewal;
        let mut update = self.held_by(Kind::Update, key, owner, IS_HELD_AND_EARLIER);
        let name = &self.in_progress_expiration;
        update.set("#in_progress_expiry", name, ":in_progress_expiry", renewal.lease_end.0);
        update.set("#expiry", &self.expiration, ":expiry", renewal.expiration.0);
        update
    }

    fn reenter(&self, reentry: &Reentry) -> Action<'_> {
        let Reentry { key, owner, earlier, .. } = reentry;
        let mut update = self.held_in(Some(earlier), Kind::Update, key, owner, IS_HELD);
        update.update = Some("SET #attempt = :new_attempt".into());
        update.value(":new_attempt", owner.attempt().unwrap_or_default());
        update
    }
}

impl Store for DynamoDbStore {
    fn scope(&self) -> &str {
        &self.scope
    }

    fn max_key_bytes(&self) -> usize {
        if self.schema.sort_key.is_some() { 1024 } else { 2048 }
    }

    async fn claim(&self, claim: &Claim) -> Result<Outcome, StoreError> {
        self.write(&claim.key, self.schema.claim(claim), claim.timeout).await
    }

    async fn complete(&self, completion: &Completion) -> Result<Outcome, StoreError> {
        self.check_size(completion)?;
        let update = self.schema.complete(completion);
        match self.requests.write(update, completion.timeout).await {
            Err(failure)
                if completion.data.is_some() && failure::is_refused_as_invalid(&failure) =>
            {
                Err(self.unstorable(failure))
            }
            result => self.outcome(&completion.key, result),
        }
    }

    async fn renew(&self, renewal: &Renewal) -> Result<Outcome, StoreError> {
        self.write(&renewal.key, self.schema.renew(renewal), renewal.timeout).await
    }

    async fn release(&self, release: &Release) -> Result<Outcome, StoreError> {
        let Release { key, owner, .. } = release;
        let delete = self.schema.held_by(Kind::Delete, key, owner, IS_HELD);
        match self.write(key, delete, release.timeout).await {
            // The write was refused, so the record is not this claim's, even if it cannot be read.
            Err(error) if error.kind() == StoreErrorKind::Malformed => Ok(Outcome::Refused(None)),
            outcome => outcome,
        }
    }

    fn supports_durable(&self) -> bool {
        true
    }

    async fn reenter(&self, reentry: &Reentry) -> Result<Outcome, StoreError> {
        self.write(&reentry.key, self.schema.reenter(reentry), reentry.timeout).await
    }

    async fn read(&self, read: &Read) -> Result<Option<Record>, StoreError> {
        let schema = &self.schema;
        let get = Get { table: &schema.table, key: schema.key(&read.key), part: Part::Consistent };
        match self.requests.read(get, read.timeout).await {
            Ok(item) => item.map(|item| schema.record(&read.key, &item)).transpose(),
            Err(failure) => Err(self.failure(failure)),
        }
    }
}
