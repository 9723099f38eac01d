use std::collections::BTreeMap;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::Parameter;
use futures_util::future::join_all;

use super::value;
use crate::parameters::sources::failure::failure;
use crate::parameters::sources::together::{Waiters, Waiting, fail};
use crate::parameters::{Fetched, SourceError, SourceErrorKind};

/// As many parameters as `GetParameters` takes.
const AT_ONCE: usize = 10;

/// Identifies a parameter by whether it is decrypted and by its name with version or label.
pub(super) type Key = (bool, String);

pub(super) async fn serve(client: &Client, waiting: Waiting<Key>) {
    let (decrypted, plain): (Vec<_>, Vec<_>) =
        waiting.into_iter().partition(|((decrypt, _), _)| *decrypt);
    let mut requests = Vec::new();
    for (decrypt, list) in [(true, decrypted), (false, plain)] {
        let mut list = list.into_iter().map(|((_, name), waiters)| (name, waiters)).peekable();
        while list.peek().is_some() {
            let some: Vec<_> = list.by_ref().take(AT_ONCE).collect();
            requests.push(some_of(client, some, decrypt));
        }
    }
    join_all(requests).await;
}

/// Reads up to ten parameters in one request, or each by itself where that is not possible.
async fn some_of(client: &Client, list: Vec<(String, Waiters)>, decrypt: bool) {
    let mut found = if list.len() > 1 {
        let names = list.iter().map(|(name, _)| name.clone()).collect();
        let read = client.get_parameters().set_names(Some(names)).with_decryption(decrypt);
        match read.send().await {
            Ok(response) => by_name(response.parameters.unwrap_or_default()),
            Err(error) => {
                let error = failure(error, "ssm:GetParameters");
                match error.kind() {
                    // No permission for several, or one of the names is invalid, which fails alone below.
                    SourceErrorKind::AccessDenied | SourceErrorKind::Other => BTreeMap::new(),
                    _ => return fail(list, error),
                }
            }
        }
    } else {
        BTreeMap::new()
    };
    // One that was not found is requested by itself, and gets its own error.
    let answers = list.into_iter().map(|(name, waiters)| {
        let parameter = found.remove(&name).flatten();
        async move {
            let parameter = match parameter {
                Some(parameter) => Ok(parameter),
                None => alone(client, name, decrypt).await,
            };
            let answer = parameter.and_then(|parameter| value(parameter, decrypt));
            waiters.answer(
                answer.map(|(text, version)| Fetched::new(text).version(version.to_string())),
            );
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

/// Returns parameters by the names by which they were asked for. Two of one name cannot be told apart: each is
/// requested by itself. moto leaves out the selector of a label.
fn by_name(parameters: Vec<Parameter>) -> BTreeMap<String, Option<Parameter>> {
    let mut found = BTreeMap::new();
    for parameter in parameters {
        found
            .entry(selected(&parameter))
            .and_modify(|other| *other = None)
            .or_insert(Some(parameter));
    }
    found
}

/// Returns the name by which a parameter was asked for.
fn selected(parameter: &Parameter) -> String {
    let (name, selector) = (parameter.name.as_deref(), parameter.selector.as_deref());
    format!("{}{}", name.unwrap_or_default(), selector.unwrap_or_default())
}
