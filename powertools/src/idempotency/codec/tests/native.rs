use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::documents::{document, number, scaled};
use super::{
    Derived, Exact, NATIVE, Scope, canonical, derive, derive_for, json, key, refusal, try_canonical,
};
use crate::idempotency::Json;

#[test]
fn sorts_members_as_rfc_8785_does() {
    // The example of the RFC, section 3.2.3.
    let text = r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"#;
    let sorted = "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}";
    assert_eq!(canonical(&json(text)), sorted);
    assert_eq!(canonical(&RawValue::from_string(text.to_owned()).unwrap()), sorted);
}

#[test]
fn sorts_names_that_begin_alike() {
    let text = r#"{"ab c":1,"ab":2,"":3,"abcdefgh":4,"abcdefghi":5,"abcdefg":6,"ab\"":7,"abb":8,"a\u0000":9,"a":10}"#;
    let sorted = r#"{"":3,"a":10,"a\u0000":9,"ab":2,"ab c":1,"ab\"":7,"abb":8,"abcdefg":6,"abcdefgh":4,"abcdefghi":5}"#;
    assert_eq!(canonical(&json(text)), sorted);
}

#[test]
fn writes_numbers() {
    for (text, expected) in [
        ("-0", "0"),
        ("-0.0", "0"),
        ("10.0", "10"),
        ("1E3", "1000"),
        ("1e21", "1e+21"),
        ("1e-7", "1e-7"),
        ("0.30000000000000004", "0.30000000000000004"),
        ("333333333.33333329", "333333333.3333333"),
        ("5e-324", "5e-324"),
        ("9007199254740993", "9007199254740993"),
        ("340282366920938463463374607431768211456", "340282366920938463463374607431768211456"),
    ] {
        assert_eq!(canonical(&json(text)), expected);
    }
    assert_eq!(canonical(&(0.1f32, -0.0f64, 1e21f64, u128::MAX, i128::MIN)), {
        "[0.1,0,1e+21,340282366920938463463374607431768211455,\
          -170141183460469231731687303715884105728]"
    });
}

#[test]
fn rejects_infinity_and_nan_at_any_depth() {
    for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(refusal(NATIVE, &float).contains("infinite"));
        assert!(refusal(NATIVE, &vec![Some((1, float))]).contains("infinite"));
        assert!(refusal(NATIVE, &HashMap::from([("a", float)])).contains("infinite"));
    }
    assert!(refusal(NATIVE, &f32::NAN).contains("infinite"));
    assert!(refusal(NATIVE, &json("[1e400]")).contains("infinite"));
}

#[test]
fn large_integers_do_not_collide() {
    let mut keys = Vec::new();
    for power in [53, 63, 64, 126] {
        for off in -2..=2i128 {
            let integer = (1i128 << power) + off;
            let its_key = key(NATIVE, &integer);
            assert_eq!(key(NATIVE, &json(&integer.to_string())), its_key);
            keys.push(its_key);
        }
    }
    let count = keys.len();
    keys.sort();
    keys.dedup();
    // None is equal to another, since the powers are far apart.
    assert_eq!(keys.len(), count);
}

#[test]
fn rejects_what_is_nested_too_deeply() {
    #[derive(Serialize)]
    enum Chain {
        End,
        Link(Box<Chain>),
    }
    #[derive(Serialize)]
    struct Some_(Option<Box<Some_>>);

    let mut chain = Chain::End;
    let mut wrapped = Some_(None);
    for _ in 0..1000 {
        chain = Chain::Link(Box::new(chain));
        wrapped = Some_(Some(Box::new(wrapped)));
    }
    assert!(refusal(NATIVE, &chain).contains("deep"));
    assert!(refusal(NATIVE, &wrapped).contains("deep"));
    assert!(refusal(super::PYTHON, &chain).contains("deep"));
    assert!(refusal(super::TYPESCRIPT, &wrapped).contains("deep"));

    let raw = "[".repeat(100_000) + &"]".repeat(100_000);
    let raw = RawValue::from_string(raw).unwrap();
    assert!(refusal(NATIVE, &raw).contains("deep"));
    assert!(refusal(super::PYTHON, &raw).contains("deep"));

    let deepest = format!("{}1{}", "[".repeat(128), "]".repeat(128));
    assert_eq!(canonical(&json(&deepest)), deepest);
}

