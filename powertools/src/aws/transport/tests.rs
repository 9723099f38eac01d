use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const HELLO: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

/// What a server does with a connection after it has read a request.
enum Step {
    /// Sends this and reads the next request.
    Send(&'static str),
    /// Sends this and closes the connection.
    SendAndClose(&'static str),
    /// Sends this and nothing more.
    SendAndStall(&'static str),
    /// Sends this after the client has given up, and closes the connection.
    SendLate(&'static str),
    /// Sends this once so many requests have arrived.
    SendTogether(&'static str, usize),
}

use Step::{Send, SendAndClose, SendAndStall, SendLate, SendTogether};

/// Serves its connections, each by its list of steps.
struct Server {
    url: String,
    requests: Arc<AtomicUsize>,
}

impl Server {
    /// Serves the connections one after another.
    async fn start(connections: Vec<Vec<Step>>) -> Self {
        Self::serving(connections, false).await
    }

    async fn parallel(connections: Vec<Vec<Step>>) -> Self {
        Self::serving(connections, true).await
    }

    async fn serving(connections: Vec<Vec<Step>>, is_parallel: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = requests.clone();
        tokio::spawn(async move {
            for steps in connections {
                let (mut stream, _) = listener.accept().await.unwrap();
                let counted = counted.clone();
                let served = async move { serve(&mut stream, steps, &counted).await };
                if is_parallel {
                    tokio::spawn(served);
                } else {
                    served.await;
                }
            }
        });
        Self { url, requests }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    async fn get(&self, client: &Client) -> Result<Reply, TransportError> {
        client.get(&self.url, &[("x-token", "t")], 5 * SECOND).await
    }

    async fn post(&self, client: &Client) -> Result<Reply, TransportError> {
        let to = Destination::parse(&self.url).unwrap();
        let headers = HeaderMap::from_iter([(
            hyper::header::HeaderName::from_static("x-token"),
            HeaderValue::from_static("t"),
        )]);
        client.post(&to, &headers, Bytes::new(), 5 * SECOND, || true).await
    }
}

async fn serve(stream: &mut TcpStream, steps: Vec<Step>, requests: &AtomicUsize) {
    for step in steps {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        requests.fetch_add(1, Ordering::Relaxed);
        let head = String::from_utf8(head).unwrap();
        let (first, _) = head.split_once("\r\n").unwrap();
        assert!(["GET / HTTP/1.1", "POST / HTTP/1.1"].contains(&first), "{head}");
        assert!(head.contains("x-token: t") && head.contains("host: 127.0.0.1:"), "{head}");
        let (Send(text)
        | SendAndClose(text)
        | SendAndStall(text)
        | SendLate(text)
        | SendTogether(text, _)) = step;
        if let SendTogether(_, count) = step {
            while requests.load(Ordering::Relaxed) < count {
                tokio::task::yield_now().await;
            }
        }
        if matches!(step, SendLate(_)) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let sent = stream.write_all(text.as_bytes()).await;
        match step {
            SendLate(_) => return,
            _ => sent.unwrap(),
        }
        match step {
            Send(_) | SendLate(_) | SendTogether(..) => {}
            SendAndClose(_) => return,
            SendAndStall(_) => std::future::pending().await,
        }
    }
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let server = Server::start(vec![vec![Send(HELLO), Send(HELLO)]]).await;
    let client = Client::new(100);
    for _ in 0..2 {
        let reply = server.get(&client).await.unwrap();
        assert_eq!((reply.status, &reply.body[..]), (StatusCode::OK, &b"hello"[..]));
    }
    assert_eq!(server.requests(), 2);
}

/// Its task opened the connection, and has ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_used_again_in_another_task() {
    let server = Server::start(vec![vec![Send(HELLO), Send(HELLO), Send(HELLO)]]).await;
    let client = Client::new(100);
    for _ in 0..3 {
        let (client, url) = (client.clone(), server.url.clone());
        let get = async move { client.get(&url, &[("x-token", "t")], 5 * SECOND).await };
        assert_eq!(&tokio::spawn(get).await.unwrap().unwrap().body[..], b"hello");
    }
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn a_request_that_is_dropped_leaves_its_response_to_no_other() {
    let late = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nlate";
    let server = Server::start(vec![vec![Send(HELLO), SendLate(late)], vec![Send(HELLO)]]).await;
    let client = Client::new(100);
    server.get(&client).await.unwrap();
    let limit = Duration::from_millis(20);
    let sent = client.get(&server.url, &[("x-token", "t")], limit).await;
    assert!(matches!(sent, Err(TransportError::Timeout(_))), "{sent:?}");
    assert_eq!(&server.get(&client).await.unwrap().body[..], b"hello");
    assert_eq!(server.requests(), 3);
}

/// As after a freeze: the network forgot them, and no server says so.
#[tokio::test]
async fn a_request_that_times_out_is_followed_by_one_on_a_new_connection() {
    let server = Server::parallel(vec![
        vec![SendTogether(HELLO, 3), SendAndStall("")],
        vec![SendTogether(HELLO, 3), SendAndStall("")],
        vec![SendTogether(HELLO, 3), SendAndStall("")],
        vec![Send(HELLO)],
    ])
    .await;
    let client = Client::new(100);
    let three = [server.get(&client), server.get(&client), server.get(&client)];
    for reply in futures_util::future::join_all(three).await {
        reply.unwrap();
    }
    let limit = Duration::from_millis(50);
    let sent = client.get(&server.url, &[("x-token", "t")], limit).await;
    assert!(matches!(sent, Err(TransportError::Timeout(_))), "{sent:?}");
    assert_eq!(&server.get(&client).await.unwrap().body[..], b"hello");
}

#[tokio::test]
async fn a_connection_that_the_server_is_about_to_close_is_not_kept() {
    let closing = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello";
    let server = Server::start(vec![vec![Send(closing), Send("")], vec![Send(HELLO)]]).await;
    let client = Client::new(100);
    for _ in 0..2 {
        assert_eq!(&server.post(&client).await.unwrap().body[..], b"hello");
    }
    assert_eq!(server.requests(), 2);
}

/// It has answered what it did not read to the end.
#[tokio::test]
async fn a_connection_that_is_still_sending_is_not_used_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = Destination::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let server = async {
        let mut refused = listener.accept().await.unwrap().0;
        refused.read_u8().await.unwrap();
        let large = "HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n";
        refused.write_all(large.as_bytes()).await.unwrap();
        let mut next = listener.accept().await.unwrap().0;
        next.read_u8().await.unwrap();
        next.write_all(HELLO.as_bytes()).await.unwrap();
        (refused, next)
    };
    let client = async {
        let (client, headers) = (Client::new(100), HeaderMap::new());
        // More than the system takes for the connection.
        let large = Bytes::from(vec![0; 64 << 20]);
        let refused = client.post(&to, &headers, large, 5 * SECOND, || true).await.unwrap();
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
        let reply = client.post(&to, &headers, Bytes::new(), 5 * SECOND, || true).await.unwrap();
        assert_eq!(&reply.body[..], b"hello");
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced() {
    // The server closes after its reply without having announced that.
    let server = Server::start(vec![vec![Send(HELLO), SendAndClose("")], vec![Send(HELLO)]]).await;
    let client = Client::new(100);
    server.get(&client).await.unwrap();
    assert_eq!(&server.get(&client).await.unwrap().body[..], b"hello");
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn a_request_is_tried_twice_and_not_more() {
    let server =
        Server::start(vec![vec![SendAndClose("")], vec![SendAndClose("")], vec![Send(HELLO)]])
            .await;
    let error = server.get(&Client::new(100)).await.unwrap_err();
    assert!(matches!(error, TransportError::Broken(_)), "{error:?}");
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn a_post_is_sent_again_only_if_a_kept_connection_died() {
    let server = Server::start(vec![vec![SendAndClose("")], vec![Send(HELLO)]]).await;
    let error = server.post(&Client::new(100)).await.unwrap_err();
    assert!(matches!(error, TransportError::Broken(_)), "{error:?}");
    assert_eq!(server.requests(), 1, "a new connection that broke may have delivered it");

    let server = Server::start(vec![vec![Send(HELLO), SendAndClose("")], vec![Send(HELLO)]]).await;
    let client = Client::new(100);
    server.post(&client).await.unwrap();
    assert_eq!(&server.post(&client).await.unwrap().body[..], b"hello");
    assert_eq!(server.requests(), 3);

    // The response had begun: it was carried out.
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel";
    let server =
        Server::start(vec![vec![Send(HELLO), SendAndClose(half)], vec![Send(HELLO)]]).await;
    let client = Client::new(100);
    server.post(&client).await.unwrap();
    let error = server.post(&client).await.unwrap_err();
    assert!(matches!(error, TransportError::Broken(_)), "{error:?}");
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let moved = format!(
            "HTTP/1.1 {status}\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"
        );
        let server = Server::start(vec![vec![Send(moved.leak())]]).await;
        let error = server.get(&Client::new(100)).await.unwrap_err();
        assert!(matches!(error, TransportError::Redirect(_)), "{error:?}");
        assert!(error.to_string().starts_with("the response is a redirect (status 30"), "{error}");
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test]
async fn what_is_not_http_is_an_error_of_its_own() {
    let server = Server::start(vec![vec![Send("<html>sorry</html>\r\n\r\n")]]).await;
    let error = server.get(&Client::new(100)).await.unwrap_err();
    assert!(matches!(error, TransportError::Malformed(_)), "{error:?}");
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_kept_connection_that_died_counts_as_the_first_of_two() {
    let dead = vec![Send(HELLO), SendAndClose("")];
    let server = Server::start(vec![dead, vec![SendAndClose("")], vec![Send(HELLO)]]).await;
    let client = Client::new(100);
    server.get(&client).await.unwrap();
    let error = server.get(&client).await.unwrap_err();
    assert!(matches!(error, TransportError::Broken(_)), "{error:?}");
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn half_a_response_is_none() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel";
    let server = Server::start(vec![vec![SendAndClose(half)], vec![SendAndClose(half)]]).await;
    let error = server.get(&Client::new(100)).await.unwrap_err();
    assert!(matches!(error, TransportError::Broken(_)), "{error:?}");
}

#[tokio::test]
async fn a_chunked_body_is_put_together() {
    let chunked =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
    let server = Server::start(vec![vec![Send(chunked)]]).await;
    assert_eq!(&server.get(&Client::new(100)).await.unwrap().body[..], b"hello");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_an_error() {
    let server = Server::start(vec![vec![Send(HELLO)]]).await;
    let error = server.get(&Client::new(4)).await.unwrap_err();
    assert!(matches!(error, TransportError::TooLarge(4)), "{error:?}");
}

#[tokio::test]
async fn a_status_is_no_error() {
    let refused = "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\nno";
    let server = Server::start(vec![vec![Send(refused)]]).await;
    assert_eq!(server.get(&Client::new(100)).await.unwrap().status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_server_that_stalls_times_out() {
    for text in ["", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel"] {
        let server = Server::start(vec![vec![SendAndStall(text)]]).await;
        let limit = Duration::from_millis(50);
        let sent = Client::new(100).get(&server.url, &[("x-token", "t")], limit).await;
        assert!(matches!(sent, Err(TransportError::Timeout(_))), "{sent:?}");
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_refuses_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let error = Client::new(100).get(&url, &[], SECOND).await.unwrap_err();
    assert!(matches!(error, TransportError::Connect(_)), "{error:?}");
}

#[tokio::test]
async fn an_invalid_request_is_an_error() {
    for (url, header) in [("not a url", "a"), ("http://localhost:1/", "a\nb")] {
        let error = Client::new(100).get(url, &[("x-token", header)], SECOND).await.unwrap_err();
        assert!(matches!(error, TransportError::Invalid(_)), "{error:?}");
    }
}
