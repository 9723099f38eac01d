use std::sync::Arc;

use tokio::runtime::Handle;

use super::cell::{no_runtime, shut_down};
use super::engine::Engine;
use super::{Content, Error, Request, SourceError, SourceErrorKind, Version};
use crate::invocation::Invocation;

impl Engine {
    /// Writes a value in a task of its own, so that a caller who is cancelled cancels nothing, and forgets what
    /// is cached of it.
    pub(super) async fn set(
        self: &Arc<Self>,
        request: Request,
        content: Content,
    ) -> Result<(), Error> {
        request.check()?;
        if request.version != Version::Current {
            let message = "only a declaration of the current version can be set";
            let error = SourceError::new(SourceErrorKind::Unsupported, message);
            return Err(request.failed(error));
        }
        let runtime = Handle::try_current().map_err(|_| request.failed(no_runtime()))?;
        let source = self.source(request.kind).clone();
        let writing = Writing::begin(self.clone(), request.clone());
        let task = runtime.spawn(Invocation::carry(async move {
            let set = || source.set(&writing.request, content);
            writing.engine.settings.answer(set).await
        }));
        let written = task.await.unwrap_or_else(|_| Err(shut_down()));
        written.map_err(|error| request.failed(error))
    }
}

/// A write that runs. Its end comes in any case, also if the task is dropped with the runtime.
struct Writing {
    engine: Arc<Engine>,
    request: Request,
}

impl Writing {
    fn begin(engine: Arc<Engine>, request: Request) -> Self {
        engine.settings.running.begin();
        Self { engine, request }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        // Also after an error: it may have been written all the same.
        self.engine.forget(&self.request);
        self.engine.settings.running.end();
    }
}
