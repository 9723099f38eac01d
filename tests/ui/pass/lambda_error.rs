//! Every shape of error type.

#![forbid(unsafe_code)]
#![deny(warnings)]
#![allow(dead_code)]

use std::fmt;

use lambda_runtime::Diagnostic;
use powertools::{LambdaError, idempotency};

/// Any name, any shape.
#[derive(Debug, thiserror::Error, LambdaError)]
#[non_exhaustive]
enum OrderError {
    #[error("declined")]
    #[error_type = "CardDeclined"]
    #[permanent]
    Declined,
    #[error("no such order: {0}")]
    #[retryable]
    Unknown(u64),
    #[error("too late by {by}")]
    Late { by: u64, #[source] source: std::io::Error },
    #[error(transparent)]
    Idempotency(#[from] idempotency::Error),
    #[error(transparent)]
    Named { #[from] inner: Declined },
    #[error(transparent)]
    Boxed(#[from] lambda_runtime::Error),
    #[error(transparent)]
    #[error_type = "Other"]
    Other(#[from] anyhow::Error),
    #[cfg(any())]
    #[error("never")]
    Never(Missing),
}

#[derive(Debug, thiserror::Error, LambdaError)]
#[error("declined")]
#[permanent]
struct Declined;

#[derive(Debug, thiserror::Error, LambdaError)]
#[error("status {0}")]
#[error_type = "Service.Status"]
struct Status(u16);

#[derive(Debug, thiserror::Error, LambdaError)]
#[error(transparent)]
struct Whole {
    source: Box<OrderError>,
}

/// All permanent, but for one.
#[derive(Debug, LambdaError)]
#[permanent]
#[error_type = "Invalid"]
enum ByHand {
    Empty,
    #[retryable]
    Busy(u8),
}

impl fmt::Display for ByHand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("by hand")
    }
}

impl std::error::Error for ByHand {}

#[derive(Debug, thiserror::Error, LambdaError)]
enum Nothing {}

#[derive(Debug, thiserror::Error, LambdaError)]
enum Generic<E, const N: usize = 1>
where
    E: std::error::Error + 'static,
{
    #[error(transparent)]
    Inner(E),
    #[error("{N} times")]
    Times([u8; N]),
}

mod vendor {
    pub use powertools::*;
}

#[derive(Debug, thiserror::Error, vendor::LambdaError)]
#[lambda_error(crate = crate::vendor)]
#[error("renamed")]
struct Renamed;

macro_rules! error {
    ($name:ident) => {
        #[derive(Debug, thiserror::Error, LambdaError)]
        #[error("by a macro")]
        struct $name;
    };
}

error!(ByMacro);

fn in_a_function() -> &'static str {
    #[derive(Debug, thiserror::Error, LambdaError)]
    #[error("local")]
    struct Local;

    Local.error_type()
}

fn main() {
    let told: Diagnostic = OrderError::Declined.into();
    assert_eq!(told.error_type, "CardDeclined");
    let told: Diagnostic = Generic::<_, 1>::Inner(Declined).into();
    assert_eq!(told.error_type, "Declined");
    assert_eq!(in_a_function(), "Local");
    assert_eq!(ByMacro.error_type(), "ByMacro");
    assert!(ByHand::Empty.is_permanent() && !ByHand::Busy(1).is_permanent());
}
