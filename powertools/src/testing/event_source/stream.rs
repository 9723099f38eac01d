use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use md5::{Digest as _, Md5};
use serde_json::{Value, json};

use super::EventSource;
use super::effects::Log;
use super::history::{Fate, Received};
use super::source::{Batch, Mapping, Source, Turn, Verdict, fitting};
use crate::testing::events::{self, DynamoDbRecords, KafkaRecords, KinesisRecords};

/// A stream or topic that an [`EventSource`] delivers from. Created by [`EventSource::kinesis`],
/// [`EventSource::dynamodb`] and [`EventSource::kafka`].
#[derive(Debug)]
pub struct Stream {
    records: Vec<Record>,
    readers: Vec<Reader>,
    shards: usize,
    factor: usize,
    bisect: bool,
    maximum_retry_attempts: Option<u32>,
    maximum_record_age: Option<Duration>,
    has_destination: bool,
    is_kafka: bool,
}

#[derive(Debug)]
struct Record {
    id: String,
    /// What the reply calls it.
    identifier: Value,
    value: Value,
    /// What decides on its shard.
    key: String,
    /// Records with the same line are done in their order: the partition of a topic. All records of
    /// a shard are in one line.
    line: String,
    deliveries: u32,
}

/// What reads a shard, or the partitions of a topic: one batch at a time.
#[derive(Debug, Default)]
struct Reader {
    unread: VecDeque<usize>,
    /// What is to be delivered before anything that is unread; the last one first.
    again: Vec<Piece>,
    /// Nothing is delivered before.
    ready_at: Duration,
    is_busy: bool,
}

/// The records of a batch, by their places.
#[derive(Debug)]
pub struct Piece {
    records: Vec<usize>,
    retries: u32,
}

impl EventSource<Stream> {
    /// Simulates a Kinesis stream with these records, in the order in which they were put.
    ///
    /// They are all in the stream at the start. Records without a
    /// [sequence number](crate::testing::events::KinesisRecord::sequence_number) of their own are
    /// numbered by their place, so that the same seed gives the same history.
    pub fn kinesis(records: KinesisRecords) -> Self {
        let records = records.numbered().into_iter().map(|value| {
            let key = value["kinesis"]["partitionKey"].to_string();
            Record::new(value["kinesis"]["sequenceNumber"].clone(), key, value)
        });
        Self::stream(records.collect())
    }

    /// Simulates a DynamoDB stream with these records, in the order in which the items changed,
    /// with sequence numbers by their place.
    pub fn dynamodb(records: DynamoDbRecords) -> Self {
        let records = records.numbered().into_iter().map(|value| {
            let key = value["dynamodb"]["Keys"].to_string();
            Record::new(value["dynamodb"]["SequenceNumber"].clone(), key, value)
        });
        Self::stream(records.collect())
    }

    /// Simulates a Kafka topic with these records, whose mapping has provisioned mode, since others
    /// cannot report records. A history calls them `topic-partition@offset`.
    ///
    /// A batch has records of all partitions. From one with reported records, each partition goes
    /// on at the lowest offset reported for it, and where none was, the partition is done. One
    /// reader reads all partitions: a failure in one holds up the others, which a real mapping may
    /// read concurrently.
    pub fn kafka(records: KafkaRecords) -> Self {
        let records = records.numbered().into_iter().map(|(partition, value)| Record {
            id: format!("{partition}@{}", value["offset"]),
            identifier: json!({ "partition": partition, "offset": value["offset"] }),
            key: String::new(),
            line: partition,
            value,
            deliveries: 0,
        });
        let mut source = Self::stream(records.collect());
        source.source.is_kafka = true;
        source
    }

    fn stream(records: Vec<Record>) -> Self {
        let mut stream = Stream {
            records,
            readers: Vec::new(),
            shards: 1,
            factor: 1,
            bisect: false,
            maximum_retry_attempts: None,
            maximum_record_age: None,
            has_destination: false,
            is_kafka: false,
        };
        stream.read();
        Self::new(stream)
    }

    /// Spreads the records over this number of shards, by their partition key or item key. Defaults
    /// to 1. Each has one batch at a time with the function, beside those of others.
    ///
    /// # Panics
    ///
    /// Panics if `shards` is 0, and for Kafka, whose records know their partition.
    pub fn shards(mut self, shards: usize) -> Self {
        assert!(shards > 0, "a stream has at least one shard");
        assert!(!self.source.is_kafka, "a topic has partitions, and its records name theirs");
        self.source.shards = shards;
        self.source.read();
        for record in &mut self.source.records {
            if record.value["eventSource"] == "aws:kinesis" {
                let shard = record.shard(shards);
                record.value["eventID"] = format!("shardId-{shard:012}:{}", record.id).into();
            }
        }
        self
    }

