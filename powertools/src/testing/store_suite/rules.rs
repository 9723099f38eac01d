//! Who may write when.

use super::{KEPT, LEASE, Rule, SECOND, StoreSuite, completion, release, renewal};
use crate::idempotency::{
    Claim, Completion, Data, EpochMillis, EpochSeconds, Record, Status, Store,
};

pub(super) async fn check<S: Store>(suite: &StoreSuite<S>) {
    empty_keys(suite).await;
    claims(suite).await;
    leases(suite).await;
    expirations(suite).await;
    completions(suite).await;
    expected_expirations(suite).await;
    releases(suite).await;
    fencing(suite).await;
    odd_keys(suite).await;
}

async fn empty_keys<S: Store>(suite: &StoreSuite<S>) {
    let rule = suite.rule("a key without a record has no record");
    rule.same(rule.record().await, None, "the record");

    let rule = suite.rule("only a claim is completed");
    let result = rule.store.complete(&completion(&rule.claim_at(0))).await;
    rule.refused(result, "a completion").await;
    rule.same(rule.record().await, None, "the record");

    let rule = suite.rule("only a claim is released");
    let result = rule.store.release(&release(&rule.claim_at(0))).await;
    rule.refused(result, "a release").await;
    rule.same(rule.record().await, None, "the record");
}

async fn claims<S: Store>(suite: &StoreSuite<S>) {
    let rule = suite.rule("a claim writes a whole record");
    let claim = Claim { validation: Some("payload".to_owned()), ..rule.claim_at(0) };
    rule.applied(rule.store.claim(&claim).await, "a claim of an empty key");
    rule.same(rule.record().await, Some(claimed(&claim)), "the record");

    let rule = suite.rule("a held key is not claimed again");
    let claim = rule.claimed().await;
    rule.refused(rule.store.claim(&rule.claim_at(1)).await, "the second claim").await;
    rule.refused(rule.store.claim(&claim).await, "the first claim, sent again").await;
    rule.same(rule.record().await, Some(claimed(&claim)), "the record");

    let rule = suite.rule("a completed record is not claimed before it expires");
    let claim = rule.claimed().await;
    rule.applied(rule.store.complete(&completion(&claim)).await, "the completion");
    let record = rule.record().await;
    rule.refused(rule.store.claim(&rule.claim_at(1)).await, "a claim at once").await;
    let late = rule.claim_at(LEASE + SECOND);
    rule.refused(rule.store.claim(&late).await, "a claim after the end of the lease").await;
    rule.same(rule.record().await, record, "the record");

    let rule = suite.rule("a claim replaces the whole record");
    let first = Claim { validation: Some("payload".to_owned()), ..rule.claim_at(0) };
    rule.applied(rule.store.claim(&first).await, "the first claim");
    let mut done = completion(&first);
    done.data = Some(Data::Text("result".to_owned()));
    done.not_stored = Some("reason".to_owned());
    rule.applied(rule.store.complete(&done).await, "the completion");
    let second = rule.claim_at(KEPT + 10 * SECOND);
    rule.applied(rule.store.claim(&second).await, "a claim after the expiration");
    rule.same(rule.record().await, Some(claimed(&second)), "the record");
}

async fn leases<S: Store>(suite: &StoreSuite<S>) {
    let rule = suite.rule("a lease holds at its end and is past a millisecond later");
    rule.claimed().await;
    rule.refused(rule.store.claim(&rule.claim_at(LEASE - 1)).await, "a claim before").await;
    rule.refused(rule.store.claim(&rule.claim_at(LEASE)).await, "a claim at its end").await;
    let late = rule.claim_at(LEASE + 1);
    rule.applied(rule.store.claim(&late).await, "a claim a millisecond later");
    rule.same(rule.record().await, Some(claimed(&late)), "the record");
}

