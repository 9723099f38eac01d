//! Runs the tour with records at a DynamoDB endpoint, such as an emulator.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_smithy_http_client::Builder;
use lambda_runtime::Error;
use powertools::idempotency::DynamoDbStore;

use crate::steps;

pub(crate) async fn tour(url: &str) -> Result<bool, Error> {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("tour", "tour", None, None, "tour"))
        .endpoint_url(url)
        .http_client(Builder::new().build_http())
        .build();
    let client = Client::from_conf(config);
    let table = format!("tour-{}", std::process::id());
    let shelves = format!("{table}-shelves");
    create_table(&client, &table).await?;
    create_table(&client, &shelves).await?;

    let records = async || {
        let items = client.scan().table_name(&table).consistent_read(true).send().await?;
        let mut lines: Vec<_> = items
            .items()
            .iter()
            .map(|item| {
                let string = |name| item.get(name).and_then(|value| value.as_s().ok());
                let string = |name| string(name).map_or("", String::as_str);
                steps::line(string("id"), string("status"), string("data"))
            })
            .collect();
        lines.sort();
        Ok(lines)
    };
    let parcels = async || {
        let items = client.scan().table_name(&shelves).consistent_read(true).send().await?;
        Ok(items.items().len())
    };
    let store = DynamoDbStore::new(client.clone(), &table);
    let as_expected = steps::deliver(store, &shelves, records, parcels).await?;
    for table in [&table, &shelves] {
        client.delete_table().table_name(table).send().await?;
    }
    Ok(as_expected)
}

async fn create_table(client: &Client, name: &str) -> Result<(), Error> {
    let id = AttributeDefinition::builder()
        .attribute_name("id")
        .attribute_type(ScalarAttributeType::S)
        .build()?;
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build()?;
    client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(id)
        .key_schema(key)
        .send()
        .await?;
    Ok(())
}
