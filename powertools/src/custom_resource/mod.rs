//! Custom resources of CloudFormation: a function that creates, updates and deletes what templates
//! cannot.
//!
//! CloudFormation waits for a request to a signed URL, up to an hour, whatever the function returns.
//! A function that panics, times out or fails before it has sent one blocks the stack, and the rollback
//! too. [`Powertools::custom_resource`](crate::Powertools::custom_resource) sends it in each case, once, if
//! the event has the URL:
//!
//! ```no_run
//! use lambda_runtime::Error;
//! use powertools::Powertools;
//! use powertools::custom_resource::{Change, Request, Resource};
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! #[serde(rename_all = "PascalCase")]
//! struct Index {
//!     // Templates send numbers and booleans as strings.
//!     #[serde(deserialize_with = "powertools::custom_resource::parsed")]
//!     shards: u32,
//! }
//!
//! # async fn create(_: &str, _: &Index) -> Result<String, Error> { Ok("https://search.example.com".into()) }
//! # async fn reindex(_: &str, _: &Index) -> Result<String, Error> { Ok(String::new()) }
//! # async fn delete(_: &str) -> Result<(), Error> { Ok(()) }
//! async fn provision(request: Request<Index>) -> Result<Resource, Error> {
//!     let id = request.unique_id();
//!     Ok(match request.change {
//!         Change::Create(created) => {
//!             created.announce(&id); // a rollback deletes what there is of it
//!             let url = create(&id, &created.properties).await?;
//!             Resource::new().physical_id(id).data("Url", url)
//!         }
//!         Change::Update(updated) => {
//!             let url = reindex(&updated.physical_id, &updated.properties).await?;
//!             Resource::new().data("Url", url)
//!         }
//!         Change::Delete(deleted) => {
//!             delete(&deleted.physical_id).await?;
//!             Resource::new()
//!         }
//!     })
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     Powertools::custom_resource(provision).run().await
//! }
//! ```
//!
//! # What CloudFormation is sent
//!
//! | the handler | status | physical id |
//! |---|---|---|
//! | returns a [`Resource`] | `SUCCESS` | that of the resource, or else the one it had; a new resource without one is named by its logical id and the id of the request |
//! | returns an error, panics, or runs out of time | `FAILED`, with the name and the message of the error | the one it had; of a new resource, see below |
//! | is not called, since the properties do not have its type | `FAILED`, with the path of the value | the same |
//! | is not called, since the event is invalid | `FAILED`, with the path of the value | the one it had; without one, as of a new resource |
//!
//! An event is invalid if its `RequestType` is another one, if a member is missing or has another type, or
//! if an update or a deletion has no physical id. Its response has what there is of the stack, the request
//! and the resource. An event without a `ResponseURL` that is an absolute URL is not one of
//! CloudFormation: the error `Powertools.EventInvalid` is reported to Lambda.
//!
//! # The time of a handler
//!
//! The handler is stopped 3 seconds before the function's timeout, or after half of it if it is shorter than
//! 6 seconds. The request is repeated until it succeeds, or until 60 milliseconds before the timeout. It is not repeated
//! after an answer that another attempt would get too, such as a redirect or most of the statuses from 400 to 499.
//!
//! It is also stopped 3 seconds before CloudFormation ceases to wait, or after half of that time if it is shorter than
//! 6 seconds: CloudFormation waits for the seconds of the template's `ServiceTimeout`, and for an hour without one. It
//! would ignore a later response, and delete the resource under an id that it makes up. **Set `ServiceTimeout` to at least
//! the function's timeout**: with less, the handler has less time than the function, and the error of one that is stopped
//! names the time that remained until the function's timeout.
//!
//! CloudFormation counts from when it sent the event. The function knows only when that arrived, and counts from there:
//! the response to an event that was delivered late or again can be too late all the same. Lambda repeats an event twice
//! by default, after a minute and after two more. A `ServiceTimeout` of three times the function's timeout and 180 seconds
//! has room for that.
//!
//! # What cannot be answered
//!
//! The handler is stopped where it awaits. One that **blocks its thread** cannot be stopped: if it does not end
//! early enough to send a response, Lambda kills the function, and nothing is sent. Move such work to
//! `tokio::task::spawn_blocking`. Nothing is sent either if the process ends: its memory is exhausted, or the
//! handler panics and was built with `panic = "abort"`.
//!
//! Lambda then delivers the event again. If no attempt responds, CloudFormation waits for the `ServiceTimeout`
//! of the template, or for an hour without one.
//!
//! # Resources that could not be created
//!
//! After a failure CloudFormation deletes the resource under the physical id that it was sent. If the
//! handler has [announced](Create::announce) one, that is the id, and the handler deletes what there is
//! of the resource. Otherwise there is nothing to delete: the id is one by which this module recognises
//! the deletion, and confirms it without the handler. So a resource whose properties were invalid can
//! be rolled back.
//!
//! A new resource whose physical id has more than 1,024 bytes cannot be named to CloudFormation, which is told a
//! failure: if it has not announced a shorter one, nothing deletes it.
//!
//! A creation that was never answered has no such id. CloudFormation makes one up and passes it to the
//! deletion, and the handler is called with it: **an id that is not one of yours belongs to nothing**, and its
//! deletion is a success.
//!
//! # Whose a resource is
//!
//! CloudFormation deletes by the physical id alone, also in the rollback of a creation. If the id is a name from the
//! template, and another stack has created something under it before, that is what the rollback of a failed creation
//! deletes. So the physical id must be that of this resource alone:
//!
//! - Name what you create after [`Request::unique_id`], as in the example. A replacement has another id then, and a repeated
//!   event the same.
//! - If its name has to come from the template, mark it in the call that creates it, with a tag that has the ids of the
//!   stack and of the resource in its template, for example. A creation checks what exists before it calls
//!   [`announce`](Create::announce), and without this mark fails. A deletion without it does nothing, and succeeds.
//!
//! # Replacement
//!
//! If an update returns another physical id, CloudFormation considers it a new resource, and deletes
//! the one with the old id when the stack is complete. The default keeps the id.
//!
//! An update that fails keeps the id, too, so that the resource in use is not taken for the one to delete. A new
//! resource that it made before that is the handler's to remove, or to find again by its name or its mark.
//!
//! # Repeated events
//!
//! Lambda delivers an event again if the function was killed, or if CloudFormation could not be reached.
//! An error that CloudFormation was told is a success for Lambda, which would otherwise run the change
//! twice more; logs and metrics have it as a failure. A [`Request`] has a
//! [natural key](crate::events::natural), for handlers that must not run twice.
//!
//! The format is that of the page *Custom resource response objects* of the CloudFormation user guide.
//! A response has at most 4,096 bytes: longer messages are truncated, and more
//! [data](Resource::data) is an error. Of a deletion it is left out then, since CloudFormation uses none of it.

mod callback;
mod error;
mod event;
mod properties;
mod reply;
mod resource;
mod service;

pub use self::error::Error;
pub use self::event::{Change, Create, Delete, Event, Request, Update};
pub use self::properties::{Earlier, parsed};
pub use self::resource::Resource;
pub use self::service::CustomResource;
pub(crate) use self::service::Sent;
