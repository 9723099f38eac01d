use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::BoxFuture;
use serde::Deserialize;

use super::fallback::Fallback;
use super::local::{Local, escaped};
use crate::environment::{EXTENSION_PORT, Environment, SESSION_TOKEN};
use crate::parameters::{
    Content, Fetched, Kind, Request, Source, SourceError, SourceErrorKind, Version,
};

/// The header that proves that a request comes from the function.
const TOKEN: &str = "X-Aws-Parameters-Secrets-Token";

/// Parameters and secrets from the AWS Parameters and Secrets Lambda Extension, which the function
/// has as a layer.
///
/// The requests are those of
/// [AWS's documentation](https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-integration-lambda-extensions.html),
/// to the port in `PARAMETERS_SECRETS_EXTENSION_HTTP_PORT`, or 2773. It is not ready before the first
/// invocation, so a warm-up needs a [`fallback`](Self::fallback).
///
/// The extension has a cache of its own, which nothing here can empty: a value can be as old as both caches
/// admit together. A [refresh](crate::parameters::Declaration::refresh_if) after a rotation, and a read after a
/// [`set`](crate::parameters::Declaration::set), can return the old value until the extension's
/// `SECRETS_MANAGER_TTL` or `SSM_PARAMETER_STORE_TTL` has passed. Read secrets that rotate from
/// `SecretsManager`, or set these variables to a short time.
#[derive(Debug)]
pub struct Extension {
    server: Local,
    fallback: Fallback,
}

impl Extension {
    /// Creates the source.
    #[must_use]
    pub fn new() -> Self {
        let fallback = Fallback::none("the Parameters and Secrets extension");
        Self { server: Local::new(EXTENSION_PORT, 2773), fallback }
    }

    /// Sets the port.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.server.set_port(port);
        self
    }

    /// Sets the source that is used while the extension is not ready, does not respond, or rejects
    /// requests because it has too many. Each of these is logged once. It is also used for what the
    /// extension does not have: paths, configurations and writes.
    #[must_use]
    pub fn fallback(mut self, source: impl Source) -> Self {
        self.fallback.set(source);
        self
    }

    async fn ask(&self, request: &Request) -> Result<Fetched, SourceError> {
        let path = path(request)?;
        let token = Environment::process().get(SESSION_TOKEN).unwrap_or_default();
        let reply = self.server.get(&path, &[(TOKEN, &token)]).await?;
        match request.kind {
            Kind::Secret => secret(&reply.body),
            _ => parameter(&reply.body, request.decrypt),
        }
    }
}

impl Default for Extension {
    fn default() -> Self {
        Self::new()
    }
}

impl Source for Extension {
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

fn path(request: &Request) -> Result<String, SourceError> {
    let name = escaped(&request.name);
    let mut path = match request.kind {
        Kind::Parameter => format!("/systemsmanager/parameters/get?name={name}"),
        Kind::Secret => format!("/secretsmanager/get?secretId={name}"),
        Kind::Path | Kind::Configuration => {
            let message = "the extension has only single parameters and secrets: give it a fallback \
                           for others";
            return Err(SourceError::new(SourceErrorKind::Unsupported, message));
        }
    };
    match request.version {
        Version::Current => {}
        Version::Number(number) => path.push_str(&format!("&version={number}")),
        Version::Label(label) => path.push_str(&format!("&label={}", escaped(label))),
        Version::Stage(stage) => path.push_str(&format!("&versionStage={}", escaped(stage))),
        Version::Id(id) => path.push_str(&format!("&versionId={}", escaped(id))),
    }
    if request.kind == Kind::Parameter && request.decrypt {
        path.push_str("&withDecryption=true");
    }
    Ok(path)
}

/// The response of `GetParameter`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetParameter {
    parameter: Parameter,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    r#type: String,
    value: String,
    version: u64,
}

/// The response of `GetSecretValue`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValue {
    secret_string: Option<String>,
    secret_binary: Option<String>,
    version_id: Option<String>,
}

fn parameter(body: &[u8], decrypt: bool) -> Result<Fetched, SourceError> {
    let GetParameter { parameter } = serde_json::from_slice(body).map_err(|_| malformed())?;
    if parameter.r#type == "SecureString" && !decrypt {
        return Err(encrypted());
    }
    Ok(Fetched::new(parameter.value).version(parameter.version.to_string()))
}

fn secret(body: &[u8]) -> Result<Fetched, SourceError> {
    let response: GetSecretValue = serde_json::from_slice(body).map_err(|_| malformed())?;
    let content = match (response.secret_string, response.secret_binary) {
        (Some(text), _) => Content::Text(text),
        (None, Some(binary)) => Content::Binary(STANDARD.decode(binary).map_err(|_| malformed())?),
        (None, None) => return Err(malformed()),
    };
    let fetched = Fetched::new(content);
    Ok(match response.version_id {
        Some(id) => fetched.version(id),
        None => fetched,
    })
}

/// Without what the parser says, which can quote the value.
fn malformed() -> SourceError {
    SourceError::new(SourceErrorKind::Other, "the response of the extension is malformed")
}

/// The error for an encrypted parameter that the declaration does not decrypt.
pub(super) fn encrypted() -> SourceError {
    let message = "it is a SecureString: add decrypt(true) to its declaration";
    SourceError::new(SourceErrorKind::Encrypted, message)
}
