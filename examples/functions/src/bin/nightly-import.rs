//! Imports a partner's prices every night, page by page, in as many events as it takes.
//!
//! A page is imported once for each night. What does not fit into the time of one event is continued from a
//! queue, and what fails is retried: by Lambda for the schedule, and by the queue for the rest.

use std::env;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use lambda_runtime::{Error, LambdaEvent};
use powertools::batch::{self, Message, RecordError, Reply};
use powertools::events::{SchedulerContext, SqsEvent, natural};
use powertools::idempotency::{Continuation, DynamoDbStore, Idempotency, MemoryStore, Store};
use powertools::logging::Logging;
use powertools::metrics::{self, Metrics, Namespace};
use powertools::parameters::{Memory, Parameters, Secret};
use powertools::{Powertools, aws};
use serde::{Deserialize, Serialize};

static PARTNER: Secret<Login> = Secret::json("partner").name_from("PARTNER_SECRET");

#[derive(Deserialize)]
struct Login {
    username: String,
    password: String,
}

/// What invokes the function.
#[derive(Deserialize)]
#[serde(untagged)]
enum Trigger {
    Schedule(Night),
    /// The rest of a night.
    Queue(SqsEvent),
}

/// The input of the schedule: see `template.yaml`.
#[derive(Clone, Deserialize, Serialize)]
struct Night {
    schedule: SchedulerContext,
    /// The first page to import.
    #[serde(default)]
    page: u64,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Response {
    Import(Import),
    Queue(Reply),
}

/// What an event imported.
#[derive(Serialize)]
struct Import {
    pages: u64,
    /// The page with which another event continues.
    continues_with: Option<u64>,
}

struct Importer<S> {
    idempotency: Idempotency<S>,
    /// `None` under `cargo lambda watch`.
    queue: Option<Queue>,
}

impl<S> Clone for Importer<S> {
    fn clone(&self) -> Self {
        Self { idempotency: self.idempotency.clone(), queue: self.queue.clone() }
    }
}

/// The FIFO queue for what did not fit.
#[derive(Clone)]
struct Queue {
    client: aws_sdk_sqs::Client,
    url: String,
}

/// What a page and the hand-over take at most.
const PAGE: Duration = Duration::from_secs(1);

async fn handle<S: Store>(
    importer: Importer<S>,
    event: LambdaEvent<Trigger>,
) -> Result<Response, Error> {
    match event.payload {
        Trigger::Schedule(night) => Ok(Response::Import(importer.import(night).await?)),
        Trigger::Queue(event) => {
            let import = async |night: Message<Night>| {
                importer.import(night.body).await.map(drop).map_err(RecordError::retry)
            };
            Ok(Response::Queue(batch::sqs(event).run(import).await.into_reply()?))
        }
    }
}

impl<S: Store> Importer<S> {
    async fn import(&self, night: Night) -> Result<Import, Error> {
        let job = natural(&night.schedule);
        let pages = AtomicU64::new(0);
        let step = async |number| {
            // If the event fails at a later page, its retry does not import this one again.
            let work = import_page(number);
            let next = self.idempotency.run("nightly-import.page", &(&job, number), work).await?;
            pages.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Error>(next)
        };
        let hand_over = async |rest| self.send(&night, rest).await;
        let operation = self.idempotency.operation("nightly-import");
        let continues_with =
            operation.continue_later(&job, night.page, PAGE, step, hand_over).await?;
        Ok(Import { pages: pages.into_inner(), continues_with })
    }

    /// Sends the rest of a night to the queue, or logs it where there is none.
    async fn send(&self, night: &Night, rest: Continuation<u64>) -> Result<(), Error> {
        let body = serde_json::to_string(&Night { page: rest.cursor, ..night.clone() })?;
        let Some(Queue { client, url }) = &self.queue else {
            tracing::info!(body, "continue with this event");
            return Ok(());
        };
        client
            .send_message()
            .queue_url(url)
            .message_body(body)
            .message_group_id("nightly-import")
            .set_message_deduplication_id(rest.key.map(|key| key.to_string()))
            .send()
            .await?;
        Ok(())
    }
}

/// Reads a page of the partner's prices, writes it, and returns the next one.
async fn import_page(number: u64) -> Result<Option<u64>, Error> {
    let mut login = PARTNER.get().await?;
    if !is_accepted(&login) {
        // The password was rotated after it was cached.
        login = PARTNER.refresh_if(|cached| !is_accepted(cached)).await?;
    }
    let next = read_page(&login, number).await;
    metrics::count("PricesImported", 100);
    // Nothing of the secret is logged: neither its password nor its user name.
    tracing::info!(page = number, "imported");
    Ok(next)
}

/// Here a page is read from the partner. This one is slow, and has four pages.
async fn read_page(_login: &Login, number: u64) -> Option<u64> {
    tokio::time::sleep(Duration::from_millis(400)).await;
    (number < 3).then_some(number + 1)
}

/// Returns true if the partner accepts the login.
fn is_accepted(login: &Login) -> bool {
    !login.username.is_empty() && !login.password.is_empty()
}

async fn run<S: Store>(store: S, queue: Option<Queue>) -> Result<(), Error> {
    let mut parameters = Parameters::new();
    if env::var("PARTNER_SECRET").is_err() {
        let login = r#"{ "username": "partner-user", "password": "partner-password" }"#;
        parameters = parameters.secrets_from(Memory::new().with("partner", login));
    }
    // Lambda and the queue deliver an event again for hours.
    let kept = Duration::from_secs(24 * 60 * 60);
    let idempotency = Idempotency::builder(store).expires_after(kept).build()?;
    let importer = Importer { idempotency, queue };
    Powertools::new(move |event| handle(importer.clone(), event))
        .logging(Logging::new())
        .metrics(Metrics::new().namespace(Namespace::from_static("Shop")))
        .parameters(parameters)
        .warm_up("partner", || PARTNER.get())
        .run()
        .await
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    match (env::var("TABLE_NAME"), env::var("REST_QUEUE")) {
        (Ok(table), Ok(url)) => {
            let config = aws::config().await;
            let queue = Queue { client: aws_sdk_sqs::Client::new(config), url };
            run(DynamoDbStore::new(Client::new(config), table), Some(queue)).await
        }
        // Sufficient for `cargo lambda watch`.
        _ => run(MemoryStore::new(), None).await,
    }
}
