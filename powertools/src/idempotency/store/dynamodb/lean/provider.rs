use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError as SdkError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use futures_util::future::BoxFuture;
use tokio::time::timeout;

use crate::aws::credentials::{Credentials, CredentialsError, Fetch};

/// How long a provider has, as with the SDK's clients. It may need several requests for its answer.
const LIMIT: Duration = Duration::from_secs(5);

/// A provider of the AWS SDK. `Debug` shows nothing of it, since it may have the secret.
pub(super) struct SdkProvider(pub(super) SharedCredentialsProvider);

impl Fetch for SdkProvider {
    fn fetch(self: Arc<Self>) -> BoxFuture<'static, Result<Credentials, CredentialsError>> {
        Box::pin(async move {
            let found = timeout(LIMIT, self.0.provide_credentials()).await;
            let found = found.map_err(|_| CredentialsError::Late)?.map_err(not_fetched)?;
            Ok(Credentials {
                access_key_id: found.access_key_id().to_owned(),
                secret_access_key: found.secret_access_key().to_owned(),
                session_token: found.session_token().map(str::to_owned),
                account_id: found.account_id().map(|id| id.as_str().to_owned()),
                ends: found.expiry(),
            })
        })
    }
}

fn not_fetched(error: SdkError) -> CredentialsError {
    CredentialsError::NotFetched {
        place: "the provider of credentials",
        is_retryable: !matches!(
            error,
            SdkError::CredentialsNotLoaded(_) | SdkError::InvalidConfiguration(_)
        ),
        source: lambda_runtime::Error::from(error).into(),
    }
}

impl fmt::Debug for SdkProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SdkProvider(..)")
    }
}
