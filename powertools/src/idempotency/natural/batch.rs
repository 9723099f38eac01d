use super::{HasNaturalKey, NaturalKey};
use crate::batch::{Change, DynamoDbRecord, KafkaRecord, KinesisRecord, Message, SqsRecord};

impl HasNaturalKey for SqsRecord {
    fn natural_key(&self) -> NaturalKey {
        NaturalKey::new([self.message_id()])
    }
}

impl HasNaturalKey for KinesisRecord {
    fn natural_key(&self) -> NaturalKey {
        NaturalKey::new([self.stream_arn(), self.event_id()])
    }
}

impl HasNaturalKey for DynamoDbRecord {
    fn natural_key(&self) -> NaturalKey {
        NaturalKey::new([self.event_id()])
    }
}

impl HasNaturalKey for KafkaRecord {
    fn natural_key(&self) -> NaturalKey {
        let offset = self.offset().map(|offset| offset.to_string());
        NaturalKey::new([Some(self.partition()), offset.as_deref()])
    }
}

impl<T, R: HasNaturalKey> HasNaturalKey for Message<T, R> {
    fn natural_key(&self) -> NaturalKey {
        self.record.natural_key()
    }
}

impl<T> HasNaturalKey for Change<T> {
    fn natural_key(&self) -> NaturalKey {
        self.record.natural_key()
    }
}
