use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::error::Error as StdError;
use std::future::{Future, ready};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use super::KafkaEvent;
use super::part::SchemaId;
use crate::error::panic::catch_future;
use crate::events::ParseError;
use crate::invocation::Invocation;

type BoxError = Box<dyn StdError + Send + Sync>;

/// How many schemas are requested at the same time.
const REQUESTS: usize = 8;

/// Where the schemas of writers come from: a schema registry.
///
/// Implement it over the client of your registry. [`Schemas`] keeps what it returns.
pub trait SchemaSource: Send + Sync {
    /// Returns the schema with this id as it was registered, such as the JSON of an Avro schema; `None`
    /// if there is none.
    ///
    /// # Errors
    ///
    /// Returns an error if it is unknown whether the schema exists. Records that need it fail, and are
    /// delivered again.
    fn schema(
        &self,
        id: &SchemaId,
    ) -> impl Future<Output = Result<Option<String>, BoxError>> + Send;
}

/// The source of [`Schemas`] that are all known from the start.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct NoSource;

impl SchemaSource for NoSource {
    fn schema(
        &self,
        _: &SchemaId,
    ) -> impl Future<Output = Result<Option<String>, BoxError>> + Send {
        ready(Ok(None))
    }
}

/// The schemas of writers by their ids, for [`KafkaEvent::with_schemas`].
///
/// The schema with an id never changes, so each is requested from the [source](SchemaSource) once.
/// Create one for the execution environment, for example with
/// [`InitOnce`](crate::init::InitOnce) or beside the handler.
///
/// ```
/// use powertools::events::{SchemaId, SchemaSource, Schemas};
///
/// /// A registry of Confluent.
/// struct Registry {
///     url: String,
/// }
///
/// impl SchemaSource for Registry {
///     async fn schema(
///         &self,
///         id: &SchemaId,
///     ) -> Result<Option<String>, Box<dyn std::error::Error + Send + Sync>> {
///         let _url = format!("{}/schemas/ids/{id}/schema", self.url); // with your HTTP client
///         Ok(Some(r#""string""#.to_owned()))
///     }
/// }
///
/// let schemas = Schemas::from_source(Registry { url: "http://registry:8081".to_owned() })
///     .schema(7, r#"{"type": "record", "name": "Order", "fields": []}"#);
/// # let _ = schemas;
/// ```
#[derive(Debug)]
pub struct Schemas<S = NoSource> {
    source: S,
    known: Mutex<HashMap<SchemaId, Arc<WriterSchema>>>,
    has_keys: bool,
}

/// The schema of a writer, and what it was compiled to.
#[derive(Debug)]
pub(super) struct WriterSchema {
    pub(super) text: String,
    pub(super) compiled: OnceLock<Result<Arc<dyn Any + Send + Sync>, String>>,
}

/// The schemas that the records of an event name, or why they are not known.
pub(super) type Resolved = HashMap<SchemaId, Result<Option<Arc<WriterSchema>>, SharedError>>;

/// Why a schema is not known.
pub(super) type SharedError = Arc<dyn StdError + Send + Sync>;

impl Schemas {
    /// Creates an empty list, for [`schema`](Self::schema).
    #[must_use]
    pub fn new() -> Self {
        Self::from_source(NoSource)
    }
}

impl Default for Schemas {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: SchemaSource> Schemas<S> {
    /// Creates a list that asks `source` for what it does not have.
    pub fn from_source(source: S) -> Self {
        Self { source, known: Mutex::new(HashMap::new()), has_keys: false }
    }

    /// Adds a schema as it is registered, such as the JSON of an Avro schema. A Confluent id is a
    /// number, the id of Glue a UUID.
    #[must_use]
    pub fn schema(self, id: impl Into<SchemaId>, text: impl Into<String>) -> Self {
        self.add(id.into(), text.into());
        self
    }

    /// Also reads ids in front of keys.
    ///
    /// By default they are read in front of values; those in headers or from the event source mapping are
    /// always read. Keys that are written without a schema registry could look as if they had one.
    #[must_use]
    pub fn with_keys(mut self) -> Self {
        self.has_keys = true;
        self
    }

    fn add(&self, id: SchemaId, text: String) -> Arc<WriterSchema> {
        let schema = Arc::new(WriterSchema { text, compiled: OnceLock::new() });
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(id).or_insert(schema).clone()
    }

    async fn resolve(
        &self,
        id: &SchemaId,
        end: Option<Instant>,
    ) -> Result<Option<Arc<WriterSchema>>, SharedError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let text = self.ask(id, end).await?;
        Ok(text.map(|text| self.add(id.clone(), text)))
    }

    /// Asks the source, and waits for it until `end`.
    async fn ask(&self, id: &SchemaId, end: Option<Instant>) -> Result<Option<String>, BoxError> {
        let asked = catch_future(|| self.source.schema(id));
        let answer = match end {
            None => asked.await,
            Some(end) => timeout_at(end, asked).await.map_err(|_| "there was no answer in time")?,
        };
        answer.map_err(|panic| format!("the source panicked: {panic}"))?
    }
}

impl KafkaEvent {
    /// Finds the schemas with which keys and values were written, for types such as `Avro`.
    ///
    /// Each id is looked up once. If that fails or panics, it is the failure of the records that need the
    /// schema. All lookups together take up to half of the remaining time of the invocation, so that the other
    /// records are processed although a registry hangs.
    ///
    /// ```
    /// use lambda_runtime::LambdaEvent;
    /// use powertools::batch::{self, KafkaMessage, RecordError};
    /// use powertools::events::{KafkaEvent, Json, Schemas};
    ///
    /// async fn bill(order: KafkaMessage<Json<u64>>) -> Result<(), RecordError> {
    ///     println!("{}", order.body.0);
    ///     Ok(())
    /// }
    ///
    /// async fn handle(
    ///     schemas: &Schemas,
    ///     event: LambdaEvent<KafkaEvent>,
    /// ) -> Result<impl serde::Serialize + use<>, batch::Error> {
    ///     let event = event.payload.with_schemas(schemas).await;
    ///     batch::kafka(event).run(bill).await.into_reply()
    /// }
    /// # let _ = handle;
    /// ```
    #[must_use]
    pub async fn with_schemas<S: SchemaSource>(mut self, schemas: &Schemas<S>) -> Self {
        let ids: HashSet<_> =
            self.records.iter().flat_map(|record| record.schema_ids(schemas.has_keys)).collect();
        let end = Invocation::with_current(Invocation::time_for_work)
            .map(|left| Instant::now() + left / 2);
        let resolved = stream::iter(ids)
            .map(|id| async {
                let schema = schemas.resolve(&id, end).await;
                (id, schema)
            })
            .buffer_unordered(REQUESTS);
        let resolved: Arc<Resolved> = Arc::new(resolved.collect().await);
        for record in &mut self.records {
            record.schemas = Some(resolved.clone());
        }
        self
    }
}

impl WriterSchema {
    /// Returns the schema of this id from those that were found for the event.
    pub(super) fn find<'a>(
        schemas: Option<&'a Resolved>,
        id: &SchemaId,
    ) -> Result<&'a Arc<Self>, ParseError> {
        match schemas.and_then(|schemas| schemas.get(id)) {
            Some(Ok(Some(schema))) => Ok(schema),
            Some(Ok(None)) | None => Err(ParseError::SchemaUnknown { id: id.to_string() }),
            Some(Err(source)) => {
                Err(ParseError::SchemaUnavailable { id: id.to_string(), source: source.clone() })
            }
        }
    }
}
