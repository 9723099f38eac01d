//! The keys that are appended to one invocation.

use std::borrow::Cow;
use std::mem;

use super::super::line::fields::Fields;
use super::super::line::format::Style;
use super::super::line::keys;

#[derive(Default)]
pub(in crate::logging) struct Appended {
    keys: Vec<Key>,
    /// The keys as they are written in a line, except for those that have changed since.
    written: Fields,
    /// True if a key has changed.
    changed: bool,
    /// The number of guards so far.
    guards: u64,
}

struct Key {
    /// As it is written in the line.
    name: Cow<'static, str>,
    /// JSON, or `None` if the key was removed.
    value: Option<String>,
    /// What guards put over it, each with its number; the last one counts.
    scoped: Vec<(u64, Option<String>)>,
    changed: bool,
}

impl Key {
    fn value(&self) -> Option<&str> {
        self.scoped.last().map_or(&self.value, |(_, value)| value).as_deref()
    }

    fn set(&mut self, value: Option<String>) {
        *self.scoped.last_mut().map_or(&mut self.value, |(_, value)| value) = value;
    }

    /// False if it was taken away, and no guard will bring it back.
    fn is_used(&self) -> bool {
        self.value.is_some() || !self.scoped.is_empty()
    }
}

impl Appended {
    /// Sets the value of a key, or takes the key away.
    pub(in crate::logging) fn set(&mut self, name: Cow<'static, str>, value: Option<String>) {
        self.change(name, |key| key.set(value));
    }

    /// Sets the value of a key until [`leave`](Self::leave) is called with the number that this
    /// returns.
    pub(in crate::logging) fn enter(&mut self, name: Cow<'static, str>, value: String) -> u64 {
        self.guards += 1;
        let guard = self.guards;
        self.change(name, |key| key.scoped.push((guard, Some(value))));
        guard
    }

    /// Takes away what a guard has set. Guards can leave in any order.
    pub(in crate::logging) fn leave(&mut self, name: Cow<'static, str>, guard: u64) {
        self.change(name, |key| key.scoped.retain(|(scoped, _)| *scoped != guard));
    }

    fn change(&mut self, name: Cow<'static, str>, change: impl FnOnce(&mut Key)) {
        let name = keys::free(name);
        let at = self.keys.iter().position(|key| key.name == name).unwrap_or_else(|| {
            self.keys.push(Key { name, value: None, scoped: Vec::new(), changed: false });
            self.keys.len() - 1
        });
        let key = &mut self.keys[at];
        change(key);
        key.changed = true;
        self.changed = true;
        if !key.is_used() && !self.written.contains(&key.name) {
            self.keys.remove(at);
        }
    }

    /// Returns true if there are no keys.
    pub(in crate::logging) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Returns the keys as they are written in a line. Only changed ones are written again.
    pub(in crate::logging) fn fields(&mut self, style: &Style<'_>) -> &Fields {
        if mem::take(&mut self.changed) {
            for key in self.keys.iter_mut().filter(|key| key.changed) {
                key.changed = false;
                match key.value() {
                    Some(value) => self.written.put_json(key.name.clone(), style, value),
                    None => self.written.take_away(&key.name),
                }
            }
            self.keys.retain(Key::is_used);
        }
        &self.written
    }
}
