use std::io;
use std::net::TcpStream;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use powertools::aws::{self, Tls};
use rustls::NamedGroup;
use rustls::server::Acceptor;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

use super::loader;

/// What a client offers tells who speaks. The crate can be built with more than one cryptography:
/// `cargo test -p powertools-tests --features powertools/tls-aws-lc aws::`.
#[tokio::test]
async fn connections_use_the_chosen_cryptography() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let config = loader(&url).retry_config(RetryConfig::disabled()).load().await;
    let call = tokio::spawn(async move { Client::new(&config).list_tables().send().await });

    let (connection, _) = listener.accept().await.unwrap();
    let connection = connection.into_std().unwrap();
    let groups = spawn_blocking(|| offered_groups(connection)).await.unwrap().unwrap();
    let post_quantum = groups.contains(&NamedGroup::X25519MLKEM768);
    let only_approved = !groups.contains(&NamedGroup::X25519);
    let expected = match aws::tls() {
        Tls::Ring => (false, false),
        Tls::AwsLc => (true, false),
        Tls::AwsLcFips => (true, true),
        other => panic!("{other:?} is new"),
    };
    assert_eq!((post_quantum, only_approved), expected, "{groups:?}");
    assert!(call.await.unwrap().is_err(), "the connection was closed");
}

/// Blocks until the client has said what it speaks, and hangs up.
fn offered_groups(mut connection: TcpStream) -> io::Result<Vec<NamedGroup>> {
    connection.set_nonblocking(false)?;
    let mut acceptor = Acceptor::default();
    loop {
        acceptor.read_tls(&mut connection)?;
        let accepted = acceptor.accept().map_err(|(error, _)| io::Error::other(error))?;
        if let Some(accepted) = accepted {
            let groups = accepted.client_hello().named_groups().map(<[_]>::to_vec);
            return Ok(groups.unwrap_or_default());
        }
    }
}
