//! Every state that a record can be in, against the rules written down a second time.

use futures_util::stream::{self, StreamExt};

use super::{Insert, Rule, SECOND, StoreSuite, completion, release, renewal};
use crate::idempotency::Claim;
use crate::idempotency::{EpochMillis, EpochSeconds, Record, Status, Store};

/// The number of states that are checked concurrently, for stores with a long latency.
const ABREAST: usize = 8;

pub(super) async fn check<S: Store>(suite: &StoreSuite<S>, insert: &Insert) {
    stream::iter(states(suite.start))
        .for_each_concurrent(ABREAST, |record| claim_over(suite, insert, record))
        .await;

    // The times do not decide who may complete or release.
    let timeless = statuses().map(Record::new);
    let past = statuses().map(|status| {
        let mut record = Record::new(status);
        record.expiration = Some(EpochSeconds(suite.start.floor().0 - 60));
        record.in_progress_expiration = Some(EpochMillis(suite.start.0 - 60 * SECOND));
        record
    });
    stream::iter(timeless.into_iter().chain(past))
        .for_each_concurrent(ABREAST, |record| write_over(suite, insert, record))
        .await;
}

async fn claim_over<S: Store>(suite: &StoreSuite<S>, insert: &Insert, record: Record) {
    // In the middle of a second: whole seconds must not be rounded up.
    const MILLIS: u64 = 500;

    let rule = suite.rule("a claim takes what is free, and nothing else");
    insert(rule.key.clone(), record.clone()).await;
    rule.same(rule.record().await, Some(record.clone()), "the record that was put there");
    let claim = rule.claim_at(MILLIS);
    let outcome = rule.store.claim(&claim).await;
    if is_free(&record, claim.now.0) {
        rule.applied(outcome, &format!("a claim over {record:?}"));
        let owner = rule.record().await.and_then(|record| record.owner);
        rule.same(owner.as_deref(), Some(claim.owner.as_str()), "the owner");
    } else {
        rule.refused(outcome, &format!("a claim over {record:?}")).await;
        rule.same(rule.record().await, Some(record), "the record");
    }
}

async fn write_over<S: Store>(suite: &StoreSuite<S>, insert: &Insert, record: Record) {
    let rule = suite.rule("only the owner of unfinished work writes");
    unowned(&rule, insert, record.clone()).await;

    let claim = rule.claim_at(0);
    let record = Record { owner: Some(claim.owner.as_str().to_owned()), ..record };
    let held = record.status == Status::InProgress;
    insert(rule.key.clone(), record.clone()).await;
    let outcome = rule.store.complete(&completion(&claim)).await;
    if held {
        rule.applied(outcome, &format!("a completion of {record:?}"));
    } else {
        rule.refused(outcome, &format!("a completion of {record:?}")).await;
    }

    insert(rule.key.clone(), record.clone()).await;
    let outcome = rule.store.renew(&renewal(&claim)).await;
    // A lease without an end cannot become longer.
    if held && record.in_progress_expiration.is_some() {
        rule.applied(outcome, &format!("a renewal of {record:?}"));
    } else {
        rule.refused(outcome, &format!("a renewal of {record:?}")).await;
        rule.same(rule.record().await, Some(record.clone()), "the record");
    }

    insert(rule.key.clone(), record.clone()).await;
    let outcome = rule.store.release(&release(&claim)).await;
    if held {
        rule.applied(outcome, &format!("a release of {record:?}"));
        rule.same(rule.record().await, None, "the record");
    } else {
        rule.refused(outcome, &format!("a release of {record:?}")).await;
        rule.same(rule.record().await, Some(record), "the record");
    }
}

/// A record without an owner, as other toolkits write it, belongs to no claim.
async fn unowned<S: Store>(rule: &Rule<'_, S>, insert: &Insert, record: Record) {
    let record = Record { owner: None, ..record };
    insert(rule.key.clone(), record.clone()).await;
    let stranger: Claim = rule.claim_at(0);
    let outcome = rule.store.complete(&completion(&stranger)).await;
    rule.refused(outcome, "the completion of a record without an owner").await;
    let outcome = rule.store.renew(&renewal(&stranger)).await;
    rule.refused(outcome, "the renewal of a record without an owner").await;
    let outcome = rule.store.release(&release(&stranger)).await;
    rule.refused(outcome, "the release of a record without an owner").await;
    rule.same(rule.record().await, Some(record), "the record without an owner");
}

/// Every status, with each time missing, long past, just past, now, and to come.
fn states(start: EpochMillis) -> Vec<Record> {
    let second = start.floor().0;
    let seconds = [None, Some(second - 60), Some(second - 1), Some(second), Some(second + 60)];
    let millis = [None, Some(start.0 - SECOND), Some(start.0 + 499), Some(start.0 + 500)];
    let millis = millis.into_iter().chain([Some(start.0 + 60 * SECOND)]);

    let mut states = Vec::new();
    for lease_end in millis {
        for expiration in seconds {
            for status in statuses() {
                let mut record = Record::new(status);
                record.expiration = expiration.map(EpochSeconds);
                record.in_progress_expiration = lease_end.map(EpochMillis);
                states.push(record);
            }
        }
    }
    states
}

fn statuses() -> [Status; 3] {
    [Status::InProgress, Status::Completed, Status::Other("PAUSED".to_owned())]
}

/// Returns the outcome of [`Store::claim`], in other words.
fn is_free(record: &Record, now: u64) -> bool {
    let expired = match record.expiration {
        Some(EpochSeconds(second)) => second < now / SECOND,
        None => false,
    };
    let lapsed = match (&record.status, record.in_progress_expiration) {
        (Status::InProgress, Some(EpochMillis(end))) => end < now,
        _ => false,
    };
    expired || lapsed
}
