//! What a job does in one event, in paused time.

use std::cell::{Cell, RefCell};

use futures_util::future::join;
use powertools::events::NaturalKey;
use powertools::idempotency::{
    Builder, Error, Idempotency, Json, Key, OnSaveFailure, Status, StoreErrorKind,
};
use powertools::testing::ManualClock;
use powertools::{Deadline, Invocation};
use powertools_tests::faulty::{Fault, FaultyStore, Op};
use tokio::time::{advance, sleep};

use super::{Duration, SECOND, clock, event};

/// A job of ten steps of a second each.
struct Job {
    clock: ManualClock,
    store: FaultyStore,
    idempotency: Idempotency<FaultyStore>,
    /// The steps that were done.
    done: RefCell<Vec<u32>>,
    /// What was handed on.
    sent: RefCell<Vec<(u32, Option<Key>)>>,
    /// How many hand-overs fail before the others succeed.
    failures: Cell<u32>,
}

impl Job {
    fn new(store: FaultyStore) -> Self {
        Self::with(store, |builder| builder)
    }

    fn with(
        store: FaultyStore,
        options: impl FnOnce(Builder<FaultyStore>) -> Builder<FaultyStore>,
    ) -> Self {
        let idempotency = options(Idempotency::builder(store.clone())).build().unwrap();
        Self {
            clock: clock(),
            store,
            idempotency,
            done: RefCell::default(),
            sent: RefCell::default(),
            failures: Cell::new(0),
        }
    }

    /// Runs the job in the current invocation.
    async fn run(&self, from: u32, estimate: Duration) -> Result<Option<u32>, Error> {
        self.idempotency
            .operation("job")
            .continue_later(
                "job-7",
                from,
                estimate,
                async |number| {
                    sleep(SECOND).await;
                    self.done.borrow_mut().push(number);
                    Ok((number < 9).then_some(number + 1))
                },
                async |rest| {
                    if self.failures.get() > 0 {
                        self.failures.set(self.failures.get() - 1);
                        return Err(Error::Config("the queue is down".to_owned()));
                    }
                    self.sent.borrow_mut().push((rest.cursor, rest.key));
                    Ok(())
                },
            )
            .await
    }

    /// Runs the job in an event of ten seconds.
    async fn event(&self, from: u32) -> Result<Option<u32>, Error> {
        event(&self.clock).scope(self.run(from, 3 * SECOND)).await
    }

