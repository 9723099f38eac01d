//! What Lambda makes of a function's reply.

use serde_json::Value;

/// The reply to a batch, as the mapping understands it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// The records at these positions failed, the others are done.
    Failed(Vec<usize>),
    /// Nothing in the batch counts as done, for this reason.
    Unreadable(String),
}

/// Reads the reply to a batch whose records have these identifiers.
pub(super) fn read(reply: &[u8], identifiers: &[Value], is_shard: bool) -> Reply {
    match failures(reply, identifiers, is_shard) {
        Ok(failed) => Reply::Failed(failed),
        Err(reason) => Reply::Unreadable(reason),
    }
}

fn failures(reply: &[u8], identifiers: &[Value], is_shard: bool) -> Result<Vec<usize>, String> {
    if reply.is_empty() {
        return Ok(Vec::new());
    }
    let reply: Value =
        serde_json::from_slice(reply).map_err(|error| format!("not JSON: {error}"))?;
    let items = match &reply {
        Value::Null => return Ok(Vec::new()),
        // Members that Lambda does not know are skipped: what is misspelt was not said.
        Value::Object(members) => match members.get("batchItemFailures") {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(other) => return Err(format!("batchItemFailures is not a list: {other}")),
        },
        // Recorded from the service in November 2025, which does so for streams alone.
        Value::String(text) if is_shard && text.is_empty() => return Ok(Vec::new()),
        Value::Array(items) if is_shard && items.is_empty() => return Ok(Vec::new()),
        other => return Err(format!("not an object: {other}")),
    };

    let mut failed = Vec::new();
    for item in items {
        let identifier = item.get("itemIdentifier").unwrap_or(&Value::Null);
        if identifier.is_null() || identifier == "" {
            return Err(format!("no itemIdentifier in {item}"));
        }
        // Records can share an identifier; then the reply speaks of all of them.
        let before = failed.len();
        let all = identifiers.iter().enumerate();
        failed.extend(all.filter(|(_, known)| *known == identifier).map(|(position, _)| position));
        if failed.len() == before {
            return Err(format!("no record of the batch is {identifier}"));
        }
    }
    failed.sort_unstable();
    failed.dedup();
    Ok(failed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_said_means_that_all_succeeded() {
        for reply in ["", "null", "{}", r#"{"batchItemFailures":null}"#] {
            assert_eq!(of(reply), Reply::Failed(vec![]), "{reply}");
        }
        assert_eq!(of(r#"{"batchItemFailures":[]}"#), Reply::Failed(vec![]));
    }

    #[test]
    fn a_misspelt_list_was_not_said() {
        let misspelt = r#"{"BatchItemFailures":[{"itemIdentifier":"b"}]}"#;
        assert_eq!(of(misspelt), Reply::Failed(vec![]));
    }

    #[test]
    fn names_the_records_that_failed() {
        let reply = r#"{"batchItemFailures":[{"itemIdentifier":"c"},{"itemIdentifier":"a"},
            {"itemIdentifier":"c"}]}"#;
        assert_eq!(of(reply), Reply::Failed(vec![0, 2]));
    }

    #[test]
    fn an_unknown_identifier_makes_the_reply_invalid() {
        for item in [
            r#"{"itemIdentifier":""}"#,
            r#"{"itemIdentifier":null}"#,
            r#"{"itemIdentifier":"z"}"#,
            r#"{"itemIdentifier":{"partition":"a","offset":0}}"#,
            r#"{"ItemIdentifier":"a"}"#,
            r#"{}"#,
            r#""a""#,
            "null",
        ] {
            let reply = format!(r#"{{"batchItemFailures":[{{"itemIdentifier":"b"}},{item}]}}"#);
            assert!(matches!(of(&reply), Reply::Unreadable(_)), "{reply}");
        }
    }

    #[test]
    fn an_empty_identifier_matches_no_record() {
        for empty in [Value::Null, json!("")] {
            let reply = json!({ "batchItemFailures": [{ "itemIdentifier": empty }] }).to_string();
            assert!(
                matches!(read(reply.as_bytes(), &[empty], false), Reply::Unreadable(_)),
                "{reply}"
            );
        }
    }

    #[test]
    fn a_value_that_is_not_a_reply_is_invalid() {
        for reply in ["{", r#""ok""#, "[]", "7", r#"{"batchItemFailures":"a"}"#, "\u{1}"] {
            assert!(matches!(of(reply), Reply::Unreadable(_)), "{reply}");
        }
    }

    #[test]
    fn an_empty_string_or_list_means_to_a_stream_that_all_succeeded() {
        for reply in ["[]", r#""""#] {
            let known = [Value::from("a")];
            assert_eq!(read(reply.as_bytes(), &known, true), Reply::Failed(vec![]), "{reply}");
            assert!(matches!(read(reply.as_bytes(), &known, false), Reply::Unreadable(_)));
        }
        for reply in ["[1]", r#"" ""#, "0", "false"] {
            let read = read(reply.as_bytes(), &[Value::from("a")], true);
            assert!(matches!(read, Reply::Unreadable(_)), "{reply}");
        }
    }

    #[test]
    fn an_identifier_of_kafka_is_an_object() {
        let known = [json!({ "partition": "t-0", "offset": 4 })];
        let said = |item: Value| {
            let reply = json!({ "batchItemFailures": [{ "itemIdentifier": item }] });
            read(reply.to_string().as_bytes(), &known, false)
        };
        assert_eq!(said(json!({ "offset": 4, "partition": "t-0" })), Reply::Failed(vec![0]));
        for wrong in [json!("t-0"), json!({ "partition": "t-0", "offset": "4" }), json!({})] {
            assert!(matches!(said(wrong), Reply::Unreadable(_)));
        }
    }

    fn of(reply: &str) -> Reply {
        read(reply.as_bytes(), &["a", "b", "c"].map(Value::from), false)
    }
}
