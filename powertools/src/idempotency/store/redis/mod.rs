use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::redis::aio::ConnectionLike;
use ::redis::{Cmd, Value, cmd};
use tokio::time::Instant;

use self::connection::{Connection, Shared};
use self::failure::Failure;
use self::scripts::Write;
use self::server::Server;
use super::attempts::{ATTEMPT_TIMEOUT, ATTEMPTS, WARM_UP_TIMEOUT, end_of, pause};
use super::{
    Claim, Completion, Outcome, Read, Release, Renewal, Store, StoreError, StoreErrorKind,
};
use crate::environment::Environment;
use crate::idempotency::{Error, Key, Record};

mod connection;
mod failure;
mod fitness;
mod record;
mod scripts;
mod server;

/// A store in Redis or Valkey.
///
/// ```no_run
/// use powertools::idempotency::{Error, Idempotency, RedisStore};
///
/// # async fn example() -> Result<(), Error> {
/// let store = RedisStore::new("rediss://orders.example.cache.amazonaws.com:6379")?;
/// store.warm_up().await?;
/// let idempotency = Idempotency::new(store)?;
///
/// let receipt = idempotency
///     .run("charge", &"order-7", async { Ok::<_, Error>("charged".to_owned()) })
///     .await?;
/// # let _ = receipt;
/// # Ok(()) }
/// ```
///
/// # What it can lose
///
/// **A failover can lose the last writes.** Redis and Valkey copy writes to their replicas after they
/// have answered. If a primary fails before that, the replica that takes its place does not have them:
/// after the loss of a claim a second delivery can run concurrently with the first, and after the loss
/// of a completion the work can run again. The same holds for a server that restarts without its data,
/// or with an older copy of them. Work whose repetition does harm belongs in a `DynamoDbStore`, or in
/// Amazon MemoryDB, which answers only after its log has the write.
///
/// **A server that evicts keys loses records.** Its `maxmemory-policy` must be `noeviction`. The store
/// requests it with each new connection, or once from one node of
/// [`with_connection`](Self::with_connection), and rejects a server with any other. If the server does not
/// reveal it, as on Amazon ElastiCache, the store logs a warning once: there, the parameter group sets
/// the policy, and its default is another one.
///
/// # Records
///
/// A record is a JSON string under the key, with the members of the toolkits for Python and
/// TypeScript, so that functions in those languages can share the server; they ignore `owner` and
/// `not_stored`. The server deletes it after the second of its `expiration`. The environment that
/// claims the record computes the time until then by its own clock.
///
/// A value under a key that is not such a record is an error, and is not overwritten.
///
/// Those toolkits replace an expired record without comparing it, under a lock that they hold for 10
/// seconds: a second key, `<key>:lock`. The store respects that lock, and sets it before it replaces an
/// expired record, so that only one function does. The lock does not exclude other claims of this store,
/// nor a function in another language that read the record before it was completed or removed.
///
/// # Requests
///
/// | | requests |
/// |---|---|
/// | first call | claim, complete |
/// | first call whose handler fails | claim, release |
/// | first call after a lease has expired | claim, lock, claim that replaces the expired record, complete |
/// | replay | claim, refused; it returns the record |
///
/// Each write touches one key, and runs atomically, in a cluster on the node that has the key. It is a script;
/// or `SET` with `NX` and `GET` for a claim from Redis 7 on, and with `IFEQ` for a completion from Redis 8.4 and
/// Valkey 8.1 on, which take the server half of the time. An older server receives each of these once, and
/// answers with an error. The user needs the commands GET, SET,
/// DEL, PTTL, EVAL and EVALSHA.
///
/// Each request has up to three attempts. It is retried after a lost connection, an answer that the server
/// is not ready, or 1 second without an answer, and then on a new connection. A write that was applied
/// although its answer was lost is recognised by its owner.
///
/// Cloning is cheap. Clones share one connection, on which requests do not wait for each other.
#[derive(Clone, Debug)]
pub struct RedisStore {
    connection: Arc<dyn Connection>,
    scope: Arc<str>,
    known: Arc<Known>,
}

