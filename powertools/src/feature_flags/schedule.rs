use std::sync::LazyLock;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::{DateTime, Time, Weekday};
use jiff::fmt::temporal::Pieces;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// Times at which a condition holds.
#[derive(Debug)]
pub(super) enum Schedule {
    /// From a minute of the day to another, both included, by the wall clock. Past midnight if the end
    /// is before the start.
    Daily { zone: TimeZone, start: u16, end: u16 },
    /// From one instant to another, both included.
    Span { start: Timestamp, end: Timestamp },
    /// On these days: the first bit is Monday.
    Days { zone: TimeZone, days: u8 },
}

impl Schedule {
    pub(super) fn holds(&self, now: SystemTime) -> bool {
        // Beyond the years that it can express, no schedule is meant.
        let Ok(now) = Timestamp::try_from(now) else { return false };
        match self {
            Self::Daily { zone, start, end } => {
                let minute = minute_of(zone.to_datetime(now).time());
                if start <= end {
                    (*start..=*end).contains(&minute)
                } else {
                    minute >= *start || minute <= *end
                }
            }
            Self::Span { start, end } => (*start..=*end).contains(&now),
            Self::Days { zone, days } => days & bit(zone.to_datetime(now).weekday()) != 0,
        }
    }
}

fn minute_of(time: Time) -> u16 {
    u16::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).unwrap_or_default()
}

fn bit(day: Weekday) -> u8 {
    1 << day.to_monday_zero_offset()
}

/// Reads the minute of `HH:MM`.
pub(super) fn minute(text: &str) -> Option<u16> {
    let &[tens, ones, b':', ten, one] = text.as_bytes() else { return None };
    if ![tens, ones, ten, one].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |tens, ones| u16::from(tens - b'0') * 10 + u16::from(ones - b'0');
    let (hour, minute) = (number(tens, ones), number(ten, one));
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

/// Reads the bit of a day's name.
pub(super) fn day(name: &str) -> Option<u8> {
    Some(bit(match name {
        "MONDAY" => Weekday::Monday,
        "TUESDAY" => Weekday::Tuesday,
        "WEDNESDAY" => Weekday::Wednesday,
        "THURSDAY" => Weekday::Thursday,
        "FRIDAY" => Weekday::Friday,
        "SATURDAY" => Weekday::Saturday,
        "SUNDAY" => Weekday::Sunday,
        _ => return None,
    }))
}

/// Returns the time zone that the IANA database has under exactly this name.
pub(super) fn zone(name: &str) -> Option<TimeZone> {
    // The one in the program: that of the system may be absent in Lambda, or older.
    static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

    let zone = ZONES.get(name).ok()?;
    (zone.iana_name() == Some(name) && !zone.is_unknown()).then_some(zone)
}

/// Reads a date with or without a time, in ISO 8601, without an offset or a time zone.
pub(super) fn date_time(text: &str) -> Option<DateTime> {
    let pieces = Pieces::parse(text).ok()?;
    if pieces.offset().is_some() || pieces.time_zone_annotation().is_some() {
        return None;
    }
    Some(pieces.date().to_datetime(pieces.time().unwrap_or(Time::midnight())))
}

/// Returns the instant of a time on the wall clock. As in RFC 5545, that is the first of two when the
/// clock is set back, and the time by the old offset when it is set forward past it.
pub(super) fn instant(zone: &TimeZone, time: DateTime) -> Timestamp {
    // Only the last day of the year 9999 has no instant, and it stands for no end.
    let forever = if time.year() > 0 { Timestamp::MAX } else { Timestamp::MIN };
    zone.to_ambiguous_timestamp(time).compatible().unwrap_or(forever)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_zone_has_exactly_its_name() {
        for name in ["UTC", "Europe/Berlin", "America/New_York", "Etc/GMT+3", "Asia/Kathmandu"] {
            assert!(zone(name).is_some(), "{name}");
        }
        for name in ["utc", "europe/berlin", "UTC+3", "Europe/Bielefeld", "Etc/Unknown", "", " UTC"]
        {
            assert!(zone(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_minute_has_four_digits() {
        assert_eq!(minute("00:00"), Some(0));
        assert_eq!(minute("23:59"), Some(23 * 60 + 59));
        for wrong in ["", "24:00", "12:60", "9:00", "09:0", "09:00:00", "0a:00", "+1:00", "١٢:٠٠"]
        {
            assert_eq!(minute(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_date_has_neither_offset_nor_zone() {
        for right in
            ["2026-10-25T02:30:00", "2026-10-25 02:30", "2026-10-25T02:30:00.5", "2026-10-25"]
        {
            assert!(date_time(right).is_some(), "{right}");
        }
        for wrong in [
            "2026-10-25T02:30:00Z",
            "2026-10-25T02:30:00+02:00",
            "2026-10-25T02:30:00[Europe/Berlin]",
            "2026-13-01",
            "2026-02-30T00:00:00",
            "tomorrow",
            "",
        ] {
            assert!(date_time(wrong).is_none(), "{wrong}");
        }
    }
}
