//! A function whose handler returns a secret from the folder in `VALUES`, or rotates a login while 64 tasks on
//! 16 threads read it, for tests of the life of a process.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::parameters::{
    Fetched, Files, Parameter, Parameters, Request, Secret, Source, SourceError, SourceErrorKind,
};
use powertools::testing::ManualClock;
use serde::Deserialize;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{sleep, timeout};

static PASSWORD: Secret<String> = Secret::plain("password");
static LOGIN: Parameter<Login> = Parameter::json("login");
/// Its first fetch runs while the snapshot is taken.
static LATE: Secret<String> = Secret::plain("late");
/// Its first fetch runs while the snapshot is taken, and fails after the restore.
static BROKEN: Secret<String> = Secret::plain("broken");
static CLOCK: LazyLock<ManualClock> =
    LazyLock::new(|| ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1)));

#[derive(Deserialize)]
struct Login {
    user: u64,
    password: u64,
}

/// A login that changes with each rotation.
#[derive(Debug)]
struct Logins;

static ROTATION: AtomicU64 = AtomicU64::new(0);
static FETCHES: AtomicU64 = AtomicU64::new(0);

impl Source for Logins {
    fn fetch<'a>(&'a self, _: &'a Request) -> BoxFuture<'a, Result<Fetched, SourceError>> {
        FETCHES.fetch_add(1, Ordering::SeqCst);
        let number = ROTATION.load(Ordering::SeqCst);
        Box::pin(async move {
            yield_now().await;
            Ok(Fetched::new(format!(r#"{{ "user": {number}, "password": {number} }}"#)))
        })
    }
}

/// Secrets of a folder. The one that is late was read before the restore, and arrives after it.
#[derive(Debug)]
struct Secrets(Files);

static IS_RESTORED: AtomicBool = AtomicBool::new(false);
static HAS_BROKEN: AtomicBool = AtomicBool::new(false);

impl Source for Secrets {
    fn fetch<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Fetched, SourceError>> {
        if request.name != "late" && request.name != "broken" {
            return self.0.fetch(request);
        }
        Box::pin(async {
            if IS_RESTORED.load(Ordering::SeqCst) {
                return Ok(Fetched::new("after the restore"));
            }
            while !IS_RESTORED.load(Ordering::SeqCst) {
                sleep(Duration::from_millis(1)).await;
            }
            if request.name == "broken" {
                sleep(Duration::from_millis(200)).await;
                HAS_BROKEN.store(true, Ordering::SeqCst);
                return Err(SourceError::new(SourceErrorKind::Unavailable, "the connection broke"));
            }
            sleep(Duration::from_millis(500)).await;
            Ok(Fetched::new("before the snapshot"))
        })
    }
}

#[tokio::main(worker_threads = 16)]
async fn main() -> Result<(), Error> {
    let folder = PathBuf::from(std::env::var("VALUES")?);
    let file = folder.join("password");
    let secrets = Secrets(Files::new(folder));
    let parameters = Parameters::new().source(secrets).parameters_from(Logins);
    Powertools::new(handle)
        .warm_up_required("password", || PASSWORD.get())
        .warm_up("late", async || {
            // The start does not wait for it.
            let _ = timeout(Duration::from_millis(10), LATE.get()).await;
            if !IS_RESTORED.load(Ordering::SeqCst) {
                let _ = timeout(Duration::from_millis(10), BROKEN.get()).await;
            }
            Ok::<_, Error>(())
        })
        .after_restore(move || {
            let file = file.clone();
            async move {
                IS_RESTORED.store(true, Ordering::SeqCst);
                std::fs::write(file, "after the restore")
            }
        })
        .parameters(parameters.clock(&*CLOCK).max_age(Duration::from_secs(60)))
        .run()
        .await
}

async fn handle(event: LambdaEvent<String>) -> Result<String, Error> {
    match event.payload.as_str() {
        "rotate" => return rotate().await,
        "late" => return Ok(LATE.get().await?.to_string()),
        "broken" => {
            while !HAS_BROKEN.load(Ordering::SeqCst) {
                yield_now().await;
            }
            // It ends just after that.
            sleep(Duration::from_millis(100)).await;
            return Ok(BROKEN.get().await?.to_string());
        }
        "forget" => std::fs::remove_file(PathBuf::from(std::env::var("VALUES")?).join("password"))?,
        _ => {}
    }
    Ok(PASSWORD.get().await?.to_string())
}

/// Rotates the login 300 times, each time after it was read.
async fn rotate() -> Result<String, Error> {
    const ROTATIONS: u64 = 300;
    static SEEN: AtomicU64 = AtomicU64::new(0);

    let mut callers = JoinSet::new();
    for _ in 0..64 {
        callers.spawn(async {
            let mut last = 0;
            while last < ROTATIONS {
                let login = LOGIN.get().await.expect("the source has it");
                assert_eq!(login.user, login.password, "half of a rotation");
                assert!(login.user >= last, "an older login came after a newer one");
                last = login.user;
                SEEN.fetch_max(last, Ordering::SeqCst);
                yield_now().await;
            }
        });
    }
    for number in 1..=ROTATIONS {
        ROTATION.store(number, Ordering::SeqCst);
        CLOCK.advance(Duration::from_secs(61));
        while SEEN.load(Ordering::SeqCst) < number {
            yield_now().await;
        }
    }
    while let Some(ended) = callers.join_next().await {
        ended?;
    }
    let fetches = FETCHES.load(Ordering::SeqCst);
    Ok(format!("{fetches} fetches in {ROTATIONS} rotations"))
}
