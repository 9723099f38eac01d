use std::cmp::Ordering;

use crate::json::Json;

/// A value of a document, or one of a context that is more than a scalar.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(Box<str>),
    List(Vec<Value>),
    Object(Vec<(Box<str>, Value)>),
}

/// A value that is compared, wherever it is kept.
#[derive(Clone, Copy, Debug)]
pub(super) enum View<'a> {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(&'a str),
    List(&'a [Value]),
    Object(&'a [(Box<str>, Value)]),
}

/// Two values between which an action is not defined, such as the order of a string and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Incomparable;

impl Value {
    /// Reads a value of JSON; `None` if it contains a number that is beyond the integers of 128 bits or
    /// the doubles.
    pub(super) fn read(json: &Json) -> Option<Self> {
        Some(match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) if number.is_integer() => {
                Self::Integer(number.as_str().parse().ok()?)
            }
            Json::Number(number) => {
                Self::Float(Some(number.to_f64()).filter(|float| float.is_finite())?)
            }
            Json::String(text) => Self::Text(text.as_str().into()),
            Json::Array(items) => Self::List(items.iter().map(Self::read).collect::<Option<_>>()?),
            Json::Object(members) => {
                let member = |(name, value): &(String, Json)| {
                    Some((name.as_str().into(), Self::read(value)?))
                };
                Self::Object(members.iter().map(member).collect::<Option<_>>()?)
            }
        })
    }

    pub(super) fn view(&self) -> View<'_> {
        match self {
            Self::Null => View::Null,
            Self::Bool(value) => View::Bool(*value),
            Self::Integer(value) => View::Integer(*value),
            Self::Float(value) => View::Float(*value),
            Self::Text(text) => View::Text(text),
            Self::List(items) => View::List(items),
            Self::Object(members) => View::Object(members),
        }
    }
}

impl View<'_> {
    /// Equality as in Python: false and true are the numbers 0 and 1, and the order of members does not
    /// matter.
    pub(super) fn equals(self, other: View<'_>) -> bool {
        match (self, other) {
            (Self::Null, View::Null) => true,
            (Self::Text(ours), View::Text(theirs)) => ours == theirs,
            (Self::List(ours), View::List(theirs)) => {
                let mut pairs = ours.iter().zip(theirs);
                ours.len() == theirs.len()
                    && pairs.all(|(our, their)| our.view().equals(their.view()))
            }
            (Self::Object(ours), View::Object(theirs)) => {
                let in_theirs = |(name, value): &(Box<str>, Value)| {
                    let its = theirs.iter().find(|(its_name, _)| its_name == name);
                    its.is_some_and(|(_, its)| its.view().equals(value.view()))
                };
                ours.len() == theirs.len() && ours.iter().all(in_theirs)
            }
            _ => matches!(self.as_number().zip(other.as_number()), Some((ours, theirs))
                if ours.order(theirs) == Some(Ordering::Equal)),
        }
    }

    /// The order of numbers, of strings by their code points, and of lists by the first elements that
    /// differ. `None` for not a number.
    pub(super) fn order(self, other: View<'_>) -> Result<Option<Ordering>, Incomparable> {
        match (self, other) {
            (Self::Text(ours), View::Text(theirs)) => Ok(Some(ours.cmp(theirs))),
            (Self::List(ours), View::List(theirs)) => {
                let mut pairs = ours.iter().zip(theirs);
                match pairs.find(|(our, their)| !our.view().equals(their.view())) {
                    Some((our, their)) => our.view().order(their.view()),
                    None => Ok(Some(ours.len().cmp(&theirs.len()))),
                }
            }
            _ => match (self.as_number(), other.as_number()) {
                (Some(ours), Some(theirs)) => Ok(ours.order(theirs)),
                _ => Err(Incomparable),
            },
        }
    }

    /// Whether a string contains a string, a list an element, or an object a name.
    pub(super) fn contains(self, item: View<'_>) -> Result<bool, Incomparable> {
        match (self, item) {
            (Self::Text(text), View::Text(part)) => Ok(text.contains(part)),
            (Self::List(items), _) => Ok(items.iter().any(|its| its.view().equals(item))),
            (Self::Object(members), View::Text(name)) => {
                Ok(members.iter().any(|(its_name, _)| **its_name == *name))
            }
            (Self::Object(_), View::Null | View::Bool(_) | View::Integer(_) | View::Float(_)) => {
                Ok(false)
            }
            _ => Err(Incomparable),
        }
    }

    pub(super) fn as_number(self) -> Option<Number> {
        match self {
            Self::Bool(value) => Some(Number::Integer(value.into())),
            Self::Integer(value) => Some(Number::Integer(value)),
            Self::Float(value) => Some(Number::Float(value)),
            _ => None,
        }
    }
}

