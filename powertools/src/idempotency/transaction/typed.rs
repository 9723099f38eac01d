use serde::Serialize;

use super::{AttributeValue, Item};
use crate::idempotency::Error;
use crate::json::decimal::decimal;
use crate::json::{Form, Json, WriteError, to_text};

/// The maximum number of digits of a number in DynamoDB, and its largest and smallest exponents.
const DIGITS: usize = 38;
const LARGEST: i64 = 126;
const SMALLEST: i64 = -129;

impl Item {
    /// Writes a struct or map as an item, in the types of JSON: S, N, BOOL, NULL, L and M.
    ///
    /// Integers of up to 128 bits keep their digits, and a `serde_json` `RawValue` is written as what
    /// it contains. Bytes and sets need [`AttributeValue`]s of their own: set them afterwards.
    ///
    /// # Errors
    ///
    /// Returns [`Error::CommitInvalid`] if `value` is not written as a map, or contains what DynamoDB
    /// cannot store: a float that is infinite or not a number, a number of more than 38 digits or out
    /// of its range, an enum or map that JSON cannot represent.
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        let invalid = |reason: String| Error::CommitInvalid { reason };
        let written = to_text(value, Form::Result)
            .map_err(|WriteError(reason)| invalid(format!("the item: {reason}")))?;
        let text = String::from_utf8(written.text).map_err(|error| invalid(error.to_string()))?;
        let tree: Json = text.parse().map_err(|error| invalid(format!("the item: {error}")))?;
        match attribute(tree).map_err(invalid)? {
            AttributeValue::M(members) => Ok(members.into_iter().collect()),
            other => Err(invalid(format!("an item is a map, and this is a {}", other.type_name()))),
        }
    }
}

fn attribute(value: Json) -> Result<AttributeValue, String> {
    Ok(match value {
        Json::Null => AttributeValue::Null,
        Json::Bool(value) => AttributeValue::Bool(value),
        Json::String(text) => AttributeValue::S(text),
        Json::Number(number) => {
            if !is_storable(number.as_str()) {
                return Err("a number has more than 38 digits or is out of range".to_owned());
            }
            AttributeValue::N(number.as_str().to_owned())
        }
        Json::Array(values) => {
            AttributeValue::L(values.into_iter().map(attribute).collect::<Result<_, _>>()?)
        }
        Json::Object(members) => {
            let members = members.into_iter().map(|(name, value)| Ok((name, attribute(value)?)));
            AttributeValue::M(members.collect::<Result<_, String>>()?)
        }
    })
}

/// Returns true if DynamoDB can store the number: by its documentation, 38 digits, and a magnitude from
/// 1E-130 to 9.9…E+125.
pub(super) fn is_storable(text: &str) -> bool {
    decimal(text).is_some_and(|number| {
        number.digits.is_empty()
            || (number.digits.len() <= DIGITS && (SMALLEST..=LARGEST).contains(&number.exponent))
    })
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::value::RawValue;

    use super::*;

    #[derive(Serialize)]
    struct Order {
        id: &'static str,
        total: u128,
        weight: f64,
        note: Option<String>,
        raw: Box<RawValue>,
    }

    fn order() -> Order {
        let raw = RawValue::from_string(r#"{"big":12345678901234567890}"#.to_owned()).unwrap();
        Order { id: "o-1", total: u128::from(u64::MAX) + 1, weight: 0.5, note: None, raw }
    }

    #[test]
    fn an_item_keeps_what_dynamodb_can_store() {
        let item = Item::from_serialize(&order()).unwrap();
        let number = |text: &str| AttributeValue::N(text.to_owned());
        assert_eq!(item.get("id"), Some(&"o-1".into()));
        assert_eq!(item.get("total"), Some(&number("18446744073709551616")));
        assert_eq!(item.get("weight"), Some(&number("0.5")));
        assert_eq!(item.get("note"), Some(&AttributeValue::Null));
        let Some(AttributeValue::M(raw)) = item.get("raw") else { panic!("no map") };
        assert_eq!(raw["big"], number("12345678901234567890"));
    }

    #[test]
    fn what_dynamodb_cannot_store_is_rejected() {
        let refused = |order: Order| Item::from_serialize(&order).unwrap_err().error_type();
        let name = "Powertools.IdempotencyCommitInvalid";
        assert_eq!(refused(Order { weight: f64::NAN, ..order() }), name);
        assert_eq!(refused(Order { weight: 1e300, ..order() }), name);
        assert_eq!(refused(Order { total: u128::MAX, ..order() }), name);
        assert_eq!(Item::from_serialize("text").unwrap_err().error_type(), name);
    }

    #[test]
    fn the_range_of_numbers_is_that_of_dynamodb() {
        for stored in ["0", "-0", "1E-130", "9.9E125", "1234567890123456789012345678901234567800"] {
            assert!(is_storable(stored), "{stored}");
        }
        for refused in ["1E-131", "1E126", "123456789012345678901234567890123456789", "NaN"] {
            assert!(!is_storable(refused), "{refused}");
        }
    }
}
