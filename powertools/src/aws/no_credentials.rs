//! What it means for a call of an SDK client that there are no credentials.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;

use crate::error::causes::causes;

/// Why a call has no credentials. Of several reasons the first one here counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lack {
    /// Another attempt would find none.
    Missing,
    /// They could not be fetched this time.
    NotFetched,
}

/// Returns why a call has no credentials, if that is what it failed for.
pub(crate) fn lack_of_credentials(error: &(dyn Error + 'static)) -> Option<Lack> {
    causes(error).filter_map(lack_in).min()
}

fn lack_in(cause: &(dyn Error + 'static)) -> Option<Lack> {
    match cause.downcast_ref() {
        Some(
            CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_),
        ) => Some(Lack::Missing),
        Some(_) => Some(Lack::NotFetched),
        // This error has no public type. It means that the client has no provider of credentials at all.
        None => cause.to_string().contains("no identity resolver").then_some(Lack::Missing),
    }
}
