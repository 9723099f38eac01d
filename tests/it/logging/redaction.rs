//! Names whose values are never written.

use powertools::logging::{self as logs, Format, json};
use serde_json::{Value, json as value};

use super::{logged, logged_in_invocation, logging};

#[test]
fn a_name_that_gets_an_underscore_is_hidden_by_the_name_that_it_had() {
    for format in [Format::Json, Format::Text] {
        let logging = logging()
            .format(format)
            .redact(["location", "tenant_id", "service", "message", "truncated"])
            .key("truncated", "secret");
        let lines = logged_in_invocation(logging, || {
            logs::append("service", "secret");
            let _span = tracing::info_span!("s", message = "secret").entered();
            tracing::info!(location = "secret", tenant_id = "secret", "hi");
        });
        let text = lines.take();
        assert!(!text.contains("secret"), "{text}");
        assert!(text.contains("hi"), "{text}");
        let hidden = ["location_", "tenant_id_", "service_", "message_", "truncated_"];
        assert!(hidden.iter().all(|name| text.contains(name)), "{text}");
    }
}

#[test]
fn json_inside_strings_is_redacted() {
    let body = r#"{"user": "Ada", "Password": "secret"}"#;
    let sns = value!({ "Type": "Notification", "Message": body }).to_string();
    let event = value!({
        "body": body,
        "Records": [{ "body": sns }],
        "list": r#" [{"password":"secret"}, 1]"#,
        "lines": "{\"password\":\"secret\"}\n{\"password\":\"secret\"}",
        "twice": serde_json::to_string(body).unwrap(),
        "escaped": "\n{\"password\":\"secret\"}",
    });
    let hidden = r#"{"user":"Ada","Password":"*****"}"#;
    let lines = logged_in_invocation(logging().redact(["password"]), || {
        logs::append("event", &event);
        logs::log_event(&event);
        tracing::info!(event = json(&event), "x");
    });
    for line in lines.json() {
        assert!(!line.to_string().contains("secret"), "{line}");
        let event = if line["message"].is_object() { &line["message"] } else { &line["event"] };
        assert_eq!(event["body"], hidden);
        let sns: Value =
            serde_json::from_str(event["Records"][0]["body"].as_str().unwrap()).unwrap();
        assert_eq!(sns, value!({ "Type": "Notification", "Message": hidden }));
        assert_eq!(event["list"], r#"[{"password":"*****"},1]"#);
    }
}

#[test]
fn a_string_without_a_redacted_name_is_unchanged() {
    let event = value!({
        "body": "{ \"user\" : \"Ada\" }",
        "text": "{password: no JSON}",
        "list": "[INFO] \"password\" is wrong",
        "word": "password",
    });
    let lines = logged(logging().redact(["password"]), || logs::log_event(&event));
    assert_eq!(lines.one()["message"], event);
}

#[test]
fn json_nested_in_too_many_strings_is_omitted() {
    let mut text = value!({ "password": "secret" }).to_string();
    for depth in 0..12 {
        let event = value!({ "body": text });
        let lines = logged(logging().redact(["password"]), || logs::log_event(&event));
        let line = lines.one();
        assert!(!line.to_string().contains("secret"), "{depth}: {line}");
        text = event.to_string();
    }
}

#[test]
fn a_debug_form_that_makes_json_on_the_way_hides_nothing_else() {
    struct Order;
    impl serde::Serialize for Order {
        fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            let items = format!("{:?}", json([1, 2]));
            value!({ "password": "secret", "items": items }).serialize(to)
        }
    }
    let lines = logged(logging().redact(["password"]), || tracing::info!(order = json(Order), "x"));
    assert_eq!(lines.one()["order"], value!({ "password": "*****", "items": "[1,2]" }));
}

#[test]
fn a_field_with_json_in_a_string_is_redacted() {
    let body = r#" {"user": "Ada", "password": "secret"}"#;
    let twice = serde_json::to_string(body).unwrap();
    for format in [Format::Json, Format::Text] {
        let logging = logging().redact(["password"]).format(format);
        let lines = logged_in_invocation(logging, || {
            let span = tracing::info_span!("s", span = body, later = tracing::field::Empty);
            let _entered = span.enter();
            span.record("later", twice.as_str());
            tracing::info!(body, list = format!("[{body}]"), text = "[no] \"JSON\"", "x");
        });
        let text = lines.take();
        assert!(!text.contains("secret"), "{text}");
        let hidden = r##""{\"user\":\"Ada\",\"password\":\"*****\"}""##;
        assert_eq!(text.matches(hidden).count(), 2, "{text}");
        assert!(text.contains(r#""[no] \"JSON\"""#), "{text}");
    }
}

#[test]
fn json_in_a_debug_form_is_redacted() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "its `Debug` form has it")]
    struct Request {
        path: &'static str,
        body: Option<String>,
    }

    #[tracing::instrument]
    fn login(request: Request) {
        tracing::info!("in");
    }

    let body = r#"{"user":"Ada","password":"secret"}"#.to_owned();
    // What is too long for a span is cut before it is searched.
    let before = value!({ "name": "x".repeat(5000), "password": "secret" }).to_string();
    let behind = value!({ "password": "secret", "user": "x".repeat(5000) }).to_string();
    for format in [Format::Json, Format::Text] {
        let logging = logging().redact(["password"]).format(format);
        let lines = logged_in_invocation(logging, || {
            tracing::info!(body = ?Some(&body), "x");
            for body in [&body, &before, &behind] {
                login(Request { path: "/login", body: Some(body.clone()) });
            }
        });
        let text = lines.take();
        assert!(!text.contains("secret"), "{text}");
        let hidden = r#"{\\\"user\\\":\\\"Ada\\\",\\\"password\\\":\\\"*****\\\"}"#;
        assert_eq!(text.matches(hidden).count(), 2, "{text}");
        assert_eq!(text.matches(r#"path: \"/login\""#).count(), 3, "{text}");
    }
}
