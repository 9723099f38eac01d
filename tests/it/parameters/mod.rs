//! Values from outside: their sources and their cache.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use powertools::parameters::{
    Error, Fetched, Parameters, Request, Source, SourceError, SourceErrorKind,
};
use powertools::testing::ManualClock;
use tokio::time::sleep;

mod ages;
mod appconfig;
mod aws;
mod cache;
mod dynamodb;
mod errors;
mod extensions;
mod freshness;
mod process;
mod secrets;
mod server;
mod sources;
mod ssm;
mod writes;

const SECOND: Duration = Duration::from_secs(1);

/// A source that counts, waits and fails as it is told. Clones are the same source.
#[derive(Clone, Debug, Default)]
struct Service(Arc<State>);

#[derive(Debug, Default)]
struct State {
    value: Mutex<String>,
    delay: Mutex<Duration>,
    failure: Mutex<Option<SourceErrorKind>>,
    min_age: Mutex<Duration>,
    fetches: AtomicUsize,
    requests: Mutex<Vec<Request>>,
}

impl Service {
    fn with(value: &str) -> Self {
        let service = Self::default();
        service.put(value);
        service
    }

    fn put(&self, value: &str) {
        value.clone_into(&mut self.0.value.lock().unwrap());
    }

    fn delay(&self, delay: Duration) {
        *self.0.delay.lock().unwrap() = delay;
    }

    fn min_age(&self, age: Duration) {
        *self.0.min_age.lock().unwrap() = age;
    }

    fn fail(&self, kind: impl Into<Option<SourceErrorKind>>) {
        *self.0.failure.lock().unwrap() = kind.into();
    }

    fn fetches(&self) -> usize {
        self.0.fetches.load(Ordering::Relaxed)
    }

    fn requests(&self) -> Vec<Request> {
        self.0.requests.lock().unwrap().clone()
    }

    /// Values of this source, by a clock that follows tokio's.
    fn parameters(&self) -> Parameters {
        let clock = ManualClock::following_tokio(std::time::SystemTime::UNIX_EPOCH + SECOND);
        Parameters::new().source(self.clone()).clock(&clock)
    }
}

impl Source for Service {
    fn fetch<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Fetched, SourceError>> {
        self.0.fetches.fetch_add(1, Ordering::Relaxed);
        self.0.requests.lock().unwrap().push(request.clone());
        // What a service returns is what it has when the request arrives.
        let value = self.0.value.lock().unwrap().clone();
        let delay = *self.0.delay.lock().unwrap();
        let failure = *self.0.failure.lock().unwrap();
        let min_age = *self.0.min_age.lock().unwrap();
        Box::pin(async move {
            sleep(delay).await;
            match failure {
                Some(kind) => Err(SourceError::new(kind, "as the test has it")),
                None => Ok(Fetched::new(value).min_age(min_age)),
            }
        })
    }
}

/// The name under which Lambda reports an error.
fn name<T>(result: Result<T, Error>) -> &'static str {
    result.map(drop).unwrap_err().error_type()
}
