//! The size of items as DynamoDB counts it: names and values, in UTF-8.

use super::{AttributeValue, Item};

/// The size of a list or map without its content.
const CONTAINER: usize = 3;
/// The size of an element or member of a list or map without its name and value.
const ELEMENT: usize = 1;

/// Returns the size of an item, never more than what DynamoDB counts.
pub(in crate::idempotency) fn item_size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + size(value)).sum()
}

pub(super) fn size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => digits(number),
        AttributeValue::B(bytes) => bytes.len(),
        AttributeValue::Bool(_) | AttributeValue::Null | AttributeValue::Unknown => 1,
        AttributeValue::L(values) => {
            CONTAINER + values.iter().map(|value| ELEMENT + size(value)).sum::<usize>()
        }
        AttributeValue::M(members) => {
            let member = |(name, value): (&String, _)| ELEMENT + name.len() + size(value);
            CONTAINER + members.iter().map(member).sum::<usize>()
        }
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::Ns(numbers) => numbers.iter().map(|number| digits(number)).sum(),
        AttributeValue::Bs(values) => values.iter().map(Vec::len).sum(),
    }
}

/// Returns the size of a number: a byte, and one for every two significant digits. Zeros at either
/// end do not count.
pub(in crate::idempotency) fn digits(number: &str) -> usize {
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    let digits = mantissa.replace(['-', '+', '.'], "");
    digits.trim_matches('0').len().div_ceil(2) + 1
}
