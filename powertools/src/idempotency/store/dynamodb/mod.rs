use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::{RetryConfig, RetryPartition, TokenBucket};
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use aws_sdk_dynamodb::{Client, config};

use super::{
    Claim, Completion, Outcome, Read, Release, Renewal, Store, StoreError, StoreErrorKind,
};
use crate::idempotency::{EpochMillis, Key, Record, Status};

mod builder;
mod failure;
mod item;
mod retry;
mod sdk;
mod shards;
mod size;
mod transact;
mod update;
mod write;

pub use builder::Builder;
use builder::Schema;
use update::Update;

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
/// A table with a sort key, which may contain other items too, needs
/// [`Builder::sort_key_attribute`]. All records are then in one partition, which accepts about
/// 1,000 writes a second; [`Builder::partition_shards`] spreads them over more. The attributes are those of the toolkits for Python, TypeScript, Java
/// and .NET, so that functions in those languages can share the table; they ignore `owner` and
/// `not_stored`. The [`Builder`] can change each name.
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
/// its own: the other requests of the program do not spend it.
///
/// # Clocks
///
/// The clock of the environment that claims a record decides whether the record may be taken over.
/// Lambda keeps its clocks within a few milliseconds of each other. Elsewhere, a clock that is
/// ahead by more than the [grace](crate::idempotency::Builder::grace) can end the lease of another
/// environment early.
///
/// Cloning is cheap.
#[derive(Clone, Debug)]
pub struct DynamoDbStore {
    client: Client,
    scope: Arc<str>,
    schema: Arc<Schema>,
    /// What every request overrides in the client's configuration, but for the timeouts. A client
    /// of our own with these would not share the connections of one that has the SDK's own HTTP
    /// client.
    overrides: Arc<config::Builder>,
}

/// How often a request is made.
const ATTEMPTS: u32 = 3;
/// How long the service has for one answer.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);
/// Before the second attempt the SDK waits up to this long, before the third up to twice as long.
const BACKOFF: Duration = Duration::from_millis(50);

/// A key that no operation can have: those contain a `#`.
const WARM_UP_KEY: &str = "powertools-warm-up";
/// How long the connection that is made ahead of the first event may take.
const WARM_UP_TIMEOUT: Duration = Duration::from_secs(4);

/// Who may finish or remove a record.
const IS_HELD: &str = "#owner = :owner AND #status = :inprogress";
/// Whose record may be replaced. To the letter what the Python toolkit sends.
const IS_FREE: &str = "attribute_not_exists(#id) OR #expiry < :now OR (#status = :inprogress \
    AND attribute_exists(#in_progress_expiry) AND #in_progress_expiry < :now_in_millis)";

