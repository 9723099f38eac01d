//! Functions of custom resources, on the real runtime loop, with a server in the place of S3.

mod cloudformation;

use std::time::Duration;

use lambda_runtime::Error;
use powertools::custom_resource::{Change, Request, Resource};
use powertools::events::natural;
use powertools::testing::{Event, FakeRuntime, Outcome, events};
use powertools::{LambdaError, Powertools};
use serde::Deserialize;
use serde_json::{Value, json};

use self::cloudformation::CloudFormation;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Index {
    name: String,
    #[serde(default, deserialize_with = "powertools::custom_resource::parsed")]
    shards: u32,
}

#[derive(Debug, thiserror::Error, LambdaError)]
#[error("the cluster {0} is full")]
#[error_type = "ClusterFull"]
struct Full(&'static str);

/// Does what the name of the index asks for.
async fn provision(request: Request<Index>) -> Result<Resource, Error> {
    let created = match request.change {
        Change::Create(created) => created,
        Change::Update(updated) => {
            let earlier = updated.earlier.read().map(|earlier| earlier.shards);
            return match updated.properties.name.as_str() {
                "full" => Err(Full("a").into()),
                "replaced" => Ok(Resource::new().physical_id("index-2")),
                _ => Ok(Resource::new().data("Earlier", earlier.ok())),
            };
        }
        Change::Delete(deleted) => {
            assert_ne!(deleted.physical_id, "panics");
            let name = deleted.properties.read().map(|properties| properties.name);
            return Ok(Resource::new()
                .physical_id("another")
                .data("Name", name.unwrap_or_else(|error| error.to_string())));
        }
    };
    let name = created.properties.name.as_str();
    if let Some(id) = name.strip_prefix("announced ") {
        created.announce(id);
    }
    match name {
        "full" | "announced index-3" => Err(Full("a").into()),
        "panics" => panic!("no such shard"),
        "hangs" | "announced then hangs" => std::future::pending().await,
        "unnamed" => Ok(Resource::new()),
        "large" => Ok(Resource::new().physical_id("large-1").data("Text", "x".repeat(4096))),
        "long id" | "announced first" => Ok(Resource::new().physical_id("x".repeat(4000))),
        "long" => Err("é\"".repeat(5000).into()),
        "secret" => Ok(Resource::new().physical_id("s").data("Password", "p").no_echo()),
        name => Ok(Resource::new().physical_id(name).data("Shards", created.properties.shards)),
    }
}

/// Lets the function handle an event, and returns the outcome for Lambda.
async fn invoke(event: impl Into<Event>) -> Outcome {
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::custom_resource(provision).run());
    lambda.invoke(event).await
}

/// Returns the only response to an event that is a success for Lambda.
async fn response(event: impl FnOnce(events::CustomResourceEvent) -> Value) -> Value {
    let cloudformation = CloudFormation::start([]).await;
    let event = event(events::custom_resource(cloudformation.url()));
    let outcome = invoke(event.clone()).await;
    assert_eq!(outcome.json::<Value>(), Value::Null);
    let response = cloudformation.only_response();
    for name in ["StackId", "RequestId", "LogicalResourceId"] {
        assert_eq!(response[name], event[name], "{name}");
    }
    response
}

async fn creation(name: &str) -> Value {
    response(|event| event.properties(json!({ "Name": name, "Shards": 8 })).build()).await
}

#[tokio::test]
async fn a_success_has_the_physical_id_and_the_data() {
    let response = creation("index-1").await;
    assert_eq!(response["Status"], "SUCCESS");
    assert_eq!(response["PhysicalResourceId"], "index-1");
    assert_eq!(response["Data"], json!({ "Shards": 8 }));
    assert_eq!(response.get("NoEcho"), None);
    assert_eq!(response.get("Reason"), None);
    assert_eq!(creation("secret").await["NoEcho"], true);
}

#[tokio::test]
async fn a_new_resource_without_an_id_has_one_that_stays_the_same() {
    let cloudformation = CloudFormation::start([]).await;
    let event = events::custom_resource(cloudformation.url());
    let event = event.properties(json!({ "Name": "unnamed" })).build();
    invoke(event.clone()).await;
    invoke(event).await;
    let [first, second] = &cloudformation.responses()[..] else { panic!("two responses") };
    assert_eq!(first["PhysicalResourceId"], second["PhysicalResourceId"]);
    assert!(first["PhysicalResourceId"].as_str().unwrap().starts_with("Resource-"), "{first}");
}

