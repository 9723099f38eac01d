use std::fmt::{self, Write as _};
use std::sync::Arc;

use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{ValidationError, Validator};
use serde::Serialize;
use serde::ser::Error as _;
use serde_json::Value;

use super::{Error, Violation};
use crate::json::{self, Form};

/// A JSON Schema, compiled once. A clone is the same schema.
///
/// ```
/// use std::sync::LazyLock;
/// use powertools::validation::Schema;
/// use serde_json::json;
///
/// static ORDER: LazyLock<Schema> = LazyLock::new(|| {
///     // Usually `include_str!("order.schema.json")`.
///     let order = r#"{
///         "type": "object",
///         "properties": {
///             "email": { "type": "string", "format": "email" },
///             "items": { "type": "array", "items": { "type": "integer", "minimum": 1 } }
///         },
///         "required": ["email"]
///     }"#;
///     Schema::new(order).expect("the schema is valid")
/// });
///
/// assert!(ORDER.check(&json!({ "email": "ada@example.com", "items": [1] })).is_ok());
///
/// let error = ORDER.check(&json!({ "email": "s3cr3t", "items": [0] })).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     r#"the value is invalid: `email`: value is not a "email"; `items[0]`: value is less than the minimum of 1"#
/// );
/// ```
///
/// [`Json::read_matching`](crate::http::Json::read_matching) reads the body of a request, and
/// [`SchemaLayer`](super::SchemaLayer) checks all events and results of a handler.
///
/// # What is supported
///
/// The drafts 4, 6, 7, 2019-09 and 2020-12: that of `$schema`, or 2020-12.
///
/// Formats are asserted, in every draft. They are those of the draft: `date`, `date-time`, `email`,
/// `hostname`, `idn-email`, `ipv4`, `ipv6`, `regex`, `time` and `uri` in all of them; `json-pointer`,
/// `uri-reference` and `uri-template` from 6 on; `idn-hostname`, `iri`, `iri-reference` and
/// `relative-json-pointer` from 7 on; `duration` and `uuid` from 2019-09 on. Another one is a mistake at
/// the start, unless it is among [those of your own](Self::with_formats): it would be ignored otherwise.
///
/// A `$ref` leads to a place in the same schema, or to a schema of a draft. Nothing is read from files or
/// from the network.
///
/// Of a value with more than 10,000 parts, each item and member counted, an error has one violation: the first, or
/// if the schema has `anyOf` or `oneOf`, that it does not match.
#[derive(Clone)]
pub struct Schema(Arc<Compiled>);

struct Compiled {
    validator: Validator,
    /// Whether it has alternatives: their errors contain all errors of each alternative.
    has_alternatives: bool,
}

/// The most parts of a value whose violations are listed. `jsonschema` collects all of them before it returns the
/// first, in about 500 bytes each.
const MOST_PARTS: usize = 10_000;

impl Schema {
    /// Compiles a schema from its JSON. This takes milliseconds: do it before the first event.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Schema`] if it is not a JSON Schema, has a format that is not known, or refers to
    /// another document.
    pub fn new(schema: &str) -> Result<Self, Error> {
        Self::with_formats::<fn(&str) -> bool>(schema, [])
    }