async fn expirations<S: Store>(suite: &StoreSuite<S>) {
    let rule = suite.rule("a record expires after the second of its expiration");
    let claim = rule.claimed().await;
    let mut done = completion(&claim);
    done.expiration = EpochSeconds(rule.start.floor().0 + 60);
    rule.applied(rule.store.complete(&done).await, "the completion");
    for millis in [60 * SECOND - 1, 60 * SECOND, 61 * SECOND - 1] {
        let early = rule.claim_at(millis);
        rule.refused(rule.store.claim(&early).await, &format!("a claim after {millis} ms")).await;
    }
    let late = rule.claim_at(61 * SECOND);
    rule.applied(rule.store.claim(&late).await, "a claim a second after the expiration");
    rule.same(rule.record().await, Some(claimed(&late)), "the record");
}

async fn completions<S: Store>(suite: &StoreSuite<S>) {
    let rule = suite.rule("only the owner completes a record");
    let claim = rule.claimed().await;
    let result = rule.store.complete(&completion(&rule.claim_at(0))).await;
    rule.refused(result, "another owner's completion").await;
    rule.same(rule.record().await, Some(claimed(&claim)), "the record");
    rule.applied(rule.store.complete(&completion(&claim)).await, "the owner's completion");

    let rule = suite.rule("the owner completes its record after the end of its lease");
    let claim = rule.lapsed().await;
    let now = EpochMillis(claim.lease_end.0 + 1);
    let late = Completion { now, ..completion(&claim) };
    rule.applied(rule.store.complete(&late).await, "the completion");

    let rule = suite.rule("a record is completed once");
    let claim = rule.claimed().await;
    rule.applied(rule.store.complete(&completion(&claim)).await, "the first completion");
    let record = rule.record().await;
    let mut again = completion(&claim);
    again.data = Some(Data::Text("again".to_owned()));
    rule.refused(rule.store.complete(&again).await, "the second completion").await;
    rule.same(rule.record().await, record, "the record");
}

/// What a completion knows of the record beside its owner may be wrong, also where the expiration stays.
async fn expected_expirations<S: Store>(suite: &StoreSuite<S>) {
    let rule = suite.rule("a completion may keep the expiration of its claim");
    let claim = rule.claimed().await;
    let stranger = in_its_second(&rule.claim_at(0));
    rule.refused(rule.store.complete(&stranger).await, "another owner's completion").await;
    rule.same(rule.record().await, Some(claimed(&claim)), "the record");
    rule.applied(rule.store.complete(&in_its_second(&claim)).await, "the completion");
    let expected = completed(&claim);
    rule.same(rule.record().await, Some(expected.clone()), "the record");
    rule.refused(rule.store.complete(&in_its_second(&claim)).await, "the second completion").await;
    rule.same(rule.record().await, Some(expected), "the record");

    let rule = suite.rule("a renewal whose answer was lost hinders no completion");
    let claim = rule.claimed().await;
    rule.applied(rule.store.renew(&renewal(&claim)).await, "the renewal");
    rule.applied(rule.store.complete(&in_its_second(&claim)).await, "the completion");
    rule.same(rule.record().await, Some(completed(&claim)), "the record");

    let rule = suite.rule("an owner without the lease completes nothing");
    let (loser, holder) = taken_over(&rule).await;
    rule.refused(rule.store.complete(&in_its_second(&loser)).await, "the loser's completion").await;
    rule.same(rule.record().await, Some(claimed(&holder)), "the record");
    rule.applied(rule.store.release(&release(&holder)).await, "the holder's release");
    rule.refused(rule.store.complete(&in_its_second(&loser)).await, "the loser's completion").await;
    rule.same(rule.record().await, None, "the record");
}

fn in_its_second(claim: &Claim) -> Completion {
    Completion { expiration: claim.expiration, ..completion(claim) }
}

/// Returns the record that such a completion of `claim` leaves.
fn completed(claim: &Claim) -> Record {
    Record { status: Status::Completed, in_progress_expiration: None, ..claimed(claim) }
}

