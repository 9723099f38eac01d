mod kind;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use md5::{Digest as _, Md5};
use serde_json::Value;

use self::kind::Kind;
use super::EventSource;
use super::effects::Log;
use super::history::{Fate, Received};
use super::source::{Batch, Mapping, Source, Turn, Verdict, fitting};

/// A stream, a topic or a queue of a broker that an [`EventSource`] delivers from. Created by
/// [`EventSource::kinesis`], [`EventSource::dynamodb`], [`EventSource::kafka`],
/// [`EventSource::active_mq`], [`EventSource::rabbit_mq`] and [`EventSource::document_db`].
#[derive(Debug)]
pub struct Stream {
    kind: Kind,
    records: Vec<Record>,
    readers: Vec<Reader>,
    /// The shards, the pollers of a topic, or the consumers of a queue.
    shards: usize,
    factor: usize,
    bisect: bool,
    maximum_retry_attempts: Option<u32>,
    maximum_record_age: Option<Duration>,
    has_destination: bool,
    is_piped: bool,
}

#[derive(Debug)]
struct Record {
    id: String,
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
    /// Spreads the records over this number of shards, by their partition key or item key. Defaults
    /// to 1. Each has one batch at a time with the function, beside those of others.
    ///
    /// # Panics
    ///
    /// Panics if `shards` is 0, and for all but Kinesis and DynamoDB.
    pub fn shards(mut self, shards: usize) -> Self {
        assert!(shards > 0, "a stream has at least one shard");
        assert!(self.source.kind == Kind::Shards, "only Kinesis and DynamoDB have shards");
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
    /// Panics if this is not from 1 to 10, and for all but Kinesis and DynamoDB, whose mappings alone have
    /// this setting.
    pub fn parallelization_factor(mut self, factor: usize) -> Self {
        assert!((1..=10).contains(&factor), "a parallelization factor is from 1 to 10");
        assert!(
            self.source.kind == Kind::Shards,
            "only mappings of Kinesis and DynamoDB have a parallelization factor"
        );
        self.source.factor = factor;
        self.source.read();
        self
    }

    /// Sets the number of event pollers of a mapping of Kafka, among which the partitions are divided.
    /// Defaults to 1. Each has one batch at a time with the function, beside those of others, and a failure
    /// holds up the partitions of its poller only.
    ///
    /// # Panics
    ///
    /// Panics if `pollers` is 0, and for all but Kafka.
    pub fn pollers(mut self, pollers: usize) -> Self {
        assert!(pollers > 0, "a topic has at least one poller");
        assert!(matches!(self.source.kind, Kind::Topic(_)), "only mappings of Kafka have pollers");
        self.source.shards = pollers;
        self.source.read();
        self
    }

    /// Delivers the records of a stream of Kinesis or DynamoDB or of a topic through EventBridge Pipes instead of
    /// a mapping.
    ///
    /// An event is a list of records, flat for Kinesis and Kafka. For a stream, a reply reports records by the ids
    /// of their events and is always read; for a topic it never is, and only an error makes a batch come again. [Splitting](Self::bisect_batch_on_function_error) is its `AUTOMATIC_BISECT`. Histories
    /// still have the sequence numbers.
    ///
    /// # Panics
    ///
    /// Panics for all but Kinesis, DynamoDB and Kafka.
    pub fn through_pipe(mut self) -> Self {
        assert!(
            self.source.kind.has_partial_responses(),
            "only the pipes of SQS, Kinesis, DynamoDB and Kafka are simulated"
        );
        self.source.is_piped = true;
        self
    }

    /// Sets the age from which a record is given up instead of being retried, counted from the start
    /// of the run. By default there is no limit.
    ///
    /// # Panics
    ///
    /// Panics if this is not from 60 seconds to 7 days, in whole seconds, and for brokers and DocumentDB, whose
    /// mappings have no such setting.
    pub fn maximum_record_age(mut self, age: Duration) -> Self {
        assert!(
            (60..=604_800).contains(&age.as_secs()) && age.subsec_nanos() == 0,
            "the age of a record is from 60 to 604,800 whole seconds"
        );
        self.source.kind.check_setting("maximum record age");
        self.source.maximum_record_age = Some(age);
        self
    }

    /// Sets whether a batch that fails as a whole is split in two, which are delivered one after
    /// the other. False by default.
    ///
    /// Splitting does not count as a retry. A batch of which some records were done is split there,
    /// at the lowest one reported, and in the middle only when none was.
    ///
    /// # Panics
    ///
    /// Panics for brokers and DocumentDB, whose mappings have no such setting.
    pub fn bisect_batch_on_function_error(mut self, on: bool) -> Self {
        self.source.kind.check_setting("bisecting");
        self.source.bisect = on;
        self
    }

    /// Sets how often a batch that failed is delivered again before it is given up, all that is
    /// left of it. By default without end, and 10 times for Kafka with a destination.
    ///
    /// If records of the batch were done, the count starts again for the rest.
    ///
    /// # Panics
    ///
    /// Panics for brokers and DocumentDB, whose mappings have no such setting.
    pub fn maximum_retry_attempts(mut self, attempts: u32) -> Self {
        self.source.kind.check_setting("maximum of retry attempts");
        self.source.maximum_retry_attempts = Some(attempts);
        self
    }

    /// Sets whether the mapping has a destination that is notified of records that are given up.
    /// False by default: they are [lost](super::History::discarded).
    ///
    /// # Panics
    ///
    /// Panics for brokers and DocumentDB, whose mappings have no such setting.
    pub fn on_failure_destination(mut self, on: bool) -> Self {
        self.source.kind.check_setting("destination for failures");
        self.source.has_destination = on;
        self
    }
}

impl Record {
    /// The number of its partition.
    fn partition(&self) -> usize {
        self.value["partition"].as_u64().and_then(|number| number.try_into().ok()).unwrap_or(0)
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
            let reader = match self.kind {
                Kind::Shards => record.shard(shards) * factor + record.lane(factor),
                Kind::Topic(_) => record.partition() % shards,
                Kind::ActiveMq | Kind::RabbitMq | Kind::Changes => 0,
            };
            self.readers[reader].unread.push_back(index);
        }
    }

