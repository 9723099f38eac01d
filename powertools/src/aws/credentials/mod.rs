//! Credentials of requests that are not the SDK's: from the environment, from the endpoint that
//! `AWS_CONTAINER_CREDENTIALS_FULL_URI` names, as in functions with SnapStart, or from elsewhere.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use lambda_runtime::Error as BoxError;
use tokio::time::Instant;

use self::container::Container;
use crate::environment::{Environment, SESSION_TOKEN};
use crate::process::restores;

mod container;

const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
const ACCOUNT_ID: &str = "AWS_ACCOUNT_ID";

/// Credentials are renewed when they end within this time, as Lambda does.
const RENEWED_BEFORE: Duration = Duration::from_secs(5 * 60);
/// Old ones that are still valid are used for this long after a renewal failed.
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
#[derive(Debug, thiserror::Error)]
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
    NotFetched { place: &'static str, is_retryable: bool, source: BoxError },
}

impl CredentialsError {
    /// Returns true if another attempt can succeed.
    pub(crate) fn is_retryable(&self) -> bool {
        matches!(self, Self::NotFetched { is_retryable: true, .. })
    }
}

/// A place where there are others after a while.
pub(crate) trait Fetch: fmt::Debug + Send + Sync {
    /// Fetches credentials within `limit`.
    fn fetch(&self, limit: Duration) -> BoxFuture<'_, Result<Credentials, CredentialsError>>;
}

/// Where credentials come from.
#[derive(Debug)]
pub(crate) enum Source {
    Fixed(Arc<Credentials>),
    Fetched(Box<dyn Fetch>),
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
                .map_or(Self::Missing, |container| Self::Fetched(Box::new(container))),
            _ => Self::Half,
        }
    }
}

/// Credentials that are fetched when they are needed, and renewed before they end.
#[derive(Debug)]
pub(crate) struct Provider {
    source: Source,
    kept: Mutex<Kept>,
    /// Held by the one that fetches.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Kept {
    credentials: Option<Arc<Credentials>>,
    /// Those from before a restore may have ended.
    restores: u64,
    /// No renewal before.
    not_before: Option<Instant>,
}

impl Provider {
    pub(crate) fn new(source: Source) -> Self {
        Self { source, kept: Mutex::default(), fetching: tokio::sync::Mutex::default() }
    }

    /// Returns credentials for a request, fetching them within `limit` if that is due.
    pub(crate) async fn get(
        &self,
        now: SystemTime,
        limit: Duration,
    ) -> Result<Arc<Credentials>, CredentialsError> {
        let place = match &self.source {
            Source::Fixed(credentials) => return Ok(credentials.clone()),
            Source::Fetched(place) => place,
            Source::Half => return Err(CredentialsError::Half),
            Source::Missing => return Err(CredentialsError::Missing),
        };
        if let Some(credentials) = self.fresh(now) {
            return Ok(credentials);
        }
        let _fetching = self.fetching.lock().await;
        // Another request may have fetched them meanwhile.
        if let Some(credentials) = self.fresh(now) {
            return Ok(credentials);
        }
        let fetched = place.fetch(limit).await.map(Arc::new);
        let mut kept = self.kept();
        match fetched {
            Ok(credentials) => {
                let restores = restores();
                *kept = Kept { credentials: Some(credentials.clone()), restores, not_before: None };
                Ok(credentials)
            }
            Err(error) => {
                let old = kept.credentials.clone();
                match old.filter(|old| old.outlast(now, Duration::ZERO)) {
                    Some(old) => {
                        kept.not_before = Some(Instant::now() + PAUSE);
                        Ok(old)
                    }
                    None => Err(error),
                }
            }
        }
    }

    /// Forgets credentials that the service does not accept any more. Returns true if others can be
    /// had.
    pub(crate) fn forget(&self, refused: &Arc<Credentials>) -> bool {
        let mut kept = self.kept();
        if kept.credentials.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, refused)) {
            *kept = Kept::default();
        }
        matches!(self.source, Source::Fetched(_))
    }

    /// Returns those that are kept, if they need no renewal.
    fn fresh(&self, now: SystemTime) -> Option<Arc<Credentials>> {
        let mut kept = self.kept();
        if kept.restores != restores() {
            *kept = Kept::default();
        }
        let credentials = kept.credentials.as_ref()?;
        let waits = kept.not_before.is_some_and(|time| Instant::now() < time);
        let needed = if waits { Duration::ZERO } else { RENEWED_BEFORE };
        credentials.outlast(now, needed).then(|| credentials.clone())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