async fn releases<S: Store>(suite: &StoreSuite<S>) {
    let rule = suite.rule("the owner releases a claim, and the key is free");
    let claim = rule.claimed().await;
    rule.applied(rule.store.release(&release(&claim)).await, "the release");
    rule.same(rule.record().await, None, "the record");
    rule.refused(rule.store.release(&release(&claim)).await, "the same release again").await;
    rule.applied(rule.store.claim(&rule.claim_at(1)).await, "a new claim");

    let rule = suite.rule("the owner releases its claim after the end of its lease");
    let claim = rule.lapsed().await;
    rule.applied(rule.store.release(&release(&claim)).await, "the release");
    rule.same(rule.record().await, None, "the record");

    let rule = suite.rule("only the owner releases a claim");
    let claim = rule.claimed().await;
    let result = rule.store.release(&release(&rule.claim_at(0))).await;
    rule.refused(result, "another owner's release").await;
    rule.same(rule.record().await, Some(claimed(&claim)), "the record");

    let rule = suite.rule("a completed record is not released");
    let claim = rule.claimed().await;
    rule.applied(rule.store.complete(&completion(&claim)).await, "the completion");
    let record = rule.record().await;
    rule.refused(rule.store.release(&release(&claim)).await, "the release").await;
    rule.same(rule.record().await, record, "the record");
}

async fn fencing<S: Store>(suite: &StoreSuite<S>) {
    let rule = suite.rule("an owner without the lease changes nothing");
    let (loser, holder) = taken_over(&rule).await;
    let mut late = completion(&loser);
    late.data = Some(Data::Text("late".to_owned()));
    rule.refused(rule.store.complete(&late).await, "the loser's completion").await;
    rule.refused(rule.store.release(&release(&loser)).await, "the loser's release").await;
    rule.same(rule.record().await, Some(claimed(&holder)), "the record");

    rule.applied(rule.store.complete(&completion(&holder)).await, "the holder's completion");
    let record = rule.record().await;
    rule.refused(rule.store.complete(&late).await, "the loser's completion").await;
    rule.refused(rule.store.release(&release(&loser)).await, "the loser's release").await;
    rule.same(rule.record().await, record, "the finished record");

    let rule = suite.rule("an owner without the lease does not create a released record again");
    let (loser, holder) = taken_over(&rule).await;
    rule.applied(rule.store.release(&release(&holder)).await, "the holder's release");
    rule.refused(rule.store.complete(&completion(&loser)).await, "the loser's completion").await;
    rule.same(rule.record().await, None, "the record");
}

async fn odd_keys<S: Store>(suite: &StoreSuite<S>) {
    const NAME: &str = "keys differ by every byte";

    let long = "k".repeat(suite.store.max_key_bytes() - suite.prefix.len());
    let tails = [
        "",
        " ",
        "  ",
        "a",
        "A",
        "a ",
        "#",
        "##",
        "/",
        "\\",
        "\"",
        "'",
        "%23",
        "a\nb",
        "a\tb",
        "é",
        "e\u{301}",
        "😀",
        "\u{7f}",
        "\u{1}",
        "[\"a\",1]",
        "{}",
        "null",
        ":id",
        "#id",
        &long,
    ];
    for tail in tails {
        let rule = suite.rule_on(NAME, format!("{}{tail}", suite.prefix).into());
        rule.same(rule.record().await, None, "the record of an unused key");
        let claim = rule.claimed().await;
        rule.same(rule.record().await, Some(claimed(&claim)), "the record");
    }
}

/// Returns a claim whose lease has ended, and the one that replaced it.
pub(super) async fn taken_over<S: Store>(rule: &Rule<'_, S>) -> (Claim, Claim) {
    let loser = rule.claimed().await;
    let holder = rule.claim_at(LEASE + 1);
    rule.applied(rule.store.claim(&holder).await, "a claim after the end of the lease");
    (loser, holder)
}

/// Returns the record that `claim` writes.
pub(super) fn claimed(claim: &Claim) -> Record {
    let mut record = Record::new(Status::InProgress);
    record.expiration = Some(claim.expiration);
    record.in_progress_expiration = Some(claim.lease_end);
    record.owner = Some(claim.owner.as_str().to_owned());
    record.attempt = claim.owner.attempt().map(str::to_owned);
    record.validation.clone_from(&claim.validation);
    record
}
