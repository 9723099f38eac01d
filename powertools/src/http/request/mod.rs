//! Requests: from the event of a front end to `http::Request`.

mod caller;
mod front_end;
mod headers;
mod origin;
mod read;
mod uri;

use std::fmt;

use lambda_http::Request;
use serde::{Deserialize, Deserializer};

pub(super) use self::front_end::Front;
pub use self::front_end::FrontEnd;
pub use self::origin::Origin;
use crate::events::http_event::HttpEvent;

/// The event of an HTTP function: a request from any front end.
///
/// [`HttpService`](super::HttpService) takes it, and gives its handler the request.
pub struct Event {
    pub(super) front: Front,
    pub(super) request: Result<Request, Invalid>,
}

/// Why an event does not become a request. No front end sends such an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Invalid {
    #[error("the request has no valid method")]
    Method,
    #[error("the request has no valid path or query")]
    Target,
    #[error("the request has the invalid header {0:?}")]
    Header(String),
    #[error("the body of the request is invalid base64")]
    Body,
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read::event(HttpEvent::deserialize(deserializer)?)
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither the headers nor the body, which contain secrets.
        f.debug_struct("Event").field("front", &self.front).finish_non_exhaustive()
    }
}
