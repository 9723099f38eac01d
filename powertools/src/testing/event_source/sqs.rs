use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::EventSource;
use super::effects::Log;
use super::history::{Fate, Received};
use super::source::{Batch, Mapping, Source, Turn, Verdict, fitting};
use crate::testing::events::SqsMessages;
use crate::testing::identifiers;

/// How long a FIFO queue remembers a deduplication id. Source: Amazon SQS Developer Guide, "Exactly-once
/// processing in Amazon SQS".
const DEDUPLICATION_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// The longest batching window. Source: AWS Lambda Developer Guide, "Batching behavior".
const LONGEST_WINDOW: Duration = Duration::from_secs(300);

/// A queue that an [`EventSource`] delivers from. Created by [`EventSource::sqs`].
#[derive(Debug)]
pub struct Sqs {
    messages: Vec<Message>,
    /// Messages that are delivered again, whatever the result of the first delivery.
    copies: Vec<usize>,
    is_fifo: bool,
    is_piped: bool,
    visibility_timeout: Duration,
    /// The service no longer checks it.
    changed_visibility: bool,
    batch_window: Duration,
    /// When the batch that is being gathered received its first message.
    window_opened: Option<Duration>,
    max_receive_count: Option<u32>,
    concurrency: usize,
    receives: u64,
}

#[derive(Debug)]
struct Message {
    id: String,
    record: Value,
    group: Option<String>,
    /// Not visible until then.
    visible_at: Duration,
    gone: bool,
    receive_count: u32,
    first_received: Option<u64>,
    /// The number of the last receive.
    receipt: u64,
}

impl EventSource<Sqs> {
    /// Simulates a queue with these messages. It is a FIFO queue if its name ends in `.fifo`.
    ///
    /// They are all in the queue at the start. A FIFO queue drops a message with the deduplication id
    /// of one that was sent less than 5 minutes before it, by their `SentTimestamp`. Messages without an
    /// [id](crate::testing::events::SqsMessage::id) of their own are named by their place, so that
    /// the same seed gives the same history.
    pub fn sqs(messages: SqsMessages) -> Self {
        let records = messages.numbered();
        let mut messages: Vec<_> = records.into_iter().map(Message::new).collect();
        let arn = messages.first().and_then(|message| message.record["eventSourceARN"].as_str());
        let is_fifo = arn.is_some_and(|arn| arn.ends_with(".fifo"));
        if is_fifo {
            let mut accepted = HashMap::new();
            messages.retain(|message| {
                let Some(id) = text(&message.record["attributes"]["MessageDeduplicationId"]) else {
                    return true;
                };
                let sent = message.sent();
                let is_known = accepted
                    .get(&id)
                    .is_some_and(|first| sent.saturating_sub(*first) < DEDUPLICATION_INTERVAL);
                if !is_known {
                    accepted.insert(id, sent);
                }
                !is_known
            });
        }
        Self::new(Sqs {
            messages,
            copies: Vec::new(),
            is_fifo,
            is_piped: false,
            visibility_timeout: Duration::from_secs(30),
            changed_visibility: false,
            batch_window: Duration::ZERO,
            window_opened: None,
            max_receive_count: None,
            concurrency: 5,
            receives: 0,
        })
    }

    /// Sets how long a message that was received stays invisible, after which it is delivered again
    /// if it was not deleted. Defaults to 30 seconds.
    ///
    /// A run panics if it is shorter than the [timeout](Self::timeout) of the function, since the
    /// service refuses such a mapping.
    pub fn visibility_timeout(mut self, timeout: Duration) -> Self {
        self.source.visibility_timeout = timeout;
        self
    }

    /// Sets the visibility timeout as if it was changed after the mapping was created: then the
    /// service does not check it against the timeout of the function.
    pub fn visibility_timeout_changed_later(mut self, timeout: Duration) -> Self {
        self.source.changed_visibility = true;
        self.visibility_timeout(timeout)
    }

    /// Sets the batching window of the mapping: how long it gathers messages for a batch that is not
    /// full yet. Defaults to none.
    ///
    /// A run panics if the service would refuse the mapping: a window is a whole number of seconds,
    /// 300 at most, a FIFO queue has none, and batches of more than 10 messages need one of at least
    /// a second.
    pub fn batch_window(mut self, window: Duration) -> Self {
        self.source.batch_window = window;
        self
    }

