//! Jobs on the real runtime, with failures, duplicates, timeouts and kills.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::idempotency::{Idempotency, MemoryStore};
use powertools::testing::{Event, FakeRuntime, FunctionProcess, Outcome};
use powertools_tests::emulators::Emulator;
use powertools_tests::items;
use serde::Deserialize;
use serde_json::json;
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::{MILLI, SECOND};

/// How many steps a job has.
const STEPS: u64 = 60;

#[derive(Deserialize)]
struct Job {
    id: String,
    #[serde(default)]
    cursor: u64,
}

#[tokio::test]
async fn a_job_goes_through_as_many_events_as_it_takes_and_does_each_step_once() {
    let done = Arc::new(Mutex::new(Vec::new()));
    let (queue, mut sent) = mpsc::unbounded_channel();
    // Each of these happens once.
    let [hangs, is_down] = [Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(true))];
    let idempotency = Idempotency::new(MemoryStore::new()).unwrap();
    let steps = done.clone();
    let handler = move |event: LambdaEvent<Job>| {
        let (idempotency, done, queue) = (idempotency.clone(), steps.clone(), queue.clone());
        let (hangs, is_down) = (hangs.clone(), is_down.clone());
        async move {
            let job = event.payload;
            let step = async |number: u64| {
                let step = async {
                    if number == 7 && hangs.swap(false, Ordering::Relaxed) {
                        pending::<()>().await;
                    }
                    sleep(40 * MILLI).await;
                    done.lock().unwrap().push(number);
                    Ok::<_, Error>((number + 1 < STEPS).then_some(number + 1))
                };
                idempotency.run("step", &(&job.id, number), step).await
            };
            let hand_over = async |rest: powertools::idempotency::Continuation<u64>| {
                if is_down.swap(false, Ordering::Relaxed) {
                    return Err("the queue is down".into());
                }
                Ok(queue.send(rest.cursor)?)
            };
            let operation = idempotency.operation("job");
            operation.continue_later(&job.id, job.cursor, 300 * MILLI, step, hand_over).await
        }
    };
    let lambda = FakeRuntime::new().timeout(3 * SECOND / 2);
    let _function = lambda.run(Powertools::new(handler).run());

    let mut failures = Vec::new();
    let mut chain = vec![0];
    while let Some(&cursor) = chain.last() {
        let event = json!({ "id": "job-7", "cursor": cursor });
        let next = loop {
            let outcome = lambda.invoke(event.clone()).await;
            match outcome.error_type() {
                None => break outcome.json::<Option<u64>>(),
                Some(name) => failures.push(name.to_owned()),
            }
        };
        // A duplicate of it has the same outcome, and sends nothing.
        assert_eq!(lambda.invoke(event).await.json::<Option<u64>>(), next);
        assert_eq!(sent.try_recv().ok(), next);
        assert!(sent.try_recv().is_err());
        match next {
            Some(next) => chain.push(next),
            None => break,
        }
    }
    assert!(chain.len() > 2 && chain.is_sorted_by(|a, b| a < b), "{chain:?}");
    assert_eq!(*done.lock().unwrap(), (0..STEPS).collect::<Vec<_>>());
    assert_eq!(failures, ["Powertools.IdempotencyOutOfTime", "HandlerError"]);
}

/// Each step takes 50 ms or more, 5 s in all. Before the last kill the function lives 2.6 s, and an event has one second
/// for steps: the job does not end without a rest, however fast the machine is.
const LONG_JOB: u64 = 100;

/// The function is killed again and again, wherever it is. What it wrote as sent is delivered, also twice.
#[tokio::test]
async fn at_any_kill_no_step_is_lost_and_no_job_forks() {
    let Some(emulator) = Emulator::first() else { return };
    let (records, effects) =
        (emulator.create_table(&["id"]).await, emulator.create_table(&["id"]).await);
    let lambda = FakeRuntime::new()
        .timeout(2 * SECOND)
        .env("ENDPOINT", emulator.endpoint())
        .env("TABLE", &records)
        .env("EFFECTS", &effects);
    let spawn = || lambda.spawn(Command::new(env!("CARGO_BIN_EXE_job"))).unwrap();

    let mut processes = vec![spawn()];
    let mut waiting = VecDeque::from([0]);
    let (mut kills, mut read) = (0, 0);
    while let Some(cursor) = waiting.pop_front() {
        let event = Event::new(json!({ "id": "job-7", "cursor": cursor, "steps": LONG_JOB }));
        let outcome = lambda.send(event);
        // At another moment of its work each time.
        let life = (250 + 173 * kills % 500) * MILLI;
        let outcome = tokio::select! {
            outcome = outcome.outcome() => outcome,
            () = sleep(life), if kills < 6 => {
                processes.last().unwrap().kill().await;
                kills += 1;
                processes.push(spawn());
                outcome.outcome().await
            }
        };
        match outcome {
            Outcome::Response(_) => {}
            _ => {
                // As Lambda does, after a while.
                sleep(300 * MILLI).await;
                waiting.push_back(cursor);
            }
        }
        let sent: Vec<_> = sent(&processes).collect();
        waiting.extend(sent[read..].iter().map(|(_, to)| *to));
        read = sent.len();
    }
    assert!(kills > 2, "it was killed at work: {kills}");

    let effects = items::all(&emulator.client(), &effects).await;
    let steps: BTreeSet<u64> = effects
        .iter()
        .map(|effect| {
            assert_eq!(effect["count"]["N"], "1", "a step twice: {effect}");
            effect["id"]["S"].as_str().unwrap().parse().unwrap()
        })
        .collect();
    assert_eq!(steps, (0..LONG_JOB).collect(), "a step is lost");
    let mut chain: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    sent(&processes).for_each(|(from, to)| _ = chain.entry(from).or_default().insert(to));
    assert!(chain.values().all(|rests| rests.len() == 1), "it forks: {chain:?}");
    assert!(!chain.is_empty());
}

/// What the processes sent, as cursors: that of the event, and that of the rest.
fn sent(processes: &[FunctionProcess]) -> impl Iterator<Item = (u64, u64)> {
    let lines = processes.iter().flat_map(FunctionProcess::stdout);
    lines.filter_map(|line| {
        let (from, to) = line.strip_prefix("rest of ")?.split_once(": ")?;
        Some((from.parse().ok()?, to.parse().ok()?))
    })
}
