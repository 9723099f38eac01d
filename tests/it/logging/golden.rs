//! Lines, byte by byte.

use std::error::Error as StdError;
use std::fmt;

use powertools::logging::{self, Format, json};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{invocation, logged, logged_in_invocation, logging};

/// The part before the fields, without the line number of the source.
const HEAD: &str = concat!(
    r#"{"level":"INFO","location":"it::logging::golden:0","message":"order accepted","#,
    r#""timestamp":"2026-11-21T02:32:01.566Z","service":"orders""#,
);

const INVOCATION: &str = concat!(
    r#","cold_start":false,"function_name":"orders-fn","function_memory_size":128,"#,
    r#""function_arn":"arn:aws:lambda:us-east-1:123456789012:function:orders-fn","#,
    r#""function_request_id":"8476a536-e9f4-11e8-9739-2dfe598c3fcd","#,
    r#""xray_trace_id":"1-5759e988-bd862e3fe1be46a994272793""#,
);

/// Takes the number of the line out of the location.
fn fixed(text: String) -> String {
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("golden:") {
        let (before, number) = rest.split_at(at + "golden:".len());
        out.push_str(before);
        out.push('0');
        rest = number.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    out + rest
}

macro_rules! check {
    ($fields:literal, $($event:tt)*) => {{
        let lines = logged(logging(), || tracing::info!($($event)*));
        assert_eq!(fixed(lines.take()), format!("{HEAD}{}}}\n", $fields));
    }};
}

#[test]
fn a_line_outside_of_an_invocation() {
    check!("", "order accepted");
}

#[test]
fn a_line_of_an_invocation() {
    let lines = logged_in_invocation(logging(), || tracing::info!("order accepted"));
    assert_eq!(fixed(lines.take()), format!("{HEAD}{INVOCATION}}}\n"));
}

#[test]
fn a_line_with_everything_that_an_invocation_can_say() {
    let invocation = invocation().tenant_id("blue").cold_start(true).build();
    let lines = logged(logging().key("stage", "prod"), || {
        invocation.sync_scope(|| {
            logging::set_correlation_id("corr-1");
            logging::append("step", 2);
            let _span = tracing::info_span!("order", order_id = 7).entered();
            tracing::info!(amount = 9.5, "order accepted");
        });
    });
    let expected = concat!(
        r#","cold_start":true,"function_name":"orders-fn","function_memory_size":128,"#,
        r#""function_arn":"arn:aws:lambda:us-east-1:123456789012:function:orders-fn","#,
        r#""function_request_id":"8476a536-e9f4-11e8-9739-2dfe598c3fcd","#,
        r#""correlation_id":"corr-1","#,
        r#""xray_trace_id":"1-5759e988-bd862e3fe1be46a994272793","tenant_id":"blue","#,
        r#""stage":"prod","step":2,"amount":9.5,"order_id":7}"#,
    );
    assert_eq!(fixed(lines.take()), format!("{HEAD}{expected}\n"));
}

#[test]
fn every_type_of_field() {
    check!(r#","n":-7"#, n = -7, "order accepted");
    check!(r#","n":18446744073709551615"#, n = u64::MAX, "order accepted");
    check!(r#","n":340282366920938463463374607431768211455"#, n = u128::MAX, "order accepted");
    check!(r#","n":-170141183460469231731687303715884105728"#, n = i128::MIN, "order accepted");
    check!(r#","x":9.5,"y":-0.0,"z":1e+21"#, x = 9.5, y = -0.0, z = 1e21, "order accepted");
    check!(r#","x":"NaN""#, x = f64::NAN, "order accepted");
    check!(
        r#","x":"Infinity","y":"-Infinity""#,
        x = f64::INFINITY,
        y = f64::NEG_INFINITY,
        "order accepted"
    );
    check!(r#","a":true,"b":false"#, a = true, b = false, "order accepted");
    check!(r#","s":"a\"b\\c\n\u0000é""#, s = "a\"b\\c\n\0é", "order accepted");
    check!(r#","s":"owned""#, s = String::from("owned"), "order accepted");
    check!(r#","d":"Some(\"x\")""#, d = ?Some("x"), "order accepted");
    check!(r#","d":"1.2.3.4""#, d = %std::net::Ipv4Addr::new(1, 2, 3, 4), "order accepted");
    check!(r#","some":1"#, some = Some(1), none = None::<i32>, "order accepted");
    check!("", empty = tracing::field::Empty, "order accepted");
    check!(r#","a.b":1,"c d":2"#, a.b = 1, "c d" = 2, "order accepted");
    check!(r#","bytes":"[de ad]""#, bytes = &[0xde_u8, 0xad][..], "order accepted");
}

#[test]
fn values_that_can_be_serialised() {
    #[derive(Serialize)]
    struct Order<'a> {
        id: u128,
        lines: Vec<&'a str>,
        note: Option<()>,
    }
    let order = Order { id: u128::MAX, lines: vec!["tea", "\"milk\""], note: None };
    check!(
        r#","order":{"id":340282366920938463463374607431768211455,"lines":["tea","\"milk\""],"note":null}"#,
        order = json(&order),
        "order accepted"
    );
    check!(r#","a":[1,2],"b":"x""#, a = json([1, 2]), b = json("x"), "order accepted");

    let raw = RawValue::from_string("{ \"a\" :\n[1,\r\n2] }".to_owned()).unwrap();
    check!(r#","raw":{"a":[1,2]}"#, raw = json(&raw), "order accepted");
}

#[test]
fn a_string_that_looks_like_json_stays_a_string() {
    check!(r#","s":"{\"admin\":true}""#, s = r#"{"admin":true}"#, "order accepted");
    check!(r#","s":"{\"admin\":true}""#, s = %r#"{"admin":true}"#, "order accepted");
    check!(r#","s":"Some([1])""#, s = ?Some(json([1])), "order accepted");
}

#[derive(Debug)]
struct Declined(std::num::ParseIntError);

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the card was \"declined\"")
    }
}

impl StdError for Declined {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn errors_have_their_type_message_and_causes() {
    let cause = "x".parse::<i32>().unwrap_err();
    check!(
        r#","exception":"invalid digit found in string","exception_name":"ParseIntError""#,
        error = &cause as &(dyn StdError + 'static),
        "order accepted"
    );
    let error = Declined(cause.clone());
    check!(
        r#","exception":"the card was \"declined\"","exception_chain":["invalid digit found in string"]"#,
        error = &error as &(dyn StdError + 'static),
        "order accepted"
    );
    // A second one has no place of its own.
    check!(
        r#","exception":"invalid digit found in string","exception_name":"ParseIntError","other":"the card was \"declined\": invalid digit found in string""#,
        error = &cause as &(dyn StdError + 'static),
        other = &error as &(dyn StdError + 'static),
        "order accepted"
    );
    let boxed: lambda_runtime::Error = Box::new(Declined(cause));
    check!(
        r#","a":1,"exception":"the card was \"declined\"","exception_chain":["invalid digit found in string"]"#,
        a = 1,
        error = boxed.as_ref(),
        "order accepted"
    );
}

#[test]
fn an_error_of_the_toolkit_has_its_fixed_name() {
    let error = powertools::idempotency::Error::KeyMissing { operation: "charge".to_owned() };
    check!(
        r#","exception":"the event has no idempotency key for charge","exception_name":"Powertools.IdempotencyKeyMissing""#,
        error = &error as &(dyn StdError + 'static),
        "order accepted"
    );
}

#[test]
fn reserved_names_get_an_underscore() {
    check!(
        r#","level_":1,"location_":2,"timestamp_":3,"service_":4,"cold_start_":5,"function_request_id_":6,"correlation_id_":7,"truncated_":8"#,
        level = 1,
        location = 2,
        timestamp = 3,
        service = 4,
        cold_start = 5,
        function_request_id = 6,
        correlation_id = 7,
        truncated = 8,
        "order accepted"
    );
    let lines = logged(logging(), || {
        let _span = tracing::info_span!("s", message = "of the span", level = 9).entered();
        tracing::info!("order accepted");
    });
    assert_eq!(
        fixed(lines.take()),
        format!(r#"{HEAD},"message_":"of the span","level_":9}}"#) + "\n"
    );
}

#[test]
fn a_line_without_a_message_has_none() {
    let lines = logged(logging(), || tracing::info!(orders = 3));
    let line = fixed(lines.take());
    assert!(line.starts_with(r#"{"level":"INFO","location":"it::logging::golden:0","timestamp""#));
    assert!(line.ends_with("\"service\":\"orders\",\"orders\":3}\n"), "{line}");
}

#[test]
fn inner_over_outer() {
    let lines = logged(logging().key("a", "process").key("z", 0), || {
        let _outer = tracing::info_span!("outer", a = 1, b = 1, c = 1).entered();
        let _inner = tracing::info_span!("inner", b = 2, c = 2).entered();
        tracing::info!(c = 3, "order accepted");
    });
    assert_eq!(fixed(lines.take()), format!("{HEAD},\"z\":0,\"c\":3,\"b\":2,\"a\":1}}\n"));
}

#[test]
fn a_span_can_learn_more() {
    let lines = logged(logging(), || {
        let span = tracing::info_span!("s", a = 1, b = tracing::field::Empty);
        let _entered = span.enter();
        span.record("b", "later");
        span.record("a", 2);
        tracing::info!("order accepted");
    });
    let line: serde_json::Value = serde_json::from_str(&lines.take()).unwrap();
    assert_eq!((&line["a"], &line["b"]), (&2.into(), &"later".into()));
}

#[test]
fn spans_of_the_runtime_are_not_repeated() {
    let lines = logged(logging(), || {
        let _runtime = tracing::info_span!(
            target: "lambda_runtime::layers::trace", "Lambda runtime invoke", requestId = "r"
        )
        .entered();
        let _own = tracing::info_span!("own", a = 1).entered();
        tracing::info!("order accepted");
    });
    assert_eq!(fixed(lines.take()), format!("{HEAD},\"a\":1}}\n"));
}

#[test]
fn spans_of_a_crate_with_the_prefix_of_the_runtime_are_kept() {
    let lines = logged(logging(), || {
        let _own = tracing::info_span!(target: "lambda_runtime_orders::charge", "own", a = 1);
        let _own = _own.entered();
        tracing::info!("order accepted");
    });
    assert_eq!(fixed(lines.take()), format!("{HEAD},\"a\":1}}\n"));
}

#[test]
fn an_explicit_target_is_the_location() {
    let lines = logged(logging(), || tracing::warn!(target: "audit \"x\"", "order accepted"));
    let line: serde_json::Value = serde_json::from_str(&lines.take()).unwrap();
    assert!(line["location"].as_str().unwrap().starts_with("audit \"x\":"), "{line}");
    assert_eq!(line["level"], "WARN");
}

#[test]
fn hidden_names_at_any_depth() {
    let lines = logged_in_invocation(
        logging().redact(["password", "card", "function_arn"]).key("PASSWORD", "p"),
        || {
            logging::append("login", json_value(r#"{"user":"a","Password":["p"]}"#));
            let _span = tracing::info_span!("s", card = 4711).entered();
            let event = json_value(r#"{"deep":[{"password":"p"}]}"#);
            tracing::info!(user.password = "p", event = json(&event), "order accepted");
        },
    );
    let line = fixed(lines.take());
    let expected = concat!(
        r#""PASSWORD":"*****","login":{"Password":"*****","user":"a"},"user.password":"*****","#,
        r#""event":{"deep":[{"password":"*****"}]},"card":"*****"}"#,
    );
    assert!(line.ends_with(&format!("{expected}\n")), "{line}");
    assert!(line.contains(r#""function_arn":"*****""#), "{line}");
}

fn json_value(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_text_format_is_readable() {
    let lines = logged_in_invocation(logging().format(Format::Text), || {
        let _span = tracing::info_span!("order", order_id = 7).entered();
        tracing::info!(amount = 9.5, who = "Ada \"L\"", "order \"x\"\naccepted");
    });
    let expected = concat!(
        r#"2026-11-21T02:32:01.566Z INFO it::logging::golden:0: order "x"\naccepted amount=9.5 "#,
        r#"who="Ada \"L\"" order_id=7 service="orders" cold_start=false function_name="orders-fn" "#,
        r#"function_memory_size=128 "#,
        r#"function_arn="arn:aws:lambda:us-east-1:123456789012:function:orders-fn" "#,
        r#"function_request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd" "#,
        r#"xray_trace_id="1-5759e988-bd862e3fe1be46a994272793""#,
    );
    assert_eq!(fixed(lines.take()), format!("{expected}\n"));
}

#[test]
fn development_shows_indented_json() {
    let logging = logging().environment([("POWERTOOLS_DEV", "true")]);
    let lines = logged(logging, || tracing::info!(a = json([1]), "order accepted"));
    let expected = r#"{
    "level": "INFO",
    "location": "it::logging::golden:0",
    "message": "order accepted",
    "timestamp": "2026-11-21T02:32:01.566Z",
    "service": "orders",
    "a": [
        1
    ]
}
"#;
    assert_eq!(fixed(lines.take()), expected);
}

#[test]
fn sampling_shows_its_rate_and_its_decision() {
    let lines =
        logged_in_invocation(logging().sample_rate(1.0), || tracing::info!("order accepted"));
    let line = fixed(lines.take());
    assert!(
        line.starts_with(&format!(r#"{HEAD},"sampling_rate":1.0,"sampled":true,"cold_start""#)),
        "{line}"
    );
}
