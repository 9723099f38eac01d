use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::*;

const LIMIT: Duration = Duration::from_secs(1);

/// An endpoint that answers each request with the next of these bodies, and the last one for ever.
struct Endpoint {
    url: String,
    requests: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    async fn start(answers: Vec<(u16, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/credentials", listener.local_addr().unwrap());
        let (requests, heads) =
            (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (counted, recorded) = (requests.clone(), heads.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut stream = BufReader::new(stream);
                let mut head = String::new();
                while stream.read_line(&mut head).await.unwrap() > 2 {}
                recorded.lock().unwrap().push(head);
                let number = counted.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
                let (status, body) = &answers[number];
                let head = format!(
                    "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            }
        });
        Self { url, requests, heads }
    }

    fn provider(&self) -> Provider {
        let variables = [
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*self.url),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "proof"),
        ];
        Provider::new(Source::of(&Environment::of(variables)))
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// Credentials that end this many seconds after [`now`].
fn body(id: &str, seconds: u64) -> (u16, String) {
    let end = rfc_3339(seconds);
    let body = serde_json::json!({
        "AccessKeyId": id, "SecretAccessKey": "hidden", "Token": "token", "Expiration": end,
    });
    (200, body.to_string())
}

fn rfc_3339(seconds: u64) -> String {
    assert!(seconds < 24 * 3600);
    format!("2026-11-21T{:02}:{:02}:{:02}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// 2026-11-21, midnight.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_219_200)
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[tokio::test]
async fn a_key_of_the_environment_takes_precedence_over_the_endpoint() {
    let endpoint = Endpoint::start(vec![body("CONTAINER", 3600)]).await;
    let variables = [
        ("AWS_ACCESS_KEY_ID", "VARIABLE"),
        ("AWS_SECRET_ACCESS_KEY", "hidden"),
        ("AWS_SESSION_TOKEN", "token"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &endpoint.url),
    ];
    let provider = Provider::new(Source::of(&Environment::of(variables)));
    let credentials = provider.get(now(), LIMIT).await.unwrap();
    assert_eq!(credentials.access_key_id(), "VARIABLE");
    assert_eq!(credentials.session_token(), Some("token"));
    assert_eq!(endpoint.requests(), 0);
}

#[tokio::test]
async fn half_a_key_and_none_are_errors() {
    let provider = |variables: &[(&str, &str)]| {
        Provider::new(Source::of(&Environment::of(variables.iter().copied())))
    };
    for half in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        let error = provider(&[(half, "x")]).get(now(), LIMIT).await.unwrap_err();
        assert!(matches!(error, CredentialsError::Half) && !error.is_retryable(), "{error:?}");
    }
    let error = provider(&[]).get(now(), LIMIT).await.unwrap_err();
    assert!(matches!(error, CredentialsError::Missing) && !error.is_retryable(), "{error:?}");
    let elsewhere = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/")];
    let error = provider(&elsewhere).get(now(), LIMIT).await.unwrap_err();
    assert!(matches!(error, CredentialsError::Unsafe) && !error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn the_endpoint_is_asked_once_and_with_its_token() {
    let endpoint = Endpoint::start(vec![body("A", 3600)]).await;
    let provider = endpoint.provider();
    let many = (0..10).map(|_| provider.get(now(), LIMIT));
    for credentials in join_all(many).await {
        assert_eq!(credentials.unwrap().access_key_id(), "A");
    }
    assert_eq!(endpoint.requests(), 1);
    let head = endpoint.heads.lock().unwrap()[0].clone();
    assert!(head.starts_with("GET /credentials HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: proof\r\n"), "{head}");
}

#[tokio::test]
async fn credentials_are_renewed_before_they_end() {
    let endpoint = Endpoint::start(vec![body("A", 3600), body("B", 7200)]).await;
    let provider = endpoint.provider();
    let id = async |after| {
        provider.get(now() + seconds(after), LIMIT).await.map(|it| it.access_key_id().to_owned())
    };
    assert_eq!(id(0).await.unwrap(), "A");
    assert_eq!(id(3299).await.unwrap(), "A");
    assert_eq!(id(3300).await.unwrap(), "B");
    assert_eq!(endpoint.requests(), 2);
}

#[tokio::test]
async fn a_renewal_that_fails_leaves_the_old_ones_while_they_are_valid() {
    let failing = (500, String::new());
    let endpoint = Endpoint::start(vec![body("A", 3600), failing]).await;
    let provider = endpoint.provider();
    let get = async |after| provider.get(now() + seconds(after), LIMIT).await;
    assert_eq!(get(0).await.unwrap().access_key_id(), "A");
    for _ in 0..3 {
        assert_eq!(get(3599).await.unwrap().access_key_id(), "A");
    }
    assert_eq!(endpoint.requests(), 2, "the endpoint is left alone for a while");
    let error = get(3600).await.unwrap_err();
    assert!(
        matches!(error, CredentialsError::NotFetched { .. }) && error.is_retryable(),
        "{error:?}"
    );
}

#[tokio::test]
async fn credentials_that_are_refused_are_fetched_again() {
    let endpoint = Endpoint::start(vec![body("A", 3600), body("B", 3600)]).await;
    let provider = endpoint.provider();
    let refused = provider.get(now(), LIMIT).await.unwrap();
    assert!(provider.forget(&refused));
    assert_eq!(provider.get(now(), LIMIT).await.unwrap().access_key_id(), "B");
    // A late refusal of the old ones does not concern the new ones.
    assert!(provider.forget(&refused));
    assert_eq!(provider.get(now(), LIMIT).await.unwrap().access_key_id(), "B");

    let fixed = Arc::new(Credentials::new("A".to_owned(), "hidden".to_owned(), None));
    let provider = Provider::new(Source::Fixed(fixed.clone()));
    assert!(!provider.forget(&fixed), "there are no others");
}

#[tokio::test]
async fn no_error_and_no_debug_shows_a_secret() {
    for answer in [(200, "{\"SecretAccessKey\":\"hidden\"}".to_owned()), (403, "hidden".to_owned())]
    {
        let endpoint = Endpoint::start(vec![answer]).await;
        let error = endpoint.provider().get(now(), LIMIT).await.unwrap_err();
        let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |e| e.source());
        let shown = causes.map(|it| format!("{it} {it:?}")).collect::<String>();
        assert!(!shown.contains("hidden") && !shown.contains("proof"), "{shown}");
    }
    let endpoint = Endpoint::start(vec![body("SHOWN", 3600)]).await;
    let provider = endpoint.provider();
    let credentials = provider.get(now(), LIMIT).await.unwrap();
    let shown = format!("{credentials:?} {provider:?}");
    for secret in ["hidden", "SHOWN", "proof"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// What a place does when it is asked.
enum Answer {
    /// Returns credentials that end this many seconds after [`now`], after so many milliseconds.
    After(u64, u64),
    Never,
    Panic,
}

use Answer::{After, Never, Panic};

/// A place that is asked once for each of its answers. The credentials are numbered.
#[derive(Clone, Default)]
struct Place {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<AtomicUsize>,
}

impl Place {
    fn new(answers: impl Into<VecDeque<Answer>>) -> Self {
        Self { answers: Arc::new(Mutex::new(answers.into())), asked: Arc::default() }
    }

    fn provider(&self) -> Provider {
        Provider::new(Source::Fetched(Arc::new(self.clone())))
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place(..)")
    }
}

impl Fetch for Place {
    fn fetch(self: Arc<Self>) -> BoxFuture<'static, Result<Credentials, CredentialsError>> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let answer = self.answers.lock().unwrap().pop_front();
        Box::pin(async move {
            match answer.expect("it is not asked again") {
                After(end, milliseconds) => {
                    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                    let ends = Some(now() + seconds(end));
                    let id = number.to_string();
                    Ok(Credentials { ends, ..Credentials::new(id, "hidden".to_owned(), None) })
                }
                Never => std::future::pending().await,
                Panic => panic!("no credentials today"),
            }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_stalls_leaves_the_old_ones_and_time_for_the_request() {
    let provider = Place::new([After(240, 0), Never]).provider();
    let first = provider.get(now(), LIMIT).await.unwrap();
    let start = Instant::now();
    tokio::time::advance(PAUSE).await;
    for wait in [LIMIT / 2, Duration::ZERO] {
        let start = Instant::now();
        let old = provider.get(now() + PAUSE, LIMIT).await.unwrap();
        assert!(Arc::ptr_eq(&first, &old));
        assert!(start.elapsed() < wait + Duration::from_millis(10), "{:?}", start.elapsed());
    }
    assert!(start.elapsed() < PAUSE + LIMIT);
}

#[tokio::test(start_paused = true)]
async fn credentials_that_end_soon_are_fetched_once_for_a_while() {
    let place = Place::new([After(240, 25), After(240, 25)]);
    let provider = place.provider();
    let ids = async |after| {
        let many = (0..10).map(|_| provider.get(now() + after, LIMIT));
        join_all(many).await.into_iter().map(|it| it.unwrap().access_key_id.clone()).collect()
    };
    let ten = |id: &str| vec![id.to_owned(); 10];
    let first: Vec<String> = ids(Duration::ZERO).await;
    assert_eq!(first, ten("1"));
    let again: Vec<String> = ids(Duration::ZERO).await;
    assert_eq!(again, ten("1"));
    tokio::time::advance(PAUSE).await;
    let renewed: Vec<String> = ids(PAUSE).await;
    assert_eq!(renewed, ten("2"));
    assert_eq!(place.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_place_that_needs_longer_than_a_request_is_asked_once() {
    let place = Place::new([After(3600, 2_500)]);
    let provider = place.provider();
    for _ in 0..2 {
        let error = provider.get(now(), LIMIT).await.unwrap_err();
        assert!(matches!(error, CredentialsError::Late) && error.is_retryable(), "{error:?}");
    }
    assert_eq!(provider.get(now(), LIMIT).await.unwrap().access_key_id(), "1");
    assert_eq!(place.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_panic_of_a_place_is_an_error_of_its_request_alone() {
    let provider = Place::new([Panic, After(3600, 0)]).provider();
    let error = provider.get(now(), LIMIT).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert_eq!(provider.get(now(), LIMIT).await.unwrap().access_key_id(), "2");
}
