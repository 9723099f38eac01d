use crate::idempotency::{EpochMillis, Error, Key, Owner, Record, Status};

/// What an existing record means for a claim.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// It is this very claim, whose reply was lost.
    Mine,
    /// Nothing prevents a claim: claim again.
    Free,
    /// Another claim is held, until this time if the record contains one.
    InProgress(Option<EpochMillis>),
    /// An earlier invocation of this durable execution holds the claim, and this one may continue it.
    Suspended,
    /// The work is done.
    Completed,
}

/// Judges an existing record, wherever it was read. `owner` is that of the claim that was sent, if
/// one was.
///
/// Apart from a claim's own record, it returns [`Verdict::Free`] exactly where a claim with the same
/// `now` succeeds: see [`Store::claim`](crate::idempotency::Store::claim).
pub(super) fn classify(
    record: Option<&Record>,
    key: &Key,
    now: EpochMillis,
    owner: Option<&Owner>,
    validation: Option<&str>,
) -> Result<Verdict, Error> {
    let Some(record) = record else { return Ok(Verdict::Free) };

    // First, and without validation: the record has the payload of this very claim.
    let unfinished = record.status == Status::InProgress;
    if unfinished && owner.is_some_and(|owner| owner.wrote(record)) {
        return Ok(Verdict::Mine);
    }

    if record.is_free(now) {
        return Ok(Verdict::Free);
    }

    if let Status::Other(status) = &record.status {
        return Err(Error::StatusUnknown { key: key.clone(), status: status.clone() });
    }
    // A record without a hash is a mismatch: its payload was never checked.
    if validation.is_some() && validation != record.validation.as_deref() {
        return Err(Error::PayloadChanged { key: key.clone() });
    }
    if !unfinished {
        return Ok(Verdict::Completed);
    }
    let earlier = owner.and_then(|owner| owner.earlier_attempt(record));
    Ok(earlier.map_or(Verdict::InProgress(record.in_progress_expiration), |_| Verdict::Suspended))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::idempotency::store::{Claim, Outcome};
    use crate::idempotency::{EpochSeconds, MemoryStore, Store};

    proptest! {
        #[test]
        fn free_is_exactly_where_a_claim_succeeds(
            record in record(),
            now in 4_000_u64..8_000,
            validation in proptest::option::of(Just("hash")),
        ) {
            let key = Key::from("key".to_owned());
            let owner = Owner::new().unwrap();
            let verdict = classify(Some(&record), &key, EpochMillis(now), Some(&owner), validation);
            let free = matches!(verdict, Ok(Verdict::Free));

            let store = MemoryStore::new();
            store.insert("key", record);
            let outcome = claim(&store, key, owner, EpochMillis(now));
            prop_assert_eq!(outcome == Outcome::Applied, free);
        }
    }

    #[test]
    fn the_present_instant_is_not_in_the_past() {
        let mut record = Record::new(Status::InProgress);
        record.in_progress_expiration = Some(EpochMillis(5_000));
        assert_eq!(verdict(&record, 5_000), Verdict::InProgress(Some(EpochMillis(5_000))));
        assert_eq!(verdict(&record, 5_001), Verdict::Free);

        let mut record = Record::new(Status::Completed);
        record.expiration = Some(EpochSeconds(5));
        assert_eq!(verdict(&record, 5_999), Verdict::Completed);
        assert_eq!(verdict(&record, 6_000), Verdict::Free);
    }

    #[test]
    fn a_finished_record_outlives_its_claim() {
        let mut record = Record::new(Status::Completed);
        record.in_progress_expiration = Some(EpochMillis(1));
        assert_eq!(verdict(&record, 5_000), Verdict::Completed);
    }

    fn verdict(record: &Record, now: u64) -> Verdict {
        let key = Key::from("key".to_owned());
        classify(Some(record), &key, EpochMillis(now), Some(&Owner::new().unwrap()), None).unwrap()
    }

    fn claim(store: &MemoryStore, key: Key, owner: Owner, now: EpochMillis) -> Outcome {
        let claim = Claim {
            key,
            owner,
            now,
            lease_end: EpochMillis(now.0 + 1),
            expiration: EpochSeconds(now.0),
            validation: None,
            timeout: Duration::from_secs(1),
        };
        futures_util::FutureExt::now_or_never(store.claim(&claim)).unwrap().unwrap()
    }

    /// Records with every status, and times around those of the test.
    fn record() -> impl Strategy<Value = Record> {
        let status = prop_oneof![
            Just(Status::InProgress),
            Just(Status::Completed),
            Just(Status::Other("HELD".to_owned())),
        ];
        let expiration = proptest::option::of(3_u64..9);
        let lease_end = proptest::option::of(prop_oneof![3_900_u64..8_100, 0_u64..20_000]);
        let validation = proptest::option::of(prop_oneof![Just("hash"), Just("other")]);
        (status, expiration, lease_end, validation).prop_map(
            |(status, expiration, lease_end, validation)| {
                let mut record = Record::new(status);
                record.expiration = expiration.map(EpochSeconds);
                record.in_progress_expiration = lease_end.map(EpochMillis);
                record.validation = validation.map(str::to_owned);
                record.owner = Some("another owner".to_owned());
                record
            },
        )
    }
}
