mod serve;
mod write;

use std::collections::BTreeMap;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{Parameter, ParameterType};
use futures_util::future::BoxFuture;

use self::serve::{Key, serve};
use self::write::write;
use super::extension::encrypted;
use super::failure::failure;
use super::sdk;
use super::together::Together;
use crate::parameters::{
    Content, Fetched, Kind, Request, Source, SourceError, SourceErrorKind, Version,
};

/// Parameters of AWS Systems Manager.
///
/// Parameters that are asked for within a millisecond, as by warm-ups, are read together, ten in a
/// request. The role of the function needs `ssm:GetParameter` and `ssm:GetParameters`; without the
/// second permission, each is read by itself. A path needs `ssm:GetParametersByPath`, and
/// [`set`](crate::parameters::Declaration::set) `ssm:PutParameter`.
///
/// A parameter that `set` creates is a `String` or a `SecureString`, as
/// [`encrypted`](crate::parameters::Declaration::encrypted) determines. One that exists keeps its type, and is
/// written with a second request.
///
/// As the source of secrets, it keeps each in a `SecureString`.
#[derive(Debug)]
pub struct Ssm {
    client: sdk::Client<Client>,
    together: Together<Key>,
}

impl Ssm {
    /// Creates the source on this client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client: sdk::Client::Given(client), together: Together::default() }
    }

    /// Creates the source on a client with [`aws::config`](crate::aws::config).
    pub(super) fn own() -> Self {
        Self { client: sdk::Client::own(), together: Together::default() }
    }

    async fn client(&self) -> &Client {
        self.client.get(Client::new).await
    }

    /// Reads the parameters below a path, at any depth, page by page.
    async fn path(&self, request: &Request) -> Result<Fetched, SourceError> {
        request.check_current()?;
        let path = format!("/{}", request.name.trim_matches('/'));
        let mut pages = self
            .client()
            .await
            .get_parameters_by_path()
            .path(path)
            .recursive(true)
            .with_decryption(request.decrypt)
            .into_paginator()
            .send();
        let mut found = BTreeMap::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failure(error, "ssm:GetParametersByPath"))?;
            for parameter in page.parameters.unwrap_or_default() {
                let name = parameter.name.clone().unwrap_or_default();
                let name = request.below(&name).unwrap_or(&name).to_owned();
                found.insert(name, value(parameter, request.decrypt)?.0);
            }
        }
        Ok(Fetched::new(Content::Map(found)))
    }
}

impl Source for Ssm {
    fn fetch<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Fetched, SourceError>> {
        Box::pin(async {
            match request.kind {
                Kind::Parameter | Kind::Secret => {
                    let client = self.client().await;
                    let key = (request.decrypt, selector(request)?);
                    self.together.get(key, |waiting| serve(client, waiting)).await
                }
                Kind::Path => self.path(request).await,
                Kind::Configuration => Err(unsupported()),
            }
        })
    }

    fn set<'a>(
        &'a self,
        request: &'a Request,
        content: Content,
    ) -> BoxFuture<'a, Result<(), SourceError>> {
        Box::pin(async {
            match (request.kind, content) {
                (Kind::Parameter | Kind::Secret, Content::Text(text)) => {
                    write(self.client().await, request, text).await
                }
                _ => Err(unsupported()),
            }
        })
    }
}

/// Returns the name with the requested version or label, in the form by which the service selects it.
fn selector(request: &Request) -> Result<String, SourceError> {
    match request.version {
        Version::Current => Ok(request.name.clone()),
        Version::Number(number) => Ok(format!("{}:{number}", request.name)),
        Version::Label(label) => Ok(format!("{}:{label}", request.name)),
        Version::Stage(_) | Version::Id(_) => {
            let message = "parameters have no stages, and no ids of versions";
            Err(SourceError::new(SourceErrorKind::Unsupported, message))
        }
    }
}

/// Returns the value and its version. What is encrypted is not taken for a value.
fn value(parameter: Parameter, decrypt: bool) -> Result<(String, i64), SourceError> {
    if parameter.r#type == Some(ParameterType::SecureString) && !decrypt {
        return Err(encrypted());
    }
    Ok((parameter.value.unwrap_or_default(), parameter.version))
}

fn unsupported() -> SourceError {
    let message = "Systems Manager has only parameters, and those are strings";
    SourceError::new(SourceErrorKind::Unsupported, message)
}
