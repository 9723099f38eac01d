use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::events::NaturalKey;

use super::{Derived, KeyCodec, NATIVE, PYTHON, TYPESCRIPT, derive, json};

const CODECS: [KeyCodec; 3] = [NATIVE, PYTHON, TYPESCRIPT];

#[test]
fn a_key_without_content_is_absent() {
    for text in [
        "null",
        "\"\"",
        "[]",
        "{}",
        "[null]",
        "[null,null]",
        r#"{"a":null}"#,
        r#"{"a":null,"b\"":null}"#,
        r#" { "a" : null , "\u00e9" : null } "#,
    ] {
        for codec in CODECS {
            assert_eq!(derive(codec, &json(text)), Derived::Absent, "{codec:?} {text}");
        }
    }
}

#[test]
fn a_key_with_content_is_not() {
    for text in [
        "0",
        "-0",
        "false",
        "\" \"",
        "\"null\"",
        "[0]",
        "[[]]",
        "[\"\"]",
        "[[null]]",
        "[\"null,null\"]",
        r#"{"a":{}}"#,
        r#"{"a":null,"b":""}"#,
        r#"{"a":"null"}"#,
        r#"{"":null,"\":null":0}"#,
    ] {
        for codec in CODECS {
            assert!(is_key(&derive(codec, &json(text))), "{codec:?} {text}");
        }
    }
}

#[test]
fn typed_keys_are_absent_by_the_same_rule() {
    #[derive(Serialize)]
    struct Unit;
    #[derive(Serialize)]
    struct Wrapped(Option<String>);
    #[derive(Serialize)]
    struct Order {
        id: Option<u64>,
        client: Option<String>,
    }

    let absent: [&dyn Fn(KeyCodec) -> Derived; 8] = [
        &|codec| derive(codec, &()),
        &|codec| derive(codec, &Unit),
        &|codec| derive(codec, &Wrapped(None)),
        &|codec| derive(codec, &Wrapped(Some(String::new()))),
        &|codec| derive(codec, &Order { id: None, client: None }),
        &|codec| derive(codec, &(None::<u8>, None::<u8>)),
        &|codec| derive(codec, &BTreeMap::<String, u8>::new()),
        &|codec| derive(codec, &[0u8; 0]),
    ];
    for derive in absent {
        assert!(CODECS.iter().all(|codec| derive(*codec) == Derived::Absent));
    }
    let order = Order { id: None, client: Some(String::new()) };
    assert!(CODECS.iter().all(|codec| is_key(&derive(*codec, &order))));
}

fn is_key(derived: &Derived) -> bool {
    matches!(derived, Derived::Key(_))
}

#[test]
fn a_list_without_some_of_its_members_is_incomplete() {
    #[derive(Serialize)]
    struct Pair(&'static str, Option<u8>);
    #[derive(Serialize)]
    struct Wrapped<T>(T);

    for (text, index) in [
        ("[null,0]", 0),
        ("[0,null]", 1),
        (r#"["ada",null,"b",null]"#, 1),
        (r#"[["a",null],{"b":null},null]"#, 2),
        (r#"[null,"null"]"#, 0),
    ] {
        assert_eq!(derive(NATIVE, &json(text)), Derived::Incomplete(index), "{text}");
        assert!(is_key(&derive(PYTHON, &json(text))), "{text}");
        assert!(is_key(&derive(TYPESCRIPT, &json(text))), "{text}");
    }
    assert_eq!(derive(NATIVE, &("ada", None::<u8>)), Derived::Incomplete(1));
    assert_eq!(derive(NATIVE, &Pair("ada", None)), Derived::Incomplete(1));
    assert_eq!(derive(NATIVE, &Some(Wrapped(("ada", ())))), Derived::Incomplete(1));
    // What is null further in is content.
    for text in [r#"["a",[null]]"#, r#"["a",{"b":null}]"#, r#"{"a":null,"b":0}"#, r#"["a,null"]"#] {
        assert!(is_key(&derive(NATIVE, &json(text))), "{text}");
    }
}

#[test]
fn an_incomplete_key_can_be_allowed() {
    let scope = super::Scope { prefix: "", name: "fn", tenant: None };
    let derived = NATIVE.key(scope, &("ada", None::<u8>), true).unwrap();
    assert!(is_key(&derived));
    assert_eq!(NATIVE.key(scope, &(None::<u8>, None::<u8>), true).unwrap(), Derived::Absent);
}

#[test]
fn an_absent_identifier_anywhere_makes_the_key_absent() {
    #[derive(Serialize)]
    struct Order {
        caller: &'static str,
        request: NaturalKey,
    }
    #[derive(Serialize)]
    struct Flat {
        #[serde(flatten)]
        order: Order,
    }
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Untagged {
        Key(NaturalKey),
    }
    #[derive(Serialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        Order(Order),
    }

    let absent = NaturalKey::absent;
    let order = || Order { caller: "ada", request: absent() };
    for codec in CODECS {
        for derived in [
            derive(codec, &absent()),
            derive(codec, &("ada", absent())),
            derive(codec, &("ada", Some(absent()))),
            derive(codec, &vec![("ada", Some(vec![absent()]))]),
            derive(codec, &order()),
            derive(codec, &("ada", Flat { order: order() })),
            derive(codec, &("ada", Untagged::Key(absent()))),
            derive(codec, &("ada", Tagged::Order(order()))),
            derive(codec, &HashMap::from([("a", Some(absent()))])),
            derive(codec, &NaturalKey::new([Some("a"), None])),
        ] {
            assert_eq!(derived, Derived::Absent, "{codec:?}");
        }
        let present = NaturalKey::new([Some("k-1")]);
        assert!(is_key(&derive(codec, &("ada", present))));
    }
}
