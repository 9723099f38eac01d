use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[cfg(feature = "tls-ring")]
use aws_credential_types::provider::error::CredentialsError as SdkError;
#[cfg(feature = "tls-ring")]
use aws_credential_types::provider::{ProvideCredentials, future};
use futures_util::FutureExt;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Barrier;

use super::*;
use crate::idempotency::store::{Outcome, Read, StoreErrorKind};
use crate::idempotency::{DynamoDbStore, Error, Key, Store, StoreError};

/// A response: status, headers, body.
type Answer = (u16, Vec<(&'static str, String)>, &'static str);

/// In place of an answer: the connection is closed.
const CLOSED: Answer = (0, Vec::new(), "");

/// An endpoint that answers each request with the next of its answers, and then with `{}`.
struct Endpoint {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    async fn start(answers: Vec<Answer>) -> Self {
        Self::holding(1, answers).await
    }

    /// Answers none of the first `count` requests before all of them have arrived.
    async fn holding(count: usize, answers: Vec<Answer>) -> Self {
        let all = Arc::new(Barrier::new(count));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let recorded = heads.clone();
        let answers = Arc::new(Mutex::new(answers.into_iter()));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (recorded, answers, all) = (recorded.clone(), answers.clone(), all.clone());
                tokio::spawn(async move {
                    let mut stream = BufReader::new(stream);
                    while let Ok(head) = head(&mut stream).await {
                        let number = {
                            let mut recorded = recorded.lock().unwrap();
                            recorded.push(head);
                            recorded.len()
                        };
                        if number <= count {
                            all.wait().await;
                        }
                        let next = answers.lock().unwrap().next();
                        let (status, headers, body) = next.unwrap_or((200, Vec::new(), "{}"));
                        if status == 0 {
                            return;
                        }
                        let headers = headers.iter().map(|(name, it)| format!("{name}: {it}\r\n"));
                        let headers: String = headers.collect();
                        let length = body.len();
                        let answer = format!(
                            "HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{body}"
                        );
                        stream.write_all(answer.as_bytes()).await.unwrap();
                        stream.flush().await.unwrap();
                    }
                });
            }
        });
        Self { url, heads }
    }

    fn client(&self) -> LeanClient {
        self.builder().credentials("AKID", "hidden", Some("token".to_owned())).build().unwrap()
    }

    fn builder(&self) -> LeanClientBuilder {
        LeanClient::builder()
            .environment(Environment::of::<&str, &str>([]))
            .region("eu-central-1")
            .endpoint_url(&self.url)
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// Reads a request and returns its head. The end of the connection is an error.
async fn head(stream: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<String> {
    let mut head = String::new();
    loop {
        match stream.read_line(&mut head).await? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            2 => break,
            _ => {}
        }
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await?;
    Ok(head)
}

async fn read(client: LeanClient) -> Result<(), StoreError> {
    let read = Read { key: Key::from("key"), timeout: Duration::from_secs(5) };
    DynamoDbStore::lean(client, "orders").read(&read).await.map(drop)
}

/// Returns the messages of an error and its causes.
fn with_causes(error: &StoreError) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |e| e.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn refused(code: &'static str, headers: Vec<(&'static str, String)>) -> Answer {
    let body = format!(r#"{{"__type":"com.amazon.coral.service#{code}","message":"because"}}"#);
    (400, headers, body.leak())
}

#[tokio::test]
async fn a_request_has_what_dynamodb_expects() {
    let endpoint = Endpoint::start(vec![]).await;
    read(endpoint.client()).await.unwrap();
    let heads = endpoint.heads();
    let [head] = &heads[..] else { panic!("not one request: {heads:?}") };
    for line in [
        "POST / HTTP/1.1",
        "content-type: application/x-amz-json-1.0",
        "x-amz-target: DynamoDB_20120810.GetItem",
        "x-amz-security-token: token",
        concat!("user-agent: powertools-rust/", env!("CARGO_PKG_VERSION")),
        &format!("host: {}", endpoint.url.trim_start_matches("http://")),
    ] {
        assert!(head.lines().any(|it| it == line), "{line} in {head}");
    }
    let signed = "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target";
    assert!(
        head.contains("/eu-central-1/dynamodb/aws4_request") && head.contains(signed),
        "{head}"
    );
}

#[tokio::test]
async fn a_clock_that_is_off_follows_the_service() {
    for code in ["InvalidSignatureException", "RequestTimeTooSkewed", "RequestExpired"] {
        for hours in [-1, 1] {
            let now = Clock::system().now();
            let hour = Duration::from_secs(3600);
            let date = if hours < 0 { now - hour } else { now + hour };
            let date = ("date", httpdate::fmt_http_date(date));
            let endpoint = Endpoint::start(vec![refused(code, vec![date])]).await;
            let client = endpoint.client();
            read(client.clone()).await.unwrap();
            read(client).await.unwrap();
            let heads = endpoint.heads();
            assert_eq!(heads.len(), 3, "it is corrected once");
            let difference = signed_at(&heads[1]) - signed_at(&heads[0]);
            assert!((difference - 3600 * hours).abs() < 60, "{difference}");
            let difference = signed_at(&heads[2]) - signed_at(&heads[0]);
            assert!((difference - 3600 * hours).abs() < 60, "{difference}");
        }
    }
}

/// Returns the time of a signature, in seconds since 1970.
fn signed_at(head: &str) -> i64 {
    let line = head.lines().find_map(|line| line.strip_prefix("x-amz-date: ")).unwrap();
    let number = |start: usize, end: usize| line[start..end].parse::<u64>().unwrap();
    let day = crate::clock::day(number(0, 4), number(4, 6), number(6, 8)).unwrap();
    let seconds = day * 86_400 + number(9, 11) * 3600 + number(11, 13) * 60 + number(13, 15);
    i64::try_from(seconds).unwrap()
}

/// They are signed by the same wrong clock, and only the first answer finds it wrong.
#[tokio::test]
async fn requests_at_the_same_time_all_follow_the_service() {
    let date = ("date", httpdate::fmt_http_date(Clock::system().now() + Duration::from_secs(3600)));
    let answer = || refused("InvalidSignatureException", vec![date.clone()]);
    let endpoint = Endpoint::holding(3, vec![answer(), answer(), answer()]).await;
    let client = endpoint.client();
    let all = [read(client.clone()), read(client.clone()), read(client)];
    for result in futures_util::future::join_all(all).await {
        result.unwrap();
    }
    assert_eq!(endpoint.heads().len(), 6);
}

#[tokio::test]
async fn a_wrong_key_is_not_taken_for_a_wrong_clock() {
    let date = ("date", httpdate::fmt_http_date(Clock::system().now()));
    let answer = || refused("InvalidSignatureException", vec![date.clone()]);
    let endpoint = Endpoint::start(vec![answer(), answer()]).await;
    let error = read(endpoint.client()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::AccessDenied);
    assert_eq!(error.to_string(), "the credentials for table `orders` are not accepted");
    assert_eq!(endpoint.heads().len(), 1);
}

#[tokio::test]
async fn a_damaged_response_is_retried() {
    let body = r#"{"Item":{"status":{"S":"COMPLETED"}}}"#;
    let sum = |sum: u32| vec![("x-amz-crc32", sum.to_string())];
    let right = crc32fast::hash(body.as_bytes());
    let endpoint =
        Endpoint::start(vec![(200, sum(right ^ 1), body), (200, sum(right), body)]).await;
    read(endpoint.client()).await.unwrap();
    assert_eq!(endpoint.heads().len(), 2);

    let wrong = || (200, sum(right ^ 1), body);
    let endpoint = Endpoint::start(vec![wrong(), wrong(), wrong()]).await;
    let error = read(endpoint.client()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Other);
    assert!(with_causes(&error).ends_with("damaged on its way"), "{}", with_causes(&error));
}

#[tokio::test]
async fn the_error_of_an_answer_that_is_not_from_dynamodb_names_the_reason() {
    let location = || vec![("location", "http://127.0.0.1:1/".to_owned())];
    let (unusable, failed) =
        ("the answer of table `orders` is not usable", "table `orders` failed");
    let cases: [(Answer, &str, &str); 4] = [
        ((200, vec![], "<html>sign in</html>"), unusable, "the response is not JSON of DynamoDB"),
        ((400, vec![], "<html>bad</html>"), failed, "status 400 without an error of DynamoDB"),
        ((400, vec![], ""), failed, "status 400 without an error of DynamoDB"),
        (
            (307, location(), ""),
            unusable,
            "the response is a redirect (status 307), which is not followed",
        ),
    ];
    for (answer, what, reason) in cases {
        let endpoint = Endpoint::start(vec![answer]).await;
        let error = read(endpoint.client()).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Other);
        assert_eq!(with_causes(&error), format!("{what}: {reason}"));
        assert_eq!(endpoint.heads().len(), 1);
    }
}

#[tokio::test]
async fn a_write_that_is_answered_with_html_is_an_error() {
    let endpoint = Endpoint::start(vec![(200, vec![], "<html>sign in</html>")]).await;
    let store = DynamoDbStore::lean(endpoint.client(), "orders");
    let release = crate::idempotency::Release {
        key: Key::from("key"),
        owner: crate::idempotency::Owner::new().unwrap(),
        timeout: Duration::from_secs(5),
    };
    let error = store.release(&release).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Other);
    assert_eq!(store.release(&release).await.unwrap(), Outcome::Applied);
}

