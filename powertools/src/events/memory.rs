//! The memory that parsed data takes, for all records and events of the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::ParseError;
use super::compression::largest;

/// Data up to this size, in bytes, is read without an estimate of what that takes: an event has at most
/// 6 MB, so all of it together stays small.
const SMALL: usize = 16 << 10;

/// What each value in JSON may become, in bytes: three times the size of `serde_json::Value`, since
/// a list that grows exists twice for a moment, and has room for twice its length.
const VALUE: u64 = 96;

/// What is reserved for data, until it is dropped.
pub(crate) type Reservation = Option<Arc<Reserved>>;

/// What the data takes that is being processed.
static MEMORY: Memory = Memory { taken: AtomicU64::new(0) };

#[derive(Debug)]
struct Memory {
    taken: AtomicU64,
}

/// Memory that is reserved, until this is dropped.
#[derive(Debug)]
pub(crate) struct Reserved {
    bytes: u64,
    of: &'static Memory,
}

impl Memory {
    /// Reserves memory, or fails if that and what others reserved exceeds the limit.
    fn reserve(&'static self, bytes: u64, limit: u64) -> Result<Reserved, ParseError> {
        let reserve = |taken: u64| {
            let sum = taken.checked_add(bytes)?;
            (sum <= limit).then_some(sum)
        };
        match self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, reserve) {
            Ok(_) => Ok(Reserved { bytes, of: self }),
            Err(taken) => Err(ParseError::OutOfMemory {
                needed: bytes,
                available: limit.saturating_sub(taken),
            }),
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.of.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Reserves what this JSON and what is parsed of it may take.
pub(crate) fn reserve(json: &[u8]) -> Result<Reservation, ParseError> {
    if json.len() <= SMALL {
        return Ok(None);
    }
    Ok(Some(Arc::new(MEMORY.reserve(estimate(json), 2 * largest())?)))
}

/// Reserves what so many values of data of so many bytes may take.
pub(crate) fn reserve_values(bytes: usize, count: usize) -> Result<Reservation, ParseError> {
    // As many values as JSON of that size can have: some formats have values without bytes.
    if bytes <= SMALL && count <= SMALL / 2 {
        return Ok(None);
    }
    Ok(Some(Arc::new(MEMORY.reserve(of_values(bytes, count), 2 * largest())?)))
}

/// Returns what this JSON and what is parsed of it may take, in bytes.
///
/// Each value follows one of these characters. Those in strings count too: the estimate is high.
fn estimate(json: &[u8]) -> u64 {
    let values = json.iter().filter(|byte| matches!(byte, b',' | b':' | b'[' | b'{')).count();
    of_values(json.len(), values)
}

/// Returns what so many values of data of so many bytes may take, in bytes.
fn of_values(bytes: usize, values: usize) -> u64 {
    2 * bytes as u64 + VALUE * values as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_reserved_for_all_records_at_once_and_freed_with_each() {
        static OURS: Memory = Memory { taken: AtomicU64::new(0) };
        let one = OURS.reserve(60, 100).unwrap();
        let error = OURS.reserve(41, 100).unwrap_err();
        assert!(matches!(error, ParseError::OutOfMemory { needed: 41, available: 40 }), "{error}");
        let other = OURS.reserve(40, 100).unwrap();
        assert!(OURS.reserve(1, 100).is_err());
        drop(one);
        drop(OURS.reserve(60, 100).unwrap());
        drop(other);
        assert_eq!(OURS.taken.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn many_values_of_few_bytes_are_reserved() {
        assert!(reserve_values(SMALL, SMALL / 2).unwrap().is_none());
        assert!(reserve_values(1, SMALL / 2 + 1).unwrap().is_some());
        assert!(reserve_values(SMALL + 1, 1).unwrap().is_some());
    }

    /// What `serde_json` allocates at most, beside the text.
    #[test]
    fn an_estimate_covers_the_values_of_dense_json() {
        let dense = format!("[{}0]", "0,".repeat(99_999));
        let values = u64::try_from(100_000 * size_of::<serde_json::Value>()).unwrap();
        assert!(estimate(dense.as_bytes()) >= 3 * values);
        assert_eq!(estimate(b"7"), 2);
    }
}