/// Commands that do what a script does, and that the server knows, as far as the store knows.
#[derive(Debug)]
struct Known {
    /// `SET` with `NX` and `GET`.
    create: AtomicBool,
    /// `SET` with `IFEQ`.
    replace: AtomicBool,
}

impl RedisStore {
    /// Creates a store on the server with this URL, such as
    /// `rediss://user:password@host:6379/0`. It connects with the first request, and again when the
    /// connection is lost, or after the environment was restored from a snapshot.
    ///
    /// `rediss` and `valkeys` use TLS, `redis` and `valkey` do not. The port defaults to 6379, the database
    /// to 0. Special characters in the user name and the password are percent-encoded. The trusted
    /// certificates are those of Mozilla's list, which are compiled in, or those that `AWS_CA_BUNDLE`,
    /// `SSL_CERT_FILE` or `SSL_CERT_DIR` name.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Config`] if the URL is invalid, or if trusted certificates cannot be read.
    pub fn new(url: &str) -> Result<Self, Error> {
        let server = Server::at(url, &Environment::process())?;
        let scope = server.name().into();
        Ok(Self::on(server, scope))
    }

    /// Creates a store on a connection of the crate `redis`: a `ClusterConnection`, or a
    /// `ConnectionManager` with credentials that change. It must reconnect by itself, which a
    /// `MultiplexedConnection` does not.
    ///
    /// The timeouts of the connection apply too; the default is half a second. `scope` is a name for the
    /// server and the database: stores with the same name share their records.
    ///
    /// ```no_run
    /// # use powertools::idempotency::RedisStore;
    /// # fn example<C: redis::aio::ConnectionLike + Clone + Send + Sync + 'static>(cluster: C) {
    /// // let cluster = ClusterClient::new(["rediss://orders.example:6379"])?;
    /// // let cluster = cluster.get_async_connection().await?;
    /// let store = RedisStore::with_connection(cluster, "orders.example");
    /// # let _ = store;
    /// # }
    /// ```
    pub fn with_connection<C>(connection: C, scope: impl Into<String>) -> Self
    where
        C: ConnectionLike + Clone + Send + Sync + 'static,
    {
        let scope = scope.into();
        Self::on(Shared::new(connection, &scope), scope.into())
    }

    fn on(connection: impl Connection + 'static, scope: Arc<str>) -> Self {
        let known = Known { create: AtomicBool::new(true), replace: AtomicBool::new(true) };
        Self { connection: Arc::new(connection), scope, known: Arc::new(known) }
    }

    /// Connects, and checks that the server can keep records.
    ///
    /// During initialisation no event waits for that, and Lambda provides a full processor,
    /// whatever the memory of the function is.
    ///
    /// # Errors
    ///
    /// Returns an error if the server cannot be reached, does not accept the password, is a replica or
    /// evicts records, or after 4 seconds without an answer.
    pub async fn warm_up(&self) -> Result<(), StoreError> {
        let opened = self.connection.open(Instant::now() + WARM_UP_TIMEOUT).await;
        opened.map_err(|failure| failure.of_store(&self.scope))
    }

