use std::sync::Arc;

use super::DynamoDbStore;
use super::requests::Requests;
use super::shards::SortKey;
use crate::environment::Environment;
use crate::idempotency::transaction::Item;
use crate::idempotency::{Error, Key};

/// The table of a [`DynamoDbStore`]. Created by [`DynamoDbStore::builder`].
///
/// ```
/// use powertools::idempotency::DynamoDbStore;
///
/// # fn example(client: aws_sdk_dynamodb::Client) -> Result<(), powertools::idempotency::Error> {
/// let store = DynamoDbStore::builder(client, "orders")
///     .key_attribute("pk")
///     .sort_key_attribute("sk")
///     .expiration_attribute("ttl")
///     .build()?;
/// # let _ = store;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct Builder {
    requests: Arc<dyn Requests>,
    schema: Schema,
    partition: Option<String>,
    shards: Option<u16>,
}

/// The names in a table.
#[derive(Clone, Debug)]
pub(super) struct Schema {
    pub(super) table: String,
    pub(super) key: String,
    pub(super) sort_key: Option<SortKey>,
    pub(super) expiration: String,
    pub(super) in_progress_expiration: String,
    pub(super) status: String,
    pub(super) data: String,
    pub(super) validation: String,
    pub(super) owner: String,
    pub(super) attempt: String,
    pub(super) not_stored: String,
}

impl Schema {
    pub(super) fn new(table: String) -> Self {
        Self {
            table,
            key: "id".to_owned(),
            sort_key: None,
            expiration: "expiration".to_owned(),
            in_progress_expiration: "in_progress_expiration".to_owned(),
            status: "status".to_owned(),
            data: "data".to_owned(),
            validation: "validation".to_owned(),
            owner: "owner".to_owned(),
            attempt: "attempt".to_owned(),
            not_stored: "not_stored".to_owned(),
        }
    }

    /// Returns the attributes that identify the item under `key`.
    pub(super) fn key(&self, key: &Key) -> Item {
        match &self.sort_key {
            None => Item::new().set(&self.key, key.as_str()),
            Some(sort_key) => Item::new()
                .set(&self.key, &*sort_key.partition_of(key))
                .set(&sort_key.attribute, key.as_str()),
        }
    }

    /// Describes the key of the table, for errors.
    pub(super) fn key_description(&self) -> String {
        match &self.sort_key {
            None => format!("the string `{}`", self.key),
            Some(sort_key) => format!("the strings `{}` and `{}`", self.key, sort_key.attribute),
        }
    }

    fn attributes(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("key", &self.key),
            ("expiration", &self.expiration),
            ("in-progress expiration", &self.in_progress_expiration),
            ("status", &self.status),
            ("data", &self.data),
            ("validation", &self.validation),
            ("owner", &self.owner),
            ("attempt", &self.attempt),
            ("not-stored", &self.not_stored),
        ]
        .into_iter()
        .chain(self.sort_key.iter().map(|sort_key| ("sort key", &sort_key.attribute)))
        .map(|(role, name)| (role, name.as_str()))
    }
}

impl Builder {
    pub(super) fn new(requests: Arc<dyn Requests>, table: String) -> Self {
        Self { requests, schema: Schema::new(table), partition: None, shards: None }
    }

    /// Sets the partition key of the table. `id` by default. It contains the idempotency key, or the
    /// [`partition_value`](Self::partition_value) if there is a sort key.
    pub fn key_attribute(mut self, name: impl Into<String>) -> Self {
        self.schema.key = name.into();
        self
    }

    /// Sets the sort key of the table, which then contains the idempotency key. None by default.
    pub fn sort_key_attribute(mut self, name: impl Into<String>) -> Self {
        self.schema.sort_key = Some(SortKey::new(name.into()));
        self
    }

    /// Sets the value of the partition key in a table with a sort key, which is the same for every
    /// record. `idempotency#<AWS_LAMBDA_FUNCTION_NAME>` by default.
    pub fn partition_value(mut self, value: impl Into<String>) -> Self {
        self.partition = Some(value.into());
        self
    }

