use serde::de::DeserializeOwned;
use serde_json::Value;

use super::json::{LIMIT, content, parsed};
use super::{Json, JsonError};
use crate::validation::Schema;

impl<T: DeserializeOwned> Json<T> {
    /// Reads the body of a request, of at most 1 MiB, that matches a JSON Schema. What the schema does not
    /// allow is rejected, also where `T` would ignore it.
    ///
    /// ```
    /// use powertools::http::{Json, JsonError, Request};
    /// use powertools::validation::Schema;
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize)]
    /// struct Order {
    ///     amount: u32,
    /// }
    ///
    /// fn read(schema: &Schema, request: &Request) -> Result<Order, JsonError> {
    ///     let Json(order) = Json::<Order>::read_matching(request, schema)?; // 422 as a problem
    ///     Ok(order)
    /// }
    /// # let _ = read;
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`JsonError::Invalid`] if it does not match, and otherwise as [`read`](Self::read) does.
    pub fn read_matching<B: AsRef<[u8]>>(
        request: &http::Request<B>,
        schema: &Schema,
    ) -> Result<Self, JsonError> {
        let body = content(request, LIMIT)?;
        schema.check_value(&parsed::<Value>(body)?).map_err(JsonError::Invalid)?;
        parsed(body).map(Self)
    }
}
