//! The rules of `SyncInitOnce`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use lambda_runtime::Error;
use powertools::init::{self, SyncInitOnce};

#[test]
fn many_threads_at_once_make_one_value() {
    let (cell, made) = (SyncInitOnce::new(), AtomicU32::new(0));
    let make = || {
        thread::yield_now();
        Ok::<_, Error>(made.fetch_add(1, Ordering::SeqCst) + 1)
    };
    thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| assert_eq!(*cell.get_or_try_init(make).unwrap(), 1));
        }
    });
    assert_eq!(made.into_inner(), 1);
}

#[test]
fn a_failure_is_not_kept() {
    let cell = SyncInitOnce::new();
    let failure = cell.get_or_try_init(|| Err::<u32, Error>("no".into()));
    assert_eq!(failure.unwrap_err().to_string(), "no");
    assert_eq!(cell.get(), None);
    assert_eq!(*cell.get_or_try_init(|| Ok::<_, Error>(7)).unwrap(), 7);
    assert_eq!(cell.get(), Some(&7));
}

#[test]
fn a_panic_poisons_nothing() {
    let cell = SyncInitOnce::new();
    let panics = || cell.get_or_try_init(|| -> Result<u32, Error> { panic!("in the making") });
    catch_unwind(AssertUnwindSafe(panics)).unwrap_err();
    assert_eq!(*cell.get_or_try_init(|| Ok::<_, Error>(7)).unwrap(), 7);
}

#[test]
fn a_value_that_needs_itself_is_an_error() {
    static SNAKE: SyncInitOnce<u32> = SyncInitOnce::new();
    fn snake() -> Result<u32, Error> {
        SNAKE.get_or_try_init(snake).copied()
    }
    let error = snake().unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(init::Error::Reentrant)), "{error}");
}