    /// Spreads the records of a table with a sort key over this many partitions, for more than about
    /// 1,000 writes a second. Defaults to 1.
    ///
    /// The partition of a record is the [`partition_value`](Self::partition_value), `#`, and a number
    /// that is derived from its key: the first eight bytes of its SHA-256, modulo `shards`. With one
    /// shard nothing is appended, which is the layout that other toolkits share. The
    /// [guide](crate::guide::table_and_iam) has figures.
    ///
    /// Records that were written with another number are not found: after a change all work is new, as
    /// after an operation was renamed. Choose the number before the first record is written. To change it
    /// later:
    ///
    /// 1. Stop the source of the events, and their retries.
    /// 2. Wait until the last invocation and the last [durable execution](crate::DurableExecution) have
    ///    ended, and from then on for the longest of [`expires_after`], [`lease`] and the timeout of the
    ///    function, for twice the [`grace`], and for a minute, in which requests that are late arrive: every
    ///    record has expired by then. A look at the table is not enough, since an invocation that still
    ///    runs can write a record that is not there yet.
    /// 3. Deploy the change, at once and not gradually, and start the source again.
    ///
    /// [`expires_after`]: crate::idempotency::Builder::expires_after
    /// [`lease`]: crate::idempotency::Builder::lease
    /// [`grace`]: crate::idempotency::Builder::grace
    pub fn partition_shards(mut self, shards: u16) -> Self {
        self.shards = Some(shards);
        self
    }

    /// Sets the attribute for the time at which the record expires, in seconds since the epoch.
    /// `expiration` by default. It is the time-to-live attribute of the table.
    pub fn expiration_attribute(mut self, name: impl Into<String>) -> Self {
        self.schema.expiration = name.into();
        self
    }

    /// Sets the attribute for the time at which the lease expires, in milliseconds since the epoch.
    /// `in_progress_expiration` by default.
    pub fn in_progress_expiration_attribute(mut self, name: impl Into<String>) -> Self {
        self.schema.in_progress_expiration = name.into();
        self
    }

    /// Sets the attribute for the state of the work. `status` by default.
    pub fn status_attribute(mut self, name: impl Into<String>) -> Self {
        self.schema.status = name.into();
        self
    }

    /// Sets the attribute for the result. `data` by default.
    pub fn data_attribute(mut self, name: impl Into<String>) -> Self {
        self.schema.data = name.into();
        self
    }

    /// Sets the attribute for the hash of the payload, if payloads are validated. `validation` by
    /// default.
    pub fn validation_attribute(mut self, name: impl Into<String>) -> Self {
        self.schema.validation = name.into();
        self
    }

    /// Sets the attribute for the owner of the claim. `owner` by default.
    pub fn owner_attribute(mut self, name: impl Into<String>) -> Self {
        self.schema.owner = name.into();
        self
    }

    /// Sets the attribute for the attempt of a claim by a [durable execution](crate::DurableExecution).
    /// `attempt` by default.
    pub fn attempt_attribute(mut self, name: impl Into<String>) -> Self {
        self.schema.attempt = name.into();
        self
    }

    /// Sets the attribute for the reason why a completed record has no result. `not_stored` by
    /// default.
    pub fn not_stored_attribute(mut self, name: impl Into<String>) -> Self {
        self.schema.not_stored = name.into();
        self
    }

    /// Checks the names and creates the store.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Config`] if the table, an attribute or the partition value is empty, if two
    /// attributes have the same name, if there is a partition value or a number of shards but no sort
    /// key, or if that number is 0.
    pub fn build(self) -> Result<DynamoDbStore, Error> {
        let Self { requests, mut schema, partition, shards } = self;
        match (&mut schema.sort_key, partition) {
            (Some(sort_key), partition) => {
                sort_key.partition = partition.unwrap_or_else(default_partition);
                if sort_key.partition.is_empty() {
                    return Err(Error::Config("the partition value is empty".to_owned()));
                }
            }
            (None, Some(_)) => {
                let message = "a partition value needs a sort key, which holds the record's key";
                return Err(Error::Config(message.to_owned()));
            }
            (None, None) => {}
        }
        match (&mut schema.sort_key, shards) {
            (_, Some(0)) => {
                return Err(Error::Config("records need at least one shard".to_owned()));
            }
            (Some(sort_key), Some(shards)) => sort_key.shards = shards,
            (None, Some(_)) => {
                let message = "shards need a sort key, which holds the record's key";
                return Err(Error::Config(message.to_owned()));
            }
            (_, None) => {}
        }
        if schema.table.is_empty() {
            return Err(Error::Config("the name of the table is empty".to_owned()));
        }

        let attributes: Vec<_> = schema.attributes().collect();
        for (position, (role, name)) in attributes.iter().enumerate() {
            if name.is_empty() {
                return Err(Error::Config(format!("the name of the {role} attribute is empty")));
            }
            if let Some((other, _)) = attributes[..position].iter().find(|(_, other)| other == name)
            {
                let message = format!("the {other} and {role} attributes are both named `{name}`");
                return Err(Error::Config(message));
            }
        }
        Ok(DynamoDbStore::with_schema(requests, schema))
    }
}

