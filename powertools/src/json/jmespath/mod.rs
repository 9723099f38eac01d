mod check;
mod decode;
mod evaluate;
mod functions;
mod literals;
mod numbers;
mod order;
mod slice;

use std::fmt;

use jmespath::ast::Ast;

use self::decode::Space;
use self::evaluate::{Search, evaluate};
use self::literals::Literals;
use super::Json;

/// A JMESPath expression, which selects the key of an event without a type, or its correlation id.
///
/// Besides the functions of JMESPath there are `powertools_json`, which parses a JSON string, and
/// `powertools_base64` and `powertools_base64_gzip`, which decode a string, as in the toolkits for
/// other languages.
///
/// A value that is selected keeps what it has in the event, including large numbers, `1.0` and the
/// order of members. Expressions that only select have the same keys in all toolkits. Expressions that
/// compute may have others: `to_string` and `avg`, for example, differ in Python.
///
/// Compile an expression once:
///
/// ```
/// use std::sync::LazyLock;
///
/// use powertools::idempotency::{JmesPath, JmesPathError, Json};
///
/// static ORDER_KEY: LazyLock<JmesPath> = LazyLock::new(|| {
///     JmesPath::new("powertools_json(body).[customer, order_id]").expect("a valid expression")
/// });
///
/// fn order_key(event: &Json) -> Result<Json, JmesPathError> {
///     ORDER_KEY.search(event)
/// }
///
/// let event = r#"{"body": "{\"order_id\": 12345678901234567890123, \"customer\": \"c-1\"}"}"#;
/// let key = order_key(&event.parse().expect("JSON"))?;
/// assert_eq!(key.to_string(), r#"["c-1",12345678901234567890123]"#);
/// # Ok::<(), JmesPathError>(())
/// ```
#[derive(Clone)]
pub struct JmesPath {
    expression: String,
    ast: Ast,
    literals: Literals,
}

/// Why a JMESPath expression is invalid, or why a document has no value for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JmesPathError {
    /// The expression is malformed, or calls a function that does not exist or with a wrong number
    /// of arguments.
    #[error("invalid JMESPath expression {expression:?}: {reason}")]
    Invalid {
        /// The expression.
        expression: String,
        /// Why it is invalid.
        reason: String,
    },
    /// A function fails on a value in the document: its argument has the wrong type, or is invalid
    /// JSON, base64 or gzip.
    #[error("JMESPath expression {expression:?} does not fit the document: {reason}")]
    Unfit {
        /// The expression.
        expression: String,
        /// Why it fails.
        reason: String,
    },
}

impl JmesPath {
    /// Compiles an expression.
    ///
    /// # Errors
    ///
    /// Returns [`JmesPathError::Invalid`] if the expression is malformed, calls a function that does not
    /// exist or calls one with too few or too many arguments.
    pub fn new(expression: impl Into<String>) -> Result<Self, JmesPathError> {
        let expression = expression.into();
        let compiled = jmespath::parse(&expression).map_err(|error| error.reason.to_string());
        match compiled.and_then(|ast| Ok((check::check(&expression, &ast)?, ast))) {
            Ok((literals, ast)) => Ok(Self { expression, ast, literals }),
            Err(reason) => Err(JmesPathError::Invalid { expression, reason }),
        }
    }

    /// Returns what the expression selects in a document, or null if it selects nothing.
    ///
    /// # Errors
    ///
    /// Returns [`JmesPathError::Unfit`] if a function fails: its argument has the wrong type, or is
    /// invalid JSON, base64 or gzip.
    pub fn search(&self, document: &Json) -> Result<Json, JmesPathError> {
        let search = Search { literals: &self.literals, space: Space::default() };
        match evaluate(&search, &self.ast, document) {
            Ok(found) => Ok(found.into_owned()),
            Err(reason) => {
                Err(JmesPathError::Unfit { expression: self.expression.clone(), reason })
            }
        }
    }

    /// Returns the expression as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.expression
    }
}

impl fmt::Debug for JmesPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JmesPath").field(&self.expression).finish()
    }
}

impl fmt::Display for JmesPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.expression)
    }
}

#[cfg(test)]
mod tests;
