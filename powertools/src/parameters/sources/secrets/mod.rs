mod serve;

use std::sync::atomic::AtomicBool;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::primitives::Blob;
use futures_util::future::BoxFuture;

use self::serve::serve;
use super::failure::failure;
use super::sdk;
use super::together::Together;
use crate::parameters::{
    Content, Fetched, Kind, Request, Source, SourceError, SourceErrorKind, Version,
};

/// Secrets of AWS Secrets Manager.
///
/// Current versions that are asked for within a millisecond, as by warm-ups, are read together, twenty in a
/// request. The role of the function needs `secretsmanager:GetSecretValue` and
/// `secretsmanager:BatchGetSecretValue`; without the second permission, each is read by itself.
/// [`set`](crate::parameters::Declaration::set) needs `secretsmanager:PutSecretValue` and
/// `secretsmanager:CreateSecret`.
#[derive(Debug)]
pub struct SecretsManager {
    client: sdk::Client<Client>,
    together: Together<String>,
    /// Whether the permission to read several is missing.
    is_denied: AtomicBool,
}

impl SecretsManager {
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
        Self { client, together: Together::default(), is_denied: AtomicBool::new(false) }
    }

    async fn read(&self, request: &Request) -> Result<Fetched, SourceError> {
        let client = self.client.get(Client::new).await;
        if request.version != Version::Current {
            return alone(client, &request.name, request.version).await;
        }
        let serve = |waiting| serve(client, &self.is_denied, waiting);
        self.together.get(request.name.clone(), serve).await
    }

    async fn write(&self, request: &Request, content: Content) -> Result<(), SourceError> {
        let (text, binary) = match content {
            Content::Text(text) => (Some(text), None),
            Content::Binary(bytes) => (None, Some(Blob::new(bytes))),
            Content::Map(_) => return Err(unsupported()),
        };
        let client = self.client.get(Client::new).await;
        let put = client.put_secret_value().secret_id(&request.name);
        let put = put.set_secret_string(text.clone()).set_secret_binary(binary.clone());
        let error = match put.send().await {
            Ok(_) => return Ok(()),
            Err(error) => failure(error, "secretsmanager:PutSecretValue"),
        };
        if error.kind() != SourceErrorKind::NotFound {
            return Err(error);
        }
        let create = client.create_secret().name(&request.name);
        let create = create.set_secret_string(text).set_secret_binary(binary);
        let created = create.send().await;
        created.map(drop).map_err(|error| failure(error, "secretsmanager:CreateSecret"))
    }
}

impl Source for SecretsManager {
    fn fetch<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Fetched, SourceError>> {
        Box::pin(async {
            if request.kind == Kind::Secret { self.read(request).await } else { Err(unsupported()) }
        })
    }

    fn set<'a>(
        &'a self,
        request: &'a Request,
        content: Content,
    ) -> BoxFuture<'a, Result<(), SourceError>> {
        Box::pin(async {
            if request.kind == Kind::Secret {
                self.write(request, content).await
            } else {
                Err(unsupported())
            }
        })
    }
}

fn unsupported() -> SourceError {
    SourceError::new(SourceErrorKind::Unsupported, "Secrets Manager has only secrets")
}

/// Reads one secret.
async fn alone(client: &Client, id: &str, version: Version) -> Result<Fetched, SourceError> {
    let read = client.get_secret_value().secret_id(id);
    let read = match version {
        Version::Stage(stage) => read.version_stage(stage),
        Version::Id(id) => read.version_id(id),
        Version::Current => read,
        Version::Number(_) | Version::Label(_) => {
            let message = "secrets have no numbers and labels of versions";
            return Err(SourceError::new(SourceErrorKind::Unsupported, message));
        }
    };
    let response = read.send().await;
    let response = response.map_err(|error| failure(error, "secretsmanager:GetSecretValue"))?;
    fetched(response.secret_string, response.secret_binary, response.version_id)
}

fn fetched(
    text: Option<String>,
    binary: Option<Blob>,
    version: Option<String>,
) -> Result<Fetched, SourceError> {
    let content = match (text, binary) {
        (Some(text), _) => Content::Text(text),
        (None, Some(binary)) => Content::Binary(binary.into_inner()),
        (None, None) => {
            return Err(SourceError::new(SourceErrorKind::Other, "the response has no value"));
        }
    };
    let fetched = Fetched::new(content);
    Ok(match version {
        Some(id) => fetched.version(id),
        None => fetched,
    })
}
