use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};

use crate::{ORDERS, RESULT, TABLE};

/// The requests of a first call, with the same expressions and attributes as the store's.
///
/// Key, owner, times and result are constants: making those is the engine's work.
pub(crate) async fn first_call(client: &Client, order: &str, limits: Option<config::Builder>) {
    claim(client, order, limits.as_ref()).await;
    let update = client
        .update_item()
        .table_name(TABLE)
        .key("id", text(&key(order)))
        .update_expression(COMPLETION)
        .condition_expression(OWNED)
        .set_expression_attribute_names(Some(completion_names()))
        .set_expression_attribute_values(Some(completion_values()))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let update = match limits {
        Some(limits) => update.customize().config_override(limits).send().await,
        None => update.send().await,
    };
    update.expect("the table agrees");
}

/// The requests of a first call that commits one write, as above.
pub(crate) async fn commit(client: &Client, order: &str, limits: config::Builder) {
    claim(client, order, Some(&limits)).await;
    let complete = Update::builder()
        .table_name(TABLE)
        .key("id", text(&key(order)))
        .update_expression(COMPLETION)
        .condition_expression(OWNED)
        .set_expression_attribute_names(Some(completion_names()))
        .set_expression_attribute_values(Some(completion_values()))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let put = Put::builder()
        .table_name(ORDERS)
        .item("id", text(order))
        .item("cents", number(17_385))
        .condition_expression("attribute_not_exists(#id)")
        .expression_attribute_names("#id", "id")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let complete = complete.build().expect("it has all that it needs");
    let put = put.build().expect("it has all that it needs");
    let transaction = client
        .transact_write_items()
        .transact_items(TransactWriteItem::builder().update(complete).build())
        .transact_items(TransactWriteItem::builder().put(put).build())
        .client_request_token(OWNER);
    let sent = transaction.customize().config_override(limits).send().await;
    sent.expect("the table agrees");
}

async fn claim(client: &Client, order: &str, limits: Option<&config::Builder>) {
    let put = client
        .put_item()
        .table_name(TABLE)
        .set_item(Some(HashMap::from([
            ("id".to_owned(), text(&key(order))),
            ("expiration".to_owned(), number(EXPIRATION)),
            ("status".to_owned(), text("INPROGRESS")),
            ("in_progress_expiration".to_owned(), number(NOW + 60_000)),
            ("owner".to_owned(), text(OWNER)),
        ])))
        .condition_expression(
            "attribute_not_exists(#id) OR #expiry < :now OR (#status = :inprogress \
             AND attribute_exists(#in_progress_expiry) AND #in_progress_expiry < :now_in_millis)",
        )
        .expression_attribute_names("#id", "id")
        .expression_attribute_names("#expiry", "expiration")
        .expression_attribute_names("#in_progress_expiry", "in_progress_expiration")
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":now", number(NOW / 1000))
        .expression_attribute_values(":now_in_millis", number(NOW))
        .expression_attribute_values(":inprogress", text("INPROGRESS"))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let put = match limits {
        Some(limits) => put.customize().config_override(limits.clone()).send().await,
        None => put.send().await,
    };
    put.expect("the table agrees");
}

fn completion_names() -> HashMap<String, String> {
    let names = [
        ("#owner", "owner"),
        ("#status", "status"),
        ("#response_data", "data"),
        ("#expiry", "expiration"),
        ("#in_progress_expiry", "in_progress_expiration"),
    ];
    names.map(|(name, attribute)| (name.to_owned(), attribute.to_owned())).into()
}

fn completion_values() -> HashMap<String, AttributeValue> {
    let values = [
        (":owner", text(OWNER)),
        (":inprogress", text("INPROGRESS")),
        (":response_data", text(RESULT)),
        (":expiry", number(EXPIRATION)),
        (":status", text("COMPLETED")),
    ];
    values.map(|(name, value)| (name.to_owned(), value)).into()
}

/// What a careful user gives to each request: the limits of the store.
pub(crate) fn limits() -> config::Builder {
    config::Builder::new().retry_config(retries()).timeout_config(timeouts())
}

pub(crate) fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_secs(1))
}

pub(crate) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(1))
        .build()
}

const COMPLETION: &str = "SET #response_data = :response_data, #expiry = :expiry, #status = :status \
     REMOVE #in_progress_expiry";
const OWNED: &str = "#owner = :owner AND #status = :inprogress";
const OWNER: &str = "0123456789abcdef0123456789abcdef";
const NOW: u64 = 1_790_000_000_000;
const EXPIRATION: u64 = NOW / 1000 + 3_600;

/// As long as the real one.
fn key(order: &str) -> String {
    format!("charge#n1:{order:0>64}")
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
