use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use aws_sdk_secretsmanager::types::SecretValueEntry;
use futures_util::future::join_all;

use super::{alone, fetched};
use crate::parameters::sources::failure::{failure, is_expired};
use crate::parameters::sources::together::{Waiters, Waiting, fail};
use crate::parameters::{SourceErrorKind, Version};

/// As many secrets as `BatchGetSecretValue` takes.
const AT_ONCE: usize = 20;

/// Reads current versions, twenty in a request.
pub(super) async fn serve(client: &Client, is_denied: &AtomicBool, waiting: Waiting<String>) {
    let mut list = waiting.into_iter().peekable();
    let mut requests = Vec::new();
    while list.peek().is_some() {
        requests.push(some_of(client, is_denied, list.by_ref().take(AT_ONCE).collect()));
    }
    join_all(requests).await;
}

/// Reads up to twenty secrets in one request, or each by itself where that is not possible.
///
/// The list of ids is exact. The service's filter by names, its other way, also finds the secrets whose
/// names only begin with one of them.
async fn some_of(client: &Client, is_denied: &AtomicBool, list: Vec<(String, Waiters)>) {
    let mut found = Vec::new();
    if list.len() > 1 && !is_denied.load(Ordering::Relaxed) {
        let ids = list.iter().map(|(id, _)| id.clone()).collect();
        match client.batch_get_secret_value().set_secret_id_list(Some(ids)).send().await {
            Ok(response) => found = response.secret_values.unwrap_or_default(),
            Err(error) => {
                if error.code() == Some("AccessDeniedException") {
                    // Not again: each attempt would be a line in the audit log.
                    is_denied.store(true, Ordering::Relaxed);
                }
                let is_expired = error.code().is_some_and(is_expired);
                let error = failure(error, "secretsmanager:BatchGetSecretValue");
                match error.kind() {
                    // Credentials that have just expired, the key of one secret or one invalid id, perhaps: each
                    // secret has its own error below.
                    SourceErrorKind::AccessDenied | SourceErrorKind::Other => {}
                    _ if is_expired => {}
                    _ => return fail(list, error),
                }
            }
        }
    }
    // One that was not found is requested by itself, and gets its own error.
    let answers = list.into_iter().map(|(id, waiters)| {
        let entry = found.iter().position(|entry| is_of(entry, &id));
        let entry = entry.map(|place| found.swap_remove(place));
        async move {
            waiters.answer(match entry {
                Some(SecretValueEntry { secret_string, secret_binary, version_id, .. }) => {
                    fetched(secret_string, secret_binary, version_id)
                }
                None => alone(client, &id, Version::Current).await,
            });
        }
    });
    join_all(answers).await;
}

/// Returns true if the entry is what was asked for by this id.
fn is_of(entry: &SecretValueEntry, id: &str) -> bool {
    entry.name.as_deref() == Some(id) || entry.arn.as_deref() == Some(id)
}
