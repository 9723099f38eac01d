use serde::Deserialize;

/// The detail of an S3 event on EventBridge, as in `EventBridge<S3Detail>`.
///
/// Unlike in a [notification](super::S3Notification) of a bucket, the key of the object is not
/// encoded. The detail of another event is an error.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "Sent")]
pub struct S3Detail(Sent);

/// What is read of a detail.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Sent {
    bucket: Bucket,
    object: Object,
    request_id: Option<String>,
    reason: Option<String>,
    deletion_type: Option<String>,
}

impl TryFrom<Sent> for S3Detail {
    type Error = &'static str;

    fn try_from(sent: Sent) -> Result<Self, Self::Error> {
        if sent.bucket.name.is_none() && sent.object.key.is_none() {
            return Err("not the detail of an event of S3: it has neither a bucket nor an object");
        }
        Ok(Self(sent))
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Bucket {
    name: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Object {
    key: Option<String>,
    size: Option<u64>,
    etag: Option<String>,
    version_id: Option<String>,
    sequencer: Option<String>,
}

impl S3Detail {
    /// Returns the name of the bucket.
    #[must_use]
    pub fn bucket(&self) -> Option<&str> {
        self.0.bucket.name.as_deref()
    }

    /// Returns the key of the object, as calls to S3 take it.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.0.object.key.as_deref()
    }

    /// Returns the size of the object in bytes.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.0.object.size
    }

    /// Returns the entity tag of the object, without quotes.
    #[must_use]
    pub fn e_tag(&self) -> Option<&str> {
        self.0.object.etag.as_deref()
    }

    /// Returns the version of the object, in a bucket that has versions.
    #[must_use]
    pub fn version_id(&self) -> Option<&str> {
        self.0.object.version_id.as_deref()
    }

    /// Returns the hexadecimal number that orders the puts and deletes of one object: see
    /// [`compare_sequencers`](super::S3Record::compare_sequencers).
    #[must_use]
    pub fn sequencer(&self) -> Option<&str> {
        self.0.object.sequencer.as_deref()
    }

    /// Returns the operation or the feature of S3 that caused the event, such as `PutObject`.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// Returns how the object was deleted, such as `Permanently Deleted`.
    #[must_use]
    pub fn deletion_type(&self) -> Option<&str> {
        self.0.deletion_type.as_deref()
    }

    /// Returns the id of the request to S3 that caused the event.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }
}
