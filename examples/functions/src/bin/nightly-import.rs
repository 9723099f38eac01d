//! Imports a partner's prices every night, page by page.
//!
//! A page is imported once for each night: if the time runs out or the partner fails, Lambda retries the
//! event, and the import continues with the first page that is missing.

use std::env;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use lambda_runtime::{Error, LambdaEvent};
use powertools::events::{SchedulerContext, natural};
use powertools::idempotency::{DynamoDbStore, Idempotency, MemoryStore, Store};
use powertools::logging::Logging;
use powertools::metrics::{self, Metrics, Namespace};
use powertools::parameters::{Memory, Parameters, Secret};
use powertools::{Deadline, Powertools, aws};
use serde::{Deserialize, Serialize};

static PARTNER: Secret<Login> = Secret::json("partner").name_from("PARTNER_SECRET");

#[derive(Deserialize)]
struct Login {
    username: String,
    password: String,
}

/// The input of the schedule: see `template.yaml`.
#[derive(Deserialize)]
struct Night {
    schedule: SchedulerContext,
}

/// A page that was imported.
#[derive(Deserialize, Serialize)]
struct Page {
    prices: u64,
    next: Option<u64>,
}

#[derive(Serialize)]
struct Import {
    pages: u64,
    /// The pages that no earlier attempt has imported.
    imported: u64,
    prices: u64,
}

/// The time that a page takes at most.
const PAGE: Duration = Duration::from_secs(2);

async fn handle<S: Store>(
    idempotency: Idempotency<S>,
    event: LambdaEvent<Night>,
) -> Result<Import, Error> {
    let night = natural(&event.payload.schedule);
    let mut import = Import { pages: 0, imported: 0, prices: 0 };
    let mut next = Some(0);
    while let Some(number) = next {
        Deadline::current().ensure(PAGE)?;
        let work = async {
            let page = import_page(number).await?;
            metrics::count("PricesImported", page.prices);
            import.imported += 1;
            Ok::<_, Error>(page)
        };
        let page = idempotency.run("nightly-import.page", &(&night, number), work).await?;
        import.pages += 1;
        import.prices += page.prices;
        next = page.next;
    }
    Ok(import)
}

/// Reads a page of the partner's prices, and writes it.
async fn import_page(number: u64) -> Result<Page, Error> {
    let mut login = PARTNER.get().await?;
    if !is_accepted(&login) {
        // The password was rotated after it was cached.
        login = PARTNER.refresh_if(|cached| !is_accepted(cached)).await?;
    }
    tracing::info!(page = number, username = login.username, "imported");
    // Here the page is read from the partner. This one has three pages.
    Ok(Page { prices: 100, next: (number < 2).then_some(number + 1) })
}

/// Returns true if the partner accepts the login.
fn is_accepted(login: &Login) -> bool {
    !login.password.is_empty()
}

async fn run<S: Store>(store: S) -> Result<(), Error> {
    let mut parameters = Parameters::new();
    if env::var("PARTNER_SECRET").is_err() {
        let login = r#"{ "username": "shop", "password": "local" }"#;
        parameters = parameters.secrets_from(Memory::new().with("partner", login));
    }
    let idempotency = Idempotency::new(store)?;
    Powertools::new(move |event| handle(idempotency.clone(), event))
        .logging(Logging::new())
        .metrics(Metrics::new().namespace(Namespace::from_static("Shop")))
        .parameters(parameters)
        .warm_up("partner", || PARTNER.get())
        .run()
        .await
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    match env::var("TABLE_NAME") {
        Ok(table) => run(DynamoDbStore::new(Client::new(aws::config().await), table)).await,
        // Sufficient for `cargo lambda watch`.
        Err(_) => run(MemoryStore::new()).await,
    }
}
