//! The extension that a function registers, so that Lambda tells it of its end.

use futures_util::FutureExt;
use lambda_runtime::Error as BoxError;
use lambda_runtime_api_client::body::Body;
use lambda_runtime_api_client::{PooledClient, build_request};

/// The name that Lambda knows it by. No other extension of a function may have it.
const NAME: &str = "powertools-shutdown";

const ID: &str = "lambda-extension-identifier";

/// An extension that wants no events.
pub(super) struct Extension {
    client: PooledClient,
    id: String,
}

impl Extension {
    /// Lambda takes extensions before the first event is asked for, and waits until each of them has
    /// asked for its events: [`run`](Self::run) must follow.
    pub(super) async fn register(client: PooledClient) -> Result<Self, BoxError> {
        let request = build_request()
            .method("POST")
            .uri("/2020-01-01/extension/register")
            .header("lambda-extension-name", NAME)
            .header("content-type", "application/json")
            .body(Body::from(r#"{"events":[]}"#))?;
        let response = client.call(request).await?;
        let status = response.status();
        if !status.is_success() {
            return Err(format!("the answer was {status}").into());
        }
        let id = response.headers().get(ID).ok_or("the answer has no identifier")?;
        let id = id.to_str()?.to_owned();
        Ok(Self { client, id })
    }

    /// Asks for events, which never come.
    pub(super) async fn run(self) -> Result<(), BoxError> {
        let request = build_request()
            .method("GET")
            .uri("/2020-01-01/extension/event/next")
            .header(ID, self.id)
            .body(Body::empty())?;
        self.client.call(request).map(|answer| answer.map(drop)).await
    }
}