    /// Delivers the messages through EventBridge Pipes instead of a mapping: an event is a list of messages, and
    /// a reply is always read.
    pub fn through_pipe(mut self) -> Self {
        self.source.is_piped = true;
        self
    }

    /// Sets how often a message is received before it is moved to the dead-letter queue. By default
    /// there is no such queue, and a message that always fails is delivered for ever.
    ///
    /// # Panics
    ///
    /// Panics if `count` is 0.
    pub fn max_receive_count(mut self, count: u32) -> Self {
        assert!(count > 0, "a queue hands out each message at least once");
        self.source.max_receive_count = Some(count);
        self
    }

    /// Sets how many batches the function processes concurrently. Defaults to 5, with which Lambda
    /// starts.
    ///
    /// # Panics
    ///
    /// Panics if `batches` is 0.
    pub fn maximum_concurrency(mut self, batches: usize) -> Self {
        assert!(batches > 0, "at least one batch at a time");
        self.source.concurrency = batches;
        self
    }
}

impl Message {
    fn new(record: Value) -> Self {
        Self {
            id: text(&record["messageId"]).unwrap_or_default(),
            group: text(&record["attributes"]["MessageGroupId"]),
            record,
            visible_at: Duration::ZERO,
            gone: false,
            receive_count: 0,
            first_received: None,
            receipt: 0,
        }
    }

    /// Returns when the message was sent, since the epoch.
    fn sent(&self) -> Duration {
        let millis = self.record["attributes"]["SentTimestamp"].as_str();
        Duration::from_millis(millis.and_then(|millis| millis.parse().ok()).unwrap_or_default())
    }

