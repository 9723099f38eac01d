//! The events that packages of others contain, read when the test runs: each with our types.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use powertools::batch::{self, FirehoseMessage, KinesisMessage, Transformed};
use powertools::custom_resource;
use powertools::events::*;
use powertools_tests::emulators::sam_events;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

/// Reads an event, and checks something that is in all of its kind.
fn read<T: DeserializeOwned>(json: &Value, check: impl FnOnce(T) -> bool) -> Result<(), String> {
    let event: T = serde_json::from_str(&json.to_string()).map_err(|error| error.to_string())?;
    if check(event) { Ok(()) } else { Err("it is another one".to_owned()) }
}

/// Reads an event of Cognito, whose reply has every member that says something.
fn cognito<T: DeserializeOwned + Serialize>(json: &Value) -> Result<(), String> {
    let event: T = serde_json::from_str(&json.to_string()).map_err(|error| error.to_string())?;
    let reply = serde_json::to_value(event).map_err(|error| error.to_string())?;
    let (expected, reply) = (pruned(json.clone()), pruned(reply));
    if expected == reply { Ok(()) } else { Err(format!("{expected} is {reply}")) }
}

/// Without nulls and what is empty, and with booleans as strings.
fn pruned(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name, pruned(value)));
            let is_empty = |value: &Value| match value {
                Value::Null => true,
                Value::Object(members) => members.is_empty(),
                Value::Array(list) => list.is_empty(),
                _ => false,
            };
            Value::Object(members.filter(|(_, value)| !is_empty(value)).collect())
        }
        Value::Array(list) => list.into_iter().map(pruned).collect(),
        Value::Bool(flag) => Value::String(flag.to_string()),
        other => other,
    }
}

/// Reads a record of a stream that is a batch, to its last byte.
fn firehose(json: &Value) -> Result<(), String> {
    read(json, |event: FirehoseEvent| {
        let count = event.records.len();
        let copy =
            async |record: FirehoseRecord| Ok::<_, ParseError>(Transformed::data(record.data()?));
        let report =
            futures_util::FutureExt::now_or_never(batch::firehose(event).run(copy)).unwrap();
        let reply = report.into_reply().unwrap();
        count > 0
            && reply.records.len() == count
            && reply.records.iter().all(|it| it.result == "Ok")
    })
}

fn kinesis(json: &Value) -> Result<(), String> {
    read(json, |event: KinesisEvent| {
        event
            .records
            .iter()
            .all(|record| record.data().is_ok() && !record.natural_key().is_absent())
    })
}

/// Reads an event of `aws_lambda_events` by the name of its file, if there is a type for it.
fn of_rust(name: &str, json: &Value) -> Option<Result<(), String>> {
    let name = name.strip_prefix("example-")?;
    Some(match name {
        _ if name.starts_with("activemq") => read(json, |event: ActiveMqEvent| {
            event.records.iter().all(|record| record.data().is_ok())
        }),
        _ if name.starts_with("rabbitmq") => read(json, |event: RabbitMqEvent| {
            !event.records.is_empty() && event.records.iter().all(|record| record.data().is_ok())
        }),
        _ if name.starts_with("documentdb") => read(json, |event: DocumentDbEvent| {
            !event.records.is_empty() && event.records.iter().all(|record| record.id().is_some())
        }),
        "dynamodb-event-record-with-optional-fields.json" => read(json, |_: DynamoDbRecord| true),
        _ if name.starts_with("dynamodb") => {
            read(json, |event: DynamoDbEvent| !event.records.is_empty())
        }
        _ if name.starts_with("eventbridge") => read(json, |_: EventBridge<IgnoredAny>| true),
        "firehose-event.json" | "kinesis-firehose-event.json" => firehose(json),
        _ if name.starts_with("kafka") => read(json, |event: KafkaEvent| !event.records.is_empty()),
        _ if name.starts_with("kinesis-event") => kinesis(json),
        "s3-event.json" | "s3-event-with-decoded.json" => read(json, |event: S3Notification| {
            event.records.iter().all(|record| record.key().is_some())
        }),
        "sns-event.json" | "sns-event-pascal-case.json" => {
            read(json, |event: SnsEvent| !event.natural_key().is_absent())
        }
        "sns-event-obj.json" => {
            read(json, |event: SnsEvent<Value>| event.records[0].message.is_object())
        }
        "sqs-event.json" | "sqs-event-obj.json" => {
            read(json, |event: SqsEvent| event.records.iter().all(|record| record.body().is_some()))
        }
        "cloudwatch_logs-event.json" => read(json, |event: CloudWatchLogsEvent| {
            !event.logs.is_control_message && !event.logs.events.is_empty()
        }),
        "appsync-direct-resolver.json" => {
            read(json, |event: AppSyncResolver| event.info.field_name == "greet")
        }
        "appsync-lambda-auth-request.json" => {
            read(json, |event: AppSyncAuthorizer| event.request_context.request_id.is_some())
        }
        _ if name.starts_with("appsync-identity") => {
            read(json, |identity: AppSyncIdentity| !identity.source_ip.is_empty())
        }
        _ if name.starts_with("cognito-event-userpools") => {
            match &name["cognito-event-userpools-".len()..] {
                kind if kind.starts_with("create") => cognito::<CognitoCreateAuthChallenge>(json),
                kind if kind.starts_with("define") => cognito::<CognitoDefineAuthChallenge>(json),
                kind if kind.starts_with("verify") => cognito::<CognitoVerifyAuthChallenge>(json),
                kind if kind.starts_with("custommessage") => cognito::<CognitoCustomMessage>(json),
                kind if kind.starts_with("migrate") => cognito::<CognitoUserMigration>(json),
                kind if kind.starts_with("postauth") => cognito::<CognitoPostAuthentication>(json),
                kind if kind.starts_with("postconf") => cognito::<CognitoPostConfirmation>(json),
                kind if kind.starts_with("preauth") => cognito::<CognitoPreAuthentication>(json),
                kind if kind.starts_with("presign") => cognito::<CognitoPreSignUp>(json),
                kind if kind.starts_with("pretokengen-v2") => {
                    cognito::<CognitoPreTokenGenerationV2>(json)
                }
                _ => cognito::<CognitoPreTokenGeneration>(json),
            }
        }
        _ if name.starts_with("cloudformation")
            && name.ends_with("-request.json")
            && !name.contains("provider") =>
        {
            read(json, |_: custom_resource::Event| true)
        }
        _ => return None,
    })
}

