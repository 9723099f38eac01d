//! Names whose values are never written.

use super::keys;
use crate::json::write;

/// What replaces a value.
pub(in crate::logging) const REDACTED: &[u8] = br#""*****""#;

/// A list of names. Letters count the same in both cases.
#[derive(Clone, Debug, Default)]
pub(in crate::logging) struct Redaction(Vec<Box<str>>);

impl Redaction {
    pub(in crate::logging) fn add(&mut self, name: &str) {
        self.0.push(name.into());
    }

    /// True if the value of the field or key `name` must not be written. A name that the line has
    /// of its own counts with its underscore too.
    pub(in crate::logging) fn hides_field(&self, name: &str) -> bool {
        !self.is_empty()
            && (self.hides(name) || keys::given(name).is_some_and(|name| self.hides(name)))
    }

    /// True if the value under `name` must not be written. Of a name with dots, as
    /// `card.number`, each part counts too.
    pub(in crate::logging) fn hides(&self, name: &str) -> bool {
        self.0.iter().any(|hidden| {
            is_same(hidden, name)
                || (name.contains('.') && name.split('.').any(|part| is_same(hidden, part)))
        })
    }

    pub(in crate::logging) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes `value` as a JSON string, unless `name` hides it.
    pub(in crate::logging) fn string(&self, out: &mut Vec<u8>, name: &str, value: &str) {
        if self.hides(name) {
            out.extend_from_slice(REDACTED);
        } else {
            write::string(out, value);
        }
    }
}

fn is_same(one: &str, other: &str) -> bool {
    fn lower(name: &str) -> impl Iterator<Item = char> {
        name.chars().flat_map(char::to_lowercase)
    }
    match one.is_ascii() && other.is_ascii() {
        true => one.eq_ignore_ascii_case(other),
        false => lower(one).eq(lower(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_every_language_count_the_same_in_both_cases() {
        let mut redaction = Redaction::default();
        ["ÉTAT", "straße"].into_iter().for_each(|name| redaction.add(name));
        for name in ["état", "État", "a.éTAT", "STRAßE"] {
            assert!(redaction.hides(name), "{name}");
        }
        assert!(!redaction.hides("etat"));
    }
}