    /// Sets how many batches of one shard the function processes concurrently, each with other
    /// partition keys or item keys. Defaults to 1.
    ///
    /// # Panics
    ///
    /// Panics if this is not from 1 to 10, and for Kafka, whose mappings have no such setting.
    pub fn parallelization_factor(mut self, factor: usize) -> Self {
        assert!((1..=10).contains(&factor), "a parallelization factor is from 1 to 10");
        assert!(!self.source.is_kafka, "a mapping of Kafka has no parallelization factor");
        self.source.factor = factor;
        self.source.read();
        self
    }

    /// Sets the age from which a record is given up instead of being retried, counted from the start
    /// of the run. By default there is no limit.
    ///
    /// # Panics
    ///
    /// Panics if this is not from 60 seconds to 7 days, in whole seconds.
    pub fn maximum_record_age(mut self, age: Duration) -> Self {
        assert!(
            (60..=604_800).contains(&age.as_secs()) && age.subsec_nanos() == 0,
            "the age of a record is from 60 to 604,800 whole seconds"
        );
        self.source.maximum_record_age = Some(age);
        self
    }

    /// Sets whether a batch that fails as a whole is split in two, which are delivered one after
    /// the other. False by default.
    ///
    /// Splitting does not count as a retry. A batch of which some records were done is split there,
    /// at the lowest one reported, and in the middle only when none was.
    pub fn bisect_batch_on_function_error(mut self, on: bool) -> Self {
        self.source.bisect = on;
        self
    }

    /// Sets how often a batch that failed is delivered again before it is given up, all that is
    /// left of it. By default without end, and 10 times for Kafka with a destination.
    ///
    /// If records of the batch were done, the count starts again for the rest.
    pub fn maximum_retry_attempts(mut self, attempts: u32) -> Self {
        self.source.maximum_retry_attempts = Some(attempts);
        self
    }

    /// Sets whether the mapping has a destination that is notified of records that are given up.
    /// False by default: they are [lost](super::History::discarded).
    pub fn on_failure_destination(mut self, on: bool) -> Self {
        self.source.has_destination = on;
        self
    }
}

impl Record {
    /// Creates a record of a shard.
    fn new(number: Value, key: String, value: Value) -> Self {
        Self {
            id: number.as_str().unwrap_or_default().to_owned(),
            identifier: number,
            value,
            key,
            line: String::new(),
            deliveries: 0,
        }
    }

    fn shard(&self, shards: usize) -> usize {
        self.hash(0) % shards
    }

    /// The one of the readers of its shard that reads it.
    fn lane(&self, lanes: usize) -> usize {
        self.hash(4) % lanes
    }

    fn hash(&self, from: usize) -> usize {
        let digest = Md5::digest(&self.key);
        let bytes = digest.iter().skip(from).take(4);
        bytes.fold(0_usize, |hash, byte| hash << 8 | usize::from(*byte))
    }
}

impl Stream {
    /// Deals the records out to the readers, of which each shard has the same number.
    fn read(&mut self) {
        let (shards, factor) = (self.shards, self.factor);
        self.readers = (0..shards * factor).map(|_| Reader::default()).collect();
        for (index, record) in self.records.iter().enumerate() {
            let reader = record.shard(shards) * factor + record.lane(factor);
            self.readers[reader].unread.push_back(index);
        }
    }

    /// True for a batch that is neither split nor retried any more.
    fn is_exhausted(&self, records: usize, retries: u32) -> bool {
        let is_split = self.bisect && records > 1;
        // With a destination, a mapping of Kafka gives a batch up after 10 retries.
        let of_kafka = (self.is_kafka && self.has_destination).then_some(10);
        let most = self.maximum_retry_attempts.or(of_kafka);
        !is_split && most.is_some_and(|most| retries >= most)
    }

    /// Returns what of a batch is not done: in each line, all from the first record that failed.
    fn left(&self, piece: &Piece, failed: &[usize]) -> Vec<usize> {
        // They are sorted: the first one of a line is the lowest.
        let mut firsts: HashMap<&str, usize> = HashMap::new();
        for position in failed {
            let line = self.records[piece.records[*position]].line.as_str();
            firsts.entry(line).or_insert(*position);
        }
        let is_left = |(position, index): (usize, &usize)| {
            let first = firsts.get(self.records[*index].line.as_str());
            first.is_some_and(|first| position >= *first).then_some(*index)
        };
        piece.records.iter().enumerate().filter_map(is_left).collect()
    }

