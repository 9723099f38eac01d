use aws_smithy_http_client::tls::Provider;

#[cfg(feature = "tls-fips")]
#[path = "fips.rs"]
mod chosen;
#[cfg(all(feature = "tls-aws-lc", not(feature = "tls-fips")))]
#[path = "aws_lc.rs"]
mod chosen;
#[cfg(not(any(feature = "tls-aws-lc", feature = "tls-fips")))]
#[path = "ring.rs"]
mod chosen;

/// The cryptography of the TLS connections, chosen by a feature of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tls {
    /// ring: feature `tls-ring`.
    Ring,
    /// AWS-LC: feature `tls-aws-lc`.
    AwsLc,
    /// The FIPS module of AWS-LC: feature `tls-fips`.
    AwsLcFips,
}

/// Returns the cryptography of the TLS connections in this program.
///
/// A function that must not run without FIPS checks it in `main`:
///
/// ```no_run
/// use powertools::aws::{self, Tls};
///
/// assert_eq!(aws::tls(), Tls::AwsLcFips, "build with the feature `tls-fips`");
/// ```
#[must_use]
pub fn tls() -> Tls {
    chosen::TLS
}

pub(super) fn provider() -> Provider {
    Provider::Rustls(chosen::MODE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fips_is_used_before_aws_lc_before_ring() {
        let expected = match (cfg!(feature = "tls-fips"), cfg!(feature = "tls-aws-lc")) {
            (true, _) => Tls::AwsLcFips,
            (false, true) => Tls::AwsLc,
            (false, false) => Tls::Ring,
        };
        assert_eq!(tls(), expected);
        let provider = format!("{:?}", provider());
        assert_eq!(
            provider,
            format!("Rustls({expected:?})"),
            "the function names the provider in use"
        );
    }
}
