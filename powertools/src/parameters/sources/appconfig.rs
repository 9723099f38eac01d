use std::collections::HashMap;
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
use crate::parameters::{Content, Fetched, Request, Source, SourceError};

/// A token is valid for 24 hours.
const RENEWED_AFTER: Duration = Duration::from_secs(23 * 3600);

/// Configurations of AWS AppConfig.
///
/// A session is kept for each configuration, and started again before its token expires and after an
/// error. AppConfig sets how often it may be asked, 60 seconds by default: a value is not fetched
/// more often than that, whatever its `max_age`. The role of the function needs
/// `appconfig:StartConfigurationSession` and `appconfig:GetLatestConfiguration`.
#[derive(Debug)]
pub struct AppConfig {
    client: sdk::Client<Client>,
    clock: Clock,
    sessions: Mutex<HashMap<String, Arc<AsyncMutex<Session>>>>,
}

/// The state of a session: one for each configuration.
#[derive(Debug, Default)]
struct Session {
    /// The token of the next request, which can be used once, and when it was issued.
    token: Option<(String, SystemTime)>,
    /// The configuration as it was last sent.
    last: Option<(Content, Option<String>)>,
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
        let names = profile(request)?;
        let session = self.session(request);
        // Its token is used by one request at a time.
        let mut session = session.lock().await;
        let response = match session.take_token(self.clock.now()) {
            Some(token) => match self.latest(token).await {
                // It has expired, or the response to an earlier use of it was lost.
                Err(_) => self.latest(self.start(names).await?).await?,
                Ok(response) => response,
            },
            None => self.latest(self.start(names).await?).await?,
        };

        let now = self.clock.now();
        session.token = response.next_poll_configuration_token.map(|token| (token, now));
        let bytes = response.configuration.map(|blob| blob.into_inner()).unwrap_or_default();
        // Nothing is sent if nothing has changed since the token was issued.
        if !bytes.is_empty() || session.last.is_none() {
            session.last = Some((Content::of_bytes(bytes), response.version_label));
        }
        let (content, version) = session.last.clone().unwrap_or((Content::from(""), None));
        let seconds = u64::try_from(response.next_poll_interval_in_seconds).unwrap_or_default();
        let fetched = Fetched::new(content).min_age(Duration::from_secs(seconds));
        Ok(match version {
            Some(version) => fetched.version(version),
            None => fetched,
        })
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

    async fn latest(&self, token: String) -> Result<GetLatestConfigurationOutput, SourceError> {
        let client = self.client.get(Client::new).await;
        let latest = client.get_latest_configuration().configuration_token(token).send().await;
        latest.map_err(|error| failure(error, "appconfig:GetLatestConfiguration"))
    }
}

impl Session {
    /// Takes the token, if it is valid long enough.
    fn take_token(&mut self, now: SystemTime) -> Option<String> {
        let (token, issued) = self.token.take()?;
        (now < issued + RENEWED_AFTER).then_some(token)
    }
}

impl Source for AppConfig {
    fn fetch<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Fetched, SourceError>> {
        Box::pin(self.read(request))
    }
}
