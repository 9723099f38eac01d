use std::marker::PhantomData;

use crate::idempotency::{Call, Store};

#[cfg(feature = "aws-lambda-events")]
mod aws_lambda_events;

/// Finds out whether a function returns an HTTP response, by the type of its result.
///
/// An inherent method of `Response` takes precedence over the method of [`NoResponse`] with the same
/// name. Of a function that is generic over its result, nothing is known.
///
/// ```
/// use powertools::idempotency::{Idempotency, MemoryStore};
/// use powertools::macro_support::{NoResponse as _, Response};
///
/// let idempotency = Idempotency::new(MemoryStore::new())?;
/// let call = idempotency.operation("charge").key("order-7")?;
/// let call = Response::<Result<String, std::io::Error>>::NEW.keep_final(call);
/// # let _ = call;
/// # Ok::<(), powertools::idempotency::Error>(())
/// ```
#[derive(Debug)]
pub struct Response<T>(PhantomData<fn() -> T>);

impl<T> Response<T> {
    /// The only value.
    pub const NEW: Self = Self(PhantomData);
}

/// The method of [`Response`] for every other type.
pub trait NoResponse {
    /// Returns the call as it is.
    fn keep_final<S: Store>(&self, call: Call<S>) -> Call<S> {
        call
    }
}

impl<T> NoResponse for Response<T> {}