    /// Returns the reader with what this one reads: all consumers of a queue take from the same.
    fn supply(&self, reader: usize) -> usize {
        if self.kind == Kind::ActiveMq { 0 } else { reader }
    }

    /// Returns true if the reader has something to deliver and is free.
    fn has_work(&self, reader: usize) -> bool {
        let Reader { again, is_busy, .. } = &self.readers[reader];
        let has_records = !again.is_empty() || !self.readers[self.supply(reader)].unread.is_empty();
        has_records && !is_busy
    }

    /// Returns the records that the reader delivers next, `most` unread ones.
    fn pull(&mut self, reader: usize, most: usize) -> Piece {
        self.readers[reader].is_busy = true;
        self.readers[reader].again.pop().unwrap_or_else(|| {
            let supply = self.supply(reader);
            let unread = &mut self.readers[supply].unread;
            Piece { records: unread.drain(..most.min(unread.len())).collect(), retries: 0 }
        })
    }

    /// True for a batch that is neither split nor retried any more.
    fn is_exhausted(&self, records: usize, retries: u32) -> bool {
        let is_split = self.bisect && records > 1;
        let most = self.maximum_retry_attempts.or(self.kind.most_retries(self.has_destination));
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
            let fate = match self.kind {
                Kind::ActiveMq => Fate::DeadLettered,
                _ if self.has_destination => Fate::SentToDestination,
                _ => Fate::Discarded,
            };
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

impl Source for Stream {
    type Ticket = (usize, Piece);

    fn ids(&self) -> Vec<String> {
        self.records.iter().map(|record| record.id.clone()).collect()
    }

    fn is_shard(&self) -> bool {
        self.kind == Kind::Shards && !self.is_piped
    }

    fn reads_replies(&self, mapping_reports: bool) -> bool {
        if self.is_piped {
            self.kind == Kind::Shards
        } else {
            self.kind.has_partial_responses() && mapping_reports
        }
    }

    fn check(&self, mapping: Mapping) {
        assert!(mapping.batch_size <= 10_000, "a batch has at most 10,000 records");
    }

    fn concurrency(&self) -> usize {
        self.readers.len()
    }

    fn take(&mut self, turn: Turn<'_>) -> Option<Batch<Self::Ticket>> {
        let is_ready =
            |reader: &usize| self.has_work(*reader) && self.readers[*reader].ready_at <= turn.now;
        let reader = (0..self.readers.len()).find(is_ready)?;
        let unread = self.readers[self.supply(reader)].unread.iter().take(turn.batch_size);
        let most = fitting(unread.map(|index| &self.records[*index].value));
        let piece = self.pull(reader, most);

        let mut values = Vec::new();
        let mut records = Vec::new();
        let mut identifiers = Vec::new();
        for index in &piece.records {
            let record = &mut self.records[*index];
            record.deliveries += 1;
            records.push(Received { id: record.id.clone(), attempt: record.deliveries });
            identifiers.push(self.kind.identifier(record, self.is_piped));
            values.push((record.line.clone(), self.kind.delivered(record)));
        }
        let payload = self.kind.event(values, self.is_piped);
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
        let waiting = (0..self.readers.len()).filter(|reader| self.has_work(*reader));
        waiting.map(|reader| self.readers[reader].ready_at).filter(|at| *at > now).min()
    }
}
