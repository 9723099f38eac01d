use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{NATIVE, PYTHON, TYPESCRIPT, json};
use crate::idempotency::codec::Codec;
use crate::idempotency::{Data, Json};

fn encode(codec: Codec, result: &impl Serialize) -> Data {
    codec.encode(result).unwrap().unwrap()
}

/// Stores a result and reads it again.
fn replay<R: Serialize + DeserializeOwned>(codec: Codec, result: &R) -> R {
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

    assert_eq!(encode(NATIVE, &"s"), Data::Text("\"s\"".to_owned()));
    assert_eq!(encode(PYTHON, &"s"), Data::Text("\"s\"".to_owned()));
    assert_eq!(encode(TYPESCRIPT, &"s"), Data::Text("s".to_owned()));

    assert_eq!(encode(NATIVE, &()), Data::Text("null".to_owned()));
    assert_eq!(encode(PYTHON, &()), Data::Text("null".to_owned()));
    assert_eq!(encode(TYPESCRIPT, &None::<u8>), Data::Value(Json::Null));

    let floats = BTreeMap::from([("b", 10.0), ("a", 1e21), ("c", -0.0), ("d", 0.1)]);
    let python = r#"{"a": 1e+21, "b": 10.0, "c": -0.0, "d": 0.1}"#;
    assert_eq!(encode(PYTHON, &floats), Data::Text(python.to_owned()));
    let typescript = json(r#"{"a":1e+21,"b":10,"c":0,"d":0.1}"#);
    assert_eq!(encode(TYPESCRIPT, &floats), Data::Value(typescript));
}

#[test]
fn reads_what_the_toolkits_wrote() {
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
fn refuses_results_that_no_record_can_hold() {
    let nameless = BTreeMap::from([([1], 1)]);
    for codec in [NATIVE, PYTHON, TYPESCRIPT] {
        assert!(codec.encode(&nameless).is_err());
    }
    for codec in [PYTHON, TYPESCRIPT] {
        assert!(codec.encode(&f64::NAN).is_err());
        assert!(codec.encode(&[f32::INFINITY]).is_err());
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
fn a_float_comes_back_as_it_went() {
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
    fn a_replay_gives_what_was_stored(receipt in receipt()) {
        for codec in [NATIVE, PYTHON] {
            prop_assert_eq!(replay(codec, &receipt), receipt.clone());
        }
        if let Ok(data) = TYPESCRIPT.encode(&receipt) {
            prop_assert_eq!(TYPESCRIPT.decode::<Receipt>(data.as_ref()).unwrap(), receipt);
        }
    }
}
