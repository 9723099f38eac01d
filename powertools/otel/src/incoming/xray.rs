//! The header `X-Amzn-Trace-Id`.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

use crate::ids::Given;

/// The content of a header: `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Header {
    pub(crate) trace: Option<TraceId>,
    pub(crate) parent: Option<SpanId>,
    pub(crate) sampled: Option<bool>,
    /// The other parts, each after a semicolon. Lambda recognises loops by them.
    pub(crate) rest: String,
}

impl Header {
    /// A longer header is ignored.
    const MAX_BYTES: usize = 1024;

    /// Reads a header. Spaces and the case of names do not matter.
    ///
    /// Without a valid `Root` there is no trace to continue. Another part that is invalid counts as
    /// missing.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > Self::MAX_BYTES {
            return None;
        }
        let mut header = Self::default();
        for part in text.split(';') {
            let Some((name, value)) = part.split_once('=') else { continue };
            let (name, value) = (name.trim(), value.trim());
            if name.eq_ignore_ascii_case("root") {
                header.trace = trace(value);
            } else if name.eq_ignore_ascii_case("parent") {
                header.parent = hex(value).map(SpanId::from_bytes);
                header.parent = header.parent.filter(|parent| *parent != SpanId::INVALID);
            } else if name.eq_ignore_ascii_case("sampled") {
                header.sampled = match value {
                    "0" => Some(false),
                    "1" => Some(true),
                    _ => None,
                };
            } else if !name.eq_ignore_ascii_case("self") && is_plain(value) {
                header.rest.extend([";", name, "=", value]);
            }
        }
        header.trace.is_some().then_some(header)
    }

    /// Returns the span of the sender.
    pub(crate) fn context(&self) -> Option<SpanContext> {
        let flags = TraceFlags::default().with_sampled(self.sampled == Some(true));
        Some(SpanContext::new(self.trace?, self.parent?, flags, true, TraceState::default()))
    }

    /// Returns what the span does not contain.
    pub(crate) fn given(&self) -> Given {
        let is_deferred = self.sampled.is_none();
        match self.parent {
            Some(_) => Given { is_deferred, ..Given::default() },
            None => Given { trace: self.trace, sampled: self.sampled, is_deferred },
        }
    }

    /// Writes the header for work under `span`.
    pub(crate) fn of(span: &SpanContext, rest: &str) -> String {
        let trace = span.trace_id().to_string();
        let (time, random) = trace.split_at(8);
        let sampled = u8::from(span.is_sampled());
        format!("Root=1-{time}-{random};Parent={};Sampled={sampled}{rest}", span.span_id())
    }
}

/// Reads `1-5759e988-bd862e3fe1be46a994272793`.
fn trace(text: &str) -> Option<TraceId> {
    let (time, random) = text.strip_prefix("1-")?.split_once('-')?;
    let (time, random): ([u8; 4], [u8; 12]) = (hex(time)?, hex(random)?);
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&time);
    bytes[4..].copy_from_slice(&random);
    Some(TraceId::from_bytes(bytes)).filter(|id| *id != TraceId::INVALID)
}

fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, []) = text.as_bytes().as_chunks() else { return None };
    let mut bytes = [0; N];
    if pairs.len() != N {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

fn digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16)?.try_into().ok()
}

/// Returns true if a value can be sent on in a header.
fn is_plain(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "5759e988bd862e3fe1be46a994272793";

    fn parse(text: &str) -> (String, String, Option<bool>, String) {
        let Header { trace, parent, sampled, rest } = Header::parse(text).unwrap_or_default();
        let text = |id: Option<String>| id.unwrap_or_default();
        (text(trace.map(|id| id.to_string())), text(parent.map(|id| id.to_string())), sampled, rest)
    }

    #[test]
    fn spaces_and_the_case_of_names_do_not_lose_a_trace() {
        let parent = "53995c3f42cd8ad8";
        for header in [
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:1|b:5",
            "Root=1-5759e988-bd862e3fe1be46a994272793; Parent=53995c3f42cd8ad8; Sampled=1; Lineage=a:1|b:5",
            "Self=1-2-3;root=1-5759E988-BD862E3FE1BE46A994272793;PARENT=53995c3f42cd8ad8;sampled=1;Lineage=a:1|b:5",
        ] {
            let expected = (TRACE.into(), parent.into(), Some(true), ";Lineage=a:1|b:5".into());
            assert_eq!(parse(header), expected, "{header}");
        }
    }

    #[test]
    fn a_trace_without_a_parent_or_a_decision_is_kept() {
        let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
        let none = String::new;
        assert_eq!(parse(root), (TRACE.into(), none(), None, none()));
        let header = Header::parse(&format!("{root};Sampled=0")).unwrap();
        assert_eq!(header.context(), None);
        assert_eq!(header.given().trace.unwrap().to_string(), TRACE);
        assert_eq!(header.given().sampled, Some(false));
        // A damaged part counts as missing.
        let damaged = parse(&format!("{root};Parent=53995c3f;Sampled=?;Lineage=\u{e4}"));
        assert_eq!(damaged, (TRACE.into(), none(), None, none()));
    }

    #[test]
    fn a_header_that_is_damaged_too_long_or_from_another_vendor_is_ignored() {
        let long = format!("Root=1-5759e988-bd862e3fe1be46a994272793;Lineage={}", "a".repeat(1024));
        for header in [
            "",
            "Root",
            "Root=",
            "Root=1-00000000-000000000000000000000000",
            "Root=1-5759e988-bd862e3fe1be46a99427279",
            "Root=1-5759e98g-bd862e3fe1be46a994272793",
            "Root=1-5759e988-bd862e3fe1be46a9942727\u{e4}3",
            "Root=1-+759e988-bd862e3fe1be46a994272793",
            "Parent=53995c3f42cd8ad8;Sampled=1",
            "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01",
            "5759e988bd862e3fe1be46a994272793:53995c3f42cd8ad8:0:1",
            &long,
        ] {
            assert_eq!(Header::parse(header), None, "{header}");
        }
    }

    #[test]
    fn a_header_is_written_as_it_is_read() {
        let text = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:1";
        let header = Header::parse(text).unwrap();
        assert_eq!(Header::of(&header.context().unwrap(), &header.rest), text);
    }
}
