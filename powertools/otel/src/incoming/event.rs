//! The parts of events that concern traces: what started them, and the spans of their senders.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, SpanKind};
use powertools::macro_support::otel::HttpRequest;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::xray::Header;
use crate::ids::Given;
use crate::propagators::{Propagators, TRACEPARENT, TRACESTATE, read_w3c};

/// Room for the attributes of most root spans.
const ATTRIBUTES: usize = 12;

/// What an event contains about its trace: nothing, if its shape is unknown.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) name: Option<String>,
    pub(super) kind: SpanKind,
    pub(super) attributes: Vec<KeyValue>,
    /// The sender whose trace continues: the caller, or the sender of the only record.
    pub(super) sender: Option<Sender>,
    /// The senders of several records, by the identifiers of these.
    pub(super) records: HashMap<String, SpanContext>,
}

/// The span of a sender, and what it does not determine.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    pub(super) context: Option<SpanContext>,
    pub(super) given: Given,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, rename = "Records")]
    records: Option<&'a RawValue>,
    #[serde(borrow, rename = "records")]
    partitions: Option<&'a RawValue>,
    #[serde(borrow, rename = "eventSource")]
    source_of_batch: Option<&'a RawValue>,
    #[serde(borrow, rename = "requestContext")]
    request: Option<&'a RawValue>,
    /// Of version 1 of VPC Lattice, which has no context.
    #[serde(borrow)]
    raw_path: Option<&'a RawValue>,
    #[serde(borrow, rename = "detail-type")]
    detail_type: Option<&'a RawValue>,
    #[serde(borrow)]
    source: Option<&'a RawValue>,
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
}

/// A record. What is damaged in one part of it, or in another record, does not concern the rest.
#[derive(Default, Deserialize)]
struct Record<'a> {
    #[serde(borrow, rename = "eventSource", alias = "EventSource")]
    source: Option<&'a RawValue>,
    #[serde(borrow, rename = "eventSourceARN")]
    arn: Option<&'a RawValue>,
    #[serde(borrow, rename = "messageId")]
    id: Option<&'a RawValue>,
    /// Those that SQS sets.
    #[serde(borrow)]
    attributes: Option<&'a RawValue>,
    /// Those that the sender set.
    #[serde(borrow, rename = "messageAttributes")]
    message: Option<&'a RawValue>,
    #[serde(borrow, rename = "Sns")]
    sns: Option<&'a RawValue>,
    /// That of SQS, which can be a notification of SNS or an event of EventBridge.
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

/// What other services put around a message that they send to a queue.
#[derive(Default, Deserialize)]
struct Envelope<'a> {
    /// Those of a message that was published to a topic.
    #[serde(borrow, rename = "MessageAttributes")]
    attributes: Option<&'a RawValue>,
    #[serde(borrow, rename = "detail-type")]
    detail_type: Option<&'a RawValue>,
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
}

/// The records of EventBridge Pipes, which are a list. Any other list is an error with its first element,
/// since it can be long.
#[derive(Default)]
struct Piped<'a>(Vec<Record<'a>>);

/// The most records that EventBridge Pipes delivers at once.
const PIPED: usize = 10_000;

impl<'de: 'a, 'a> Deserialize<'de> for Piped<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Records;

        impl<'de> Visitor<'de> for Records {
            type Value = Vec<Record<'de>>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("records")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut records: Self::Value = Vec::new();
                while let Some(record) = list.next_element::<&RawValue>()? {
                    let record: Record<'de> = read_or_default(record);
                    if record.source.is_none() || records.len() == PIPED {
                        return Err(A::Error::custom("not the records of a pipe"));
                    }
                    records.push(record);
                }
                Ok(records)
            }
        }

        deserializer.deserialize_seq(Records).map(Self)
    }
}