impl DynamoDbStore {
    /// Creates a store in `table`, whose partition key is `id`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self::with_schema(client, Schema::new(table.into()))
    }

    /// Creates a builder for a table with another key or other attribute names.
    pub fn builder(client: Client, table: impl Into<String>) -> Builder {
        Builder::new(client, table.into())
    }

    /// Reads a record that does not exist, to pay for what only the first request pays for:
    /// credentials, DNS, TLS and its entropy.
    ///
    /// During initialisation no event waits for that, and Lambda provides a full processor whatever
    /// the memory of the function is. It is one eventually consistent GetItem, half a read unit,
    /// with a permission that the store needs anyway. The connection is kept even if the service
    /// rejects the request.
    ///
    /// # Errors
    ///
    /// Returns an error if the table does not exist, if the role has no access to it, if there are
    /// no credentials, or after 4 seconds without an answer.
    pub async fn warm_up(&self) -> Result<(), StoreError> {
        self.client
            .get_item()
            .table_name(&self.schema.table)
            .set_key(Some(self.schema.key(&Key::from(WARM_UP_KEY))))
            .projection_expression("#id")
            .expression_attribute_names("#id", &self.schema.key)
            .customize()
            .config_override(self.limits(WARM_UP_TIMEOUT))
            .send()
            .await
            .map_err(|error| self.failure(error))?;
        Ok(())
    }

    fn with_schema(client: Client, schema: Schema) -> Self {
        // Each region has tables of its own.
        let region = client.config().region().map(AsRef::as_ref);
        let partition = schema.sort_key.as_ref().map(|sort_key| sort_key.scope());
        let scope = [region, Some(&*schema.table), partition.as_deref()];
        let scope = scope.into_iter().flatten().collect::<Vec<_>>().join("/").into();
        let retries = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS)
            .with_initial_backoff(BACKOFF)
            .with_max_backoff(ATTEMPT_TIMEOUT);
        // The retries of the user's own clients have a quota in each region, and must not spend
        // ours.
        let partition = RetryPartition::custom("powertools-idempotency")
            .token_bucket(TokenBucket::default())
            .build();
        let overrides = config::Builder::new()
            .retry_config(retries)
            .retry_partition(partition)
            .retry_classifier(retry::Conflicts);
        Self { client, scope, schema: Arc::new(schema), overrides: Arc::new(overrides) }
    }

    /// The configuration of one request that may take `timeout`.
    fn limits(&self, timeout: Duration) -> config::Builder {
        let timeouts = TimeoutConfig::builder()
            .operation_timeout(timeout)
            .operation_attempt_timeout(timeout.min(ATTEMPT_TIMEOUT))
            .build();
        config::Builder::clone(&self.overrides).timeout_config(timeouts)
    }

    /// What became of a conditional write. `refusal` finds the failed condition in its error.
    fn outcome<T, E>(
        &self,
        key: &Key,
        result: Result<T, SdkError<E>>,
        refusal: impl FnOnce(&E) -> Option<&ConditionalCheckFailedException>,
    ) -> Result<Outcome, StoreError>
    where
        E: failure::ServiceError,
    {
        let Err(error) = result else { return Ok(Outcome::Applied) };
        match error.as_service_error().and_then(refusal) {
            Some(refusal) => {
                let record =
                    refusal.item().map(|item| self.schema.record(key, item)).transpose()?;
                Ok(Outcome::Refused(record.map(Box::new)))
            }
            None => Err(self.failure(error)),
        }
    }

    /// The names and values of [`IS_FREE`].
    fn free_at(&self, now: EpochMillis) -> Update {
        let mut update = Update::default();
        update.name("#id", &self.schema.key);
        update.name("#expiry", &self.schema.expiration);
        update.name("#in_progress_expiry", &self.schema.in_progress_expiration);
        update.name("#status", &self.schema.status);
        update.value(":now", number(now.floor().0));
        update.value(":now_in_millis", number(now.0));
        update.value(":inprogress", text(Status::InProgress.as_str()));
        update
    }

    /// The names and values of [`IS_HELD`].
    fn held_by(&self, owner: &str) -> Update {
        let mut update = Update::default();
        update.name("#owner", &self.schema.owner);
        update.name("#status", &self.schema.status);
        update.value(":owner", text(owner));
        update.value(":inprogress", text(Status::InProgress.as_str()));
        update
    }

    /// The names, values and assignments that complete a record, under [`IS_HELD`].
    fn completed_by(&self, completion: &Completion) -> Update {
        let schema = &self.schema;
        let mut update = self.held_by(completion.owner.as_str());
        if let Some(data) = &completion.data {
            update.set("#response_data", &schema.data, ":response_data", item::value(data));
        }
        update.set("#expiry", &schema.expiration, ":expiry", number(completion.expiration.0));
        let completed = text(Status::Completed.as_str());
        update.set("#status", &schema.status, ":status", completed);
        if let Some(hash) = &completion.validation {
            update.set("#validation_key", &schema.validation, ":validation_key", text(hash));
        }
        if let Some(reason) = &completion.not_stored {
            update.set("#not_stored", &schema.not_stored, ":not_stored", text(reason));
        }
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
        let schema = &self.schema;
        let Update { names, values, .. } = self.free_at(claim.now);
        let result = self
            .client
            .put_item()
            .table_name(&schema.table)
            .set_item(Some(schema.claimed_item(claim)))
            .condition_expression(IS_FREE)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .customize()
            .config_override(self.limits(claim.timeout))
            .send()
            .await;
        self.outcome(&claim.key, result, |error| match error {
            PutItemError::ConditionalCheckFailedException(refusal) => Some(refusal),
            _ => None,
        })
    }

    async fn complete(&self, completion: &Completion) -> Result<Outcome, StoreError> {
        self.check_size(completion)?;
        let schema = &self.schema;
        let update = self.completed_by(completion);
        let result = self
            .client
            .update_item()
            .table_name(&schema.table)
            .set_key(Some(schema.key(&completion.key)))
            .update_expression(update.expression())
            .condition_expression(IS_HELD)
            .set_expression_attribute_names(Some(update.names))
            .set_expression_attribute_values(Some(update.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .customize()
            .config_override(self.limits(completion.timeout))
            .send()
            .await;
        let result = match result {
            Err(error) if completion.data.is_some() && failure::is_refused_as_invalid(&error) => {
                return Err(self.unstorable(error));
            }
            result => result,
        };
        self.outcome(&completion.key, result, |error| match error {
            UpdateItemError::ConditionalCheckFailedException(refusal) => Some(refusal),
            _ => None,
        })
    }

    async fn renew(&self, renewal: &Renewal) -> Result<Outcome, StoreError> {
        let schema = &self.schema;
        let mut update = self.held_by(renewal.owner.as_str());
        let lease_end = number(renewal.lease_end.0);
        let name = &schema.in_progress_expiration;
        update.set("#in_progress_expiry", name, ":in_progress_expiry", lease_end);
        update.set("#expiry", &schema.expiration, ":expiry", number(renewal.expiration.0));
        let result = self
            .client
            .update_item()
            .table_name(&schema.table)
            .set_key(Some(schema.key(&renewal.key)))
            .update_expression(update.expression())
            .condition_expression(format!(
                "{IS_HELD} AND #in_progress_expiry < :in_progress_expiry"
            ))
            .set_expression_attribute_names(Some(update.names))
            .set_expression_attribute_values(Some(update.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .customize()
            .config_override(self.limits(renewal.timeout))
            .send()
            .await;
        self.outcome(&renewal.key, result, |error| match error {
            UpdateItemError::ConditionalCheckFailedException(refusal) => Some(refusal),
            _ => None,
        })
    }

    async fn release(&self, release: &Release) -> Result<Outcome, StoreError> {
        let Update { names, values, .. } = self.held_by(release.owner.as_str());
        let result = self
            .client
            .delete_item()
            .table_name(&self.schema.table)
            .set_key(Some(self.schema.key(&release.key)))
            .condition_expression(IS_HELD)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .customize()
            .config_override(self.limits(release.timeout))
            .send()
            .await;
        let outcome = self.outcome(&release.key, result, |error| match error {
            DeleteItemError::ConditionalCheckFailedException(refusal) => Some(refusal),
            _ => None,
        });
        match outcome {
            // Refused all the same: it is enough to know that the record is not ours.
            Err(error) if error.kind() == StoreErrorKind::Malformed => Ok(Outcome::Refused(None)),
            outcome => outcome,
        }
    }

    async fn read(&self, read: &Read) -> Result<Option<Record>, StoreError> {
        let output = self
            .client
            .get_item()
            .table_name(&self.schema.table)
            .set_key(Some(self.schema.key(&read.key)))
            .consistent_read(true)
            .customize()
            .config_override(self.limits(read.timeout))
            .send()
            .await
            .map_err(|error| self.failure(error))?;
        output.item.map(|item| self.schema.record(&read.key, &item)).transpose()
    }
}

/// An item of the table, or the part of one that is its key.
type Item = HashMap<String, AttributeValue>;

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
