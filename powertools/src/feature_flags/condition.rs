use std::cmp::Ordering;

use super::schedule::Schedule;
use super::value::{Incomparable, Members, Number, Value, View};

/// A condition of a rule.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) key: Box<str>,
    /// The name of the action in the document.
    pub(super) action: &'static str,
    pub(super) test: Test,
}

/// What decides whether a condition holds.
#[derive(Debug)]
pub(super) enum Test {
    /// The value of the key in the context.
    Key(KeyTest),
    /// The time.
    Time(Schedule),
}

/// What an action does with the value of a key.
#[derive(Debug)]
pub(super) enum KeyTest {
    Equals(Value),
    NotEquals(Value),
    /// The order of the key's value to that of the condition is one of the two.
    Order(Value, [Ordering; 2]),
    StartsWith(Value),
    EndsWith(Value),
    KeyIn(Set),
    KeyNotIn(Set),
    ValueIn(Value),
    ValueNotIn(Value),
    AllIn(Members),
    AnyIn(Members),
    NoneIn(Members),
    Modulo {
        base: i128,
        start: i128,
        end: i128,
    },
}

/// What may contain the value of a key.
#[derive(Debug)]
pub(super) enum Set {
    List(Members),
    Other(Value),
}

impl Set {
    pub(super) fn new(value: Value) -> Self {
        match value {
            Value::List(items) => Self::List(Members::new(items)),
            other => Self::Other(other),
        }
    }

    fn contains(&self, item: View<'_>) -> Result<bool, Incomparable> {
        match self {
            Self::List(members) => Ok(members.contains(item)),
            Self::Other(value) => value.view().contains(item),
        }
    }
}

impl KeyTest {
    /// Returns true if the condition holds for this value of its key.
    pub(super) fn holds(&self, key: View<'_>) -> Result<bool, Incomparable> {
        match self {
            Self::Equals(value) => Ok(key.equals(value.view())),
            Self::NotEquals(value) => Ok(!key.equals(value.view())),
            Self::Order(value, either) => {
                let order = key.order(value.view())?;
                Ok(order.is_some_and(|order| either.contains(&order)))
            }
            Self::StartsWith(value) => texts(key, value).map(|(key, value)| key.starts_with(value)),
            Self::EndsWith(value) => texts(key, value).map(|(key, value)| key.ends_with(value)),
            Self::KeyIn(set) => set.contains(key),
            Self::KeyNotIn(set) => set.contains(key).map(|is_in| !is_in),
            Self::ValueIn(value) => key.contains(value.view()),
            Self::ValueNotIn(value) => key.contains(value.view()).map(|is_in| !is_in),
            Self::AllIn(members) => Ok(list(key)?.iter().all(|item| members.contains(item.view()))),
            Self::AnyIn(members) => Ok(list(key)?.iter().any(|item| members.contains(item.view()))),
            Self::NoneIn(members) => {
                Ok(!list(key)?.iter().any(|item| members.contains(item.view())))
            }
            Self::Modulo { base, start, end } => match key.as_number().ok_or(Incomparable)? {
                Number::Integer(integer) => Ok((start..=end).contains(&&integer.rem_euclid(*base))),
                Number::Float(float) => {
                    let remainder = float.rem_euclid(*base as f64);
                    Ok(*start as f64 <= remainder && remainder <= *end as f64)
                }
            },
        }
    }
}

fn texts<'a>(key: View<'a>, value: &'a Value) -> Result<(&'a str, &'a str), Incomparable> {
    match (key, value.view()) {
        (View::Text(key), View::Text(value)) => Ok((key, value)),
        _ => Err(Incomparable),
    }
}

fn list(key: View<'_>) -> Result<&[Value], Incomparable> {
    match key {
        View::List(items) => Ok(items),
        _ => Err(Incomparable),
    }
}
