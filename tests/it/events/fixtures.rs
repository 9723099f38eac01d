//! The events that packages of others contain, read when the test runs: each with our types.

use std::collections::BTreeMap;
use std::fs;

use powertools::batch::{self, FirehoseMessage, KinesisMessage, Transformed};
use powertools::custom_resource;
use powertools::events::*;
use powertools_tests::emulators::{npm_events, sam_events};
use powertools_tests::source_of;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};

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

/// What is wrong with some events of npm packages, which no service sends.
const WRONG_OF_NPM: &[(&str, &str)] = &[
    ("@aws-lambda-powertools/parser/alb#0", "a comma after the last member"),
    ("@aws-lambda-powertools/parser/api-gatewayv2#1", "a string that never ends"),
    ("@aws-lambda-powertools/parser/api-gatewayv2#2", "a string that never ends"),
    ("@aws-lambda-powertools/parser/api-gatewayv2#3", "a string that never ends"),
    ("@aws-lambda-powertools/parser/appsync#1", "a line break in a string"),
    ("@aws-lambda-powertools/parser/appsync-events#0", "a comma after the last member"),
    ("@aws-lambda-powertools/parser/appsync-events#1", "a comma after the last member"),
    ("@aws-lambda-powertools/parser/cognito#7", "a comma after the last member"),
    ("@aws-lambda-powertools/parser/vpc-lattice#0", "a comma after the last member"),
];

/// Events of npm packages for which there are no types.
const OTHERS_OF_NPM: &[&str] = &[
    "@aws-lambda-powertools/parser/api-gateway#0", // of an authorizer, like the next ones
    "@aws-lambda-powertools/parser/api-gateway#1",
    "@aws-lambda-powertools/parser/api-gateway#2",
    "@aws-lambda-powertools/parser/api-gateway-websocket#0",
    "@aws-lambda-powertools/parser/api-gatewayv2#0",
    "aws-event-mocks/apiGateway.json", // a mapping template of an API's own makes it
    "@serverless/event-mocks/alexa-skill-event-template.json",
    "@serverless/event-mocks/alexa-smart-home-event-template.json",
    "@aws-lambda-powertools/parser/connect-outbound-campaigns#0",
    "@aws-lambda-powertools/parser/s3#3", // S3 Object Lambda
    "@aws-lambda-powertools/parser/ses#0",
    "@aws-lambda-powertools/parser/transfer-family#0",
    "lambda-event-mock/cloudfront-record.json",
    "lambda-event-mock/cognito.json", // Cognito Sync
    "lambda-event-mock/config.json",
    "lambda-event-mock/event-with-records.json", // the frame of others
    "lambda-event-mock/iot-button.json",
    "lambda-event-mock/lex.json",
    "lambda-event-mock/ses-record.json",
];

/// Requests in npm packages, which the tests of HTTP read.
pub(crate) const REQUESTS_OF_NPM: &[&str] = &[
    "@aws-lambda-powertools/parser/alb#1",
    "@aws-lambda-powertools/parser/lambda#0",
    "@aws-lambda-powertools/parser/vpc-latticev2#0",
    "@serverless/event-mocks/api-gateway-event-template.json",
    "lambda-event-mock/apigateway.json",
];

