use std::borrow::Cow;
use std::mem::take;

use super::mq::check_source;
use super::{Error, Record, Reply, Reporting, Source};
use crate::events::document_db::SOURCES;
use crate::events::{DocumentDbEvent, DocumentDbRecord, RecordId};

impl Source for DocumentDbEvent {
    type Record = DocumentDbRecord;
    type Reply = Reply;

    /// A change stream is ordered, and its batch is delivered again as a whole.
    const REPORTING: Reporting = Reporting::Checkpoint;

    const ACCEPTS_PARTIAL_RESPONSE: bool = false;

    fn take_records(&mut self) -> Result<Vec<DocumentDbRecord>, Error> {
        check_source(self.other_source.take(), SOURCES).map(|()| take(&mut self.records))
    }
}

impl Record for DocumentDbRecord {
    type Identifier = RecordId;

    fn identifier(&self) -> Option<RecordId> {
        self.record_id().filter(|id| !id.as_str().is_empty()).cloned()
    }

    /// Returns the collection and the key of the document.
    fn order(&self) -> Option<Cow<'_, str>> {
        let key = self.raw_key().map_or("", serde_json::value::RawValue::get);
        let [database, collection] =
            [self.database(), self.collection()].map(Option::unwrap_or_default);
        Some(format!("{database}.{collection} {key}").into())
    }
}