/// A number that is compared exactly.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(ours), Self::Integer(theirs)) => Some(ours.cmp(&theirs)),
            (Self::Float(ours), Self::Float(theirs)) => ours.partial_cmp(&theirs),
            (Self::Integer(ours), Self::Float(theirs)) => order_of(ours, theirs),
            (Self::Float(ours), Self::Integer(theirs)) => {
                order_of(theirs, ours).map(Ordering::reverse)
            }
        }
    }
}

/// Compares without rounding the integer to a float.
fn order_of(integer: i128, float: f64) -> Option<Ordering> {
    /// The first float beyond the integers.
    const BEYOND: f64 = (1_u128 << 127) as f64;

    if float.is_nan() {
        None
    } else if float >= BEYOND {
        Some(Ordering::Less)
    } else if float < -BEYOND {
        Some(Ordering::Greater)
    } else {
        let whole = float.trunc();
        let order = integer.cmp(&(whole as i128));
        Some(order.then_with(|| 0.0_f64.total_cmp(&(float - whole))))
    }
}

/// The elements of a list of the document. It is searched more often than it is read.
#[derive(Debug)]
pub(super) struct Members {
    /// Sorted.
    texts: Vec<Box<str>>,
    others: Vec<Value>,
}

impl Members {
    pub(super) fn new(items: Vec<Value>) -> Self {
        let (mut texts, mut others) = (Vec::new(), Vec::new());
        for item in items {
            match item {
                Value::Text(text) => texts.push(text),
                other => others.push(other),
            }
        }
        texts.sort_unstable();
        Self { texts, others }
    }

    pub(super) fn contains(&self, item: View<'_>) -> bool {
        match item {
            View::Text(text) => self.texts.binary_search_by(|its| (**its).cmp(text)).is_ok(),
            other => self.others.iter().any(|its| its.view().equals(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_floats_are_compared_without_rounding() {
        let order = |integer, float| View::Integer(integer).order(View::Float(float)).unwrap();
        assert_eq!(order(9_007_199_254_740_993, 9_007_199_254_740_992.0), Some(Ordering::Greater));
        assert_eq!(order(3, 3.0), Some(Ordering::Equal));
        assert_eq!(order(3, 3.5), Some(Ordering::Less));
        assert_eq!(order(-3, -3.5), Some(Ordering::Greater));
        assert_eq!(order(0, -0.0), Some(Ordering::Equal));
        assert_eq!(order(i128::MAX, 1e39), Some(Ordering::Less));
        assert_eq!(order(i128::MIN, -(2.0_f64.powi(127))), Some(Ordering::Equal));
        assert_eq!(order(i128::MIN, f64::NEG_INFINITY), Some(Ordering::Greater));
        assert_eq!(order(1, f64::NAN), None);
        assert_eq!(View::Float(3.5).order(View::Integer(3)), Ok(Some(Ordering::Greater)));
    }

    #[test]
    fn values_are_equal_whatever_the_order_of_their_members() {
        let read = |text: &str| Value::read(&text.parse().unwrap()).unwrap();
        let equal = |ours, theirs| read(ours).view().equals(read(theirs).view());
        assert!(equal(r#"{"a": 1, "b": [true, null]}"#, r#"{"b": [1.0, null], "a": true}"#));
        assert!(!equal(r#"{"a": 1}"#, r#"{"a": 1, "b": 1}"#));
        assert!(!equal(r#"{"a": 1}"#, r#"{"b": 1}"#));
        assert!(!equal("[1]", "[1, 2]"));
        assert!(!equal(r#""1""#, "1"));
        assert!(!equal("null", "0"));
    }

    #[test]
    fn numbers_beyond_what_can_be_compared_are_refused() {
        let reads = |text: &str| Value::read(&text.parse().unwrap()).is_some();
        assert!(reads("170141183460469231731687303715884105727"));
        assert!(!reads("170141183460469231731687303715884105728"));
        assert!(!reads("[1e400]"));
    }
}
