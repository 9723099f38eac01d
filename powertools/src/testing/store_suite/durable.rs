//! Who may continue the claim of a durable execution.

use super::rules::claimed;
use super::{LEASE, Rule, StoreSuite, TIMEOUT, completion, release, renewal};
use crate::idempotency::{Claim, Outcome, Owner, Record, Reentry, Store};
use crate::invocation::DurableExecution;

pub(super) async fn check<S: Store>(suite: &StoreSuite<S>) {
    let rule = suite.rule("a claim of a durable execution has its attempt in the record");
    let claim = Claim { validation: Some("payload".to_owned()), ..rule.durable(ARN) };
    rule.applied(rule.store.claim(&claim).await, "the claim");
    rule.same(rule.record().await, Some(claimed(&claim)), "the record");
    let next = rule.durable(ARN);
    rule.refused(rule.store.claim(&next).await, "another claim of the same execution").await;
    rule.same(rule.record().await, Some(claimed(&claim)), "the record");

    let rule = suite.rule("a re-entry changes the attempt and nothing else");
    let claim = Claim { validation: Some("payload".to_owned()), ..rule.durable(ARN) };
    rule.applied(rule.store.claim(&claim).await, "the claim");
    let next = rule.durable(ARN);
    rule.applied(rule.store.reenter(&reentry(&claim, &next)).await, "the re-entry");
    rule.same(rule.record().await, Some(reentered(&claim, &next)), "the record");

    let rule = suite.rule("a claim is continued after the end of its lease");
    let claim = Claim { owner: rule.durable(ARN).owner, ..rule.ended_claim() };
    rule.applied(rule.store.claim(&claim).await, "the claim");
    let next = rule.durable(ARN);
    rule.applied(rule.store.reenter(&reentry(&claim, &next)).await, "the re-entry");

    let rule = suite.rule("an attempt is continued once");
    let (earlier, current) = rule.continued().await;
    for late in [rule.durable(ARN), current.clone()] {
        let result = rule.store.reenter(&reentry(&earlier, &late)).await;
        rule.refused(result, "a re-entry from the earlier attempt").await;
    }
    rule.same(rule.record().await, Some(reentered(&earlier, &current)), "the record");

    let rule = suite.rule("only its own execution continues a claim");
    let claim = rule.durable(ARN);
    rule.applied(rule.store.claim(&claim).await, "the claim");
    let stranger = rule.durable("another execution");
    rule.refused(rule.store.reenter(&reentry(&claim, &stranger)).await, "a re-entry").await;
    rule.same(rule.record().await, Some(claimed(&claim)), "the record");

    let rule = suite.rule("an earlier attempt writes nothing");
    let (earlier, current) = rule.continued().await;
    rule.refused(rule.store.complete(&completion(&earlier)).await, "its completion").await;
    rule.refused(rule.store.renew(&renewal(&earlier)).await, "its renewal").await;
    rule.refused(rule.store.release(&release(&earlier)).await, "its release").await;
    rule.same(rule.record().await, Some(reentered(&earlier, &current)), "the record");

    let rule = suite.rule("the current attempt renews, completes and releases");
    let (_, current) = rule.continued().await;
    rule.applied(rule.store.renew(&renewal(&current)).await, "its renewal");
    rule.applied(rule.store.complete(&completion(&current)).await, "its completion");
    let attempt = rule.record().await.and_then(|record| record.attempt);
    rule.same(attempt.as_deref(), current.owner.attempt(), "the attempt of the finished record");
    let rule = suite.rule("the current attempt renews, completes and releases");
    let (_, current) = rule.continued().await;
    rule.applied(rule.store.release(&release(&current)).await, "its release");
    rule.same(rule.record().await, None, "the record");

    let rule = suite.rule("only a claim is continued");
    let (claim, next) = (rule.durable(ARN), rule.durable(ARN));
    rule.refused(rule.store.reenter(&reentry(&claim, &next)).await, "without a record").await;
    rule.same(rule.record().await, None, "the record");
    rule.applied(rule.store.claim(&claim).await, "the claim");
    rule.applied(rule.store.complete(&completion(&claim)).await, "the completion");
    let record = rule.record().await;
    rule.refused(rule.store.reenter(&reentry(&claim, &next)).await, "of a finished record").await;
    rule.same(rule.record().await, record, "the record");

    let rule = suite.rule("a later claim replaces the attempt");
    rule.continued().await;
    let plain = rule.claim_at(LEASE + 1);
    rule.applied(rule.store.claim(&plain).await, "a claim after the end of the lease");
    rule.same(rule.record().await, Some(claimed(&plain)), "the record");

    let rule = suite.rule("of two invocations that continue one attempt, one does");
    let claim = rule.durable(ARN);
    rule.applied(rule.store.claim(&claim).await, "the claim");
    let rivals = [rule.durable(ARN), rule.durable(ARN)];
    let reentries = rivals.each_ref().map(|rival| reentry(&claim, rival));
    let outcomes =
        tokio::join!(rule.store.reenter(&reentries[0]), rule.store.reenter(&reentries[1]));
    let applied = [outcomes.0, outcomes.1].map(|outcome| matches!(outcome, Ok(Outcome::Applied)));
    rule.same(applied[0] != applied[1], true, "that one was applied");
    let winner = &rivals[usize::from(applied[1])];
    rule.same(rule.record().await, Some(reentered(&claim, winner)), "the record");
}

const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:orders:1/durable-execution/a/b";

impl<S: Store> Rule<'_, S> {
    /// Returns a claim by an invocation of a durable execution.
    fn durable(&self, arn: &str) -> Claim {
        let owner = Owner::of_execution(&DurableExecution::new(arn));
        let owner = owner.expect("the operating system has random numbers");
        Claim { owner, ..self.claim_at(0) }
    }

    /// Returns the first claim of an execution, and the one that continues it.
    async fn continued(&self) -> (Claim, Claim) {
        let (claim, next) = (self.durable(ARN), self.durable(ARN));
        self.applied(self.store.claim(&claim).await, "the claim");
        self.applied(self.store.reenter(&reentry(&claim, &next)).await, "the re-entry");
        (claim, next)
    }
}

fn reentry(earlier: &Claim, next: &Claim) -> Reentry {
    Reentry {
        key: next.key.clone(),
        owner: next.owner.clone(),
        earlier: earlier.owner.attempt().unwrap_or_default().to_owned(),
        timeout: TIMEOUT,
    }
}

/// Returns the record of `claim` after `next` has continued it.
fn reentered(claim: &Claim, next: &Claim) -> Record {
    Record { attempt: next.owner.attempt().map(str::to_owned), ..claimed(claim) }
}
