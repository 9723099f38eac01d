use lambda_runtime::Error as BoxError;
use redis::{ErrorKind, RedisError};
use tokio::time::error::Elapsed;

use crate::idempotency::store::{StoreError, StoreErrorKind};

/// Why a command has no reply, or which error it replied with.
#[derive(Debug)]
pub(super) enum Failure {
    /// There was no answer in time.
    Timeout(BoxError),
    /// No connection could be opened.
    Unreachable(BoxError),
    /// The server is a replica.
    Replica,
    /// The server evicts records, by this policy.
    Evicts(String),
    /// The connection broke, or the server replied with an error.
    Redis(RedisError),
    /// The same of a connection that was opened for an earlier request and leads to nothing any more. It may
    /// have died while the process was frozen.
    OldConnection(RedisError),
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        Self::Redis(error)
    }
}

impl From<Elapsed> for Failure {
    fn from(elapsed: Elapsed) -> Self {
        Self::Timeout(elapsed.into())
    }
}

impl Failure {
    /// Returns true if the connection can no longer be used.
    pub(super) fn is_of_connection(error: &RedisError) -> bool {
        error.is_io_error() || error.is_unrecoverable_error()
    }

    /// Returns true if no command will succeed on this connection.
    pub(super) fn shuts_out(error: &RedisError) -> bool {
        Self::is_of_connection(error) || code(error) == "NOAUTH"
    }

    /// Returns true if another connection may lead to a better server: after a failover, the name of
    /// the old primary leads to the new one.
    pub(super) fn ends_connection(&self) -> bool {
        match self {
            Self::Redis(error) => Self::is_of_connection(error) || code(error) == "READONLY",
            Self::Timeout(_) | Self::Replica | Self::OldConnection(_) => true,
            Self::Unreachable(_) | Self::Evicts(_) => false,
        }
    }

    /// Returns true if the next attempt may succeed.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Timeout(_) | Self::Unreachable(_) | Self::Replica | Self::OldConnection(_) => {
                true
            }
            Self::Evicts(_) => false,
            Self::Redis(error) => {
                Self::is_of_connection(error)
                    || matches!(
                        code(error),
                        "READONLY" | "LOADING" | "BUSY" | "TRYAGAIN" | "CLUSTERDOWN" | "MASTERDOWN"
                    )
            }
        }
    }

    /// Returns true if the command may have been carried out.
    pub(super) fn leaves_doubt(&self) -> bool {
        match self {
            Self::Timeout(_) => true,
            // The crate counts a wrong password among the errors of the connection; nothing was sent after it.
            Self::Redis(error) | Self::OldConnection(error) => {
                Self::is_of_connection(error) && error.kind() != ErrorKind::AuthenticationFailed
            }
            Self::Unreachable(_) | Self::Replica | Self::Evicts(_) => false,
        }
    }

    /// Returns true if the server understood the command and will not do it, now or again.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Redis(_)) && !self.is_transient()
    }

    /// Returns true if the server may not know an option of the command. Servers word that differently.
    pub(super) fn may_be_of_syntax(&self) -> bool {
        matches!(self, Self::Redis(error) if code(error) == "ERR")
    }

    /// Returns true if the server does not know the script.
    pub(super) fn is_unknown_script(&self) -> bool {
        matches!(self, Self::Redis(error) if code(error) == "NOSCRIPT")
    }

    /// Describes the failure in the terms of a store.
    pub(super) fn of_store(self, server: &str) -> StoreError {
        use StoreErrorKind::{Invalid, Other, Timeout};

        let (kind, message, cause) = match self {
            Self::Timeout(cause) => (Timeout, "did not answer in time".to_owned(), Some(cause)),
            Self::Unreachable(cause) => (Other, "cannot be reached".to_owned(), Some(cause)),
            Self::Replica => (Other, "is a replica, which keeps no writes".to_owned(), None),
            Self::Evicts(policy) => (
                Invalid,
                format!("evicts records: its maxmemory-policy is `{policy}`, not `noeviction`"),
                None,
            ),
            Self::Redis(error) | Self::OldConnection(error) => {
                let (kind, message) = refusal(&error);
                (kind, message.to_owned(), Some(error.into()))
            }
        };
        let error = StoreError::new(kind, format!("the Redis server {server} {message}"));
        match cause {
            Some(cause) => error.caused_by(cause),
            None => error,
        }
    }
}

/// Classifies an error of the server.
fn refusal(error: &RedisError) -> (StoreErrorKind, &'static str) {
    use StoreErrorKind::{AccessDenied, Invalid, Malformed, Other};

    if error.kind() == ErrorKind::AuthenticationFailed {
        return (AccessDenied, "does not accept the user name or password");
    }
    if Failure::is_of_connection(error) {
        return (Other, "closed the connection");
    }
    match code(error) {
        "NOAUTH" => (AccessDenied, "requires a password"),
        "WRONGPASS" => (AccessDenied, "does not accept the user name or password"),
        "NOPERM" => (
            AccessDenied,
            "denies a command; the user needs GET, SET, DEL, PTTL, EVAL and EVALSHA on the keys",
        ),
        "WRONGTYPE" => (Malformed, "has a value other than a string under the key of the record"),
        "READONLY" => (Other, "is a replica, which keeps no writes"),
        "OOM" => (Other, "is out of memory: it has reached its maxmemory"),
        "LOADING" => (Other, "is loading its data"),
        "MOVED" | "ASK" | "CROSSSLOT" => (
            Invalid,
            "is a node of a cluster: use RedisStore::with_connection and ClusterConnection",
        ),
        _ => (Other, "failed"),
    }
}

/// Returns the code of an error. Before Redis 7, the code of a command in a script is only in the
/// text.
fn code(error: &RedisError) -> &str {
    let code = error.code().unwrap_or_default();
    match error.detail() {
        Some(text) if code == "ERR" && text.contains("user_script") => {
            let known = ["OOM", "READONLY", "WRONGTYPE", "NOPERM", "MISCONF"];
            known.into_iter().find(|known| text.contains(known)).unwrap_or(code)
        }
        _ => code,
    }
}
