//! What is changed in a span that has ended.

use std::borrow::Cow;

use opentelemetry::trace::Status;
use opentelemetry::{Array, Key, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::SpanData;
use powertools::macro_support::otel::EVENT_FORM;

/// What is in the place of the event of the function where a handler with `#[instrument]` records its arguments, as in
/// the logs.
const NO_EVENT: &str = "LambdaEvent";

/// The target of events that are records of the `log` facade, and what they have of their own target and place.
const LOG: &str = "log";
const LOG_TARGET: &str = "log.target";

/// Gives the records of the `log` facade the attributes of events.
pub(crate) fn place_records(span: &mut SpanData) {
    for event in &mut span.events.events {
        let attributes = &mut event.attributes;
        let position = |name| attributes.iter().position(|pair| pair.key.as_str() == name);
        if let (Some(target), Some(own)) = (position("target"), position(LOG_TARGET))
            && attributes[target].value.as_str() == LOG
        {
            attributes[target].value = attributes[own].value.clone();
            attributes.remove(own);
            attributes.iter_mut().for_each(|pair| pair.key = place(&pair.key));
        }
    }
}

/// Returns the name in spans of what a record has of its place. Other names stay.
fn place(name: &Key) -> Key {
    match name.as_str() {
        "log.file" => "code.file.path".into(),
        "log.line" => "code.line.number".into(),
        "log.module_path" => "code.module.name".into(),
        _ => name.clone(),
    }
}

/// Takes the event of the function away, and cuts what has more than `longest` characters.
pub(crate) fn cut(span: &mut SpanData, longest: usize) {
    let values = |values: &mut [KeyValue]| cut_values(values, longest);
    cut_text(&mut span.name, longest);
    values(&mut span.attributes);
    for event in &mut span.events.events {
        cut_text(&mut event.name, longest);
        values(&mut event.attributes);
    }
    span.links.links.iter_mut().for_each(|link| values(&mut link.attributes));
    if let Status::Error { description } = &mut span.status {
        cut_text(description, longest);
    }
}

fn cut_values(attributes: &mut [KeyValue], longest: usize) {
    let cut = |text: &mut StringValue| {
        if let Some(rest) = rest_of(text.as_str(), longest) {
            *text = rest.to_owned().into();
        }
    };
    for KeyValue { value, .. } in attributes {
        match value {
            Value::String(text) => cut(text),
            Value::Array(Array::String(texts)) => texts.iter_mut().for_each(cut),
            _ => {}
        }
    }
}

fn cut_text(text: &mut Cow<'static, str>, longest: usize) {
    if let Some(rest) = rest_of(text, longest) {
        *text = Cow::Owned(rest.to_owned());
    }
}

/// Returns what is left of a text, unless that is all of it.
fn rest_of(text: &str, longest: usize) -> Option<&str> {
    if text.starts_with(EVENT_FORM) {
        return Some(NO_EVENT);
    }
    // As many bytes are never more characters, and take no time to count.
    if text.len() <= longest {
        return None;
    }
    let (end, _) = text.char_indices().nth(longest)?;
    Some(&text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_behind_a_character() {
        for (text, rest) in [
            ("", None),
            ("abcd", None),
            ("abcde", Some("abcd")),
            ("\u{e4}\u{e4}\u{e4}\u{e4}", None),
            ("\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}", Some("\u{e4}\u{e4}\u{e4}\u{e4}")),
            ("LambdaEvent", Some("Lamb")),
            ("LambdaEvent { payload: 7, context: .. }", Some(NO_EVENT)),
        ] {
            assert_eq!(rest_of(text, 4), rest, "{text}");
        }
    }
}
