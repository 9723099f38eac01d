//! Sources, records and panics that take no care.

use std::mem;
use std::sync::atomic::{AtomicU32, Ordering};

use powertools::batch::{self, Batch, Error, Message, Record, Reply, Source};
use powertools::events::SqsEvent;
use powertools::testing::events::{self, SqsMessage};
use serde_json::json;

use super::{messages, outcomes, parse};

/// A record of an own source.
#[derive(Clone)]
struct Own {
    id: Option<&'static str>,
    /// The values of the source itself.
    has_identifier: Option<bool>,
}

struct OwnSource(Vec<Own>);

impl Source for OwnSource {
    type Record = Own;
    type Reply = Reply<&'static str>;

    fn take_records(&mut self) -> Result<Vec<Own>, Error> {
        Ok(mem::take(&mut self.0))
    }
}

impl Record for Own {
    type Identifier = &'static str;

    fn identifier(&self) -> Option<&'static str> {
        self.id
    }

    fn has_identifier(&self) -> bool {
        self.has_identifier.unwrap_or_else(|| Checked(self.id).has_identifier())
    }
}

/// The default of the trait.
#[derive(Clone)]
struct Checked(Option<&'static str>);

impl Record for Checked {
    type Identifier = &'static str;

    fn identifier(&self) -> Option<&'static str> {
        self.0
    }
}

#[tokio::test]
async fn a_custom_source_without_usable_identifiers_is_rejected() {
    for id in [None, Some("")] {
        let records =
            vec![Own { id: Some("a"), has_identifier: None }, Own { id, has_identifier: None }];
        let ran = AtomicU32::new(0);
        let report = Batch::new(OwnSource(records))
            .run(async |_: Own| {
                ran.fetch_add(1, Ordering::Relaxed);
                Ok::<_, String>(())
            })
            .await;
        let error = report.into_reply().unwrap_err();
        assert!(matches!(error, Error::IdentifierMissing { index: 1 }), "{error}");
        assert_eq!(ran.into_inner(), 0);
    }
}

#[tokio::test]
async fn a_failure_of_a_record_that_lied_about_its_identifier_is_not_lost() {
    for id in [None, Some("")] {
        let records = vec![Own { id, has_identifier: Some(true) }];
        let report = Batch::new(OwnSource(records)).run(async |_: Own| Err::<(), _>("no")).await;
        let error = report.into_reply().unwrap_err();
        assert!(matches!(error, Error::IdentifierMissing { index: 0 }), "{error}");
    }
}

/// A payload of a panic that panics as it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            std::panic::panic_any(Self);
        }
    }
}

#[tokio::test]
async fn a_panic_whose_payload_panics_fails_its_record_alone() {
    for concurrency in [1, 2] {
        let report = batch::sqs(messages(3))
            .concurrency(concurrency)
            .on_outcome(|_, _| std::panic::panic_any(Bomb))
            .permanent_if(|_| std::panic::panic_any(Bomb))
            .run(async |n: Message<u64>| {
                if n.body == 1 {
                    std::panic::panic_any(Bomb);
                }
                Ok::<_, String>(())
            })
            .await;
        assert_eq!(outcomes(&report), "sfs");
    }
}

/// No queue has a count of 0. Taken at its word, every failure would be the last one, and a group
/// would go on behind it.
#[tokio::test]
async fn a_max_receive_count_of_zero_does_not_let_a_group_go_on_after_a_failure() {
    let mut event = events::sqs("orders.fifo");
    for n in [1, 2] {
        event = event.message(SqsMessage::from(json!(n)).group("a").receive_count(1));
    }
    let batch = batch::sqs(parse::<SqsEvent>(event.build())).max_receive_count(0);
    let report = batch.run(async |_: Message<u64>| Err::<(), _>("no")).await;
    assert_eq!(outcomes(&report), "fn");
}
