use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Batch, FromRecord, RecordError, Report, Source, ValueOf};
use crate::idempotency::{Call, Error, Idempotency, Operation, Store};

/// A batch whose records are each processed once. Created by [`Batch::idempotent`].
#[must_use = "a batch does nothing until it runs"]
pub struct IdempotentBatch<'a, S: Source, St, M, K> {
    batch: Batch<'a, S>,
    idempotency: Idempotency<St>,
    name: String,
    key: K,
    message: PhantomData<fn(M)>,
}

impl<'a, S: Source> Batch<'a, S> {
    /// Makes the processing of each record idempotent: `name` is the name of the operation, and `key`
    /// returns what two deliveries of a record have in common.
    ///
    /// This is the last option of a batch, followed by `run`. Results are kept for 24 hours, unless
    /// `key` or the options of `idempotency` set
    /// [another time](crate::idempotency::Builder::expires_after); it should exceed the time during
    /// which the source delivers a record again. A record that is rejected by a lease which expires
    /// within 2 seconds waits for it. One that is rejected by a lease until after the deadline waits
    /// for the records that run concurrently, one of which may hold it. It is then retried.
    ///
    /// ```
    /// use lambda_runtime::{Error, LambdaEvent};
    /// use powertools::batch::{self, Message, Reply};
    /// use powertools::events::SqsEvent;
    /// use powertools::idempotency::{Idempotency, MemoryStore};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Order {
    ///     id: String,
    /// }
    ///
    /// async fn charge(order: Message<Order>) -> Result<(), Error> {
    ///     println!("charged {}, once", order.body.id);
    ///     Ok(())
    /// }
    ///
    /// async fn handle(
    ///     idempotency: Idempotency<MemoryStore>,
    ///     event: LambdaEvent<SqsEvent>,
    /// ) -> Result<Reply, batch::Error> {
    ///     batch::sqs(event.payload)
    ///         .concurrency(8)
    ///         .idempotent(idempotency, "charge", |work, order: &Message<Order>| {
    ///             work.key(&order.body.id)
    ///         })
    ///         .run(charge)
    ///         .await
    ///         .into_reply()
    /// }
    /// # let _ = handle;
    /// ```
    pub fn idempotent<St, M, K>(
        self,
        idempotency: Idempotency<St>,
        name: impl Into<String>,
        key: K,
    ) -> IdempotentBatch<'a, S, St, M, K>
    where
        St: Store,
        K: Fn(Operation<'_, St>, &M) -> Result<Call<St>, Error>,
    {
        IdempotentBatch { batch: self, idempotency, name: name.into(), key, message: PhantomData }
    }
}

impl<'a, S, St, M, K> IdempotentBatch<'a, S, St, M, K>
where
    S: Source,
    St: Store,
    M: FromRecord<S::Record>,
    K: Fn(Operation<'_, St>, &M) -> Result<Call<St>, Error>,
    ValueOf<S>: Serialize + DeserializeOwned,
{
    fn once(self) -> (Batch<'a, S>, Once<St, K>) {
        let Self { batch, idempotency, name, key, .. } = self;
        (batch, Once { idempotency, name, key })
    }

    /// Processes each record with `handler`, once: see [`Batch::run`].
    pub async fn run<F, Fut, E>(self, handler: F) -> Report<S>
    where
        F: Fn(M) -> Fut,
        Fut: Future<Output = Result<ValueOf<S>, E>>,
        E: Into<RecordError>,
    {
        let (batch, once) = self.once();
        let (once, handler) = (&once, &handler);
        batch.run(move |message| once.run(message, handler)).await
    }

    /// Processes each record with `handler`, once and in a task of its own: see
    /// [`Batch::run_spawned`].
    pub async fn run_spawned<F, Fut, E>(self, handler: F) -> Report<S>
    where
        St: Send + Sync + 'static,
        M: Send + Sync + 'static,
        K: Send + Sync + 'static,
        F: Fn(M) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<ValueOf<S>, E>> + Send + 'static,
        E: Into<RecordError> + 'static,
        ValueOf<S>: Send + 'static,
    {
        let (batch, once) = self.once();
        let shared = Arc::new((once, handler));
        let once = move |message| {
            let shared = shared.clone();
            async move { shared.0.run(message, &shared.1).await }
        };
        batch.run_spawned(once).await
    }
}

/// Processes a record once.
struct Once<St, K> {
    idempotency: Idempotency<St>,
    name: String,
    key: K,
}

impl<St: Store, K> Once<St, K> {
    async fn run<M, F, Fut, T, E>(&self, message: M, handler: &F) -> Result<T, RecordError>
    where
        K: Fn(Operation<'_, St>, &M) -> Result<Call<St>, Error>,
        F: Fn(M) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        T: Serialize + DeserializeOwned,
        E: Into<RecordError>,
    {
        let operation = self.idempotency.operation(self.name.as_str()).of_record();
        let call = (self.key)(operation, &message)?;
        let work = async { handler(message).await.map_err(Into::into) };
        call.run::<_, T, RecordError>(work).await
    }
}

impl<S, St, M, K> fmt::Debug for IdempotentBatch<'_, S, St, M, K>
where
    S: Source + fmt::Debug,
    St: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotentBatch")
            .field("batch", &self.batch)
            .field("idempotency", &self.idempotency)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
