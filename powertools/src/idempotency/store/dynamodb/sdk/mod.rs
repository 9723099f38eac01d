//! Requests of the SDK's client.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use aws_sdk_dynamodb::{Client, config};

use super::action::Action;
use super::requests::{ATTRIBUTE, Failure, Get, Part, Reason, Reply, Requests};
use super::{Builder, DynamoDbStore, Schema};
use crate::aws::no_credentials::{Lack, lack_of_credentials};
use crate::clock::Clock;
use crate::idempotency::transaction::{Item, Kind};

mod attempts;
mod convert;
mod limits;
mod retry;

use self::attempts::Attempts;
use self::limits::{limited, within};

impl DynamoDbStore {
    /// Creates a store in `table`, whose partition key is `id`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self::with_schema(Arc::new(Sdk::new(client)), Schema::new(table.into()))
    }

    /// Creates a builder for a table with another key or other attribute names.
    pub fn builder(client: Client, table: impl Into<String>) -> Builder {
        Builder::new(Arc::new(Sdk::new(client)), table.into())
    }
}

#[derive(Debug)]
struct Sdk {
    client: Client,
    /// What each request overrides in the configuration of the client, if anything.
    overrides: Option<config::Builder>,
}

/// Sets what all writes have in common, on the builders of requests and of parts of a transaction.
macro_rules! settings {
    ($builder:expr, $action:ident) => {
        $builder
            .table_name($action.table)
            .set_condition_expression($action.condition.map(Into::into))
            .set_expression_attribute_names(map($action.names))
            .set_expression_attribute_values(map($action.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    };
}

/// Sends a request with the limits of the store.
macro_rules! send {
    ($sdk:expr, $request:expr $(, $setting:ident($value:expr))?) => {{
        let request = $request.customize()$(.$setting($value))?;
        let request = match &$sdk.overrides {
            Some(overrides) => request.config_override(overrides.clone()),
            None => request,
        };
        request.send().await
    }};
}

impl Sdk {
    fn new(client: Client) -> Self {
        let (client, overrides) = limited(client);
        Self { client, overrides }
    }

    async fn write(&self, action: Action<'_>, timeout: Duration) -> Result<(), Failure> {
        let item = Some(action.item.into_owned().into());
        let attempts = Attempts::within(timeout, Clock::system());
        let result = match action.kind {
            Kind::Put => {
                let put = settings!(self.client.put_item(), action).set_item(item);
                let result = send!(self, put, interceptor(attempts.clone()));
                result.map(drop).map_err(|error| {
                    failure(error, |error| match error {
                        PutItemError::ConditionalCheckFailedException(refusal) => Some(refusal),
                        _ => None,
                    })
                })
            }
            Kind::Update => {
                let update = settings!(self.client.update_item(), action)
                    .set_key(item)
                    .set_update_expression(action.update.map(Into::into));
                let result = send!(self, update, interceptor(attempts.clone()));
                result.map(drop).map_err(|error| {
                    failure(error, |error| match error {
                        UpdateItemError::ConditionalCheckFailedException(refusal) => Some(refusal),
                        _ => None,
                    })
                })
            }
            Kind::Delete => {
                let delete = settings!(self.client.delete_item(), action).set_key(item);
                let result = send!(self, delete, interceptor(attempts.clone()));
                result.map(drop).map_err(|error| {
                    failure(error, |error| match error {
                        DeleteItemError::ConditionalCheckFailedException(refusal) => Some(refusal),
                        _ => None,
                    })
                })
            }
            Kind::Check => Err(Failure::Invalid("there is no request for a check alone".into())),
        };
        result.map_err(|last| attempts.failure(last))
    }

    async fn read(&self, get: Get<'_>) -> Result<Option<Item>, Failure> {
        let request = self.client.get_item().table_name(get.table).set_key(Some(get.key.into()));
        let request = match get.part {
            Part::Consistent => request.consistent_read(true),
            Part::Attribute(name) => {
                request.projection_expression(ATTRIBUTE).expression_attribute_names(ATTRIBUTE, name)
            }
        };
        match send!(self, request) {
            Ok(output) => Ok(output.item.map(Into::into)),
            Err(error) => Err(failure(error, |_| None)),
        }
    }

    async fn transact(
        &self,
        actions: Vec<Action<'_>>,
        token: &str,
        timeout: Duration,
    ) -> Result<(), Failure> {
        let items = actions.into_iter().map(in_transaction).collect::<Result<_, _>>();
        let request = self
            .client
            .transact_write_items()
            .set_transact_items(Some(items.map_err(|error| Failure::Invalid(error.into()))?))
            .client_request_token(token);
        let attempts = Attempts::within(timeout, Clock::system());
        let Err(error) = send!(self, request, interceptor(attempts.clone())) else {
            return Ok(());
        };
        let last = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                let reasons = cancelled.cancellation_reasons();
                Failure::Cancelled(reasons.iter().map(reason).collect())
            }
            _ => failure(error, |_| None),
        };
        Err(attempts.failure(last))
    }
}