/// Reads an event of AWS's SAM CLI by the name of its file, if there is a type for it.
fn of_sam(name: &str, json: &Value) -> Option<Result<(), String>> {
    Some(match name {
        "appsync/AppSyncDirectResolver.json" => read(json, |_: AppSyncResolver| true),
        "cloudformation/CfnCreateRequest.json" => read(json, |_: custom_resource::Event| true),
        "cloudwatch/CloudwatchLogs.json" => {
            read(json, |event: CloudWatchLogsEvent| !event.logs.events.is_empty())
        }
        "cloudwatch/ScheduledEvent.json" => read(json, |_: EventBridge<IgnoredAny>| true),
        "dynamodb/DynamoDBUpdate.json" => {
            read(json, |event: DynamoDbEvent| event.records.len() == 3)
        }
        "kinesis/Kinesis.json" => kinesis(json),
        // Two texts in base64, one after another: its record fails alone.
        "kinesis/KinesisFirehoseApachelog.json" => match firehose(json) {
            Err(_) => read(json, |event: FirehoseEvent| {
                matches!(event.records[0].data(), Err(ParseError::Base64(_)))
            }),
            Ok(()) => Err("it is valid".to_owned()),
        },
        _ if name.starts_with("kinesis/KinesisFirehose") => firehose(json),
        "s3/S3BatchInvocation.json" => read(json, |event: S3BatchEvent| event.tasks.len() == 1),
        _ if name.starts_with("s3/") => read(json, |event: S3Notification| {
            event.records.iter().all(|record| record.key().is_some())
        }),
        "sns/Sns.json" => read(json, |event: SnsEvent| !event.natural_key().is_absent()),
        "sqs/Sqs.json" => read(json, |event: SqsEvent| event.records[0].body().is_some()),
        _ => return None,
    })
}

/// Checks every file, and that as many as `least` have a type.
fn check(
    files: BTreeMap<String, Value>,
    read: impl Fn(&str, &Value) -> Option<Result<(), String>>,
    least: usize,
) {
    let mut read_files = 0;
    let mut failures = Vec::new();
    for (name, json) in &files {
        match read(name, json) {
            Some(Ok(())) => read_files += 1,
            Some(Err(problem)) => failures.push(format!("{name}: {problem}")),
            None => {}
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(read_files >= least, "{read_files} of {}", files.len());
}

#[test]
fn the_events_of_aws_lambda_events_are_read() {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "aws_lambda_events").unwrap();
    let manifest = Path::new(package["manifest_path"].as_str().unwrap());
    let folder = manifest.with_file_name("src").join("fixtures");
    let mut files = BTreeMap::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            files.insert(name, serde_json::from_slice(&fs::read(&path).unwrap()).unwrap());
        }
    }
    check(files, of_rust, 50);
}

#[test]
fn the_events_of_the_sam_cli_are_read() {
    let Some(files) = sam_events() else { return };
    check(files, of_sam, 15);
}

/// The type of the data is that of the handler, also for what others send.
#[test]
fn the_logs_that_a_subscription_sends_through_kinesis_are_read() {
    let Some(files) = sam_events() else { return };
    let event = files["kinesis/Kinesis.json"].clone();
    let event: KinesisEvent = serde_json::from_value(event).unwrap();
    let handler = async |text: KinesisMessage<Text>| {
        assert!(!text.body.is_empty());
        Ok::<_, ParseError>(())
    };
    let report = futures_util::FutureExt::now_or_never(batch::kinesis(event).run(handler)).unwrap();
    assert!(report.is_done());
    let event = files["kinesis/KinesisFirehoseCloudwatchLogsProcessor.json"].clone();
    let event: FirehoseEvent = serde_json::from_value(event).unwrap();
    let handler = async |logs: FirehoseMessage<CloudWatchLogs>| {
        Ok::<_, ParseError>(Transformed::data(format!("{}", logs.body.events.len())))
    };
    let report =
        futures_util::FutureExt::now_or_never(batch::firehose(event).run(handler)).unwrap();
    assert!(report.is_done(), "{report:?}");
}
