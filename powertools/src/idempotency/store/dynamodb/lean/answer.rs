//! Responses: items, and errors with their codes.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::idempotency::store::dynamodb::requests::{Failure, Reason};
use crate::idempotency::transaction::{AttributeValue, Item};

/// Reads the item of a GetItem, if there is one.
pub(super) fn item(body: &[u8]) -> Result<Option<Item>, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Output {
        #[serde(default)]
        item: Option<Attributes>,
    }

    match serde_json::from_slice::<Output>(body) {
        Ok(output) => Ok(output.item.map(Into::into)),
        Err(_) => Err(not_json()),
    }
}

/// Checks that a successful response is one of DynamoDB, and not the page of a proxy in between.
pub(super) fn check(body: &[u8]) -> Result<(), Failure> {
    let is_object = body == b"{}"
        || serde_json::from_slice::<BTreeMap<&str, IgnoredAny>>(body).is_ok()
        || serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(body).is_ok();
    if is_object { Ok(()) } else { Err(not_json()) }
}

fn not_json() -> Failure {
    Failure::Unusable("the response is not JSON of DynamoDB".into())
}

/// An error of the service.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Refusal {
    // Each name has a field, since a body can have several of them.
    #[serde(rename = "__type")]
    kind: Option<String>,
    code: Option<String>,
    #[serde(rename = "Code")]
    capital_code: Option<String>,
    message: Option<String>,
    #[serde(rename = "Message")]
    capital_message: Option<String>,
    #[serde(rename = "Item")]
    item: Option<Attributes>,
    #[serde(rename = "CancellationReasons")]
    reasons: Option<Vec<ReasonBody>>,
}

#[derive(Deserialize)]
struct ReasonBody {
    #[serde(rename = "Code")]
    code: Option<String>,
    #[serde(rename = "Item")]
    item: Option<Attributes>,
}

/// The error of a request that DynamoDB rejected.
#[derive(Debug, thiserror::Error)]
#[error("{code}{}{}", if .message.is_empty() { "" } else { ": " }, .message)]
struct ServiceError {
    code: String,
    message: String,
}

impl Refusal {
    /// Reads the body of an error. `header` is `x-amzn-errortype`.
    pub(super) fn of(body: &[u8], header: Option<&str>) -> Option<Self> {
        let mut refusal = serde_json::from_slice::<Self>(body).ok()?;
        let of_body = refusal.kind.or(refusal.code.take()).or(refusal.capital_code.take());
        refusal.kind = of_body.or_else(|| header.map(str::to_owned));
        Some(refusal)
    }

    /// Returns the code, without the namespace before it and the URL after it.
    pub(super) fn code(&self) -> &str {
        let kind = self.kind.as_deref().unwrap_or_default();
        let kind = kind.split(':').next().unwrap_or_default();
        kind.rsplit('#').next().unwrap_or_default()
    }

    pub(super) fn into_failure(self) -> Failure {
        let code = self.code().to_owned();
        match (&*code, self.reasons) {
            ("ConditionalCheckFailedException", _) => Failure::Refused(self.item.map(Into::into)),
            ("TransactionCanceledException", reasons) => {
                let reason =
                    |it: ReasonBody| Reason { code: it.code, item: it.item.map(Into::into) };
                Failure::Cancelled(reasons.into_iter().flatten().map(reason).collect())
            }
            _ => {
                let message = self.message.or(self.capital_message).unwrap_or_default();
                Failure::Service(code.clone(), ServiceError { code, message }.into())
            }
        }
    }
}

#[derive(Deserialize)]
struct Attributes(BTreeMap<String, Value>);

impl From<Attributes> for Item {
    fn from(attributes: Attributes) -> Self {
        attributes.0.into_iter().map(|(name, Value(value))| (name, value)).collect()
    }
}

struct Value(AttributeValue);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;

        impl<'de> Visitor<'de> for ValueVisitor {
            type Value = AttributeValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value of an attribute")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AttributeValue, A::Error> {
                let Some(kind) = map.next_key::<String>()? else {
                    return Err(A::Error::custom("a value has no type"));
                };
                let value = member(&kind, &mut map)?;
                match map.next_key::<IgnoredAny>()? {
                    None => Ok(value),
                    Some(_) => Err(A::Error::custom("a value has two types")),
                }
            }
        }

        deserializer.deserialize_map(ValueVisitor).map(Self)
    }
}