    /// Delivers a batch again of which nothing was done, or gives it up.
    fn retry(&mut self, reader: usize, piece: Piece, log: &mut Log) {
        let Piece { mut records, retries } = piece;
        let is_too_old = self.maximum_record_age.is_some_and(|most| log.now() > most);
        if is_too_old || self.is_exhausted(records.len(), retries) {
            let fate = if self.has_destination { Fate::SentToDestination } else { Fate::Discarded };
            for index in records {
                log.settled(&self.records[index].id, fate);
            }
        } else if self.bisect && records.len() > 1 {
            let second = records.split_off(records.len().div_ceil(2));
            let halves = [second, records].map(|records| Piece { records, retries });
            self.again(reader, halves, backoff(retries), log);
        } else {
            self.again(reader, [Piece { records, retries: retries + 1 }], backoff(retries), log);
        }
    }

    /// Continues after the records of a batch that were done.
    fn go_on(&mut self, reader: usize, records: Vec<usize>, log: &mut Log) {
        let piece = Piece { records, retries: 0 };
        if self.bisect {
            self.again(reader, [piece], backoff(0), log);
        } else {
            self.retry(reader, piece, log);
        }
    }

    fn again<const N: usize>(
        &mut self,
        reader: usize,
        pieces: [Piece; N],
        wait: Duration,
        log: &Log,
    ) {
        let reader = &mut self.readers[reader];
        reader.again.extend(pieces);
        reader.ready_at = log.now() + wait;
    }
}

/// Returns how long a reader waits before a retry: from a second to a minute.
fn backoff(retries: u32) -> Duration {
    Duration::from_secs(1 << retries.min(6)).min(Duration::from_secs(60))
}

impl Reader {
    fn has_work(&self) -> bool {
        let has_records = !self.again.is_empty() || !self.unread.is_empty();
        has_records && !self.is_busy
    }

    fn take(&mut self, most: usize) -> Piece {
        self.is_busy = true;
        self.again.pop().unwrap_or_else(|| {
            let records = self.unread.drain(..most.min(self.unread.len())).collect();
            Piece { records, retries: 0 }
        })
    }
}

impl Source for Stream {
    type Ticket = (usize, Piece);

    fn ids(&self) -> Vec<String> {
        self.records.iter().map(|record| record.id.clone()).collect()
    }

    fn is_shard(&self) -> bool {
        !self.is_kafka
    }

    fn check(&self, mapping: Mapping) {
        assert!(mapping.batch_size <= 10_000, "a batch has at most 10,000 records");
    }

    fn concurrency(&self) -> usize {
        self.readers.len()
    }

    fn take(&mut self, turn: Turn<'_>) -> Option<Batch<Self::Ticket>> {
        let is_ready = |reader: &Reader| reader.has_work() && reader.ready_at <= turn.now;
        let reader = self.readers.iter().position(is_ready)?;
        let unread = self.readers[reader].unread.iter().take(turn.batch_size);
        let most = fitting(unread.map(|index| &self.records[*index].value));
        let piece = self.readers[reader].take(most);

        let mut values = Vec::new();
        let mut records = Vec::new();
        let mut identifiers = Vec::new();
        for index in &piece.records {
            let record = &mut self.records[*index];
            record.deliveries += 1;
            values.push((record.line.clone(), record.value.clone()));
            records.push(Received { id: record.id.clone(), attempt: record.deliveries });
            identifiers.push(record.identifier.clone());
        }
        let payload = if self.is_kafka {
            events::kafka_envelope(values)
        } else {
            let values: Vec<_> = values.into_iter().map(|(_, value)| value).collect();
            json!({ "Records": values })
        };
        Some(Batch { payload, records, identifiers, ticket: (reader, piece) })
    }

    fn copy(&mut self, _: &Self::Ticket) -> bool {
        false
    }

    fn settle(&mut self, (reader, piece): Self::Ticket, verdict: &Verdict, log: &mut Log) {
        self.readers[reader].is_busy = false;
        match verdict {
            Verdict::Lost => self.readers[reader].again.push(piece),
            Verdict::Again => self.retry(reader, piece, log),
            Verdict::Failed(failed) => {
                let left = self.left(&piece, failed);
                for index in piece.records.iter().filter(|index| !left.contains(index)) {
                    log.settled(&self.records[*index].id, Fate::Done);
                }
                if left.len() == piece.records.len() {
                    self.retry(reader, piece, log);
                } else if !left.is_empty() {
                    self.go_on(reader, left, log);
                }
            }
        }
    }

    fn next(&self, now: Duration) -> Option<Duration> {
        let waiting = self.readers.iter().filter(|reader| reader.has_work());
        waiting.map(|reader| reader.ready_at).filter(|at| *at > now).min()
    }
}