#[tokio::test]
async fn a_failure_of_a_proxy_is_retried() {
    for status in [500, 502, 503, 504] {
        let endpoint = Endpoint::start(vec![(status, vec![], "<html>sorry</html>")]).await;
        read(endpoint.client()).await.unwrap();
        assert_eq!(endpoint.heads().len(), 2);
    }
}

#[tokio::test]
async fn expired_credentials_of_an_endpoint_are_replaced() {
    let body = r#"{"AccessKeyId":"AKID","SecretAccessKey":"hidden","Token":"t"}"#;
    let credentials = Endpoint::start(vec![(200, vec![], body), (200, vec![], body)]).await;
    let dynamodb = Endpoint::start(vec![refused("ExpiredTokenException", vec![])]).await;
    let variables = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", credentials.url.clone())];
    let builder = dynamodb.builder().environment(Environment::of(variables));
    read(builder.build().unwrap()).await.unwrap();
    assert_eq!((credentials.heads().len(), dynamodb.heads().len()), (2, 2));

    let fixed = Endpoint::start(vec![refused("ExpiredTokenException", vec![])]).await;
    let error = read(fixed.client()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::AccessDenied);
    assert_eq!(fixed.heads().len(), 1);
}

/// The work is done, and only its record is left to be saved.
#[tokio::test]
async fn credentials_that_cannot_be_fetched_now_are_a_failure_that_passes() {
    let body = r#"{"AccessKeyId":"AKID","SecretAccessKey":"hidden","Token":"t"}"#;
    let sorry = || (500, vec![], "sorry");
    let credentials = Endpoint::start(vec![sorry(), sorry(), sorry(), (200, vec![], body)]).await;
    let dynamodb = Endpoint::start(vec![]).await;
    let variables = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", credentials.url.clone())];
    let client = dynamodb.builder().environment(Environment::of(variables)).build().unwrap();
    let error = read(client.clone()).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert_eq!(
        with_causes(&error),
        "table `orders` cannot be reached: the endpoint of credentials returned none: status 500"
    );
    read(client).await.unwrap();
    assert_eq!(credentials.heads().len(), 4);
}