fn member<'de, A: MapAccess<'de>>(kind: &str, map: &mut A) -> Result<AttributeValue, A::Error> {
    let bytes =
        |text: String| STANDARD.decode(text).map_err(|_| A::Error::custom("a value is not base64"));
    Ok(match kind {
        "S" => AttributeValue::S(map.next_value()?),
        "N" => AttributeValue::N(map.next_value()?),
        "B" => AttributeValue::B(bytes(map.next_value()?)?),
        "BOOL" => AttributeValue::Bool(map.next_value()?),
        "NULL" => {
            map.next_value::<IgnoredAny>()?;
            AttributeValue::Null
        }
        "L" => {
            let values = map.next_value::<Vec<Value>>()?;
            AttributeValue::L(values.into_iter().map(|Value(value)| value).collect())
        }
        "M" => {
            let Attributes(members) = map.next_value()?;
            let members = members.into_iter().map(|(name, Value(value))| (name, value));
            AttributeValue::M(members.collect())
        }
        "SS" => AttributeValue::Ss(map.next_value()?),
        "NS" => AttributeValue::Ns(map.next_value()?),
        "BS" => {
            let values = map.next_value::<Vec<String>>()?;
            AttributeValue::Bs(values.into_iter().map(bytes).collect::<Result<_, _>>()?)
        }
        _ => {
            map.next_value::<IgnoredAny>()?;
            AttributeValue::Unknown
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_value_is_read() {
        let body = br#"{"ConsumedCapacity":{"a":[1]},"Item":{
            "s":{"S":"text \u00e9"},"n":{"N":"1.50"},"b":{"B":"AAEC"},"t":{"BOOL":true},"z":{"NULL":true},
            "l":{"L":[{"S":"a"},{"M":{"x":{"N":"1"}}}]},"ss":{"SS":["a","b"]},"ns":{"NS":["1"]},"bs":{"BS":["AA=="]},
            "new":{"VECTOR":[1,2]}}}"#;
        let item = item(body).unwrap().unwrap();
        let get = |name| item.get(name).unwrap().clone();
        assert!(get("s") == "text é".into() && get("n") == AttributeValue::N("1.50".to_owned()));
        assert!(get("b") == AttributeValue::B(vec![0, 1, 2]) && get("t") == true.into());
        assert!(get("z") == AttributeValue::Null && get("new") == AttributeValue::Unknown);
        let member = AttributeValue::M([("x".to_owned(), 1.into())].into());
        assert!(get("l") == AttributeValue::L(vec!["a".into(), member]));
        assert!(get("ss") == AttributeValue::Ss(vec!["a".to_owned(), "b".to_owned()]));
        assert!(get("bs") == AttributeValue::Bs(vec![vec![0]]));
        assert_eq!(self::item(b"{}").unwrap().map(drop), None);
    }

    #[test]
    fn a_response_that_is_not_json_of_dynamodb_is_rejected() {
        for body in ["", "<html>sorry</html>", "{\"Item\":", "{\"Item\":{\"a\":{}}}"] {
            assert!(matches!(item(body.as_bytes()), Err(Failure::Unusable(_))), "{body}");
        }
        for body in ["", "<html>sorry</html>", "[]", "{\"Attributes\":"] {
            assert!(matches!(check(body.as_bytes()), Err(Failure::Unusable(_))), "{body}");
        }
        check(br#"{"Attributes":{"a\u0062":{"S":"c"}}}"#).unwrap();
    }

    #[test]
    fn codes_have_neither_namespace_nor_url() {
        for kind in [
            "com.amazonaws.dynamodb.v20120810#ThrottlingException",
            "ThrottlingException",
            "ThrottlingException:http://internal.amazon.com/coral/com.amazon.coral.service/",
        ] {
            let body = serde_json::json!({ "__type": kind }).to_string();
            assert_eq!(Refusal::of(body.as_bytes(), None).unwrap().code(), "ThrottlingException");
            let by_header = Refusal::of(b"{}", Some(kind)).unwrap();
            assert_eq!(by_header.code(), "ThrottlingException");
        }
        assert!(Refusal::of(b"<html>", None).is_none());
        // Front ends of other makers write both spellings.
        let both = br#"{"__type":"a#First","code":"Second","message":"because","Message":"why"}"#;
        let refusal = Refusal::of(both, None).unwrap();
        assert_eq!(refusal.code(), "First");
        let Failure::Service(_, error) = refusal.into_failure() else { panic!("another failure") };
        assert_eq!(error.to_string(), "First: because");
    }
}
