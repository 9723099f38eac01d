//! The parts of events that concern traces: what started them, and the spans of their senders.

use std::collections::{BTreeMap, HashMap};

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, SpanKind};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::xray::Header;
use crate::ids::Given;
use crate::propagators::{Propagators, TRACEPARENT, TRACESTATE, read_w3c};

/// The most links of a span.
const LINKS: usize = 128;

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
    #[serde(borrow)]
    headers: Option<&'a RawValue>,
    #[serde(borrow, rename = "multiValueHeaders")]
    many_headers: Option<&'a RawValue>,
    #[serde(borrow, rename = "requestContext")]
    request: Option<&'a RawValue>,
    #[serde(borrow, rename = "httpMethod")]
    method: Option<&'a RawValue>,
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
    #[serde(borrow, rename = "detail-type")]
    detail_type: Option<&'a RawValue>,
    #[serde(borrow)]
    source: Option<&'a RawValue>,
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "eventSource", alias = "EventSource")]
    source: Option<String>,
    #[serde(rename = "eventSourceARN")]
    arn: Option<String>,
    #[serde(rename = "messageId")]
    id: Option<String>,
    attributes: Option<System>,
    #[serde(rename = "messageAttributes")]
    message: Option<Attributes>,
    #[serde(rename = "Sns")]
    sns: Option<Sns>,
}

/// The attributes that SQS sets.
#[derive(Deserialize)]
struct System {
    #[serde(rename = "AWSTraceHeader")]
    xray: Option<String>,
}

#[derive(Deserialize)]
struct Sns {
    #[serde(rename = "TopicArn")]
    topic: Option<String>,
    #[serde(rename = "MessageAttributes")]
    attributes: Option<Attributes>,
}

/// The attributes that the sender set.
#[derive(Default, Deserialize)]
struct Attributes {
    traceparent: Option<Attribute>,
    tracestate: Option<Attribute>,
    #[serde(rename = "AWSTraceHeader")]
    xray: Option<Attribute>,
}

#[derive(Deserialize)]
struct Attribute {
    #[serde(rename = "stringValue", alias = "Value")]
    text: Option<String>,
}

#[derive(Deserialize)]
struct KafkaRecord<'a> {
    offset: Option<i64>,
    #[serde(borrow, default)]
    headers: Vec<HashMap<String, &'a RawValue>>,
}

#[derive(Default, Deserialize)]
struct Request {
    http: Option<Http>,
    #[serde(rename = "httpMethod")]
    method: Option<String>,
    #[serde(rename = "resourcePath")]
    resource: Option<String>,
    #[serde(rename = "routeKey")]
    route: Option<String>,
}

#[derive(Deserialize)]
struct Http {
    method: Option<String>,
}

/// The headers of W3C and X-Ray, from wherever they are.
#[derive(Default)]
struct Headers<'a> {
    traceparent: Option<&'a str>,
    tracestate: Option<&'a str>,
    xray: Option<&'a str>,
}

impl Headers<'_> {
    fn sender(&self, propagators: Propagators) -> Option<Sender> {
        let w3c = self.traceparent.filter(|_| propagators.w3c);
        let w3c = w3c.and_then(|traceparent| read_w3c(traceparent, self.tracestate));
        if w3c.is_some() {
            return Some(Sender { context: w3c, given: Given::default() });
        }
        let header = Header::parse(self.xray.filter(|_| propagators.xray)?)?;
        Some(Sender { context: header.context(), given: header.given() })
    }
}

