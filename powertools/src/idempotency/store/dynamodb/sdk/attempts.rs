use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::config::interceptors::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;

use super::super::requests::Failure;
use crate::clock::Clock;
use crate::idempotency::store::attempts::has_ended;

/// Notes whether an attempt of a request may have been carried out before the last one, and allows none after its end
/// by the time of day, which the SDK's own limits do not look at.
#[derive(Clone, Debug)]
pub(super) struct Attempts {
    state: Arc<State>,
    clock: Clock,
    start: SystemTime,
    timeout: Duration,
}

#[derive(Debug, Default)]
struct State {
    /// Whether the last attempt was sent, and not refused.
    is_open: AtomicBool,
    /// Whether another attempt followed one that was open.
    was_open: AtomicBool,
}

impl Attempts {
    pub(super) fn within(timeout: Duration, clock: Clock) -> Self {
        Self { state: Arc::default(), start: clock.now(), clock, timeout }
    }

    /// Returns the failure of the request, whose last attempt failed like this.
    pub(super) fn failure(&self, last: Failure) -> Failure {
        if self.state.was_open.load(Ordering::Relaxed) { last.in_doubt() } else { last }
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
        if self.state.is_open.swap(false, Ordering::Relaxed) {
            self.state.was_open.store(true, Ordering::Relaxed);
        }
        if has_ended(self.start, self.timeout, &self.clock) {
            return Err("the request has ended".into());
        }
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.state.is_open.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if context.response().status().is_client_error() {
            self.state.is_open.store(false, Ordering::Relaxed);
        }
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
            assert!(request.interceptor(attempts).send().await.is_err());
            assert_eq!(service.count(), expected);
        }
    }
}
