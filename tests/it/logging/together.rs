//! Lines that are written together: what writes them, and what a kill leaves.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use lambda_runtime::{Error, LambdaEvent, StreamResponse};
use powertools::batch::{self, Message, RecordError};
use powertools::events::SqsEvent;
use powertools::logging::{Logging, observe};
use powertools::parameters::{Fetched, Parameter, Parameters, Request, Source, SourceError};
use powertools::testing::{Event, FakeRuntime, events};
use powertools::{Deadline, Invocation, Powertools};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::oneshot;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt;

use super::{ask_each_time, invocation, logging, start};

const MILLI: Duration = Duration::from_millis(1);

fn together() -> Logging {
    logging().together(true)
}

/// Logs by these settings on this thread, until the guard is dropped. Returns what is written at a time.
fn start_writing(logging: Logging) -> (Receiver<String>, DefaultGuard) {
    ask_each_time();
    let (sender, written) = mpsc::channel();
    let logging = logging.writer(move |lines| {
        let _ = sender.send(String::from_utf8(lines.to_vec()).unwrap());
    });
    let subscriber = tracing_subscriber::registry().with(logging.layer().unwrap());
    (written, powertools_tests::subscriber::set_default(subscriber))
}

/// Returns the messages of the lines that were written, and how many writes these took.
fn messages(written: &Receiver<String>) -> (Vec<String>, usize) {
    let writes: Vec<_> = written.try_iter().collect();
    let lines = writes.iter().flat_map(|lines| lines.lines());
    let message = |line| {
        let line: Value = serde_json::from_str(line).expect(line);
        line["message"].as_str().expect("a string").to_owned()
    };
    (lines.map(message).collect(), writes.len())
}

#[tokio::test(start_paused = true)]
async fn lines_are_written_at_a_warning_when_a_guard_fires_and_at_the_end_of_the_handler() {
    let (lines, _guard) = start(together());
    let lines = &lines;
    let handler = async {
        tracing::info!("one");
        tracing::info!("two");
        tracing::warn!("three");
        assert_eq!(lines.messages(), ["one", "two", "three"]);

        tracing::info!("four");
        let late = std::future::pending::<Result<(), Error>>();
        Deadline::current().run(1_000 * MILLI, late).await.unwrap_err();
        assert_eq!(lines.messages(), ["four"]);

        tracing::info!("five");
        Ok::<_, Error>(())
    };
    let invocation = invocation().build();
    invocation
        .scope(async {
            observe(handler).await.unwrap();
            assert_eq!(lines.messages(), ["five"]);
            // Nothing else would write it.
            tracing::info!("six");
            assert_eq!(lines.messages(), ["six"]);
        })
        .await;
    tracing::info!("outside");
    assert_eq!(lines.messages(), ["outside"]);
}

#[tokio::test]
async fn lines_are_written_before_the_reply() {
    async fn handle(event: LambdaEvent<u64>) -> Result<(), Error> {
        tracing::info!("{}", event.payload);
        if event.payload.is_multiple_of(2) { Ok(()) } else { Err("odd".into()) }
    }
    let (lines, _guard) = start(together());
    let lambda = FakeRuntime::new();
    let function = lambda.run(Powertools::new(handle).logging(together()).run());
    for number in 0..10_u64 {
        lambda.send(Event::new(number)).outcome().await;
        assert_eq!(lines.messages()[0], number.to_string());
    }
    function.stop().await;
}

