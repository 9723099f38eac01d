//! Whether a server can keep records.

use std::sync::atomic::{AtomicBool, Ordering};

use redis::aio::ConnectionLike;
use redis::{RedisError, Value, cmd};

use super::failure::Failure;

/// The checks of a server.
#[derive(Debug)]
pub(super) struct Fitness {
    server: String,
    /// True after the warning that the policy is unknown.
    has_warned: AtomicBool,
}

type Answer = Result<Value, RedisError>;

/// Requests the role of the server.
pub(super) async fn role(connection: &mut (impl ConnectionLike + Send)) -> Answer {
    cmd("ROLE").query_async(connection).await
}

/// Requests what the server does when its memory is full.
pub(super) async fn policy(connection: &mut (impl ConnectionLike + Send)) -> Answer {
    cmd("CONFIG").arg("GET").arg("maxmemory-policy").query_async(connection).await
}

impl Fitness {
    pub(super) fn of(server: &str) -> Self {
        Self { server: server.to_owned(), has_warned: AtomicBool::new(false) }
    }

    /// Rejects a replica, even a writable one: it loses its writes when the primary next
    /// synchronises it.
    pub(super) fn check_role(&self, answer: Answer) -> Result<(), Failure> {
        match answer {
            Ok(role) if strings(&role).first() == Some(&"slave") => Err(Failure::Replica),
            Err(error) if Failure::shuts_out(&error) => Err(error.into()),
            // A user without the permission for `ROLE` finds out when a write fails.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Rejects a server that evicts records: it would lose those of completed and of running work.
    pub(super) fn check_policy(&self, answer: Answer) -> Result<(), Failure> {
        let policy = match answer {
            Err(error) if Failure::shuts_out(&error) => return Err(error.into()),
            answer => answer.ok(),
        };
        let strings = policy.as_ref().map(strings).unwrap_or_default();
        match strings.last() {
            Some(&"noeviction") => {}
            Some(&policy) => return Err(Failure::Evicts(policy.to_owned())),
            None if !self.has_warned.swap(true, Ordering::Relaxed) => tracing::warn!(
                server = self.server,
                "the server does not tell its maxmemory-policy: unless that is `noeviction`, it \
                 may evict idempotency records, and their work then runs again",
            ),
            None => {}
        }
        Ok(())
    }
}

/// Returns the strings in an answer, in order.
fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).into_iter().collect(),
        Value::SimpleString(text) => vec![text],
        Value::Array(values) => values.iter().flat_map(strings).collect(),
        Value::Map(pairs) => pairs.iter().flat_map(|(_, value)| strings(value)).collect(),
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
    fn the_policy_is_read_in_both_protocols() {
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
