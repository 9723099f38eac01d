use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::StatusCode;
use serde::Deserialize;

use crate::aws::transport::{Client, Destination, Reply};
use crate::environment::Environment;
use crate::events::{SchemaId, SchemaSource};

type BoxError = Box<dyn StdError + Send + Sync>;

/// The most bytes of a schema.
const LARGEST: usize = 1 << 20;

/// The limit of a request, including a second attempt if a connection broke.
const LIMIT: Duration = Duration::from_secs(5);

/// The media types of the registry.
const MEDIA: &str = "application/vnd.schemaregistry.v1+json, application/json";

/// The code of the registry's answer for an id that no schema has.
const UNKNOWN: u32 = 40_403;

/// A schema registry of Confluent, or one with the same API, such as those of Redpanda, Karapace and
/// Apicurio: a [`SchemaSource`] for [`Schemas`](crate::events::Schemas).
///
/// ```
/// use lambda_runtime::LambdaEvent;
/// use powertools::batch::{self, ConfluentRegistry, KafkaMessage, RecordError, ReplyOf};
/// use powertools::events::{Json, KafkaEvent, Schemas};
///
/// async fn bill(order: KafkaMessage<Json<u64>>) -> Result<(), RecordError> {
///     println!("{}", order.body.0);
///     Ok(())
/// }
///
/// async fn handle(
///     schemas: &Schemas<ConfluentRegistry>,
///     event: LambdaEvent<KafkaEvent>,
/// ) -> Result<ReplyOf<KafkaEvent>, batch::Error> {
///     let event = event.payload.with_schemas(schemas).await;
///     batch::kafka(event).run(bill).await.into_reply()
/// }
///
/// # fn main() -> Result<(), powertools::batch::ConfluentRegistryError> {
/// // Once for the execution environment.
/// let registry = ConfluentRegistry::new("https://registry.example.com:8081")?
///     .basic_auth("key", "secret")?;
/// let schemas = Schemas::from_source(registry);
/// # let _ = (handle, schemas);
/// # Ok(()) }
/// ```
///
/// [`Schemas`](crate::events::Schemas) keeps each schema, and requests one that several events need
/// at the same time once. A request takes up to 5 seconds, and a schema has up to 1 MiB.
///
/// Certificates are checked with the roots of Mozilla, which are compiled in, unless a variable of the
/// environment or a proxy asks for others, as in the table of [`aws`](crate::aws#certificates). The
/// variables for proxies are [those of `aws`](crate::aws#proxies) too. A registry with an `http` URL on this
/// host is called without a proxy.
///
/// # What the registry answers
///
/// | answer | the records that need the schema |
/// |---|---|
/// | the schema | are read |
/// | 404 with the registry's code 40403: no schema has the id | fail: [`SchemaUnknown`](crate::events::ParseError::SchemaUnknown) |
/// | another 404, another status, a redirect, which is not followed, or a page that is not the registry's | fail: [`SchemaUnavailable`](crate::events::ParseError::SchemaUnavailable), whose cause names it |
/// | a schema that refers to others, which is not resolved | the same |
/// | none: no connection, no complete answer in time | the same |
///
/// That no schema has an id is kept for [2 seconds](crate::events::Schemas), and no other failure: the next
/// event requests the schema again.
#[derive(Clone)]
pub struct ConfluentRegistry {
    client: Client,
    /// Without a slash at its end.
    url: Arc<str>,
    authorization: Option<String>,
}

/// Why there is no client of a schema registry.
#[derive(Debug, thiserror::Error)]
#[error("cannot create a client of the schema registry")]
pub struct ConfluentRegistryError(#[source] BoxError);

crate::error::own::without_name!(ConfluentRegistryError);

#[derive(Deserialize)]
struct Registered {
    schema: String,
    #[serde(default)]
    references: Option<Vec<serde::de::IgnoredAny>>,
}

#[derive(Deserialize)]
struct Problem {
    error_code: u32,
}

impl ConfluentRegistry {
    /// Creates a client of the registry at this URL. It opens no connection.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL is not an absolute one of HTTP or HTTPS, or has a user, a query or a
    /// fragment; and if certificates that the environment names cannot be read.
    pub fn new(url: impl AsRef<str>) -> Result<Self, ConfluentRegistryError> {
        let url = url.as_ref().trim_end_matches('/');
        let invalid = |problem: BoxError| ConfluentRegistryError(problem);
        Destination::parse(url).map_err(|error| invalid(error.into()))?;
        if url.contains(['@', '?', '#']) {
            let problem = "the URL has a user, a query or a fragment: use `basic_auth` for a user";
            return Err(invalid(problem.into()));
        }
        let client = Client::outside(&Environment::process(), LARGEST)
            .map_err(|error| invalid(error.into()))?;
        Ok(Self { client, url: url.into(), authorization: None })
    }

    /// Sets the user and the password, or the key and the secret of an API.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL is neither one of HTTPS nor one of this host: the password would be sent
    /// in clear text.
    pub fn basic_auth(
        mut self,
        user: &str,
        password: &str,
    ) -> Result<Self, ConfluentRegistryError> {
        let to =
            Destination::parse(&self.url).map_err(|error| ConfluentRegistryError(error.into()))?;
        if !to.is_encrypted() && !to.is_local() {
            let problem =
                "the URL is neither HTTPS nor local: the password would be sent in clear text";
            return Err(ConfluentRegistryError(problem.into()));
        }
        let text = BASE64_STANDARD.encode(format!("{user}:{password}"));
        self.authorization = Some(format!("Basic {text}"));
        Ok(self)
    }

    /// Returns where a schema is.
    fn place(&self, id: &SchemaId) -> Result<String, BoxError> {
        let kind = match id {
            SchemaId::Number(_) => "ids",
            SchemaId::Uuid(_) => "guids",
        };
        // An id of the mapping is what the event says, and must not lead elsewhere.
        let text = id.to_string();
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err("the id is neither a number nor a UUID".into());
        }
        Ok(format!("{}/schemas/{kind}/{text}", self.url))
    }
}

impl SchemaSource for ConfluentRegistry {
    async fn schema(&self, id: &SchemaId) -> Result<Option<String>, BoxError> {
        let url = self.place(id)?;
        let mut headers = vec![("accept", MEDIA)];
        headers.extend(self.authorization.as_deref().map(|value| ("authorization", value)));
        read(&self.client.get(&url, &headers, LIMIT).await?)
    }
}

fn read(reply: &Reply) -> Result<Option<String>, BoxError> {
    match reply.status {
        StatusCode::OK => {
            let registered: Registered = serde_json::from_slice(&reply.body)
                .map_err(|_| "the response is not that of a schema registry")?;
            if registered.references.is_some_and(|references| !references.is_empty()) {
                return Err("the schema refers to other schemas, which are not resolved".into());
            }
            Ok(Some(registered.schema))
        }
        StatusCode::NOT_FOUND => match serde_json::from_slice(&reply.body) {
            Ok(Problem { error_code: UNKNOWN }) => Ok(None),
            _ => Err("there is no schema registry at this URL (status 404)".into()),
        },
        status => {
            Err(format!("the schema registry answered with status {}", status.as_u16()).into())
        }
    }
}

/// Without the password.
impl fmt::Debug for ConfluentRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfluentRegistry").field("url", &self.url).finish_non_exhaustive()
    }
}
