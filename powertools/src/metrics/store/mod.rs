//! The values of an invocation, until they are written.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::labels::{Labels, Scoped, Text};
use super::problem::{Kind, Problems};
use super::settings::{Shared, known_of_the_process, of_the_process};
use super::value::Observation;
use crate::clock::Clock;
use crate::invocation::{DurableExecution, Invocation};

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
pub(super) struct Store {
    /// Those of the process, where there are none.
    settings: OnceLock<Shared>,
    /// What is set for the event.
    event: Scoped,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    clock: Option<Clock>,
    sets: Option<Box<Sets>>,
    /// The properties of the event, if it has some.
    properties: Option<Arc<Properties>>,
    /// The invocation has ended: what comes now is written at once.
    has_ended: bool,
}

type Properties = Vec<(Text, String)>;

/// Adds values to the invocation, or writes them where there is none.
pub(super) fn record(
    invocation: Option<&Invocation>,
    own: Option<&Own>,
    mut entry: Entry<&mut dyn Iterator<Item = Observation>>,
) {
    let Some(invocation) = invocation else { return record_at_once(own, entry) };
    let mut rest = Rest::default();
    let store = invocation.local::<Store>();
    store.settings();
    store.add(Some(invocation), own, &mut entry, &mut rest);
    if !rest.is_nothing() {
        rest.finish(store);
    }
}

/// As [`record`], for the current invocation.
#[inline]
pub(super) fn record_current(
    own: Option<&Own>,
    mut entry: Entry<impl Iterator<Item = Observation>>,
) {
    let mut rest = Rest::default();
    let mut add = |invocation: &Invocation| {
        let store = invocation.local::<Store>();
        let is_decided = store.known_settings().is_some();
        if is_decided {
            store.add(Some(invocation), own, &mut entry, &mut rest);
        }
        is_decided
    };
    let mut added = Invocation::with_current(&mut add);
    // What follows may call code of others, for which the invocation must not be borrowed.
    if added == Some(false) {
        of_the_process();
        added = Invocation::with_current(add);
    }
    match added {
        Some(_) if rest.is_nothing() => {}
        Some(_) => rest.finish_current(),
        None => record_at_once(own, entry.erased()),
    }
}

/// Writes values that belong to no invocation.
#[cold]
fn record_at_once(own: Option<&Own>, mut entry: Entry<&mut dyn Iterator<Item = Observation>>) {
    let (store, mut rest) = (Store::at_once(), Rest::default());
    store.settings();
    store.add(None, own, &mut entry, &mut rest);
    rest.finish(&store);
}

/// Returns true if what is recorded for the invocation is written; `None` if that is still to be found out.
pub(super) fn has_namespace(invocation: &Invocation) -> Option<bool> {
    let settings = invocation.local::<Store>().known_settings();
    settings.map(|settings| settings.has_namespace())
}

/// Warns of what is wrong with something that was set.
pub(super) fn report(problems: Problems) {
    if problems.is_empty() {
        return;
    }
    match Invocation::current() {
        Some(invocation) => problems.report(&invocation.local::<Store>().settings().reported),
        None => problems.report(&of_the_process().reported),
    }
}

/// Returns true if the value is not to be recorded, since another invocation of the durable execution
/// does that.
pub(super) fn is_repeated(invocation: Option<&Invocation>) -> bool {
    let execution = invocation.and_then(Invocation::execution);
    execution.is_some_and(DurableExecution::is_repeated)
}

/// What is left to be done when the lock is released.
#[derive(Default)]
struct Rest {
    problems: Problems,
    write: bool,
}

impl Rest {
    #[inline]
    fn is_nothing(&self) -> bool {
        !self.write && self.problems.is_empty()
    }

    #[cold]
    fn finish_current(self) {
        if let Some(invocation) = Invocation::current() {
            self.finish(invocation.local());
        }
    }

    #[cold]
    fn finish(self, store: &Store) {
        let Self { problems, write } = self;
        problems.report(&store.settings().reported);
        if write {
            store.flush();
        }
    }
}

