//! Detects the loss of the Runtime API from outside of the loop that polls it.

use std::fmt;
use std::future::pending;
use std::io::{Error as IoError, ErrorKind};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::environment::{Environment, MAX_CONCURRENCY, RUNTIME_API};

/// The time between two checks of the API, and the time after a refused connection.
const INTERVAL: Duration = Duration::from_secs(1);
const AFTER_REFUSAL: Duration = Duration::from_millis(100);
/// The number of refusals in a row after which the API is lost.
const REFUSALS: u32 = 3;

/// Why no more events are requested.
///
/// Its `Debug` form is the message, since `main` prints an error with `Debug`.
#[derive(thiserror::Error)]
pub(super) enum ApiError {
    /// `lambda_runtime` treats every answer as an event, and panics if it is not one.
    #[error(
        "the event loop panicked, as it does when the Runtime API answers with an error in place of \
         an event: {0}"
    )]
    LoopPanicked(String),
    #[error("the Runtime API at {address} can no longer be reached")]
    Lost {
        address: String,
        #[source]
        source: IoError,
    },
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Completes when the API refuses connections, while events are requested concurrently.
///
/// The concurrent loops of `lambda_runtime` would then request events without a pause, endlessly;
/// its sequential loop ends by itself. Only refusals count: a slow connection is not a loss.
pub(super) async fn lost() -> ApiError {
    let environment = Environment::process();
    let is_concurrent = environment.get(MAX_CONCURRENCY).is_some_and(|limit| {
        // As `lambda_runtime` reads it.
        limit.parse::<u32>().is_ok_and(|limit| limit > 1)
    });
    match environment.get(RUNTIME_API) {
        Some(api) if is_concurrent => refused(address(&api)).await,
        _ => pending().await,
    }
}

async fn refused(address: String) -> ApiError {
    let mut refusals = 0;
    loop {
        sleep(if refusals == 0 { INTERVAL } else { AFTER_REFUSAL }).await;
        match TcpStream::connect(&address).await {
            Err(source) if source.kind() == ErrorKind::ConnectionRefused => {
                refusals += 1;
                if refusals == REFUSALS {
                    return ApiError::Lost { address, source };
                }
            }
            _ => refusals = 0,
        }
    }
}

/// Returns the host and port of the API, which some emulators write with a scheme and a path.
fn address(api: &str) -> String {
    let host = api.strip_prefix("http://").unwrap_or(api);
    let host = host.split('/').next().unwrap_or(host);
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if has_port { host.to_owned() } else { format!("{host}:80") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_that_of_lambda_and_of_its_emulators() {
        for (api, expected) in [
            ("127.0.0.1:9001", "127.0.0.1:9001"),
            ("http://[::]:9000/.rt/orders", "[::]:9000"),
            ("http://localhost/.rt/orders", "localhost:80"),
            ("[::1]", "[::1]:80"),
        ] {
            assert_eq!(address(api), expected);
        }
    }

    #[tokio::test]
    async fn an_api_that_answers_is_not_lost_and_one_that_refuses_is() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let watch = tokio::spawn(refused(address.clone()));
        listener.accept().await.unwrap();
        assert!(!watch.is_finished());
        drop(listener);
        let lost = watch.await.unwrap().to_string();
        assert_eq!(lost, format!("the Runtime API at {address} can no longer be reached"));
    }
}
