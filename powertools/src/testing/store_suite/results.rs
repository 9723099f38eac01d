//! What a record keeps.

use super::{StoreSuite, completion};
use crate::idempotency::Claim;
use crate::idempotency::{Data, Json, Record, Status, Store};

pub(super) async fn check<S: Store>(suite: &StoreSuite<S>) {
    for data in texts().into_iter().map(Data::Text).chain(values().into_iter().map(Data::Value)) {
        let rule = suite.rule("a result is kept as it is");
        let claim = Claim { validation: Some("payload".to_owned()), ..rule.claim_at(0) };
        rule.applied(rule.store.claim(&claim).await, "the claim");
        let mut done = completion(&claim);
        done.data = Some(data.clone());
        rule.applied(rule.store.complete(&done).await, &format!("the completion with {data:?}"));

        let expected = finished(&claim, Some(data), None);
        rule.same(rule.record().await, Some(expected.clone()), "the record");
        rule.refused(rule.store.claim(&rule.claim_at(1)).await, "another claim").await;
        rule.same(rule.record().await, Some(expected), "the record after another claim");
    }

    let rule = suite.rule("work without a result is finished");
    let claim = rule.claimed().await;
    rule.applied(rule.store.complete(&completion(&claim)).await, "the completion");
    rule.same(rule.record().await, Some(finished(&claim, None, None)), "the record");

    let rule = suite.rule("the reason why a result was not stored is kept");
    let claim = rule.claimed().await;
    let mut done = completion(&claim);
    done.not_stored = Some("it has 500000 bytes".to_owned());
    rule.applied(rule.store.complete(&done).await, "the completion");
    rule.same(rule.record().await, Some(finished(&claim, None, done.not_stored)), "the record");
}

fn texts() -> Vec<String> {
    let long = "é".repeat(100_000);
    let texts = ["null", "0", "\"text\"", r#"{"a": [1.0, "\u00e9"], "b": {}}"#, "plain ✓ \u{1}\n"];
    texts.into_iter().map(str::to_owned).chain([long]).collect()
}

/// Every kind of value but a string, which some stores cannot distinguish from [`Data::Text`]. Numbers
/// are written as every store writes them.
fn values() -> Vec<Json> {
    let number = |text: &str| Json::Number(text.parse().expect("it is a number"));
    let text = |text: &str| Json::String(text.to_owned());
    let member = |name: &str, value| (name.to_owned(), value);
    vec![
        Json::Null,
        Json::Bool(true),
        Json::Bool(false),
        number("0"),
        number("-7"),
        number("0.1"),
        number("18446744073709551616"),
        number("12345678901234567890123456789012345678"),
        Json::Array(Vec::new()),
        Json::Array(vec![number("1"), text("1"), Json::Null, Json::Array(vec![Json::Bool(true)])]),
        Json::Object(Vec::new()),
        Json::Object(vec![
            member("#name", text("S")),
            member("a.b", Json::Object(vec![member("c", Json::Array(vec![number("2.5")]))])),
            member("ok", Json::Bool(true)),
            member("é", Json::Null),
        ]),
    ]
}

/// Returns the record that the completion of `claim` leaves.
fn finished(claim: &Claim, data: Option<Data>, not_stored: Option<String>) -> Record {
    let mut record = Record::new(Status::Completed);
    record.expiration = Some(completion(claim).expiration);
    record.owner = Some(claim.owner.as_str().to_owned());
    record.validation.clone_from(&claim.validation);
    record.data = data;
    record.not_stored = not_stored;
    record
}
