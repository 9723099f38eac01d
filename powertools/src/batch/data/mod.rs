//! How the body of a record becomes the handler's type, within the memory of the function.

mod compression;
mod memory;

use std::sync::Arc;

use serde::de::DeserializeOwned;

use self::compression::decompress;
pub(super) use self::memory::Reserved;
use self::memory::{MEMORY, largest};
use crate::events::ParseError;
use crate::events::error::from_json;

/// Bodies up to this size, in bytes, are read without an estimate of what that takes: an event has
/// at most 6 MB, so all of them together stay small.
const SMALL: usize = 16 << 10;

/// Reads JSON. What is reserved for the value is free again when `Reserved` is dropped.
pub(super) fn read<T: DeserializeOwned>(
    json: &[u8],
) -> Result<(T, Option<Arc<Reserved>>), ParseError> {
    let reserved = if json.len() <= SMALL {
        None
    } else {
        Some(Arc::new(MEMORY.reserve(memory::estimate(json), 2 * largest())?))
    };
    Ok((from_json(json)?, reserved))
}

/// Reads JSON that may be compressed.
pub(super) fn read_data<T: DeserializeOwned>(
    data: Vec<u8>,
) -> Result<(T, Option<Arc<Reserved>>), ParseError> {
    read(&decompress(data, largest())?)
}
