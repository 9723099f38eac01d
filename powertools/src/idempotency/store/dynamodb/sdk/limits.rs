//! Attempts and time limits of requests, in place of those of the user's client.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::{RetryConfig, RetryPartition, TokenBucket};
use aws_sdk_dynamodb::config::timeout::{TimeoutConfig, TimeoutConfigBuilder};
use aws_sdk_dynamodb::config::{Builder, StalledStreamProtectionConfig};
use tokio::time::timeout;

use super::super::requests::Failure;
use super::retry::Conflicts;
use crate::idempotency::store::attempts::{ATTEMPT_TIMEOUT, ATTEMPTS, BACKOFF};

/// Returns a client with the limits of the store, or what each request has to override.
///
/// A second client costs less than overrides, which the SDK applies again to each request. It shares
/// the connections of the user's only if the HTTP client is part of the configuration: without one,
/// each client of the SDK creates its own.
pub(super) fn limited(client: Client) -> (Client, Option<Builder>) {
    let config = client.config();
    if config.http_client().is_none() {
        return (client, Some(limits(Builder::new(), TimeoutConfig::builder())));
    }
    // The limits on connecting and reading stay the user's: with others, the HTTP client would open
    // separate connections.
    let timeouts = config.timeout_config().map(TimeoutConfig::to_builder).unwrap_or_default();
    let own = limits(config.to_builder(), timeouts);
    (Client::from_conf(own.build()), None)
}

fn limits(builder: Builder, timeouts: TimeoutConfigBuilder) -> Builder {
    // The limit on all attempts together is that of the request: see `within`.
    let timeouts =
        timeouts.operation_attempt_timeout(ATTEMPT_TIMEOUT).disable_operation_timeout().build();
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(BACKOFF)
        .with_max_backoff(ATTEMPT_TIMEOUT);
    // The user's clients share a retry quota in each region. The store has its own, so that they do
    // not exhaust it.
    let partition = RetryPartition::custom("powertools-idempotency")
        .token_bucket(TokenBucket::default())
        .build();
    builder
        .timeout_config(timeouts)
        .retry_config(retries)
        .retry_partition(partition)
        .retry_classifier(Conflicts)
        // An attempt times out before this could judge the throughput of a body.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
}

/// Waits at most `limit` for a request with all its attempts.
pub(super) async fn within<T>(
    limit: Duration,
    request: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    timeout(limit, request).await.unwrap_or_else(|elapsed| Err(Failure::Timeout(elapsed.into())))
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use aws_credential_types::Credentials;
    use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Region};
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_types::body::SdkBody;

    use super::super::super::requests::{Get, Part, Requests};
    use super::super::Sdk;
    use super::*;
    use crate::idempotency::transaction::Item;

    /// A service that throttles each request, and counts them.
    #[derive(Clone, Debug, Default)]
    pub(in super::super) struct Throttling(Arc<AtomicU32>);

    impl Throttling {
        pub(in super::super) fn count(&self) -> u32 {
            self.0.load(Ordering::Relaxed)
        }
    }

    impl HttpConnector for Throttling {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            self.0.fetch_add(1, Ordering::Relaxed);
            let body = SdkBody::from(r#"{"__type":"ThrottlingException"}"#);
            HttpConnectorFuture::ready(Ok(HttpResponse::new(400.try_into().unwrap(), body)))
        }
    }

    /// Returns the configuration of a client of `service` with one attempt and no time for it.
    pub(in super::super) fn config(service: &Throttling) -> Builder {
        let connector = SharedHttpConnector::new(service.clone());
        without_client().http_client(http_client_fn(move |_, _| connector.clone()))
    }

    fn without_client() -> Builder {
        let timeouts = TimeoutConfig::builder().operation_timeout(Duration::ZERO);
        Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-central-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "tests"))
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts.build())
    }

    #[test]
    fn overrides_are_for_a_client_that_would_share_no_connections() {
        let (_, overrides) = limited(Client::from_conf(without_client().build()));
        assert!(overrides.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_limits_are_the_same_with_overrides() {
        for overridden in [false, true] {
            let service = Throttling::default();
            let client = Client::from_conf(config(&service).build());
            let sdk = if overridden {
                let overrides = limits(Builder::new(), TimeoutConfig::builder());
                Sdk { client, overrides: Some(overrides) }
            } else {
                Sdk::new(client)
            };
            assert_eq!(sdk.overrides.is_some(), overridden);
            let get = Get { table: "orders", key: Item::default(), part: Part::Consistent };
            let result = Requests::read(&sdk, get, Duration::from_secs(5)).await;
            assert!(matches!(result, Err(Failure::Service(..))), "{result:?}");
            assert_eq!(service.count(), 3, "{overridden}");
        }
    }
}
