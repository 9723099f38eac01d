//! Keys, byte for byte those of the toolkits of other languages.

use powertools::idempotency::{
    Error, HashFunction, Idempotency, JmesPath, JmesPathError, Json, KeyCodec, MemoryStore,
};
use serde::Deserialize;
use serde_json::value::RawValue;

const PYTHON: KeyCodec = KeyCodec::Python { hash: HashFunction::Md5 };

#[derive(Deserialize)]
struct Vectors<'a> {
    #[serde(borrow)]
    cases: Vec<Case<'a>>,
}

/// What a toolkit did with an event.
#[derive(Deserialize)]
struct Case<'a> {
    /// The event's own text, since some of its numbers are not those of any type.
    #[serde(borrow)]
    event: &'a RawValue,
    jmespath: Option<&'a str>,
    function: &'a str,
    handler: Option<&'a str>,
    key: Option<&'a str>,
}

impl Case<'_> {
    /// The key that this toolkit derives.
    fn derive(&self, codec: KeyCodec) -> Result<String, Error> {
        let name = match self.handler {
            Some(handler) => format!("{}.{handler}", self.function),
            None => self.function.to_owned(),
        };
        let Some(expression) = self.jmespath else {
            return derive(codec, &name, self.event);
        };
        let event: Json = self.event.get().parse().unwrap();
        derive(codec, &name, &JmesPath::new(expression)?.search(&event)?)
    }
}

fn derive<K>(codec: KeyCodec, name: &str, key: &K) -> Result<String, Error>
where
    K: serde::Serialize + ?Sized,
{
    let idempotency = Idempotency::builder(MemoryStore::new()).codec(codec).build()?;
    let call = idempotency.operation(name).key(key)?;
    Ok(call.derived_key().expect("a key").to_string())
}

#[test]
fn python_keys_are_those_of_the_python_toolkit() {
    let vectors: Vectors<'_> =
        serde_json::from_str(include_str!("../vectors/python-idempotency-keys.json")).unwrap();
    assert_eq!(vectors.cases.len(), 60);
    for case in vectors.cases {
        match (case.derive(PYTHON), case.key) {
            (Ok(ours), Some(theirs)) => assert_eq!(ours, theirs, "{}", case.event),
            (Err(Error::KeyMissing { .. }), None) => {}
            (ours, theirs) => panic!("{ours:?} {theirs:?} {}", case.event),
        }
    }
}

#[test]
fn typescript_keys_are_those_of_the_typescript_toolkit() {
    let vectors: Vectors<'_> =
        serde_json::from_str(include_str!("../vectors/typescript-idempotency-keys.json")).unwrap();
    assert_eq!(vectors.cases.len(), 60);
    let mut refused = Vec::new();
    for case in vectors.cases {
        match (case.derive(KeyCodec::TypeScript), case.key) {
            (Ok(ours), Some(theirs)) => assert_eq!(ours, theirs, "{}", case.event),
            (Err(Error::KeyMissing { .. }), None) => {}
            (Err(Error::KeyMissing { .. }), Some(_)) => refused.push(case),
            (ours, theirs) => panic!("{ours:?} {theirs:?} {}", case.event),
        }
    }
    // Their toolkit gives one key to all events whose key has no content; here that is an error.
    let refused: Vec<Json> = refused.iter().map(|case| selected(case)).collect();
    assert!(refused.contains(&Json::String(String::new())));
    assert!(refused.contains(&Json::Array(Vec::new())));
    assert!(refused.iter().all(is_empty), "{refused:?}");
}

fn selected(case: &Case<'_>) -> Json {
    let path = JmesPath::new(case.jmespath.unwrap_or("@")).unwrap();
    path.search(&case.event.get().parse().unwrap()).unwrap()
}

fn is_empty(key: &Json) -> bool {
    let all_null = |mut values: Box<dyn Iterator<Item = &Json> + '_>| values.all(Json::is_null);
    match key {
        Json::String(text) => text.is_empty(),
        Json::Array(items) => all_null(Box::new(items.iter())),
        Json::Object(members) => all_null(Box::new(members.iter().map(|(_, value)| value))),
        _ => key.is_null(),
    }
}

#[test]
fn a_function_that_moves_keeps_its_keys() {
    /// As a handler would: the error type knows this toolkit's errors and nothing else.
    fn handler_key(event: &Json) -> Result<String, anyhow::Error> {
        let key = JmesPath::new("powertools_json(body).[user, product]")?.search(event)?;
        Ok(derive(PYTHON, "orders-fn.app.lambda_handler", &key)?)
    }

    let event = r#"{"body": "{\"product\": 10.5, \"user\": \"xyz\"}"}"#.parse().unwrap();
    assert_eq!(
        handler_key(&event).unwrap(),
        "orders-fn.app.lambda_handler#9eee3c77d30f6e027f24fdf66921169f"
    );
    let event = r#"{"body": "not JSON"}"#.parse().unwrap();
    let error = handler_key(&event).unwrap_err();
    let name = powertools::error::find(error.as_ref()).unwrap().error_type;
    let error: &JmesPathError = error.downcast_ref().unwrap();
    let error = Error::from(error.clone());
    assert_eq!(name, error.error_type());
    assert_eq!(
        (error.error_type(), error.http_status()),
        ("Powertools.IdempotencyKeyInvalid", 400)
    );
}

#[test]
fn a_float_without_its_original_digits_has_no_key_in_other_toolkits() {
    #[derive(serde::Serialize)]
    struct Order {
        price: f64,
    }
    let order = Order { price: 10.0 };
    for codec in [PYTHON, KeyCodec::TypeScript] {
        let Err(Error::KeyInvalid { reason, .. }) = derive(codec, "fn", &order) else {
            panic!("a key from a float");
        };
        assert!(reason.contains("the event's own JSON"), "{reason}");
    }
    derive(KeyCodec::Native, "fn", &order).unwrap();
}
