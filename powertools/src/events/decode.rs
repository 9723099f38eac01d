use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::ParseError;

/// Decodes a string in base64.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, ParseError> {
    Ok(STANDARD.decode(text)?)
}

/// The moment so many seconds after the epoch, to the millisecond.
pub(super) fn moment(seconds: f64) -> Option<SystemTime> {
    let since = Duration::try_from_secs_f64(seconds).ok()?;
    // Rounds to the nearest millisecond.
    let millis = since.checked_add(Duration::from_micros(500))?.as_millis();
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_base64_is_an_error() {
        assert!(matches!(decode("%%%"), Err(ParseError::Base64(_))));
    }
}
