//! How the body of a record becomes the handler's type, within the memory of the function.

mod memory;

use std::sync::Arc;

use self::memory::MEMORY;
pub(super) use self::memory::Reserved;
use crate::events::compression::{decompress, largest};
use crate::events::kafka::Need;
use crate::events::{Body, ParseError};

/// Bodies up to this size, in bytes, are read without an estimate of what that takes: an event has
/// at most 6 MB, so all of them together stay small.
const SMALL: usize = 16 << 10;

/// What is reserved for a value, until it is dropped.
type Reservation = Option<Arc<Reserved>>;

/// Reads a body.
pub(super) fn read<T: Body>(json: &[u8]) -> Result<(T, Reservation), ParseError> {
    let reserved = reserve(json)?;
    Ok((T::from_bytes(json)?, reserved))
}

/// Reads a body that is known to be UTF-8.
pub(super) fn read_str<T: Body>(json: &str) -> Result<(T, Reservation), ParseError> {
    let reserved = reserve(json.as_bytes())?;
    Ok((T::from_text(json)?, reserved))
}

fn reserve(json: &[u8]) -> Result<Reservation, ParseError> {
    if json.len() <= SMALL {
        return Ok(None);
    }
    Ok(Some(Arc::new(MEMORY.reserve(memory::estimate(json), 2 * largest())?)))
}

/// Reserves what a key or value of Kafka needs.
pub(super) fn reserve_for(need: Need<'_>, into: &mut Reservation) -> Result<(), ParseError> {
    *into = match need {
        Need::Json(json) => reserve(json)?,
        Need::Values { bytes, .. } if bytes <= SMALL => None,
        Need::Values { bytes, count } => {
            let bytes = memory::of_values(bytes, count);
            Some(Arc::new(MEMORY.reserve(bytes, 2 * largest())?))
        }
    };
    Ok(())
}

/// Reads a body that may be compressed.
pub(super) fn read_data<T: Body>(data: Vec<u8>) -> Result<(T, Reservation), ParseError> {
    read(&decompress(data, largest())?)
}
