//! Where the trace of an event comes from, and what its root span contains.

mod event;
mod xray;

use opentelemetry::trace::{Link, SpanContext, SpanKind};
use opentelemetry::{Context, KeyValue};
use powertools::Invocation;

use self::event::Seen;
use crate::ids::Given;
use crate::propagators::Propagators;
use crate::trace::Incoming;

pub(crate) use self::xray::Header;

/// What an event determines about its root span.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    pub(crate) parent: Context,
    pub(crate) given: Given,
    pub(crate) links: Vec<Link>,
    pub(crate) attributes: Vec<KeyValue>,
    pub(crate) incoming: Incoming,
}

impl Origin {
    /// Reads the headers of an event and of its records.
    pub(crate) fn of(invocation: &Invocation, body: &[u8], propagators: Propagators) -> Self {
        let mut seen = Seen::of(body, propagators);
        let header = invocation.xray_trace_id().filter(|_| propagators.xray);
        let header = header.and_then(Header::parse).unwrap_or_default();
        let own = header.context();

        let mut links = Vec::new();
        let (mut parent, mut given) = (own.clone(), header.given());
        // The caller of an HTTP function, or the sender of the only record.
        if let Some(sender) = seen.sender.take() {
            (parent, given) = (sender.context, sender.given);
            links.extend(own.map(Link::with_context));
        }
        links.extend(seen.senders().cloned().map(Link::with_context));

        let name = seen.name.take().unwrap_or_else(|| invocation.function_name().to_owned());
        let mut attributes = seen.attributes;
        attributes.extend(of_invocation(invocation));
        let parent = parent.map_or_else(Context::new, context_of);
        let senders = seen.records;
        let incoming = Incoming { xray_rest: header.rest, senders };
        Self { name, kind: seen.kind, parent, given, links, attributes, incoming }
    }
}

fn context_of(parent: SpanContext) -> Context {
    use opentelemetry::trace::TraceContextExt;

    Context::new().with_remote_span_context(parent)
}

fn of_invocation(invocation: &Invocation) -> impl Iterator<Item = KeyValue> {
    let arn = invocation.function_arn();
    let account = arn.split(':').nth(4).filter(|account| !account.is_empty());
    let tenant = invocation.tenant_id().map(|id| KeyValue::new("tenant.id", id.to_owned()));
    [
        KeyValue::new("faas.invocation_id", invocation.request_id().to_owned()),
        KeyValue::new("faas.coldstart", invocation.is_cold_start()),
        KeyValue::new("aws.lambda.invoked_arn", arn.to_owned()),
    ]
    .into_iter()
    .chain(account.map(|account| KeyValue::new("cloud.account.id", account.to_owned())))
    .chain(tenant)
}
