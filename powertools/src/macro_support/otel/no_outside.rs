use lambda_runtime::Error;

use crate::aws::transport::{Client, Destination};
use crate::environment::Environment;

/// Plain HTTP needs no feature, wherever the server is.
pub(super) fn client(_: &Environment, to: &Destination, max_bytes: usize) -> Result<Client, Error> {
    match to.is_encrypted() {
        true => Err("an `https` URL needs the feature `tls` or `xray` of powertools-otel".into()),
        false => Ok(Client::new(max_bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_without_its_feature_is_an_error_before_any_connection() {
        let client = |url| client(&Environment::of([("", "")]), &Destination::parse(url)?, 1);
        let error = client("https://localhost:4318/v1/traces").unwrap_err();
        assert_eq!(
            error.to_string(),
            "an `https` URL needs the feature `tls` or `xray` of powertools-otel"
        );
        assert!(client("http://collector.example:4318/v1/traces").is_ok());
    }
}
