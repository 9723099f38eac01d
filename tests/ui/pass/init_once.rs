//! Every way to write the `Result`, waiting and not.

#![deny(warnings)]
#![allow(dead_code)]

use lambda_runtime::Error;
use powertools::{init, init_once};

type Result<T, E = Error> = std::result::Result<T, E>;
type Made = Result<Client>;

#[derive(Debug)]
struct Client;

#[derive(Debug)]
struct Failed;

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("failed")
    }
}

impl std::error::Error for Failed {}

#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Init(#[from] init::Error),
}

/// The client.
#[init_once]
pub(crate) async fn client() -> Result<Client> {
    if std::env::args().len() == 7 {
        return Err(Box::new(Failed));
    }
    Ok(Client)
}

#[init_once]
async fn own_error() -> std::result::Result<Vec<String>, StartError> {
    let _: &'static Client = client().await.map_err(|_| init::Error::Reentrant)?;
    Ok(Vec::new())
}

#[init_once]
async fn alias() -> Made {
    Ok(Client)
}

#[init_once]
async fn anyhow() -> anyhow::Result<Client> {
    anyhow::bail!("no client")
}

#[init_once]
fn waiting() -> Result<u64> {
    if std::env::args().len() == 7 {
        return Err(Box::new(Failed));
    }
    Ok("7".parse()?)
}

#[rustfmt::skip]
#[init_once]
fn one_line() -> Result<u64> { Ok(7) }

struct Orders;

impl Orders {
    #[init_once]
    async fn client() -> Result<Client> {
        Ok(Client)
    }
}

fn outer() {
    #[init_once]
    fn inner() -> Result<u64> {
        Ok(7)
    }

    let _: Result<&'static u64> = inner();
}

mod vendor {
    pub use powertools::*;
}

#[vendor::init_once(crate = crate::vendor)]
async fn renamed() -> Made {
    Ok(Client)
}

async fn used() -> Result<()> {
    let _: &'static Client = client().await?;
    let _: &'static Client = alias().await?;
    let _: &'static Client = renamed().await?;
    let _: &'static Client = Orders::client().await?;
    let _: &'static u64 = one_line()?;
    Ok(())
}

fn spawned() {
    tokio::spawn(client());
}

fn main() {}
