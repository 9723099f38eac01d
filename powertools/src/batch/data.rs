//! Parses the bodies of records, within the memory of the function.

use crate::events::compression::{decompress, largest};
use crate::events::kafka::Need;
use crate::events::memory::{Reservation, reserve, reserve_values};
use crate::events::{Body, ParseError};

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

/// Reserves what a key or value of Kafka needs.
pub(super) fn reserve_for(need: Need<'_>, into: &mut Reservation) -> Result<(), ParseError> {
    *into = match need {
        Need::Json(json) => reserve(json)?,
        Need::Values { bytes, count } => reserve_values(bytes, count)?,
    };
    Ok(())
}

/// Reads a body that may be compressed.
pub(super) fn read_data<T: Body>(data: Vec<u8>) -> Result<(T, Reservation), ParseError> {
    read(&decompress(data, largest)?)
}
