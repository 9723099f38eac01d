use std::collections::BTreeMap;

use serde::Serialize;

use super::{NATIVE, PYTHON, TYPESCRIPT, json};

const CODECS: [super::Codec; 3] = [NATIVE, PYTHON, TYPESCRIPT];

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
            assert_eq!(codec.key("fn", None, &json(text)).unwrap(), None, "{codec:?} {text}");
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
        "[null,0]",
        "[[null]]",
        "[\"null,null\"]",
        r#"{"a":{}}"#,
        r#"{"a":null,"b":""}"#,
        r#"{"a":"null"}"#,
        r#"{"":null,"\":null":0}"#,
    ] {
        for codec in CODECS {
            assert!(codec.key("fn", None, &json(text)).unwrap().is_some(), "{codec:?} {text}");
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

    let absent: [&dyn Fn(super::Codec) -> Option<String>; 8] = [
        &|codec| codec.key("fn", None, &()).unwrap(),
        &|codec| codec.key("fn", None, &Unit).unwrap(),
        &|codec| codec.key("fn", None, &Wrapped(None)).unwrap(),
        &|codec| codec.key("fn", None, &Wrapped(Some(String::new()))).unwrap(),
        &|codec| codec.key("fn", None, &Order { id: None, client: None }).unwrap(),
        &|codec| codec.key("fn", None, &(None::<u8>, None::<u8>)).unwrap(),
        &|codec| codec.key("fn", None, &BTreeMap::<String, u8>::new()).unwrap(),
        &|codec| codec.key("fn", None, &[0u8; 0]).unwrap(),
    ];
    for derive in absent {
        assert_eq!(CODECS.map(derive), [None, None, None]);
    }
    let order = Order { id: None, client: Some(String::new()) };
    assert!(CODECS.iter().all(|codec| codec.key("fn", None, &order).unwrap().is_some()));
}
