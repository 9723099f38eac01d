//! Lines that are written together: what writes them, and what a kill leaves.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use lambda_runtime::{Error, LambdaEvent};
use powertools::logging::{Logging, observe};
use powertools::testing::{Event, FakeRuntime};
use powertools::{Deadline, Powertools};
use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt;

use super::{invocation, logging, start};

const MILLI: Duration = Duration::from_millis(1);

fn together() -> Logging {
    logging().together(true)
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
fn lines_are_written_while_the_handler_blocks_its_thread() {
    let (sender, written) = mpsc::channel();
    let logging = together().writer(move |lines| sender.send(lines.to_vec()).unwrap());
    let subscriber = tracing_subscriber::registry().with(logging.layer().unwrap());
    let handler = observe(async {
        tracing::info!("before");
        Ok::<_, Error>(written.recv_timeout(10_000 * MILLI)?)
    });
    let _guard = tracing::subscriber::set_default(subscriber);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let lines = runtime.block_on(invocation().build().scope(handler)).unwrap();
    assert!(String::from_utf8(lines).unwrap().contains(r#""message":"before""#));
}

#[test]
fn lines_are_written_at_64_kib_and_few_at_a_time() {
    let (sender, written) = mpsc::channel();
    let logging = together().writer(move |lines| sender.send(lines.to_vec()).unwrap());
    let subscriber = tracing_subscriber::registry().with(logging.layer().unwrap());
    let _guard = tracing::subscriber::set_default(subscriber);
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
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut pieces = runtime.block_on(invocation().build().scope(handler)).unwrap();
    pieces.extend(written.try_iter());
    let text = String::from_utf8(pieces.concat()).unwrap();
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
    const LOST: u64 = 50 + 250;
    let mut least = u64::MAX;
    for round in 0..powertools_tests::scale(3, 30) {
        let mut program = program("together, killed");
        let mut program = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        let lasts = Duration::from_millis(500 + 7 * u64::try_from(round).unwrap());
        while begun.elapsed() < lasts {
            std::thread::sleep(MILLI);
        }
        program.kill().unwrap();
        program.wait().unwrap();
        let (mut stdout, mut stderr) = (String::new(), String::new());
        program.stdout.unwrap().read_to_string(&mut stdout).unwrap();
        program.stderr.unwrap().read_to_string(&mut stderr).unwrap();

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
