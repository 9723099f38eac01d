//! Values in a DynamoDB table, on moto.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use powertools::parameters::{DynamoDb, Parameter, Parameters, Secret};
use powertools_tests::emulators::Emulator;
use powertools_tests::items;
use powertools_tests::proxy::{Fault, Proxy};
use serde_json::{Value, json};

use super::name;

#[tokio::test]
async fn a_value_is_an_attribute_of_the_item_with_its_name() {
    let Some(moto) = Emulator::first() else { return };
    let client = moto.client();
    let table = moto.create_table(&["id"]).await;
    for (id, value) in [
        ("text", json!({ "S": "one" })),
        ("number", json!({ "N": "12345678901234567890" })),
        ("map", json!({ "M": { "limits": { "L": [{ "N": "1.5" }, { "NULL": true }] } } })),
        ("flag", json!({ "BOOL": true })),
    ] {
        items::put(&client, &table, &json!({ "id": { "S": id }, "value": value })).await;
    }
    items::put(&client, &table, &json!({ "id": { "S": "nothing" } })).await;
    let work = async {
        assert_eq!(*Parameter::<String>::plain("text").get().await.unwrap(), "one");
        let number = Parameter::<u64>::json("number").get().await.unwrap();
        assert_eq!(*number, 12_345_678_901_234_567_890);
        let map = Parameter::<Value>::json("map").get().await.unwrap();
        assert_eq!(*map, json!({ "limits": [1.5, null] }));
        assert!(*Parameter::<bool>::json("flag").get().await.unwrap());
        let missing = Parameter::<String>::plain("missing").get().await;
        assert_eq!(name(missing), "Powertools.ParameterNotFound");
        let nothing = Parameter::<String>::plain("nothing").get().await;
        assert_eq!(name(nothing), "Powertools.ParameterFailed");
    };
    Parameters::new().source(DynamoDb::new(client, table)).scope(work).await;
}

#[tokio::test]
async fn a_written_value_leaves_the_other_attributes() {
    let Some(moto) = Emulator::first() else { return };
    let client = moto.client();
    let table = moto.create_table(&["name"]).await;
    let item =
        json!({ "name": { "S": "limit" }, "content": { "S": "1" }, "owner": { "S": "ada" } });
    items::put(&client, &table, &item).await;
    let source = DynamoDb::new(client.clone(), &table).key("name").value("content");
    let work = async {
        let limit = Parameter::<u8>::json("limit");
        assert_eq!(*limit.get().await.unwrap(), 1);
        limit.set("2").await.unwrap();
        assert_eq!(*limit.get().await.unwrap(), 2);
        let key = Secret::<Vec<u8>>::binary("key");
        key.set(vec![0xff, 0]).await.unwrap();
        assert_eq!(*key.get().await.unwrap(), [0xff, 0]);
    };
    Parameters::new().source(source).scope(work).await;
    let item = client.get_item().table_name(&table);
    let item = item.key("name", AttributeValue::S("limit".to_owned()));
    let item = item.send().await.unwrap().item.unwrap();
    assert_eq!(item["owner"].as_s().unwrap(), "ada");
}

#[tokio::test]
async fn a_path_is_all_items_of_a_partition() {
    let Some(moto) = Emulator::first() else { return };
    let client = moto.client();
    let table = moto.create_table(&["id", "sk"]).await;
    let long = "x".repeat(300_000);
    for (id, sk, value) in [
        ("orders", "a", "1"),
        ("orders", "b", &long),
        ("orders", "c", &long),
        ("orders", "d", &long),
        ("orders", "e", &long),
        ("other", "a", "2"),
    ] {
        let item = json!({ "id": { "S": id }, "sk": { "S": sk }, "value": { "S": value } });
        items::put(&client, &table, &item).await;
    }
    let work = async {
        let all = Parameter::<BTreeMap<String, String>>::path("orders").get().await.unwrap();
        // More than a page, which has 1 MB.
        assert_eq!(all.keys().collect::<Vec<_>>(), ["a", "b", "c", "d", "e"]);
        assert_eq!(all["a"], "1");
        let set = Parameter::<BTreeMap<String, String>>::path("orders").set("x").await;
        assert_eq!(name(set), "Powertools.ParameterUnsupported");
    };
    Parameters::new().source(DynamoDb::new(client, table)).scope(work).await;
}

#[tokio::test]
async fn what_the_table_refuses_has_its_name() {
    let proxy = Proxy::alone().await;
    let source = DynamoDb::new(proxy.client(), "settings");
    let work = async {
        proxy.next("GetItem", Fault::Refuse("AccessDeniedException", "no"));
        let denied = Parameter::<String>::plain("denied").get().await;
        assert_eq!(name(denied), "Powertools.ParameterAccessDenied");
        proxy.next("GetItem", Fault::Refuse("ResourceNotFoundException", "no"));
        let previous = Secret::<String>::plain("p").stage("AWSPREVIOUS").get().await;
        assert_eq!(name(previous), "Powertools.ParameterUnsupported");
        let missing = Parameter::<String>::plain("no table").get().await;
        assert_eq!(name(missing), "Powertools.ParameterNotFound");
    };
    Parameters::new().source(source).scope(work).await;
}
