//! Arithmetic with the results of Python: other languages do not distinguish `2` from `2.0`.

use crate::json::{Json, Number};

enum Sum {
    Integer(i128),
    Float(f64),
}

pub(super) fn sum(numbers: &[&Number]) -> Result<Json, String> {
    match add(numbers)? {
        Sum::Integer(sum) => integer(sum),
        Sum::Float(sum) => float(sum),
    }
}

/// An integer where all are.
fn add(numbers: &[&Number]) -> Result<Sum, String> {
    if numbers.iter().all(|number| number.is_integer()) {
        let integers = numbers.iter().map(|number| number.as_str().parse().ok());
        let sum = integers.into_iter().try_fold(0i128, |sum, next| sum.checked_add(next?));
        return sum.map(Sum::Integer).ok_or_else(|| "the sum is too large".to_owned());
    }
    Ok(Sum::Float(numbers.iter().fold(0.0, |sum, number| sum + number.to_f64())))
}

pub(super) fn average(numbers: &[&Number]) -> Result<Json, String> {
    if numbers.is_empty() {
        return Ok(Json::Null);
    }
    let sum = match add(numbers)? {
        Sum::Integer(sum) => sum as f64,
        Sum::Float(sum) => sum,
    };
    float(sum / numbers.len() as f64)
}

pub(super) fn absolute(number: &Number) -> Result<Number, String> {
    let text = number.as_str();
    text.strip_prefix('-').unwrap_or(text).parse().map_err(|_| out_of_range())
}

/// Rounds to an integer.
pub(super) fn whole(number: &Number, round: fn(f64) -> f64) -> Result<Number, String> {
    if number.is_integer() {
        return Ok(number.clone());
    }
    // The sum has no negative zero.
    format!("{:.0}", round(number.to_f64()) + 0.0).parse().map_err(|_| out_of_range())
}

pub(super) fn integer(number: impl ToString) -> Result<Json, String> {
    number.to_string().parse().map(Json::Number).map_err(|_| out_of_range())
}

/// Returns true if it has a fraction or an exponent, which makes it a float in Python.
fn float(number: f64) -> Result<Json, String> {
    format!("{number:?}").parse().map(Json::Number).map_err(|_| out_of_range())
}

fn out_of_range() -> String {
    "a number is out of range".to_owned()
}
