//! Which attempts are repeated, and how many.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::aws::transport::TransportError;

/// The tokens of a client. These numbers are those of the
/// [standard mode](https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html) of the SDKs.
const TOKENS: u32 = 500;
const RETRY: u32 = 5;
const RETRY_AFTER_TIMEOUT: u32 = 10;
const SUCCESS: u32 = 1;

/// Whether another attempt can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retry {
    Never,
    /// After a pause.
    Later,
    /// After a pause, and at a higher cost: the attempt timed out.
    AfterTimeout,
}

impl Retry {
    pub(super) fn of_transport(error: &TransportError) -> Self {
        match error {
            TransportError::Timeout(_) => Self::AfterTimeout,
            TransportError::Connect(_) | TransportError::Broken(_) => Self::Later,
            _ => Self::Never,
        }
    }

    /// Classifies an error of the service as the SDK does, and conflicts with transactions, which the
    /// SDK does not retry.
    pub(super) fn of_service(code: &str, status: u16) -> Self {
        match code {
            "TransactionConflictException"
            | "TransactionInProgressException"
            | "ReplicatedWriteConflictException"
            | "RequestTimeout"
            | "RequestTimeoutException"
            | "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "BandwidthLimitExceeded"
            | "LimitExceededException"
            | "RequestThrottled"
            | "SlowDown"
            | "PriorRequestNotComplete"
            | "EC2ThrottledException" => Self::Later,
            _ if matches!(status, 500 | 502 | 503 | 504) => Self::Later,
            _ => Self::Never,
        }
    }
}

/// The remaining retries of a client, so that an outage does not multiply its requests.
#[derive(Debug)]
pub(super) struct Quota(AtomicU32);

impl Quota {
    pub(super) fn new() -> Self {
        Self(AtomicU32::new(TOKENS))
    }

    /// Takes the cost of another attempt. Returns it, or `None` if the rest does not suffice or an
    /// attempt would not help.
    pub(super) fn take(&self, retry: Retry) -> Option<u32> {
        let cost = match retry {
            Retry::Never => return None,
            Retry::Later => RETRY,
            Retry::AfterTimeout => RETRY_AFTER_TIMEOUT,
        };
        let take = |tokens: u32| tokens.checked_sub(cost);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok().then_some(cost)
    }

    /// Returns to the quota what the last retry of a successful request cost, and a little for one
    /// without retries.
    pub(super) fn succeed(&self, cost: Option<u32>) {
        if cost.is_none() && self.0.load(Ordering::Relaxed) == TOKENS {
            return;
        }
        let back = cost.unwrap_or(SUCCESS);
        let give = |tokens: u32| Some((tokens + back).min(TOKENS));
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, give);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_exhausts_the_quota_and_successes_fill_it_slowly() {
        let quota = Quota::new();
        let retries = std::iter::from_fn(|| quota.take(Retry::Later)).count();
        assert_eq!(retries, 100);
        assert_eq!(quota.take(Retry::AfterTimeout), None);
        for _ in 0..5 {
            assert_eq!(quota.take(Retry::Later), None);
            quota.succeed(None);
        }
        assert_eq!(quota.take(Retry::Later), Some(5));
        quota.succeed(Some(5));
        assert_eq!(quota.take(Retry::Later), Some(5));
    }

    #[test]
    fn the_quota_never_exceeds_its_initial_value() {
        let quota = Quota::new();
        for _ in 0..10 {
            quota.succeed(Some(10));
        }
        assert_eq!(std::iter::from_fn(|| quota.take(Retry::Later)).count(), 100);
    }
}
