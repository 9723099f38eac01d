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
