use std::cmp::Ordering::{Equal, Greater, Less};

use jiff::tz::TimeZone;

use super::condition::{Condition, KeyTest, Set, Test};
use super::feature::doubt_unknown;
use super::problem::{Path, Problems};
use super::schedule::{self, Schedule};
use super::value::{Members, Value};
use crate::json::Json;

/// Reads a condition.
pub(super) fn read(path: Path<'_>, json: &Json, problems: &mut Problems) -> Option<Condition> {
    let Some(members) = json.as_object().filter(|members| !members.is_empty()) else {
        return problems.fatal(path, "a condition must be an object that is not empty");
    };
    doubt_unknown(path, members, &["action", "key", "value"], problems);
    let Some(name) = json["action"].as_str() else {
        return problems.fatal(path.name("action"), "it must be the name of an action");
    };
    let Some((action, read)) = ACTIONS.iter().find(|(action, _)| *action == name) else {
        return problems.fatal(path.name("action"), "there is no such action");
    };
    let Some(key) = json["key"].as_str().filter(|key| !key.is_empty()) else {
        return problems.fatal(path.name("key"), "it must be a string that is not empty");
    };
    if json["value"].is_null() {
        return problems.fatal(path.name("value"), "it is missing or null");
    }
    let at = At { path: path.name("value"), json: &json["value"], problems };
    let test = match read {
        Read::Key(read) => Test::Key(read(at)?),
        Read::Time(its_key, read) if *its_key == key => Test::Time(read(at)?),
        Read::Time(its_key, _) => {
            let reason = format!("the key of {action} must be {its_key}");
            return problems.fatal(path.name("key"), reason);
        }
    };
    Some(Condition { key: key.into(), action, test })
}

/// The value of a condition.
struct At<'a> {
    path: Path<'a>,
    json: &'a Json,
    problems: &'a mut Problems,
}

/// How the value of a condition is read.
enum Read {
    Key(fn(At<'_>) -> Option<KeyTest>),
    /// The key of the condition is fixed.
    Time(&'static str, fn(At<'_>) -> Option<Schedule>),
}

const ACTIONS: &[(&str, Read)] = &[
    ("EQUALS", Read::Key(|at| at.value().map(KeyTest::Equals))),
    ("NOT_EQUALS", Read::Key(|at| at.value().map(KeyTest::NotEquals))),
    ("KEY_GREATER_THAN_VALUE", Read::Key(|at| Some(KeyTest::Order(at.ordered()?, [Greater; 2])))),
    (
        "KEY_GREATER_THAN_OR_EQUAL_VALUE",
        Read::Key(|at| Some(KeyTest::Order(at.ordered()?, [Greater, Equal]))),
    ),
    ("KEY_LESS_THAN_VALUE", Read::Key(|at| Some(KeyTest::Order(at.ordered()?, [Less; 2])))),
    (
        "KEY_LESS_THAN_OR_EQUAL_VALUE",
        Read::Key(|at| Some(KeyTest::Order(at.ordered()?, [Less, Equal]))),
    ),
    ("STARTSWITH", Read::Key(|at| at.text().map(KeyTest::StartsWith))),
    ("ENDSWITH", Read::Key(|at| at.text().map(KeyTest::EndsWith))),
    ("IN", Read::Key(|at| at.set().map(KeyTest::KeyIn))),
    ("NOT_IN", Read::Key(|at| at.set().map(KeyTest::KeyNotIn))),
    ("KEY_IN_VALUE", Read::Key(|at| at.set().map(KeyTest::KeyIn))),
    ("KEY_NOT_IN_VALUE", Read::Key(|at| at.set().map(KeyTest::KeyNotIn))),
    ("VALUE_IN_KEY", Read::Key(|at| at.value().map(KeyTest::ValueIn))),
    ("VALUE_NOT_IN_KEY", Read::Key(|at| at.value().map(KeyTest::ValueNotIn))),
    ("ALL_IN_VALUE", Read::Key(|at| at.list().map(KeyTest::AllIn))),
    ("ANY_IN_VALUE", Read::Key(|at| at.list().map(KeyTest::AnyIn))),
    ("NONE_IN_VALUE", Read::Key(|at| at.list().map(KeyTest::NoneIn))),
    ("MODULO_RANGE", Read::Key(modulo)),
    ("SCHEDULE_BETWEEN_TIME_RANGE", Read::Time("CURRENT_TIME", daily)),
    ("SCHEDULE_BETWEEN_DATETIME_RANGE", Read::Time("CURRENT_DATETIME", span)),
    ("SCHEDULE_BETWEEN_DAYS_OF_WEEK", Read::Time("CURRENT_DAY_OF_WEEK", days)),
];

impl At<'_> {
    fn value(self) -> Option<Value> {
        let value = Value::read(self.json);
        value.or_else(|| self.problems.fatal(self.path, "it contains a number that is too large"))
    }

