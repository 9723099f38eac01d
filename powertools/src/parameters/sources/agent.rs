use futures_util::future::BoxFuture;

use super::fallback::Fallback;
use super::local::{Local, escaped};
use crate::environment::APPCONFIG_PORT;
use crate::parameters::{Content, Fetched, Kind, Request, Source, SourceError, SourceErrorKind};

/// Configurations from the AWS AppConfig Agent Lambda extension, which the function has as a layer.
///
/// The requests are those of
/// [AWS's documentation](https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-integration-lambda-extensions-how-it-works.html),
/// to the port in `AWS_APPCONFIG_EXTENSION_HTTP_PORT`, or 2772. The agent polls in the background, by
/// default every 45 seconds, and answers from its cache.
#[derive(Debug)]
pub struct AppConfigAgent {
    server: Local,
    fallback: Fallback,
}

impl AppConfigAgent {
    /// Creates the source.
    #[must_use]
    pub fn new() -> Self {
        let fallback = Fallback::none("the AppConfig agent");
        Self { server: Local::new(APPCONFIG_PORT, 2772), fallback }
    }

    /// Sets the port.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.server.set_port(port);
        self
    }

    /// Sets the source that is used while the agent is not ready, does not respond, or rejects
    /// requests. Each of these is logged once. It is also used for what the agent does not have: values
    /// that are not configurations, and writes.
    #[must_use]
    pub fn fallback(mut self, source: impl Source) -> Self {
        self.fallback.set(source);
        self
    }

    async fn ask(&self, request: &Request) -> Result<Fetched, SourceError> {
        request.check_current()?;
        let [application, environment, profile] = profile(request)?.map(escaped);
        let path = format!(
            "/applications/{application}/environments/{environment}/configurations/{profile}"
        );
        let reply = self.server.get(&path, &[]).await?;
        let version = reply.headers.get("configuration-version");
        let version = version.and_then(|version| version.to_str().ok()).map(str::to_owned);
        let fetched = Fetched::new(Content::of_bytes(reply.body.into()));
        Ok(match version {
            Some(version) => fetched.version(version),
            None => fetched,
        })
    }
}

impl Default for AppConfigAgent {
    fn default() -> Self {
        Self::new()
    }
}

impl Source for AppConfigAgent {
    fn fetch<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Fetched, SourceError>> {
        Box::pin(async { self.fallback.or(request, self.ask(request).await).await })
    }

    fn set<'a>(
        &'a self,
        request: &'a Request,
        content: Content,
    ) -> BoxFuture<'a, Result<(), SourceError>> {
        Box::pin(self.fallback.write(request, content))
    }
}

/// Returns the application, the environment and the profile that a request names.
pub(super) fn profile(request: &Request) -> Result<[&str; 3], SourceError> {
    let parts: Vec<_> = request.name.split('/').filter(|part| !part.is_empty()).collect();
    match (request.kind, <[&str; 3]>::try_from(parts)) {
        (Kind::Configuration, Ok(parts)) => Ok(parts),
        _ => {
            let message = "AppConfig has only configurations";
            Err(SourceError::new(SourceErrorKind::Unsupported, message))
        }
    }
}
