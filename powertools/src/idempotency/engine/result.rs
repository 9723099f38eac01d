//! The result of work that succeeded: whether it is stored, and how.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use serde_json::Value;

use super::session::Session;
use super::time::Window;
use crate::error::causes::caught;
use crate::idempotency::store::Completion;
use crate::idempotency::{Record, Replay, Status, Store};
use crate::json::{self, Form, WriteError, Written};

/// Returns true if a result is to be stored.
pub(super) fn keeps<S: Store, R: Replay>(session: &Session<S>, result: &R) -> bool {
    let options = session.options();
    if session.prepared.must_keep {
        return true;
    }
    let Some(keep_if) = options.keep_if.as_ref().or(session.prepared.keep_if.as_ref()) else {
        return true;
    };
    // The work is done, even if the user's code panics or the result cannot be written as JSON.
    let kept = catch_unwind(AssertUnwindSafe(|| match tree(result) {
        Some(result) => keep_if.keeps(&result),
        None => true,
    }));
    kept.unwrap_or_else(|panic| {
        let panic = caught(panic);
        tracing::warn!(key = %session.key(), panic, "keep_if panicked");
        true
    })
}

/// Returns the result as JSON, in which an integer that `serde_json` has no room for is a float.
fn tree(result: &impl Replay) -> Option<Value> {
    serde_json::to_value(result).ok().or_else(|| {
        let Written { text, .. } = json::to_text(result, Form::Result).ok()?;
        serde_json::from_slice(&text).ok()
    })
}

/// Returns the request that completes the record of work that succeeded.
pub(super) fn completion<S: Store, R: Replay>(
    session: &Session<S>,
    window: &Window,
    result: &R,
) -> Completion {
    let options = session.options();
    // The work is done, even if the code of the result panics.
    let encoded = catch_unwind(AssertUnwindSafe(|| options.codec.encode(result)));
    let (data, not_stored) = match encoded {
        Ok(Ok(data)) => (Some(data), None),
        Ok(Err(WriteError(reason))) => (None, Some(reason)),
        Err(panic) => (None, Some(format!("writing the result panicked: {}", caught(panic)))),
    };
    let now = session.time.now();
    let expiration = match session.is_durable() {
        // Each later invocation of the execution asks for the result again.
        true => session.time.expiration_from(now).max(window.expiration),
        false => session.time.expiration_from(now),
    };
    Completion {
        key: session.key().clone(),
        owner: session.owner().clone(),
        now: now.into(),
        expiration,
        claimed_expiration: window.expiration,
        lease_end: window.lease_end.into(),
        validation: session.prepared.validation.clone(),
        data,
        not_stored,
        timeout: Duration::ZERO,
    }
}

/// Returns the record that a completion writes.
pub(super) fn finished(completion: Completion) -> Record {
    let mut record = Record::new(Status::Completed);
    record.expiration = Some(completion.expiration);
    record.owner = Some(completion.owner.as_str().to_owned());
    record.attempt = completion.owner.attempt().map(str::to_owned);
    record.validation = completion.validation;
    record.data = completion.data;
    record
}
