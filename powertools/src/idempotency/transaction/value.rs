use std::collections::BTreeMap;
use std::fmt;

use crate::json::decimal::decimal;

/// A value of an attribute, in the types of DynamoDB.
///
/// `Debug` shows its type alone, so that no log contains what users store.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum AttributeValue {
    /// A string.
    S(String),
    /// A number of up to 38 digits, as it is written.
    N(String),
    /// Bytes.
    B(Vec<u8>),
    /// A boolean.
    Bool(bool),
    /// Null.
    Null,
    /// A list.
    L(Vec<AttributeValue>),
    /// A map.
    M(BTreeMap<String, AttributeValue>),
    /// A set of strings.
    Ss(Vec<String>),
    /// A set of numbers.
    Ns(Vec<String>),
    /// A set of bytes.
    Bs(Vec<Vec<u8>>),
    /// A value of a type that this version does not know. It is rejected before it is sent.
    #[doc(hidden)]
    Unknown,
}

/// An item of a table, or its key: attributes and their names.
///
/// `Debug` shows the number of attributes alone, so that no log contains what users store.
#[derive(Clone, Default, PartialEq)]
pub struct Item(BTreeMap<String, AttributeValue>);

impl AttributeValue {
    /// Returns the name of the type, as DynamoDB writes it.
    pub(in crate::idempotency) fn type_name(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::B(_) => "B",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
            Self::L(_) => "L",
            Self::M(_) => "M",
            Self::Ss(_) => "SS",
            Self::Ns(_) => "NS",
            Self::Bs(_) => "BS",
            Self::Unknown => "unknown",
        }
    }

    /// Returns true if DynamoDB considers the two values equal: numbers by their value, sets in any
    /// order.
    pub(in crate::idempotency) fn equals(&self, other: &Self) -> bool {
        fn same_set<T>(a: &[T], b: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
            a.len() == b.len() && a.iter().all(|a| b.iter().any(|b| same(a, b)))
        }
        let same_number = |a: &String, b: &String| a == b || decimal(a) == decimal(b);
        match (self, other) {
            (Self::N(a), Self::N(b)) => same_number(a, b),
            (Self::Ss(a), Self::Ss(b)) => same_set(a, b, |a, b| a == b),
            (Self::Bs(a), Self::Bs(b)) => same_set(a, b, |a, b| a == b),
            (Self::Ns(a), Self::Ns(b)) => same_set(a, b, same_number),
            (Self::L(a), Self::L(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.equals(b))
            }
            (Self::M(a), Self::M(b)) => {
                a.len() == b.len()
                    && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| a.equals(b)))
            }
            (a, b) => a == b,
        }
    }
}

impl fmt::Debug for AttributeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(self.type_name()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item({} attributes)", self.0.len())
    }
}

impl Item {
    /// Creates an item without attributes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an attribute.
    #[must_use]
    pub fn set(mut self, name: impl Into<String>, value: impl Into<AttributeValue>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// Returns the value of an attribute.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&AttributeValue> {
        self.0.get(name)
    }

    /// Returns the attributes, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &AttributeValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Returns true if there are no attributes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(in crate::idempotency) fn attributes(&mut self) -> &mut BTreeMap<String, AttributeValue> {
        &mut self.0
    }
}

impl FromIterator<(String, AttributeValue)> for Item {
    fn from_iter<T: IntoIterator<Item = (String, AttributeValue)>>(attributes: T) -> Self {
        Self(attributes.into_iter().collect())
    }
}

impl IntoIterator for Item {
    type Item = (String, AttributeValue);
    type IntoIter = std::collections::btree_map::IntoIter<String, AttributeValue>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl From<&str> for AttributeValue {
    fn from(value: &str) -> Self {
        Self::S(value.to_owned())
    }
}

impl From<String> for AttributeValue {
    fn from(value: String) -> Self {
        Self::S(value)
    }
}

impl From<bool> for AttributeValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

macro_rules! from_integers {
    ($($integer:ty)*) => {
        $(
            impl From<$integer> for AttributeValue {
                fn from(value: $integer) -> Self {
                    Self::N(value.to_string())
                }
            }
        )*
    };
}

from_integers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_equal_as_in_dynamodb() {
        let number = |text: &str| AttributeValue::N(text.to_owned());
        assert!(number("1").equals(&number("1.0")));
        assert!(!number("1").equals(&number("2")));
        assert!(!number("1").equals(&"1".into()));
        let set = |members: &[&str]| {
            AttributeValue::Ss(members.iter().map(|member| (*member).to_owned()).collect())
        };
        assert!(set(&["a", "b"]).equals(&set(&["b", "a"])));
        assert!(!set(&["a", "b"]).equals(&set(&["a"])));
    }

    #[test]
    fn debug_shows_nothing_of_the_contents() {
        let item = Item::new().set("card", "4111");
        assert_eq!(format!("{item:?} {:?}", item.get("card").unwrap()), "Item(1 attributes) S(..)");
    }
}