    fn is_visible(&self, now: Duration) -> bool {
        !self.gone && self.visible_at <= now
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

impl Sqs {
    fn is_used_up(&self, message: &Message) -> bool {
        self.max_receive_count.is_some_and(|most| message.receive_count >= most)
    }

    /// Returns the messages that a receive gets now, in the order of the queue.
    fn visible(&mut self, now: Duration, log: &mut Log) -> Vec<usize> {
        let hidden =
            self.messages.iter().filter(|message| !message.gone && message.visible_at > now);
        let blocked: HashSet<_> = hidden.filter_map(|message| message.group.clone()).collect();

        let mut visible = Vec::new();
        for index in 0..self.messages.len() {
            let message = &self.messages[index];
            let is_blocked = message.group.as_ref().is_some_and(|group| blocked.contains(group));
            if !message.is_visible(now) || (self.is_fifo && is_blocked) {
                continue;
            }
            if self.is_used_up(message) {
                // The queue detects this at the next receive.
                self.messages[index].gone = true;
                log.settled(&self.messages[index].id, Fate::DeadLettered);
            } else {
                visible.push(index);
            }
        }
        visible
    }

    /// Returns true if the mapping waits for more messages than these.
    fn is_gathering(&mut self, messages: usize, batch_size: usize, now: Duration) -> bool {
        let opened = *self.window_opened.get_or_insert(now);
        let waits = messages < batch_size && now < opened + self.batch_window;
        if !waits {
            self.window_opened = None;
        }
        waits
    }

    fn receive(&mut self, index: usize, now: Duration, log: &Log) -> (u64, Value) {
        self.receives += 1;
        let message = &mut self.messages[index];
        message.receive_count += 1;
        message.receipt = self.receives;
        if !message.gone {
            message.visible_at = now + self.visibility_timeout;
        }
        let millis = identifiers::epoch_millis(log.clock.now());
        let first = *message.first_received.get_or_insert(millis);

        let mut record = message.record.clone();
        record["receiptHandle"] = json!(format!("{} receive {}", message.id, message.receipt));
        let attributes = &mut record["attributes"];
        attributes["ApproximateReceiveCount"] = json!(message.receive_count.to_string());
        attributes["ApproximateFirstReceiveTimestamp"] = json!(first.to_string());
        (message.receipt, record)
    }
}

impl Source for Sqs {
    /// The places of the messages, and the numbers of their receives.
    type Ticket = Vec<(usize, u64)>;

    fn ids(&self) -> Vec<String> {
        self.messages.iter().map(|message| message.id.clone()).collect()
    }

    fn reads_replies(&self, mapping_reports: bool) -> bool {
        mapping_reports || self.is_piped
    }

    fn check(&self, mapping: Mapping) {
        let most = if self.is_fifo { 10 } else { 10_000 };
        assert!(
            mapping.batch_size <= most,
            "a batch of this queue has at most {most} messages, not {}",
            mapping.batch_size
        );
        assert!(
            self.changed_visibility || self.visibility_timeout >= mapping.timeout,
            "the visibility timeout of the queue, {:?}, is shorter than the timeout of the function, \
             {:?}",
            self.visibility_timeout,
            mapping.timeout
        );
        let window = self.batch_window;
        assert!(window.is_zero() || !self.is_fifo, "a FIFO queue takes no batching window");
        assert!(
            window <= LONGEST_WINDOW && window.subsec_nanos() == 0,
            "a batching window is a whole number of seconds, 300 at most, not {window:?}"
        );
        assert!(
            mapping.batch_size <= 10 || !window.is_zero(),
            "batches of more than 10 messages need a batching window of at least a second"
        );
    }

    fn concurrency(&self) -> usize {
        self.concurrency
    }

    fn take(&mut self, turn: Turn<'_>) -> Option<Batch<Self::Ticket>> {
        let mut chosen = self.visible(turn.now, turn.log);
        let messages = chosen.len() + self.copies.len();
        if messages > 0 && self.is_gathering(messages, turn.batch_size, turn.now) {
            return None;
        }
        for index in std::mem::take(&mut self.copies) {
            if chosen.contains(&index) {
                // Never twice in one batch.
                self.copies.push(index);
            } else if !self.is_used_up(&self.messages[index]) {
                chosen.push(index);
            }
        }
        if turn.shuffled && !self.is_fifo {
            turn.random.shuffle(&mut chosen);
        }
        let most = turn.batch_size.min(chosen.len());
        let most = fitting(chosen.iter().take(most).map(|index| &self.messages[*index].record));
        let left = chosen.split_off(most.min(chosen.len()));
        let copies = left.into_iter().filter(|index| !self.messages[*index].is_visible(turn.now));
        self.copies.extend(copies);
        if chosen.is_empty() {
            return None;
        }

        let mut records = Vec::new();
        let mut ticket = Vec::new();
        let mut received = Vec::new();
        for index in chosen {
            let (receipt, record) = self.receive(index, turn.now, turn.log);
            let message = &self.messages[index];
            records.push(record);
            ticket.push((index, receipt));
            received.push(Received { id: message.id.clone(), attempt: message.receive_count });
        }
        Some(Batch {
            payload: if self.is_piped { json!(records) } else { json!({ "Records": records }) },
            identifiers: received.iter().map(|record| json!(record.id)).collect(),
            records: received,
            ticket,
        })
    }

    fn copy(&mut self, ticket: &Self::Ticket) -> bool {
        if !self.is_fifo {
            self.copies.extend(ticket.iter().map(|(index, _)| index));
        }
        !self.is_fifo
    }

    fn settle(&mut self, ticket: Self::Ticket, verdict: &Verdict, log: &mut Log) {
        // What failed becomes visible by itself.
        let Verdict::Failed(failed) = verdict else { return };
        let now = log.now();
        for (position, (index, receipt)) in ticket.into_iter().enumerate() {
            let message = &mut self.messages[index];
            // A FIFO queue takes no receipt that ran out, since the group may have gone on.
            let is_valid =
                !self.is_fifo || (message.receipt == receipt && now < message.visible_at);
            if is_valid && !message.gone && !failed.contains(&position) {
                message.gone = true;
                log.settled(&message.id, Fate::Done);
            }
        }
    }

    fn next(&self, now: Duration) -> Option<Duration> {
        let waiting = self.messages.iter().filter(|message| !message.gone);
        let window_ends = self.window_opened.map(|opened| opened + self.batch_window);
        let moments = waiting.map(|message| message.visible_at).chain(window_ends);
        moments.filter(|at| *at > now).min()
    }
}
