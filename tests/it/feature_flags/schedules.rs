//! Schedules, in any time zone and when clocks change.

use powertools::feature_flags::FeatureFlags;

use super::{at, with_condition};

/// 25 October 2026, 00:00 UTC. An hour later, Berlin sets its clocks from 03:00 back to 02:00.
const AUTUMN: f64 = 1_792_886_400.0;
/// 29 March 2026, 00:00 UTC. An hour later, Berlin sets its clocks from 02:00 forward to 03:00.
const SPRING: f64 = 1_774_742_400.0;
const MINUTE: f64 = 60.0;

fn span(start: &str, end: &str) -> FeatureFlags {
    with_condition(&format!(
        r#"{{"action": "SCHEDULE_BETWEEN_DATETIME_RANGE", "key": "CURRENT_DATETIME", "value":
            {{"START": "{start}", "END": "{end}", "TIMEZONE": "Europe/Berlin"}}}}"#
    ))
}

fn is_on(flags: &FeatureFlags, now: f64) -> bool {
    at(now, || flags.evaluate("f", &()).unwrap())
}

/// The minutes from `start` on, of two hours, in which the feature is on.
fn minutes(flags: &FeatureFlags, start: f64) -> Vec<u32> {
    (0..120).filter(|minute| is_on(flags, start + f64::from(*minute) * MINUTE)).collect()
}

#[test]
fn a_span_to_an_hour_that_comes_twice_ends_once() {
    // 02:10 and 02:50 of summer time are 00:10 and 00:50 UTC.
    let flags = span("2026-10-25T02:10:00", "2026-10-25T02:50:00");
    assert_eq!(minutes(&flags, AUTUMN), (10..=50).collect::<Vec<_>>());
    let flags = span("2026-10-24T12:00:00", "2026-10-25T02:30:00");
    assert_eq!(minutes(&flags, AUTUMN), (0..=30).collect::<Vec<_>>());
    let flags = span("2026-10-25T02:30:00", "2026-10-25T12:00:00");
    assert_eq!(minutes(&flags, AUTUMN), (30..120).collect::<Vec<_>>());
}

#[test]
fn a_span_in_an_hour_that_is_left_out_is_an_hour_later() {
    // 02:10 does not exist: it is 03:10, 01:10 UTC.
    let flags = span("2026-03-29T02:10:00", "2026-03-29T02:50:00");
    assert_eq!(minutes(&flags, SPRING), (70..=110).collect::<Vec<_>>());
}

#[test]
fn a_time_of_the_day_follows_the_wall_clock() {
    let flags = with_condition(
        r#"{"action": "SCHEDULE_BETWEEN_TIME_RANGE", "key": "CURRENT_TIME", "value":
            {"START": "02:10", "END": "02:50", "TIMEZONE": "Europe/Berlin"}}"#,
    );
    let twice: Vec<_> = (10..=50).chain(70..=110).collect();
    assert_eq!(minutes(&flags, AUTUMN), twice);
    assert_eq!(minutes(&flags, SPRING), [0; 0]);
}

#[test]
fn both_ends_of_a_span_are_included() {
    let flags = span("2026-06-01T00:00:00", "2026-06-02T00:00:00");
    let start = 1_780_264_800.0;
    assert!(!is_on(&flags, start - 0.001));
    assert!(is_on(&flags, start));
    assert!(is_on(&flags, start + 24.0 * 60.0 * MINUTE));
    assert!(!is_on(&flags, start + 24.0 * 60.0 * MINUTE + 0.001));
}

#[test]
fn the_time_zone_is_utc_if_it_is_absent_null_or_empty() {
    for zone in ["", r#", "TIMEZONE": null"#, r#", "TIMEZONE": """#] {
        let flags = with_condition(&format!(
            r#"{{"action": "SCHEDULE_BETWEEN_TIME_RANGE", "key": "CURRENT_TIME", "value":
                {{"START": "00:10", "END": "00:20"{zone}}}}}"#
        ));
        assert_eq!(minutes(&flags, AUTUMN), (10..=20).collect::<Vec<_>>(), "{zone}");
    }
}

#[test]
fn a_time_beyond_all_calendars_matches_no_schedule() {
    let flags = span("2026-06-01T00:00:00", "9999-12-31T00:00:00");
    assert!(is_on(&flags, 1e11));
    assert!(!is_on(&flags, 1e15));
}
