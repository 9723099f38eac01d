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
    /// `T::default()` may log, and may need values of other types. If several threads are the first at the
    /// same time, each creates a value, and that of one of them stays.
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
        if let Some(value) = self.get() {
            return value;
        }
        // Before a place is taken: this is code of the user, which may add a value itself.
        let value = Box::new(T::default());
        let mut new = Some(Box::new(Local { value, next: Locals::default() }));
        let mut locals = self;
        loop {
            let local = locals.0.get_or_init(|| new.take().expect("it is put into one place"));
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
    use std::sync::{Barrier, Mutex, mpsc};
    use std::time::Duration;
    use std::{ptr, thread};

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

    /// What does not come within this time never comes: a thread waits for itself, or for another one.
    const LONG: Duration = Duration::from_secs(10);

    /// A value that needs another one, which is new as well.
    struct Dependent(u32);

    impl Default for Dependent {
        fn default() -> Self {
            let invocation = Invocation::current().unwrap();
            let mut count = invocation.local::<Mutex<u32>>().lock().unwrap();
            *count += 1;
            Self(*count)
        }
    }

    #[test]
    fn a_value_is_created_with_the_help_of_another_one() {
        let (sender, created) = mpsc::channel();
        thread::spawn(move || {
            let invocation = Invocation::new(&Default::default());
            invocation.clone().sync_scope(|| {
                let values = [(); 2].map(|()| invocation.local::<Dependent>().0);
                sender.send((values, *invocation.local::<Mutex<u32>>().lock().unwrap())).unwrap();
            });
        });
        assert_eq!(created.recv_timeout(LONG), Ok(([1, 1], 1)));
    }

    /// A value that two threads create at the same time.
    struct Raced;

    static BOTH: Barrier = Barrier::new(2);

    impl Default for Raced {
        fn default() -> Self {
            BOTH.wait();
            Self
        }
    }

    #[test]
    fn of_values_that_are_created_at_the_same_time_one_stays() {
        let invocation = Invocation::new(&Default::default());
        let (sender, created) = mpsc::channel();
        for _ in 0..2 {
            let (invocation, sender) = (invocation.clone(), sender.clone());
            thread::spawn(move || {
                sender.send(ptr::from_ref(invocation.local::<Raced>()).addr()).unwrap();
            });
        }
        let [one, other] = [(); 2].map(|()| created.recv_timeout(LONG));
        assert!(one.is_ok());
        assert_eq!(one, other);
    }

    #[test]
    fn is_shared_with_a_shorter_limit_of_the_same_event() {
        let invocation = Invocation::new(&Default::default());
        let _ = invocation.local::<Mutex<u32>>();
        let shorter = invocation.reserving(Duration::from_secs(1));
        *shorter.local::<Mutex<u32>>().lock().unwrap() = 7;
        assert_eq!(*invocation.local::<Mutex<u32>>().lock().unwrap(), 7);
    }
}