#[derive(Default, Deserialize)]
struct Sns<'a> {
    #[serde(borrow, rename = "TopicArn")]
    topic: Option<&'a RawValue>,
    #[serde(borrow, rename = "MessageAttributes")]
    attributes: Option<&'a RawValue>,
}

/// The members of these names, in whatever form a source has them.
#[derive(Default, Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    traceparent: Option<&'a RawValue>,
    #[serde(borrow)]
    tracestate: Option<&'a RawValue>,
    #[serde(borrow, rename = "AWSTraceHeader")]
    xray: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Attribute<'a> {
    #[serde(borrow, rename = "stringValue", alias = "Value")]
    text: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct KafkaRecord<'a> {
    #[serde(borrow)]
    offset: Option<&'a RawValue>,
    #[serde(borrow)]
    headers: Option<&'a RawValue>,
}

/// The headers of W3C and X-Ray, from wherever they are.
#[derive(Default)]
struct Headers {
    traceparent: Option<String>,
    tracestate: Option<String>,
    xray: Option<String>,
}

impl Headers {
    /// Returns the headers in the envelope that a message of SQS has as its body.
    fn of_body(body: &RawValue) -> Option<(String, Option<String>)> {
        // Most bodies are not worth reading.
        if !body.get().contains(TRACEPARENT) {
            return None;
        }
        let body: String = read(body)?;
        let envelope: Envelope<'_> = serde_json::from_str(&body).ok()?;
        let (members, is_attribute) = match envelope {
            Envelope { attributes: Some(attributes), .. } => (attributes, true),
            Envelope { detail_type: Some(_), detail: Some(detail), .. } => (detail, false),
            _ => return None,
        };
        let Members { traceparent, tracestate, .. } = read_or_default(members);
        let text = |raw| if is_attribute { text_of_attribute(raw) } else { read(raw) };
        Some((traceparent.and_then(text)?, tracestate.and_then(text)))
    }

    fn sender(&self, propagators: Propagators) -> Option<Sender> {
        let w3c = self.traceparent.as_deref().filter(|_| propagators.w3c);
        let w3c = w3c.and_then(|traceparent| read_w3c(traceparent, self.tracestate.as_deref()));
        if w3c.is_some() {
            return Some(Sender { context: w3c, given: Given::default() });
        }
        let header = Header::parse(self.xray.as_deref().filter(|_| propagators.xray)?)?;
        Some(Sender { context: header.context(), given: header.given() })
    }
}

impl Seen {
    pub(super) fn of(body: &[u8], propagators: Propagators) -> Self {
        let mut seen = Self {
            name: None,
            kind: SpanKind::Server,
            attributes: Vec::with_capacity(ATTRIBUTES),
            sender: None,
            records: HashMap::new(),
        };
        // The error of another shape would be a string, which takes longer than all else here.
        let event = match body.trim_ascii_start().first() {
            Some(b'{') => serde_json::from_slice::<Event<'_>>(body).ok(),
            Some(b'[') => {
                let Piped(records) = serde_json::from_slice(body).unwrap_or_default();
                seen.records(&records, propagators);
                return seen;
            }
            _ => None,
        };
        let Some(event) = event else {
            seen.trigger("other");
            return seen;
        };
        let is_batch = event.source_of_batch.is_some();
        if let Some(records) = event.records.and_then(read::<Vec<&RawValue>>) {
            let records: Vec<_> = records.into_iter().map(read_or_default).collect();
            seen.records(&records, propagators);
        } else if let Some(partitions) = event.partitions.filter(|_| is_batch).and_then(read) {
            seen.kafka(partitions, propagators);
        } else if event.request.is_some() || event.raw_path.is_some() {
            seen.http(&HttpRequest::read(body), propagators);
        } else if event.detail_type.is_some() {
            seen.event_bridge(&event, propagators);
        } else {
            seen.trigger("other");
        }
        seen
    }

