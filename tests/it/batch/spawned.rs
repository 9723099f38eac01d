//! Records in tasks of their own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Barrier};
use std::time::{Duration, SystemTime};

use powertools::Invocation;
use powertools::batch::{self, Message, RecordError};
use powertools::idempotency::{Idempotency, MemoryStore};
use powertools::testing::{self, ManualClock};

use super::{fifo, messages, outcomes, reported};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_block_their_thread_run_at_the_same_time() {
    let both = Arc::new(Barrier::new(2));
    let handler = move |_: Message<u64>| {
        let both = both.clone();
        async move {
            // Returns only if the other one is in another thread.
            both.wait();
            Ok::<_, RecordError>(())
        }
    };
    let report = batch::sqs(messages(4)).concurrency(2).run_spawned(handler).await;
    assert_eq!(outcomes(&report), "ssss");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_has_the_scope_of_its_record() {
    let handler = async |n: Message<u64>| {
        let current = Invocation::current().expect("it is carried");
        let record = current.record().expect("it is carried").identifier;
        tokio::task::yield_now().await;
        assert_eq!(record, format!("m-{}", n.body));
        assert_eq!(current.record_local::<AtomicUsize>().fetch_add(1, Ordering::Relaxed), 0);
        Ok::<_, RecordError>(())
    };
    let work = batch::sqs(messages(20)).concurrency(4).run_spawned(handler);
    let report = testing::invocation().build().scope(work).await;
    assert!(report.is_done(), "{report:?}");
}

#[tokio::test]
async fn a_panic_of_a_task_is_the_failure_of_its_record() {
    let handler = async |n: Message<u64>| {
        assert_ne!(n.body, 1, "as it is written");
        Ok::<_, RecordError>(())
    };
    let report = batch::sqs(messages(3)).concurrency(3).run_spawned(handler).await;
    assert_eq!(outcomes(&report), "sfs");
    let error = report.records().nth(1).unwrap().1.error().unwrap().to_string();
    assert!(error.starts_with("the record handler panicked"), "{error}");
    assert!(error.contains("as it is written"), "{error}");
}

#[tokio::test]
async fn tasks_of_a_group_run_one_after_another() {
    let running = Arc::new(AtomicUsize::new(0));
    let handler = move |_: Message<String>| {
        let running = running.clone();
        async move {
            assert_eq!(running.fetch_add(1, Ordering::Relaxed), 0);
            tokio::task::yield_now().await;
            running.fetch_sub(1, Ordering::Relaxed);
            Ok::<_, RecordError>(())
        }
    };
    let report = batch::sqs(fifo("a1 a2 a3")).concurrency(3).run_spawned(handler).await;
    assert_eq!(outcomes(&report), "sss");
}

#[tokio::test(start_paused = true)]
async fn a_task_is_aborted_where_the_time_runs_out() {
    let (ended, is_ended) = mpsc::channel::<()>();
    let handler = move |n: Message<u64>| {
        let ended = ended.clone();
        async move {
            if n.body == 1 {
                std::future::pending::<()>().await;
            }
            drop(ended);
            Ok::<_, RecordError>(())
        }
    };
    let clock = ManualClock::following_tokio(SystemTime::UNIX_EPOCH + 1_000_000 * SECOND);
    let invocation = testing::invocation().clock(&clock).remaining(10 * SECOND).build();
    let work = batch::sqs(messages(3)).concurrency(2).run_spawned(handler);
    let report = invocation.scope(work).await;
    assert_eq!(outcomes(&report), "scs");
    assert_eq!(reported(report), ["m-1"]);
    tokio::task::yield_now().await;
    // The future of the task, which has a sender, is dropped.
    assert_eq!(is_ended.try_recv(), Err(mpsc::TryRecvError::Disconnected));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reply_does_not_wait_for_a_task_that_blocks_its_thread() {
    let (release, blocked) = mpsc::channel::<()>();
    let blocked = Arc::new(std::sync::Mutex::new(blocked));
    let handler = move |_: Message<u64>| {
        let blocked = blocked.clone();
        async move {
            let _ = blocked.lock().unwrap().recv();
            Ok::<_, RecordError>(())
        }
    };
    let invocation = testing::invocation().remaining(Duration::from_millis(400)).build();
    let work = batch::sqs(messages(1)).run_spawned(handler);
    let report = tokio::spawn(invocation.scope(work)).await.unwrap();
    assert_eq!(outcomes(&report), "c");
    drop(release);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idempotent_records_run_once_in_their_tasks() {
    let idempotency = Idempotency::new(MemoryStore::new()).unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    for _ in 0..2 {
        let counted = count.clone();
        let handler = move |_: Message<u64>| {
            let counted = counted.clone();
            async move {
                counted.fetch_add(1, Ordering::Relaxed);
                Ok::<_, RecordError>(())
            }
        };
        let batch = batch::sqs(messages(8)).concurrency(4);
        let batch = batch
            .idempotent(idempotency.clone(), "count", |work, n: &Message<u64>| work.key(&n.body));
        let work = batch.run_spawned(handler);
        let report = testing::invocation().build().scope(work).await;
        assert!(report.is_done(), "{report:?}");
    }
    assert_eq!(count.load(Ordering::Relaxed), 8);
}
