//! Random JSON documents, full of edge cases.

use proptest::prelude::*;

/// Returns how many documents to try: `POWERTOOLS_TEST_SCALE` times as many as usual.
pub(super) fn scaled(count: u32) -> u32 {
    let scale = std::env::var("POWERTOOLS_TEST_SCALE").ok().and_then(|scale| scale.parse().ok());
    count.saturating_mul(scale.unwrap_or(1))
}

/// Generates the JSON of a document. Its strings and names have no lone surrogates.
pub(super) fn document() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        number(),
        number(),
        text(),
    ];
    leaf.prop_recursive(5, 48, 8, |inner| {
        let members = prop::collection::vec((name(), inner.clone()), 0..8);
        let items = prop::collection::vec(inner, 0..6);
        prop_oneof![
            items.prop_map(|items| format!("[{}]", items.join(" ,"))),
            members.prop_map(|members| {
                let members: Vec<_> =
                    members.iter().map(|(name, value)| format!("{name}:{value}")).collect();
                format!("{{ {}\n}}", members.join(","))
            }),
        ]
    })
}

pub(super) fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<i128>().prop_map(|number| number.to_string()),
        (-20i64..20).prop_map(|number| number.to_string()),
        near_powers(),
        "-?[1-9][0-9]{20,60}",
        finite().prop_map(|float| format!("{float:e}")),
        finite().prop_map(|float| format!("{float:?}")),
        (any::<i32>(), 0u32..9)
            .prop_map(|(n, point)| format!("{}", f64::from(n) / f64::from(10u32.pow(point)))),
        "-?(0|[1-9][0-9]{0,3})\\.[0-9]{1,25}",
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,5})?[eE][+-]?[0-9]{1,2}",
        "-?[1-9][eE][+-]?[23][0-9]{2}",
        one_of(
            "0 -0 0.0 -0.0 -0e5 0e400 1.0 1e0 1e400 -1e400 1e-400 1e16 1e15 1e-4 1e-5 1e-6 1e-7 \
             1e21 1e20 9999999999999998.0 123456789012345680000.0 5e-324 2.5e-324 \
             1.7976931348623157e308 1.7976931348623159e308",
        ),
    ]
}

fn finite() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("JSON has no infinity", |float| float.is_finite())
}

/// Generates one of several words.
fn one_of(words: &'static str) -> impl Strategy<Value = String> {
    prop::sample::select(words.split(' ').map(str::to_owned).collect::<Vec<_>>())
}

/// Integers around the limits of number types.
fn near_powers() -> impl Strategy<Value = String> {
    let powers = prop::sample::select(vec![31u32, 32, 53, 63, 64, 126]);
    (powers, -3i128..=3, any::<bool>()).prop_map(|(power, off, negative)| {
        let number = (1i128 << power) + off;
        if negative { format!("-{number}") } else { number.to_string() }
    })
}

/// Letters whose lower case is special, and characters at the edges of ranges.
const SPECIAL: &str = "İıßẞΣσςÅKǄǅ·\u{301}\u{ad}\u{7f}\u{2028}\u{2029}\u{d7ff}\u{e000}\u{f8ff}\u{fffd}\u{ffff}\u{10000}\u{10ffff}😀";

fn char() -> impl Strategy<Value = char> {
    prop_oneof![
        4 => prop::char::range(' ', '~'),
        1 => any::<char>(),
        1 => prop::char::range('\0', '\u{ff}'),
        1 => prop::char::range('\u{370}', '\u{3ff}'),
        1 => prop::sample::select(SPECIAL.chars().collect::<Vec<_>>()),
    ]
}

/// Generates a JSON string, escaped in one of many ways.
pub(super) fn text() -> impl Strategy<Value = String> {
    prop::collection::vec((char(), 0u8..8), 0..8).prop_map(|chars| {
        let mut text = String::from("\"");
        for (char, way) in chars {
            match (char, way) {
                ('/', 0) => text.push_str("\\/"),
                ('"' | '\\', 1..) => text.extend(['\\', char]),
                ('\n', 1..) => text.push_str("\\n"),
                ('\t', 1..) => text.push_str("\\t"),
                ('\u{8}', 1..) => text.push_str("\\b"),
                (_, 0) | ('\0'..' ', _) => {
                    for unit in char.encode_utf16(&mut [0; 2]) {
                        text.push_str(&format!("\\u{unit:04X}"));
                    }
                }
                _ => text.push(char),
            }
        }
        text + "\""
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "\"[abAB_]{1,2}\"",
        2 => "\"[0-9]{1,11}\"",
        1 => "\"-?0?[0-9]\"",
        1 => one_of(
            "\"\" \"4294967294\" \"4294967295\" \"4294967296\" \"__proto__\" \"constructor\" \
             \"toJSON\" \"length\" \"Σ\" \"AΣ\" \"aς\" \"aσ\" \"İ\" \"i̇\" \
             \"$serde_json::private::Number\" \"$serde_json::private::RawValue\"",
        ),
        3 => text(),
    ]
}