    /// Sends a request, with all of its attempts until `end`.
    async fn call(&self, request: Request<'_>, end: Instant) -> Result<Value, StoreError> {
        let (mut attempt, mut has_reconnected, mut in_doubt) = (1, false, false);
        loop {
            let attempted = self.attempt(request, end.min(Instant::now() + ATTEMPT_TIMEOUT));
            let failure = match attempted.await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            in_doubt |= failure.leaves_doubt();
            // Another connection is no attempt of its own, once: nothing may be wrong with the server.
            if matches!(failure, Failure::OldConnection(_)) && !has_reconnected {
                has_reconnected = true;
                continue;
            }
            attempt += 1;
            let pause = pause(attempt);
            if !failure.is_transient() || attempt > ATTEMPTS || Instant::now() + pause >= end {
                let error = failure.of_store(&self.scope);
                return Err(if in_doubt && request.writes() { error.in_doubt() } else { error });
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn attempt(&self, request: Request<'_>, end: Instant) -> Result<Value, Failure> {
        let (key, script, arguments) = match &request {
            Request::Read(key) => return self.connection.send(cmd("GET").arg(key), end).await,
            Request::Create(key, arguments) => {
                let command = || scripts::create(key, arguments);
                match self.without_script(&self.known.create, command, end).await? {
                    Some(Value::Nil) => return Ok(Value::Int(1)),
                    Some(found) => return Ok(found),
                    None => (*key, &*scripts::CLAIM, &arguments[..]),
                }
            }
            Request::Replace(key, records, arguments) => {
                let command = || scripts::replace(key, records);
                match self.without_script(&self.known.replace, command, end).await? {
                    Some(Value::Okay) => return Ok(Value::Int(1)),
                    // The record is another one. It may be held nevertheless.
                    _ => (*key, &*scripts::COMPLETE, &arguments[..]),
                }
            }
            Request::Write(key, script, arguments) => (*key, *script, *arguments),
        };
        match self.connection.send(&script.by_hash(key, arguments), end).await {
            Err(failure) if failure.is_unknown_script() => {
                self.connection.send(&script.by_text(key, arguments), end).await
            }
            reply => reply,
        }
    }

    /// Sends a command that does what a script does, unless it is known not to be `known`. Returns none if
    /// a script has to do it.
    async fn without_script(
        &self,
        known: &AtomicBool,
        command: impl FnOnce() -> Cmd,
        end: Instant,
    ) -> Result<Option<Value>, Failure> {
        if !known.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match self.connection.send(&command(), end).await {
            Ok(reply) => Ok(Some(reply)),
            // Even a server that is out of memory, or cannot write to its disk, returns an existing
            // record to the script. A replica does not get here: it may lag, and is an error.
            Err(failure) if failure.is_refusal() => {
                if failure.may_be_of_syntax() {
                    known.store(false, Ordering::Relaxed);
                }
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Makes a conditional write. Returns the existing value if it was refused.
    async fn write(&self, request: Request<'_>, end: Instant) -> Result<Written, StoreError> {
        match self.call(request, end).await? {
            Value::Int(1) => Ok(Written::Applied),
            other => Ok(Written::Refused(self.value(other)?)),
        }
    }

    /// Sets the lock of a takeover. Returns false if a function in another language holds it.
    async fn locks(&self, key: &str, end: Instant) -> Result<bool, StoreError> {
        const OURS: &[u8] = b"powertools-rust";

        let (lock, life) = (format!("{key}:lock"), record::LOCK.to_string());
        // One that has this value is free: claims of this toolkit compare the record.
        let arguments = [OURS, life.as_bytes(), OURS];
        let request = Request::Write(&lock, &scripts::CLAIM, &arguments);
        Ok(matches!(self.write(request, end).await?, Written::Applied))
    }

    fn value(&self, reply: Value) -> Result<Option<Vec<u8>>, StoreError> {
        match reply {
            Value::Nil => Ok(None),
            Value::BulkString(bytes) => Ok(Some(bytes)),
            _ => {
                let message =
                    format!("the answer of the Redis server {} is not usable", self.scope);
                Err(StoreError::new(StoreErrorKind::Other, message))
            }
        }
    }

    /// Makes a conditional write, and reads the existing record if it was refused.
    async fn change(
        &self,
        request: Request<'_>,
        key: &Key,
        timeout: Duration,
    ) -> Result<Outcome, StoreError> {
        match self.write(request, end_of(timeout)).await? {
            Written::Applied => Ok(Outcome::Applied),
            Written::Refused(found) => {
                let record = found.map(|bytes| record::parse(key, &bytes)).transpose()?;
                Ok(Outcome::Refused(record.map(Box::new)))
            }
        }
    }
}

/// A request for a key.
#[derive(Clone, Copy)]
enum Request<'a> {
    Read(&'a str),
    /// The first write of a claim, by a command if the server knows it.
    Create(&'a str, [&'a [u8]; 2]),
    /// A completion: the record as it is expected to be and to become, for how long the server keeps it, and
    /// the arguments of the script.
    Replace(&'a str, [&'a [u8]; 3], [&'a [u8]; 4]),
    Write(&'a str, &'a Write, &'a [&'a [u8]]),
}

impl Request<'_> {
    fn writes(&self) -> bool {
        !matches!(self, Self::Read(_))
    }
}

/// The outcome of a conditional write, with the existing value.
enum Written {
    Applied,
    Refused(Option<Vec<u8>>),
}

/// The maximum number of attempts to claim a record that is free.
const CLAIMS: u32 = 3;

impl Store for RedisStore {
    fn scope(&self) -> &str {
        &self.scope
    }

    // Each command has the end of its request.
    fn keeps_timeouts(&self) -> bool {
        true
    }

    async fn claim(&self, claim: &Claim) -> Result<Outcome, StoreError> {
        let end = end_of(claim.timeout);
        let new = record::claimed(claim);
        let kept = record::kept(claim.expiration, claim.now).to_string();
        let key = claim.key.as_str();
        let mut free: Option<Vec<u8>> = None;
        for _ in 0..CLAIMS {
            let created = [&*new, kept.as_bytes()];
            let over: [&[u8]; 3];
            let request = match &free {
                None => Request::Create(key, created),
                Some(free) => {
                    over = [created[0], created[1], free];
                    Request::Write(key, &scripts::CLAIM, &over)
                }
            };
            let found = match self.write(request, end).await? {
                Written::Applied => return Ok(Outcome::Applied),
                Written::Refused(found) => found,
            };
            let Some(bytes) = found else { break };
            let record = record::parse(&claim.key, &bytes)?;
            if !record.is_free(claim.now) {
                return Ok(Outcome::Refused(Some(Box::new(record))));
            }
            if free.is_none() && !self.locks(key, end).await? {
                return Ok(Outcome::Refused(Some(Box::new(record::taken_over(claim)))));
            }
            free = Some(bytes);
        }
        Ok(Outcome::Refused(None))
    }

    async fn complete(&self, completion: &Completion) -> Result<Outcome, StoreError> {
        let Completion {
            key, owner, now, expiration, claimed_expiration, lease_end, timeout, ..
        } = completion;
        let completed = record::completed(completion)?;
        let (held, [first, last]) = (record::held(owner), completed.ends());
        let claimed = completed.claimed(&held, *claimed_expiration, *lease_end);
        let kept = record::kept(*expiration, *now).to_string();
        let records: [&[u8]; 3] = [&claimed, &completed.text, kept.as_bytes()];
        let seconds = expiration.0.to_string();
        let arguments: [&[u8]; 4] = [&held, first, seconds.as_bytes(), last];
        let request = Request::Replace(key.as_str(), records, arguments);
        self.change(request, key, *timeout).await
    }

    async fn renew(&self, renewal: &Renewal) -> Result<Outcome, StoreError> {
        let Renewal { key, owner, lease_end, expiration, timeout } = renewal;
        let held = record::held(owner);
        let (lease_end, expiration) = (lease_end.0.to_string(), expiration.0.to_string());
        let arguments: [&[u8]; 3] = [&held, lease_end.as_bytes(), expiration.as_bytes()];
        let request = Request::Write(key.as_str(), &scripts::RENEW, &arguments);
        self.change(request, key, *timeout).await
    }

    async fn release(&self, release: &Release) -> Result<Outcome, StoreError> {
        let Release { key, owner, timeout } = release;
        let held = record::held(owner);
        let arguments: [&[u8]; 1] = [&held];
        let request = Request::Write(key.as_str(), &scripts::RELEASE, &arguments);
        match self.change(request, key, *timeout).await {
            // The write was refused, so the record is not this claim's, even if it cannot be read.
            Err(error) if error.kind() == StoreErrorKind::Malformed => Ok(Outcome::Refused(None)),
            outcome => outcome,
        }
    }

    async fn read(&self, read: &Read) -> Result<Option<Record>, StoreError> {
        let request = Request::Read(read.key.as_str());
        let reply = self.call(request, end_of(read.timeout)).await?;
        let value = self.value(reply)?;
        value.map(|bytes| record::parse(&read.key, &bytes)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use ::redis::{RedisError, parse_redis_value};
    use futures_util::future::{BoxFuture, ready};

    use super::*;
    use crate::idempotency::{EpochMillis, EpochSeconds, Idempotency, Owner};

    /// A server with these replies, and then with 1, and the names of the commands that it received.
    #[derive(Clone, Debug)]
    struct Scripted {
        replies: Arc<Mutex<VecDeque<Result<Value, Failure>>>>,
        names: Arc<Mutex<Vec<String>>>,
    }

    impl Scripted {
        fn new<const N: usize>(replies: [Result<Value, Failure>; N]) -> Self {
            Self { replies: Arc::new(Mutex::new(replies.into())), names: Arc::default() }
        }

        fn names(&self) -> Vec<String> {
            self.names.lock().unwrap().clone()
        }
    }

    impl Connection for Scripted {
        fn open(&self, _: Instant) -> BoxFuture<'_, Result<(), Failure>> {
            Box::pin(ready(Ok(())))
        }

        fn send<'a>(
            &'a self,
            command: &'a Cmd,
            _: Instant,
        ) -> BoxFuture<'a, Result<Value, Failure>> {
            let packed = String::from_utf8(command.get_packed_command()).unwrap();
            self.names.lock().unwrap().push(packed.lines().nth(2).unwrap().to_owned());
            let scripted = self.replies.lock().unwrap().pop_front();
            Box::pin(ready(scripted.unwrap_or(Ok(Value::Int(1)))))
        }
    }

    fn error(text: &str) -> Result<Value, Failure> {
        let reply = parse_redis_value(format!("-{text}\r\n").as_bytes());
        reply.and_then(Value::extract_error).map_err(Failure::Redis)
    }

    /// The password can be changed after the first attempt, for example.
    #[tokio::test(start_paused = true)]
    async fn a_claim_that_may_have_been_made_is_released_whatever_failed_last() {
        let broken = || RedisError::from(std::io::Error::other("broken"));
        let refused = || error("WRONGPASS invalid username-password pair");
        for (first, may_be_made) in [
            (Failure::Timeout("late".into()), true),
            (Failure::Redis(broken()), true),
            (Failure::OldConnection(broken()), true),
            (Failure::Unreachable("refused".into()), false),
        ] {
            let name = format!("{first:?}");
            // By the command and by the script.
            let server = Scripted::new([Err(first), refused(), refused()]);
            let store = RedisStore::on(server.clone(), name.as_str().into());
            let idempotency = Idempotency::new(store).unwrap();
            let work = async { Ok::<_, Error>(1) };
            let error = idempotency.run("charge", "order", work).await.unwrap_err();
            assert_eq!(error.is_retryable(), may_be_made, "{error:?}");
            let release: &[_] = if may_be_made { &["EVALSHA"] } else { &[] };
            assert_eq!(server.names(), [&["SET", "SET", "EVALSHA"], release].concat(), "{name}");
        }
    }

    #[tokio::test]
    async fn a_server_that_does_not_know_a_command_receives_it_once() {
        let (unknown, done) = (|| error("ERR syntax error"), || Ok(Value::Int(1)));
        let server = Scripted::new([unknown(), done(), unknown(), done()]);
        let store = RedisStore::on(server.clone(), "old".into());
        for key in ["one", "two"] {
            let claim = Claim {
                key: Key::from(key),
                owner: Owner::new().unwrap(),
                now: EpochMillis(0),
                lease_end: EpochMillis(1_000),
                expiration: EpochSeconds(60),
                validation: None,
                timeout: Duration::from_secs(1),
            };
            assert_eq!(store.claim(&claim).await.unwrap(), Outcome::Applied);
            let completion = Completion {
                key: claim.key,
                owner: claim.owner,
                now: claim.now,
                expiration: claim.expiration,
                claimed_expiration: claim.expiration,
                lease_end: claim.lease_end,
                validation: None,
                data: None,
                not_stored: None,
                timeout: claim.timeout,
            };
            assert_eq!(store.complete(&completion).await.unwrap(), Outcome::Applied);
        }
        let (first, second) = (["SET", "EVALSHA", "SET", "EVALSHA"], ["EVALSHA", "EVALSHA"]);
        assert_eq!(server.names(), [&first[..], &second].concat());
    }
}
