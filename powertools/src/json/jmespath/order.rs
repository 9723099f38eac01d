//! Which values are equal, and which comes first.

use std::cmp::Ordering;

use crate::json::{Json, Number};

pub(super) fn equal(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => numbers(a, b) == Some(Ordering::Equal),
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        (Json::Object(members), Json::Object(others)) => {
            members.len() == others.len()
                && members.iter().all(|(name, value)| b.get(name).is_some_and(|b| equal(value, b)))
        }
        _ => a == b,
    }
}

/// Compares two numbers or two strings; other values have no order.
pub(super) fn compare(a: &Json, b: &Json) -> Option<Ordering> {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => numbers(a, b),
        (Json::String(a), Json::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// As in Python: floats are compared as doubles, and an integer keeps all its digits beside them. If it became a
/// double, too, two integers could differ that equal the same float, and nothing could be sorted.
fn numbers(a: &Number, b: &Number) -> Option<Ordering> {
    match (a.is_integer(), b.is_integer()) {
        (true, true) => Some(integers(a.as_str(), b.as_str())),
        (false, false) => a.to_f64().partial_cmp(&b.to_f64()),
        (true, false) => integer_and_float(a, b.to_f64()),
        (false, true) => integer_and_float(b, a.to_f64()).map(Ordering::reverse),
    }
}

fn integer_and_float(integer: &Number, float: f64) -> Option<Ordering> {
    match integer.to_f64().partial_cmp(&float)? {
        // Rounded to it, at least. A float that integers are rounded to is one, whose digits are all written here.
        Ordering::Equal if float.is_finite() => {
            Some(integers(integer.as_str(), &format!("{float:.0}")))
        }
        Ordering::Equal => 0.0.partial_cmp(&float),
        order => Some(order),
    }
}

/// Compares integers of any length, without leading zeros.
fn integers(a: &str, b: &str) -> Ordering {
    match (a.strip_prefix('-'), b.strip_prefix('-')) {
        (None, None) => (a.len(), a).cmp(&(b.len(), b)),
        (Some(a), Some(b)) => (b.len(), b).cmp(&(a.len(), a)),
        (Some("0"), None) if b == "0" => Ordering::Equal,
        (None, Some("0")) if a == "0" => Ordering::Equal,
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
    }
}
