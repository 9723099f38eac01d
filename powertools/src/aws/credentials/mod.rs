//! Credentials of requests that are not the SDK's: from the environment, from the endpoint that
//! `AWS_CONTAINER_CREDENTIALS_FULL_URI` names, as in functions with SnapStart, or from elsewhere.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::time::{Instant, timeout};

use self::container::Container;
use crate::environment::{Environment, SESSION_TOKEN};
use crate::process::restores;

mod container;

const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
const ACCOUNT_ID: &str = "AWS_ACCOUNT_ID";

/// Credentials are renewed when they end within this time, as Lambda does.
const RENEWED_BEFORE: Duration = Duration::from_secs(5 * 60);
/// No other renewal begins within this time while the credentials are valid.
const PAUSE: Duration = Duration::from_secs(10);

/// An access key, and the token that belongs to it. `Debug` shows nothing of them.
pub(crate) struct Credentials {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: Option<String>,
    /// The account to which they belong, if its endpoints are to be used.
    pub(crate) account_id: Option<String>,
    pub(crate) ends: Option<SystemTime>,
}

impl Credentials {
    pub(crate) fn new(id: String, secret: String, token: Option<String>) -> Self {
        let (access_key_id, secret_access_key, session_token) = (id, secret, token);
        Self { access_key_id, secret_access_key, session_token, account_id: None, ends: None }
    }

    pub(crate) fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    pub(crate) fn secret_access_key(&self) -> &str {
        &self.secret_access_key
    }

    pub(crate) fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }

    /// Returns true if they are still valid this long after `now`.
    fn outlast(&self, now: SystemTime, time: Duration) -> bool {
        self.ends.is_none_or(|ends| ends > now + time)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// Why there are no credentials.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    /// Nothing is configured.
    #[error(
        "neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY nor \
         AWS_CONTAINER_CREDENTIALS_FULL_URI is set"
    )]
    Missing,
    /// One half is missing.
    #[error("of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY one is set without the other")]
    Half,
    /// The URL of the endpoint is one to which no token may be sent.
    #[error("the endpoint of credentials is not on this host")]
    Unsafe,
    /// They come from elsewhere, and there are none.
    #[error("{place} returned none")]
    NotFetched {
        place: &'static str,
        is_retryable: bool,
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// They come from elsewhere, which has not answered yet.
    #[error("the credentials did not arrive in time")]
    Late,
}

impl CredentialsError {
    /// Returns true if another attempt can succeed.
    pub(crate) fn is_retryable(&self) -> bool {
        matches!(self, Self::NotFetched { is_retryable: true, .. } | Self::Late)
    }
}

/// A place where there are others after a while.
pub(crate) trait Fetch: fmt::Debug + Send + Sync {
    /// Fetches credentials. It fails by itself if that takes too long.
    fn fetch(self: Arc<Self>) -> BoxFuture<'static, Result<Credentials, CredentialsError>>;
}

/// A fetch that has begun. All requests that wait for it poll it, and it goes on when one of them is dropped.
type Fetching = Shared<BoxFuture<'static, Fetched>>;
type Fetched = Result<Arc<Credentials>, CredentialsError>;

fn begin(place: Arc<dyn Fetch>) -> Fetching {
    let fetched = AssertUnwindSafe(async { place.fetch().await.map(Arc::new) });
    // A panic would be repeated by each request that waits.
    let caught = fetched.catch_unwind().map(|fetched| {
        fetched.unwrap_or_else(|_| {
            Err(CredentialsError::NotFetched {
                place: "the provider of credentials",
                is_retryable: true,
                source: lambda_runtime::Error::from("it panicked").into(),
            })
        })
    });
    caught.boxed().shared()
}

/// Where credentials come from.
#[derive(Debug)]
pub(crate) enum Source {
    Fixed(Arc<Credentials>),
    Fetched(Arc<dyn Fetch>),
    /// They are half there: another source would be a surprise.
    Half,
    Missing,
}

