//! Records as JSON, with the members of the toolkits for Python and TypeScript.

use std::ops::Range;

use crate::idempotency::store::{Claim, Completion, StoreError, StoreErrorKind};
use crate::idempotency::{
    Data, EpochMillis, EpochSeconds, Json, Key, Number, Owner, Record, Status,
};
use crate::json::{MAX_DEPTH, write};

/// The maximum size of a value, in bytes.
const LIMIT: usize = 512 << 20;
/// How long the lock of a takeover is held, in milliseconds.
pub(super) const LOCK: u64 = 10_000;
/// 10,000 years in milliseconds: the server rejects much longer times.
const LONGEST: u64 = 10_000 * 365 * 24 * 3600 * 1000;

/// Returns the beginning of every record that `owner` holds. No other toolkit writes an owner, so the
/// bytes are always the same.
pub(super) fn held(owner: &Owner) -> Vec<u8> {
    beginning(owner, &Status::InProgress)
}

fn beginning(owner: &Owner, status: &Status) -> Vec<u8> {
    // A claim with the hash of its payload, or a completion without its result.
    let mut text = Vec::with_capacity(256);
    text.extend_from_slice(br#"{"owner":"#);
    write::quoted(&mut text, owner.as_str(), &write::STANDARD);
    text.extend_from_slice(br#","status":"#);
    write::quoted(&mut text, status.as_str(), &write::STANDARD);
    text
}

/// Returns the record that a claim writes.
pub(super) fn claimed(claim: &Claim) -> Vec<u8> {
    let mut text = held(&claim.owner);
    push_times(&mut text, claim.expiration, claim.lease_end);
    push_validation(&mut text, claim.validation.as_deref());
    text.push(b'}');
    text
}

fn push_expiration(text: &mut Vec<u8>, expiration: EpochSeconds) {
    text.extend_from_slice(br#","expiration":"#);
    write::integer(text, expiration.0);
}

/// Appends the times of a claim.
fn push_times(text: &mut Vec<u8>, expiration: EpochSeconds, lease_end: EpochMillis) {
    push_expiration(text, expiration);
    text.extend_from_slice(br#","in_progress_expiration":"#);
    write::integer(text, lease_end.0);
}

fn push_validation(text: &mut Vec<u8>, validation: Option<&str>) {
    if let Some(hash) = validation {
        text.extend_from_slice(br#","validation":"#);
        write::quoted(text, hash, &write::STANDARD);
    }
}

/// Returns for how many milliseconds the server keeps a record that is written `now`: through the second of
/// its expiration.
pub(super) fn kept(expiration: EpochSeconds, now: EpochMillis) -> u64 {
    let end = expiration.0.saturating_add(1).saturating_mul(1000);
    end.saturating_sub(now.0).clamp(1, LONGEST)
}

/// Returns what a claim finds while another toolkit holds the lock of a takeover: a claim whose payload is
/// not known yet, until the lock expires.
pub(super) fn taken_over(claim: &Claim) -> Record {
    let mut record = Record::new(Status::InProgress);
    record.in_progress_expiration = Some(EpochMillis(claim.now.0.saturating_add(LOCK)));
    record.validation.clone_from(&claim.validation);
    record
}

/// A completed record, as its owner expects it to be.
pub(super) struct Completed {
    pub(super) text: Vec<u8>,
    /// Where in it the hash of the payload is, as the claim wrote it.
    validation: Range<usize>,
}

impl Completed {
    /// Returns what is before and after that which the claim wrote.
    pub(super) fn ends(&self) -> [&[u8]; 2] {
        [&self.text[..self.validation.start], &self.text[self.validation.end..]]
    }

    /// Returns the record before its completion, which begins with `held`.
    pub(super) fn claimed(
        &self,
        held: &[u8],
        expiration: EpochSeconds,
        lease_end: EpochMillis,
    ) -> Vec<u8> {
        let mut text = Vec::with_capacity(held.len() + 80 + self.validation.len());
        text.extend_from_slice(held);
        push_times(&mut text, expiration, lease_end);
        text.extend_from_slice(&self.text[self.validation.clone()]);
        text.push(b'}');
        text
    }
}

/// Returns the record that a completion writes.
pub(super) fn completed(completion: &Completion) -> Result<Completed, StoreError> {
    let mut text = beginning(&completion.owner, &Status::Completed);
    push_expiration(&mut text, completion.expiration);
    let start = text.len();
    push_validation(&mut text, completion.validation.as_deref());
    let validation = start..text.len();
    match &completion.data {
        Some(Data::Text(data)) => {
            // Room for the quotes in JSON, which are escaped.
            text.reserve(32 + data.len() + data.len() / 2);
            text.extend_from_slice(br#","data":"#);
            write::quoted(&mut text, data, &write::STANDARD);
        }
        Some(Data::Value(data)) if depth(data) >= MAX_DEPTH => {
            let message = "the result is nested too deeply for a record";
            return Err(StoreError::new(StoreErrorKind::ResultTooLarge, message));
        }
        Some(Data::Value(data)) => {
            text.extend_from_slice(br#","data":"#);
            text.extend_from_slice(data.to_string().as_bytes());
        }
        None => {}
    }
    if let Some(reason) = &completion.not_stored {
        text.extend_from_slice(br#","not_stored":"#);
        write::quoted(&mut text, reason, &write::STANDARD);
    }
    text.push(b'}');
    check_size(text.len())?;
    Ok(Completed { text, validation })
}

fn check_size(bytes: usize) -> Result<(), StoreError> {
    // What the claim wrote may be longer than expected by less than this.
    if bytes + 1024 <= LIMIT {
        return Ok(());
    }
    let message = format!("a record of {bytes} bytes exceeds the 512 MB of a value");
    Err(StoreError::new(StoreErrorKind::ResultTooLarge, message))
}

/// Returns the number of lists and objects around the innermost value.
fn depth(value: &Json) -> usize {
    match value {
        Json::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Json::Object(members) => 1 + members.iter().map(|(_, it)| depth(it)).max().unwrap_or(0),
        _ => 0,
    }
}

/// Reads a record that any of the toolkits has written. Unknown members are ignored.
pub(super) fn parse(key: &Key, bytes: &[u8]) -> Result<Record, StoreError> {
    let malformed = |problem: &str| {
        let message = format!("the value of key {key} {problem}");
        StoreError::new(StoreErrorKind::Malformed, message)
    };
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("is not text"))?;
    let json = text.parse().map_err(|error| malformed("is not JSON").caused_by(error))?;
    let Json::Object(members) = json else { return Err(malformed("is not a JSON object")) };

    let mut record = Record::new(Status::Other(String::new()));
    let mut has_status = false;
    for (name, value) in members {
        let wrong = |expected: &str| malformed(&format!("has no {expected} in `{name}`"));
        let text = |value| match value {
            Json::String(text) => Ok(text),
            _ => Err(wrong("string")),
        };
        let integer = |value: &Json| {
            let digits = value.as_number().map(Number::as_str);
            digits.and_then(|it| it.parse().ok()).ok_or_else(|| wrong("whole number"))
        };
        match name.as_str() {
            "status" => {
                record.status = Status::from(text(value)?);
                has_status = true;
            }
            "expiration" => record.expiration = Some(EpochSeconds(integer(&value)?)),
            "in_progress_expiration" => {
                record.in_progress_expiration = Some(EpochMillis(integer(&value)?));
            }
            "owner" => record.owner = Some(text(value)?),
            "validation" => record.validation = Some(text(value)?),
            "not_stored" => record.not_stored = Some(text(value)?),
            "data" => {
                record.data = Some(match value {
                    Json::String(text) => Data::Text(text),
                    value => Data::Value(value),
                });
            }
            _ => {}
        }
    }
    if has_status { Ok(record) } else { Err(malformed("is not a record: it has no `status`")) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_largest_value_of_the_server_is_the_limit() {
        assert!(check_size(LIMIT - 1024).is_ok());
        assert_eq!(check_size(LIMIT).unwrap_err().kind(), StoreErrorKind::ResultTooLarge);
    }

    #[test]
    fn a_record_is_kept_through_the_second_of_its_expiration() {
        let kept = |now, expiration| kept(EpochSeconds(expiration), EpochMillis(now));
        assert_eq!(kept(5_400, 60), 55_600);
        assert_eq!(kept(5_000, 4), 1);
        assert_eq!(kept(0, u64::MAX), 315_360_000_000_000);
    }

    #[test]
    fn the_error_of_an_invalid_record_names_the_problem() {
        let problem = |bytes: &[u8]| parse(&Key::from("fn#1"), bytes).unwrap_err().to_string();
        assert_eq!(problem(b"\xff"), "the value of key fn#1 is not text");
        assert_eq!(problem(b"True"), "the value of key fn#1 is not JSON");
        assert_eq!(problem(b"7"), "the value of key fn#1 is not a JSON object");
        assert_eq!(problem(b"{}"), "the value of key fn#1 is not a record: it has no `status`");
        let wrong = br#"{"status": "COMPLETED", "expiration": "soon"}"#;
        assert_eq!(problem(wrong), "the value of key fn#1 has no whole number in `expiration`");
        let wrong = br#"{"status": 1}"#;
        assert_eq!(problem(wrong), "the value of key fn#1 has no string in `status`");
    }

    #[test]
    fn a_result_that_is_nested_too_deeply_is_not_written() {
        let nested = |depth: usize| {
            let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            Completion {
                key: Key::from("key"),
                owner: Owner::new().unwrap(),
                now: EpochMillis(0),
                expiration: EpochSeconds(60),
                claimed_expiration: EpochSeconds(60),
                lease_end: EpochMillis(30_000),
                validation: None,
                data: Some(Data::Value(text.parse().unwrap())),
                not_stored: None,
                timeout: Duration::from_secs(1),
            }
        };
        let completed_at = |depth| completed(&nested(depth)).map(|completed| completed.text);
        assert!(parse(&Key::from("key"), &completed_at(127).unwrap()).is_ok());
        let error = completed_at(128).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::ResultTooLarge);
    }
}
