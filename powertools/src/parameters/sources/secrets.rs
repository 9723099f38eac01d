use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::primitives::Blob;
use futures_util::future::BoxFuture;

use super::sdk::{self, failure};
use crate::parameters::{
    Content, Fetched, Kind, Request, Source, SourceError, SourceErrorKind, Version,
};

/// Secrets of AWS Secrets Manager.
///
/// The role of the function needs `secretsmanager:GetSecretValue`, and for
/// [`set`](crate::parameters::Declaration::set) `secretsmanager:PutSecretValue` and
/// `secretsmanager:CreateSecret`.
#[derive(Debug)]
pub struct SecretsManager {
    client: sdk::Client<Client>,
}

impl SecretsManager {
    /// Creates the source on this client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client: sdk::Client::Given(client) }
    }

    /// Creates the source on a client with [`aws::config`](crate::aws::config).
    pub(super) fn own() -> Self {
        Self { client: sdk::Client::own() }
    }

    async fn read(&self, request: &Request) -> Result<Fetched, SourceError> {
        let read = self.client.get(Client::new).await.get_secret_value().secret_id(&request.name);
        let read = match request.version {
            Version::Stage(stage) => read.version_stage(stage),
            Version::Id(id) => read.version_id(id),
            _ => read,
        };
        let response = read.send().await;
        let response = response.map_err(|error| failure(error, "secretsmanager:GetSecretValue"))?;
        let content = match (response.secret_string, response.secret_binary) {
            (Some(text), _) => Content::Text(text),
            (None, Some(binary)) => Content::Binary(binary.into_inner()),
            (None, None) => {
                return Err(SourceError::new(SourceErrorKind::Other, "the response has no value"));
            }
        };
        let fetched = Fetched::new(content);
        Ok(match response.version_id {
            Some(id) => fetched.version(id),
            None => fetched,
        })
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
        Box::pin(self.write(request, content))
    }
}

fn unsupported() -> SourceError {
    SourceError::new(SourceErrorKind::Unsupported, "Secrets Manager has only secrets")
}
