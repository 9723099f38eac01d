use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::Parameter;
use futures_util::future::join_all;
use tokio::sync::oneshot::{self, Sender};
use tokio::time::sleep;

use super::{failure, value};
use crate::parameters::{Fetched, SourceError, SourceErrorKind};

/// How long the first of several requests waits for the others.
const LINGER: Duration = Duration::from_millis(1);

/// As many parameters as `GetParameters` takes.
const AT_ONCE: usize = 10;

type Answer = Result<Fetched, SourceError>;

/// Who waits for each parameter, by whether it is decrypted and by its name with version or label.
type Waiting = BTreeMap<(bool, String), Vec<Sender<Answer>>>;

/// Reads parameters together that are asked for at the same time.
#[derive(Debug, Default)]
pub(super) struct Together(Mutex<Waiting>);

impl Together {
    pub(super) async fn get(&self, client: &Client, name: String, decrypt: bool) -> Answer {
        let (sender, receiver) = oneshot::channel();
        let is_first = {
            let mut waiting = self.waiting();
            let is_first = waiting.is_empty();
            waiting.entry((decrypt, name)).or_default().push(sender);
            is_first
        };
        if is_first {
            let first = First(Some(self));
            sleep(LINGER).await;
            serve(client, first.all()).await;
        }
        receiver.await.unwrap_or_else(|_| {
            let message = "the request for it was given up with that for others";
            Err(SourceError::new(SourceErrorKind::Unavailable, message))
        })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one that reads for all. If it is dropped while it waits, so are the others' requests, and the
/// next one is the first again.
struct First<'a>(Option<&'a Together>);

impl First<'_> {
    fn all(mut self) -> Waiting {
        self.0.take().map(|together| mem::take(&mut *together.waiting())).unwrap_or_default()
    }
}

impl Drop for First<'_> {
    fn drop(&mut self) {
        if let Some(together) = self.0 {
            together.waiting().clear();
        }
    }
}

async fn serve(client: &Client, waiting: Waiting) {
    let (decrypted, plain): (Vec<_>, Vec<_>) =
        waiting.into_iter().partition(|((decrypt, _), _)| *decrypt);
    let mut requests = Vec::new();
    for (decrypt, list) in [(true, decrypted), (false, plain)] {
        let mut list = list.into_iter().map(|((_, name), senders)| (name, senders)).peekable();
        while list.peek().is_some() {
            let some: Vec<_> = list.by_ref().take(AT_ONCE).collect();
            requests.push(some_of(client, some, decrypt));
        }
    }
    join_all(requests).await;
}

/// Reads up to ten parameters in one request, or each by itself where that is not permitted.
async fn some_of(client: &Client, list: Vec<(String, Vec<Sender<Answer>>)>, decrypt: bool) {
    let mut found = if list.len() > 1 {
        let names = list.iter().map(|(name, _)| name.clone()).collect();
        let read = client.get_parameters().set_names(Some(names)).with_decryption(decrypt);
        match read.send().await {
            Ok(response) => {
                let parameters = response.parameters.unwrap_or_default();
                parameters.into_iter().map(|parameter| (selected(&parameter), parameter)).collect()
            }
            Err(error) => {
                let error = failure(error, "ssm:GetParameters");
                if error.kind() != SourceErrorKind::AccessDenied {
                    return fail(list, error);
                }
                BTreeMap::new()
            }
        }
    } else {
        BTreeMap::new()
    };
    // One that was not found is requested by itself, and gets its own error.
    let answers = list.into_iter().map(|(name, senders)| {
        let parameter = found.remove(&name);
        async move {
            let parameter = match parameter {
                Some(parameter) => Ok(parameter),
                None => alone(client, name, decrypt).await,
            };
            let answer = parameter.and_then(|parameter| value(parameter, decrypt));
            answer_all(senders, answer);
        }
    });
    join_all(answers).await;
}

async fn alone(client: &Client, name: String, decrypt: bool) -> Result<Parameter, SourceError> {
    let read = client.get_parameter().name(name).with_decryption(decrypt).send().await;
    let response = read.map_err(|error| failure(error, "ssm:GetParameter"))?;
    let missing = || SourceError::new(SourceErrorKind::Other, "the response has no parameter");
    response.parameter.ok_or_else(missing)
}

/// Returns the name by which a parameter was asked for.
fn selected(parameter: &Parameter) -> String {
    let (name, selector) = (parameter.name.as_deref(), parameter.selector.as_deref());
    format!("{}{}", name.unwrap_or_default(), selector.unwrap_or_default())
}

fn fail(list: Vec<(String, Vec<Sender<Answer>>)>, error: SourceError) {
    let senders = list.into_iter().flat_map(|(_, senders)| senders).collect();
    answer_all(senders, Err(error));
}

fn answer_all(senders: Vec<Sender<Answer>>, answer: Result<(String, i64), SourceError>) {
    match answer {
        Ok((text, version)) => {
            for sender in senders {
                // Nobody may wait any more.
                let _ = sender.send(Ok(Fetched::new(text.clone()).version(version.to_string())));
            }
        }
        Err(error) => {
            let error = Arc::new(error);
            for sender in senders {
                let shared = SourceError::new(error.kind(), "the request failed");
                let _ = sender.send(Err(shared.caused_by(error.clone())));
            }
        }
    }
}
