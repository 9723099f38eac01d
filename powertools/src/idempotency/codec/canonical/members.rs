use std::cmp::Ordering;

use super::Canonical;
use crate::idempotency::codec::CodecError;

/// Where a member of an object stands in the text.
#[derive(Clone, Copy)]
pub(in crate::idempotency::codec) struct Member {
    start: usize,
    /// Where its name ends, with the quotes.
    value: usize,
    end: usize,
    /// The first bytes of a name whose bytes sort as RFC 8785 asks for, padded with zeros.
    prefix: Option<u64>,
}

/// An object whose members are being written.
#[derive(Clone, Copy)]
pub(in crate::idempotency::codec) struct Members {
    /// Where its members begin among those of all open objects.
    first: usize,
    in_order: bool,
}

impl Members {
    #[inline]
    pub(super) fn open(text: &mut Canonical) -> Result<Self, CodecError> {
        text.open(b'{')?;
        Ok(Self { first: text.members.len(), in_order: true })
    }

    /// Begins a member.
    #[inline]
    pub(super) fn name(&mut self, text: &mut Canonical, name: &str) {
        text.next_item();
        let start = text.out.len();
        let prefix = text.string(name).then(|| prefix(name));
        let member = Member { start, value: text.out.len(), end: 0, prefix };
        if self.in_order
            && let Some(previous) = text.members[self.first..].last()
        {
            self.in_order = compare(&text.out, previous, &member) == Ordering::Less;
        }
        text.members.push(member);
        text.out.push(b':');
    }

    #[inline]
    pub(super) fn end_member(self, text: &mut Canonical) {
        if let Some(member) = text.members.last_mut() {
            member.end = text.out.len();
        }
    }

    #[inline]
    pub(super) fn close(self, text: &mut Canonical) {
        if !self.in_order {
            self.sort(text);
        }
        text.members.truncate(self.first);
        text.close(b'}');
    }

    fn sort(self, text: &mut Canonical) {
        let Canonical { out, members, .. } = text;
        let members = &mut members[self.first..];
        let (start, end) = (members[0].start, out.len());

        // The last of several with one name stands last among them. A stable sort would do that by
        // itself, in three times the code.
        members.sort_unstable_by(|a, b| compare(out, a, b).then(a.start.cmp(&b.start)));
        out.reserve(end - start + 1);
        for (index, member) in members.iter().enumerate() {
            if members.get(index + 1).is_some_and(|next| compare(out, member, next).is_eq()) {
                continue;
            }
            out.extend_from_within(member.start..member.end);
            out.push(b',');
        }
        // Instead of a comma after the last.
        out.pop();
        out.drain(start..end);
    }
}

impl Member {
    /// Its name, in quotes.
    fn name(self, out: &[u8]) -> &[u8] {
        &out[self.start..self.value]
    }
}

/// The order of RFC 8785: by the UTF-16 code units of the names before they were escaped.
#[inline]
fn compare(out: &[u8], a: &Member, b: &Member) -> Ordering {
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

fn units(name: &[u8]) -> Vec<u16> {
    let name: String = serde_json::from_slice(name).unwrap_or_default();
    name.encode_utf16().collect()
}

/// What follows the name that the text begins with.
pub(super) fn skip_name(text: &[u8]) -> &[u8] {
    let mut at = 1;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => return &text[at + 1..],
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    &[]
}
