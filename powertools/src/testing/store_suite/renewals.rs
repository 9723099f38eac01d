//! Who may extend a lease.

use super::rules::{claimed, taken_over};
use super::{LEASE, StoreSuite, completion, release, renewal};
use crate::idempotency::{Claim, EpochMillis, Outcome, Record, Renewal, Store};

pub(super) async fn check<S: Store>(suite: &StoreSuite<S>) {
    let rule = suite.rule("a renewal extends the lease and changes nothing else");
    let claim = Claim { validation: Some("payload".to_owned()), ..rule.claim_at(0) };
    rule.applied(rule.store.claim(&claim).await, "the claim");
    rule.applied(rule.store.renew(&renewal(&claim)).await, "the renewal");
    rule.same(rule.record().await, Some(renewed(&claim)), "the record");
    let early = rule.claim_at(2 * LEASE);
    rule.refused(rule.store.claim(&early).await, "a claim at the new end").await;
    let late = rule.claim_at(2 * LEASE + 1);
    rule.applied(rule.store.claim(&late).await, "a claim after the new end");

    let rule = suite.rule("a renewal never shortens a lease");
    let claim = rule.claimed().await;
    for lease_end in [claim.lease_end, EpochMillis(claim.lease_end.0 - 1)] {
        let shorter = Renewal { lease_end, ..renewal(&claim) };
        let what = format!("a renewal to {lease_end:?}");
        rule.refused(rule.store.renew(&shorter).await, &what).await;
    }
    rule.same(rule.record().await, Some(claimed(&claim)), "the record");

    let rule = suite.rule("only the owner renews a lease");
    let claim = rule.claimed().await;
    let stranger = renewal(&rule.claim_at(0));
    rule.refused(rule.store.renew(&stranger).await, "another owner's renewal").await;
    rule.same(rule.record().await, Some(claimed(&claim)), "the record");

    let rule = suite.rule("the owner renews a lease that has ended and was not taken over");
    let claim = rule.lapsed().await;
    let lease_end = EpochMillis(rule.start.0 + LEASE);
    let late = Renewal { lease_end, ..renewal(&claim) };
    rule.applied(rule.store.renew(&late).await, "the renewal");

    let rule = suite.rule("only a claim is renewed");
    let result = rule.store.renew(&renewal(&rule.claim_at(0))).await;
    rule.refused(result, "a renewal without a record").await;
    rule.same(rule.record().await, None, "the record");
    let claim = rule.claimed().await;
    rule.applied(rule.store.release(&release(&claim)).await, "the release");
    rule.refused(rule.store.renew(&renewal(&claim)).await, "a renewal after the release").await;
    rule.same(rule.record().await, None, "the record");

    let rule = suite.rule("a completed record is not renewed");
    let claim = rule.claimed().await;
    rule.applied(rule.store.complete(&completion(&claim)).await, "the completion");
    let record = rule.record().await;
    rule.refused(rule.store.renew(&renewal(&claim)).await, "the renewal").await;
    rule.same(rule.record().await, record, "the record");

    let rule = suite.rule("an owner without the lease does not renew it");
    let (loser, holder) = taken_over(&rule).await;
    let late = Renewal { lease_end: EpochMillis(holder.lease_end.0 + LEASE), ..renewal(&loser) };
    rule.refused(rule.store.renew(&late).await, "the loser's renewal").await;
    rule.same(rule.record().await, Some(claimed(&holder)), "the record");

    let rule = suite.rule("of a renewal and a claim at once after a lease, one is applied");
    let claim = rule.claimed().await;
    let (longer, other) = (renewal(&claim), rule.claim_at(LEASE + 1));
    let outcomes = tokio::join!(rule.store.renew(&longer), rule.store.claim(&other));
    let applied = [outcomes.0, outcomes.1].map(|outcome| matches!(outcome, Ok(Outcome::Applied)));
    rule.same(applied[0] != applied[1], true, "that one was applied");
    let owner = if applied[0] { &claim.owner } else { &other.owner };
    let found = rule.record().await.and_then(|record| record.owner);
    rule.same(found.as_deref(), Some(owner.as_str()), "the owner");
}

/// Returns the record that the renewal of `claim` leaves.
fn renewed(claim: &Claim) -> Record {
    let Renewal { lease_end, expiration, .. } = renewal(claim);
    claimed(&Claim { lease_end, expiration, ..claim.clone() })
}
