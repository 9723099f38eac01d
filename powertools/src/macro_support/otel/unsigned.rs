use std::convert::Infallible;
use std::time::Duration;

use hyper::header::HeaderMap;
use lambda_runtime::Error;

use crate::aws::transport::Destination;
use crate::environment::Environment;

pub(super) struct Signing(Infallible);

pub(super) enum Signed {}

impl Signing {
    pub(super) fn of(_: &Environment) -> Result<Self, Error> {
        Err("requests to X-Ray need the feature `xray` of powertools-otel".into())
    }

    pub(super) async fn sign(
        &self,
        _: &Destination,
        _: &mut HeaderMap,
        _: &[u8],
        _: Duration,
    ) -> Result<Signed, Error> {
        match self.0 {}
    }

    pub(super) fn refused(&self, signed: &Signed, _: Option<&str>) -> bool {
        match *signed {}
    }
}
