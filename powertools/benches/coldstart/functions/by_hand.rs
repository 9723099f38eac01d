//! The function as it is written without a toolkit: claim the order, charge it, keep the result, or give
//! the order back if that fails. One that is there already is answered from the table.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use lambda_runtime::{Error, LambdaEvent, service_fn};

use crate::order::{Order, TABLE, charge};

/// Who may finish or remove a record.
const IS_HELD: &str = "#owner = :owner AND #status = :inprogress";

/// Handles events with `client`, which is not used before the first of them.
pub(crate) async fn run(client: Client) -> Result<(), Error> {
    let client = &client;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Order>| {
        let order = event.payload.order;
        let deadline = event.context.deadline;
        let now = now();
        // The same requests as the store of powertools makes, but for the hash in the key, the
        // owner and the times.
        let key = format!("charge#{order}");
        let owner = event.context.request_id;
        let expiration = (deadline / 1000 + 3_600).to_string();

        let claimed = client
            .put_item()
            .table_name(TABLE)
            .item("id", text(&key))
            .item("expiration", number(&expiration))
            .item("status", text("INPROGRESS"))
            .item("in_progress_expiration", number(&deadline.to_string()))
            .item("owner", text(&owner))
            .condition_expression(
                "attribute_not_exists(#id) OR #expiry < :now OR (#status = :inprogress AND \
                 attribute_exists(#in_progress_expiry) AND #in_progress_expiry < :now_in_millis)",
            )
            .expression_attribute_names("#id", "id")
            .expression_attribute_names("#expiry", "expiration")
            .expression_attribute_names("#in_progress_expiry", "in_progress_expiration")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":now", number(&(now / 1000).to_string()))
            .expression_attribute_values(":now_in_millis", number(&now.to_string()))
            .expression_attribute_values(":inprogress", text("INPROGRESS"))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        if let Err(error) = claimed {
            return match error.into_service_error() {
                PutItemError::ConditionalCheckFailedException(refused) => replay(refused.item()),
                error => Err(error.into()),
            };
        }

        let receipt = match charge(&order) {
            Ok(receipt) => receipt,
            Err(error) => {
                // The error of the charge is what counts.
                let _ = client
                    .delete_item()
                    .table_name(TABLE)
                    .key("id", text(&key))
                    .condition_expression(IS_HELD)
                    .expression_attribute_names("#owner", "owner")
                    .expression_attribute_names("#status", "status")
                    .expression_attribute_values(":owner", text(&owner))
                    .expression_attribute_values(":inprogress", text("INPROGRESS"))
                    .return_values_on_condition_check_failure(
                        ReturnValuesOnConditionCheckFailure::AllOld,
                    )
                    .send()
                    .await;
                return Err(error);
            }
        };

        client
            .update_item()
            .table_name(TABLE)
            .key("id", text(&key))
            .update_expression(
                "SET #response_data = :response_data, #expiry = :expiry, #status = :status",
            )
            .condition_expression(IS_HELD)
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#response_data", "data")
            .expression_attribute_names("#expiry", "expiration")
            .expression_attribute_values(":owner", text(&owner))
            .expression_attribute_values(":inprogress", text("INPROGRESS"))
            .expression_attribute_values(":response_data", text(&serde_json::to_string(&receipt)?))
            .expression_attribute_values(":expiry", number(&expiration))
            .expression_attribute_values(":status", text("COMPLETED"))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await?;
        Ok::<_, Error>(receipt)
    }))
    .await
}

/// The result that an order has already, if it has one.
fn replay(item: Option<&HashMap<String, AttributeValue>>) -> Result<String, Error> {
    let is_completed = |item: &&HashMap<_, _>| item.get("status") == Some(&text("COMPLETED"));
    let data = item.filter(is_completed).and_then(|item| item.get("data")?.as_s().ok());
    match data {
        Some(data) => Ok(serde_json::from_str(data)?),
        None => Err("the order is in progress".into()),
    }
}

#[expect(clippy::disallowed_methods, reason = "by hand there is no other clock")]
fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: &str) -> AttributeValue {
    AttributeValue::N(value.to_owned())
}