#[tokio::test]
async fn an_update_keeps_the_id_unless_it_replaces_the_resource() {
    let update = async |name: &str, earlier: Value| {
        let new = json!({ "Name": name, "Shards": 9 });
        response(|event| event.update("index-1", earlier).properties(new).build()).await
    };
    let updated = update("index-1", json!({ "Name": "index-1", "Shards": 8 })).await;
    assert_eq!(updated["PhysicalResourceId"], "index-1");
    assert_eq!(updated["Data"]["Earlier"], 8);
    // The template was of another version.
    let updated = update("index-1", json!({ "Size": "large" })).await;
    assert_eq!(
        (&updated["Status"], &updated["Data"]["Earlier"]),
        (&json!("SUCCESS"), &json!(null))
    );

    assert_eq!(update("replaced", json!({})).await["PhysicalResourceId"], "index-2");
    let failed = update("full", json!({})).await;
    assert_eq!(
        (&failed["Status"], &failed["PhysicalResourceId"]),
        (&json!("FAILED"), &json!("index-1"))
    );
}

#[tokio::test]
async fn a_deletion_keeps_the_id_and_does_not_need_valid_properties() {
    let delete = async |properties: Value| {
        response(|event| event.delete("index-1").properties(properties).build()).await
    };
    let deleted = delete(json!({ "Name": "index-1" })).await;
    assert_eq!(deleted["PhysicalResourceId"], "index-1");
    assert_eq!(deleted["Data"]["Name"], "index-1");
    let deleted = delete(json!({ "Size": 7 })).await;
    assert_eq!(deleted["Status"], "SUCCESS");
    let reason = deleted["Data"]["Name"].as_str().unwrap();
    assert!(reason.contains("unknown field `Size`"), "{reason}");
}

#[tokio::test]
async fn an_error_is_told_with_its_name() {
    let response = creation("full").await;
    assert_eq!(response["Status"], "FAILED");
    assert_eq!(response["Reason"], "ClusterFull: the cluster a is full");
    assert_eq!(response.get("Data"), None);
}

#[tokio::test]
async fn a_panic_is_told() {
    let response = creation("panics").await;
    assert_eq!(response["Status"], "FAILED");
    assert_eq!(response["Reason"], "Powertools.Panic: the handler panicked: no such shard");
}

#[tokio::test]
async fn a_handler_whose_time_runs_out_is_told() {
    let cloudformation = CloudFormation::start([]).await;
    let event = events::custom_resource(cloudformation.url());
    let event = event.properties(json!({ "Name": "hangs" })).build();
    let outcome = invoke(Event::new(event).timeout(Duration::from_secs(2))).await;
    assert!(outcome.response().is_some(), "{outcome:?}");
    let response = cloudformation.only_response();
    assert_eq!(response["Status"], "FAILED");
    let reason = response["Reason"].as_str().unwrap();
    assert!(reason.starts_with("Powertools.DeadlineOutOfTime: "), "{reason}");
}

/// The deletion then comes under the announced id, and not under one of CloudFormation's.
#[tokio::test]
async fn a_handler_is_stopped_before_cloudformation_ceases_to_wait() {
    let cloudformation = CloudFormation::start([]).await;
    let event = events::custom_resource(cloudformation.url());
    let properties = json!({ "Name": "announced then hangs", "ServiceTimeout": 2 });
    let event = Event::new(event.properties(properties).build());
    let invoked = invoke(event.timeout(Duration::from_secs(900)));
    // It has to be there after 2 seconds; a busy machine may take longer.
    let outcome = tokio::time::timeout(Duration::from_secs(60), invoked).await.unwrap();
    assert!(outcome.response().is_some(), "{outcome:?}");
    let response = cloudformation.only_response();
    assert_eq!(
        (&response["Status"], &response["PhysicalResourceId"]),
        (&json!("FAILED"), &json!("then hangs"))
    );
    let reason = response["Reason"].as_str().unwrap();
    assert!(reason.starts_with("Powertools.DeadlineOutOfTime: "), "{reason}");
}

/// The guard around the function ends with the handler, or shortly after it.
#[tokio::test]
async fn a_response_has_the_time_until_the_deadline() {
    let cloudformation = CloudFormation::start([503]).await;
    let event = events::custom_resource(cloudformation.url());
    let event = event.properties(json!({ "Name": "hangs" })).build();
    let outcome = invoke(Event::new(event).timeout(Duration::from_secs(1))).await;
    assert!(outcome.response().is_some(), "{outcome:?}");
    let responses = cloudformation.responses();
    assert_eq!((responses.len(), &responses[1]["Status"]), (2, &json!("FAILED")));
}

