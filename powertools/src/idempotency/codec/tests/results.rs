use std::collections::{BTreeMap, HashMap, HashSet};

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Exact, NATIVE, PYTHON, TYPESCRIPT, json};
use crate::idempotency::{Data, Json, KeyCodec, Replay};

fn encode(codec: KeyCodec, result: &impl Replay) -> Data {
    codec.encode(result).unwrap()
}

/// Stores a result and reads it again.
fn replay<R: Replay>(codec: KeyCodec, result: &R) -> R {
    codec.decode(Some(&encode(codec, result))).unwrap()
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Receipt {
    name: String,
    n: f64,
    kind: Kind,
    map: HashMap<u64, Option<bool>>,
    kinds: BTreeMap<Plain, Wrapper>,
    nothing: (),
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
enum Kind {
    Unit,
    New(String),
    Tuple(u8, i128),
    Struct { x: char },
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Plain {
    A,
    B,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Wrapper(f32, Box<Option<Wrapper>>);

#[test]
fn writes_results_as_the_toolkits_do() {
    let result = json(r#"{"name":"Zoë ✓","n":1.0}"#);
    assert_eq!(encode(NATIVE, &result), Data::Text(r#"{"name":"Zoë ✓","n":1.0}"#.to_owned()));
    assert_eq!(
        encode(PYTHON, &result),
        Data::Text(r#"{"n": 1.0, "name": "Zo\u00eb \u2713"}"#.to_owned())
    );
    assert_eq!(encode(TYPESCRIPT, &result), Data::Value(json(r#"{"name":"Zoë ✓","n":1}"#)));

    assert_eq!(encode(NATIVE, &"s".to_owned()), Data::Text("\"s\"".to_owned()));
    assert_eq!(encode(PYTHON, &"s".to_owned()), Data::Text("\"s\"".to_owned()));
    assert_eq!(encode(TYPESCRIPT, &"s".to_owned()), Data::Text("s".to_owned()));

    assert_eq!(encode(NATIVE, &()), Data::Text("null".to_owned()));
    assert_eq!(encode(PYTHON, &()), Data::Text("null".to_owned()));
    assert_eq!(encode(TYPESCRIPT, &None::<u8>), Data::Value(Json::Null));

    let floats = BTreeMap::from(
        [("b", 10.0), ("a", 1e21), ("c", -0.0), ("d", 0.1)].map(|(name, n)| (name.to_owned(), n)),
    );
    let python = r#"{"a": 1e+21, "b": 10.0, "c": -0.0, "d": 0.1}"#;
    assert_eq!(encode(PYTHON, &floats), Data::Text(python.to_owned()));
    let typescript = json(r#"{"a":1e+21,"b":10,"c":0,"d":0.1}"#);
    assert_eq!(encode(TYPESCRIPT, &floats), Data::Value(typescript));
}

#[test]
fn reads_the_results_of_the_other_toolkits() {
    let text = Data::Text(r#"{"ok": true, "order_id": "o-1"}"#.to_owned());
    for codec in [NATIVE, PYTHON] {
        assert!(codec.decode::<Json>(Some(&text)).unwrap()["ok"].as_bool().unwrap());
    }
    assert_eq!(
        TYPESCRIPT.decode::<String>(Some(&text)).unwrap(),
        r#"{"ok": true, "order_id": "o-1"}"#
    );
    assert_eq!(
        TYPESCRIPT.decode::<Option<Json>>(Some(&text)).unwrap().unwrap().as_str(),
        Some(r#"{"ok": true, "order_id": "o-1"}"#)
    );
    for codec in [NATIVE, PYTHON, TYPESCRIPT] {
        let value = Data::Value(json(r#"{"a":[1,2.50,12345678901234567890123456789]}"#));
        let read: Json = codec.decode(Some(&value)).unwrap();
        assert_eq!(Data::Value(read), value);
        codec.decode::<()>(None).unwrap();
        assert_eq!(codec.decode::<Option<u8>>(None).unwrap(), None);
        assert!(codec.decode::<u8>(None).is_err());
        assert!(codec.decode::<u8>(Some(&value)).is_err());
    }
}

#[test]
fn rejects_results_that_a_record_cannot_hold() {
    let nameless = BTreeMap::from([([1], 1)]);
    for codec in [NATIVE, PYTHON, TYPESCRIPT] {
        assert!(codec.encode(&nameless).is_err());
    }
    for codec in [NATIVE, PYTHON, TYPESCRIPT] {
        assert!(codec.encode(&f64::NAN).is_err());
        assert!(codec.encode(&[f32::INFINITY]).is_err());
    }
    for codec in [PYTHON, TYPESCRIPT] {
        assert!(codec.encode(&json("{\"a\":[1e400]}")).is_err());
    }
    for number in ["1e126", "-1e127", "1e-131", "123456789012345678901234567890123456789"] {
        assert!(TYPESCRIPT.encode(&json(number)).is_err(), "{number}");
    }
    for number in ["9.99e125", "1e-130", "0.0", "-12345678901234567890123456789012345678"] {
        assert!(TYPESCRIPT.encode(&json(number)).is_ok(), "{number}");
    }
}

#[test]
fn a_float_is_replayed_exactly() {
    // `serde_json` alone reads some of these as a neighbour.
    for float in [0.1 + 0.2, 9.116696473452973e-67, 1.5e300, 5e-324, f64::MAX, -0.0, 1e23] {
        for codec in [NATIVE, PYTHON] {
            assert_eq!(replay(codec, &[float])[0].to_bits(), float.to_bits(), "{codec:?} {float}");
        }
    }
    for float in [0.1 + 0.2, 9.116696473452973e-67, 1e23] {
        assert_eq!(replay(TYPESCRIPT, &[float]), [float]);
    }
}

prop_compose! {
    fn receipt()(
        name: String,
        n in any::<f64>().prop_filter("finite", |float| float.is_finite()),
        kind in prop_oneof![
            Just(Kind::Unit), any::<String>().prop_map(Kind::New),
            any::<(u8, i128)>().prop_map(|(a, b)| Kind::Tuple(a, b)),
            any::<char>().prop_map(|x| Kind::Struct { x }),
        ],
        map in prop::collection::hash_map(any::<u64>(), any::<Option<bool>>(), 0..5),
        a in any::<f32>().prop_filter("finite", |float| float.is_finite()),
    ) -> Receipt {
        let wrapper = Wrapper(a, Box::new(Some(Wrapper(-a, Box::new(None)))));
        let kinds = BTreeMap::from([(Plain::A, wrapper.clone()), (Plain::B, wrapper)]);
        Receipt { name, n, kind, map, kinds, nothing: () }
    }
}

proptest! {
    #[test]
    fn a_replay_equals_the_stored_value(receipt in receipt()) {
        for codec in [NATIVE, PYTHON] {
            prop_assert_eq!(replay(codec, &receipt), receipt.clone());
        }
        if let Ok(data) = TYPESCRIPT.encode(&receipt) {
            prop_assert_eq!(TYPESCRIPT.decode::<Receipt>(Some(&data)).unwrap(), receipt);
        }
    }
}

/// Returns why a result is not stored.
fn refusal<R: Replay>(codec: KeyCodec, result: &R) -> String {
    codec.encode(result).unwrap_err().0
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone, Default)]
struct Item<T> {
    name: String,
    value: T,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Items<T> {
    items: Vec<Item<T>>,
}

fn second<T: Default>(value: T) -> Items<T> {
    let item = |value| Item { name: "a".to_owned(), value };
    Items { items: vec![item(T::default()), item(value)] }
}

#[test]
fn a_result_that_would_be_read_as_another_is_refused_with_its_place() {
    const INFINITE: &str = "a number that is infinite or not a number at /items/1/value";
    const NONE: &str =
        "`Some` of a value that is written as null, which is read as `None` at /items/1/value";

    for codec in [NATIVE, PYTHON, TYPESCRIPT] {
        assert_eq!(refusal(codec, &second(f64::NAN)), INFINITE);
        assert_eq!(refusal(codec, &second(Some(f32::NAN))), INFINITE);
        assert_eq!(refusal(codec, &second(Some(f64::INFINITY))), INFINITE);
        assert_eq!(refusal(codec, &second(Some(()))), NONE);
        assert_eq!(refusal(codec, &second(Some(None::<u8>))), NONE);
        assert_eq!(refusal(codec, &second(Some(Some(None::<u8>)))), NONE);
        assert_eq!(refusal(codec, &second(Some(Json::Null))), NONE);
        assert_eq!(refusal(codec, &second(Some(serde_json::Value::Null))), NONE);
        assert!(!refusal(codec, &Some(())).contains(" at "));
        assert!(codec.encode(&second(Some(Some(1)))).is_ok());
        assert!(codec.encode(&second(None::<()>)).is_ok());
    }
    let names = HashMap::from([("a/b~".to_owned(), f64::NAN)]);
    assert!(refusal(NATIVE, &names).ends_with(" at /a~1b~0"), "{}", refusal(NATIVE, &names));
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Flat {
    #[serde(flatten)]
    item: Item<u128>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(untagged)]
enum Untagged {
    Number(u128),
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(untagged)]
enum Rounded {
    Small(u64),
    Float(f64),
    Large(u128),
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Lost {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    names: Vec<String>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct FlatLost {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    names: Vec<String>,
    #[serde(flatten)]
    item: Item<u8>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Kept {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    names: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Chain(Vec<Chain>);

fn chain(lists: usize) -> Chain {
    let mut chain = Chain(Vec::new());
    for _ in 1..lists {
        chain = Chain(vec![chain]);
    }
    chain
}

#[test]
fn a_result_that_could_not_be_read_is_refused() {
    const UNREADABLE: &str = "what was written cannot be read again";

    let item = Item { name: "a".to_owned(), value: 1 << 70 };
    for codec in [NATIVE, PYTHON] {
        for reason in [
            refusal(codec, &Flat { item: item.clone() }),
            refusal(codec, &Untagged::Number(7)),
            refusal(codec, &Untagged::Number(u128::MAX)),
            refusal(codec, &FlatLost { names: Vec::new(), item: Item::default() }),
        ] {
            assert!(reason.starts_with(UNREADABLE), "{codec:?} {reason}");
        }
        let reason = refusal(codec, &chain(1_000));
        assert!(reason.contains("recursion limit") || reason.contains("too deep"), "{reason}");
        let lost = Item { name: "a".to_owned(), value: vec![Lost { names: Vec::new() }] };
        let reason = refusal(codec, &lost);
        assert!(
            reason.starts_with(&format!("{UNREADABLE} at /value/0: missing field `names`")),
            "{reason}"
        );
        assert_eq!(
            refusal(codec, &Rounded::Large(u128::from(u64::MAX) + 2)),
            "what was written is read as another value"
        );
    }
}

#[test]
fn a_result_that_can_be_read_is_stored_whatever_its_form() {
    for codec in [NATIVE, PYTHON] {
        for lists in [1, 126, 127] {
            assert_eq!(replay(codec, &chain(lists)), chain(lists));
        }
        let item = Item { name: "a".to_owned(), value: u128::MAX };
        assert_eq!(replay(codec, &item), item);
        let kept = Kept { names: Vec::new(), name: None };
        assert_eq!(replay(codec, &kept), kept);
        let full = FlatLost { names: vec!["n".to_owned()], item: Item::default() };
        assert_eq!(replay(codec, &full), full);
        let set = (0..100).map(|n| n + (1_u128 << 70)).collect::<HashSet<_>>();
        assert_eq!(replay(codec, &set), set);
        let floats = HashMap::from([(1, 0.1_f32)]);
        assert_eq!(replay(codec, &floats), floats);
    }
}

#[test]
fn a_number_of_arbitrary_precision_is_stored_if_it_keeps_its_digits() {
    let exact = |digits: &str| Exact(digits.to_owned());
    for codec in [NATIVE, PYTHON, TYPESCRIPT] {
        for digits in ["7", "-7", "1.5", "18446744073709551615", "0.1"] {
            assert_eq!(replay(codec, &exact(digits)), exact(digits), "{codec:?}");
        }
        for digits in ["123456789012345678901234", "1.000000000000000001"] {
            assert!(codec.encode(&exact(digits)).is_err(), "{codec:?} {digits}");
        }
    }
}

#[test]
fn a_number_that_its_type_reads_without_its_sign_is_not_stored() {
    #[derive(Serialize, Deserialize, Debug)]
    #[serde(from = "Exact")]
    struct Unsigned(Exact);

    impl From<Exact> for Unsigned {
        fn from(Exact(digits): Exact) -> Self {
            Self(Exact(digits.trim_start_matches('-').to_owned()))
        }
    }

    let seven = |digits: &str| Unsigned(Exact(digits.to_owned()));
    for codec in [NATIVE, PYTHON] {
        assert!(codec.encode(&seven("7")).is_ok(), "{codec:?}");
        assert!(codec.encode(&seven("-7")).is_err(), "{codec:?}");
    }
}

#[test]
fn a_document_is_stored_for_another_language_if_its_numbers_keep_their_value() {
    let raw = |text: &str| RawValue::from_string(format!(r#"{{"price":{text}}}"#)).unwrap();
    for codec in [PYTHON, TYPESCRIPT] {
        for same in ["1.50", "10.0", "0.1", "1e5", "12345678901234567890", "-0"] {
            assert!(codec.encode(&json(same)).is_ok(), "{codec:?} {same}");
            assert!(codec.encode(&raw(same)).is_ok(), "{codec:?} {same}");
        }
        for other in ["0.1234567890123456789", "0.10000000000000001", "1e400", "1e-400"] {
            let reason = refusal(codec, &raw(other));
            assert!(reason.contains("more digits"), "{codec:?} {other}: {reason}");
            assert_eq!(refusal(codec, &json(other)), reason);
        }
    }
    for text in ["0.1234567890123456789", "10.0", "1e400"] {
        assert_eq!(replay(NATIVE, &json(text)), json(text));
    }
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(untagged)]
enum Amount {
    Whole(u64),
    Part(f64),
}

/// JavaScript writes it as an integer.
#[test]
fn a_whole_float_is_stored_for_typescript_if_its_type_reads_a_float() {
    for float in [1.0, 0.0, -0.0, -3.0, 1e15, 1e20] {
        assert_eq!(replay(TYPESCRIPT, &(float, float as f32)), (float, float as f32));
        for codec in [NATIVE, PYTHON] {
            assert_eq!(replay(codec, &Amount::Part(float)), Amount::Part(float));
            let value = serde_json::Value::from(float);
            assert_eq!(replay(codec, &value), value);
        }
    }
    const OTHER: &str = "what was written is read as another value";
    assert_eq!(refusal(TYPESCRIPT, &[Amount::Part(1.0)]), OTHER);
    assert_eq!(refusal(TYPESCRIPT, &serde_json::json!({ "total": 10.0 })), OTHER);
    assert_eq!(replay(TYPESCRIPT, &Amount::Part(1.5)), Amount::Part(1.5));
    assert_eq!(replay(TYPESCRIPT, &Amount::Whole(1)), Amount::Whole(1));
}
