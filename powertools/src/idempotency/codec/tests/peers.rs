//! The codecs of the other toolkits, compared with their languages and with hashes that they made.

use std::collections::HashMap;
use std::io::Write;
use std::process::{Command, Stdio};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde::Serialize;
use serde_json::value::RawValue;

use super::documents::{document, scaled};
use super::{Derived, PYTHON, TYPESCRIPT, derive_for, json, refusal};
use crate::idempotency::codec::{HashFunction, KeyCodec, parsed, python, typescript};
use crate::json::{Form, to_text};

/// What the toolkits themselves hashed: the event, the string that Python hashed and its hash, and
/// those of TypeScript.
const RECORDED: [[&str; 5]; 13] = [
    [
        r#"{"user_id":"xyz","product_id":"123456789"}"#,
        r#"{"product_id": "123456789", "user_id": "xyz"}"#,
        "b8967642f95965b39f63f4bf20032dfc",
        r#"{"product_id":"123456789","user_id":"xyz"}"#,
        "xW6ytyx6/HC187aBL+9PaA==",
    ],
    [
        r#"{"b":{"d":1,"c":[3,2,1]},"a":null}"#,
        r#"{"a": null, "b": {"c": [3, 2, 1], "d": 1}}"#,
        "0a2cc4ebcf78950306d3f0b89348039d",
        r#"{"a":null,"b":{"c":[3,2,1],"d":1}}"#,
        "SdqKXAYvsd16mpMG3Y56Lw==",
    ],
    [
        r#"{"Z":1,"a":2,"_":3,"é":4}"#,
        r#"{"Z": 1, "_": 3, "a": 2, "\u00e9": 4}"#,
        "a9d53d4dacd120b29d475bcd0693523f",
        r#"{"_":3,"a":2,"Z":1,"é":4}"#,
        "oGvryFlThQp+6U8jf4Kh5Q==",
    ],
    [
        "[1.0,0.1,100,1e16,1e15,1e-5,0.0001,123456789012345680]",
        "[1.0, 0.1, 100, 1e+16, 1000000000000000.0, 1e-05, 0.0001, 123456789012345680]",
        "4d30e54c74fe511e63d63ccef13e49e4",
        "[1,0.1,100,10000000000000000,1000000000000000,0.00001,0.0001,123456789012345680]",
        "8cm8fo29prQpoJnfg7OuMg==",
    ],
    [
        r#""line\nbreak\t\u0001 \"q\" \\ /""#,
        r#""line\nbreak\t\u0001 \"q\" \\ /""#,
        "dc2ac9520d7ed412fab4632cdef543d8",
        r#""line\nbreak\t\u0001 \"q\" \\ /""#,
        "3CrJUg1+1BL6tGMs3vVD2A==",
    ],
    [
        r#"{"n":-0.0}"#,
        r#"{"n": -0.0}"#,
        "a077aae283a230d0fc7b4c05193dfbb3",
        r#"{"n":0}"#,
        "S7ng3lAFdHtiytt/xpxYSg==",
    ],
    [
        r#""\u007f\u2028é😀""#,
        r#""\u007f\u2028\u00e9\ud83d\ude00""#,
        "024d9aa8202d9b2feb7cd461ae34ffa9",
        "\"\u{7f}\u{2028}é😀\"",
        "p+tGd9/UuH6xq3sPNZHAWQ==",
    ],
    ["[]", "[]", "d751713988987e9331980363e24189ce", "[]", "11FxOYiYfpMxmANj4kGJzg=="],
    [
        r#"{"10":1,"9":2,"a":3}"#,
        r#"{"10": 1, "9": 2, "a": 3}"#,
        "df0684d2c9669a43c9e68565f7f2f670",
        r#"{"9":2,"10":1,"a":3}"#,
        "7P8T2AZQWKIdjR3nI4md6A==",
    ],
    [
        r#"{"A":1,"a":2,"B":3,"b":4}"#,
        r#"{"A": 1, "B": 3, "a": 2, "b": 4}"#,
        "001b3b5534c2a1dd119c5e2bcc3fcace",
        r#"{"A":1,"a":2,"B":3,"b":4}"#,
        "lGCxkxzRm7+CIOhWHbrI4A==",
    ],
    ["false", "false", "68934a3e9455fa72420237eb05902327", "false", "aJNKPpRV+nJCAjfrBZAjJw=="],
    ["0", "0", "cfcd208495d565ef66e7dff9f98764da", "0", "z80ghJXVZe9m59/5+Ydk2g=="],
    ["12.50", "12.5", "cf3e481a44141cabd4e9d46cfbb1f899", "12.5", "zz5IGkQUHKvU6dRs+7H4mQ=="],
];

#[test]
fn hashes_the_same_documents_as_the_toolkits() {
    for [event, python_text, python_hash, typescript_text, typescript_hash] in RECORDED {
        let raw = RawValue::from_string(event.to_owned()).unwrap();
        let event = json(event);
        assert_eq!(python::dumps(&event), python_text);
        assert_eq!(PYTHON.payload(&event).unwrap(), python_hash);
        assert_eq!(PYTHON.payload(&raw).unwrap(), python_hash);
        assert_eq!(typescript::stringify(&event), typescript_text);
        assert_eq!(TYPESCRIPT.payload(&event).unwrap(), typescript_hash);
        assert_eq!(TYPESCRIPT.payload(&raw).unwrap(), typescript_hash);
        if !event.is_absent() {
            let key = |codec: KeyCodec| derive_for(codec, "orders-fn", None, &event).unwrap();
            assert_eq!(key(PYTHON), Derived::Key(format!("orders-fn#{python_hash}").into()));
            assert_eq!(
                key(TYPESCRIPT),
                Derived::Key(format!("orders-fn#{typescript_hash}").into())
            );
        }
    }
}

