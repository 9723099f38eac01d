//! What CloudWatch takes, as AWS documents it: the limits of its embedded metric format and of its API.
//!
//! The lengths are from the format's specification, but for that of a namespace, which is from the
//! documentation of `PutMetricData`, as what the characters may be is.

use std::time::Duration;

/// The metrics of a line.
pub(super) const METRICS: usize = 100;
/// The values of a metric in a line.
pub(super) const VALUES: usize = 100;
/// The dimensions of a metric, the service among them.
pub(super) const DIMENSIONS: usize = 30;
/// The bytes of a line, line break included: an event of CloudWatch Logs has at most 1 MB.
pub(super) const LINE: usize = 1024 * 1024;
/// The largest value, in both directions.
pub(super) const VALUE: f64 = 2.348_542_582_773_833_2e108; // 2^360
/// How far back a timestamp may be.
pub(super) const PAST: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// How far ahead a timestamp may be.
pub(super) const FUTURE: Duration = Duration::from_secs(2 * 60 * 60);

const NAMESPACE: usize = 255;
const METRIC_NAME: usize = 1024;
const DIMENSION_NAME: usize = 250;
const DIMENSION_VALUE: usize = 1024;

/// Returns what is wrong with a namespace.
pub(super) const fn namespace(namespace: &str) -> Option<&'static str> {
    let bytes = namespace.as_bytes();
    if is_blank(bytes) {
        return Some("a namespace is not empty");
    }
    if bytes.len() > NAMESPACE {
        return Some("a namespace has at most 255 characters");
    }
    if bytes[0] == b':' {
        return Some("a namespace does not begin with a colon");
    }
    if bytes.len() >= 4
        && bytes[0] == b'A'
        && bytes[1] == b'W'
        && bytes[2] == b'S'
        && bytes[3] == b'/'
    {
        return Some("namespaces that begin with AWS/ belong to AWS");
    }
    let mut at = 0;
    while at < bytes.len() {
        if !matches!(bytes[at], b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'/' | b'#' | b':' | b' ')
        {
            return Some("a namespace has letters, digits, spaces and the characters . - _ / # :");
        }
        at += 1;
    }
    None
}

/// Returns what is wrong with the name of a metric.
pub(super) const fn metric_name(name: &str) -> Option<&'static str> {
    if is_own_member(name) {
        return Some("the name belongs to the format");
    }
    check(
        name,
        METRIC_NAME,
        "a name is not empty",
        "a name has at most 1,024 characters",
        "a name has no control characters",
    )
}

/// Returns what is wrong with the name of a dimension.
pub(super) const fn dimension_name(name: &str) -> Option<&'static str> {
    if is_own_member(name) {
        return Some("the name belongs to the format");
    }
    if !name.is_empty() && name.as_bytes()[0] == b':' {
        return Some("a name does not begin with a colon");
    }
    check(
        name,
        DIMENSION_NAME,
        "a name is not empty",
        "a name has at most 250 characters",
        "a name has no control characters",
    )
}

/// Returns what is wrong with the value of a dimension.
pub(super) const fn dimension_value(value: &str) -> Option<&'static str> {
    check(
        value,
        DIMENSION_VALUE,
        "a value is not empty",
        "a value has at most 1,024 characters",
        "a value has no control characters",
    )
}

/// Returns what is wrong with the name of a property.
pub(super) const fn property_name(name: &str) -> Option<&'static str> {
    if is_own_member(name) {
        return Some("the name belongs to the format");
    }
    if name.is_empty() { Some("a name is not empty") } else { None }
}

const fn check(
    text: &str,
    limit: usize,
    empty: &'static str,
    long: &'static str,
    control: &'static str,
) -> Option<&'static str> {
    let bytes = text.as_bytes();
    if is_blank(bytes) {
        return Some(empty);
    }
    let (mut characters, mut at) = (0, 0);
    while at < bytes.len() {
        let byte = bytes[at];
        // U+0080 to U+009F are two bytes.
        if byte < 0x20 || byte == 0x7f || (byte == 0xc2 && bytes[at + 1] < 0xa0) {
            return Some(control);
        }
        // Not the later bytes of a character.
        if byte & 0xc0 != 0x80 {
            characters += 1;
        }
        at += 1;
    }
    if characters > limit { Some(long) } else { None }
}

/// True for no characters, or nothing but spaces: a value must have one that is none.
const fn is_blank(bytes: &[u8]) -> bool {
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_whitespace() {
            return false;
        }
        at += 1;
    }
    true
}

/// True for the member that is the format's own.
const fn is_own_member(name: &str) -> bool {
    matches!(name.as_bytes(), [b'_', b'a', b'w', b's'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_value_is_two_to_the_power_of_360() {
        assert_eq!(VALUE, 2f64.powi(360));
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        assert_eq!(metric_name(&"é".repeat(1024)), None);
        assert!(metric_name(&"é".repeat(1025)).is_some());
        assert_eq!(dimension_name(&"é".repeat(250)), None);
        assert!(dimension_name(&"é".repeat(251)).is_some());
        assert_eq!(dimension_value(&"é".repeat(1024)), None);
        assert!(dimension_value(&"é".repeat(1025)).is_some());
        assert_eq!(namespace(&"n".repeat(255)), None);
        assert!(namespace(&"n".repeat(256)).is_some());
    }
}
