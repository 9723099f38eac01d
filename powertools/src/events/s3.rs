use std::borrow::Cow;
use std::cmp::Ordering;
use std::iter::repeat;

use serde::Deserialize;

use super::{HasNaturalKey, NaturalKey, natural::of_the_only};

/// The test notice that S3 sends when a bucket's notifications are configured.
const TEST: &str = "s3:TestEvent";

/// The notifications of an S3 bucket, or its test notice.
///
/// A bucket sends them to a function, or to a queue or a topic: `Message<S3Notification>`,
/// `Message<Sns<S3Notification>>`. What comes from another source is an error.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Sent")]
#[non_exhaustive]
pub struct S3Notification {
    /// The notifications; Lambda sends one at a time. A test notice has none.
    pub records: Vec<S3Record>,
    /// True for the test notice that S3 sends when the notifications of a bucket are configured.
    pub is_test: bool,
}

/// What is read of a notification.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sent {
    records: Option<Vec<S3Record>>,
    event: Option<String>,
}

impl TryFrom<Sent> for S3Notification {
    type Error = &'static str;

    fn try_from(sent: Sent) -> Result<Self, Self::Error> {
        let is_test = sent.event.as_deref() == Some(TEST);
        match sent.records {
            Some(records) if !records.iter().all(S3Record::is_of_s3) => Err(
                "not a notification of S3: a record in it has another `eventSource`, or no `s3`",
            ),
            Some(records) => Ok(Self { records, is_test }),
            None if is_test => Ok(Self { records: Vec::new(), is_test }),
            None => Err("not a notification of S3: it has no list `Records`"),
        }
    }
}

/// A notification of an S3 bucket: what happened to an object.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct S3Record {
    // SNS writes it with a capital letter.
    #[serde(alias = "EventSource")]
    event_source: Option<String>,
    event_name: Option<String>,
    response_elements: Option<ResponseElements>,
    s3: S3,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ResponseElements {
    #[serde(rename = "x-amz-request-id")]
    request_id: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct S3 {
    bucket: Bucket,
    object: Object,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Bucket {
    name: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Object {
    key: Option<String>,
    size: Option<u64>,
    e_tag: Option<String>,
    version_id: Option<String>,
    sequencer: Option<String>,
}

impl S3Record {
    /// Returns true if it is what S3 sends, or a service that is compatible with it, such as `minio:s3`.
    fn is_of_s3(&self) -> bool {
        match &self.event_source {
            Some(source) => source.ends_with(":s3"),
            None => self.bucket().is_some() || self.encoded_key().is_some(),
        }
    }

    /// Returns what happened, such as `ObjectCreated:Put`.
    #[must_use]
    pub fn event_name(&self) -> Option<&str> {
        self.event_name.as_deref()
    }

    /// Returns the name of the bucket.
    #[must_use]
    pub fn bucket(&self) -> Option<&str> {
        self.s3.bucket.name.as_deref()
    }

    /// Returns the key of the object.
    ///
    /// S3 encodes keys in notifications as HTML forms do (`a+b%C3%A4` for `a bä`); this is the
    /// decoded key, as other calls to S3 take it. Bytes that are invalid UTF-8 become U+FFFD.
    #[must_use]
    pub fn key(&self) -> Option<Cow<'_, str>> {
        self.encoded_key().map(decode_form)
    }

    /// Returns the key of the object as the notification contains it.
    #[must_use]
    pub fn encoded_key(&self) -> Option<&str> {
        self.s3.object.key.as_deref()
    }

    /// Returns the size of the object in bytes.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.s3.object.size
    }

    /// Returns the entity tag of the object, without quotes.
    #[must_use]
    pub fn e_tag(&self) -> Option<&str> {
        self.s3.object.e_tag.as_deref()
    }

    /// Returns the version of the object, in a bucket that has versions.
    #[must_use]
    pub fn version_id(&self) -> Option<&str> {
        self.s3.object.version_id.as_deref()
    }

    /// Returns the hexadecimal number that orders the puts and deletes of one object.
    ///
    /// See [`compare_sequencers`](Self::compare_sequencers).
    #[must_use]
    pub fn sequencer(&self) -> Option<&str> {
        self.s3.object.sequencer.as_deref()
    }

    /// Returns which of two changes of one object came first, by their sequencers.
    ///
    /// Sequencers may differ in length: `B` is later than `0AFF`. Those of different objects cannot be
    /// compared.
    ///
    /// ```
    /// use std::cmp::Ordering;
    /// use powertools::events::S3Record;
    ///
    /// assert_eq!(S3Record::compare_sequencers("B", "0AFF"), Ordering::Greater);
    /// assert_eq!(S3Record::compare_sequencers("A0", "A"), Ordering::Equal);
    /// ```
    #[must_use]
    pub fn compare_sequencers(one: &str, other: &str) -> Ordering {
        // The shorter one is padded with zeros at its end, as S3's documentation of notifications says.
        let length = one.len().max(other.len());
        padded(one, length).cmp(padded(other, length))
    }

    /// Returns the id of the request to S3 that caused the notification.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.response_elements.as_ref()?.request_id.as_deref()
    }
}

/// The bucket, the object's key, the sequencer and the event's name.
///
/// Only notifications of puts and deletes have a sequencer. For others, such as those of tags and
/// ACLs, the key is absent: use the bucket, the object's key, the event's name and
/// [`request_id`](S3Record::request_id).
impl HasNaturalKey for S3Record {
    fn natural_key(&self) -> NaturalKey {
        NaturalKey::new([self.bucket(), self.encoded_key(), self.sequencer(), self.event_name()])
    }
}

/// The key of its only record. An event of several has none.
impl HasNaturalKey for S3Notification {
    fn natural_key(&self) -> NaturalKey {
        of_the_only(&self.records)
    }
}

/// The digits of a sequencer, in upper case, and zeros after them.
fn padded(sequencer: &str, length: usize) -> impl Iterator<Item = u8> {
    let digits = sequencer.bytes().map(|digit| digit.to_ascii_uppercase());
    digits.chain(repeat(b'0')).take(length)
}

/// Decodes `application/x-www-form-urlencoded`, as the URL Standard of WHATWG defines it.
pub(super) fn decode_form(text: &str) -> Cow<'_, str> {
    if !text.contains(['+', '%']) {
        return text.into();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        rest = others;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => match hexadecimal(others) {
                Some(byte) => {
                    rest = &others[2..];
                    byte
                }
                None => b'%',
            },
            byte => *byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned().into()
}

fn hexadecimal(digits: &[u8]) -> Option<u8> {
    let [high, low, ..] = digits else { return None };
    let [high, low] = [high, low].map(|digit| char::from(*digit).to_digit(16));
    Some((high? * 16 + low?) as u8)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_decoded_as_forms_are() {
        for (encoded, key) in [
            ("a/b.jpg", "a/b.jpg"),
            ("a+b%2B%C3%A4", "a b+ä"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("%ff", "\u{fffd}"),
        ] {
            assert_eq!(decode_form(encoded), key);
        }
    }

    #[test]
    fn a_notification_is_read_with_the_members_it_has() {
        for record in [json!({}), json!({ "s3": { "object": { "key": null } }, "other": 1 })] {
            let record: S3Record = serde_json::from_value(record).unwrap();
            assert_eq!((record.bucket(), record.key()), (None, None));
            assert!(record.natural_key().is_absent());
        }
    }
}
