use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_sdk_appconfigdata::Client;
use aws_sdk_appconfigdata::operation::get_latest_configuration::GetLatestConfigurationOutput;
use futures_util::future::BoxFuture;
use tokio::sync::Mutex as AsyncMutex;

use super::agent::profile;
use super::failure::failure;
use super::sdk;
use crate::clock::Clock;
use crate::parameters::{Content, Fetched, Request, Source, SourceError, SourceErrorKind};
use crate::process::restores;

/// A token is valid for 24 hours.
const RENEWED_AFTER: Duration = Duration::from_secs(23 * 3600);

/// Configurations of AWS AppConfig.
///
/// A session is kept for each configuration, and started again before its token expires and after an
/// error. After one that was throttled, it keeps its token and waits for that time. AppConfig sets how
/// often it may be asked, 60 seconds by default: a configuration is not read more often than that, whatever
/// the `max_age` and whichever declaration asks. Until then even
/// [`get_fresh`](crate::parameters::Declaration::get_fresh) returns what was read last. The role of the function needs
/// `appconfig:StartConfigurationSession` and `appconfig:GetLatestConfiguration`.
#[derive(Debug)]
pub struct AppConfig {
    client: sdk::Client<Client>,
    clock: Clock,
    sessions: Mutex<HashMap<String, Arc<AsyncMutex<Session>>>>,
}

/// A token, which can be used once, and when it was issued.
type Token = (String, SystemTime);

/// The state of a session: one for each configuration.
#[derive(Default)]
struct Session {
    /// The token of the next request.
    token: Option<Token>,
    /// The configuration as it was last sent.
    last: Option<(Content, Option<String>)>,
    /// When the last request succeeded, and the number of restores before.
    polled: Option<(SystemTime, u64)>,
    /// The time between two requests that the service requires.
    interval: Duration,
    /// When the service last throttled a request, if none has succeeded since.
    throttled: Option<SystemTime>,
}

/// Neither the token nor the configuration is for a log.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl AppConfig {
    /// Creates the source on this client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self::on(sdk::Client::Given(client))
    }

    /// Creates the source on a client with [`aws::config`](crate::aws::config).
    pub(super) fn own() -> Self {
        Self::on(sdk::Client::own())
    }

    fn on(client: sdk::Client<Client>) -> Self {
        Self { client, clock: Clock::system(), sessions: Mutex::default() }
    }

    /// Sets the clock by which sessions are renewed. Defaults to the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Into<Clock>) -> Self {
        self.clock = clock.into();
        self
    }

    fn session(&self, request: &Request) -> Arc<AsyncMutex<Session>> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.entry(request.name.clone()).or_default().clone()
    }

    async fn read(&self, request: &Request) -> Result<Fetched, SourceError> {
        request.check_current()?;
        let names = profile(request)?;
        let session = self.session(request);
        // Its token is used by one request at a time.
        let mut session = session.lock().await;
        let now = self.clock.now();
        if let Some(age) = session.age(now) {
            return Ok(session.fetched(age));
        }
        if let Some(until) = session.paused_until(now) {
            let wait = until.duration_since(now).unwrap_or_default().as_secs();
            let message = format!("the service throttles requests: the next one is in {wait} s");
            return Err(SourceError::new(SourceErrorKind::Throttled, message));
        }
        let response = match self.poll(&mut session, names, now).await {
            Ok(response) => response,
            Err(error) => {
                if error.kind() == SourceErrorKind::Throttled {
                    session.throttled = Some(now);
                }
                return Err(error);
            }
        };

        let now = self.clock.now();
        session.token = response.next_poll_configuration_token.map(|token| (token, now));
        session.polled = Some((now, restores()));
        session.throttled = None;
        let bytes = response.configuration.map(|blob| blob.into_inner()).unwrap_or_default();
        // Nothing is sent if nothing has changed since the token was issued.
        if !bytes.is_empty() || session.last.is_none() {
            session.last = Some((Content::of_bytes(bytes), response.version_label));
        }
        let seconds = u64::try_from(response.next_poll_interval_in_seconds).unwrap_or_default();
        session.interval = Duration::from_secs(seconds);
        Ok(session.fetched(Duration::ZERO))
    }

    /// Reads the configuration in the session, or in another one if that has ended.
    async fn poll(
        &self,
        session: &mut Session,
        names: [&str; 3],
        now: SystemTime,
    ) -> Result<GetLatestConfigurationOutput, SourceError> {
        if let Some(token) = session.take_token(now) {
            match self.latest(session, token).await {
                // It has expired, or the response to an earlier use of it was lost.
                Err(error) if error.kind() != SourceErrorKind::Throttled => {}
                polled => return polled,
            }
        }
        let token = self.start(names).await?;
        self.latest(session, (token, now)).await
    }

    async fn start(
        &self,
        [application, environment, profile]: [&str; 3],
    ) -> Result<String, SourceError> {
        let start = self.client.get(Client::new).await.start_configuration_session();
        let start = start
            .application_identifier(application)
            .environment_identifier(environment)
            .configuration_profile_identifier(profile)
            .send()
            .await;
        let started =
            start.map_err(|error| failure(error, "appconfig:StartConfigurationSession"))?;
        Ok(started.initial_configuration_token.unwrap_or_default())
    }

    /// Uses the token. One that was throttled is kept: another session would be one more request.
    async fn latest(
        &self,
        session: &mut Session,
        token: Token,
    ) -> Result<GetLatestConfigurationOutput, SourceError> {
        let client = self.client.get(Client::new).await;
        let latest = client.get_latest_configuration().configuration_token(&token.0).send().await;
        let latest = latest.map_err(|error| failure(error, "appconfig:GetLatestConfiguration"));
        if latest.as_ref().is_err_and(|error| error.kind() == SourceErrorKind::Throttled) {
            session.token = Some(token);
        }
        latest
    }
}

impl Session {
    /// Takes the token, if it is valid long enough.
    fn take_token(&mut self, now: SystemTime) -> Option<Token> {
        self.token.take().filter(|(_, issued)| now < *issued + RENEWED_AFTER)
    }

    /// Returns the age of the configuration until the service admits the next request. A request from before a restore
    /// does not count: what was read then is not returned any more.
    fn age(&self, now: SystemTime) -> Option<Duration> {
        let (polled, _) = self.polled.filter(|(_, before)| *before == restores())?;
        now.duration_since(polled).ok().filter(|age| *age < self.interval)
    }

    /// Returns the configuration as it was last sent.
    fn fetched(&self, age: Duration) -> Fetched {
        let (content, version) = self.last.clone().unwrap_or((Content::from(""), None));
        Fetched { version, age, ..Fetched::new(content).min_age(self.interval) }
    }

    /// Returns when the next request can be sent after one that was throttled. Without a configuration, one can
    /// be sent at once: there is nothing that could be used meanwhile.
    fn paused_until(&self, now: SystemTime) -> Option<SystemTime> {
        self.last.as_ref()?;
        let throttled = self.throttled?;
        let until = throttled + self.interval;
        (throttled <= now && now < until).then_some(until)
    }
}

impl Source for AppConfig {
    fn fetch<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Fetched, SourceError>> {
        Box::pin(self.read(request))
    }
}
