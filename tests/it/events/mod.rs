//! The event builders against the types that functions read events with.

mod damaged;
mod envelopes;
pub(crate) mod fixtures;
mod pipes;
pub(crate) mod properties;
mod reading;
mod single;
mod times;

use aws_lambda_events::alb::AlbTargetGroupRequest;
use aws_lambda_events::apigw::{
    ApiGatewayProxyRequest, ApiGatewayV2httpRequest, ApiGatewayWebsocketProxyRequest,
};
use aws_lambda_events::dynamodb::Event as DynamoDbEvent;
use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::kafka::KafkaEvent;
use aws_lambda_events::kinesis::KinesisEvent;
use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use aws_lambda_events::s3::S3Event;
use aws_lambda_events::sns::SnsEvent;
use aws_lambda_events::sqs::SqsEvent;
use aws_lambda_events::vpc_lattice::VpcLatticeRequestV2;
use powertools::testing::events::{self, KafkaRecord, KinesisRecord, SqsMessage};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

#[test]
fn sqs() {
    let message = SqsMessage::from(json!({ "order": 7 }))
        .id("m-1")
        .group("g")
        .receive_count(3)
        .message_attribute("kind", "order");
    let event: SqsEvent = read(events::sqs("orders.fifo").message(message).build(), &[]);
    let message = &event.records[0];
    assert_eq!(message.message_id.as_deref(), Some("m-1"));
    assert_eq!(message.body.as_deref(), Some(r#"{"order":7}"#));
    assert_eq!(message.attributes["MessageGroupId"], "g");
    assert_eq!(message.attributes["ApproximateReceiveCount"], "3");
    assert_eq!(message.message_attributes["kind"].string_value.as_deref(), Some("order"));
    assert_eq!(
        message.event_source_arn.as_deref(),
        Some("arn:aws:sqs:us-east-1:123456789012:orders.fifo")
    );
}

#[test]
fn kinesis() {
    let records = events::kinesis("clicks")
        .shard(3)
        .record(KinesisRecord::json("a", json!({ "n": 1 })))
        .record(KinesisRecord::new("b", "bytes").sequence_number("42"));
    let event: KinesisEvent = read(records.build(), &[]);
    assert_eq!(event.records[0].kinesis.data.0, br#"{"n":1}"#);
    assert_eq!(event.records[1].kinesis.partition_key, "b");
    assert_eq!(event.records[1].event_id.as_deref(), Some("shardId-000000000003:42"));
}

#[test]
fn kafka() {
    let record = KafkaRecord::json(json!({ "n": 1 })).key("k").header("kind", "order");
    let records = events::kafka("orders").record(record).record(KafkaRecord::new("x").partition(1));
    let event: KafkaEvent = read(records.build(), &[]);
    let record = &event.records["orders-0"][0];
    assert_eq!(record.value.as_deref(), Some("eyJuIjoxfQ=="));
    assert_eq!(record.headers[0].len(), 1);
    assert_eq!(event.records["orders-1"][0].partition, 1);
}

#[test]
fn dynamodb() {
    let (keys, old, new) = (json!({ "id": 1 }), json!({ "id": 1 }), json!({ "id": 1, "n": 2 }));
    let event: DynamoDbEvent = read(events::dynamodb("orders").modify(keys, old, new).build(), &[]);
    let record = &event.records[0];
    assert_eq!(record.event_name, "MODIFY");
    assert_eq!(record.change.new_image.len(), 2);
    assert_eq!(record.change.old_image.len(), 1);
}

#[test]
fn sns() {
    let notification = events::sns("orders", "hello").subject("new").attribute("kind", "order");
    let event: SnsEvent = read(notification.build(), &[]);
    let message = &event.records[0].sns;
    assert_eq!(message.message, "hello");
    assert_eq!(message.subject.as_deref(), Some("new"));
    assert_eq!(message.message_attributes["kind"].value, "order");
}

#[test]
fn event_bridge() {
    let event = events::event_bridge("orders", "OrderPlaced", json!({ "n": 7 })).resource("arn:x");
    let event: EventBridgeEvent = read(event.build(), &[]);
    assert_eq!(event.detail_type, "OrderPlaced");
    assert_eq!(event.detail["n"], 7);
    assert!(event.time.is_some());
}

#[test]
fn s3() {
    let records = events::s3("uploads").created("a b/ä.jpg", 9).removed("gone");
    let event: S3Event = read(records.build(), &[]);
    let object = &event.records[0].s3.object;
    assert_eq!(object.key.as_deref(), Some("a+b/%C3%A4.jpg"));
    assert_eq!(object.size, Some(9));
    assert_eq!(event.records[1].event_name.as_deref(), Some("ObjectRemoved:Delete"));
}

#[test]
fn api_gateway_v1() {
    let request = events::api_gateway_v1("POST", "/orders/7")
        .route("/orders/{id}")
        .path_parameter("id", "7")
        .query("q", "1")
        .cookie("a=b")
        .json(json!({ "order": 7 }));
    // Not in the type, though API Gateway sends it.
    let event: ApiGatewayProxyRequest =
        read(request.build(), &["/requestContext/extendedRequestId"]);
    assert_eq!(event.http_method, "POST");
    assert_eq!(event.headers["content-type"], "application/json");
    assert_eq!(event.path_parameters["id"], "7");
    assert_eq!(event.body.as_deref(), Some(r#"{"order":7}"#));
}

#[test]
fn api_gateway_v2() {
    let request = events::api_gateway_v2("POST", "/orders")
        .header("Idempotency-Key", "k-1")
        .query("q", "1")
        .cookie("a=b")
        .json(json!({ "order": 7 }));
    let event: ApiGatewayV2httpRequest = read(request.build(), &[]);
    assert_eq!(event.headers["idempotency-key"], "k-1");
    assert_eq!(event.cookies.as_deref(), Some(["a=b".to_owned()].as_slice()));
    assert_eq!(event.request_context.http.method, "POST");
    assert_eq!(event.body.as_deref(), Some(r#"{"order":7}"#));
}

#[test]
fn function_url() {
    let request = events::function_url("GET", "/").query("q", "1");
    // Not in the type, though a function URL sends them.
    let missing = ["/requestContext/routeKey", "/requestContext/stage", "/routeKey"];
    let event: LambdaFunctionUrlRequest = read(request.build(), &missing);
    assert_eq!(event.query_string_parameters["q"], "1");
}

#[test]
fn load_balancer() {
    let request = events::load_balancer("POST", "/orders")
        .header("X-A", "1")
        .query("q", "a b")
        .cookie("a=b")
        .json(json!({ "order": 7 }));
    for request in [request.clone(), request.multi_value_headers()] {
        let event: AlbTargetGroupRequest = read(request.build(), &[]);
        assert_eq!(event.http_method, "POST");
        let headers = [event.headers, event.multi_value_headers];
        assert!(headers.iter().any(|headers| headers.get("x-a").is_some_and(|it| it == "1")));
        assert_eq!(event.body.as_deref(), Some(r#"{"order":7}"#));
        assert!(event.request_context.elb.target_group_arn.is_some());
    }
}

#[test]
fn vpc_lattice() {
    let request = events::vpc_lattice("PUT", "/orders/7")
        .header("X-A", "1")
        .header("X-A", "2")
        .query("q", "1")
        .text("hello");
    let event: VpcLatticeRequestV2 = read(request.build(), &[]);
    assert_eq!(event.headers.get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(event.query_string_parameters.all("q"), Some(vec!["1"]));
    assert_eq!(event.body.as_deref(), Some("hello"));
}

#[test]
fn web_socket() {
    let of = |route| events::web_socket(route).connection_id("c-1").query("q", "1").text("hello");
    for (route, body) in [("$connect", None), ("$disconnect", None), ("$default", Some("hello"))] {
        let event: ApiGatewayWebsocketProxyRequest = read(of(route).build(), &[]);
        assert_eq!(event.request_context.connection_id.as_deref(), Some("c-1"));
        assert_eq!(event.request_context.route_key.as_deref(), Some(route));
        assert_eq!(event.body.as_deref(), body);
    }
}

/// Reads `event` as a `T` that knows every member of it, except those in `missing`.
fn read<T: DeserializeOwned + Serialize>(event: Value, missing: &[&str]) -> T {
    let typed: T = serde_json::from_value(event.clone()).unwrap();
    let known = paths(&serde_json::to_value(&typed).unwrap());
    // Types of headers write their names in lower case.
    let is_known = |path: &String| known.iter().any(|known| known.eq_ignore_ascii_case(path));
    let unknown: Vec<_> = paths(&event).into_iter().filter(|path| !is_known(path)).collect();
    assert_eq!(unknown, missing);
    typed
}

/// The paths of all members that are not null.
fn paths(value: &Value) -> Vec<String> {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(list) => {
            list.iter().enumerate().map(|(n, value)| (n.to_string(), value)).collect()
        }
        _ => return Vec::new(),
    };
    let mut all = Vec::new();
    for (name, value) in members.into_iter().filter(|(_, value)| !value.is_null()) {
        all.extend(paths(value).into_iter().map(|path| format!("/{name}{path}")));
        all.push(format!("/{name}"));
    }
    all
}
