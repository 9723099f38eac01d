use std::iter::zip;
use std::mem::take;

use serde::Serialize;

use super::{Error, Outcome, Record, Report, Source, SourceReply};
use crate::events::{RecordId, S3BatchEvent, S3BatchTask};

/// The most bytes of all result strings: JSON writes each of them as up to six, and Lambda takes 6 MiB.
const LARGEST: usize = 900 << 10;

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
    /// What the handler returned, or the message of its error, for the report of the job. Each is cut after
    /// 900 KiB divided by the number of tasks, whatever the length of the others, so that the reply never
    /// exceeds what Lambda takes. S3 sends one task at a time.
    pub result_string: String,
}

impl SourceReply<S3BatchEvent> for S3BatchReply {
    /// For the report of the job.
    type Value = String;

    fn from_report(
        report: &Report<S3BatchEvent>,
        values: Vec<Option<String>>,
    ) -> Result<Self, Error> {
        let mut results = Vec::with_capacity(values.len());
        let longest = LARGEST / values.len().max(1);
        for (index, ((task, outcome), value)) in zip(report.records(), values).enumerate() {
            let task_id = task.identifier().ok_or(Error::IdentifierMissing { index })?;
            let (result_code, mut result_string) = match outcome {
                Outcome::Succeeded => ("Succeeded", value.unwrap_or_default()),
                Outcome::Failed(error) | Outcome::Permanent(error) if error.is_permanent() => {
                    ("PermanentFailure", error.to_string())
                }
                Outcome::Failed(error) | Outcome::Permanent(error) => {
                    ("TemporaryFailure", error.to_string())
                }
                Outcome::Stopped => ("TemporaryFailure", "the time ran out".to_owned()),
                Outcome::NotStarted => ("TemporaryFailure", "it was not started".to_owned()),
            };
            // Without a reply, S3 would run a task again that is done.
            result_string.truncate(result_string.floor_char_boundary(longest));
            results.push(S3BatchResult { task_id, result_code, result_string });
        }
        let event = report.source();
        Ok(Self {
            invocation_schema_version: event.invocation_schema_version.clone(),
            treat_missing_keys_as: "TemporaryFailure",
            invocation_id: event.invocation_id.clone(),
            results,
        })
    }
}

impl Source for S3BatchEvent {
    type Record = S3BatchTask;
    type Reply = S3BatchReply;

    fn take_records(&mut self) -> Result<Vec<S3BatchTask>, Error> {
        Ok(take(&mut self.tasks))
    }
}

impl Record for S3BatchTask {
    type Identifier = RecordId;

    fn identifier(&self) -> Option<RecordId> {
        self.record_id().filter(|id| !id.as_str().is_empty())
    }
}
