//! Responses: from what a handler returns to the form that the front end reads.

mod body;
mod into_response;
mod reply;
mod text;

pub use self::body::BodyStream;
pub(super) use self::body::collect;
pub use self::into_response::IntoResponse;
pub(super) use self::into_response::with_type;
pub use self::reply::Reply;
pub(super) use self::reply::prelude;
pub(super) use self::text::{Encoded, encode};
