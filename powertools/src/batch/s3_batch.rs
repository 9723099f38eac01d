use std::fmt;
use std::future::Future;
use std::iter::zip;
use std::time::Duration;

use serde::Serialize;

use super::{Batch, Error, Outcome, Record, RecordError, Source};
use crate::events::{RecordId, S3BatchEvent, S3BatchTask};

/// The tasks of a job of S3 Batch Operations. Created by [`s3_batch`](super::s3_batch).
#[must_use = "tasks do nothing until they run"]
pub struct S3Tasks<'a> {
    batch: Batch<'a, Tasks>,
    invocation_schema_version: String,
    invocation_id: String,
}

/// The reply to S3 Batch Operations: the result of each task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use = "a reply that the handler does not return loses the results"]
#[non_exhaustive]
pub struct S3BatchReply {
    /// The version of the schema, as in the event.
    pub invocation_schema_version: String,
    /// How S3 treats tasks without a result: `TemporaryFailure`. All tasks have one.
    pub treat_missing_keys_as: &'static str,
    /// The id of the invocation, as in the event.
    pub invocation_id: String,
    /// The results, in the order of the tasks.
    pub results: Vec<S3BatchResult>,
}

/// The result of a task, in the reply to S3 Batch Operations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct S3BatchResult {
    /// The id of the task.
    pub task_id: RecordId,
    /// `Succeeded`, `TemporaryFailure` or `PermanentFailure`.
    pub result_code: &'static str,
    /// What the handler returned, or the message of its error, for the report of the job.
    pub result_string: String,
}

impl<'a> S3Tasks<'a> {
    pub(super) fn new(event: S3BatchEvent) -> Self {
        let S3BatchEvent { invocation_schema_version, invocation_id, tasks, .. } = event;
        Self { batch: Batch::new(Tasks(tasks)), invocation_schema_version, invocation_id }
    }

    /// Sets the time before the invocation's deadline that is kept for the reply: see
    /// [`Batch::reserve`].
    pub fn reserve(mut self, time: Duration) -> Self {
        self.batch = self.batch.reserve(time);
        self
    }

    /// Calls `hook` with each task and its outcome: see [`Batch::on_outcome`].
    pub fn on_outcome(mut self, hook: impl FnMut(&S3BatchTask, &Outcome) + Send + 'a) -> Self {
        self.batch = self.batch.on_outcome(hook);
        self
    }

    /// Processes each task with `handler`, and returns the reply.
    ///
    /// What the handler returns becomes the result in the report of the job. A retryable error, a panic, or a
    /// lack of time is a temporary failure, which S3 retries; a [permanent](RecordError::permanent) error
    /// is a permanent one.
    ///
    /// # Errors
    ///
    /// Returns [`Error::IdentifierMissing`] if a task has no id.
    pub async fn run<F, Fut, T, E>(self, handler: F) -> Result<S3BatchReply, Error>
    where
        F: Fn(S3BatchTask) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        T: Into<String>,
        E: Into<RecordError>,
    {
        let Self { batch, invocation_schema_version, invocation_id } = self;
        let (mut report, values) = batch.run_with(handler).await;
        if let Some(error) = report.refused.take() {
            return Err(error);
        }
        let results = zip(report.records(), values).filter_map(|((task, outcome), value)| {
            let (result_code, result_string) = match (outcome.error(), value) {
                (_, Some(value)) => ("Succeeded", value.into()),
                (Some(error), None) if error.is_permanent() => {
                    ("PermanentFailure", error.to_string())
                }
                (Some(error), None) => ("TemporaryFailure", error.to_string()),
                (None, None) => ("TemporaryFailure", "the time ran out".to_owned()),
            };
            Some(S3BatchResult { task_id: task.record_id()?, result_code, result_string })
        });
        Ok(S3BatchReply {
            invocation_schema_version,
            treat_missing_keys_as: "TemporaryFailure",
            invocation_id,
            results: results.collect(),
        })
    }
}

impl fmt::Debug for S3Tasks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.batch.fmt(f)
    }
}

/// The tasks, as a batch whose reply is not a partial batch response.
#[derive(Debug)]
struct Tasks(Vec<S3BatchTask>);

impl Source for Tasks {
    type Record = S3BatchTask;

    fn into_records(self) -> Result<Vec<S3BatchTask>, Error> {
        Ok(self.0)
    }
}

impl Record for S3BatchTask {
    type Identifier = RecordId;

    fn identifier(&self) -> Option<RecordId> {
        self.record_id().filter(|id| !id.as_str().is_empty())
    }
}
