//! The members of an object, in the order of RFC 8785.

use std::cmp::Ordering;

/// The place of a member of an object in the JSON.
#[derive(Clone, Copy)]
pub(super) struct Member {
    pub(super) start: usize,
    /// The end of its name, with the quotes.
    value: usize,
    pub(super) end: usize,
    /// The first bytes of a name whose bytes sort as RFC 8785 requires, padded with zeros.
    pub(super) prefix: Option<u64>,
}

impl Member {
    /// Creates a member whose value is not written yet. `plain` is its name if the bytes of the name sort as
    /// RFC 8785 requires.
    #[inline]
    pub(super) fn new(start: usize, value: usize, plain: Option<&str>) -> Self {
        Self { start, value, end: 0, prefix: plain.map(prefix) }
    }

    /// Returns its name, in quotes.
    pub(super) fn name(self, out: &[u8]) -> &[u8] {
        &out[self.start..self.value]
    }
}

/// Compares two names in the order of RFC 8785: by the UTF-16 code units of the names before they were escaped.
#[inline]
pub(super) fn compare(out: &[u8], a: &Member, b: &Member) -> Ordering {
    match (a.prefix, b.prefix) {
        (Some(first), Some(second)) if first != second => first.cmp(&second),
        // Without the closing quote, which would sort after a space.
        (Some(_), Some(_)) => out[a.start..a.value - 1].cmp(&out[b.start..b.value - 1]),
        _ => units(a.name(out)).cmp(&units(b.name(out))),
    }
}

fn prefix(name: &str) -> u64 {
    let mut bytes = [0; 8];
    let count = name.len().min(8);
    bytes[..count].copy_from_slice(&name.as_bytes()[..count]);
    u64::from_be_bytes(bytes)
}

pub(super) fn units(name: &[u8]) -> Vec<u16> {
    let name: String = serde_json::from_slice(name).unwrap_or_default();
    name.encode_utf16().collect()
}
