//! The sets of an invocation, with the memory that they reuse.

use std::time::{SystemTime, UNIX_EPOCH};

use super::set::{Entry, Set};
use super::{Store, line};
use crate::invocation::Invocation;
use crate::metrics::labels::{Labels, ScopeKey, Scoped, Text};
use crate::metrics::problem::Problems;
use crate::metrics::settings::Settings;
use crate::metrics::value::Observation;

/// A metric set for each map of dimensions.
#[derive(Debug, Default)]
pub(in crate::metrics) struct Sets {
    sets: Vec<Set>,
    /// Which set is that of a scope, where no value has dimensions of its own.
    of_scopes: Vec<(ScopeKey, usize)>,
    spare_sets: Vec<Set>,
    /// The set of events that set nothing, from one of them for the next.
    plain: Option<Set>,
    /// The address of the settings that describe the sets. They are alive for as long as these.
    described_by: usize,
    line: Vec<u8>,
    scratch: Vec<u8>,
}

/// How many sets are kept before they are written.
const MOST_SETS: usize = 100;

/// How many scopes are remembered.
const MOST_SCOPES: usize = 64;

/// What is kept for the next invocation.
const SPARE_SETS: usize = 4;
const SPARE_BYTES: usize = 64 * 1024;

/// What a value has of its own.
#[derive(Clone, Debug, Default)]
pub(in crate::metrics) struct Own {
    pub(in crate::metrics) labels: Labels,
    pub(in crate::metrics) timestamp: Option<SystemTime>,
}

impl Sets {
    /// Adds values, and returns true if the sets have to be written.
    #[inline]
    pub(super) fn add(
        &mut self,
        settings: &Settings,
        invocation: Option<&Invocation>,
        event: &Scoped,
        own: Option<&Own>,
        entry: &mut Entry<impl Iterator<Item = Observation>>,
        problems: &mut Problems,
    ) -> bool {
        self.follow(settings);
        let key = key(invocation, event, own);
        let known = key.and_then(|key| self.of_scopes.iter().find(|(known, _)| *known == key));
        let index = match known {
            Some((_, index)) => *index,
            None => self.describe(settings, invocation, event, own, key, problems),
        };
        let is_full = self.sets[index].add(entry, problems);
        is_full || self.sets.len() >= MOST_SETS
    }

    /// Finds the set of a scope, or makes it.
    #[cold]
    fn describe(
        &mut self,
        settings: &Settings,
        invocation: Option<&Invocation>,
        event: &Scoped,
        own: Option<&Own>,
        scope: Option<ScopeKey>,
        problems: &mut Problems,
    ) -> usize {
        let set = match self.plain.take_if(|_| scope == Some(ScopeKey::default())) {
            Some(set) => set,
            None => {
                let mut set = self.spare_sets.pop().unwrap_or_default();
                describe(&mut set, settings, invocation, own, problems);
                set
            }
        };
        let index = match self.sets.iter().position(|known| known.is_like(&set)) {
            Some(index) => {
                self.spare_sets.push(set);
                index
            }
            None => {
                self.sets.push(set);
                self.sets.len() - 1
            }
        };
        // Another thread may have set something before it was read.
        if let Some(key) = scope.filter(|_| scope == key(invocation, event, own)) {
            if self.of_scopes.len() == MOST_SCOPES {
                self.of_scopes.clear();
            }
            self.of_scopes.push((key, index));
        }
        index
    }

    /// Adds a set that has been filled elsewhere.
    pub(in crate::metrics) fn push(&mut self, set: Set) {
        self.sets.push(set);
    }

    /// Writes the lines of all values, and forgets these.
    pub(super) fn write(
        &mut self,
        settings: &Settings,
        properties: &[(Text, String)],
        now: SystemTime,
        problems: &mut Problems,
    ) {
        self.follow(settings);
        let now = millis(now);
        for set in self.sets.iter_mut().filter(|set| set.has_values()) {
            let (line, scratch) = (&mut self.line, &mut self.scratch);
            line::write(line, scratch, settings, set, properties, now, problems);
            set.clear();
        }
        if self.sets.len() >= MOST_SETS {
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.of_scopes.clear();
        self.spare_sets.append(&mut self.sets);
        self.spare_sets.truncate(SPARE_SETS);
    }

    /// Keeps nothing for later values that other settings than these have described.
    #[inline]
    fn follow(&mut self, settings: &Settings) {
        let address = std::ptr::from_ref(settings).addr();
        if self.described_by != address {
            self.described_by = address;
            self.forget_settings();
        }
    }

    #[cold]
    fn forget_settings(&mut self) {
        self.plain = None;
        self.of_scopes.clear();
        self.sets.iter_mut().for_each(Set::forget_plain);
    }

    #[cfg(test)]
    pub(super) fn knows_plain(&self) -> bool {
        self.plain.is_some()
    }

    /// Keeps memory, not much of it, and the set that most events need.
    pub(in crate::metrics) fn recycled(mut self: Box<Self>) -> Box<Self> {
        if self.plain.is_none() {
            let index = self.sets.iter().position(Set::is_plain);
            self.plain = index.map(|index| self.sets.swap_remove(index));
        }
        self.forget();
        self.spare_sets.iter_mut().for_each(Set::shrink);
        for buffer in [&mut self.line, &mut self.scratch] {
            buffer.clear();
            buffer.shrink_to(SPARE_BYTES);
        }
        self
    }
}

/// Returns what a set is known by, unless a value has something of its own.
#[inline]
fn key(invocation: Option<&Invocation>, event: &Scoped, own: Option<&Own>) -> Option<ScopeKey> {
    match (own, invocation) {
        (Some(_), _) => None,
        (None, Some(invocation)) if invocation.is_for_record() => {
            ScopeKey::of_record(invocation, event)
        }
        (None, _) => Some(ScopeKey::of_event(event)),
    }
}

/// Makes of `set` that of the scope, with what a value has of its own.
pub(in crate::metrics) fn describe(
    set: &mut Set,
    settings: &Settings,
    invocation: Option<&Invocation>,
    own: Option<&Own>,
    problems: &mut Problems,
) {
    let scopes: Vec<_> = match invocation {
        Some(invocation) => {
            let event = invocation.local::<Store>().event();
            invocation.locals_of_records().chain([event]).map(Scoped::lock).collect()
        }
        None => Vec::new(),
    };
    let labels = scopes.iter().rev().map(|labels| &**labels);
    let timestamp = own.and_then(|own| own.timestamp).map(millis);
    let labels = labels.chain(own.map(|own| &own.labels));
    set.describe(settings, labels, timestamp, problems);
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs().saturating_mul(1_000).saturating_add(since.subsec_millis().into())
}