/// Returns the partition that the toolkits in other languages use.
fn default_partition() -> String {
    format!("idempotency#{}", Environment::process().function_name())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::idempotency::Store;
    use crate::idempotency::store::dynamodb::action::Action;
    use crate::idempotency::store::dynamodb::requests::{Get, Reply};

    #[test]
    fn attributes_need_different_names() {
        let built = builder().expiration_attribute("ttl").status_attribute("ttl").build();
        assert_eq!(message(built), "the expiration and status attributes are both named `ttl`");
        let built = builder().sort_key_attribute("id").build();
        assert_eq!(message(built), "the key and sort key attributes are both named `id`");
        let built = builder().data_attribute("owner").build();
        assert_eq!(message(built), "the data and owner attributes are both named `owner`");
    }

    #[test]
    fn nothing_may_be_empty() {
        let built = builder().data_attribute("").build();
        assert_eq!(message(built), "the name of the data attribute is empty");
        let built = named("").build();
        assert_eq!(message(built), "the name of the table is empty");
        let built = builder().sort_key_attribute("sk").partition_value("").build();
        assert_eq!(message(built), "the partition value is empty");
    }

    #[test]
    fn a_partition_value_needs_a_sort_key() {
        let message = message(builder().partition_value("idem").build());
        assert!(message.starts_with("a partition value needs a sort key"), "{message}");
    }

    #[test]
    fn shards_need_a_sort_key_and_a_number() {
        let without = message(builder().partition_shards(8).build());
        assert!(without.starts_with("shards need a sort key"), "{without}");
        let none = builder().sort_key_attribute("sk").partition_value("idem").partition_shards(0);
        assert_eq!(message(none.build()), "records need at least one shard");
    }

    #[test]
    fn the_number_of_shards_is_part_of_the_scope() {
        let scope = |shards| {
            let builder = builder().partition_value("idem").sort_key_attribute("sk");
            builder.partition_shards(shards).build().unwrap().scope().to_owned()
        };
        assert_eq!((scope(1), scope(8)), ("orders/idem".to_owned(), "orders/idem/8".to_owned()));
    }

    #[test]
    fn a_fixed_partition_is_part_of_the_scope() {
        let simple = builder().build().unwrap();
        assert_eq!((simple.scope(), simple.max_key_bytes()), ("orders", 2048));
        let composite = builder().partition_value("idem").sort_key_attribute("sk").build().unwrap();
        assert_eq!((composite.scope(), composite.max_key_bytes()), ("orders/idem", 1024));
    }

    #[test]
    fn tables_of_two_regions_have_different_scopes() {
        let store = DynamoDbStore::with_schema(
            Arc::new(InRegion(Some("eu-central-1"))),
            Schema::new("orders".to_owned()),
        );
        assert_eq!(store.scope(), "eu-central-1/orders");
        let built = Builder::new(Arc::new(InRegion(Some("us-east-1"))), "orders".to_owned());
        assert_eq!(built.build().unwrap().scope(), "us-east-1/orders");
    }

    /// A client that makes no requests.
    #[derive(Debug)]
    struct InRegion(Option<&'static str>);

    impl Requests for InRegion {
        fn region(&self) -> Option<&str> {
            self.0
        }

        fn write<'a>(&'a self, _: Action<'a>, _: Duration) -> Reply<'a, ()> {
            unreachable!("the tests make no requests")
        }

        fn read<'a>(&'a self, _: Get<'a>, _: Duration) -> Reply<'a, Option<Item>> {
            unreachable!("the tests make no requests")
        }

        fn transact<'a>(&'a self, _: Vec<Action<'a>>, _: &'a str, _: Duration) -> Reply<'a, ()> {
            unreachable!("the tests make no requests")
        }
    }

    fn builder() -> Builder {
        named("orders")
    }

    fn named(table: &str) -> Builder {
        Builder::new(Arc::new(InRegion(None)), table.to_owned())
    }

    fn message(built: Result<DynamoDbStore, Error>) -> String {
        let Err(Error::Config(message)) = built else { panic!("the names were accepted") };
        message
    }
}