/// Reads an event of a package of npm by its name.
fn of_npm(name: &str, json: &Value) -> Result<(), String> {
    let (package, name) = name.rsplit_once('/').unwrap();
    // These are records alone.
    let event = json!({ "Records": [json] });
    match (package, name) {
        ("lambda-event-mock", "kinesis-record.json") => kinesis(&event),
        ("lambda-event-mock", "dynamodb-record.json") => read(&event, changes),
        ("lambda-event-mock", "s3-record.json") => read(&event, objects),
        ("lambda-event-mock", "sns-record.json") => read(&event, notifications),
        ("lambda-event-mock", "sqs-record.json") => read(&event, messages),
        ("lambda-event-mock", "kinesis-firehose-record.json") => firehose(&json!({
            "invocationId": "1", "region": "us-east-1", "deliveryStreamArn": "a", "records": [json],
        })),
        // It has no records.
        ("lambda-event-mock", "kinesis-firehose.json") => read(json, |_: FirehoseEvent| true),
        (_, "s3#0") => read(json, |event: EventBridge<S3Detail>| event.detail.key().is_some()),
        (_, "s3#2") => bodies::<S3Notification>(json),
        (_, "sns#0") => bodies::<Sns<Text>>(json),
        // Its data is a text, and no log events.
        (_, "cloud-watch-log-event-template.json") => {
            let error = serde_json::from_value::<CloudWatchLogsEvent>(json.clone()).unwrap_err();
            if error.to_string().contains("CloudWatch Logs") {
                Ok(())
            } else {
                Err(error.to_string())
            }
        }
        (_, "cloudwatch#1") => read(json, |logs: CloudWatchLogs| !logs.events.is_empty()),
        _ if name.starts_with("cloudwatch#") || name == "cloudwatch-logs.json" => {
            read(json, |event: CloudWatchLogsEvent| !event.logs.events.is_empty())
        }
        (_, "cloudformation.json") => read(json, |_: custom_resource::Event| true),
        _ if name.starts_with("cloudformation-custom-resource#") => {
            read(json, |_: custom_resource::Event| true)
        }
        (_, "cloudwatch.json") => read(json, |_: EventBridge<IgnoredAny>| true),
        _ if ["eventbridge", "scheduled", "cloud-watch-event"]
            .iter()
            .any(|it| name.starts_with(it)) =>
        {
            read(json, |event: EventBridge<IgnoredAny>| !natural(&event).is_absent())
        }
        // Its trigger is none.
        (_, "cognito-user-pool-event-template.json") => cognito::<CognitoPreSignUp>(json),
        _ if name.starts_with("cognito#") => of_cognito(json),
        (_, "appsync#0") => read(json, |event: AppSyncResolver| !event.info.field_name.is_empty()),
        _ if name.starts_with("dynamo") => read(json, changes),
        _ if name.starts_with("kafka") => read(json, |event: KafkaEvent| {
            event.records.iter().all(|record| record.value_as::<Value>().is_ok())
        }),
        _ if name.starts_with("kinesis-firehose") => firehose(json),
        _ if name.starts_with("kinesis") => kinesis(json),
        _ if name.starts_with("s3") => read(json, objects),
        _ if name.starts_with("sns") => read(json, notifications),
        _ if name.starts_with("sqs") => read(json, messages),
        _ => Err("nothing reads it".to_owned()),
    }
}

fn changes(event: DynamoDbEvent) -> bool {
    event.records.iter().all(|record| record.event_id().is_some()) && !event.records.is_empty()
}

fn objects(event: S3Notification) -> bool {
    event.records.iter().all(|record| record.key().is_some()) && !event.records.is_empty()
}

fn notifications(event: SnsEvent) -> bool {
    !event.natural_key().is_absent()
}

fn messages(event: SqsEvent) -> bool {
    event.records.iter().all(|record| record.body().is_some()) && !event.records.is_empty()
}

/// Reads messages whose bodies are `T`s.
fn bodies<T: Body>(json: &Value) -> Result<(), String> {
    read(json, |event: SqsEvent| {
        event.records.iter().all(|record| T::from_text(record.body().unwrap()).is_ok())
    })
}

/// Reads an event of a trigger of Cognito by its name.
fn of_cognito(json: &Value) -> Result<(), String> {
    let trigger = json["triggerSource"].as_str().unwrap();
    match trigger.split('_').next().unwrap() {
        "PreSignUp" => cognito::<CognitoPreSignUp>(json),
        "PostConfirmation" => cognito::<CognitoPostConfirmation>(json),
        "PreAuthentication" => cognito::<CognitoPreAuthentication>(json),
        "PostAuthentication" => cognito::<CognitoPostAuthentication>(json),
        "TokenGeneration" if json["version"] == "2" => cognito::<CognitoPreTokenGenerationV2>(json),
        "TokenGeneration" => cognito::<CognitoPreTokenGeneration>(json),
        "UserMigration" => cognito::<CognitoUserMigration>(json),
        "CustomEmailSender" | "CustomSMSSender" => cognito::<CognitoCustomSender>(json),
        "DefineAuthChallenge" => cognito::<CognitoDefineAuthChallenge>(json),
        "CreateAuthChallenge" => cognito::<CognitoCreateAuthChallenge>(json),
        "VerifyAuthChallengeResponse" => cognito::<CognitoVerifyAuthChallenge>(json),
        other => Err(format!("{other} is no trigger")),
    }
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
    let folder = source_of("aws_lambda_events").join("src/fixtures");
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

/// Each of them has a type, or is on a list that says why not.
#[test]
fn the_events_of_npm_packages_are_read() {
    let Some(mut files) = npm_events() else { return };
    for (name, reason) in WRONG_OF_NPM {
        assert!(files.remove(*name).is_some_and(|file| file.is_string()), "{name}: {reason}");
    }
    for name in OTHERS_OF_NPM {
        assert!(files.remove(*name).is_some_and(|file| file.is_object()), "{name}");
    }
    files.retain(|name, _| !REQUESTS_OF_NPM.contains(&name.as_str()));
    check(files, |name, json| Some(of_npm(name, json)), 50);
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
