//! Commits: one `TransactWriteItems`, whose first action completes the record.

use super::action::Action;
use super::requests::{Failure, Reason as Cancelled};
use super::{DynamoDbStore, StoreError, StoreErrorKind, size};
use crate::idempotency::store::{Completion, TransactStore, Transacted, Transaction};
use crate::idempotency::transaction::{Place, Write, check};

impl TransactStore for DynamoDbStore {
    fn check(&self, completion: Option<&Completion>, writes: &[Write]) -> Result<(), String> {
        let own = completion.map(|completion| Place {
            table: self.schema.table.clone(),
            key: self.schema.key(&completion.key),
        });
        // Without its data, which is left out if it does not fit.
        let own_size = completion.map_or(0, |completion| {
            self.schema.completed_size(&Completion { data: None, ..completion.clone() })
        });
        check(writes, own.as_ref(), own_size, self.requests.region(), |_| None)
    }

    async fn transact(&self, transaction: &Transaction) -> Result<Transacted, StoreError> {
        let completion = transaction.completion.as_ref();
        completion.map_or(Ok(()), |completion| self.check_size(completion))?;
        let own = completion.map(|completion| self.schema.complete(completion));
        let own_count = usize::from(own.is_some());
        let actions = own.into_iter().chain(transaction.writes.iter().map(Action::from)).collect();
        let Transaction { token, timeout, .. } = transaction;
        let failure = match self.requests.transact(actions, token, *timeout).await {
            Ok(()) => return Ok(Transacted::Applied),
            Err(failure) => failure,
        };
        let (failure, in_doubt) = match failure {
            Failure::InDoubt(failure) => (*failure, true),
            failure => (failure, false),
        };
        let Failure::Cancelled(mut reasons) = failure else {
            let error = self.transaction_failure(failure);
            return Err(if in_doubt { error.in_doubt() } else { error });
        };
        if reasons.len() != own_count + transaction.writes.len() {
            return Err(other("a transaction was cancelled without its reasons"));
        }
        let users = reasons.split_off(own_count);
        let outcome = self.cancelled(transaction, reasons.pop(), users);
        match outcome {
            Err(error) if in_doubt => Err(error.in_doubt()),
            // Nothing but its record shows whether an earlier attempt was carried out or still will be.
            Ok(_) if in_doubt && completion.is_none() => {
                let message = "an attempt was not answered, and the next one was refused";
                Err(other(message).in_doubt())
            }
            outcome => outcome,
        }
    }
}

impl DynamoDbStore {
    /// Reads the reasons for which a transaction was cancelled: that of the record, and those of the
    /// user's writes.
    fn cancelled(
        &self,
        transaction: &Transaction,
        own: Option<Cancelled>,
        users: Vec<Cancelled>,
    ) -> Result<Transacted, StoreError> {
        let own_kind = own.as_ref().and_then(kind_of);
        match (own_kind, own, &transaction.completion) {
            (Some(Reason::Refused), Some(reason), Some(completion)) => {
                let item = reason.item.as_ref();
                let record = item.map(|item| self.schema.record(&completion.key, item));
                return Ok(Transacted::RecordRefused(record.transpose()?.map(Box::new)));
            }
            (Some(Reason::Invalid), ..) => {
                let message = format!("table `{}` does not take the result", self.schema.table);
                return Err(StoreError::new(StoreErrorKind::ResultTooLarge, message));
            }
            _ => {}
        }
        let mut first = own_kind;
        for (index, reason) in users.into_iter().enumerate() {
            match kind_of(&reason) {
                Some(Reason::Refused) => {
                    return Ok(Transacted::WriteRefused { index, item: reason.item });
                }
                Some(Reason::Invalid) => {
                    // The service's message may contain values.
                    let table = transaction.writes[index].table();
                    let reason = format!("table `{table}` rejects it as invalid");
                    return Ok(Transacted::WriteInvalid { index, reason });
                }
                kind => first = first.or(kind),
            }
        }
        let error = match first {
            Some(Reason::Throttled) => StoreError::new(
                StoreErrorKind::Throttled,
                "a table of the commit throttles requests",
            ),
            Some(Reason::Denied) => denied(),
            Some(Reason::Conflict) => {
                other("another transaction is changing an item of the commit")
            }
            _ => other("the transaction was cancelled"),
        };
        Err(error.refused())
    }

    /// Describes a failure. Messages of the service may contain the whole request and are left out.
    fn transaction_failure(&self, failure: Failure) -> StoreError {
        let code = match failure {
            Failure::Service(code, _) => code,
            failure => return self.failure(failure),
        };
        match &*code {
            "ResourceNotFoundException" => {
                let message = "a table of the commit does not exist";
                StoreError::new(StoreErrorKind::NotFound, message)
            }
            "AccessDeniedException" | "AccessDenied" => denied(),
            "ValidationException" => {
                let message = "DynamoDB rejects the commit as invalid, for example because of a key or of its size";
                StoreError::new(StoreErrorKind::Invalid, message)
            }
            "TransactionInProgressException" => other("the transaction is still in progress"),
            code => {
                let (kind, message) = self.refusal(code);
                let error = StoreError::new(kind, message);
                if kind == StoreErrorKind::Throttled { error.refused() } else { error }
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

/// The kinds of reasons for a cancellation.
#[derive(Clone, Copy)]
enum Reason {
    Refused,
    Invalid,
    Throttled,
    Denied,
    Conflict,
    Other,
}

fn kind_of(reason: &Cancelled) -> Option<Reason> {
    Some(match reason.code.as_deref()? {
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
