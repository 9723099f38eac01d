//! Validation of what a function receives and returns.
//!
//! Deserialising checks the shape of a value. [`Validate`] checks its rules, by hand, with the crate
//! `garde` (feature `validate-garde`), or with [`Schema`], a JSON Schema (feature `validate-jsonschema`):
//!
//! ```
//! use powertools::http::{Json, JsonError, Problem, Request};
//! use powertools::validation::{Error, Validate, Violation};
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Order {
//!     amounts: Vec<u32>,
//! }
//!
//! impl Validate for Order {
//!     fn check(&self) -> Result<(), Error> {
//!         let zeros = self.amounts.iter().enumerate().filter(|(_, amount)| **amount == 0);
//!         let violations = zeros.map(|(at, _)| Violation::new(format!("amounts[{at}]"), "it is zero"));
//!         Error::if_any(violations)
//!     }
//! }
//!
//! fn read(request: &Request) -> Result<Order, JsonError> {
//!     let Json(order) = Json::<Order>::read(request)?.validated()?; // 422 as a problem
//!     Ok(order)
//! }
//!
//! let request = http::Request::post("/orders")
//!     .header("content-type", "application/json")
//!     .body(r#"{"amounts":[1,0]}"#.into())
//!     .unwrap();
//! let problem = Problem::of(&read(&request).err().unwrap());
//! assert_eq!(problem.status(), 422);
//! let told: serde_json::Value = serde_json::from_str(&problem.to_json()).unwrap();
//! assert_eq!(told["errors"][0]["path"], "amounts[1]");
//! assert_eq!(told["errors"][0]["detail"], "it is zero");
//! ```
//!
//! Any event can be validated like this, not only requests: `event.payload.check()?`.
//!
//! An [`Error`] names the places in the value and the rules that are broken, and never the value itself,
//! since errors are logged and answered.

mod error;
#[cfg(feature = "validate-garde")]
mod garde;
#[cfg(feature = "validate-jsonschema")]
mod layer;
#[cfg(feature = "validate-jsonschema")]
mod schema;

pub use self::error::{Error, Violation};
#[cfg(feature = "validate-jsonschema")]
pub use self::layer::{SchemaLayer, SchemaService};
#[cfg(feature = "validate-jsonschema")]
pub use self::schema::Schema;

/// A value with rules.
///
/// With the feature `validate-garde`, every type that implements `garde::Validate` with a context that has
/// a default is one:
///
#[cfg_attr(feature = "validate-garde", doc = "```")]
#[cfg_attr(not(feature = "validate-garde"), doc = "```ignore")]
/// use powertools::validation::Validate;
///
/// #[derive(garde::Validate)]
/// struct Order {
///     #[garde(range(min = 1))]
///     amount: u32,
///     #[garde(skip)]
///     note: String,
/// }
///
/// let error = Order { amount: 0, note: String::new() }.check().unwrap_err();
/// assert_eq!(error.to_string(), "the value is invalid: `amount`: lower than 1");
/// ```
///
/// Its paths have the names of the fields in Rust. A message of a rule of your own appears as it is.
///
/// `garde` collects every violation before the first 20 are taken, in 100 to 170 bytes each. A body of 1 MiB can
/// have half a million, which are 80 MB: where lists are long, limit the body with
/// [`Json::read_up_to`](crate::http::Json::read_up_to), or check with a [`Schema`], whose memory is bounded.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no rules to validate",
    note = "implement `powertools::validation::Validate`, or with the feature `validate-garde` derive \
            `garde::Validate`"
)]
pub trait Validate {
    /// Checks the rules.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Invalid`] if one is broken.
    fn check(&self) -> Result<(), Error>;
}
