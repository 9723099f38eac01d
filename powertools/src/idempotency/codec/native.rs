//! This toolkit's own keys.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Derived, Key, Scope};
use crate::hex::push_hex;
use crate::json::{self, Form, WriteError, scan, write};

/// Derives the string of a key.
pub(super) fn key<K: Serialize + ?Sized>(
    scope: Scope<'_>,
    key: &K,
    allow_incomplete: bool,
) -> Result<Derived, WriteError> {
    // Enough for a usual key: growing the buffer takes as long as writing to it.
    let mut head = Vec::with_capacity(512);
    head.push(b'[');
    if !scope.prefix.is_empty() {
        write::quoted(&mut head, scope.prefix, &write::STANDARD);
        head.push(b',');
    }
    write::quoted(&mut head, scope.name, &write::STANDARD);
    head.push(b',');
    match scope.tenant {
        Some(tenant) => write::quoted(&mut head, tenant, &write::STANDARD),
        None => head.extend_from_slice(b"null"),
    }
    head.push(b',');

    let start = head.len();
    let mut written = json::append(head, key, Form::Canonical)?;
    let nulls = Nulls::of(&written.text[start..]);
    if written.is_absent || nulls == Nulls::All {
        return Ok(Derived::Absent);
    }
    if let Nulls::InList(index) = nulls
        && !allow_incomplete
    {
        return Ok(Derived::Incomplete(index));
    }
    written.text.push(b']');
    let hash = Sha256::digest(&written.text);
    // In the same buffer, which saves an allocation.
    written.text.clear();
    let mut derived = String::from_utf8(written.text).expect("nothing is UTF-8");
    scope.begin(&mut derived);
    derived.push_str("n1:");
    push_hex(&mut derived, &hash);
    Ok(Derived::Key(Key::from(derived.as_str())))
}

/// Where a key is null.
#[derive(Clone, Copy, PartialEq)]
enum Nulls {
    None,
    /// The key is a list, and this is the index of its first null member.
    InList(usize),
    /// The key has no content: it is null, empty, or all of its members are null.
    All,
}

impl Nulls {
    /// Finds the nulls in the canonical JSON of a key.
    fn of(key: &[u8]) -> Self {
        if matches!(key, b"null" | b"\"\"") {
            return Self::All;
        }
        let is_list = key.first() == Some(&b'[');
        if !is_list && key.first() != Some(&b'{') {
            return Self::None;
        }
        let (mut first_null, mut others) = (None, false);
        let (mut at, mut index) = (1, 0);
        while at + 1 < key.len() {
            if !is_list {
                at = scan::string_end(key, at) + 1;
            }
            let end = scan::value_end(key, at);
            if key[at..end] == *b"null" {
                first_null.get_or_insert(index);
            } else {
                others = true;
            }
            if others && (first_null.is_some() || !is_list) {
                break;
            }
            at = end + 1;
            index += 1;
        }
        match (first_null, others) {
            (_, false) => Self::All,
            (Some(index), true) if is_list => Self::InList(index),
            _ => Self::None,
        }
    }
}