    /// Reads a value that has an order.
    fn ordered(self) -> Option<Value> {
        if let Json::Object(_) = self.json {
            self.problems.doubt(self.path, "it is an object, and never greater or less");
        }
        self.value()
    }

    fn text(self) -> Option<Value> {
        if self.json.as_str().is_none() {
            self.problems.doubt(self.path, "it is not a string, and never matches");
        }
        self.value()
    }

    fn set(self) -> Option<Set> {
        if let Json::Bool(_) | Json::Number(_) = self.json {
            self.problems.doubt(self.path, "it contains nothing, and never matches");
        }
        self.value().map(Set::new)
    }

    fn list(self) -> Option<Members> {
        if self.json.as_array().is_none() {
            return self.problems.fatal(self.path, "it must be a list");
        }
        match self.value()? {
            Value::List(items) => Some(Members::new(items)),
            _ => None,
        }
    }

    /// Returns true if it is an object, in which only these members have a meaning.
    fn is_object_of(&mut self, known: &[&str]) -> bool {
        match self.json.as_object() {
            Some(members) => {
                doubt_unknown(self.path, members, known, self.problems);
                true
            }
            None => {
                let reason = format!("it must be an object with {}", known.join(", "));
                self.problems.fatal::<()>(self.path, reason);
                false
            }
        }
    }

    /// Reads a string member, in the way of `read`.
    fn member<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str) -> Option<T>,
        form: &str,
    ) -> Option<T> {
        let read = self.json[name].as_str().and_then(read);
        read.or_else(|| self.problems.fatal(self.path.name(name), format!("it must be {form}")))
    }

    fn zone(&mut self) -> Option<TimeZone> {
        let name = match &self.json["TIMEZONE"] {
            Json::Null => "UTC",
            Json::String(name) if name.is_empty() => "UTC",
            Json::String(name) => name,
            _ => {
                return self.problems.fatal(self.path.name("TIMEZONE"), "it must be a string");
            }
        };
        schedule::zone(name).or_else(|| {
            let reason = "it is not the name of a time zone in the IANA database";
            self.problems.fatal(self.path.name("TIMEZONE"), reason)
        })
    }
}

fn modulo(mut at: At<'_>) -> Option<KeyTest> {
    if !at.is_object_of(&["BASE", "START", "END"]) {
        return None;
    }
    let [base, start, end] = ["BASE", "START", "END"].map(|name| {
        let number = at.json[name].as_number().filter(|number| number.is_integer());
        let number = number.and_then(|number| number.as_str().parse::<i128>().ok());
        number.or_else(|| at.problems.fatal(at.path.name(name), "it must be an integer"))
    });
    let (base, start, end) = (base?, start?, end?);
    if 0 <= start && start <= end && end < base {
        Some(KeyTest::Modulo { base, start, end })
    } else {
        at.problems.fatal(at.path, "it must hold that 0 <= START <= END <= BASE - 1")
    }
}

fn daily(mut at: At<'_>) -> Option<Schedule> {
    if !at.is_object_of(&["START", "END", "TIMEZONE"]) {
        return None;
    }
    let form = "a time of the day as HH:MM";
    let start = at.member("START", schedule::minute, form);
    let end = at.member("END", schedule::minute, form);
    Some(Schedule::Daily { zone: at.zone()?, start: start?, end: end? })
}

fn span(mut at: At<'_>) -> Option<Schedule> {
    if !at.is_object_of(&["START", "END", "TIMEZONE"]) {
        return None;
    }
    let zone = at.zone();
    // The dates are checked without one, too.
    let any_zone = zone.clone().unwrap_or(TimeZone::UTC);
    let form = "a date and time in ISO 8601 without a time zone, which TIMEZONE is for";
    let [start, end] = ["START", "END"].map(|name| {
        let read = |text: &str| Some(schedule::instant(&any_zone, schedule::date_time(text)?));
        at.member(name, read, form)
    });
    let (start, end) = (start?, end?);
    if end < start {
        at.problems.doubt(at.path, "END is before START, and it never matches");
    }
    zone.map(|_| Schedule::Span { start, end })
}

fn days(mut at: At<'_>) -> Option<Schedule> {
    if !at.is_object_of(&["DAYS", "TIMEZONE"]) {
        return None;
    }
    let zone = at.zone();
    let path = at.path.name("DAYS");
    let Some(names) = at.json["DAYS"].as_array() else {
        return at.problems.fatal(path, "it must be a list of days");
    };
    if names.is_empty() {
        at.problems.doubt(path, "it is empty, and never matches");
    }
    let mut days = Some(0);
    for (index, name) in names.iter().enumerate() {
        let day = name.as_str().and_then(schedule::day);
        let day = day.or_else(|| {
            at.problems.fatal(path.index(index), "it must be a day such as MONDAY, in upper case")
        });
        days = days.zip(day).map(|(days, day)| days | day);
    }
    Some(Schedule::Days { zone: zone?, days: days? })
}
