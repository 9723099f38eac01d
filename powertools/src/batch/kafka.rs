use std::borrow::Cow;
use std::mem::take;
use std::ops::Deref;

use super::data::reserve_for;
use super::{Batch, Error, FromRecord, Message, Record, Reply, Source};
use crate::events::kafka::SOURCES;
use crate::events::memory::Reservation;
use crate::events::{
    HasNaturalKey, KafkaData, KafkaEvent, KafkaIdentifier, KafkaRecord, NaturalKey, ParseError,
};

/// A record of a Kafka topic with its value parsed as a `T`, such as a type of JSON or an `Avro`: see
/// [`KafkaData`].
///
/// JSON that starts like gzip or zlib is decompressed first. A null value is parsed as JSON's null, and is
/// an error for other types: see [`KeyValue`].
pub type KafkaMessage<T> = Message<T, KafkaRecord>;

/// A record of a Kafka topic with its key parsed as a `K` and its value as a `V`: see [`KafkaData`].
///
/// ```
/// use powertools::batch::{KeyValue, RecordError};
/// use powertools::events::Text;
///
/// #[derive(serde::Deserialize)]
/// struct Customer {
///     name: String,
/// }
///
/// async fn replicate(record: KeyValue<Text, Customer>) -> Result<(), RecordError> {
///     let id = record.key.as_deref().ok_or("a customer without an id")?;
///     match &record.value {
///         Some(customer) => println!("{id} is {}", customer.name),
///         None => println!("{id} is deleted"),
///     }
///     Ok(())
/// }
/// # let _ = replicate;
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeyValue<K, V> {
    /// The key, unless it is null.
    pub key: Option<K>,
    /// The value, unless it is null: a tombstone, which deletes the previous value of the key.
    pub value: Option<V>,
    /// The record itself.
    pub record: KafkaRecord,
    /// The memory that both may take.
    _reserved: [Reservation; 2],
}

impl Batch<'_, KafkaEvent> {
    /// Reports single records: for an event source mapping in provisioned mode that has
    /// `ReportBatchItemFailures`. By default a batch fails as a whole, since other mappings accept
    /// no partial response, and neither does EventBridge Pipes, with whose events it still does.
    pub fn partial_response(mut self) -> Self {
        self.policy.all_or_nothing = self.source.is_piped;
        self
    }
}

impl Source for KafkaEvent {
    type Record = KafkaRecord;
    type Reply = Reply<KafkaIdentifier>;

    /// Unless [`partial_response`](Batch::partial_response) says that the mapping does.
    const ACCEPTS_PARTIAL_RESPONSE: bool = false;

    fn take_records(&mut self) -> Result<Vec<KafkaRecord>, Error> {
        match self.other_source.take() {
            None => Ok(take(&mut self.records)),
            Some(found) => Err(Error::SourceUnexpected {
                index: 0,
                expected: SOURCES[0].to_owned(),
                found: found.into(),
            }),
        }
    }
}

impl Record for KafkaRecord {
    type Identifier = KafkaIdentifier;

    fn identifier(&self) -> Option<KafkaIdentifier> {
        self.identifier()
    }

    /// Without writing it, since all records are checked.
    fn has_identifier(&self) -> bool {
        !self.partition().is_empty() && self.offset().is_some()
    }

    /// Returns the topic and the partition.
    fn order(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.partition()))
    }
}

impl<T: KafkaData> FromRecord<KafkaRecord> for KafkaMessage<T> {
    fn from_record(record: KafkaRecord) -> Result<Self, ParseError> {
        let mut reserved = None;
        let body = match record.read_value(&mut |need| reserve_for(need, &mut reserved))? {
            Some(value) => value,
            None => T::absent()?,
        };
        Ok(Self::new(body, record, reserved))
    }
}

impl<K: KafkaData, V: KafkaData> FromRecord<KafkaRecord> for KeyValue<K, V> {
    fn from_record(record: KafkaRecord) -> Result<Self, ParseError> {
        let [mut of_key, mut of_value] = [None, None];
        let key = record.read_key(&mut |need| reserve_for(need, &mut of_key))?;
        let value = record.read_value(&mut |need| reserve_for(need, &mut of_value))?;
        Ok(Self { key, value, record, _reserved: [of_key, of_value] })
    }
}

impl<K, V> Deref for KeyValue<K, V> {
    type Target = KafkaRecord;

    fn deref(&self) -> &KafkaRecord {
        &self.record
    }
}

impl<K, V> HasNaturalKey for KeyValue<K, V> {
    fn natural_key(&self) -> NaturalKey {
        self.record.natural_key()
    }
}