#[test]
fn python_hashes_by_sha_256_too() {
    let codec = KeyCodec::Python { hash: HashFunction::Sha256 };
    assert_eq!(
        derive_for(codec, "orders-fn.app.lambda_handler", None, "o-1").unwrap(),
        Derived::Key(
            "orders-fn.app.lambda_handler#\
             00d5c8b71f851bbe47626a189b20fb19c11753e244bb658095c370ba3798f85c"
                .into()
        )
    );
}

#[test]
fn rejects_a_float_without_its_original_digits() {
    #[derive(Serialize)]
    struct Order {
        id: u64,
        price: f64,
    }
    for codec in [PYTHON, TYPESCRIPT] {
        assert!(refusal(codec, &Order { id: 1, price: 10.0 }).contains("event's own JSON"));
        assert!(refusal(codec, &1.5f32).contains("event's own JSON"));
        assert!(refusal(codec, &serde_json::json!({"a": [1.5]})).contains("event's own JSON"));
        assert!(refusal(codec, &HashMap::from([(1, f64::NAN)])).contains("event's own JSON"));
        assert!(codec.payload(&(1, 0.5)).is_err());
    }
}

#[test]
fn types_without_floats_have_the_key_of_their_json() {
    #[derive(Serialize)]
    enum Kind {
        Unit,
        New(u8),
        Tuple(i8, char),
        Struct { b: (), a: Option<bool> },
    }
    #[derive(Serialize)]
    struct Order<'a> {
        id: u128,
        small: i128,
        text: &'a str,
        kinds: [Kind; 4],
        map: HashMap<i32, u8>,
        raw: Box<RawValue>,
        tree: crate::idempotency::Json,
    }
    let order = Order {
        id: u128::MAX,
        small: i128::MIN,
        text: "Zoë\u{7f}",
        kinds: [Kind::Unit, Kind::New(1), Kind::Tuple(2, '"'), Kind::Struct { b: (), a: None }],
        map: HashMap::from([(-1, 1), (10, 2), (9, 3)]),
        raw: RawValue::from_string("[1.0, 1e400]".to_owned()).unwrap(),
        tree: json("[1.0,10.50,-0,-0.0,1e400,1E5]"),
    };
    let text = serde_json::to_string(&order).unwrap();
    assert!(text.contains("[1.0,10.50,-0,-0.0,1e400,1E5]"));
    for codec in [PYTHON, TYPESCRIPT] {
        assert_eq!(codec.payload(&order).unwrap(), codec.payload(&json(&text)).unwrap());
    }
}

#[test]
fn the_python_codec_writes_the_json_of_python() {
    let script = "import json, sys
for line in sys.stdin:
    print(json.dumps(json.dumps(json.loads(json.loads(line)), sort_keys=True)))";
    compare_with("python3", "-c", script, |text| python::dumps(&tree_of(text)));
}

#[test]
fn the_typescript_codec_writes_the_json_of_javascript() {
    let script = "
const sortObject = (object) => Object.keys(object)
    .sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
    .reduce((acc, key) => { acc[key] = deepSort(object[key]); return acc }, {});
const deepSort = (data) => Array.isArray(data) ? data.map(deepSort)
    : data !== null && typeof data === 'object' ? sortObject(data) : data;
for (const line of require('fs').readFileSync(0, 'utf8').split('\\n').slice(0, -1))
    console.log(JSON.stringify(JSON.stringify(deepSort(JSON.parse(JSON.parse(line))))));";
    compare_with("node", "-e", script, |text| typescript::stringify(&tree_of(text)));
}

fn tree_of(text: &str) -> crate::idempotency::Json {
    parsed(to_text(&json(text), Form::Event).unwrap().text).unwrap()
}

/// Writes random documents with `write` and with a script of the interpreter, and compares them.
fn compare_with(interpreter: &str, flag: &str, script: &str, write: fn(&str) -> String) {
    let child = Command::new(interpreter)
        .args([flag, script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        return eprintln!("skipped: no {interpreter}");
    };

    let mut runner = TestRunner::default();
    let count = scaled(2000) as usize;
    let mut random = || document().new_tree(&mut runner).unwrap().current();
    let documents: Vec<String> = (0..count).map(|_| random()).collect();

    // The script may write before it has read everything, so its output is read meanwhile.
    let mut stdin = child.stdin.take().unwrap();
    let lines: String =
        documents.iter().map(|text| serde_json::to_string(text).unwrap() + "\n").collect();
    let feeder = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap().unwrap();
    assert!(output.status.success());

    let output = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.lines().count(), count);
    for (text, line) in documents.iter().zip(output.lines()) {
        let expected: String = serde_json::from_str(line).unwrap();
        assert_eq!(write(text), expected, "{text}");
    }
}
