use std::any::Any;
use std::collections::{HashMap, HashSet, VecDeque};
use std::error::Error as StdError;
use std::future::{Future, ready};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::{StreamExt, stream};
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::{Instant, timeout_at};

use super::KafkaEvent;
use super::part::SchemaId;
use crate::clock::Clock;
use crate::error::panic::catch_future;
use crate::events::ParseError;
use crate::invocation::Invocation;

type BoxError = Box<dyn StdError + Send + Sync>;

/// How many schemas are requested at the same time.
const REQUESTS: usize = 8;

/// How many schemas from a source are kept. With more, the oldest ones are requested again.
const KEPT: usize = 1_000;

/// How long an id without a schema is not looked up again: a batch that is delivered again at once makes no
/// request, and a schema that was registered late delays its records no longer than that.
const UNKNOWN_FOR: Duration = Duration::from_secs(2);

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
/// The schema with an id never changes, so each is requested from the [source](SchemaSource) once, also
/// where several events need it at the same time; of more than 1,000, the oldest are requested again.
/// That an id has no schema is kept for 2 seconds, of up to 1,000 ids, by the clock of the invocation: a
/// schema that is registered later is then found. An error of the source is not kept.
///
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
    known: Mutex<Known>,
    has_keys: bool,
}

#[derive(Debug, Default)]
struct Known {
    schemas: HashMap<SchemaId, Arc<WriterSchema>>,
    /// Those from the source, the oldest first.
    requested: VecDeque<SchemaId>,
    /// Those without a schema, and when the source said so.
    unknown: HashMap<SchemaId, SystemTime>,
    /// The requests that are in progress.
    flights: HashMap<SchemaId, Arc<Flight>>,
}

/// A request, with its answer for those who wait for it. A task that is dropped leaves none, and the next
/// one requests the schema itself.
type Flight = AsyncMutex<Option<Answer>>;

type Answer = Result<Option<Arc<WriterSchema>>, SharedError>;

/// The schema of a writer, and what it was compiled to.
#[derive(Debug)]
pub(super) struct WriterSchema {
    pub(super) text: String,
    pub(super) compiled: OnceLock<Result<Arc<dyn Any + Send + Sync>, String>>,
}

/// The schemas that the records of an event name, or why they are not known.
pub(super) type Resolved = HashMap<SchemaId, Answer>;

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
        Self { source, known: Mutex::default(), has_keys: false }
    }

    /// Adds a schema as it is registered, such as the JSON of an Avro schema. A Confluent id is a
    /// number, the id of Glue a UUID.
    #[must_use]
    pub fn schema(self, id: impl Into<SchemaId>, text: impl Into<String>) -> Self {
        let schema = WriterSchema::new(text.into());
        self.known().schemas.entry(id.into()).or_insert(schema);
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

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn resolve(&self, id: &SchemaId, end: Option<Instant>) -> Answer {
        let flight = {
            let mut known = self.known();
            if let Some(schema) = known.schemas.get(id) {
                return Ok(Some(schema.clone()));
            }
            if known.is_unknown(id, now()) {
                return Ok(None);
            }
            known.flights.entry(id.clone()).or_default().clone()
        };
        let waited = match end {
            None => Ok(flight.lock().await),
            Some(end) => timeout_at(end, flight.lock()).await,
        };
        let mut answer = waited.map_err(|_| late())?;
        if let Some(answer) = &*answer {
            return answer.clone();
        }
        let Some(asked) = self.ask(id, end).await else {
            // Others may have more time, and request it themselves.
            let mut known = self.known();
            if Arc::strong_count(&flight) == 2 {
                known.flights.remove(id);
            }
            return Err(late());
        };
        let asked = asked.map_err(SharedError::from);
        let asked = asked.map(|text| text.map(WriterSchema::new));
        let mut known = self.known();
        known.flights.remove(id);
        match &asked {
            Ok(Some(schema)) => known.keep(id, schema),
            Ok(None) => known.keep_unknown(id, now()),
            Err(_) => {}
        }
        *answer = Some(asked.clone());
        asked
    }

    /// Asks the source, and waits for it until `end`. Returns `None` if it did not answer until then.
    async fn ask(
        &self,
        id: &SchemaId,
        end: Option<Instant>,
    ) -> Option<Result<Option<String>, BoxError>> {
        let asked = catch_future(|| self.source.schema(id));
        let answer = match end {
            None => asked.await,
            Some(end) => timeout_at(end, asked).await.ok()?,
        };
        Some(answer.unwrap_or_else(|panic| Err(format!("the source panicked: {panic}").into())))
    }
}

fn late() -> SharedError {
    BoxError::from("there was no answer in time").into()
}

fn now() -> SystemTime {
    Invocation::with_current(|invocation| invocation.clock().now())
        .unwrap_or_else(|| Clock::system().now())
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

impl Known {
    fn keep(&mut self, id: &SchemaId, schema: &Arc<WriterSchema>) {
        if self.requested.len() == KEPT
            && let Some(oldest) = self.requested.pop_front()
        {
            self.schemas.remove(&oldest);
        }
        self.schemas.insert(id.clone(), schema.clone());
        self.requested.push_back(id.clone());
    }

    fn is_unknown(&self, id: &SchemaId, now: SystemTime) -> bool {
        self.unknown.get(id).is_some_and(|since| is_recent(*since, now))
    }

    fn keep_unknown(&mut self, id: &SchemaId, now: SystemTime) {
        if self.unknown.len() >= KEPT {
            self.unknown.retain(|_, since| is_recent(*since, now));
        }
        // With more, the newest ones are looked up again.
        if self.unknown.len() < KEPT || self.unknown.contains_key(id) {
            self.unknown.insert(id.clone(), now);
        }
    }
}

/// Returns false also if the clock went back behind `since`.
fn is_recent(since: SystemTime, now: SystemTime) -> bool {
    now.duration_since(since).is_ok_and(|age| age < UNKNOWN_FOR)
}

impl WriterSchema {
    fn new(text: String) -> Arc<Self> {
        Arc::new(Self { text, compiled: OnceLock::new() })
    }

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