#[tokio::test]
async fn invalid_properties_are_told_with_their_path() {
    let properties = json!({ "Name": "a", "Shards": "s3cr3t" });
    for (properties, problem) in [
        (properties, "Shards: it does not fit the type"),
        (json!({ "Shards": 1 }), ".: missing field `Name`"),
    ] {
        let response = response(|event| event.properties(properties).build()).await;
        assert_eq!(response["Status"], "FAILED");
        let name = "Powertools.CustomResourcePropertiesInvalid: invalid properties at ";
        assert_eq!(response["Reason"], format!("{name}{problem}"));
    }
}

#[tokio::test]
async fn what_was_never_created_is_deleted_without_the_handler() {
    let failed = creation("full").await;
    let id = failed["PhysicalResourceId"].as_str().unwrap();
    let deleted = response(|event| event.delete(id).build()).await;
    assert_eq!(
        (&deleted["Status"], &deleted["PhysicalResourceId"]),
        (&json!("SUCCESS"), &json!(id))
    );
    assert_eq!(deleted.get("Data"), None, "the handler would have returned some");
}

#[tokio::test]
async fn what_was_announced_is_deleted_by_the_handler() {
    let failed = creation("announced index-3").await;
    assert_eq!(
        (&failed["Status"], &failed["PhysicalResourceId"]),
        (&json!("FAILED"), &json!("index-3"))
    );
    let deleted = response(|event| event.delete("index-3").build()).await;
    assert!(deleted.get("Data").is_some());
}

#[tokio::test]
async fn a_response_has_at_most_4096_bytes() {
    let large = creation("large").await;
    assert_eq!(large["Status"], "FAILED");
    assert_eq!(large["PhysicalResourceId"], "large-1", "the resource exists");
    let reason = large["Reason"].as_str().unwrap();
    assert!(reason.starts_with("Powertools.CustomResourceResponseTooLarge: "), "{reason}");

    for (name, id) in [("long id", "powertools:never-created:"), ("announced first", "first")] {
        let response = creation(name).await;
        assert_eq!(response["Status"], "FAILED");
        let reason = response["Reason"].as_str().unwrap();
        assert!(reason.starts_with("Powertools.CustomResourcePhysicalIdTooLong: "), "{reason}");
        assert!(response["PhysicalResourceId"].as_str().unwrap().starts_with(id), "{response}");
    }

    // The resource is gone, and nothing reads its data.
    let properties = json!({ "Name": "x".repeat(4096) });
    let deleted = response(|event| event.delete("index-1").properties(properties).build()).await;
    assert_eq!((&deleted["Status"], deleted.get("Data")), (&json!("SUCCESS"), None));
    assert_eq!(deleted["PhysicalResourceId"], "index-1");

    let long = creation("long").await;
    let length = long.to_string().len();
    assert!((3000..=4096).contains(&length), "{length}");
    assert!(long["Reason"].as_str().unwrap().ends_with('…'));
}

#[tokio::test]
async fn a_response_is_repeated_until_it_is_received() {
    let cloudformation = CloudFormation::start([503, 500, 429]).await;
    let event = events::custom_resource(cloudformation.url());
    let outcome = invoke(event.properties(json!({ "Name": "index-1" })).build()).await;
    assert!(outcome.response().is_some());
    let responses = cloudformation.responses();
    assert_eq!(responses.len(), 4);
    assert!(responses.iter().all(|response| *response == responses[0]));
}

