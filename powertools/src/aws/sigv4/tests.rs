use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

#[test]
fn signatures_are_those_of_botocore() {
    let recorded: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/sigv4.json")).unwrap();
    let cases = recorded["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 100);
    for case in cases {
        let text = |name: &str| case[name].as_str().unwrap();
        let headers = case["headers"].as_object().unwrap();
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| (&**name, value.as_str().unwrap())).collect();
        let service = match text("service") {
            "dynamodb" => "dynamodb",
            "xray" => "xray",
            _ => "execute-api",
        };
        let request = Unsigned {
            method: text("method"),
            path: text("path"),
            query: text("query"),
            headers: &headers,
            body: text("body").as_bytes(),
        };
        let token = case["session_token"].as_str().map(str::to_owned);
        let (id, secret) = (text("access_key_id"), text("secret_access_key"));
        let credentials = Credentials::new(id.to_owned(), secret.to_owned(), token);
        let signature = Signer::new(text("region"), service).sign(
            request,
            &credentials,
            at(case["seconds"].as_u64().unwrap()),
        );
        assert_eq!(signature.date, text("date"));
        assert_eq!(signature.authorization, text("authorization"), "{case:#}");
    }
}

/// A request with credentials, at a time.
#[derive(Clone, Debug)]
struct Case {
    method: &'static str,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    id: String,
    secret: String,
    token: Option<String>,
    seconds: u64,
}

fn cases() -> impl Strategy<Value = Case> {
    // Escaped, and neither empty nor `.` or `..`.
    let segment = "[A-Za-z0-9_~-](%[0-9A-F]{2}|[A-Za-z0-9._~-]){0,6}";
    let path =
        prop::collection::vec(segment, 0..4).prop_map(|parts| format!("/{}", parts.join("/")));
    let pair = ("[A-Za-z0-9._~-]{1,5}", "[A-Za-z0-9._~-]{0,5}");
    let query = prop::collection::vec(pair, 0..4).prop_map(|pairs| {
        let pairs = pairs.into_iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("&")
    });
    let headers = prop::collection::btree_map("x-amz-[a-z]{1,6}", "[!-~]([ -~]{0,12}[!-~])?", 0..4)
        .prop_map(|headers| headers.into_iter().collect::<Vec<_>>());
    let method = prop::sample::select(vec!["GET", "POST", "PUT", "DELETE"]);
    let body = prop::collection::vec(any::<u8>(), 0..200);
    let credentials =
        ("[A-Z0-9]{4,20}", "[A-Za-z0-9+/]{1,80}", prop::option::of("[A-Za-z0-9+/=]{1,100}"));
    (method, path, query, headers, body, credentials, 0..4_000_000_000_u64).prop_map(
        |(method, path, query, headers, body, (id, secret, token), seconds)| Case {
            method,
            path,
            query,
            headers,
            body,
            id,
            secret,
            token,
            seconds,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_500))]

    #[test]
    fn signatures_are_those_of_the_sdk(case in cases()) {
        let signer = Signer::new("eu-central-1", "dynamodb");
        let host = "dynamodb.eu-central-1.amazonaws.com";
        let mut headers = vec![("host", host)];
        headers.extend(case.headers.iter().map(|(name, value)| (&**name, &**value)));
        let credentials =
            Credentials::new(case.id.clone(), case.secret.clone(), case.token.clone());
        let request = Unsigned {
            method: case.method,
            path: &case.path,
            query: &case.query,
            headers: &headers,
            body: &case.body,
        };
        // The first one derives the key, the second has it.
        for _ in 0..2 {
            let signature = signer.sign(request, &credentials, at(case.seconds));
            prop_assert_eq!(by_the_sdk(&case, host, &headers), signature.authorization);
        }
    }
}

fn by_the_sdk(case: &Case, host: &str, headers: &[(&str, &str)]) -> String {
    let (id, secret, token) = (&case.id, &case.secret, case.token.clone());
    let identity: Identity =
        aws_credential_types::Credentials::new(id, secret, token, None, "tests").into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-central-1")
        .name("dynamodb")
        .time(at(case.seconds))
        .settings(SigningSettings::default())
        .build()
        .unwrap();
    let query = if case.query.is_empty() { String::new() } else { format!("?{}", case.query) };
    let uri = format!("https://{host}{}{query}", case.path);
    let body = SignableBody::Bytes(&case.body);
    let request = SignableRequest::new(case.method, uri, headers.iter().copied(), body).unwrap();
    let (instructions, _) = sign(request, &parameters.into()).unwrap().into_parts();
    let mut added = instructions.headers();
    added.find(|(name, _)| *name == "authorization").unwrap().1.to_owned()
}

#[test]
fn the_key_of_a_day_is_not_used_for_another_day_or_other_credentials() {
    let signer = Signer::new("eu-central-1", "dynamodb");
    let sign = |signer: &Signer, secret: &str, seconds| {
        let credentials = Credentials::new("AKID".to_owned(), secret.to_owned(), None);
        let request =
            Unsigned { method: "POST", path: "/", query: "", headers: &[("host", "h")], body: b"" };
        signer.sign(request, &credentials, at(seconds)).authorization
    };
    for (secret, seconds) in [("a", 0), ("a", 86_399), ("a", 86_400), ("b", 86_400), ("a", 86_400)]
    {
        let fresh = Signer::new("eu-central-1", "dynamodb");
        assert_eq!(sign(&signer, secret, seconds), sign(&fresh, secret, seconds));
    }
}

#[test]
fn nothing_shows_a_key() {
    let credentials =
        Credentials::new("AKIDSHOWN".to_owned(), "hidden".to_owned(), Some("hidden".to_owned()));
    let signer = Signer::new("eu-central-1", "dynamodb");
    let request =
        Unsigned { method: "POST", path: "/", query: "", headers: &[("host", "h")], body: b"" };
    let _ = signer.sign(request, &credentials, at(0));
    let shown = format!("{credentials:?} {signer:?}");
    assert!(!shown.contains("hidden") && !shown.contains("AKID"), "{shown}");
    assert!(shown.contains("eu-central-1"), "{shown}");
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}
