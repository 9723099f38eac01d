use std::borrow::Cow;

use serde::Serialize;

use super::state::{Changing, State};
use crate::invocation::Invocation;

/// Adds a key to all further lines of the current invocation.
///
/// It ends with the invocation, and in the handler of a record with that record. An existing key
/// receives the new value, and a [reserved name](super#reserved-names) an underscore. A field of an event or span takes precedence over it, and it over a
/// [key of the process](super::Logging::key).
///
/// Outside an invocation, and with a value that cannot be written as JSON, nothing happens.
///
/// ```
/// use powertools::{logging, testing};
///
/// testing::invocation().build().sync_scope(|| {
///     logging::append("order_id", 7);
///     tracing::info!("accepted"); // …,"order_id":7}
/// });
/// ```
pub fn append(name: impl Into<Cow<'static, str>>, value: impl Serialize) {
    let name = name.into();
    with_json(&value, |state, value| state.appended.set(name, Some(value)));
}

/// Removes a key that [`append`] added for the same invocation or record.
pub fn remove(name: &str) {
    Invocation::with_current(|invocation| {
        invocation.record_local::<State>().lock().appended.set(Cow::Owned(name.to_owned()), None);
    });
}

/// Adds a key to the lines of the current invocation, or record, until the guard is dropped, which
/// restores the previous value. Of several guards for one key the last one counts, and they can be
/// dropped in any order.
///
/// Everything that works for the invocation or record writes the key meanwhile. For a key of one of
/// several concurrent tasks use a span: its fields are on the lines inside it.
///
/// ```
/// use powertools::{logging, testing};
///
/// testing::invocation().build().sync_scope(|| {
///     let guard = logging::append_scoped("step", "payment");
///     tracing::info!("started"); // …,"step":"payment"}
///     drop(guard);
///     tracing::info!("done"); // without it
/// });
/// ```
#[must_use = "the key is removed when this is dropped"]
pub fn append_scoped(name: impl Into<Cow<'static, str>>, value: impl Serialize) -> KeyGuard {
    let name = name.into();
    let entered = with_json(&value, |state, value| state.appended.enter(name.clone(), value));
    let set = entered.and_then(|guard| Some((Invocation::current()?, guard)));
    KeyGuard { name, set }
}

/// Calls `f` with the state of the current invocation and a value as JSON, if there are both.
fn with_json<T>(value: &impl Serialize, f: impl FnOnce(&mut Changing, String) -> T) -> Option<T> {
    // Before the lock is taken: this is code of the user.
    let value = serde_json::to_string(value).ok()?;
    Invocation::with_current(|invocation| f(&mut invocation.record_local::<State>().lock(), value))
}

/// Removes a key when it is dropped. Created by [`append_scoped`].
#[derive(Debug)]
#[must_use = "the key is removed when this is dropped"]
pub struct KeyGuard {
    name: Cow<'static, str>,
    /// Where it is set, and as which one.
    set: Option<(Invocation, u64)>,
}

impl Drop for KeyGuard {
    fn drop(&mut self) {
        if let Some((invocation, guard)) = &self.set {
            let name = std::mem::take(&mut self.name);
            invocation.record_local::<State>().lock().appended.leave(name, *guard);
        }
    }
}

/// Sets `correlation_id` for the current invocation, or in the handler of a record for that record.
///
/// An id longer than 256 bytes is truncated: it is on every line, and callers often choose it.
///
/// Outside an invocation it has no effect.
///
/// ```
/// use powertools::{logging, testing};
///
/// testing::invocation().build().sync_scope(|| {
///     logging::set_correlation_id("8476a536");
///     tracing::info!("accepted"); // …,"correlation_id":"8476a536",…
/// });
/// ```
pub fn set_correlation_id(id: impl Into<String>) {
    let id = id.into();
    Invocation::with_current(|invocation| {
        invocation.record_local::<State>().lock().set_correlation_id(id);
    });
}