#[tokio::test]
async fn a_response_is_repeated_if_the_attempt_alone_is_to_blame() {
    let answers =
        [(400, "RequestTimeout"), (409, "OperationAborted"), (400, "IncompleteBody"), (408, "")];
    let event = |cloudformation: &CloudFormation| {
        let event = events::custom_resource(cloudformation.url());
        event.properties(json!({ "Name": "index-1" })).build()
    };
    let cloudformation = CloudFormation::answering(answers).await;
    let outcome = invoke(event(&cloudformation)).await;
    assert!(outcome.response().is_some(), "{outcome:?}");
    assert_eq!(cloudformation.responses().len(), 5);

    for answer in [(400, "ExpiredToken"), (404, "NoSuchBucket")] {
        let cloudformation = CloudFormation::answering([answer]).await;
        let outcome = invoke(event(&cloudformation)).await;
        assert_eq!(outcome.error_type(), Some("Powertools.CustomResourceResponseNotSent"));
        assert_eq!(cloudformation.responses().len(), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn a_response_that_is_refused_is_an_error_without_the_url() {
    let cloudformation = CloudFormation::start([403]).await;
    let event = events::custom_resource(format!("{}?X-Amz-Signature=5ec2e7", cloudformation.url()));
    let outcome = invoke(event.properties(json!({ "Name": "index-1" })).build()).await;
    let diagnostic = outcome.diagnostic().expect("Lambda has to know");
    assert_eq!(diagnostic.error_type, "Powertools.CustomResourceResponseNotSent");
    assert!(diagnostic.error_message.ends_with("the status of the reply is 403"));
    assert_eq!(cloudformation.responses().len(), 1);
}

#[tokio::test]
async fn a_service_that_is_gone_is_an_error() {
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/response", listener.local_addr().unwrap())
    };
    let event = events::custom_resource(gone).properties(json!({ "Name": "index-1" })).build();
    let outcome = invoke(Event::new(event).timeout(Duration::from_secs(2))).await;
    assert_eq!(outcome.error_type(), Some("Powertools.CustomResourceResponseNotSent"));
}

#[tokio::test]
async fn an_event_of_something_else_is_invalid() {
    let outcome = invoke(json!({ "Records": [] })).await;
    assert_eq!(outcome.error_type(), Some("Powertools.EventInvalid"));
    // Without the handler, whose change could not be told.
    for url in [json!(null), json!(7), json!(""), json!("/s3cr3t"), json!("ftp://s3cr3t/")] {
        let mut event = events::custom_resource("").properties(json!({ "Name": "a" })).build();
        event["ResponseURL"] = url;
        let outcome = invoke(event.clone()).await;
        let diagnostic = outcome.diagnostic().expect("nobody else can be told");
        assert_eq!(diagnostic.error_type, "Powertools.EventInvalid", "{event}");
        assert!(!diagnostic.error_message.contains("s3cr3t"), "{}", diagnostic.error_message);
    }
}

/// Returns the event with another value of a member, or without it.
fn with(mut event: Value, name: &str, value: Option<Value>) -> Value {
    match value {
        Some(value) => event[name] = value,
        None => drop(event.as_object_mut().unwrap().remove(name)),
    }
    event
}

/// Returns the response to an event that is invalid at `place`.
async fn refusal(event: impl FnOnce(events::CustomResourceEvent) -> Value, place: &str) -> Value {
    let cloudformation = CloudFormation::start([]).await;
    let event = event(events::custom_resource(cloudformation.url()));
    assert_eq!(invoke(event.clone()).await.json::<Value>(), Value::Null, "{event}");
    let response = cloudformation.only_response();
    assert_eq!(response["Status"], "FAILED", "{event}");
    let reason = format!("Powertools.CustomResourceEventInvalid: invalid event at {place}");
    assert_eq!(response["Reason"], reason, "{event}");
    for name in ["StackId", "RequestId", "LogicalResourceId"] {
        let expected = event.get(name).filter(|id| id.is_string());
        assert_eq!(response.get(name), expected, "{name} of {event}");
    }
    response
}

#[tokio::test]
async fn members_that_are_null_count_as_absent() {
    let properties = || json!({ "Name": "index-1" });
    for name in ["ResourceType", "PhysicalResourceId", "OldResourceProperties"] {
        let changed = |event: events::CustomResourceEvent| {
            with(event.properties(properties()).build(), name, Some(Value::Null))
        };
        assert_eq!(response(changed).await["Status"], "SUCCESS", "{name}");
    }
    let without = |event: Value| with(event, "ResourceProperties", Some(Value::Null));
    let deleted = response(|event| without(event.delete("index-1").build())).await;
    assert_eq!(deleted["Status"], "SUCCESS");
    let failed = response(|event| without(event.build())).await;
    let name = "Powertools.CustomResourcePropertiesInvalid";
    let reason = format!("{name}: invalid properties at .: missing field `Name`");
    assert_eq!(failed["Reason"], reason);
}

#[tokio::test]
async fn an_unknown_type_of_request_is_told() {
    for request_type in
        ["s3cr3t", "create", ""].map(Value::from).into_iter().chain([json!(7), json!(null)])
    {
        let place = "RequestType: it does not fit the type";
        let unknown = |event| with(event, "RequestType", Some(request_type.clone()));
        let response = refusal(|event| unknown(event.delete("index-1").build()), place).await;
        assert_eq!(response["PhysicalResourceId"], "index-1");
        // Without an id there is nothing to delete.
        let failed = refusal(|event| unknown(event.build()), place).await;
        let id = failed["PhysicalResourceId"].as_str().unwrap();
        let deleted = self::response(|event| event.delete(id).build()).await;
        assert_eq!((&deleted["Status"], deleted.get("Data")), (&json!("SUCCESS"), None));
    }
}

#[tokio::test]
async fn members_that_are_missing_or_of_another_type_are_told() {
    let properties = || json!({ "Name": "index-1" });
    for name in ["RequestType", "StackId", "RequestId", "LogicalResourceId"] {
        let changed = |value| {
            move |event: events::CustomResourceEvent| {
                with(
                    event.update("index-1", properties()).properties(properties()).build(),
                    name,
                    value,
                )
            }
        };
        let told = refusal(changed(None), &format!(".: missing field `{name}`")).await;
        assert_eq!(told["PhysicalResourceId"], "index-1", "{name}");
        for value in [json!(null), json!(7), json!(["s3cr3t"])] {
            let place = format!("{name}: it does not fit the type");
            let told = refusal(changed(Some(value)), &place).await;
            assert_eq!(told["PhysicalResourceId"], "index-1", "{name}");
        }
    }
    for name in
        ["ResourceType", "ResourceProperties", "OldResourceProperties", "PhysicalResourceId"]
    {
        let changed = |event: events::CustomResourceEvent| {
            with(event.properties(properties()).build(), name, Some(json!(7)))
        };
        let told = refusal(changed, &format!("{name}: it does not fit the type")).await;
        let id = told["PhysicalResourceId"].as_str().unwrap();
        assert!(id.starts_with("powertools:never-created:"), "{name}: {id}");
    }
}

#[tokio::test]
async fn what_has_no_physical_id_is_neither_updated_nor_deleted() {
    for id in [None, Some(json!(null)), Some(json!(""))] {
        let place = ".: missing field `PhysicalResourceId`";
        let without = |event: Value| with(event, "PhysicalResourceId", id.clone());
        let properties = json!({ "Name": "index-1" });
        let updated = |event: events::CustomResourceEvent| {
            without(event.update("a", json!({})).properties(properties).build())
        };
        // CloudFormation does not take an empty one.
        assert_ne!(refusal(updated, place).await["PhysicalResourceId"], "");
        let deleted = refusal(|event| without(event.delete("a").build()), place).await;
        assert_ne!(deleted["PhysicalResourceId"], "");
    }
}

/// Returns the response to an event of others, without its properties' type.
pub(super) async fn response_to(event: Value) -> Value {
    let cloudformation = CloudFormation::start([]).await;
    let lambda = FakeRuntime::new();
    let handler = async |_: Request<Value>| Ok::<_, Error>(Resource::new());
    let _function = lambda.run(Powertools::custom_resource(handler).run());
    lambda.invoke(with(event, "ResponseURL", Some(cloudformation.url().into()))).await;
    cloudformation.only_response()
}

#[tokio::test]
async fn a_request_has_a_key_and_the_timeout_of_the_template() {
    let lambda = FakeRuntime::new();
    let handler = async |request: Request<Value>| {
        assert_eq!(request.service_timeout, Some(Duration::from_secs(600)));
        let Change::Create(created) = &request.change else { panic!("a creation") };
        assert_eq!(created.properties, json!({}), "the members of CloudFormation are not in it");
        let id = request.unique_id();
        Ok::<_, Error>(
            Resource::new().data("Key", serde_json::to_value(natural(&request))?).data("Id", id),
        )
    };
    let _function = lambda.run(Powertools::custom_resource(handler).run());
    let cloudformation = CloudFormation::start([]).await;
    let event = events::custom_resource(cloudformation.url());
    let event = event.properties(json!({ "ServiceTimeout": 600 })).build();
    lambda.invoke(event.clone()).await;
    let key = json!([event["StackId"], event["LogicalResourceId"], event["RequestId"]]);
    let response = cloudformation.only_response();
    assert_eq!(response["Data"]["Key"], key);
    assert_eq!(response["Data"]["Id"], response["PhysicalResourceId"]);
}