    fn sent(&self) -> Vec<u32> {
        self.sent.borrow().iter().map(|(cursor, _)| *cursor).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn steps_begin_while_the_estimate_remains_and_the_rest_is_handed_over() {
    let job = Job::new(FaultyStore::new());
    // Half a second is kept for the record: after seven steps, less than three seconds remain.
    assert_eq!(job.event(0).await.unwrap(), Some(7));
    assert_eq!((&job.done.borrow()[..], job.sent()), (&[0, 1, 2, 3, 4, 5, 6][..], vec![7]));
    assert_eq!(job.event(7).await.unwrap(), None);
    assert_eq!((&job.done.borrow()[7..], job.sent()), (&[7, 8, 9][..], vec![7]));
}

#[tokio::test(start_paused = true)]
async fn without_an_invocation_there_is_time_for_all_steps() {
    let job = Job::new(FaultyStore::new());
    assert_eq!(job.run(0, 3600 * SECOND).await.unwrap(), None);
    assert_eq!((job.done.borrow().len(), job.sent()), (10, vec![]));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_delivered_twice_does_its_steps_once_and_hands_over_once() {
    let job = Job::new(FaultyStore::new());
    for _ in 0..2 {
        assert_eq!(job.event(0).await.unwrap(), Some(7));
        assert_eq!(job.event(7).await.unwrap(), None);
    }
    assert_eq!((job.done.borrow().len(), job.sent()), (10, vec![7]));

    let job = Job::new(FaultyStore::new());
    let (one, two) = join(job.event(0), job.event(0)).await;
    assert_eq!(one.unwrap(), Some(7));
    assert_eq!(two.unwrap_err().error_type(), "Powertools.IdempotencyInProgress");
    assert_eq!((job.done.borrow().len(), job.sent()), (7, vec![7]));
}

#[tokio::test(start_paused = true)]
async fn a_hand_over_that_fails_is_repeated_without_the_steps() {
    let job = Job::new(FaultyStore::new());
    job.failures.set(2);
    for _ in 0..2 {
        let error = job.event(0).await.unwrap_err();
        assert!(error.to_string().ends_with("the queue is down"), "unchanged: {error}");
    }
    assert_eq!(job.event(0).await.unwrap(), Some(7));
    assert_eq!((job.done.borrow().len(), job.sent()), (7, vec![7]));
}

/// What was sent before the process died is sent again, and is the same, though a second attempt at the steps
/// would come further.
#[tokio::test(start_paused = true)]
async fn a_rest_that_is_sent_twice_is_the_same() {
    // The second record is lost: that the rest was sent.
    let store =
        FaultyStore::new().fault(Op::Complete, Fault::None).fault(Op::Complete, Fault::Hang);
    let job = Job::new(store);
    let error = job.event(0).await.unwrap_err();
    assert_eq!(error.error_type(), "Powertools.IdempotencyNotSaved");
    assert_eq!(job.sent(), [7]);

    // After the end of the lease.
    advance(20 * SECOND).await;
    assert_eq!(event(&job.clock).scope(job.run(0, SECOND)).await.unwrap(), Some(7));
    assert_eq!((job.done.borrow().len(), job.sent()), (7, vec![7, 7]));
    let keys: Vec<_> = job.sent.borrow().iter().map(|(_, key)| key.clone()).collect();
    assert_eq!(keys[0], keys[1], "a FIFO queue drops the second one");
    // The event arrives twice, and is handled once.
    assert_eq!(job.event(7).await.unwrap(), None);
    assert_eq!(job.event(7).await.unwrap(), None);
    assert_eq!(job.done.borrow().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_before_its_cursor_is_recorded() {
    let store = FaultyStore::new().fault(Op::Complete, Fault::Fail(StoreErrorKind::Invalid));
    let job = Job::new(store);
    let error = job.event(0).await.unwrap_err();
    assert_eq!(error.error_type(), "Powertools.IdempotencyNotSaved");
    assert_eq!(job.sent(), [0; 0]);
}

/// What the options say about results is not meant for cursors.
#[tokio::test(start_paused = true)]
async fn the_rest_is_recorded_and_replayed_as_it_is_whatever_the_options_are() {
    let job = Job::with(FaultyStore::new(), |builder| builder.keep_if(|_| false));
    for _ in 0..2 {
        assert_eq!(job.event(0).await.unwrap(), Some(7));
        assert_eq!(job.event(7).await.unwrap(), None);
    }
    assert_eq!((job.done.borrow().len(), job.sent()), (10, vec![7]));

    let hook = |_, _: &_| "8".parse::<Json>().unwrap();
    let job = Job::with(FaultyStore::new(), |builder| builder.response_hook(hook));
    job.failures.set(1);
    assert!(job.event(0).await.is_err());
    assert_eq!(job.event(0).await.unwrap(), Some(7));
    assert_eq!((job.done.borrow().len(), job.sent()), (7, vec![7]));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_without_its_record_though_results_may_be_unsaved() {
    let store = FaultyStore::new().fault(Op::Complete, Fault::Fail(StoreErrorKind::Invalid));
    let returns = |builder: Builder<_>| builder.on_save_failure(OnSaveFailure::ReturnResult);
    let job = Job::with(store, returns);
    let error = job.event(0).await.unwrap_err();
    assert_eq!(error.error_type(), "Powertools.IdempotencyNotSaved");
    assert_eq!(job.sent(), [0; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_cannot_be_stored_is_an_error_of_its_own_and_nothing_is_sent() {
    let steps = Cell::new(0);
    let idempotency = Idempotency::builder(FaultyStore::new()).key_prefix("shop").build().unwrap();
    let clock = clock();
    for _ in 0..2 {
        let job = idempotency.operation("job").continue_later(
            "job-7",
            String::new(),
            9 * SECOND,
            async |_| {
                steps.set(steps.get() + 1);
                sleep(SECOND).await;
                Ok(Some("x".repeat(400 << 10)))
            },
            async |_| panic!("there is nothing to hand over"),
        );
        let error: Error = event(&clock).scope(job).await.unwrap_err();
        assert_eq!(error.error_type(), "Powertools.IdempotencyCursorNotStored");
        let message = error.to_string();
        let start = "the steps of shop.job are done, but their cursor cannot be stored: ";
        assert!(message.starts_with(start), "{message}");
        assert!(!error.is_retryable());
    }
    assert_eq!(steps.get(), 1, "another delivery does not repeat it");
}

/// A job of one step each event, of which the first one hangs, and a hand-over that hangs at first.
#[tokio::test(start_paused = true)]
async fn a_fallback_is_neither_a_step_nor_a_hand_over() {
    let idempotency = Idempotency::new(FaultyStore::new()).unwrap();
    let clock = clock();
    let [steps, hand_overs, sent] = [Cell::new(0), Cell::new(0), Cell::new(0)];
    let run = async || {
        let step = async |number: u32| {
            steps.set(steps.get() + 1);
            let takes = if steps.get() == 1 { Duration::MAX } else { SECOND };
            let next = async {
                sleep(takes).await;
                Ok(Some(number + 1))
            };
            Deadline::current().run_or(2 * SECOND, next, |_| Ok(Some(99))).await
        };
        let hand_over = async |_| {
            hand_overs.set(hand_overs.get() + 1);
            let takes = if hand_overs.get() == 1 { Duration::MAX } else { SECOND };
            let send = async {
                sleep(takes).await;
                sent.set(sent.get() + 1);
                Ok(())
            };
            Deadline::current().run_or(2 * SECOND, send, |_| Ok(())).await
        };
        let job = idempotency.operation("job");
        let job = job.continue_later("job-7", 0, 9 * SECOND, step, hand_over);
        event(&clock).scope(job).await
    };
    for counts in [(1, 0), (2, 1)] {
        let error: Error = run().await.unwrap_err();
        assert_eq!(error.error_type(), "Powertools.IdempotencyFallback");
        assert!(error.is_retryable());
        assert_eq!((steps.get(), hand_overs.get()), counts);
    }
    assert_eq!(run().await.unwrap(), Some(1));
    assert_eq!((steps.get(), hand_overs.get(), sent.get()), (2, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_step_can_declare_that_its_fallback_is_good_enough() {
    let idempotency = Idempotency::new(FaultyStore::new()).unwrap();
    let step = async |number: u32| {
        let price = std::future::pending::<Result<u32, Error>>();
        let price = Deadline::current().run_or(5 * SECOND, price, |_| Ok(10)).await?;
        Invocation::interruption_handled();
        Ok::<_, Error>((number < 10).then_some(price))
    };
    let sent = Cell::new(0);
    let hand_over = async |rest: powertools::idempotency::Continuation<u32>| {
        sent.set(rest.cursor);
        Ok(())
    };
    let job = idempotency.operation("job").continue_later("j", 0, 9 * SECOND, step, hand_over);
    assert_eq!(event(&clock()).scope(job).await.unwrap(), Some(10));
    assert_eq!(sent.get(), 10);
}

#[tokio::test(start_paused = true)]
async fn an_event_without_time_for_a_step_does_nothing() {
    let job = Job::new(FaultyStore::new());
    let error = event(&job.clock).scope(job.run(0, 11 * SECOND)).await.unwrap_err();
    assert_eq!(error.error_type(), "Powertools.IdempotencyNoTime");
    assert!(error.is_retryable());
    assert_eq!(job.store.calls(), [], "it claims nothing");
    assert_eq!((job.done.borrow().len(), job.sent()), (0, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_step_that_does_not_advance_is_an_error() {
    let store = FaultyStore::new();
    let idempotency = Idempotency::builder(store.clone()).key_prefix("shop").build().unwrap();
    let job = idempotency.operation("job").continue_later(
        "job-7",
        0,
        SECOND,
        async |number| Ok(Some(if number == 2 { 2 } else { number + 1 })),
        async |_| panic!("there is nothing to hand over"),
    );
    let error: Error = event(&clock()).scope(job).await.unwrap_err();
    assert_eq!(error.error_type(), "Powertools.IdempotencyNoProgress");
    assert_eq!(error.to_string(), "shop.job makes no progress: a step returned its own cursor");
    assert!(!error.is_retryable());
    assert!(store.records().snapshot().is_empty(), "its claim was released");
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_step_is_returned_and_its_event_begins_again() {
    let idempotency = Idempotency::new(FaultyStore::new()).unwrap();
    let seen = RefCell::new(Vec::new());
    let run = async |fails: bool| {
        let step = async |number: u32| {
            seen.borrow_mut().push(number);
            if fails && number == 1 {
                return Err(Error::Config("the partner is down".to_owned()));
            }
            Ok((number < 2).then_some(number + 1))
        };
        let hand_over = async |_| Ok(());
        let job = idempotency.operation("job");
        event(&clock()).scope(job.continue_later("j", 0, SECOND, step, hand_over)).await
    };
    assert!(run(true).await.unwrap_err().to_string().ends_with("the partner is down"));
    assert_eq!(run(false).await.unwrap(), None);
    assert_eq!(*seen.borrow(), [0, 1, 0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_cursor_can_be_absent_and_a_job_cannot() {
    let idempotency = Idempotency::new(FaultyStore::new()).unwrap();
    let pages = async |job: NaturalKey| {
        let step = async |token: Option<String>| {
            let next = match token.as_deref() {
                None => Some("b"),
                Some("b") => Some("c"),
                Some(_) => None,
            };
            Ok::<_, Error>(next.map(|token| Some(token.to_owned())))
        };
        let hand_over = async |_| Ok(());
        let operation = idempotency.operation("pages");
        operation.continue_later(&job, None, Duration::MAX, step, hand_over).await
    };
    assert_eq!(pages(NaturalKey::new([Some("night-1")])).await.unwrap(), None);
    let error = pages(NaturalKey::absent()).await.unwrap_err();
    assert_eq!(error.error_type(), "Powertools.IdempotencyKeyMissing");
}

#[tokio::test(start_paused = true)]
async fn the_key_of_a_continuation_belongs_to_its_event_and_suits_a_fifo_queue() {
    let job = Job::new(FaultyStore::new());
    for from in [0, 1, 2] {
        job.event(from).await.unwrap();
    }
    let sent = job.sent.borrow();
    let keys: Vec<_> = sent.iter().map(|(_, key)| key.as_ref().unwrap().to_string()).collect();
    for (index, key) in keys.iter().enumerate() {
        assert!(!keys[..index].contains(key), "{keys:?}");
        assert!(key.len() <= 128 && key.chars().all(|char| char.is_ascii_graphic()), "{key}");
    }
    let complete = |(_, record): &(String, _)| {
        let record: &powertools::idempotency::Record = record;
        record.status == Status::Completed
    };
    let records = job.store.records().snapshot();
    assert_eq!(records.iter().filter(|record| complete(record)).count(), 6, "two for each event");
}