    /// Returns the senders of several records, each once.
    pub(super) fn senders(&self) -> impl Iterator<Item = &SpanContext> {
        let mut known = HashSet::new();
        let ids = |sender: &SpanContext| (sender.trace_id(), sender.span_id());
        self.records.values().filter(move |sender| known.insert(ids(sender)))
    }

    fn trigger(&mut self, trigger: &'static str) {
        self.attributes.push(KeyValue::new("faas.trigger", trigger));
    }

    /// Continues the trace of the only record, or notes the senders of several.
    fn of_records(&mut self, count: usize, senders: impl Iterator<Item = (String, Sender)>) {
        for (id, sender) in senders {
            if count == 1 {
                self.sender = Some(sender);
            } else if let Some(context) = sender.context {
                self.records.insert(id, context);
            }
        }
    }

    /// Sets the name and the attributes for messages from `destination`, which is an ARN or the name in it.
    fn messages(&mut self, system: &'static str, destination: Option<&str>, count: usize) {
        self.trigger("pubsub");
        self.kind = SpanKind::Consumer;
        let destination = destination.map(name_in).unwrap_or_default();
        self.name = Some(format!("process {destination}").trim_end().to_owned());
        self.attributes.extend([
            KeyValue::new("messaging.system", system),
            KeyValue::new("messaging.operation.name", "process"),
            KeyValue::new("messaging.operation.type", "process"),
        ]);
        if !destination.is_empty() {
            let destination = destination.to_owned();
            self.attributes.push(KeyValue::new("messaging.destination.name", destination));
        }
        if count != 1 {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.attributes.push(KeyValue::new("messaging.batch.message_count", count));
        }
    }

