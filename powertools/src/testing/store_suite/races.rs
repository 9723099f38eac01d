//! Many at once.

use futures_util::future::join_all;

use super::{KEPT, LEASE, Rule, SECOND, StoreSuite, completion, release};
use crate::idempotency::Store;
use crate::idempotency::{Claim, Outcome};

/// How many do the same at once, and how often.
const RIVALS: usize = 16;
const ROUNDS: usize = 2;

pub(super) async fn check<S: Store>(suite: &StoreSuite<S>) {
    for _ in 0..ROUNDS {
        let rule = suite.rule("of many claims at once, one is applied");
        rule.race(0).await;

        let rule = suite.rule("of many claims at once after a lease, one is applied");
        rule.claimed().await;
        rule.race(LEASE + 1).await;

        let rule = suite.rule("of many claims at once after an expiration, one is applied");
        let claim = rule.claimed().await;
        rule.applied(rule.store.complete(&completion(&claim)).await, "the completion");
        rule.race(KEPT + 2 * SECOND).await;

        let rule = suite.rule("of a completion and a release at once, one is applied");
        let claim = rule.claimed().await;
        let (done, released) = (completion(&claim), release(&claim));
        let outcomes = tokio::join!(rule.store.complete(&done), rule.store.release(&released));
        let outcomes = [is_applied(&outcomes.0), is_applied(&outcomes.1)];
        rule.same(rule.record().await.is_some(), outcomes[0], "that there is a record");
        rule.same(outcomes[0] != outcomes[1], true, "that one was applied");
    }
}

impl<S: Store> Rule<'_, S> {
    /// Claims the key many times at once.
    async fn race(&self, millis: u64) {
        let claims: Vec<Claim> = (0..RIVALS).map(|_| self.claim_at(millis)).collect();
        let racing = claims.iter().map(|claim| {
            let (store, claim) = (self.store.clone(), claim.clone());
            // Separate tasks, which run in parallel if the runtime has threads.
            tokio::spawn(async move { store.claim(&claim).await })
        });
        let outcomes = join_all(racing).await;

        let mut winners = Vec::new();
        for (claim, outcome) in claims.iter().zip(outcomes) {
            match outcome {
                Ok(Ok(Outcome::Applied)) => winners.push(claim.owner.as_str().to_owned()),
                Ok(Ok(Outcome::Refused(_))) => {}
                other => self.broken(&format!("a claim ended with {other:?}")),
            }
        }
        let owner = self.record().await.and_then(|record| record.owner);
        self.same(winners, owner.into_iter().collect(), "whose claims were applied");
    }
}

fn is_applied<E>(outcome: &Result<Outcome, E>) -> bool {
    matches!(outcome, Ok(Outcome::Applied))
}
