use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use lambda_runtime::LambdaEvent;
use serde::Serialize;
use tower::{Layer, Service};

use super::{Error, Schema};

/// Checks the events of a handler before it runs, and its results, each against a [`Schema`].
///
/// ```
/// use lambda_runtime::{Error, LambdaEvent};
/// use powertools::Powertools;
/// use powertools::validation::{Schema, SchemaLayer};
/// use serde_json::{Value, json};
/// use tower::ServiceBuilder;
///
/// async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
///     Ok(json!({ "charged": event.payload["amount"] }))
/// }
///
/// # fn main() -> Result<(), Error> {
/// let order = Schema::new(r#"{ "type": "object", "required": ["amount"] }"#)?;
/// let receipt = Schema::new(r#"{ "type": "object", "required": ["charged"] }"#)?;
/// let checked = SchemaLayer::new().input(order).output(receipt);
/// let function = Powertools::service(ServiceBuilder::new().layer(checked).service_fn(handle));
/// # let _ = function;
/// # Ok(()) }
/// ```
///
/// What it checks is the event as serde writes it: with `LambdaEvent<Value>` that is all of it. A part of
/// an event, such as the body in an envelope, is checked in the handler with [`Schema::check`].
#[derive(Clone, Debug, Default)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct SchemaLayer {
    input: Option<Schema>,
    output: Option<Schema>,
}

impl SchemaLayer {
    /// Creates the layer. It checks nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the schema of events. The handler does not run for another one: it fails with
    /// [`Error::Invalid`].
    pub fn input(mut self, schema: Schema) -> Self {
        self.input = Some(schema);
        self
    }

    /// Sets the schema of results. Another one becomes [`Error::Output`]; the handler has run then.
    pub fn output(mut self, schema: Schema) -> Self {
        self.output = Some(schema);
        self
    }
}

impl<H> Layer<H> for SchemaLayer {
    type Service = SchemaService<H>;

    fn layer(&self, inner: H) -> Self::Service {
        SchemaService { inner, schemas: self.clone() }
    }
}

/// A handler whose events and results are checked. Created by [`SchemaLayer`].
#[derive(Clone, Debug)]
pub struct SchemaService<H> {
    inner: H,
    schemas: SchemaLayer,
}

impl<H, T> Service<LambdaEvent<T>> for SchemaService<H>
where
    H: Service<LambdaEvent<T>, Response: Serialize, Error: From<Error> + Send + 'static>,
    H::Future: Send + 'static,
    T: Serialize,
{
    type Response = H::Response;
    type Error = H::Error;
    type Future = BoxFuture<'static, Result<H::Response, H::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), H::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, event: LambdaEvent<T>) -> Self::Future {
        let checked = self.schemas.input.as_ref().map(|schema| schema.check(&event.payload));
        if let Some(Err(error)) = checked {
            return Box::pin(async { Err(error.into()) });
        }
        let output = self.schemas.output.clone();
        let handling = self.inner.call(event);
        Box::pin(async move {
            let result = handling.await?;
            if let Some(schema) = output {
                schema.check_output(&result)?;
            }
            Ok(result)
        })
    }
}
