use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::decode::LIMIT;
use super::{JmesPath, JmesPathError};
use crate::idempotency::{Error, Json};

fn json(text: &str) -> Json {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn search(expression: &str, document: &str) -> String {
    let path = JmesPath::new(expression).unwrap();
    path.search(&json(document)).unwrap_or_else(|error| panic!("{error}")).to_string()
}

/// Why a search fails.
fn failure(expression: &str, document: &str) -> String {
    match JmesPath::new(expression).unwrap().search(&json(document)) {
        Err(JmesPathError::Unfit { expression: operation, reason }) => {
            assert_eq!(operation, expression);
            reason
        }
        other => panic!("{other:?}"),
    }
}

/// Returns why a string is not an expression.
fn refusal(expression: &str) -> String {
    match JmesPath::new(expression).unwrap_err() {
        JmesPathError::Invalid { reason, .. } => reason,
        other => panic!("{other}"),
    }
}

#[test]
fn selects_without_loss() {
    let document = r#"{
        "id": 12345678901234567890123456789, "price": 1.0, "zero": -0.0, "huge": 1e400,
        "items": [{"b": 10.50, "a": -0}, {"b": 18446744073709551616, "B": 2, "A": 1, "a": 3}],
        "body": "{\"n\": 98765432109876543210, \"z\": {\"b\": 1E2, \"B\": 2.50}}"
    }"#;
    for (expression, expected) in [
        ("id", "12345678901234567890123456789"),
        ("[id, price, zero, huge]", "[12345678901234567890123456789,1.0,-0.0,1e400]"),
        ("{z: price, a: id}", r#"{"z":1.0,"a":12345678901234567890123456789}"#),
        ("items[*].b", "[10.50,18446744073709551616]"),
        ("items[1]", r#"{"b":18446744073709551616,"B":2,"A":1,"a":3}"#),
        ("items[1].*", "[18446744073709551616,2,1,3]"),
        ("items[-1] | keys(@)", r#"["b","B","A","a"]"#),
        ("items[1].values(@)[0]", "18446744073709551616"),
        ("items[?b > `10.5`].B | [0]", "2"),
        ("max_by(items, &b).B", "2"),
        ("powertools_json(body).n", "98765432109876543210"),
        ("powertools_json(body).z", r#"{"b":1E2,"B":2.50}"#),
        ("powertools_json(body).[n, z.B]", "[98765432109876543210,2.50]"),
        ("nothing.at.all[0]", "null"),
        ("nothing || id", "12345678901234567890123456789"),
    ] {
        assert_eq!(search(expression, document), expected, "{expression}");
    }
}

#[test]
fn decodes_as_the_other_toolkits_do() {
    let zip = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        STANDARD.encode(encoder.finish().unwrap())
    };
    let document = format!(
        r#"{{"data": "{}", "logs": "{}", "wrapped": "eyJpZCI6\nIDF9"}}"#,
        STANDARD.encode(r#"{"id": "Zoë"}"#),
        zip(r#"{"logEvents": [{"id": "a"}, {"id": "b"}]}"#),
    );
    for (expression, expected) in [
        ("powertools_base64(data)", r#""{\"id\": \"Zoë\"}""#),
        ("powertools_json(powertools_base64(data)).id", r#""Zoë""#),
        ("powertools_json(powertools_base64(wrapped)).id", "1"),
        ("powertools_base64_gzip(logs) | powertools_json(@).logEvents[*].id", r#"["a","b"]"#),
        ("map(&powertools_json(@).id, ['{\"id\": 1.0}'])", "[1.0]"),
    ] {
        assert_eq!(search(expression, &document), expected, "{expression}");
    }
}

/// So many KB of spaces.
fn gzip_of(kilobytes: u64) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..kilobytes {
        encoder.write_all(&[b' '; 1024]).unwrap();
    }
    STANDARD.encode(encoder.finish().unwrap())
}

#[test]
fn the_space_for_compressed_texts_is_that_of_a_whole_search() {
    let third = gzip_of(LIMIT / 1024 / 3);
    let list = |count| format!("[{}]", vec![format!(r#""{third}""#); count].join(","));
    let unpacked = "length([*].powertools_base64_gzip(@) | [])";
    assert_eq!(search(unpacked, &list(3)), "3");
    assert!(failure(unpacked, &list(4)).contains("more than 10485760 bytes"));
}

#[test]
fn rejects_data_that_it_cannot_decode() {
    let bomb = gzip_of(LIMIT / 1024 + 1);
    assert!(bomb.len() < 20_000);
    let document =
        format!(r#"{{"bomb": "{bomb}", "text": "a%", "binary": "/w==", "cut": "H4sI", "n": 1}}"#);
    for (expression, expected) in [
        ("powertools_base64_gzip(bomb)", "more than 10485760 bytes"),
        ("powertools_base64_gzip(cut)", "not gzip"),
        ("powertools_base64_gzip(binary)", "not gzip"),
        ("powertools_base64(text)", "not base64"),
        ("powertools_base64(binary)", "UTF-8"),
        ("powertools_json(text)", "not JSON"),
        ("powertools_json(n)", "argument 1 of powertools_json has the wrong type: number"),
        ("powertools_json(missing)", "wrong type: null"),
        ("[powertools_json(text)][0]", "not JSON"),
    ] {
        let reason = failure(expression, &document);
        assert!(reason.contains(expected), "{expression}: {reason}");
    }
}

#[test]
fn rejects_invalid_expressions() {
    for (expression, expected) in [
        ("", "eof"),
        ("a.", ""),
        ("a[", ""),
        ("powertools_jsn(body)", "there is no function powertools_jsn"),
        ("a || b[?c == `1`].[d, {e: &nope(f)}]", "there is no function nope"),
        ("map(&nope(@), a)", "there is no function nope"),
        ("powertools_json()", "powertools_json takes 1 arguments, not 0"),
        ("join(a)", "join takes 2 arguments, not 1"),
        ("merge()", "at least one"),
        ("a[::0]", "step"),
        ("a == `1e400`", "out of range"),
        ("a == `01`", "literal"),
    ] {
        let reason = refusal(expression);
        assert!(reason.to_lowercase().contains(expected), "{expression}: {reason}");
    }
    let error: Error = JmesPath::new("nope(a)").unwrap_err().into();
    assert_eq!(error.error_type(), "Powertools.IdempotencyConfig");
    assert!(error.to_string().contains("nope(a)"));
}

#[test]
fn computes_as_python_does() {
    let document =
        r#"{"i": [3, -1, 2], "f": [1.5, -0.5, 2], "big": [9223372036854775808, 1], "none": []}"#;
    for (expression, expected) in [
        ("sum(i)", "4"),
        ("sum(f)", "3.0"),
        ("sum(big)", "9223372036854775809"),
        ("sum(none)", "0"),
        ("avg(i)", "1.3333333333333333"),
        ("avg(none)", "null"),
        ("ceil(f[0])", "2"),
        ("ceil(f[1])", "0"),
        ("floor(f[1])", "-1"),
        ("abs(f[1])", "0.5"),
        ("abs(i[1])", "1"),
        ("abs(big[0])", "9223372036854775808"),
        ("max(big)", "9223372036854775808"),
        ("min(f)", "-0.5"),
        ("sort(i)", "[-1,2,3]"),
        ("sort_by([{n: `2`}, {n: `1`}], &n)[0].n", "1"),
        ("to_number('12345678901234567890')", "12345678901234567890"),
        ("to_number('x')", "null"),
        ("to_string(i)", "\"[3,-1,2]\""),
        ("length('äö')", "2"),
        ("reverse('ab')", "\"ba\""),
        ("merge({b: `1`, a: `2`}, {b: `3`})", r#"{"b":3,"a":2}"#),
        ("not_null(none.x, i[0])", "3"),
        ("to_array(i[0])", "[3]"),
        ("contains(i, `2.0`)", "true"),
        ("contains('abc', 'b')", "true"),
        ("join('-', ['a', 'b'])", "\"a-b\""),
        ("starts_with('abc', 'ab') && ends_with('abc', 'bc')", "true"),
        ("type(big)", "\"array\""),
        ("i[?@ >= `2`]", "[3,2]"),
        ("i[::-1]", "[2,-1,3]"),
        ("big[0] == `9223372036854775807`", "false"),
    ] {
        assert_eq!(search(expression, document), expected, "{expression}");
    }
    for expression in ["sort([`1`, 'a'])", "max([`null`])", "sum(['a'])", "abs('a')", "'a' < 'b'"] {
        failure(expression, "{}");
    }
}

/// What other implementations are known to get wrong.
#[test]
fn sorts_numbers_by_value_and_takes_only_null_for_nothing() {
    let document = r#"{"n": [100, 20, 3], "t": ["b", "B", "a", "Ä"], "zero": 0, "no": false, "empty": "",
        "none": null, "Key": 1, "key": 2, "KEY": {"Key": 3}}"#;
    for (expression, expected) in [
        ("sort(n)", "[3,20,100]"),
        ("n", "[100,20,3]"),
        ("sort_by([{v: n[0]}, {v: n[1]}, {v: n[2]}], &v)[*].v", "[3,20,100]"),
        ("max(n)", "100"),
        ("sort(t)", r#"["B","a","b","Ä"]"#),
        ("to_number('')", "null"),
        ("to_number(' 1')", "null"),
        ("to_number('0x10')", "null"),
        ("to_number('1_0')", "null"),
        ("to_number('1e2')", "1e2"),
        ("to_number(no)", "null"),
        ("not_null(none, zero, n)", "0"),
        ("not_null(none, empty, n)", r#""""#),
        ("not_null(none, no, n)", "false"),
        ("not_null(none, none)", "null"),
        ("[Key, key, KEY.Key, kEY]", "[1,2,3,null]"),
        ("merge({a: Key}, {A: key})", r#"{"a":1,"A":2}"#),
    ] {
        assert_eq!(search(expression, document), expected, "{expression}");
    }
}

#[test]
fn an_expression_can_be_shared_and_shows_its_source() {
    fn is_shared<T: Send + Sync + Clone + 'static>() {}
    is_shared::<JmesPath>();
    is_shared::<JmesPathError>();
    let path = JmesPath::new("a.b").unwrap();
    assert_eq!(
        (path.as_str(), format!("{path}"), format!("{path:?}")),
        ("a.b", "a.b".to_owned(), r#"JmesPath("a.b")"#.to_owned())
    );
}

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[abc]",
        Just("@".to_owned()),
        Just("*".to_owned()),
        Just("[*]".to_owned()),
        Just("[]".to_owned()),
        "\\[-?[0-3]\\]",
        "\\[-?[0-3]?:-?[0-3]?:?\\]",
        "\\[[0-3]:[0-3]:-?[12]\\]",
        "`[0-9]`",
        "'[ab]?'",
        Just("`null`".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let two = (inner.clone(), inner.clone());
        let operators =
            prop::sample::select(vec![".", " | ", " || ", " && ", " == ", " != ", " < ", " >= "]);
        prop_oneof![
            (two.clone(), operators).prop_map(|((a, b), operator)| format!("{a}{operator}{b}")),
            two.clone().prop_map(|(a, b)| format!("{a}[?{b}]")),
            two.clone().prop_map(|(a, b)| format!("{a}.[{b}, a]")),
            two.clone().prop_map(|(a, b)| format!("{a}.{{a: {b}, b: a}}")),
            inner.clone().prop_map(|a| format!("!{a}")),
            inner.clone().prop_map(|a| format!("({a})")),
            inner.clone().prop_map(|a| format!("({a})[*]")),
            inner.clone().prop_map(|a| format!("({a})[]")),
            (
                inner.clone(),
                prop::sample::select(vec![
                    "length",
                    "keys",
                    "values",
                    "to_array",
                    "type",
                    "reverse",
                    "not_null",
                    "sort",
                    "max",
                    "min",
                    "merge",
                    "to_number",
                ])
            )
                .prop_map(|(a, function)| format!("{function}({a})")),
            (
                two.clone(),
                prop::sample::select(vec![
                    "contains",
                    "join",
                    "starts_with",
                    "ends_with",
                    "not_null"
                ])
            )
                .prop_map(|((a, b), function)| format!("{function}({a}, {b})")),
            (two, prop::sample::select(vec!["sort_by", "max_by", "min_by"]))
                .prop_map(|((a, b), function)| format!("{function}({a}, &{b})")),
        ]
    })
}

/// Documents that the library can hold: small integers, and members in order.
fn document() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..10).prop_map(Value::from),
        "[ab]?".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[abc]", inner, 0..4)
                .prop_map(|members| members.into_iter().collect::<Value>()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn agrees_with_the_library(expression in expression(), document in document()) {
        let Ok(theirs) = jmespath::compile(&expression) else {
            prop_assert!(JmesPath::new(&expression).is_err());
            return Ok(());
        };
        let ours = JmesPath::new(&expression).unwrap();
        let text = document.to_string();
        let theirs = theirs.search(&document).map(|found| serde_json::to_value(&*found).unwrap());
        let ours = ours.search(&json(&text)).map(|found| serde_json::from_str(&found.to_string()).unwrap());
        match (ours, theirs) {
            // Strings have no order here.
            (Err(JmesPathError::Unfit { reason, .. }), Ok(_)) => {
                prop_assert!(reason.contains("two texts"), "{}", reason);
            }
            (ours, theirs) => prop_assert_eq!(ours.ok(), theirs.ok()),
        }
    }

    /// So many that std's sort can panic where there is no order.
    #[test]
    fn integers_and_floats_have_one_order(
        numbers in prop::collection::vec((-4..=4_i64, prop::sample::select(vec!["", ".0", "e0"])), 21..64),
    ) {
        let numbers: Vec<_> = numbers
            .into_iter()
            .map(|(distance, form)| format!("{}{form}", (1_i64 << 53) + distance))
            .collect();
        let sorted = json(&search("sort(@)", &format!("[{}]", numbers.join(","))));
        let value = |number: &Json| {
            let text = number.as_number().unwrap().as_str();
            text.parse().unwrap_or_else(|_| text.parse::<f64>().unwrap() as i64)
        };
        let values: Vec<_> = sorted.as_array().unwrap().iter().map(value).collect();
        prop_assert!(values.is_sorted(), "{}", sorted);
    }

    #[test]
    fn no_input_panics(text in "[a-c0-9.\\[\\]{}()*?:@&|!<>=`'\"\\\\, -]{0,24}", any: String) {
        for text in [text, any] {
            if let Ok(path) = JmesPath::new(text) {
                let _ = path.search(&json(r#"{"a":[{"b":"c"},[1,2,3]],"b":{"c":-1.5}}"#));
            }
        }
    }
}

/// The crate jmespath 0.5.0 compares integers as doubles, in which these two are equal.
#[test]
fn large_integers_are_equal_only_if_all_digits_are() {
    let orders = r#"[{"id":9007199254740992},{"id":9007199254740993}]"#;
    assert_eq!(search("[?id == `9007199254740993`]", orders), r#"[{"id":9007199254740993}]"#);
}

/// `serde_json` reads some floats as a neighbour of it, unless the program has another feature of it on.
#[test]
fn literals_keep_what_is_written() {
    let document = r#"{"n": [97.45424510282939, 12345678901234567890123]}"#;
    for (expression, expected) in [
        ("n[?@ == `97.45424510282939`]", "[97.45424510282939]"),
        ("n[?@ == `12345678901234567890123`]", "[12345678901234567890123]"),
        ("n[?@ == `12345678901234567890124`]", "[]"),
        ("`[1.50, -0, 1E2, 12345678901234567890123]`", "[1.50,-0,1E2,12345678901234567890123]"),
        (
            r#"` {"b": {"z": 1.0, "a": "\\\`"}, "a": null} `"#,
            r#"{"b":{"z":1.0,"a":"\\`"},"a":null}"#,
        ),
        (r#"['ä', `"\`ä"`, `true`, 'x' == `"x"`]"#, r#"["ä","`ä",true,true]"#),
        ("n[*].[@ > `1e1`, `2`]", "[[true,2],[true,2]]"),
    ] {
        assert_eq!(search(expression, document), expected, "{expression}");
    }
}

/// As jmespath.py 1.1.0 has it.
#[test]
fn a_float_equals_one_integer_alone() {
    let infinite = format!("1{}", "0".repeat(400));
    let document = format!(
        r#"{{"near": [9007199254740993, 9007199254740992.0, 9007199254740992], "infinite": [1e400, {infinite}],
            "small": [-3, -3.5, 0.5, -0.0, 0, 1]}}"#
    );
    for (expression, expected) in [
        ("sort(near)", "[9007199254740992.0,9007199254740992,9007199254740993]"),
        ("near[0] == near[1]", "false"),
        ("near[1] == near[2]", "true"),
        ("near[0] > near[1] && near[1] < near[0]", "true"),
        ("min(near)", "9007199254740992.0"),
        ("infinite[0] > infinite[1] && infinite[1] < infinite[0]", "true"),
        ("sort(small)", "[-3.5,-3,-0.0,0,0.5,1]"),
    ] {
        assert_eq!(search(expression, &document), expected, "{expression}");
    }
}