impl Requests for Sdk {
    fn region(&self) -> Option<&str> {
        self.client.config().region().map(AsRef::as_ref)
    }

    fn write<'a>(&'a self, action: Action<'a>, timeout: Duration) -> Reply<'a, ()> {
        Box::pin(within(timeout, self.write(action, timeout)))
    }

    fn read<'a>(&'a self, get: Get<'a>, timeout: Duration) -> Reply<'a, Option<Item>> {
        Box::pin(within(timeout, self.read(get)))
    }

    fn transact<'a>(
        &'a self,
        actions: Vec<Action<'a>>,
        token: &'a str,
        timeout: Duration,
    ) -> Reply<'a, ()> {
        Box::pin(within(timeout, self.transact(actions, token, timeout)))
    }
}

/// Converts an action of a transaction to the SDK's type.
fn in_transaction(action: Action<'_>) -> Result<TransactWriteItem, BuildError> {
    let item = Some(action.item.into_owned().into());
    let builder = TransactWriteItem::builder();
    Ok(match action.kind {
        Kind::Put => builder.put(settings!(Put::builder(), action).set_item(item).build()?),
        Kind::Update => builder.update(
            settings!(Update::builder(), action)
                .set_key(item)
                .set_update_expression(action.update.map(Into::into))
                .build()?,
        ),
        Kind::Delete => builder.delete(settings!(Delete::builder(), action).set_key(item).build()?),
        Kind::Check => builder
            .condition_check(settings!(ConditionCheck::builder(), action).set_key(item).build()?),
    }
    .build())
}

fn map<N: Into<String>, V: convert::Owned>(pairs: Vec<(N, V)>) -> Option<HashMap<String, V::Sdk>> {
    let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value.into_sdk()));
    Some(pairs.collect::<HashMap<_, _>>()).filter(|pairs| !pairs.is_empty())
}

fn reason(reason: &CancellationReason) -> Reason {
    let item = reason.item().cloned().map(Into::into);
    Reason { code: reason.code().map(str::to_owned), item }
}

/// The error of an operation.
trait ServiceError: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static {}

impl<E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static> ServiceError for E {}

/// Describes an error. `refusal` finds the failed condition in it.
fn failure<E: ServiceError>(
    error: SdkError<E>,
    refusal: impl FnOnce(&E) -> Option<&ConditionalCheckFailedException>,
) -> Failure {
    match &error {
        SdkError::ServiceError(service) => match refusal(service.err()) {
            Some(refusal) => Failure::Refused(refusal.item().cloned().map(Into::into)),
            None => {
                let code = service.err().code().unwrap_or_default().to_owned();
                Failure::Service(code, error.into())
            }
        },
        SdkError::TimeoutError(_) => Failure::Timeout(error.into()),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            Failure::Timeout(error.into())
        }
        _ if lack_of_credentials(&error) == Some(Lack::Missing) => {
            Failure::NoCredentials(error.into())
        }
        SdkError::DispatchFailure(_) => Failure::Unreachable(error.into()),
        SdkError::ConstructionFailure(_) => Failure::Invalid(error.into()),
        _ => Failure::Unusable(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use aws_credential_types::provider::error::CredentialsError;
    use aws_credential_types::provider::future::ProvideCredentials as Provided;
    use aws_sdk_dynamodb::config::{BehaviorVersion, Config, ProvideCredentials, Region};

    use super::*;
    use crate::idempotency::StoreErrorKind;

    #[derive(Debug)]
    struct Without(fn() -> CredentialsError);

    impl ProvideCredentials for Without {
        fn provide_credentials<'a>(&'a self) -> Provided<'a>
        where
            Self: 'a,
        {
            Provided::ready(Err(self.0()))
        }
    }

    fn config() -> aws_sdk_dynamodb::config::Builder {
        Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-central-1"))
            .endpoint_url("http://127.0.0.1:1")
    }

    #[tokio::test]
    async fn missing_credentials_are_not_a_table_that_cannot_be_reached() {
        let without = Without(|| CredentialsError::not_loaded("none here"));
        for config in [config(), config().credentials_provider(without)] {
            let store = DynamoDbStore::new(Client::from_conf(config.build()), "orders");
            let error = store.warm_up().await.unwrap_err();
            assert_eq!(error.to_string(), "there are no credentials for table `orders`");
            assert_eq!(error.kind(), StoreErrorKind::AccessDenied);
            assert!(!error.is_retryable());
        }
    }

    #[tokio::test]
    async fn credentials_that_cannot_be_fetched_now_are_a_failure_that_passes() {
        let config = config().credentials_provider(Without(|| {
            CredentialsError::provider_error("the endpoint is away")
        }));
        let store = DynamoDbStore::new(Client::from_conf(config.build()), "orders");
        let error = store.warm_up().await.unwrap_err();
        assert_eq!(error.to_string(), "table `orders` cannot be reached");
        assert!(error.is_retryable());
    }
}
