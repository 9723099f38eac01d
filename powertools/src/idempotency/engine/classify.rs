use crate::idempotency::{EpochMillis, Error, Key, Owner, Record, Status};

/// What an existing record means for a claim.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// It is this very claim, whose reply was lost.
    Mine,
    /// Nothing stands in the way: claim again.
    Free,
    /// Another claim holds, until then if it says so.
    InProgress(Option<EpochMillis>),
    /// The work is done.
    Completed,
}

/// Reads an existing record, however it was come by.
///
/// Apart from a claim's own record, it says [`Verdict::Free`] exactly where a claim with the same
/// `now` succeeds: see [`Store::claim`](crate::idempotency::Store::claim).
pub(super) fn classify(
    record: Option<&Record>,
    key: &Key,
    now: EpochMillis,
    owner: &Owner,
    validation: Option<&str>,
) -> Result<Verdict, Error> {
    let Some(record) = record else { return Ok(Verdict::Free) };

    // Before anything else, and without validation: what this claim wrote is what it would write.
    let unfinished = record.status == Status::InProgress;
    if unfinished && record.owner.as_deref() == Some(owner.as_str()) {
        return Ok(Verdict::Mine);
    }

    let expired = record.expiration.is_some_and(|end| end < now.floor());
    let lapsed = unfinished && record.in_progress_expiration.is_some_and(|end| end < now);
    if expired || lapsed {
        return Ok(Verdict::Free);
    }

    if let Status::Other(status) = &record.status {
        return Err(Error::StatusUnknown { key: key.clone(), status: status.clone() });
    }
    // A record without a hash is a mismatch: nobody checked what it was made from.
    if validation.is_some() && validation != record.validation.as_deref() {
        return Err(Error::PayloadChanged { key: key.clone() });
    }
    Ok(if unfinished {
        Verdict::InProgress(record.in_progress_expiration)
    } else {
        Verdict::Completed
    })
}
