use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use lambda_runtime::Error;

use crate::aws::credentials::{Credentials, Provider, Source};
use crate::aws::sigv4::{Signer, Unsigned};
use crate::aws::skew::Skew;
use crate::aws::transport::Destination;
use crate::clock::Clock;
use crate::environment::Environment;

/// Signs requests to X-Ray with the credentials of the function.
pub(super) struct Signing {
    signer: Signer,
    credentials: Provider,
    clock: Clock,
    skew: Skew,
}

/// What a request was signed with.
pub(super) struct Signed {
    credentials: Arc<Credentials>,
    at: SystemTime,
}

impl Signing {
    pub(super) fn of(environment: &Environment) -> Result<Self, Error> {
        let region = environment.region().ok_or("AWS_REGION is not set")?;
        Ok(Self {
            signer: Signer::new(region, "xray"),
            credentials: Provider::new(Source::of(environment)),
            clock: Clock::system(),
            skew: Skew::default(),
        })
    }

    /// Adds the headers of a signature. The other headers are not signed.
    pub(super) async fn sign(
        &self,
        to: &Destination,
        headers: &mut HeaderMap,
        body: &[u8],
        limit: Duration,
    ) -> Result<Signed, Error> {
        let now = self.skew.now(&self.clock);
        let credentials = tokio::time::timeout(limit, self.credentials.get(now, limit)).await??;
        let host = to.host().to_str()?;
        let unsigned = Unsigned {
            method: "POST",
            path: to.path(),
            query: "",
            headers: &[("host", host)],
            body,
        };
        let signature = self.signer.sign(unsigned, &credentials, now);
        let mut secret = |name, value: &str| -> Result<(), Error> {
            let mut value = HeaderValue::try_from(value)?;
            value.set_sensitive(true);
            headers.insert(name, value);
            Ok(())
        };
        secret(HeaderName::from_static("x-amz-date"), &signature.date)?;
        secret(AUTHORIZATION, &signature.authorization)?;
        if let Some(token) = credentials.session_token() {
            secret(HeaderName::from_static("x-amz-security-token"), token)?;
        }
        Ok(Signed { credentials, at: now })
    }

    /// Notes that a request was refused at `date`. Returns true if another signature would differ: by other
    /// credentials, or by the clock of the service.
    pub(super) fn refused(&self, signed: &Signed, date: Option<&str>) -> bool {
        let has_others = self.credentials.forget(&signed.credentials);
        self.skew.follow(&self.clock, date, signed.at) || has_others
    }
}
