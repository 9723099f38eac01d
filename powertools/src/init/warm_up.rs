use std::fmt::{self, Write};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lambda_runtime::Error as BoxError;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::Error;
use crate::error::causes::with_causes;
use crate::error::panic::caught;
use crate::process::starting;

/// What all warm-ups may take together after a restore. Lambda gives ten seconds, and the hooks come
/// before them.
pub(crate) const AFTER_RESTORE_BOUND: Duration = Duration::from_secs(5);

/// Warm-ups that are stopped later than this did not wait for their turn: they blocked their threads.
const BLOCKED: Duration = Duration::from_millis(100);

/// Something that can be done more than once: at the start, and after a restore.
pub(crate) type Job = Arc<dyn Fn() -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync>;

/// What is made before the first event.
#[derive(Clone)]
pub(crate) struct WarmUp {
    pub(crate) name: String,
    pub(crate) job: Job,
    pub(crate) is_required: bool,
}

impl fmt::Debug for WarmUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WarmUp")
            .field("name", &self.name)
            .field("is_required", &self.is_required)
            .finish_non_exhaustive()
    }
}

/// How a warm-up ended.
enum Ended {
    Done(Duration),
    Failed(Duration, BoxError),
    /// With the message of the panic.
    Panicked(Duration, String),
    /// It was still at it when all of them were stopped.
    Stopped,
    /// It was still at it when one that is required did not end well.
    Abandoned,
}

impl Ended {
    fn is_bad(&self) -> bool {
        !matches!(self, Self::Done(_))
    }
}

/// Says at the end of a warm-up why it is an error, on its span. It is none without a reason.
struct Status(Option<String>);

impl Drop for Status {
    fn drop(&mut self) {
        tracing::Span::current().record("otel.status_description", self.0.take());
    }
}

/// Runs all warm-ups concurrently, for `bound` at most, and logs in one line how they ended.
///
/// An error is that of the first one in the list that is required and did not end well. The others
/// are not waited for then.
pub(crate) async fn run(warm_ups: &[WarmUp], bound: Duration) -> Result<(), Error> {
    if warm_ups.is_empty() {
        return Ok(());
    }
    let start = Instant::now();
    let ended = run_concurrently(warm_ups, start + bound).await;
    let took = start.elapsed();

    let after = in_round_numbers(bound);
    let line = describe(warm_ups, &ended, after);
    if ended.iter().any(Ended::is_bad) {
        tracing::warn!(took_ms = millis(took), "warm-up: {line}");
    } else {
        tracing::info!(took_ms = millis(took), "warm-up: {line}");
    }
    if took > bound + BLOCKED {
        tracing::warn!(
            took_ms = millis(took),
            "warm-ups blocked their threads past their time limit and could not be stopped: move \
             what blocks to spawn_blocking"
        );
    }
    for (WarmUp { name, is_required, .. }, ended) in warm_ups.iter().zip(ended) {
        let name = name.clone();
        match ended {
            _ if !is_required => {}
            Ended::Done(_) | Ended::Abandoned => {}
            Ended::Failed(_, source) => return Err(Error::WarmUpFailed { name, source }),
            Ended::Panicked(_, message) => return Err(Error::WarmUpPanicked { name, message }),
            Ended::Stopped => return Err(Error::WarmUpTimeout { name, after }),
        }
    }
    Ok(())
}

async fn run_concurrently(warm_ups: &[WarmUp], end: Instant) -> Vec<Ended> {
    let mut tasks = JoinSet::new();
    for (index, warm_up) in warm_ups.iter().enumerate() {
        let job = warm_up.job.clone();
        let status = tracing::field::Empty;
        let span = tracing::info_span!(
            "warm-up",
            warm_up = warm_up.name,
            otel.status_description = status
        );
        let work = async move {
            // Until it has ended, what ends it is its time or another one.
            let mut status = Status(Some("stopped before its end".to_owned()));
            let start = Instant::now();
            let outcome = AssertUnwindSafe(async { job().await }).catch_unwind().await;
            let took = start.elapsed();
            let ended = match outcome {
                Ok(Ok(())) => Ended::Done(took),
                Ok(Err(error)) => Ended::Failed(took, error),
                Err(panic) => Ended::Panicked(took, caught(panic)),
            };
            status.0 = match &ended {
                Ended::Failed(_, error) => Some(with_causes(&**error)),
                Ended::Panicked(_, message) => Some(format!("panicked: {message}")),
                _ => None,
            };
            (index, ended)
        };
        tasks.spawn(starting(work.instrument(span)));
    }
    let mut all: Vec<_> = warm_ups.iter().map(|_| Ended::Stopped).collect();
    while let Ok(Some(joined)) = timeout_at(end, tasks.join_next()).await {
        let Ok((index, ended)) = joined else { continue };
        let is_fatal = warm_ups[index].is_required && ended.is_bad();
        all[index] = ended;
        if is_fatal {
            for ended in &mut all {
                if matches!(ended, Ended::Stopped) {
                    *ended = Ended::Abandoned;
                }
            }
            break;
        }
    }
    all
}

