use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Deserializer};

use super::s3::decode_form;
use super::{HasNaturalKey, NaturalKey, RecordId};

/// The event by which a job of S3 Batch Operations invokes a function, in the versions 1.0 and 2.0 of
/// its schema.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "Event")]
#[non_exhaustive]
pub struct S3BatchEvent {
    /// The version of the schema, which the reply has too.
    pub invocation_schema_version: String,
    /// The id of the invocation, which the reply has too.
    pub invocation_id: String,
    /// The job.
    pub job: S3BatchJob,
    /// The tasks: one for each object. S3 sends one at a time.
    pub tasks: Vec<S3BatchTask>,
}

/// The event as S3 sends it, whose tasks do not have the id of their job.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(default)]
    invocation_schema_version: String,
    #[serde(default)]
    invocation_id: String,
    #[serde(default)]
    job: S3BatchJob,
    tasks: Vec<S3BatchTask>,
}

/// A job of S3 Batch Operations.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct S3BatchJob {
    /// The id of the job.
    pub id: String,
    /// The arguments that the creator of the job set, in version 2.0.
    #[serde(deserialize_with = "or_default")]
    pub user_arguments: HashMap<String, String>,
}

/// A task of S3 Batch Operations: an object to process.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct S3BatchTask {
    task_id: Option<String>,
    s3_key: Option<String>,
    s3_version_id: Option<String>,
    s3_bucket: Option<String>,
    s3_bucket_arn: Option<String>,
    /// The id of its job, which the event sets.
    #[serde(skip)]
    job_id: String,
}

impl From<Event> for S3BatchEvent {
    fn from(event: Event) -> Self {
        let Event { invocation_schema_version, invocation_id, job, mut tasks } = event;
        for task in &mut tasks {
            task.job_id.clone_from(&job.id);
        }
        Self { invocation_schema_version, invocation_id, job, tasks }
    }
}

fn or_default<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<HashMap<String, String>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl S3BatchTask {
    /// Returns what identifies the task in the reply.
    pub(crate) fn record_id(&self) -> Option<RecordId> {
        self.task_id().map(RecordId::from)
    }

    /// Returns the id of the task.
    #[must_use]
    pub fn task_id(&self) -> Option<&str> {
        self.task_id.as_deref()
    }

    /// Returns the name of the bucket.
    #[must_use]
    pub fn bucket(&self) -> Option<&str> {
        let of_arn = || self.s3_bucket_arn.as_deref()?.rsplit_once(":::").map(|(_, name)| name);
        self.s3_bucket.as_deref().or_else(of_arn)
    }

    /// Returns the key of the object, decoded as [`S3Record::key`](super::S3Record::key) is.
    #[must_use]
    pub fn key(&self) -> Option<Cow<'_, str>> {
        self.encoded_key().map(decode_form)
    }

    /// Returns the key of the object as the event contains it.
    #[must_use]
    pub fn encoded_key(&self) -> Option<&str> {
        self.s3_key.as_deref()
    }

    /// Returns the version of the object, if the manifest of the job has one.
    #[must_use]
    pub fn version_id(&self) -> Option<&str> {
        self.s3_version_id.as_deref()
    }
}

/// The ids of the job and of the task, which are the same when S3 retries it.
impl HasNaturalKey for S3BatchTask {
    fn natural_key(&self) -> NaturalKey {
        NaturalKey::new([Some(self.job_id.as_str()), self.task_id()])
    }
}
