//! Where an event says what it belongs to.
//!
//! The known paths, for [`Logging::correlation_id`](super::Logging::correlation_id):

use std::fmt;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::Error;

/// REST APIs of API Gateway.
pub const API_GATEWAY_REST: &str = "requestContext.requestId";
/// HTTP APIs of API Gateway.
pub const API_GATEWAY_HTTP: &str = "requestContext.requestId";
/// Function URLs.
pub const LAMBDA_FUNCTION_URL: &str = "requestContext.requestId";
/// Application load balancers.
pub const APPLICATION_LOAD_BALANCER: &str = r#"headers."x-amzn-trace-id""#;
/// Resolvers of AppSync.
pub const APPSYNC_RESOLVER: &str = r#"request.headers."x-amzn-trace-id""#;
/// Authorizers of AppSync.
pub const APPSYNC_AUTHORIZER: &str = "requestContext.requestId";
/// Events of EventBridge.
pub const EVENT_BRIDGE: &str = "id";
/// VPC Lattice.
pub const VPC_LATTICE: &str = r#"headers."x-amzn-trace-id""#;
/// S3 Object Lambda.
pub const S3_OBJECT_LAMBDA: &str = "xAmzRequestId";

type Find = dyn Fn(&[u8]) -> Option<String> + Send + Sync;

/// How the correlation id of an event is found.
pub(super) enum Correlation {
    Path(Path),
    Function(Box<Find>),
}

impl Correlation {
    pub(super) fn by<T: DeserializeOwned>(
        find: impl Fn(T) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self::Function(Box::new(move |event| find(serde_json::from_slice(event).ok()?)))
    }

    pub(super) fn find(&self, event: &[u8]) -> Option<String> {
        match self {
            Self::Path(path) => path.find(event),
            Self::Function(find) => find(event),
        }
    }
}

/// A way into a JSON document: names and positions.
#[derive(Debug, PartialEq)]
pub(super) struct Path(Vec<Step>);

#[derive(Debug, PartialEq)]
enum Step {
    Name(String),
    Position(usize),
}

impl Path {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        Self::steps(text).filter(|steps| !steps.is_empty()).map(Self).ok_or_else(|| {
            let reason = "a path is names with dots between, such as a.\"b-c\"[0].d";
            Error::setting("correlation_id", text, reason)
        })
    }

    fn steps(text: &str) -> Option<Vec<Step>> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(position) = rest.strip_prefix('[') {
                let (position, behind) = position.split_once(']')?;
                steps.push(Step::Position(position.parse().ok()?));
                rest = behind;
                continue;
            }
            if !steps.is_empty() {
                rest = rest.strip_prefix('.')?;
            }
            let end = if rest.starts_with('"') {
                crate::json::scan::string_end(rest.as_bytes(), 0)
            } else {
                rest.find(['.', '[']).unwrap_or(rest.len())
            };
            let (name, behind) = rest.split_at(end);
            let name = match name.starts_with('"') {
                true => serde_json::from_str(name).ok()?,
                false if name.contains(|c: char| !c.is_alphanumeric() && c != '_') => return None,
                false => name.to_owned(),
            };
            if name.is_empty() {
                return None;
            }
            steps.push(Step::Name(name));
            rest = behind;
        }
        Some(steps)
    }

    /// The text, number or boolean that the path leads to. The rest of the document is skipped.
    pub(super) fn find(&self, document: &[u8]) -> Option<String> {
        let mut deserializer = serde_json::Deserializer::from_slice(document);
        Walk(&self.0).deserialize(&mut deserializer).ok().flatten()
    }
}

/// Goes the rest of a path.
struct Walk<'a>(&'a [Step]);

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Walk<'_> {
    /// The value, where the path ends.
    fn end(&self, value: impl ToString) -> Option<String> {
        self.0.is_empty().then(|| value.to_string())
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = map.next_key::<String>()? {
            match self.0.split_first() {
                Some((Step::Name(step), rest)) if *step == name => {
                    found = map.next_value_seed(Walk(rest))?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
        let Some((Step::Position(position), rest)) = self.0.split_first() else {
            while values.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(None);
        };
        for _ in 0..*position {
            if values.next_element::<IgnoredAny>()?.is_none() {
                return Ok(None);
            }
        }
        let found = values.next_element_seed(Walk(rest))?.flatten();
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found)
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(self.end(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(self.end(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(self.end(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(self.end(value))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(self.end(value))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_the_known_paths_lead_to() {
        let event = r#"{"requestContext":{"other":[1],"requestId":"a"},"id":"b","headers":
            {"x-amzn-trace-id":"Root=c"},"request":{"headers":{"x-amzn-trace-id":"d"}}}"#;
        assert_eq!(found(API_GATEWAY_REST, event).as_deref(), Some("a"));
        assert_eq!(found(EVENT_BRIDGE, event).as_deref(), Some("b"));
        assert_eq!(found(APPLICATION_LOAD_BALANCER, event).as_deref(), Some("Root=c"));
        assert_eq!(found(APPSYNC_RESOLVER, event).as_deref(), Some("d"));
        assert_eq!(found(S3_OBJECT_LAMBDA, event), None);
    }

    #[test]
    fn goes_by_position_and_takes_any_scalar() {
        const END: &str = "Records[18446744073709551615]";
        let event = r#"{"Records":[{"a":1},{"a":-2},{"a":true},{"a":null},{"a":{}}],"x":[]}"#;
        assert_eq!(found("Records[0].a", event).as_deref(), Some("1"));
        assert_eq!(found("Records[1].a", event).as_deref(), Some("-2"));
        assert_eq!(found("Records[2].a", event).as_deref(), Some("true"));
        for path in
            ["Records[3].a", "Records[4].a", "Records[9].a", "x[0]", "Records.a", "a[0]", END]
        {
            assert_eq!(found(path, event), None, "{path}");
        }
        assert_eq!(found("[1]", "[1,2,3]").as_deref(), Some("2"));
        assert_eq!(found("a", "no json"), None);
    }

    #[test]
    fn a_path_that_is_none_is_an_error_at_start() {
        for path in ["", ".", "a.", "a..b", "a[", "a[x]", "a-b", "a\"b\"", "\"a", "a[*]"] {
            assert!(Path::parse(path).is_err(), "{path}");
        }
    }

    fn found(path: &str, event: &str) -> Option<String> {
        Path::parse(path).unwrap().find(event.as_bytes())
    }
}
