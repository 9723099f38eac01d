mod default;
mod plan;
mod resolve;
mod schema;
mod value;
mod walk;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use apache_avro::{AvroSchema, Schema};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use self::plan::Plan;
use super::data::KafkaData;
use super::part::{Need, Part, Reserve};
use super::schemas::WriterSchema;
use crate::events::ParseError;
use crate::events::compression::largest;

/// A key or value in Avro.
///
/// It is read with the schema of its writer and resolved to that of `T`, as "Schema Resolution" in the
/// specification of Avro 1.12 defines: fields that the writer added are skipped, those that it does not have
/// take their defaults, and records have the same name. Where the meaning would be a guess, as of a decimal
/// with another scale, the data is invalid: see [the guide](crate::guide::kafka_values).
///
/// The writer's schema is found by its id, which a schema registry wrote in front of the data or in
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
        let plan = WriterSchema::find(part.schemas, id)?.avro()?.plan::<T>()?;
        let data = part.data(&framing)?;
        let most = usize::try_from(largest()).unwrap_or(usize::MAX);
        let size = walk::size(&plan, &data, most).map_err(invalid)?;
        reserve(Need::Values { bytes: data.len() + size.defaults, count: size.count })?;

        let value = walk::read(&plan, &data).map_err(invalid)?;
        T::deserialize(value.deserializer()).map(Self).map_err(|error| invalid(error.0))
    }
}

impl<T> Deref for Avro<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// The schema of a writer, and how the types that were asked for are read from it.
struct Writer {
    schema: Schema,
    plans: Mutex<HashMap<TypeId, Result<Arc<Plan>, String>>>,
}

impl Writer {
    fn parse(text: &str) -> Result<Self, String> {
        let invalid =
            |error: &dyn std::fmt::Display| format!("the writer's schema is invalid: {error}");
        let mut json: Json = serde_json::from_str(text).map_err(|error| invalid(&error))?;
        remove_defaults(&mut json);
        let schema = Schema::parse(&json).map_err(|error| invalid(&error))?;
        Ok(Self { schema, plans: Mutex::default() })
    }

    /// Returns how a type is read. It is found out once.
    fn plan<T: AvroSchema + 'static>(&self) -> Result<Arc<Plan>, ParseError> {
        let id = TypeId::of::<T>();
        let plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        let known = plans.get(&id).cloned();
        // Code of the user follows, which must not run under the lock.
        drop(plans);
        let plan = known.unwrap_or_else(|| {
            let plan = resolve::resolve(&self.schema, &T::get_schema()).map(Arc::new);
            let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
            plans.entry(id).or_insert(plan).clone()
        });
        plan.map_err(invalid)
    }
}

/// Removes the defaults of a writer's fields. They have no meaning for its data, and `apache-avro` takes
/// valid ones for mistakes, such as those of durations.
fn remove_defaults(schema: &mut Json) {
    match schema {
        Json::Array(schemas) => schemas.iter_mut().for_each(remove_defaults),
        Json::Object(schema) => {
            for field in schema.get_mut("fields").and_then(Json::as_array_mut).into_iter().flatten()
            {
                if let Json::Object(field) = field {
                    field.remove("default");
                    field.get_mut("type").into_iter().for_each(remove_defaults);
                }
            }
            for name in ["type", "items", "values"] {
                schema.get_mut(name).into_iter().for_each(remove_defaults);
            }
        }
        _ => {}
    }
}

impl WriterSchema {
    /// Returns the schema as one of Avro. It is parsed once.
    fn avro(&self) -> Result<Arc<Writer>, ParseError> {
        let compiled = self.compiled.get_or_init(|| {
            Writer::parse(&self.text).map(|writer| Arc::new(writer) as Arc<dyn Any + Send + Sync>)
        });
        match compiled {
            Ok(schema) => schema.clone().downcast().map_err(|_| invalid("the schema is another's")),
            Err(error) => Err(invalid(error.as_str())),
        }
    }
}

fn invalid(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ParseError {
    ParseError::Data { format: "Avro", source: source.into() }
}
