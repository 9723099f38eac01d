//! The values of an invocation, until they are written.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::labels::{Labels, Scoped, Text};
use super::problem::{Kind, Problems};
use super::settings::{Shared, of_the_process};
use super::value::Observation;
use crate::clock::Clock;
use crate::invocation::Invocation;

mod line;
mod set;
mod sets;

pub(super) use self::set::{Entry, Set};
pub(super) use self::sets::{Own, Sets, describe};

/// What an invocation has measured and not written yet.
///
/// It writes the rest when it is dropped, which is where an invocation ends without
/// [`Powertools`](crate::Powertools).
#[derive(Default)]
pub(super) struct Store(Mutex<State>);

#[derive(Default)]
struct State {
    settings: Option<Shared>,
    clock: Option<Clock>,
    sets: Option<Box<Sets>>,
    /// The properties of the event.
    properties: Arc<Vec<(Text, String)>>,
    /// The invocation has ended: what comes now is written at once.
    has_ended: bool,
}

/// Adds values to the invocation, or writes them where there is none.
#[inline]
pub(super) fn record(
    invocation: Option<&Invocation>,
    own: Option<&Own>,
    entry: Entry<impl Iterator<Item = Observation>>,
) {
    match invocation {
        Some(invocation) => {
            let store = invocation.local::<Store>();
            if let Some(rest) = store.add(Some(invocation), own, entry) {
                rest.finish(store);
            }
        }
        None => {
            let store = Store::at_once();
            if let Some(rest) = store.add(None, own, entry) {
                rest.finish(&store);
            }
        }
    }
}

/// As [`record`], for the current invocation.
#[inline]
pub(super) fn record_current(own: Option<&Own>, entry: Entry<impl Iterator<Item = Observation>>) {
    let mut entry = Some(entry);
    let added = Invocation::with_current(|invocation| {
        let entry = entry.take()?;
        let rest = invocation.local::<Store>().add(Some(invocation), own, entry)?;
        // What follows may call code of others, for which the invocation must not be borrowed.
        Some((invocation.clone(), rest))
    });
    match (added, entry) {
        (Some(Some((invocation, rest))), _) => rest.finish(invocation.local::<Store>()),
        (None, Some(entry)) => record(None, own, entry),
        _ => {}
    }
}

/// Returns true if what is recorded for the invocation is written.
pub(super) fn has_namespace(invocation: &Invocation) -> bool {
    invocation.local::<Store>().settings().has_namespace()
}

/// What is left to be done when the lock is released.
struct Rest {
    settings: Shared,
    problems: Problems,
    write: bool,
}

impl Rest {
    #[cold]
    fn finish(self, store: &Store) {
        let Self { settings, problems, write } = self;
        problems.report(&settings.reported);
        if write {
            store.flush();
        }
    }
}

impl Store {
    fn at_once() -> Self {
        Self(Mutex::new(State { has_ended: true, ..State::default() }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    fn add(
        &self,
        invocation: Option<&Invocation>,
        own: Option<&Own>,
        entry: Entry<impl Iterator<Item = Observation>>,
    ) -> Option<Rest> {
        let mut state = self.lock();
        let State { settings, clock, sets, has_ended, .. } = &mut *state;
        let settings = settings.get_or_insert_with(of_the_process);
        if settings.is_silent {
            return None;
        }
        let mut problems = Problems::default();
        if !settings.has_namespace() {
            problems.push(Kind::NamespaceMissing, "");
            return Some(Rest { settings: settings.clone(), problems, write: false });
        }
        let sets = sets.get_or_insert_with(|| settings.pool.take());
        if clock.is_none()
            && let Some(invocation) = invocation
        {
            *clock = Some(invocation.clock().clone());
        }
        let is_full = sets.add(settings, invocation, own, entry, &mut problems);
        let write = is_full || *has_ended;
        (write || !problems.is_empty()).then(|| Rest {
            settings: settings.clone(),
            problems,
            write,
        })
    }

    /// Decides by which settings the values of this invocation are written.
    pub(super) fn attach(&self, settings: &Shared) {
        self.lock().settings = Some(settings.clone());
    }

    /// Returns by which settings the values of this invocation are written.
    pub(super) fn settings(&self) -> Shared {
        self.lock().settings.get_or_insert_with(of_the_process).clone()
    }

    /// Returns the properties of the event.
    pub(super) fn properties(&self) -> Arc<Vec<(Text, String)>> {
        self.lock().properties.clone()
    }

    /// Adds a property to what is written from now on.
    pub(super) fn set_property(&self, name: Text, value: Option<String>, problems: &mut Problems) {
        let mut state = self.lock();
        let properties = Arc::make_mut(&mut state.properties);
        let mut labels = Labels { dimensions: Vec::new(), properties: std::mem::take(properties) };
        labels.set_property(name, value, problems);
        *properties = labels.properties;
    }

    /// Writes what there is.
    pub(super) fn flush(&self) {
        let mut state = self.lock();
        let (Some(mut sets), Some(settings)) = (state.sets.take(), state.settings.clone()) else {
            return;
        };
        let properties = state.properties.clone();
        let clock = state.clock.clone().unwrap_or_else(|| settings.clock.clone());
        let has_ended = state.has_ended;
        drop(state);

        // Without the lock: a writer may measure, too.
        write(&settings, &mut sets, &properties, &clock);

        let mut state = self.lock();
        if has_ended || state.sets.is_some() {
            settings.pool.put(sets);
        } else {
            state.sets = Some(sets);
        }
    }

    /// Writes what there is, and from now on all that comes at once.
    pub(super) fn end(&self) {
        self.lock().has_ended = true;
        self.flush();
    }
}

/// Writes the values of `sets`, and forgets these.
pub(super) fn write(
    settings: &Shared,
    sets: &mut Sets,
    properties: &[(Text, String)],
    clock: &Clock,
) {
    let mut problems = Problems::default();
    let lines = sets.write(settings, properties, clock.now(), &mut problems);
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        settings.writer.write(line);
    }
    problems.report(&settings.reported);
}

impl Drop for Store {
    fn drop(&mut self) {
        self.flush();
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

/// Returns what is set for the current record or, outside the handler of a record, for the event.
pub(super) enum Place<'a> {
    Event(&'a Scoped),
    Record(&'a Scoped),
}

impl<'a> Place<'a> {
    pub(super) fn of(invocation: &'a Invocation) -> Self {
        let (record, event) = (invocation.record_local::<Scoped>(), invocation.local::<Scoped>());
        if std::ptr::eq(record, event) { Self::Event(event) } else { Self::Record(record) }
    }
}
