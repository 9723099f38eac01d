use lambda_runtime::Error;

use crate::aws::transport::{Client, Destination};
use crate::environment::Environment;

pub(super) fn client(
    environment: &Environment,
    _: &Destination,
    max_bytes: usize,
) -> Result<Client, Error> {
    Ok(Client::outside(environment, max_bytes)?)
}
