//! The extension that a function registers, so that Lambda tells it of its end.
//!
//! `lambda_runtime` has one too, behind its feature `graceful-shutdown`, which panics where Lambda
//! refuses it: that ends a function that would have worked but for its hooks.

use std::time::Duration;

use lambda_runtime::Error as BoxError;
use lambda_runtime_api_client::body::Body;
use lambda_runtime_api_client::{PooledClient, build_request};

use crate::error::causes::with_causes;

/// The name that Lambda knows it by. No other extension of a function may have it.
const NAME: &str = "powertools-shutdown";

const ID: &str = "lambda-extension-identifier";

/// How long it waits until it asks again: so long first, then twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

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

    /// Asks for events, which never come, and asks again if it could not: a start in which it never
    /// asked would hang until Lambda ends it.
    pub(super) async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        let mut is_told = false;
        loop {
            if let Err(error) = self.ask().await
                && !is_told
            {
                is_told = true;
                let error = with_causes(&*error);
                tracing::warn!(
                    error,
                    "the extension of the shutdown hooks could not ask for its events and tries \
                     again: Lambda does not end a start before it has asked"
                );
            }
            tokio::time::sleep(pause).await;
            pause = LONGEST_PAUSE.min(2 * pause);
            // A connection from before a SnapStart restore is of no use after it.
            let endpoint = self.client.base.clone();
            self.client = PooledClient::builder().with_endpoint(endpoint).build();
        }
    }

    /// There is no answer for as long as all goes well.
    async fn ask(&self) -> Result<(), BoxError> {
        let request = build_request()
            .method("GET")
            .uri("/2020-01-01/extension/event/next")
            .header(ID, &self.id)
            .body(Body::empty())?;
        let status = self.client.call(request).await?.status();
        if !status.is_success() {
            return Err(format!("the answer was {status}").into());
        }
        Ok(())
    }
}
