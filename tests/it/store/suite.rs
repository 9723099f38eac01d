//! The suite finds what is wrong with a store.

use std::collections::HashMap;
use std::sync::Mutex;

use powertools::Clock;
use powertools::idempotency::{Claim, Completion, Outcome, Read, Release, Renewal};
use powertools::idempotency::{
    EpochMillis, Key, MemoryStore, Owner, Record, Status, Store, StoreError,
};
use powertools::testing::store_suite::StoreSuite;

#[tokio::test]
#[should_panic(expected = "a lease holds at its end and is past a millisecond later")]
async fn a_lease_that_ends_early_is_detected() {
    check(Flaw::LeaseEndsEarly).await;
}

#[tokio::test]
#[should_panic(expected = "only the owner completes a record")]
async fn a_completion_by_another_owner_is_detected() {
    check(Flaw::AnybodyCompletes).await;
}

#[tokio::test]
#[should_panic(expected = "a completed record is not released")]
async fn a_release_of_completed_work_is_detected() {
    check(Flaw::ReleasesFinished).await;
}

#[tokio::test]
#[should_panic(expected = "keys differ by every byte")]
async fn keys_that_collide_are_detected() {
    check(Flaw::TrimsKeys).await;
}

#[tokio::test]
#[should_panic(expected = "a result is kept as it is")]
async fn a_lost_validation_is_detected() {
    check(Flaw::LosesValidation).await;
}

#[tokio::test]
#[should_panic(expected = "a completion may keep the expiration of its claim")]
async fn a_lease_that_outlives_its_completion_is_detected() {
    check(Flaw::KeepsLease).await;
}

#[tokio::test]
#[should_panic(expected = "of many claims at once, one is applied")]
async fn a_gap_between_check_and_write_is_detected() {
    check(Flaw::ChecksThenWrites).await;
}

#[tokio::test]
#[should_panic(expected = "a renewal never shortens a lease")]
async fn a_renewal_that_shortens_a_lease_is_detected() {
    check(Flaw::RenewsBackwards).await;
}

#[tokio::test]
#[should_panic(expected = "a completed record is not renewed")]
async fn a_renewal_of_completed_work_is_detected() {
    check(Flaw::RenewsFinished).await;
}

#[tokio::test]
#[should_panic(expected = "the owner completes its record after the end of its lease")]
async fn a_completion_that_needs_its_lease_is_detected() {
    check(Flaw::CompletesOnlyInLease).await;
}

#[tokio::test]
#[should_panic(expected = "the owner renews a lease that has ended and was not taken over")]
async fn a_renewal_that_needs_its_lease_is_detected() {
    check(Flaw::RenewsOnlyInLease).await;
}

#[tokio::test]
#[should_panic(expected = "the owner releases its claim after the end of its lease")]
async fn a_release_that_needs_its_lease_is_detected() {
    check(Flaw::ReleasesOnlyInLease).await;
}

#[tokio::test]
#[should_panic(expected = "the record that a refusal returned")]
async fn an_invented_record_is_detected() {
    check(Flaw::ReturnsAnything).await;
}

#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    LeaseEndsEarly,
    AnybodyCompletes,
    ReleasesFinished,
    TrimsKeys,
    LosesValidation,
    KeepsLease,
    ChecksThenWrites,
    ReturnsAnything,
    RenewsBackwards,
    RenewsFinished,
    CompletesOnlyInLease,
    RenewsOnlyInLease,
    ReleasesOnlyInLease,
}

async fn check(flaw: Flaw) {
    let flawed = Flawed { flaw, store: MemoryStore::new(), owners: Mutex::default() };
    StoreSuite::new(flawed).run().await;
}

/// Returns the time by the clock of the store, as that of a database.
fn server_time() -> EpochMillis {
    Clock::system().now().into()
}

struct Flawed {
    flaw: Flaw,
    store: MemoryStore,
    owners: Mutex<HashMap<String, Owner>>,
}

impl Flawed {
    fn key(&self, key: &Key) -> Key {
        if self.flaw == Flaw::TrimsKeys { key.as_str().trim_end().into() } else { key.clone() }
    }

