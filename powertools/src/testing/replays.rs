use std::fmt::Debug;

use crate::idempotency::{KeyCodec, Replay};

/// Checks that a later caller gets `result` as it is, in this toolkit's own format:
/// [`KeyCodec::Native`]. For the format of another toolkit, use [`assert_replays_with`].
///
/// A result is stored as JSON, and not every type can be read from the JSON that it is written as.
/// [`Idempotency`](crate::idempotency::Idempotency) refuses to store the values that it can tell by
/// themselves; this also finds a value that is read as another one of its type.
///
/// ```
/// use powertools::testing::assert_replays;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Deserialize, Serialize)]
/// struct Receipt {
///     order_id: String,
///     discount: Option<f64>,
/// }
///
/// assert_replays(&Receipt { order_id: "o-1".to_owned(), discount: None });
/// assert_replays(&Receipt { order_id: "o-1".to_owned(), discount: Some(0.1) });
/// ```
///
/// # Panics
///
/// Panics if the result cannot be stored, cannot be read, or is read as another value.
#[track_caller]
pub fn assert_replays<R: Replay + PartialEq + Debug>(result: &R) {
    assert_replays_with(KeyCodec::Native, result);
}

/// Checks that a later caller gets `result` as it is, in the format of `codec`: the one that
/// [`Builder::codec`](crate::idempotency::Builder::codec) sets. Otherwise like [`assert_replays`].
///
/// ```
/// use powertools::idempotency::{HashFunction, KeyCodec};
/// use powertools::testing::assert_replays_with;
///
/// assert_replays_with(KeyCodec::Python { hash: HashFunction::Md5 }, &vec![0.1, 10.0]);
/// ```
///
/// # Panics
///
/// Panics if the result cannot be stored, cannot be read, or is read as another value.
#[track_caller]
pub fn assert_replays_with<R: Replay + PartialEq + Debug>(codec: KeyCodec, result: &R) {
    let data = match codec.encode(result) {
        Ok(data) => data,
        Err(reason) => panic!("{result:?} cannot be replayed: {reason}"),
    };
    match codec.decode::<R>(Some(&data)) {
        Ok(read) => assert!(read == *result, "{result:?} is replayed as {read:?}"),
        Err(error) => panic!("{result:?} cannot be replayed: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
    struct Receipt {
        id: Option<String>,
        #[serde(skip)]
        charged: u32,
    }

    #[test]
    fn detects_values_that_do_not_replay() {
        let receipt = Receipt { id: Some("o-1".to_owned()), charged: 0 };
        assert_replays(&receipt);
        let lost = Receipt { charged: 7, ..receipt };
        assert!(refusal(|| assert_replays(&lost)).contains("is replayed as"));
        assert!(refusal(|| assert_replays(&[Some(f64::NAN)])).ends_with("not a number at /0"));
    }

    #[test]
    fn each_codec_has_its_own_format() {
        let price = serde_json::json!({ "price": 10.0 });
        assert_replays(&price);
        // JavaScript writes 10.
        let refused = refusal(|| assert_replays_with(KeyCodec::TypeScript, &price));
        assert!(refused.contains("cannot be replayed"), "{refused}");
    }

    fn refusal(assert: impl FnOnce() + std::panic::UnwindSafe) -> String {
        *catch_unwind(assert).unwrap_err().downcast::<String>().unwrap()
    }
}
