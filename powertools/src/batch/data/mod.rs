//! How the body of a record becomes the handler's type, within the memory of the function.

mod compression;
mod memory;

use std::sync::Arc;

use serde::de::DeserializeOwned;

use self::compression::decompress;
pub(super) use self::memory::Reserved;
use self::memory::{MEMORY, largest};
use crate::events::ParseError;
use crate::events::error::{from_json, from_json_str};

/// Bodies up to this size, in bytes, are read without an estimate of what that takes: an event has
/// at most 6 MB, so all of them together stay small.
const SMALL: usize = 16 << 10;

/// What is reserved for a value, until it is dropped.
type Reservation = Option<Arc<Reserved>>;

/// Reads JSON.
pub(super) fn read<T: DeserializeOwned>(json: &[u8]) -> Result<(T, Reservation), ParseError> {
    let reserved = reserve(json)?;
    Ok((from_json(json)?, reserved))
}

/// Reads JSON that is known to be UTF-8.
pub(super) fn read_str<T: DeserializeOwned>(json: &str) -> Result<(T, Reservation), ParseError> {
    let reserved = reserve(json.as_bytes())?;
    Ok((from_json_str(json)?, reserved))
}

fn reserve(json: &[u8]) -> Result<Reservation, ParseError> {
    if json.len() <= SMALL {
        return Ok(None);
    }
    Ok(Some(Arc::new(MEMORY.reserve(memory::estimate(json), 2 * largest())?)))
}

/// Reads JSON that may be compressed.
pub(super) fn read_data<T: DeserializeOwned>(
    data: Vec<u8>,
) -> Result<(T, Reservation), ParseError> {
    read(&decompress(data, largest())?)
}
