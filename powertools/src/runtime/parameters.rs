use std::sync::{Arc, OnceLock};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lambda_runtime::Error;

use super::Powertools;
use super::lifecycle::{Flush, FlushTime, Lifecycle, Moments, Starting};
use crate::parameters::{Engine, Parameters};

/// The sources of a function's parameters, which are installed when it starts.
struct Values {
    parameters: Parameters,
    engine: OnceLock<Arc<Engine>>,
}

impl Lifecycle for Values {
    fn moments(&self) -> Moments {
        Moments::START | Moments::FLUSH_AFTER_REPLY
    }

    fn start<'a>(&'a self, _: &'a Starting) -> BoxFuture<'a, Result<(), Error>> {
        async {
            let (engine, error) = Engine::new(self.parameters.clone());
            if let Some(error) = error {
                return Err(error.into());
            }
            self.engine.get_or_init(|| Arc::new(engine)).install();
            Ok(())
        }
        .boxed()
    }

    fn flush<'a>(&'a self, flush: &'a Flush<'a>) -> BoxFuture<'a, ()> {
        async move {
            if flush.when == FlushTime::AfterReply
                && let Some(engine) = self.engine.get()
            {
                engine.settle(flush.time).await;
            }
        }
        .boxed()
    }
}

impl<S> Powertools<S> {
    /// Sets where [`parameters`](crate::parameters) come from, and how long they are kept.
    ///
    /// The sources are installed before the warm-ups run, wherever this is called, so that warm-ups can
    /// read values. Use [`warm_up_required`](Self::warm_up_required) for a value that the function
    /// cannot do without:
    ///
    /// ```no_run
    /// # use lambda_runtime::{Error, LambdaEvent};
    /// # use powertools::Powertools;
    /// # use powertools::parameters::{Extension, Parameters, Secret};
    /// # async fn handle(_: LambdaEvent<String>) -> Result<(), Error> { Ok(()) }
    /// static PASSWORD: Secret<String> = Secret::plain("prod/db/password");
    ///
    /// # async fn run() -> Result<(), Error> {
    /// Powertools::new(handle)
    ///     .parameters(Parameters::new().secrets_from(Extension::new()))
    ///     .warm_up_required("password", || PASSWORD.get())
    ///     .run()
    ///     .await
    /// # }
    /// ```
    ///
    /// An invalid variable, such as `POWERTOOLS_PARAMETERS_MAX_AGE`, ends the start with an error.
    pub fn parameters(mut self, parameters: Parameters) -> Self {
        self.lifecycle.push_first(Values { parameters, engine: OnceLock::new() });
        self
    }
}