impl Store {
    fn at_once() -> Self {
        let state = Mutex::new(State { has_ended: true, ..State::default() });
        Self { settings: OnceLock::new(), event: Scoped::default(), state }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds values, once the settings are known: to find them out may report what is wrong with them, for which no
    /// lock may be held.
    #[inline]
    fn add(
        &self,
        invocation: Option<&Invocation>,
        own: Option<&Own>,
        entry: &mut Entry<impl Iterator<Item = Observation>>,
        rest: &mut Rest,
    ) {
        if is_repeated(invocation) {
            return;
        }
        let mut state = self.lock();
        let settings = self.settings();
        if settings.is_silent {
            return;
        }
        let problems = &mut rest.problems;
        if !settings.has_namespace() {
            return problems.push(Kind::NamespaceMissing, "");
        }
        let State { clock, sets, has_ended, .. } = &mut *state;
        let sets = sets.get_or_insert_with(|| {
            *clock = invocation.map(|invocation| invocation.clock().clone());
            settings.pool.take()
        });
        let is_full = sets.add(settings, invocation, &self.event, own, entry, problems);
        rest.write = is_full || *has_ended;
    }

    /// Returns what is set for the event.
    pub(super) fn event(&self) -> &Scoped {
        &self.event
    }

    /// Decides by which settings the values of this invocation are written.
    pub(super) fn attach(&self, settings: &Shared) {
        // It is the first of the invocation.
        let _ = self.settings.set(settings.clone());
    }

    /// Returns by which settings the values of this invocation are written.
    #[inline]
    pub(super) fn settings(&self) -> &Shared {
        self.known_settings().unwrap_or_else(|| of_the_process())
    }

    /// Returns the settings, unless they are still to be found out.
    #[inline]
    fn known_settings(&self) -> Option<&Shared> {
        self.settings.get().or_else(|| known_of_the_process())
    }

    /// Returns the properties of the event.
    pub(super) fn properties(&self) -> Option<Arc<Properties>> {
        self.lock().properties.clone()
    }

    /// Adds a property to what is written from now on.
    pub(super) fn set_property(&self, name: Text, value: Option<String>, problems: &mut Problems) {
        let mut state = self.lock();
        let properties = Arc::make_mut(state.properties.get_or_insert_default());
        let mut labels = Labels { dimensions: Vec::new(), properties: std::mem::take(properties) };
        labels.set_property(name, value, problems);
        *properties = labels.properties;
    }

    /// Writes what there is.
    pub(super) fn flush(&self) {
        self.flush_locked(self.lock());
    }

    fn flush_locked(&self, mut state: MutexGuard<'_, State>) {
        let Some(mut sets) = state.sets.take() else { return };
        let (properties, clock) = (state.properties.clone(), state.clock.take());
        let (has_ended, settings) = (state.has_ended, self.settings());
        drop(state);

        // Without the lock: a writer may measure, too.
        write(settings, &mut sets, properties.as_deref(), clock.as_ref());

        let mut state = self.lock();
        if has_ended || state.sets.is_some() {
            settings.pool.put(sets);
        } else {
            (state.sets, state.clock) = (Some(sets), clock);
        }
    }

    /// Writes what there is, and from now on all that comes at once.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.has_ended = true;
        self.flush_locked(state);
    }
}

/// Writes the values of `sets`, and forgets these.
pub(super) fn write(
    settings: &Shared,
    sets: &mut Sets,
    properties: Option<&Properties>,
    clock: Option<&Clock>,
) {
    let mut problems = Problems::default();
    let properties = properties.map(Vec::as_slice).unwrap_or_default();
    let now = clock.unwrap_or(&settings.clock).now();
    sets.write(settings, properties, now, &mut problems);
    problems.report(&settings.reported);
}

impl Drop for Store {
    fn drop(&mut self) {
        self.end();
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
        match invocation.local_of_record() {
            Some(record) => Self::Record(record),
            None => Self::Event(invocation.local::<Store>().event()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::measure::counted;
    use crate::metrics::{Metrics, Namespace};

    fn settings() -> Shared {
        let metrics = Metrics::new().namespace(Namespace::from_static("Shop"));
        metrics.environment([("", "")]).writer(|_| {}).build().unwrap()
    }

    fn measured(settings: &Shared) -> Store {
        let store = Store::default();
        store.attach(settings);
        store.add(None, None, &mut counted("Orders".into(), &1), &mut Rest::default());
        store
    }

    #[test]
    fn an_invocation_leaves_its_memory_to_the_next_one() {
        let settings = settings();
        let store = measured(&settings);
        drop(store);
        assert!(settings.pool.take().knows_plain());
    }

    #[test]
    fn what_other_settings_describe_is_not_kept() {
        let (before, after) = (settings(), settings());
        let store = Store::default();
        store.attach(&after);
        *store.lock() = std::mem::take(&mut *measured(&before).lock());
        drop(store);
        assert!(!after.pool.take().knows_plain());
    }
}
