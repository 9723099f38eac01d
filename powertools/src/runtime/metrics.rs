use futures_util::future::{BoxFuture, FutureExt, ready};
use lambda_runtime::Error;

use super::Powertools;
use super::lifecycle::{EventReceived, HandlerEnds, Lifecycle, Moments, Starting};
use crate::metrics::Metrics;
use crate::metrics::observer::Observed;

impl<S> Powertools<S> {
    /// Adds metrics with these settings: what an invocation records is written before its reply.
    ///
    /// The function does not start without a namespace, which
    /// [`Metrics::namespace`] or `POWERTOOLS_METRICS_NAMESPACE` sets.
    ///
    /// ```no_run
    /// use lambda_runtime::{Error, LambdaEvent};
    /// use powertools::Powertools;
    /// use powertools::metrics::{self, Metrics, Namespace};
    ///
    /// async fn handle(event: LambdaEvent<String>) -> Result<usize, Error> {
    ///     metrics::count("OrdersAccepted", 1);
    ///     Ok(event.payload.len())
    /// }
    ///
    /// #[tokio::main]
    /// async fn main() -> Result<(), Error> {
    ///     let metrics = Metrics::new().namespace(Namespace::from_static("Shop"));
    ///     Powertools::new(handle).metrics(metrics).run().await
    /// }
    /// ```
    pub fn metrics(mut self, metrics: Metrics) -> Self {
        self.lifecycle.change(|observed: &mut Observed| *observed = Observed::new(metrics));
        self
    }
}

impl Lifecycle for Observed {
    fn moments(&self) -> Moments {
        Moments::START | Moments::EVENT | Moments::HANDLER_ENDS
    }

    fn start<'a>(&'a self, _: &'a Starting) -> BoxFuture<'a, Result<(), Error>> {
        ready(self.start()).boxed()
    }

    fn event(&self, event: &EventReceived<'_>) {
        self.event(event.invocation);
    }

    /// What other values record at a later ending is written at once.
    fn handler_ends(&self, ends: &HandlerEnds<'_>) {
        self.handler_ends(ends.invocation);
    }
}
