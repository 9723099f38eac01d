use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::get_item::GetItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_smithy_runtime_api::client::interceptors::context::{Error, InterceptorContext};

/// Retries requests that conflict with a transaction on the same item, which the SDK does not.
#[derive(Debug)]
pub(super) struct Conflicts;

impl ClassifyRetry for Conflicts {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err);
        match error.and_then(|error| code(error.as_operation_error()?)) {
            Some("TransactionConflictException" | "TransactionInProgressException") => {
                RetryAction::transient_error()
            }
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "conflicts with transactions"
    }
}

fn code(error: &Error) -> Option<&str> {
    let put = error.downcast_ref::<PutItemError>().map(ProvideErrorMetadata::code);
    let update = || error.downcast_ref::<UpdateItemError>().map(ProvideErrorMetadata::code);
    let delete = || error.downcast_ref::<DeleteItemError>().map(ProvideErrorMetadata::code);
    let get = || error.downcast_ref::<GetItemError>().map(ProvideErrorMetadata::code);
    put.or_else(update).or_else(delete).or_else(get)?
}
