use lambda_runtime::LambdaEvent;

use super::Powertools;
use crate::idempotency::{
    Call, Error, Idempotency, IdempotencyLayer, IdempotencyService, Operation, Store,
};

impl<H> Powertools<H> {
    /// Makes the handler idempotent. See [`IdempotencyLayer`].
    pub fn idempotent<S, K, T>(
        self,
        idempotency: Idempotency<S>,
        name: impl Into<String>,
        key: K,
    ) -> Powertools<IdempotencyService<H, S, K>>
    where
        S: Store,
        K: Fn(Operation<'_, S>, &LambdaEvent<T>) -> Result<Call<S>, Error> + Clone,
    {
        self.layer(IdempotencyLayer::new(idempotency, name, key))
    }
}
