use std::any::Any;
use std::fmt;
use std::iter::successors;
use std::sync::OnceLock;

use super::Invocation;

/// Values of different types, each initialised once: a list that only grows, so that reading takes no
/// lock.
#[derive(Default)]
pub(super) struct Locals(OnceLock<Box<Local>>);

struct Local {
    value: Box<dyn Any + Send + Sync>,
    next: Locals,
}

impl Invocation {
    /// Returns the value of type `T` that belongs to this event, created by `T::default()` when it
    /// is first used.
    ///
    /// This is the place for state of one event: everything that works for the event
    /// gets the same value, including tasks that [`carry`](Self::carry) it, and no other event does.
    /// A value that changes needs a lock or atomics inside.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// use powertools::Invocation;
    ///
    /// #[derive(Default)]
    /// struct Retries(AtomicU32);
    ///
    /// let invocation = Invocation::new(&lambda_runtime::Context::default());
    /// invocation.local::<Retries>().0.fetch_add(1, Ordering::Relaxed);
    /// assert_eq!(invocation.clone().local::<Retries>().0.load(Ordering::Relaxed), 1);
    /// ```
    ///
    /// It is the event's also in the handler of a record; [`record_local`](Self::record_local) is the
    /// record's own.
    #[must_use]
    pub fn local<T: Default + Send + Sync + 'static>(&self) -> &T {
        self.event().locals.get_or_default()
    }
}

impl Locals {
    /// Returns the value of type `T`, created now if there is none.
    pub(super) fn get_or_default<T: Default + Send + Sync + 'static>(&self) -> &T {
        let mut locals = self;
        loop {
            let local = locals.0.get_or_init(|| {
                let value = Box::new(T::default());
                Box::new(Local { value, next: Locals::default() })
            });
            match local.value.downcast_ref() {
                Some(value) => return value,
                None => locals = &local.next,
            }
        }
    }

    /// Returns the value of type `T`, if there is one.
    pub(super) fn get<T: 'static>(&self) -> Option<&T> {
        let values = successors(self.0.get(), |local| local.next.0.get());
        values.filter_map(|local| local.value.downcast_ref()).next()
    }
}

impl fmt::Debug for Locals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Locals")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn each_event_has_one_value_of_each_type() {
        let one = Invocation::new(&Default::default());
        let other = Invocation::new(&Default::default());

        one.local::<Mutex<String>>().lock().unwrap().push('a');
        one.local::<Mutex<Vec<u8>>>().lock().unwrap().push(1);

        assert_eq!(*one.local::<Mutex<String>>().lock().unwrap(), "a");
        assert_eq!(*one.local::<Mutex<Vec<u8>>>().lock().unwrap(), [1]);
        assert_eq!(*other.local::<Mutex<String>>().lock().unwrap(), "");
    }

    #[test]
    fn is_shared_with_a_shorter_limit_of_the_same_event() {
        let invocation = Invocation::new(&Default::default());
        let _ = invocation.local::<Mutex<u32>>();
        let shorter = invocation.reserving(std::time::Duration::from_secs(1));
        *shorter.local::<Mutex<u32>>().lock().unwrap() = 7;
        assert_eq!(*invocation.local::<Mutex<u32>>().lock().unwrap(), 7);
    }
}
