//! Commits: one `TransactWriteItems`, whose first action completes the record.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};

use super::{DynamoDbStore, IS_HELD, StoreError, StoreErrorKind, size, write};
use crate::idempotency::store::{Completion, TransactStore, Transacted, Transaction};
use crate::idempotency::transaction::{Place, Write, check};

impl TransactStore for DynamoDbStore {
    fn check(&self, completion: Option<&Completion>, writes: &[Write]) -> Result<(), String> {
        let own = completion.map(|completion| Place {
            table: self.schema.table.clone(),
            key: self.schema.key(&completion.key).into(),
        });
        // Without its data, which is left out where it does not fit.
        let own_size = completion.map_or(0, |completion| {
            self.schema.completed_size(&Completion { data: None, ..completion.clone() })
        });
        let region = self.client.config().region().map(AsRef::as_ref);
        check(writes, own.as_ref(), own_size, region, |_| None)
    }

    async fn transact(&self, transaction: &Transaction) -> Result<Transacted, StoreError> {
        let own = transaction.completion.as_ref().map(|it| self.completing(it)).transpose()?;
        let own_count = usize::from(own.is_some());
        let writes = transaction.writes.iter().map(|write| {
            write::action(write).map_err(|_| {
                StoreError::new(StoreErrorKind::Invalid, "a write cannot be a request")
            })
        });
        let writes = writes.collect::<Result<Vec<_>, _>>()?;
        let result = self
            .client
            .transact_write_items()
            .set_transact_items(Some(own.into_iter().chain(writes).collect()))
            .client_request_token(&transaction.token)
            .customize()
            .config_override(self.limits(transaction.timeout))
            .send()
            .await;
        let Err(error) = result else { return Ok(Transacted::Applied) };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
                let reasons = canceled.cancellation_reasons();
                if reasons.len() != own_count + transaction.writes.len() {
                    return Err(other("a transaction was cancelled without its reasons"));
                }
                let (own, users) = reasons.split_at(own_count);
                self.cancelled(transaction, own.first(), users)
            }
            _ => Err(self.transaction_failure(error)),
        }
    }
}

impl DynamoDbStore {
    /// The action that completes a record.
    fn completing(&self, completion: &Completion) -> Result<TransactWriteItem, StoreError> {
        self.check_size(completion)?;
        let update = self.completed_by(completion);
        let update = Update::builder()
            .table_name(&self.schema.table)
            .set_key(Some(self.schema.key(&completion.key)))
            .update_expression(update.expression())
            .condition_expression(IS_HELD)
            .set_expression_attribute_names(Some(update.names))
            .set_expression_attribute_values(Some(update.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(|_| other("a completion cannot be a request"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Reads the reasons for which a transaction was cancelled: that of the record, and those of the
    /// user's writes.
    fn cancelled(
        &self,
        transaction: &Transaction,
        own: Option<&CancellationReason>,
        users: &[CancellationReason],
    ) -> Result<Transacted, StoreError> {
        match (own.and_then(|reason| Some((reason, kind_of(reason)?))), &transaction.completion) {
            (Some((reason, Reason::Refused)), Some(completion)) => {
                let record = reason.item().map(|item| self.schema.record(&completion.key, item));
                return Ok(Transacted::RecordRefused(record.transpose()?.map(Box::new)));
            }
            (Some((_, Reason::Invalid)), _) => {
                let message = format!("table `{}` does not take the result", self.schema.table);
                return Err(StoreError::new(StoreErrorKind::ResultTooLarge, message));
            }
            _ => {}
        }
        for (index, reason) in users.iter().enumerate() {
            match kind_of(reason) {
                Some(Reason::Refused) => {
                    let item = reason.item().cloned().map(Into::into);
                    return Ok(Transacted::WriteRefused { index, item });
                }
                Some(Reason::Invalid) => {
                    // The service's message may contain values.
                    let table = transaction.writes[index].table();
                    let reason = format!("table `{table}` does not take it");
                    return Ok(Transacted::WriteInvalid { index, reason });
                }
                _ => {}
            }
        }
        let mut kinds = own.into_iter().chain(users).filter_map(kind_of);
        Err(match kinds.next() {
            Some(Reason::Throttled) => StoreError::new(
                StoreErrorKind::Throttled,
                "a table of the commit takes no more requests just now",
            ),
            Some(Reason::Denied) => denied(),
            Some(Reason::Conflict) => {
                other("another transaction is changing an item of the commit")
            }
            _ => other("the transaction was cancelled"),
        })
    }

    /// Says what went wrong. Messages of the service may contain the whole request and are left out.
    fn transaction_failure(&self, error: SdkError<TransactWriteItemsError>) -> StoreError {
        let SdkError::ServiceError(failure) = &error else { return self.failure(error) };
        match failure.err().code().unwrap_or_default() {
            "ResourceNotFoundException" => {
                let message = "a table of the commit does not exist";
                StoreError::new(StoreErrorKind::NotFound, message)
            }
            "AccessDeniedException" | "AccessDenied" => denied(),
            "ValidationException" => {
                let message =
                    "DynamoDB rejects the commit as invalid, for example because of a key";
                StoreError::new(StoreErrorKind::Invalid, message)
            }
            "TransactionInProgressException" => other("the transaction is still in progress"),
            code => {
                let (kind, message) = self.refusal(Some(code));
                StoreError::new(kind, message)
            }
        }
    }

    pub(super) fn check_size(&self, completion: &Completion) -> Result<(), StoreError> {
        let size = self.schema.completed_size(completion);
        if size > size::LIMIT {
            let message = format!(
                "the result makes a record of {size} bytes, and table `{}` takes {}",
                self.schema.table,
                size::LIMIT
            );
            return Err(StoreError::new(StoreErrorKind::ResultTooLarge, message));
        }
        Ok(())
    }
}

/// What a reason for a cancellation means.
#[derive(Clone, Copy)]
enum Reason {
    Refused,
    Invalid,
    Throttled,
    Denied,
    Conflict,
    Other,
}

fn kind_of(reason: &CancellationReason) -> Option<Reason> {
    Some(match reason.code()? {
        "None" => return None,
        "ConditionalCheckFailed" => Reason::Refused,
        "ValidationError" | "ItemCollectionSizeLimitExceeded" => Reason::Invalid,
        "ThrottlingError" | "ProvisionedThroughputExceeded" | "RequestLimitExceeded" => {
            Reason::Throttled
        }
        "AccessDenied" => Reason::Denied,
        "TransactionConflict" => Reason::Conflict,
        _ => Reason::Other,
    })
}

fn other(message: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Other, message)
}

fn denied() -> StoreError {
    let message = "access to a table of the commit is denied; the function's role needs \
                   dynamodb:PutItem, dynamodb:UpdateItem, dynamodb:DeleteItem and \
                   dynamodb:ConditionCheckItem on the tables that it writes or checks";
    StoreError::new(StoreErrorKind::AccessDenied, message)
}
