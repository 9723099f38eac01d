use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;

use crate::clock::Clock;

/// Counts the attempts of a request, and allows none after its end.
///
/// The SDK's own limits do not notice a freeze in which the clock of its timers stands still. The service may have
/// forgotten the token of a transaction then.
#[derive(Clone, Debug)]
pub(super) struct Attempts {
    count: Arc<AtomicU32>,
    clock: Clock,
    start: SystemTime,
    timeout: Duration,
}

impl Attempts {
    pub(super) fn within(timeout: Duration, clock: Clock) -> Self {
        Self { count: Arc::default(), start: clock.now(), clock, timeout }
    }

    pub(super) fn count(&self) -> u32 {
        self.count.load(Ordering::Relaxed)
    }
}

#[dyn_dispatch_hint]
impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "PowertoolsAttempts"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let passed = self.clock.now().duration_since(self.start);
        if passed.is_ok_and(|passed| passed >= self.timeout) {
            return Err("the request has ended".into());
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aws_credential_types::Credentials;
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::config::retry::RetryConfig;
    use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Region};
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_types::body::SdkBody;

    use super::*;

    /// A service that fails, and counts its requests.
    #[derive(Clone, Debug, Default)]
    struct Failing(Arc<AtomicU32>);

    impl HttpConnector for Failing {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            self.0.fetch_add(1, Ordering::Relaxed);
            let body = SdkBody::from("sorry");
            HttpConnectorFuture::ready(Ok(HttpResponse::new(500.try_into().unwrap(), body)))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn none_follows_after_the_end_by_the_time_of_day() {
        for (frozen, expected) in [(0, 3), (601, 1)] {
            let service = Failing::default();
            let connector = SharedHttpConnector::new(service.clone());
            let config = Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::from_static("eu-central-1"))
                .credentials_provider(Credentials::new("key", "secret", None, None, "tests"))
                .retry_config(RetryConfig::standard())
                .http_client(http_client_fn(move |_, _| connector.clone()));
            let requests = service.0.clone();
            let clock = Clock::from_fn(move || {
                let passed = if requests.load(Ordering::Relaxed) == 0 { 0 } else { frozen };
                SystemTime::UNIX_EPOCH + Duration::from_secs(passed)
            });
            let attempts = Attempts::within(Duration::from_secs(60), clock);
            let request = Client::from_conf(config.build()).list_tables().customize();
            assert!(request.interceptor(attempts.clone()).send().await.is_err());
            assert_eq!(service.0.load(Ordering::Relaxed), expected);
            assert_eq!(attempts.count(), expected);
        }
    }
}