#[test]
fn writes_types_as_serde_json_does() {
    #[derive(Serialize)]
    enum Kind {
        Unit,
        New(u8),
        Tuple(u8, u8),
        Struct { b: u8, a: u8 },
    }
    let names = BTreeMap::from([(-1i64, 'a'), (2, '"')]);
    let kinds = [Kind::Unit, Kind::New(1), Kind::Tuple(1, 2), Kind::Struct { b: 1, a: 2 }];
    assert_eq!(
        canonical(&(names, kinds, Some(true), serde_json::json!({"x": [null]}), 'é')),
        r#"[{"-1":"a","2":"\""},["Unit",{"New":1},{"Tuple":[1,2]},{"Struct":{"a":2,"b":1}}],true,{"x":[null]},"é"]"#
    );
    assert_eq!(canonical(&BTreeMap::from([((), 1)].map(|(_, v)| (true, v)))), r#"{"true":1}"#);
    assert!(refusal(NATIVE, &BTreeMap::from([([1], 1)])).contains("name"));
    assert!(refusal(NATIVE, &BTreeMap::from([((), 1)])).contains("name"));
}

#[test]
fn a_number_of_arbitrary_precision_is_its_text() {
    let numbers = ["18446744073709551617", "1.50"].map(|digits| Exact(digits.to_owned()));
    assert_eq!(canonical(&numbers), "[18446744073709551617,1.5]");
}

#[test]
fn name_and_tenant_are_part_of_the_key() {
    let key = |name, tenant| match derive_for(NATIVE, name, tenant, "o-1").unwrap() {
        Derived::Key(key) => key.to_string(),
        none => panic!("{none:?}"),
    };
    assert_eq!(
        key("orders", None),
        // printf '["orders",null,"o-1"]' | sha256sum
        "orders#n1:16316a7e69a27ab9dbd5050da9e49c5d81787302aa7aafe31144031b29e70246"
    );
    assert_ne!(key("orders", None), key("orders", Some("null")));
    assert_ne!(key("orders", Some("a")), key("orders", Some("b")));
    let hash = |key: String| key.rsplit(':').next().unwrap().to_owned();
    assert_ne!(hash(key("orders", None)), hash(key("refunds", None)));
}

#[test]
fn prefix_and_name_are_parts_of_the_key_and_not_one_string() {
    let key =
        |prefix, name| NATIVE.key(Scope { prefix, name, tenant: None }, "o-1", false).unwrap();
    let (Derived::Key(one), Derived::Key(other)) = (key("a.b", "c"), key("a", "b.c")) else {
        panic!("no keys")
    };
    assert!(one.as_str().starts_with("a.b.c#") && other.as_str().starts_with("a.b.c#"));
    assert_ne!(one, other);
    assert_ne!(Derived::Key(one), key("", "a.b.c"));
    // printf '["a","b.c",null,"o-1"]' | sha256sum
    assert_eq!(
        other.as_str(),
        "a.b.c#n1:5f33b5da85d596fbdeedc230687c25a6178dd4a9ea43bc4a05cc2ebe88498832"
    );
}

#[test]
fn names_that_are_escaped_are_decoded_once() {
    let names: Vec<_> = (0..300_000_u32).rev().map(|n| format!(r#""\n{n}":0"#)).collect();
    let tree = json(&format!("{{{}}}", names.join(",")));
    let mut text = String::new();
    let allocated = allocation_counter::measure(|| text = canonical(&tree));
    // A string and its code units for each name.
    assert!(allocated.count_total < 4 * 300_000, "{allocated:?}");
    assert!(text.starts_with(r#"{"\n0":0,"\n1":0,"\n10":0,"#));
}

/// Returns canonical JSON, written by its definition word for word.
fn slow(json: &Json) -> Option<String> {
    let join = |parts: Vec<String>| parts.join(",");
    Some(match json {
        Json::Number(number) if number.as_str() == "-0" => "0".to_owned(),
        Json::Number(number)
            if number.as_str().bytes().all(|b| b == b'-' || b.is_ascii_digit()) =>
        {
            number.to_string()
        }
        Json::Number(number) => {
            let float: f64 = number.as_str().parse().unwrap();
            if float.is_infinite() {
                return None;
            }
            ryu_js::Buffer::new().format(float).to_owned()
        }
        Json::Array(items) => format!("[{}]", join(items.iter().map(slow).collect::<Option<_>>()?)),
        Json::Object(members) => {
            let mut sorted = BTreeMap::new();
            for (name, value) in members {
                let member = format!("{}:{}", serde_json::to_string(name).unwrap(), slow(value)?);
                sorted.insert(name.encode_utf16().collect::<Vec<_>>(), member);
            }
            format!("{{{}}}", join(sorted.into_values().collect()))
        }
        other => other.to_string(),
    })
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Order {
    z: Option<i64>,
    id: u64,
    #[serde(rename = "Ä")]
    text: String,
    price: f64,
    ratio: f32,
    map: HashMap<String, i32>,
    list: Vec<(i8, bool, char)>,
    kind: Kind,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Kind {
    None,
    One(u16),
    Two { y: i16, x: () },
}

prop_compose! {
    fn order()(
        z: Option<i64>, id: u64, text: String,
        price in any::<f64>().prop_filter("finite", |float| float.is_finite()),
        ratio in any::<f32>().prop_filter("finite", |float| float.is_finite()),
        map in prop::collection::hash_map(any::<String>(), any::<i32>(), 0..6),
        list in prop::collection::vec(any::<(i8, bool, char)>(), 0..4),
        kind in prop_oneof![
            Just(Kind::None), any::<u16>().prop_map(Kind::One),
            any::<i16>().prop_map(|y| Kind::Two { y, x: () }),
        ],
    ) -> Order {
        Order { z, id, text, price, ratio, map, list, kind }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(scaled(2000)))]

    #[test]
    fn agrees_with_a_slow_implementation(text in document()) {
        let tree = json(&text);
        let expected = slow(&tree);
        let raw = RawValue::from_string(text).unwrap();
        prop_assert_eq!(try_canonical(&tree).ok(), expected.clone());
        prop_assert_eq!(try_canonical(&raw).ok(), expected);
    }

    #[test]
    fn a_type_has_the_key_of_its_json(order in order()) {
        let text = serde_json::to_string(&order).unwrap();
        let its_key = derive(NATIVE, &order);
        prop_assert_eq!(&derive(NATIVE, &json(&text)), &its_key);
        prop_assert_eq!(&derive(NATIVE, &RawValue::from_string(text).unwrap()), &its_key);
    }

    #[test]
    fn the_order_of_members_does_not_matter(
        members in prop::collection::btree_map(any::<String>(), number(), 1..12),
        seed: u64,
    ) {
        let mut shuffled: Vec<_> = members.iter().collect();
        shuffled.sort_by_key(|(name, _)| {
            use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
            BuildHasherDefault::<DefaultHasher>::default().hash_one((seed, name))
        });
        let write = |members: Vec<(&String, &String)>| {
            let members: Vec<_> = members
                .into_iter()
                .map(|(name, value)| format!("{}:{value}", serde_json::to_string(name).unwrap()))
                .collect();
            json(&format!("{{{}}}", members.join(",")))
        };
        let (one, other) = (write(members.iter().collect()), write(shuffled));
        for codec in [NATIVE, super::PYTHON] {
            prop_assert_eq!(codec.payload(&one).ok(), codec.payload(&other).ok());
        }
    }
}
