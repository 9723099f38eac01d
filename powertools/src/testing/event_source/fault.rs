use std::collections::BTreeMap;

use super::random::Random;

/// The point of its work at which a function is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Point {
    /// Before it does anything.
    Start,
    /// Where it waits for the n-th time, counted from 1, at whatever `.await`. A function that ends
    /// before is interrupted at its [`Reply`](Self::Reply).
    Await(u32),
    /// When it has done everything, but its reply has not arrived.
    Reply,
}

impl Point {
    fn random(random: &mut Random) -> Self {
        match random.within(0..10) {
            0 => Self::Start,
            1..8 => {
                // Early points more often than late ones, since every function has those.
                let longest = [3, 9, 33][random.within(0..3)];
                Self::Await(u32::try_from(random.within(1..longest)).unwrap_or(1))
            }
            _ => Self::Reply,
        }
    }
}

/// How a function is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Crash,
    Timeout,
}

/// The faults of one delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) cut: Option<(Kind, Point)>,
    pub(super) duplicate: bool,
}

/// What may go wrong, by chance or by script.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    pub(super) crashes: f64,
    pub(super) timeouts: f64,
    pub(super) duplicates: f64,
    pub(super) script: BTreeMap<usize, Plan>,
}

impl Faults {
    /// Decides about the invocation of this number.
    pub(super) fn plan(&self, invocation: usize, random: &mut Random) -> Plan {
        let crash = random.chance(self.crashes).then_some(Kind::Crash);
        let timeout = random.chance(self.timeouts).then_some(Kind::Timeout);
        let point = Point::random(random);
        let duplicate = random.chance(self.duplicates);

        let scripted = self.script.get(&invocation).copied().unwrap_or_default();
        Plan {
            cut: scripted.cut.or(crash.or(timeout).map(|kind| (kind, point))),
            duplicate: scripted.duplicate || duplicate,
        }
    }
}

/// Checks a probability that a test gave.
#[track_caller]
pub(super) fn probability(given: f64) -> f64 {
    assert!((0.0..=1.0).contains(&given), "a probability is from 0 to 1, not {given}");
    given
}