impl Seen {
    pub(super) fn of(body: &[u8], propagators: Propagators) -> Self {
        let mut seen = Self {
            name: None,
            kind: SpanKind::Server,
            attributes: Vec::new(),
            sender: None,
            records: HashMap::new(),
        };
        let Ok(event) = serde_json::from_slice::<Event<'_>>(body) else {
            seen.trigger("other");
            return seen;
        };
        let is_batch = event.source_of_batch.is_some();
        if let Some(records) = event.records.and_then(read::<Vec<Record>>) {
            seen.records(&records, propagators);
        } else if let Some(partitions) = event.partitions.filter(|_| is_batch).and_then(read) {
            seen.kafka(partitions, propagators);
        } else if event.request.is_some() {
            seen.http(&event, propagators);
        } else if event.detail_type.is_some() {
            seen.event_bridge(&event, propagators);
        } else {
            seen.trigger("other");
        }
        seen
    }

    /// Returns the senders of several records.
    pub(super) fn senders(&self) -> impl Iterator<Item = &SpanContext> {
        self.records.values().take(LINKS)
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

    /// Sets the name and the attributes for messages from `destination`, which is the end of an ARN.
    fn messages(&mut self, system: &'static str, destination: Option<&str>, count: usize) {
        self.trigger("pubsub");
        self.kind = SpanKind::Consumer;
        let destination = destination.and_then(|arn| arn.rsplit(':').next()).unwrap_or_default();
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

    fn records(&mut self, records: &[Record], propagators: Propagators) {
        let Some(first) = records.first() else { return self.trigger("other") };
        let (source, count) = (first.source.as_deref().unwrap_or_default(), records.len());
        match source {
            "aws:sqs" => self.messages("aws_sqs", first.arn.as_deref(), count),
            "aws:sns" => {
                let topic = first.sns.as_ref().and_then(|sns| sns.topic.as_deref());
                self.messages("aws.sns", topic, count);
            }
            "aws:kinesis" => self.messages("aws.kinesis", first.arn.as_deref(), count),
            "aws:dynamodb" | "aws:s3" => return self.trigger("datasource"),
            _ => return self.trigger("other"),
        }
        let senders = records.iter().filter_map(|record| {
            let sns = record.sns.as_ref().and_then(|sns| sns.attributes.as_ref());
            let attributes = record.message.as_ref().or(sns);
            let of = |attribute: fn(&Attributes) -> &Option<Attribute>| {
                attribute(attributes?).as_ref()?.text.as_deref()
            };
            let by_system = record.attributes.as_ref().and_then(|system| system.xray.as_deref());
            let headers = Headers {
                traceparent: of(|attributes| &attributes.traceparent),
                tracestate: of(|attributes| &attributes.tracestate),
                xray: by_system.or_else(|| of(|attributes| &attributes.xray)),
            };
            Some((record.id.clone().unwrap_or_default(), headers.sender(propagators)?))
        });
        self.of_records(count, senders);
    }

    fn kafka(
        &mut self,
        partitions: BTreeMap<String, Vec<KafkaRecord<'_>>>,
        propagators: Propagators,
    ) {
        let count = partitions.values().map(Vec::len).sum();
        let topic = partitions.keys().next().and_then(|partition| partition.rsplit_once('-'));
        self.messages("kafka", topic.map(|(topic, _)| topic), count);
        let senders = partitions.iter().flat_map(|(partition, records)| {
            records.iter().filter_map(move |record| {
                let of = |name: &str| {
                    let mut values = record.headers.iter().rev();
                    text(values.find_map(|header| header.get(name))?)
                };
                let (traceparent, tracestate) = (of(TRACEPARENT), of(TRACESTATE));
                let (traceparent, tracestate) = (traceparent.as_deref(), tracestate.as_deref());
                let headers = Headers { traceparent, tracestate, xray: None };
                // As the toolkit names the record.
                let id = serde_json::json!({ "partition": partition, "offset": record.offset });
                Some((id.to_string(), headers.sender(propagators)?))
            })
        });
        self.of_records(count, senders);
    }

    fn http(&mut self, event: &Event<'_>, propagators: Propagators) {
        self.trigger("http");
        let request: Request = event.request.and_then(read).unwrap_or_default();
        let method = event.method.and_then(read).or(request.method);
        let method: Option<String> = method.or(request.http.and_then(|http| http.method));
        // `GET /orders/{id}`, or the path alone.
        let resource = event.resource.and_then(read::<String>).or(request.resource);
        let route = request.route.map(|route| match route.split_once(' ') {
            Some((_, route)) => route.to_owned(),
            None => route,
        });
        let route = resource.or(route).filter(|route| route != "$default");
        let name = [method.as_deref(), route.as_deref()].map(Option::unwrap_or_default).join(" ");
        self.name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
        if let Some(method) = method {
            self.attributes.push(KeyValue::new("http.request.method", method));
        }
        if let Some(route) = route {
            self.attributes.push(KeyValue::new("http.route", route));
        }

        let single: HashMap<String, Option<String>> =
            event.headers.and_then(read).unwrap_or_default();
        let many: HashMap<String, Vec<String>> =
            event.many_headers.and_then(read).unwrap_or_default();
        let of = |name: &str| {
            let is_it = |other: &&String| other.eq_ignore_ascii_case(name);
            let single = single.iter().find(|(other, _)| is_it(other));
            let many = many.iter().find(|(other, _)| is_it(other));
            let single = single.and_then(|(_, value)| value.as_deref());
            single.or_else(|| many?.1.first().map(String::as_str))
        };
        // Lambda itself reads the header of X-Ray.
        let headers =
            Headers { traceparent: of(TRACEPARENT), tracestate: of(TRACESTATE), xray: None };
        self.sender = headers.sender(propagators);
    }

    fn event_bridge(&mut self, event: &Event<'_>, propagators: Propagators) {
        let source: String = event.source.and_then(read).unwrap_or_default();
        let is_timer = matches!(&*source, "aws.events" | "aws.scheduler");
        self.trigger(if is_timer { "timer" } else { "pubsub" });
        if !is_timer {
            self.kind = SpanKind::Consumer;
        }
        #[derive(Default, Deserialize)]
        struct Detail {
            traceparent: Option<String>,
            tracestate: Option<String>,
        }
        let detail: Detail = event.detail.and_then(read).unwrap_or_default();
        let (traceparent, tracestate) = (detail.traceparent, detail.tracestate);
        let (traceparent, tracestate) = (traceparent.as_deref(), tracestate.as_deref());
        let headers = Headers { traceparent, tracestate, xray: None };
        self.sender = headers.sender(propagators);
    }
}

/// Reads a part. One of another type counts as missing.
fn read<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
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
