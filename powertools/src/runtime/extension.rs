//! The extension that a function registers so that Lambda notifies it of the shutdown.
//!
//! `lambda_runtime` has one too, in its feature `graceful-shutdown`. It panics if Lambda rejects
//! the registration, which ends a function that only lacks its hooks.

use std::time::Duration;

use lambda_runtime::Error as BoxError;
use lambda_runtime_api_client::body::Body;
use lambda_runtime_api_client::{PooledClient, build_request};

use crate::error::causes::with_causes;

/// The name of the extension in Lambda. No other extension of the function may have it.
const NAME: &str = "powertools-shutdown";

const ID: &str = "lambda-extension-identifier";

/// The first pause before another request for events. Each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// An extension that subscribes to no events.
pub(super) struct Extension {
    client: PooledClient,
    id: String,
}

impl Extension {
    /// Lambda accepts extensions only before the first request for an event, and waits until each
    /// of them has requested its events: [`run`](Self::run) must follow.
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

    /// Requests events, which never arrive, and retries a request that failed: without one, the
    /// start would hang until Lambda ends it.
    pub(super) async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        let mut has_warned = false;
        loop {
            if let Err(error) = self.next().await
                && !has_warned
            {
                has_warned = true;
                let error = with_causes(&*error);
                tracing::warn!(
                    error,
                    "the extension of the shutdown hooks could not request its events and retries: \
                     Lambda does not end the initialisation before it has"
                );
            }
            tokio::time::sleep(pause).await;
            pause = LONGEST_PAUSE.min(2 * pause);
            // A connection from before a SnapStart restore is dead after it.
            let endpoint = self.client.base.clone();
            self.client = PooledClient::builder().with_endpoint(endpoint).build();
        }
    }

    /// Requests the next event. Lambda does not answer while the environment lives.
    async fn next(&self) -> Result<(), BoxError> {
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
