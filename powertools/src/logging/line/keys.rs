//! The names that a line has of its own.

use std::borrow::Cow;

use crate::logging::traced;

pub(in crate::logging) const EXCEPTION: &str = "exception";
pub(in crate::logging) const EXCEPTION_NAME: &str = "exception_name";
pub(in crate::logging) const EXCEPTION_CHAIN: &str = "exception_chain";

pub(in crate::logging) const TRACE_ID: &str = "trace_id";
pub(in crate::logging) const SPAN_ID: &str = "span_id";

/// True for what is said of an error. All of it is of one error.
pub(in crate::logging) fn is_exception(name: &str) -> bool {
    matches!(name, EXCEPTION | EXCEPTION_NAME | EXCEPTION_CHAIN)
}

/// What a field of the user is called in the line: an underscore is added to the names that the
/// line has of its own.
pub(in crate::logging) fn free(name: Cow<'static, str>) -> Cow<'static, str> {
    match renamed(&name) {
        Some(renamed) => Cow::Borrowed(renamed),
        None => name,
    }
}

/// What a field that is called like a part of an error is called beside an error.
pub(in crate::logging) fn aside(name: Cow<'static, str>) -> Cow<'static, str> {
    match &*name {
        EXCEPTION => Cow::Borrowed("exception_"),
        EXCEPTION_NAME => Cow::Borrowed("exception_name_"),
        EXCEPTION_CHAIN => Cow::Borrowed("exception_chain_"),
        _ => name,
    }
}

/// The name that a field had before it got its underscore, if it did.
pub(in crate::logging) fn given(name: &str) -> Option<&str> {
    name.strip_suffix('_').filter(|name| is_reserved(name) || is_exception(name))
}

/// True for a name that the line has of its own.
pub(in crate::logging) fn is_reserved(name: &str) -> bool {
    renamed(name).is_some()
}

fn renamed(name: &str) -> Option<&'static str> {
    Some(match name {
        "level" => "level_",
        "location" => "location_",
        "message" => "message_",
        "timestamp" => "timestamp_",
        "service" => "service_",
        "sampling_rate" => "sampling_rate_",
        "sampled" => "sampled_",
        "cold_start" => "cold_start_",
        "function_name" => "function_name_",
        "function_memory_size" => "function_memory_size_",
        "function_arn" => "function_arn_",
        "function_request_id" => "function_request_id_",
        "correlation_id" => "correlation_id_",
        "xray_trace_id" => "xray_trace_id_",
        "tenant_id" => "tenant_id_",
        TRACE_ID if traced::is_on() => "trace_id_",
        SPAN_ID if traced::is_on() => "span_id_",
        "truncated" => "truncated_",
        _ => return None,
    })
}
