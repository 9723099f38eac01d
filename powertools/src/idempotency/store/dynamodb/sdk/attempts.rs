use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;

use crate::clock::Clock;
use crate::idempotency::store::attempts::has_ended;

/// Counts the attempts of a request, and allows none after its end by the time of day, which the SDK's own limits
/// do not look at.
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
        if has_ended(self.start, self.timeout, &self.clock) {
            return Err("the request has ended".into());
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::config::retry::RetryConfig;
    use aws_sdk_dynamodb::config::timeout::TimeoutConfig;

    use super::super::limits::tests::{Throttling, config};
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn none_follows_after_the_end_by_the_time_of_day() {
        for (frozen, expected) in [(0, 3), (601, 1)] {
            let service = Throttling::default();
            let config = config(&service)
                .retry_config(RetryConfig::standard())
                .timeout_config(TimeoutConfig::disabled());
            let requests = service.clone();
            let clock = Clock::from_fn(move || {
                let passed = if requests.count() == 0 { 0 } else { frozen };
                SystemTime::UNIX_EPOCH + Duration::from_secs(passed)
            });
            let attempts = Attempts::within(Duration::from_secs(60), clock);
            let request = Client::from_conf(config.build()).list_tables().customize();
            assert!(request.interceptor(attempts.clone()).send().await.is_err());
            assert_eq!(service.count(), expected);
            assert_eq!(attempts.count(), expected);
        }
    }
}
