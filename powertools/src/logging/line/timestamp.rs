//! The time of a line.

use std::time::{Duration, SystemTime};

use crate::clock::date;

/// Writes RFC 3339 with milliseconds, in UTC, and keeps the text of the last second.
#[derive(Debug, Default)]
pub(in crate::logging) struct Timestamp {
    second: Option<u64>,
    /// `2026-11-21T02:32:01.`
    text: Vec<u8>,
}

impl Timestamp {
    pub(in crate::logging) fn write(&mut self, now: SystemTime, out: &mut Vec<u8>) {
        // A clock before 1970 is wrong in any case.
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        if self.second != Some(since.as_secs()) {
            self.second = Some(since.as_secs());
            self.text.clear();
            write_second(since.as_secs(), &mut self.text);
        }
        out.extend_from_slice(&self.text);
        let digit = |number: u32| b'0' + (number % 10) as u8;
        let millis = since.subsec_millis();
        out.extend_from_slice(&[digit(millis / 100), digit(millis / 10), digit(millis), b'Z']);
    }
}

fn write_second(second: u64, out: &mut Vec<u8>) {
    let (year, month, day) = date(second / 86_400);
    digits(year, 4, out);
    for (separator, number) in [
        (b'-', month),
        (b'-', day),
        (b'T', second / 3600 % 24),
        (b':', second / 60 % 60),
        (b':', second % 60),
    ] {
        out.push(separator);
        digits(number, 2, out);
    }
    out.push(b'.');
}

fn digits(number: u64, width: u32, out: &mut Vec<u8>) {
    for place in (0..width).rev() {
        let digit = number / 10_u64.pow(place) % 10;
        out.push(b'0' + u8::try_from(digit).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        for (millis, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_001, "2024-02-29T23:59:59.001Z"),
            (1_709_251_200_000, "2024-03-01T00:00:00.000Z"),
            (1_795_228_321_566, "2026-11-21T02:32:01.566Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(written(&mut Timestamp::default(), millis), expected);
        }
    }

    #[test]
    fn the_cached_second_is_not_used_for_another() {
        let mut timestamp = Timestamp::default();
        assert_eq!(written(&mut timestamp, 1_000), "1970-01-01T00:00:01.000Z");
        assert_eq!(written(&mut timestamp, 1_999), "1970-01-01T00:00:01.999Z");
        assert_eq!(written(&mut timestamp, 2_000), "1970-01-01T00:00:02.000Z");
        assert_eq!(written(&mut timestamp, 1_001), "1970-01-01T00:00:01.001Z");
    }

    fn written(timestamp: &mut Timestamp, millis: u64) -> String {
        let mut out = Vec::new();
        timestamp.write(SystemTime::UNIX_EPOCH + Duration::from_millis(millis), &mut out);
        String::from_utf8(out).unwrap()
    }
}