fn describe(warm_ups: &[WarmUp], ended: &[Ended], bound: Duration) -> String {
    let mut line = String::new();
    for (WarmUp { name, .. }, ended) in warm_ups.iter().zip(ended) {
        let comma = if line.is_empty() { "" } else { ", " };
        // Writing to a `String` does not fail.
        let _ = match ended {
            Ended::Done(took) => write!(line, "{comma}{name} {} ms", millis(*took)),
            Ended::Failed(took, error) => {
                let error = with_causes(&**error);
                write!(line, "{comma}{name} failed after {} ms ({error})", millis(*took))
            }
            Ended::Panicked(took, message) => {
                write!(line, "{comma}{name} panicked after {} ms ({message})", millis(*took))
            }
            Ended::Abandoned => write!(line, "{comma}{name} was abandoned"),
            Ended::Stopped => {
                let bound = bound.as_secs_f64();
                write!(
                    line,
                    "{comma}{name} timed out after {bound} s and is initialised on first use"
                )
            }
        };
    }
    line
}

/// Returns a limit as a person would say it: what came before has taken a little of it.
fn in_round_numbers(bound: Duration) -> Duration {
    let grain = if bound >= Duration::from_secs(1) { 100 } else { 10 };
    let grains = bound.as_millis().div_ceil(grain);
    u64::try_from(grains * grain).map_or(bound, Duration::from_millis)
}

/// Milliseconds, to a tenth.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::time::sleep;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const BOUND: Duration = Duration::from_secs(5);

    fn warm_up<F, Fut>(name: &str, job: F) -> WarmUp
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let job: Job = Arc::new(move || job().boxed());
        WarmUp { name: name.to_owned(), job, is_required: false }
    }

    fn required(warm_up: WarmUp) -> WarmUp {
        WarmUp { is_required: true, ..warm_up }
    }

    async fn slow(time: Duration) -> Result<(), BoxError> {
        sleep(time).await;
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn they_run_concurrently() {
        let start = Instant::now();
        let list = [1, 2, 3].map(|seconds| warm_up("slow", move || slow(seconds * SECOND)));
        run(&list, BOUND).await.unwrap();
        assert_eq!(start.elapsed(), 3 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn all_together_they_are_bounded() {
        let start = Instant::now();
        let list = [warm_up("hangs", pending), warm_up("slow", || slow(4 * SECOND))];
        run(&list, BOUND).await.unwrap();
        assert_eq!(start.elapsed(), 5 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn the_line_has_how_each_one_ended() {
        let list = [
            warm_up("database", || slow(SECOND)),
            warm_up("config", || ready(Err("no such file".into()))),
            warm_up("bad", || -> BoxFuture<'static, _> { panic!("in a warm-up") }),
            warm_up("silent", pending),
        ];
        let ended = run_concurrently(&list, Instant::now() + BOUND).await;
        assert_eq!(
            describe(&list, &ended, BOUND),
            "database 1000 ms, config failed after 0 ms (no such file), bad panicked after 0 ms (in a \
             warm-up), silent timed out after 5 s and is initialised on first use"
        );
    }

    #[test]
    fn a_limit_is_said_in_round_numbers() {
        for (limit, said) in [
            (Duration::from_micros(19_998), "20ms"),
            (Duration::from_micros(4_983_000), "5s"),
            (Duration::from_micros(2_050_001), "2.1s"),
            (5 * SECOND, "5s"),
            (Duration::ZERO, "0ns"),
            (Duration::MAX, "18446744073709551615.999999999s"),
        ] {
            assert_eq!(format!("{:?}", in_round_numbers(limit)), said);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn optional_warm_ups_may_fail() {
        let list = [
            warm_up("fails", || ready(Err("no".into()))),
            warm_up("panics", || async { panic!("in a warm-up") }),
            warm_up("hangs", pending),
        ];
        run(&list, BOUND).await.unwrap();
        for (index, name) in [
            (0, "Powertools.WarmUpFailed"),
            (1, "Powertools.WarmUpPanicked"),
            (2, "Powertools.WarmUpTimeout"),
        ] {
            let mut list = list.clone();
            list[index] = required(list[index].clone());
            assert_eq!(run(&list, BOUND).await.unwrap_err().error_type(), name);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_required_warm_up_that_fails_ends_the_wait() {
        let start = Instant::now();
        let fails = required(warm_up("fails", || ready(Err("no".into()))));
        let list = [warm_up("hangs", pending), fails, required(warm_up("slow", pending))];
        let error = run(&list, BOUND).await.unwrap_err();
        assert_eq!(error.to_string(), "the warm-up of fails failed");
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