impl Source {
    /// Finds the source of the process. Variables with a key take precedence over the endpoint, as in
    /// the SDK.
    pub(crate) fn of(environment: &Environment) -> Self {
        match (environment.get(ACCESS_KEY_ID), environment.get(SECRET_ACCESS_KEY)) {
            (Some(id), Some(secret)) => {
                let token = environment.get(SESSION_TOKEN);
                let account_id = environment.get(ACCOUNT_ID);
                let credentials = Credentials { account_id, ..Credentials::new(id, secret, token) };
                Self::Fixed(Arc::new(credentials))
            }
            (None, None) => Container::of(environment)
                .map_or(Self::Missing, |container| Self::Fetched(Arc::new(container))),
            _ => Self::Half,
        }
    }
}

/// Credentials that are fetched when they are needed, and renewed before they end.
#[derive(Debug)]
pub(crate) struct Provider {
    source: Source,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    credentials: Option<Arc<Credentials>>,
    /// Those from before a restore may have ended.
    restores: u64,
    fetching: Option<Fetching>,
    /// No renewal before.
    not_before: Option<Instant>,
}

impl Kept {
    /// Returns true if `credentials` need no renewal.
    fn is_fresh(&self, credentials: &Credentials, now: SystemTime) -> bool {
        let waits = self.not_before.is_some_and(|time| Instant::now() < time);
        credentials.outlast(now, if waits { Duration::ZERO } else { RENEWED_BEFORE })
    }

    /// Takes what came of `fetching`, unless another request did, which may have begun the next fetch.
    fn note(&mut self, fetching: &Fetching, fetched: &Fetched, now: SystemTime) {
        if !self.fetching.as_ref().is_some_and(|kept| kept.ptr_eq(fetching)) {
            return;
        }
        // One that is late goes on.
        if fetching.peek().is_some() {
            self.fetching = None;
        }
        if let Ok(credentials) = fetched {
            self.credentials = Some(credentials.clone());
        }
        let has_long = fetched.as_ref().is_ok_and(|new| new.outlast(now, RENEWED_BEFORE));
        self.not_before = if has_long { None } else { Some(Instant::now() + PAUSE) };
    }
}

impl Provider {
    pub(crate) fn new(source: Source) -> Self {
        Self { source, kept: Mutex::default() }
    }

    /// Returns credentials for a request, fetching them within `limit` if that is due.
    pub(crate) async fn get(&self, now: SystemTime, limit: Duration) -> Fetched {
        let place = match &self.source {
            Source::Fixed(credentials) => return Ok(credentials.clone()),
            Source::Fetched(place) => place,
            Source::Half => return Err(CredentialsError::Half),
            Source::Missing => return Err(CredentialsError::Missing),
        };
        let (fetching, old) = {
            let mut kept = self.kept();
            let old = kept.credentials.clone().filter(|old| old.outlast(now, Duration::ZERO));
            if let Some(fresh) = old.as_ref().filter(|old| kept.is_fresh(old, now)) {
                return Ok(fresh.clone());
            }
            (kept.fetching.get_or_insert_with(|| begin(place.clone())).clone(), old)
        };
        // With old ones that are valid, the other half is left for the request.
        let limit = if old.is_some() { limit / 2 } else { limit };
        let fetched = timeout(limit, fetching.clone()).await.unwrap_or(Err(CredentialsError::Late));
        self.kept().note(&fetching, &fetched, now);
        fetched.or_else(|error| old.ok_or(error))
    }

    /// Forgets credentials that the service does not accept any more. Returns true if others can be
    /// had.
    pub(crate) fn forget(&self, refused: &Arc<Credentials>) -> bool {
        let mut kept = self.kept();
        if kept.credentials.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, refused)) {
            kept.credentials = None;
            kept.fetching = None;
        }
        matches!(self.source, Source::Fetched(_))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.restores != restores() {
            *kept = Kept { restores: restores(), ..Kept::default() };
        }
        kept
    }
}

#[cfg(test)]
mod tests;
