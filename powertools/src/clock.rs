//! The time of day, in one place.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

/// Where the toolkit reads the time of day.
///
/// An [`Invocation`](crate::Invocation) carries its clock to everything that works for it. In
/// production that is the system's clock; tests give a
/// `testing::ManualClock` or a function of their own.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use powertools::Clock;
///
/// let fast = Clock::from_fn(|| SystemTime::now() + Duration::from_secs(120));
/// assert!(fast.now() > Clock::system().now());
/// ```
#[derive(Clone, Default)]
pub struct Clock(Option<Arc<dyn Fn() -> SystemTime + Send + Sync>>);

impl Clock {
    /// The clock of the operating system.
    #[must_use]
    pub fn system() -> Self {
        Self(None)
    }

    /// Returns true if it is the system's.
    #[inline]
    pub(crate) fn is_system(&self) -> bool {
        self.0.is_none()
    }

    /// Creates a clock that calls `now` for the time. `now` must not log, measure or enter an invocation:
    /// each of these asks for the time.
    pub fn from_fn(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(now)))
    }

    /// The time of day.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that may")]
    pub fn now(&self) -> SystemTime {
        match &self.0 {
            None => SystemTime::now(),
            Some(now) => now(),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_system() { "Clock(system)" } else { "Clock(custom)" })
    }
}

/// Returns year, month and day of the day with this number since 1970-01-01.
pub(crate) fn date(day: u64) -> (u64, u64, u64) {
    // Years begin with March here, so that the leap day is the last one; 400 years are an era.
    let day = day + 719_468;
    let day_of_era = day % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = day / 146_097 * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day_of_month)
}

/// Returns the number of a day since 1970-01-01, if there is such a day: the reverse of [`date`].
pub(crate) fn day(year: u64, month: u64, day_of_month: u64) -> Option<u64> {
    let year_from_march = year.checked_sub(u64::from(month <= 2))?;
    let month_from_march = if month > 2 { month.checked_sub(3)? } else { month + 9 };
    let days_of_years =
        365 * year_from_march + year_from_march / 4 - year_from_march / 100 + year_from_march / 400;
    let day = days_of_years + (153 * month_from_march + 2) / 5 + day_of_month;
    let day = day.checked_sub(719_469)?;
    (date(day) == (year, month, day_of_month)).then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_follows_the_one_before() {
        let mut last = date(0);
        for number in 1..200_000 {
            let (year, month, day) = date(number);
            assert_eq!(super::day(year, month, day), Some(number));
            let follows = match last {
                (y, m, d) if (year, month, day) == (y, m, d + 1) => d < 31,
                (y, m, d) if (year, month, day) == (y, m + 1, 1) => d >= 28,
                (y, m, d) => (year, month, day) == (y + 1, 1, 1) && (m, d) == (12, 31),
            };
            assert!(follows, "{last:?} {year}-{month}-{day}");
            last = (year, month, day);
        }
    }

    #[test]
    fn a_day_that_does_not_exist_has_no_number() {
        for (year, month, day_of_month) in [
            (2026, 2, 29),
            (2026, 4, 31),
            (2026, 0, 1),
            (2026, 13, 1),
            (2026, 1, 0),
            (1969, 12, 31),
        ] {
            assert_eq!(day(year, month, day_of_month), None, "{year}-{month}-{day_of_month}");
        }
        assert_eq!(day(2024, 2, 29), Some(19_782));
    }
}