    /// Compiles a schema with formats of your own. They take precedence over others of the same name.
    ///
    /// ```
    /// use powertools::validation::Schema;
    /// use serde_json::json;
    ///
    /// let is_account = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    /// let schema = Schema::with_formats(r#"{ "format": "aws-account" }"#, [("aws-account", is_account)])?;
    ///
    /// assert!(schema.check(&json!("123456789012")).is_ok());
    /// assert!(schema.check(&json!("1234")).is_err());
    /// # Ok::<(), powertools::validation::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// See [`new`](Self::new).
    pub fn with_formats<F>(
        schema: &str,
        formats: impl IntoIterator<Item = (&'static str, F)>,
    ) -> Result<Self, Error>
    where
        F: Fn(&str) -> bool + Send + Sync + 'static,
    {
        let schema: Value =
            serde_json::from_str(schema).map_err(|error| Error::Schema(error.to_string()))?;
        let options = jsonschema::options();
        let options = options.should_validate_formats(true).should_ignore_unknown_formats(false);
        let options = formats
            .into_iter()
            .fold(options, |options, (name, is_valid)| options.with_format(name, is_valid));
        let validator = options.build(&schema).map_err(|error| {
            let place = path(error.instance_path());
            Error::Schema(Violation::new(place, error.to_string()).to_string())
        })?;
        let has_alternatives = has_alternatives(&schema);
        Ok(Self(Arc::new(Compiled { validator, has_alternatives })))
    }

    /// Checks what was received, as serde writes it: members that its type does not have are not there
    /// any more. Check a `serde_json::Value` where they count.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Invalid`] if it does not match the schema, and [`Error::Unwritable`] if it cannot
    /// be written as JSON, such as a number that is infinite or not a number.
    pub fn check<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), Error> {
        let written = written(value).map_err(Error::Unwritable)?;
        // `serde_json` writes a null in place of a float that is not finite.
        if has_null(&written) {
            json::to_text(value, Form::Canonical)
                .map_err(|error| Error::Unwritable(serde_json::Error::custom(error)))?;
        }
        self.check_value(&written)
    }

    /// Checks what is about to be returned or sent. A violation is a mistake of the function: an HTTP
    /// function answers it with 500.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Output`] if it does not match the schema, and [`Error::Unwritable`] if it cannot
    /// be written as JSON.
    pub fn check_output<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), Error> {
        self.check(value).map_err(|error| match error {
            Error::Invalid(violations) => Error::Output(violations),
            error => error,
        })
    }

    pub(crate) fn check_value(&self, value: &Value) -> Result<(), Error> {
        let Compiled { validator, has_alternatives } = &*self.0;
        // Much faster than looking for errors.
        if validator.is_valid(value) {
            return Ok(());
        }
        let violation = |error: ValidationError<'_>| {
            Violation::new(path(error.instance_path()), error.masked().to_string())
        };
        if has_at_most(value, &mut { MOST_PARTS }) {
            return Error::if_any(validator.iter_errors(value).map(violation));
        }
        let first = if *has_alternatives { None } else { validator.validate(value).err() };
        let first = first.map(violation);
        Error::if_any([first.unwrap_or_else(|| {
            Violation::new("", "it does not match the schema, and is too large to say where")
        })])
    }
}

/// Returns what a client reads. As a tree of `serde_json` at once, an `f32` would be a number that is not written, and an
/// integer beyond 64 bits an error.
fn written<T: Serialize + ?Sized>(value: &T) -> Result<Value, serde_json::Error> {
    serde_json::from_str(&serde_json::to_string(value)?)
}

/// Takes the parts of a value from `left`, and returns false if there are more.
fn has_at_most(value: &Value, left: &mut usize) -> bool {
    let Some(rest) = left.checked_sub(1) else { return false };
    *left = rest;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        Value::Array(items) => items.iter().all(|item| has_at_most(item, left)),
        Value::Object(members) => members.values().all(|member| has_at_most(member, left)),
    }
}

fn has_alternatives(schema: &Value) -> bool {
    match schema {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        Value::Array(items) => items.iter().any(has_alternatives),
        Value::Object(members) => members.iter().any(|(name, schema)| {
            // A `$ref` beyond the schema leads to that of a draft.
            let is_draft =
                name == "$ref" && schema.as_str().is_some_and(|place| !place.starts_with('#'));
            matches!(&**name, "anyOf" | "oneOf") || is_draft || has_alternatives(schema)
        }),
    }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
    }
}

/// Returns a place in a value: `items[0].price`.
fn path(location: &Location) -> String {
    let mut path = String::new();
    for segment in location {
        // Writing to a String does not fail.
        let _ = match segment {
            LocationSegment::Index(index) => write!(path, "[{index}]"),
            LocationSegment::Property(name) if path.is_empty() => write!(path, "{name}"),
            LocationSegment::Property(name) => write!(path, ".{name}"),
        };
    }
    path
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let draft = self.0.validator.draft();
        f.debug_struct("Schema").field("draft", &draft).finish_non_exhaustive()
    }
}