    fn records(&mut self, records: &[Record<'_>], propagators: Propagators) {
        let source = |record: &Record<'_>| record.source.and_then(read::<String>);
        let of_sources = records.iter().find_map(|record| Some((record, source(record)?)));
        let Some((first, source)) = of_sources else { return self.trigger("other") };
        let count = records.len();
        let arn = first.arn.and_then(read::<String>);
        match &*source {
            "aws:sqs" => self.messages("aws_sqs", arn.as_deref(), count),
            "aws:sns" => {
                let sns: Sns<'_> = first.sns.map(read_or_default).unwrap_or_default();
                let topic = sns.topic.and_then(read::<String>);
                self.messages("aws.sns", topic.as_deref(), count);
            }
            "aws:kinesis" => self.messages("aws.kinesis", arn.as_deref(), count),
            "aws:dynamodb" | "aws:s3" => return self.trigger("datasource"),
            _ => return self.trigger("other"),
        }
        let senders = records.iter().filter_map(|record| {
            let sns: Sns<'_> = record.sns.map(read_or_default).unwrap_or_default();
            let given = record.message.or(sns.attributes).map(read_or_default);
            let Members { traceparent, tracestate, xray } = given.unwrap_or_default();
            let by_system: Option<Members<'_>> = record.attributes.map(read_or_default);
            let by_system = by_system.and_then(|members| members.xray.and_then(read));
            let mut headers = Headers {
                traceparent: traceparent.and_then(text_of_attribute),
                tracestate: tracestate.and_then(text_of_attribute),
                xray: by_system.or_else(|| xray.and_then(text_of_attribute)),
            };
            if headers.traceparent.is_none()
                && let Some((traceparent, tracestate)) = record.body.and_then(Headers::of_body)
            {
                (headers.traceparent, headers.tracestate) = (Some(traceparent), tracestate);
            }
            let id = record.id.and_then(read).unwrap_or_default();
            Some((id, headers.sender(propagators)?))
        });
        self.of_records(count, senders);
    }

    fn kafka(&mut self, partitions: BTreeMap<String, Vec<&RawValue>>, propagators: Propagators) {
        let count = partitions.values().map(Vec::len).sum();
        let topic = partitions.keys().next().and_then(|partition| partition.rsplit_once('-'));
        self.messages("kafka", topic.map(|(topic, _)| topic), count);
        let senders = partitions.iter().flat_map(|(partition, records)| {
            records.iter().filter_map(move |record| {
                let record: KafkaRecord<'_> = read_or_default(record);
                let list: Vec<&RawValue> = record.headers.map(read_or_default).unwrap_or_default();
                let all: Vec<HashMap<String, &RawValue>> =
                    list.into_iter().map(read_or_default).collect();
                // The last one of a name counts.
                let of = |name| text(all.iter().rev().find_map(|header| header.get(name))?);
                let (traceparent, tracestate) = (of(TRACEPARENT), of(TRACESTATE));
                let headers = Headers { traceparent, tracestate, xray: None };
                let offset = record.offset.and_then(read::<i64>);
                // As the toolkit names the record.
                let id = serde_json::json!({ "partition": partition, "offset": offset });
                Some((id.to_string(), headers.sender(propagators)?))
            })
        });
        self.of_records(count, senders);
    }

    fn http(&mut self, request: &HttpRequest, propagators: Propagators) {
        self.trigger("http");
        let method = request.method.clone();
        // `GET /orders/{id}`, or the path alone.
        let route = request.route.as_deref().map(|route| match route.split_once(' ') {
            Some((_, route)) => route.to_owned(),
            None => route.to_owned(),
        });
        let route = route.filter(|route| route != "$default");
        let name = [method.as_deref(), route.as_deref()].map(Option::unwrap_or_default).join(" ");
        self.name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
        if let Some(method) = method {
            self.attributes.push(KeyValue::new("http.request.method", method));
        }
        if let Some(route) = route {
            self.attributes.push(KeyValue::new("http.route", route));
        }
        let of = |name| request.header(name).map(str::to_owned);
        // Lambda itself reads the header of X-Ray.
        let (traceparent, tracestate) = (of(TRACEPARENT), of(TRACESTATE));
        self.sender = Headers { traceparent, tracestate, xray: None }.sender(propagators);
    }

    fn event_bridge(&mut self, event: &Event<'_>, propagators: Propagators) {
        let source: String = event.source.and_then(read).unwrap_or_default();
        let is_timer = matches!(&*source, "aws.events" | "aws.scheduler");
        self.trigger(if is_timer { "timer" } else { "pubsub" });
        if !is_timer {
            self.kind = SpanKind::Consumer;
        }
        let detail: Members<'_> = event.detail.map(read_or_default).unwrap_or_default();
        let traceparent = detail.traceparent.and_then(read);
        let tracestate = detail.tracestate.and_then(read);
        self.sender = Headers { traceparent, tracestate, xray: None }.sender(propagators);
    }
}

/// Returns the name in the ARN of a queue, a topic or a stream, or in that of a consumer of a stream.
fn name_in(arn: &str) -> &str {
    let resource = arn.splitn(6, ':').last().unwrap_or_default();
    let of_stream = resource.strip_prefix("stream/").and_then(|rest| rest.split('/').next());
    of_stream.unwrap_or(resource)
}

/// Reads a part. One of another type counts as missing.
fn read<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

fn read_or_default<'a, T: Deserialize<'a> + Default>(raw: &'a RawValue) -> T {
    read(raw).unwrap_or_default()
}

/// Reads the value of a message attribute, which is an object.
fn text_of_attribute(raw: &RawValue) -> Option<String> {
    read::<Attribute<'_>>(raw)?.text.and_then(read)
}

/// Reads the value of a Kafka header: bytes, with a sign or without.
fn text(raw: &RawValue) -> Option<String> {
    let numbers: Vec<i16> = serde_json::from_str(raw.get()).ok()?;
    let byte = |number: i16| match number {
        -128..0 => u8::try_from(number + 256).ok(),
        _ => u8::try_from(number).ok(),
    };
    String::from_utf8(numbers.into_iter().map(byte).collect::<Option<_>>()?).ok()
}