#[test]
fn lines_are_written_after_50_ms_while_the_handler_blocks_its_thread() {
    let (written, _guard) = start_writing(together());
    let handler = observe(async {
        let waits = (0..5).map(|_| {
            // Right after a write, so that it waits for as long as a line can.
            tracing::info!("before");
            let begun = Instant::now();
            let line = written.recv_timeout(10_000 * MILLI)?;
            assert!(line.contains(r#""message":"before""#), "{line}");
            Ok(begun.elapsed())
        });
        waits.collect::<Result<Vec<_>, Error>>()
    });
    let waits = invocation().build().scope(handler).now_or_never().expect("it blocks").unwrap();
    // The machine may stop the thread for longer, but not each time.
    assert!(waits.iter().min().unwrap() < &(75 * MILLI), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn the_writer_can_enter_an_invocation() {
    let (sender, written) = mpsc::channel();
    let logging = together().writer(move |lines| {
        let _ = invocation().build().sync_scope(|| sender.send(lines.len()));
    });
    ask_each_time();
    let subscriber = tracing_subscriber::registry().with(logging.layer().unwrap());
    let _guard = powertools_tests::subscriber::set_default(subscriber);
    let handler = observe(async {
        // More than is held.
        for number in 0..1_000 {
            tracing::info!(number, "line");
        }
        tracing::warn!("the last of them");
        assert!(written.try_iter().sum::<usize>() > 64 * 1024);

        // A value that does not come in time stops the work, and so writes what is held.
        tracing::info!("before");
        let late = Parameters::new().source(Hangs).scope(async { LATE.get().await.map(drop) });
        late.await.unwrap_err();
        assert_eq!(written.try_iter().count(), 1);
        Ok::<_, Error>(())
    });
    invocation().remaining(550 * MILLI).build().scope(handler).await.unwrap();
}

static LATE: Parameter<String> = Parameter::plain("/late");

/// A source that never answers.
#[derive(Debug)]
struct Hangs;

impl Source for Hangs {
    fn fetch<'a>(&'a self, _: &'a Request) -> BoxFuture<'a, Result<Fetched, SourceError>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn lines_of_a_task_that_outlives_its_handler_are_written_at_once() {
    let (written, _guard) = start_writing(together());
    let (release, released) = oneshot::channel::<()>();
    let (sender, has_logged) = oneshot::channel();
    let handover = Arc::new(Mutex::new(Some((released, sender))));
    let handle = move |_: LambdaEvent<Value>| {
        let (released, sender) = handover.lock().unwrap().take().expect("one event");
        let late = observe(async {
            tracing::info!("late");
            let _ = sender.send(());
            // Its end comes too late.
            std::future::pending::<Result<(), Error>>().await
        });
        tokio::spawn(Invocation::carry(async move {
            let _ = released.await;
            late.await
        }));
        async {
            tracing::info!("begun");
            Ok::<_, Error>(())
        }
    };
    let lambda = FakeRuntime::new();
    let function = lambda.run(Powertools::new(handle).logging(together()).run());
    lambda.send(Event::new(0)).outcome().await;
    assert_eq!(messages(&written).0, ["begun"]);
    release.send(()).unwrap();
    has_logged.await.unwrap();
    assert_eq!(messages(&written).0, ["late"]);
    function.stop().await;
}

type Pieces = BoxStream<'static, Result<&'static str, Error>>;

/// How many lines there are before each piece of a body.
const LINES: usize = 50;

/// Logs when it is dropped.
struct LogsInDrop(Option<oneshot::Sender<()>>);

impl Drop for LogsInDrop {
    fn drop(&mut self) {
        tracing::info!("dropped");
        self.0.take().into_iter().for_each(|sender| sender.send(()).unwrap());
    }
}

/// Responds with two pieces that log, and then hangs if the event is `true`.
async fn streamed(event: LambdaEvent<bool>) -> Result<StreamResponse<Pieces>, Error> {
    let pieces = stream::iter(["one", "two"]).map(|piece| {
        for number in 0..LINES {
            tracing::info!("{piece} {number}");
        }
        Ok(piece)
    });
    let rest = match event.payload {
        true => {
            let value = LogsInDrop(None);
            let hangs = async move {
                let _value = value;
                std::future::pending().await
            };
            stream::once(hangs).boxed()
        }
        false => stream::empty().boxed(),
    };
    Ok(pieces.chain(rest).boxed().into())
}

/// The messages of its lines.
fn lines_of_pieces() -> Vec<String> {
    let of = |piece| (0..LINES).map(move |number| format!("{piece} {number}"));
    ["one", "two"].into_iter().flat_map(of).collect()
}

#[tokio::test]
async fn lines_of_a_streamed_body_are_written_together_before_its_end() {
    let (written, _guard) = start_writing(together());
    let lambda = FakeRuntime::new();
    let function = lambda.run(Powertools::new(streamed).logging(together()).run());
    let outcome = lambda.send(Event::new(false)).outcome().await;
    assert_eq!(outcome.response().unwrap().content(), "onetwo");
    let (lines, writes) = messages(&written);
    assert_eq!(lines, lines_of_pieces());
    assert!(writes < LINES, "{writes} writes");
    function.stop().await;
}

#[tokio::test]
async fn lines_of_a_streamed_body_that_a_guard_stops_are_written_before_its_error() {
    let (written, _guard) = start_writing(together());
    let lambda = FakeRuntime::new().timeout(1_100 * MILLI);
    let function = lambda.run(Powertools::new(streamed).logging(together()).run());
    lambda.send(Event::new(true)).outcome().await;
    let (lines, writes) = messages(&written);
    let [lines @ .., dropped, error] = &lines[..] else { panic!("nothing is written") };
    assert_eq!(lines, lines_of_pieces());
    assert_eq!([dropped, error], ["dropped", "the handler failed"]);
    assert!(writes < LINES, "{writes} writes");
    function.stop().await;
}

#[tokio::test]
async fn lines_of_a_streamed_body_that_is_dropped_early_are_written_with_it() {
    let (written, _guard) = start_writing(together());
    let (sender, dropped) = oneshot::channel();
    let (begun, has_begun) = oneshot::channel();
    let (release, released) = oneshot::channel::<()>();
    let handover = Arc::new(Mutex::new(Some((LogsInDrop(Some(sender)), begun, released))));
    let handle = move |_: LambdaEvent<Value>| {
        let (value, begun, released) = handover.lock().unwrap().take().expect("one event");
        let begun = async move {
            let _ = begun.send(());
            let _ = released.await;
            tracing::info!("released");
            Ok("one")
        };
        let rest = stream::repeat_with(move || {
            let _value = &value;
            Ok("more")
        });
        let pieces: Pieces = stream::once(begun).chain(rest).boxed();
        async { Ok::<_, Error>(StreamResponse::from(pieces)) }
    };
    let lambda = FakeRuntime::new();
    let function = lambda.run(Powertools::new(handle).logging(together()).run());
    let _event = lambda.send(Event::new(0));
    has_begun.await.unwrap();
    // Its connection is closed, which the runtime notices with the next pieces.
    function.stop().await;
    release.send(()).unwrap();
    dropped.await.unwrap();
    let (lines, _) = messages(&written);
    assert_eq!(lines.first().map(String::as_str), Some("released"), "{lines:?}");
    assert_eq!(lines.last().map(String::as_str), Some("dropped"), "{lines:?}");
}

/// Logs below its level and above, at several times, and fails for some records.
async fn record(number: Message<u64>) -> Result<(), RecordError> {
    let number = number.body;
    tracing::debug!("kept of {number}");
    for line in 0..20 {
        tracing::info!("{line} of {number}");
        tokio::task::yield_now().await;
    }
    if number % 3 == 1 { Err(RecordError::from("no")) } else { Ok(()) }
}

async fn batch_of_records(event: LambdaEvent<SqsEvent>) -> Result<impl Serialize, batch::Error> {
    batch::sqs(event.payload).concurrency(3).run(record).await.into_reply()
}

async fn batch_of_tasks(event: LambdaEvent<SqsEvent>) -> Result<impl Serialize, batch::Error> {
    batch::sqs(event.payload).concurrency(3).run_spawned(record).await.into_reply()
}

/// Returns the messages of the lines of a batch of nine records, and how many writes these took.
async fn lines_of_a_batch(together: bool, tasks: bool) -> (Vec<String>, usize) {
    let logging = || logging().together(together).buffer(1_000);
    let (written, _guard) = start_writing(logging());
    let event = (0..9)
        .fold(events::sqs("orders"), |event, number| event.message(number.to_string()))
        .build();
    let lambda = FakeRuntime::new();
    let function = match tasks {
        true => lambda.run(Powertools::new(batch_of_tasks).logging(logging()).run()),
        false => lambda.run(Powertools::new(batch_of_records).logging(logging()).run()),
    };
    let outcome = lambda.send(Event::new(event)).outcome().await;
    let reply: Value = outcome.json();
    assert_eq!(reply["batchItemFailures"].as_array().map(Vec::len), Some(3), "{reply}");
    let lines = messages(&written);
    function.stop().await;
    lines
}

#[tokio::test]
async fn lines_of_concurrent_records_have_the_order_that_they_have_one_by_one() {
    for tasks in [false, true] {
        let (expected, lines) = lines_of_a_batch(false, tasks).await;
        // All at INFO, and the errors of three records with what was kept of these.
        assert_eq!((expected.len(), lines), (9 * 20 + 3 * 2, 9 * 20 + 3 * 2));
        for number in [1, 4, 7] {
            let kept = expected.iter().position(|line| *line == format!("kept of {number}"));
            assert_eq!(expected[kept.unwrap() + 1], "a record failed");
        }
        let (lines, writes) = lines_of_a_batch(true, tasks).await;
        assert_eq!(lines, expected);
        assert!(writes < lines.len() / 3, "{writes} writes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_of_records_on_several_threads_lose_and_tear_no_line() {
    let (written, _guard) = start_writing(together());
    let event =
        (0..200).fold(events::sqs("orders"), |event, number| event.message(number.to_string()));
    let event: SqsEvent = serde_json::from_value(event.build()).unwrap();
    let handler = observe(async {
        let handle = async |number: Message<usize>| {
            (0..10).for_each(|line| tracing::info!("{} {line}", number.body));
            Ok::<_, Error>(())
        };
        Ok::<_, Error>(batch::sqs(event).concurrency(8).run_spawned(handle).await)
    });
    let report = invocation().build().scope(handler).await.unwrap();
    assert!(report.is_done());
    let mut lines = vec![0; 200];
    for message in messages(&written).0 {
        let (record, line) = message.split_once(' ').unwrap();
        // Those of a record are in order.
        let next: &mut usize = &mut lines[record.parse::<usize>().unwrap()];
        assert_eq!(line, next.to_string());
        *next += 1;
    }
    assert_eq!(lines, [10; 200]);
}

#[test]
fn lines_are_written_at_64_kib_and_few_at_a_time() {
    let (written, _guard) = start_writing(together());
    let lines = 1_000;
    let handler = observe(async {
        for number in 0..lines {
            tracing::info!(number, "line");
        }
        // All but what fits into 64 KiB.
        let pieces: Vec<_> = written.try_iter().collect();
        assert!(pieces.concat().len() > 100 * lines, "{}", pieces.concat().len());
        assert!(pieces.len() < lines / 4, "{}", pieces.len());
        Ok::<_, Error>(pieces)
    });
    let done = invocation().build().scope(handler).now_or_never();
    let mut pieces = done.expect("it waits for nothing").unwrap();
    pieces.extend(written.try_iter());
    let text = pieces.concat();
    let numbers: Vec<Value> = text.lines().map(|line| number(line).into()).collect();
    assert_eq!(numbers, (0..lines).map(Value::from).collect::<Vec<_>>());
}

fn program(like: &str) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_logs"));
    program.arg(like);
    program
}

fn number(line: &str) -> u64 {
    let line: Value = serde_json::from_str(line).expect(line);
    line["number"].as_u64().expect("a number")
}

#[tokio::test]
async fn sixteen_workers_lose_and_tear_no_line() {
    let events = powertools_tests::scale(100, 2_000);
    let lambda = FakeRuntime::new().concurrency(16);
    let function = lambda.spawn(program("together")).unwrap();
    // Longer than they wait for each other on a busy machine, which would add lines about their lateness.
    let patience = Duration::from_secs(600);
    let send = |event| lambda.send(Event::new(event).timeout(patience));
    let sent: Vec<_> = (0..events).map(send).collect();
    for outcome in sent {
        outcome.outcome().await;
    }
    // Every line of a reply has been written.
    function.kill().await;
    let mut lines = vec![0; events];
    for line in function.stdout() {
        let line: Value = serde_json::from_str(&line).expect(&line);
        let event = usize::try_from(line["event"].as_u64().unwrap()).unwrap();
        // Those of an event are in order.
        assert_eq!(line["number"], lines[event]);
        lines[event] += 1;
    }
    assert_eq!(lines, vec![100; events]);
}

#[tokio::test]
async fn lines_are_written_before_a_panic_ends_the_process() {
    let lambda = FakeRuntime::new();
    let function = lambda.spawn(program("together, aborted")).unwrap();
    lambda.send(Event::new("x")).outcome().await;
    function.wait().await;
    let [line] = &function.stdout()[..] else { panic!("{:?}", function.stdout()) };
    assert!(line.contains(r#""message":"before""#), "{line}");
}

#[test]
fn a_handler_that_has_the_lock_of_stdout_can_log() {
    let mut program = program("together, stdout locked");
    let mut program = program.stdout(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while program.try_wait().unwrap().is_none() {
        if begun.elapsed() > 10_000 * MILLI {
            program.kill().unwrap();
            panic!("it hangs");
        }
        std::thread::sleep(MILLI);
    }
    let mut stdout = String::new();
    program.stdout.unwrap().read_to_string(&mut stdout).unwrap();
    let [printed, lines @ ..] = &stdout.lines().collect::<Vec<_>>()[..] else {
        panic!("nothing is written")
    };
    assert_eq!((*printed, lines.len()), ("printed", 3), "{stdout}");
    for (line, message) in lines.iter().zip(["one", "two", "three"]) {
        assert!(line.contains(&format!(r#""message":"{message}""#)), "{stdout}");
    }
}

#[tokio::test]
async fn lines_are_written_before_a_shutdown_ends_the_process() {
    let lambda = FakeRuntime::new();
    let function = lambda.spawn(program("together, shut down")).unwrap();
    let _event = lambda.send(Event::new("x"));
    function.stdout_line("begun").await.unwrap();
    assert!(function.shut_down().await.success());
    let lines = function.stdout();
    assert!(lines.iter().any(|line| line.contains(r#""message":"last""#)), "{lines:?}");
}

#[test]
fn a_killed_process_loses_the_lines_of_its_last_moment_only() {
    // 50 ms, and what a busy machine lets the thread wait for.
    const LOST: u64 = 50 + 50;
    let mut least = u64::MAX;
    for _ in 0..powertools_tests::scale(3, 30) {
        let mut program = program("together, killed");
        let mut program = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Half-way between two of the writes that follow the first one. What is held for longer is lost.
        let mut stdout = vec![0];
        program.stdout.as_mut().unwrap().read_exact(&mut stdout).unwrap();
        std::thread::sleep(175 * MILLI);
        program.kill().unwrap();
        program.wait().unwrap();
        let mut stderr = String::new();
        program.stdout.unwrap().read_to_end(&mut stdout).unwrap();
        program.stderr.unwrap().read_to_string(&mut stderr).unwrap();
        let stdout = String::from_utf8(stdout).unwrap();

        let whole = stdout.strip_suffix('\n').expect("no line is torn");
        let written: Vec<u64> = whole.lines().map(number).collect();
        assert_eq!(written, (0..written.len() as u64).collect::<Vec<_>>());
        // The kill can cut the last one.
        let told = stderr.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let logged: Vec<u64> =
            told.lines().map(|line| line.split_once(' ').unwrap().1.parse().unwrap()).collect();
        let lost = logged.get(written.len()..).unwrap_or_default();
        least = least.min(match lost {
            [first, .., last] => last - first,
            _ => 0,
        });
    }
    // The machine may stop the thread for longer, but not in each round.
    assert!(least <= LOST, "lines of {least} ms are lost");
}