    /// Returns true if the lease of a record has ended.
    fn has_ended(&self, key: &Key, now: EpochMillis) -> bool {
        let record = self.store.get(key.as_str());
        record.and_then(|it| it.in_progress_expiration).is_some_and(|end| end < now)
    }
}

impl Store for Flawed {
    fn scope(&self) -> &str {
        self.store.scope()
    }

    async fn claim(&self, claim: &Claim) -> Result<Outcome, StoreError> {
        let mut claim = Claim::clone(claim);
        claim.key = self.key(&claim.key);
        if self.flaw == Flaw::LeaseEndsEarly {
            claim.now = EpochMillis(claim.now.0 + 1);
        }
        if self.flaw == Flaw::ChecksThenWrites && self.store.get(claim.key.as_str()).is_none() {
            tokio::task::yield_now().await;
            self.store.remove(claim.key.as_str());
        }
        let outcome = self.store.claim(&claim).await?;
        if outcome == Outcome::Applied {
            self.owners.lock().unwrap().insert(claim.key.as_str().to_owned(), claim.owner);
        } else if self.flaw == Flaw::ReturnsAnything {
            return Ok(Outcome::Refused(Some(Box::new(Record::new(Status::Completed)))));
        }
        Ok(outcome)
    }

    async fn complete(&self, completion: &Completion) -> Result<Outcome, StoreError> {
        let mut completion = Completion::clone(completion);
        completion.key = self.key(&completion.key);
        if self.flaw == Flaw::AnybodyCompletes {
            let owner = self.owners.lock().unwrap().get(completion.key.as_str()).cloned();
            completion.owner = owner.unwrap_or(completion.owner);
        }
        if self.flaw == Flaw::CompletesOnlyInLease
            && self.has_ended(&completion.key, completion.now)
        {
            return Ok(Outcome::Refused(None));
        }
        let before = self.store.get(completion.key.as_str());
        let outcome = self.store.complete(&completion).await?;
        if let Some(mut record) = self.store.get(completion.key.as_str()) {
            match self.flaw {
                Flaw::LosesValidation => record.validation = None,
                Flaw::KeepsLease => {
                    let before = before.and_then(|record| record.in_progress_expiration);
                    record.in_progress_expiration = before;
                }
                _ => return Ok(outcome),
            }
            self.store.insert(completion.key.as_str(), record);
        }
        Ok(outcome)
    }

    async fn renew(&self, renewal: &Renewal) -> Result<Outcome, StoreError> {
        let mut renewal = Renewal::clone(renewal);
        renewal.key = self.key(&renewal.key);
        if self.flaw == Flaw::RenewsOnlyInLease && self.has_ended(&renewal.key, server_time()) {
            return Ok(Outcome::Refused(None));
        }
        let outcome = self.store.renew(&renewal).await?;
        let record = self.store.get(renewal.key.as_str());
        if outcome != Outcome::Applied
            && let Some(mut record) = record
            && record.owner.as_deref() == Some(renewal.owner.as_str())
        {
            let flaw = match record.status {
                Status::Completed => Flaw::RenewsFinished,
                _ => Flaw::RenewsBackwards,
            };
            if self.flaw == flaw {
                record.in_progress_expiration = Some(renewal.lease_end);
                self.store.insert(renewal.key.as_str(), record);
                return Ok(Outcome::Applied);
            }
        }
        Ok(outcome)
    }

    async fn release(&self, release: &Release) -> Result<Outcome, StoreError> {
        let mut release = Release::clone(release);
        release.key = self.key(&release.key);
        if self.flaw == Flaw::ReleasesOnlyInLease && self.has_ended(&release.key, server_time()) {
            return Ok(Outcome::Refused(None));
        }
        let outcome = self.store.release(&release).await?;
        if self.flaw == Flaw::ReleasesFinished && outcome != Outcome::Applied {
            let record = self.store.get(release.key.as_str());
            if record.is_some_and(|record| record.status == Status::Completed) {
                self.store.remove(release.key.as_str());
                return Ok(Outcome::Applied);
            }
        }
        Ok(outcome)
    }

    async fn read(&self, read: &Read) -> Result<Option<Record>, StoreError> {
        let mut read = Read::clone(read);
        read.key = self.key(&read.key);
        self.store.read(&read).await
    }
}
