mod walk;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use apache_avro::error::Details;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::{AvroSchema, Schema};
use serde::de::DeserializeOwned;

use self::walk::count;
use super::data::KafkaData;
use super::part::{Need, Part, Reserve};
use super::schemas::WriterSchema;
use crate::events::ParseError;
use crate::json::reason;

/// A key or value in Avro.
///
/// It is read with the schema of its writer and then resolved to that of `T`, as the Avro specification
/// defines: fields that the writer added are skipped, those that it does not have take their
/// defaults. The writer's schema is found by its id, which a schema registry wrote in front of the data or in
/// a header, or which the event source mapping knows: pass the schemas by
/// [`KafkaEvent::with_schemas`](super::KafkaEvent::with_schemas). Data without an id is an error, since what
/// it means would be a guess.
///
/// All of the data must be read: bytes that are missing or left are errors.
///
/// ```
/// use apache_avro::AvroSchema;
/// use powertools::batch::{KafkaMessage, RecordError};
/// use powertools::events::Avro;
///
/// #[derive(serde::Deserialize)] // with `AvroSchema` derived, or as here from a file
/// struct Order {
///     id: String,
/// }
/// # impl apache_avro::AvroSchemaComponent for Order {
/// #     fn get_schema_in_ctxt(_: &mut std::collections::HashSet<apache_avro::schema::Name>, _: apache_avro::schema::NamespaceRef<'_>) -> apache_avro::Schema {
/// #         apache_avro::Schema::parse_str(r#"{"type": "record", "name": "Order", "fields": [{"name": "id", "type": "string"}]}"#).unwrap()
/// #     }
/// # }
/// # let _ = Order::get_schema();
///
/// async fn bill(order: KafkaMessage<Avro<Order>>) -> Result<(), RecordError> {
///     println!("{}", order.body.id);
///     Ok(())
/// }
/// # let _ = bill;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Avro<T>(pub T);

impl<T: DeserializeOwned + AvroSchema + 'static> KafkaData for Avro<T> {
    fn read(part: Part<'_>, reserve: Reserve<'_>) -> Result<Self, ParseError> {
        part.expect("AVRO")?;
        let framing = part.framing();
        let id = framing.id.as_ref().ok_or(ParseError::SchemaMissing)?;
        let writer = WriterSchema::find(part.schemas, id)?.avro()?;
        let data = part.data(&framing)?;
        let count = count(&writer, &data).map_err(invalid)?;
        reserve(Need::Values { bytes: data.len(), count })?;

        let reader = schema_of::<T>();
        let datum = GenericDatumReader::builder(&writer)
            .reader_schema(&reader)
            .build()
            .and_then(|reader| reader.read_value(&mut &data[..]))
            .map_err(unread)?;
        apache_avro::from_value(&datum).map(Self).map_err(unread)
    }
}

impl<T> Deref for Avro<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl WriterSchema {
    /// Returns the schema as one of Avro. It is parsed once.
    fn avro(&self) -> Result<Arc<Schema>, ParseError> {
        let compiled = self.compiled.get_or_init(|| match Schema::parse_str(&self.text) {
            Ok(schema) => Ok(Arc::new(schema) as Arc<dyn Any + Send + Sync>),
            Err(error) => Err(format!("the writer's schema is invalid: {error}")),
        });
        match compiled {
            Ok(schema) => schema.clone().downcast().map_err(|_| invalid("the schema is another's")),
            Err(error) => Err(invalid(error.as_str())),
        }
    }
}

/// Returns the schema of a type, which is created once.
fn schema_of<T: AvroSchema + 'static>() -> Arc<Schema> {
    static SCHEMAS: Mutex<Option<HashMap<TypeId, Arc<Schema>>>> = Mutex::new(None);

    let id = TypeId::of::<T>();
    let known = SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(schema) = known.as_ref().and_then(|known| known.get(&id)) {
        return schema.clone();
    }
    // Code of the user, which must not run under the lock.
    drop(known);
    let schema = Arc::new(T::get_schema());
    let mut known = SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner);
    known.get_or_insert_default().entry(id).or_insert(schema).clone()
}

/// Returns the error of data that cannot be read, without the values that the library quotes.
fn unread(error: apache_avro::Error) -> ParseError {
    match error.details() {
        Details::DeserializeValue(text) => invalid(reason(text)),
        details => {
            // The name of its variant, such as `GetInt`.
            let text = format!("{details:?}");
            let name = text.split(|char: char| !char.is_alphanumeric()).next().unwrap_or_default();
            invalid(format!("it does not fit the schemas: {name}"))
        }
    }
}

fn invalid(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ParseError {
    ParseError::Data { format: "Avro", source: source.into() }
}
