//! Whether a server can keep records.

use std::sync::atomic::{AtomicBool, Ordering};

use redis::aio::ConnectionLike;
use redis::{RedisError, Value, cmd};

use super::failure::Failure;

/// What is known of a server.
#[derive(Debug)]
pub(super) struct Fitness {
    server: String,
    is_known: AtomicBool,
}

type Answer = Result<Value, RedisError>;

/// Asks for the role of the server.
pub(super) async fn role(connection: &mut (impl ConnectionLike + Send)) -> Answer {
    cmd("ROLE").query_async(connection).await
}

/// Asks what the server does when its memory is full.
pub(super) async fn policy(connection: &mut (impl ConnectionLike + Send)) -> Answer {
    cmd("CONFIG").arg("GET").arg("maxmemory-policy").query_async(connection).await
}

impl Fitness {
    pub(super) fn of(server: &str) -> Self {
        Self { server: server.to_owned(), is_known: AtomicBool::new(false) }
    }

    /// A replica may be writable all the same: it loses the writes at the next word of its master.
    pub(super) fn check_role(&self, answer: Answer) -> Result<(), Failure> {
        match answer {
            Ok(role) if texts(&role).first() == Some(&"slave") => Err(Failure::Replica),
            Err(error) if Failure::shuts_out(&error) => Err(error.into()),
            // Whoever may not ask finds out by writing.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// A server that evicts records forgets what is done, and what is being done.
    pub(super) fn check_policy(&self, answer: Answer) -> Result<(), Failure> {
        let policy = match answer {
            Err(error) if Failure::shuts_out(&error) => return Err(error.into()),
            answer => answer.ok(),
        };
        let texts = policy.as_ref().map(texts).unwrap_or_default();
        match texts.last() {
            Some(&"noeviction") => {}
            Some(&policy) => return Err(Failure::Evicts(policy.to_owned())),
            None if !self.is_known.swap(true, Ordering::Relaxed) => tracing::warn!(
                server = self.server,
                "the server does not tell its maxmemory-policy: unless that is `noeviction`, it \
                 may evict idempotency records, and their work then runs again",
            ),
            None => {}
        }
        Ok(())
    }
}

/// The texts in an answer, in their order.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).into_iter().collect(),
        Value::SimpleString(text) => vec![text],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Map(pairs) => pairs.iter().flat_map(|(_, value)| texts(value)).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    #[test]
    fn the_policy_is_understood_in_both_protocols() {
        let fitness = Fitness::of("localhost");
        let name = text("maxmemory-policy");
        for (policy, is_fit) in [("noeviction", true), ("allkeys-lru", false)] {
            let second = Value::Array(vec![name.clone(), text(policy)]);
            let third = Value::Map(vec![(name.clone(), text(policy))]);
            for answer in [second, third] {
                assert_eq!(fitness.check_policy(Ok(answer)).is_ok(), is_fit, "{policy}");
            }
        }
        assert!(fitness.check_policy(Ok(Value::Array(Vec::new()))).is_ok());
    }
}
