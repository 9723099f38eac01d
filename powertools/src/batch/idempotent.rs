use std::fmt;
use std::future::Future;
use std::marker::PhantomData;

use super::{Batch, FromRecord, RecordError, Report, Source};
use crate::idempotency::{Call, Error, Idempotency, Operation, Store};

/// A batch whose records are each handled once. Made by [`Batch::idempotent`].
#[must_use = "a batch does nothing until it runs"]
pub struct IdempotentBatch<'a, S: Source, St, M, K> {
    batch: Batch<'a, S>,
    idempotency: Idempotency<St>,
    name: String,
    key: K,
    message: PhantomData<fn(M)>,
}

impl<'a, S: Source> Batch<'a, S> {
    /// Makes the handling of each record idempotent: `name` is that of the work, and `key` says
    /// what makes two records the same.
    ///
    /// The last option of a batch: what follows is `run`. Results are kept for 24 hours, unless
    /// `key` or the options of `idempotency` say
    /// [how long](crate::idempotency::Builder::expires_after): it should be longer than the source
    /// delivers a record again. A record that is refused by a lease which ends within 2 seconds
    /// waits for it, and one that is refused by a lease until after the deadline waits for the
    /// records beside it, one of which may have it; it is then handled.
    ///
    /// ```
    /// use lambda_runtime::{Error, LambdaEvent};
    /// use powertools::batch::{self, Message, Reply, SqsEvent};
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
    /// type Records = Idempotency<MemoryStore>;
    ///
    /// async fn handle(
    ///     records: Records,
    ///     event: LambdaEvent<SqsEvent>,
    /// ) -> Result<Reply, batch::Error> {
    ///     batch::sqs(event.payload)
    ///         .concurrency(8)
    ///         .idempotent(records, "charge", |work, order: &Message<Order>| {
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

impl<S, St, M, K> IdempotentBatch<'_, S, St, M, K>
where
    S: Source,
    St: Store,
    M: FromRecord<S::Record>,
    K: Fn(Operation<'_, St>, &M) -> Result<Call<St>, Error>,
{
    /// Handles each record with `handler`, once: see [`Batch::run`].
    pub async fn run<F, Fut, E>(self, handler: F) -> Report<S>
    where
        F: Fn(M) -> Fut,
        Fut: Future<Output = Result<(), E>>,
        E: Into<RecordError>,
    {
        let Self { batch, idempotency, name, key, .. } = self;
        let once = async |message: M| {
            let call = key(idempotency.operation(name.as_str()).of_record(), &message)?;
            let work = async { handler(message).await.map_err(Into::into) };
            call.run::<_, (), RecordError>(work).await
        };
        batch.run(once).await
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