/// A freeze that Tokio's clock does not notice: the token of a transaction may be forgotten after it.
#[tokio::test]
async fn no_attempt_follows_after_the_end_by_the_time_of_day() {
    let sorry = || (500, vec![], r#"{"__type":"InternalServerError"}"#);
    // After the answer, and in the pause after that: when the clock was looked at once more.
    for (looks, attempts) in [(usize::MAX, 2), (0, 1), (1, 1)] {
        let endpoint = Endpoint::start(vec![sorry()]).await;
        let client = frozen_after(1, looks, &endpoint);
        assert_eq!(read(client).await.is_ok(), attempts == 2);
        assert_eq!(endpoint.heads().len(), attempts);
    }
}

#[tokio::test]
async fn a_connection_that_broke_in_a_freeze_gets_no_second_request() {
    for (looks, requests) in [(usize::MAX, 3), (0, 2)] {
        let endpoint = Endpoint::start(vec![(200, vec![], "{}"), CLOSED]).await;
        let client = frozen_after(2, looks, &endpoint);
        read(client.clone()).await.unwrap();
        assert_eq!(read(client).await.is_ok(), requests == 3);
        assert_eq!(endpoint.heads().len(), requests);
    }
}

/// A client whose process is frozen for longer than the service knows a token: when so many requests have
/// arrived, and the clock was looked at so often since.
fn frozen_after(requests: usize, looks: usize, endpoint: &Endpoint) -> LeanClient {
    let mut client = endpoint.client();
    let start = Clock::system().now();
    let (heads, seen) = (endpoint.heads.clone(), AtomicUsize::new(0));
    let clock = Clock::from_fn(move || {
        let has_arrived = heads.lock().unwrap().len() >= requests;
        let is_frozen = has_arrived && seen.fetch_add(1, Ordering::Relaxed) >= looks;
        start + Duration::from_secs(if is_frozen { 601 } else { 0 })
    });
    Arc::get_mut(&mut client.shared).unwrap().clock = clock;
    client
}

#[tokio::test]
async fn missing_credentials_are_not_a_table_that_cannot_be_reached() {
    let endpoint = Endpoint::start(vec![]).await;
    for variables in [vec![], vec![("AWS_ACCESS_KEY_ID", "AKID")]] {
        let builder = endpoint.builder().environment(Environment::of(variables));
        let error = read(builder.build().unwrap()).await.unwrap_err();
        assert_eq!(error.to_string(), "there are no credentials for table `orders`");
        assert_eq!(error.kind(), StoreErrorKind::AccessDenied);
        assert!(!error.is_retryable());
    }
    assert!(endpoint.heads().is_empty());
}

#[test]
fn the_environment_configures_a_client() {
    let build = |variables: &[(&str, &str)]| {
        let environment = Environment::of(variables.iter().copied());
        LeanClient::builder().environment(environment).build()
    };
    let host = |variables: &[(&str, &str)]| {
        build(variables).unwrap().shared.endpoint.host().to_str().unwrap().to_owned()
    };
    let region = ("AWS_REGION", "eu-central-1");
    assert_eq!(host(&[region]), "dynamodb.eu-central-1.amazonaws.com");
    assert_eq!(
        host(&[("AWS_DEFAULT_REGION", "us-gov-west-1")]),
        "dynamodb.us-gov-west-1.amazonaws.com"
    );
    let fips = ("AWS_USE_FIPS_ENDPOINT", "true");
    assert_eq!(host(&[region, fips]), "dynamodb-fips.eu-central-1.amazonaws.com");
    let dual_stack = ("AWS_USE_DUALSTACK_ENDPOINT", "true");
    assert_eq!(host(&[region, dual_stack]), "dynamodb.eu-central-1.api.aws");
    let (all, own) =
        (("AWS_ENDPOINT_URL", "http://all:1"), ("AWS_ENDPOINT_URL_DYNAMODB", "http://own:2"));
    assert_eq!(host(&[region, all]), "all:1");
    assert_eq!(host(&[region, all, own]), "own:2");
    let ignore = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
    assert_eq!(host(&[region, all, own, ignore]), "dynamodb.eu-central-1.amazonaws.com");

    let message = |variables: &[(&str, &str)]| match build(variables) {
        Err(Error::Config(message)) => message,
        other => panic!("{other:?}"),
    };
    assert_eq!(message(&[]), "there is no region: set AWS_REGION");
    assert_eq!(message(&[("AWS_REGION", "a/b")]), "`a/b` is not a region");
    assert_eq!(message(&[region, ("AWS_ENDPOINT_URL", "x")]), "the URL of DynamoDB is invalid");
    assert_eq!(
        message(&[region, ("AWS_USE_FIPS_ENDPOINT", "perhaps")]),
        "AWS_USE_FIPS_ENDPOINT is neither true nor false"
    );
    assert_eq!(message(&[region, ("AWS_CA_BUNDLE", "/nowhere")]), "cannot read AWS_CA_BUNDLE");
    // The requests would go to an endpoint that is not validated, as with the SDK, which refuses it too.
    for variant in [fips, dual_stack] {
        assert!(message(&[region, all, variant]).contains("have no meaning for a URL of DynamoDB"));
    }
    let required = ("AWS_ACCOUNT_ID_ENDPOINT_MODE", "required");
    assert_eq!(host(&[("AWS_REGION", "cn-north-1"), all, required]), "all:1");
}

#[test]
fn an_account_of_the_credentials_has_its_own_host() {
    let client = |variables: &[(&str, &str)]| {
        let keys = [("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "hidden")];
        let region = [("AWS_REGION", "eu-central-1")];
        let all = keys.iter().chain(&region).chain(variables).copied();
        LeanClient::builder().environment(Environment::of(all)).build()
    };
    let account = ("AWS_ACCOUNT_ID", "111122223333");
    let host = |variables: &[(&str, &str)]| {
        let client = client(variables).unwrap();
        let credentials = client.shared.credentials.get(Clock::system().now(), Duration::ZERO);
        let credentials = credentials.now_or_never().unwrap().unwrap();
        let to = client.shared.endpoint.of(&credentials, "orders").unwrap();
        to.host().to_str().unwrap().to_owned()
    };
    assert_eq!(host(&[]), "dynamodb.eu-central-1.amazonaws.com");
    assert_eq!(host(&[account]), "111122223333.ddb.eu-central-1.amazonaws.com");
    let mode = |mode| ("AWS_ACCOUNT_ID_ENDPOINT_MODE", mode);
    assert_eq!(host(&[account, mode("disabled")]), "dynamodb.eu-central-1.amazonaws.com");
    // Emulators and VPC endpoints know no accounts.
    assert_eq!(host(&[account, ("AWS_ENDPOINT_URL", "http://own:2")]), "own:2");

    let message = |variables: &[(&str, &str)]| match client(variables) {
        Err(Error::Config(message)) => message,
        other => panic!("{other:?}"),
    };
    assert!(message(&[mode("always")]).contains("neither `preferred`, `required` nor `disabled`"));
    let fips = ("AWS_USE_FIPS_ENDPOINT", "true");
    assert!(message(&[mode("required"), fips]).contains("no endpoints of accounts"));
}

/// Returns the next of its credentials, and the last one for ever.
#[cfg(feature = "tls-ring")]
#[derive(Debug)]
struct Rotating(Mutex<Vec<Result<aws_credential_types::Credentials, SdkError>>>);

#[cfg(feature = "tls-ring")]
impl ProvideCredentials for Rotating {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let mut left = self.0.lock().unwrap();
        let next =
            if left.len() > 1 { left.remove(0) } else { Ok(left[0].as_ref().unwrap().clone()) };
        future::ProvideCredentials::ready(next)
    }
}

#[cfg(feature = "tls-ring")]
#[tokio::test]
async fn a_provider_of_the_sdk_is_asked_again_before_its_credentials_expire() {
    let now = Clock::system().now();
    let expire = |id: &str, minutes: u64| {
        let end = Some(now + Duration::from_secs(60 * minutes));
        Ok(aws_credential_types::Credentials::new(id, "hidden", None, end, "tests"))
    };
    let endpoint = Endpoint::start(vec![
        (200, Vec::new(), "{}"),
        (200, Vec::new(), "{}"),
        (400, Vec::new(), r#"{"__type":"x#ExpiredTokenException"}"#),
    ])
    .await;
    let failure = Err(SdkError::provider_error("not yet"));
    let found = [failure, expire("SHORT", 0), expire("LONG", 60), expire("LAST", 60)];
    let provider = Rotating(Mutex::new(found.into_iter().collect()));
    let client = endpoint.builder().credentials_provider(provider).build().unwrap();
    for _ in 0..3 {
        read(client.clone()).await.unwrap();
    }
    let ids = endpoint.heads().into_iter().map(|head| {
        let start = head.find("Credential=").unwrap() + "Credential=".len();
        head[start..].split('/').next().unwrap().to_owned()
    });
    // The second has ended, and the service refused the third.
    assert_eq!(ids.collect::<Vec<_>>(), ["SHORT", "LONG", "LONG", "LAST"]);

    let missing = Rotating(Mutex::new(vec![Err(SdkError::not_loaded("hidden")), expire("NO", 60)]));
    let client = endpoint.builder().credentials_provider(missing).build().unwrap();
    let error = read(client).await.unwrap_err();
    assert!(with_causes(&error).contains("the provider of credentials returned none"), "{error}");
    assert_eq!((error.kind(), error.is_retryable()), (StoreErrorKind::AccessDenied, false));
}

#[tokio::test]
async fn neither_errors_nor_debug_show_a_secret() {
    let builder = LeanClient::builder()
        .environment(Environment::of::<&str, &str>([]))
        .region("eu-central-1")
        .endpoint_url("http://127.0.0.1:1")
        .credentials("AKIDHIDDEN", "hidden\n", Some("hid\nden".to_owned()));
    let mut shown = format!("{builder:?}");
    let client = builder.build().unwrap();
    let store = DynamoDbStore::lean(client.clone(), "orders");
    shown += &format!("{client:?} {store:?}");
    let error = read(client).await.unwrap_err();
    shown += &format!("{error:?} {}", with_causes(&error));
    assert!(!shown.to_lowercase().contains("hid"), "{shown}");
    assert!(shown.contains("the credentials are no part of a header"), "{shown}");
}
