//! The events that packages of others contain, read when the test runs: each with our types.

use std::collections::BTreeMap;
use std::fs;

use powertools::batch::{self, FirehoseMessage, KinesisMessage, Transformed};
use powertools::events::*;
use powertools_tests::emulators::{npm_events, sam_events};
use powertools_tests::source_of;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::custom_resource::response_to;

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

/// The members of Cognito's events that are strings by their names. Samples have booleans there too, which are
/// read as strings.
const STRINGS: [&str; 1] = ["userAttributes"];

/// Without nulls and what is empty, and with each of [`STRINGS`] as it is read.
pub(super) fn pruned(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| match value {
                Value::Object(values) if STRINGS.contains(&&*name) => (name, pruned(texts(values))),
                value => (name, pruned(value)),
            });
            let is_empty = |value: &Value| match value {
                Value::Null => true,
                Value::Object(members) => members.is_empty(),
                Value::Array(list) => list.is_empty(),
                _ => false,
            };
            Value::Object(members.filter(|(_, value)| !is_empty(value)).collect())
        }
        Value::Array(list) => list.into_iter().map(pruned).collect(),
        other => other,
    }
}

/// With the text of what is not a string.
fn texts(values: Map<String, Value>) -> Value {
    let text = |value| match value {
        Value::String(_) | Value::Null => value,
        other => other.to_string().into(),
    };
    values.into_iter().map(|(name, value)| (name, text(value))).collect::<Map<_, _>>().into()
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

/// Lets a function handle an event of CloudFormation, which would be told what is invalid.
fn custom_resource(json: &Value) -> Result<(), String> {
    let response = Runtime::new().unwrap().block_on(response_to(json.clone()));
    if response["Status"] == "SUCCESS" { Ok(()) } else { Err(response.to_string()) }
}

/// Reads an event of `aws_lambda_events` by its name.
fn of_rust(name: &str, json: &Value) -> Result<(), String> {
    match name {
        _ if json.get("detail").is_some() => read(json, of_event_bridge),
        _ if name.starts_with("activemq") => read(json, |event: ActiveMqEvent| {
            event.records.iter().all(|record| record.data().is_ok())
        }),
        _ if name.starts_with("rabbitmq") => read(json, |event: RabbitMqEvent| {
            !event.records.is_empty() && event.records.iter().all(|record| record.data().is_ok())
        }),
        _ if name.starts_with("documentdb") => read(json, |event: DocumentDbEvent| {
            !event.records.is_empty() && event.records.iter().all(|record| record.id().is_some())
        }),
        "dynamodb-event-record-with-optional-fields" => read(json, |_: DynamoDbRecord| true),
        _ if name.starts_with("dynamodb") => {
            read(json, |event: DynamoDbEvent| !event.records.is_empty())
        }
        "firehose-event" | "kinesis-firehose-event" => firehose(json),
        _ if name.starts_with("kafka") => read(json, |event: KafkaEvent| !event.records.is_empty()),
        _ if name.starts_with("kinesis-event") => kinesis(json),
        "s3-event" | "s3-event-with-decoded" => read(json, |event: S3Notification| {
            event.records.iter().all(|record| record.key().is_some())
        }),
        "sns-event" | "sns-event-pascal-case" => read(json, notifications),
        _ if name.starts_with("cloudwatch-alarm-sns") => {
            read(json, |event: SnsEvent<Value>| event.records[0].message["AlarmName"].is_string())
        }
        // A queue receives it, too, and it is no message.
        _ if name.starts_with("sns-") && name.ends_with("-confirmation") => {
            let error = read(json, |_: Sns| true).unwrap_err();
            if error.contains("confirms a subscription") { Ok(()) } else { Err(error) }
        }
        "sns-event-obj" => {
            read(json, |event: SnsEvent<Value>| event.records[0].message.is_object())
        }
        "sqs-event" | "sqs-event-obj" => {
            read(json, |event: SqsEvent| event.records.iter().all(|record| record.body().is_some()))
        }
        "cloudwatch_logs-event" => read(json, |event: CloudWatchLogsEvent| {
            !event.logs.is_control_message && !event.logs.events.is_empty()
        }),
        _ if name.starts_with("bedrock-agent") => read(json, |event: BedrockAgent| {
            let values: Vec<_> = event.parameters.iter().chain(&event.properties).collect();
            !values.is_empty()
                && values.iter().all(|parameter| parameter.value.as_deref() == Some("value1"))
        }),
        "appsync-direct-resolver" => {
            read(json, |event: AppSyncResolver| event.info.field_name == "greet")
        }
        "appsync-lambda-auth-request" => {
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
            && name.ends_with("-request")
            && !name.contains("provider") =>
        {
            custom_resource(json)
        }
        _ => Err(NOTHING.to_owned()),
    }
}

/// Reads an event of AWS's SAM CLI by the name of its file.
fn of_sam(name: &str, json: &Value) -> Result<(), String> {
    match name {
        "appsync/AppSyncDirectResolver.json" => read(json, |_: AppSyncResolver| true),
        "cloudformation/CfnCreateRequest.json" => custom_resource(json),
        "cloudwatch/CloudwatchLogs.json" => {
            read(json, |event: CloudWatchLogsEvent| !event.logs.events.is_empty())
        }
        "cloudwatch/ScheduledEvent.json" => read(json, of_event_bridge),
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
        "rekognition/RekognitionS3Request.json" => read(json, objects),
        _ if name.starts_with("s3/") => read(json, objects),
        "sns/Sns.json" => read(json, notifications),
        "sqs/Sqs.json" => read(json, |event: SqsEvent| event.records[0].body().is_some()),
        _ => Err(NOTHING.to_owned()),
    }
}

/// What the packages contain beside events that are read here: the reason, and the names in their order.
type Others = &'static [(&'static str, &'static [&'static str])];

const NOTHING: &str = "nothing reads it";

const SERVICE: &str = "a call by a service for which there is no type";

/// Requests among the events of `aws_lambda_events`, which the tests of HTTP read.
pub(crate) const REQUESTS_OF_RUST: &[&str] = &[
    "alb-lambda-target-request-headers-only",
    "alb-lambda-target-request-multivalue-headers",
    "apigw-console-request",
    "apigw-console-test-request",
    "apigw-request",
    "apigw-request-catch-all",
    "apigw-request-multi-value-parameters",
    "apigw-restapi-openapi-request",
    "apigw-sam-http-request",
    "apigw-sam-rest-request",
    "apigw-v2-request-iam",
    "apigw-v2-request-jwt-authorizer",
    "apigw-v2-request-lambda-authorizer",
    "apigw-v2-request-multi-value-parameters",
    "apigw-v2-request-no-authorizer",
    "apigw-websocket-request",
    "apigw-websocket-request-disconnect-route",
    "apigw-websocket-request-without-method",
    "vpc-lattice-v1-request",
    "vpc-lattice-v2-request",
    "vpc-lattice-v2-request-base64",
    "vpc-lattice-v2-request-roles-anywhere",
];

/// What of `aws_lambda_events` has no type.
const OTHERS_OF_RUST: Others = &[
    (
        "an answer of a function",
        &[
            "alb-lambda-target-response",
            "apigw-custom-auth-response",
            "apigw-custom-auth-response-with-condition",
            "apigw-custom-auth-response-with-single-value-action",
            "apigw-custom-auth-response-with-single-value-resource",
            "apigw-response",
            "appsync-lambda-auth-response",
            "cloudformation-custom-resource-provider-response",
            "cloudformation-custom-resource-response",
            "iot-custom-auth-response",
            "kinesis-firehose-response",
            "lex-response",
            "sqs-batch-response",
            "vpc-lattice-response",
        ],
    ),
    (
        "a question to an authorizer",
        &[
            "apigw-custom-auth-request",
            "apigw-custom-auth-request-type-request",
            "apigw-v2-custom-authorizer-v1-request",
            "apigw-v2-custom-authorizer-v2-request",
            "apigw-v2-custom-authorizer-v2-request-null-maps",
            "apigw-v2-custom-authorizer-v2-request-without-cookies",
            "apigw-v2-custom-authorizer-v2-request-without-identity-source",
            "apigw-v2-custom-authorizer-websocket-request",
            "iot-custom-auth-request",
            "iot-custom-auth-request-x509",
        ],
    ),
    ("what a template of the API makes of its request", &["appsync-batchinvoke", "appsync-invoke"]),
    (
        "the detail alone of an event of EventBridge",
        &[
            "cloudwatch-cloudtrail-assumed-role",
            "cloudwatch-cloudtrail-unknown-federate",
            "cloudwatch-cloudtrail-unknown-user-auth",
            "controltower-create-managed-account",
            "controltower-deregister-organizational-unit",
            "controltower-disable-baseline",
            "controltower-disable-guardrail",
            "controltower-enable-baseline",
            "controltower-enable-guardrail",
            "controltower-precheck-organizational-unit",
            "controltower-register-organizational-unit",
            "controltower-reset-enabled-baseline",
            "controltower-setup-landing-zone",
            "controltower-update-enabled-baseline",
            "controltower-update-landing-zone",
            "controltower-update-managed-account",
        ],
    ),
    (
        "of CloudFormation's provider framework, which has no URL for a response",
        &[
            "cloudformation-custom-resource-provider-create-request",
            "cloudformation-custom-resource-provider-delete-request",
            "cloudformation-custom-resource-provider-update-request",
        ],
    ),
    ("an answer of the API of SQS", &["sqs-api-event-obj"]),
    (
        "an event of EventBridge that has no `detail`",
        &["cloudwatch-alarm-composite-with-suppressor-alarm"],
    ),
    (
        SERVICE,
        &[
            "clientvpn-connectionhandler-request",
            "cloudwatch-alarm-composite",
            "cloudwatch-alarm-metric",
            "code_commit-event",
            "codedeploy-lifecycle-event",
            "codepipeline_job-event",
            "cognito-event",
            "config-event",
            "connect-event",
            "connect-event-without-queue",
            "iot_1_click-event",
            "iot_button-event",
            "lex-event",
            "s3-object-lambda-event-get-object-assumed-role",
            "s3-object-lambda-event-get-object-iam",
            "s3-object-lambda-event-head-object-iam",
            "s3-object-lambda-event-list-objects-iam",
            "s3-object-lambda-event-list-objects-v2-iam",
            "secretsmanager-secret-rotation-event",
            "ses-bcc-event",
            "ses-event",
            "ses-lambda-event",
            "ses-s3-event",
            "ses-sns-event",
        ],
    ),
];

/// Requests among the events of the SAM CLI, which the tests of HTTP read.
pub(crate) const REQUESTS_OF_SAM: &[&str] =
    &["alb/ALBRequest.json", "apigateway/AwsProxy.json", "apigateway/HttpApi.json"];

/// What of the SAM CLI has no type.
const OTHERS_OF_SAM: Others = &[
    (
        "a question to an authorizer",
        &[
            "apigateway/ApiGatewayAuthorizer.json",
            "apigateway/ApiGatewayRestRequestAuthorizer.json",
        ],
    ),
    (
        "Lambda@Edge, which runs no functions in Rust",
        &[
            "cloudfront/CloudFrontABTest.json",
            "cloudfront/CloudFrontAccessRequestInResponse.json",
            "cloudfront/CloudFrontHttpRedirect.json",
            "cloudfront/CloudFrontModifyQueryString.json",
            "cloudfront/CloudFrontModifyResponseHeader.json",
            "cloudfront/CloudFrontMultipleRemoteCallsAggregateResponse.json",
            "cloudfront/CloudFrontNormalizeQuerystringToImproveCacheHit.json",
            "cloudfront/CloudFrontRedirectOnViewerCountry.json",
            "cloudfront/CloudFrontRedirectUnauthenticatedUsers.json",
            "cloudfront/CloudFrontResponseGeneration.json",
            "cloudfront/CloudFrontServeObjectOnViewerDevice.json",
            "cloudfront/CloudFrontSimpleRemoteCall.json",
        ],
    ),
    (
        "a request to the API of AWS Batch, and its answer",
        &["batch/BatchGetJob.json", "batch/BatchSubmitJob.json"],
    ),
    ("what a state machine catches", &["stepfunctions/StepFunctionsError.json"]),
    (
        SERVICE,
        &[
            "alexa-skills-kit/AlexaEndSession.json",
            "alexa-skills-kit/AlexaIntentAnswer.json",
            "alexa-skills-kit/AlexaIntentGetNewFact.json",
            "alexa-skills-kit/AlexaIntentMyColorIs.json",
            "alexa-skills-kit/AlexaIntentRecipe.json",
            "alexa-skills-kit/AlexaStartSession.json",
            "alexa-smart-home/AlexaSmartHomeControlTurnOffRequest.json",
            "alexa-smart-home/AlexaSmartHomeControlTurnOnRequest.json",
            "alexa-smart-home/AlexaSmartHomeDiscoveryRequest.json",
            "codecommit/CodeCommit.json",
            "codepipeline/CodePipeline.json",
            "cognito/CognitoSyncTrigger.json",
            "config/ConfigurationItemChangeNotification.json",
            "config/OversizedConfigurationItemChangeNotification.json",
            "config/PeriodicRule.json",
            "connect/ConnectContactFlowEvent.json",
            "kinesis/KinesisAnalytics.json",
            "kinesis/KinesisAnalyticsKpl.json",
            "lex-v2/BankingBot.json",
            "lex-v2/LexBookCar.json",
            "lex-v2/LexBookHotel.json",
            "lex/LexBookCar.json",
            "lex/LexBookHotel.json",
            "lex/LexMakeAppointment.json",
            "lex/LexOrderFlowers.json",
            "sagemaker/AnnotationConsolidation.json",
            "sagemaker/PreHumanTask.json",
            "ses/SesEmailReceiving.json",
            "workmail/WorkMail.json",
        ],
    ),
];

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

/// What of npm packages has no type.
const OTHERS_OF_NPM: Others = &[
    (
        "a question to an authorizer",
        &[
            "@aws-lambda-powertools/parser/api-gateway#0",
            "@aws-lambda-powertools/parser/api-gateway#1",
            "@aws-lambda-powertools/parser/api-gateway#2",
            "@aws-lambda-powertools/parser/api-gateway-websocket#0",
            "@aws-lambda-powertools/parser/api-gatewayv2#0",
        ],
    ),
    ("what a template of the API makes of its request", &["aws-event-mocks/apiGateway.json"]),
    ("the frame of others", &["lambda-event-mock/event-with-records.json"]),
    ("Lambda@Edge, which runs no functions in Rust", &["lambda-event-mock/cloudfront-record.json"]),
    (
        "without the physical id that CloudFormation always sends",
        &[
            "@aws-lambda-powertools/parser/cloudformation-custom-resource#1",
            "@aws-lambda-powertools/parser/cloudformation-custom-resource#2",
        ],
    ),
    (
        SERVICE,
        &[
            "@aws-lambda-powertools/parser/connect-outbound-campaigns#0",
            "@aws-lambda-powertools/parser/s3#3",
            "@aws-lambda-powertools/parser/ses#0",
            "@aws-lambda-powertools/parser/transfer-family#0",
            "@serverless/event-mocks/alexa-skill-event-template.json",
            "@serverless/event-mocks/alexa-smart-home-event-template.json",
            "lambda-event-mock/cognito.json",
            "lambda-event-mock/config.json",
            "lambda-event-mock/iot-button.json",
            "lambda-event-mock/lex.json",
            "lambda-event-mock/ses-record.json",
        ],
    ),
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
        (_, "cloudformation.json") => custom_resource(json),
        _ if name.starts_with("cloudformation-custom-resource#") => custom_resource(json),
        (_, "cloudwatch.json") => read(json, of_event_bridge),
        _ if ["eventbridge", "scheduled", "cloud-watch-event"]
            .iter()
            .any(|it| name.starts_with(it)) =>
        {
            read(json, of_event_bridge)
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
        _ => Err(NOTHING.to_owned()),
    }
}

fn of_event_bridge(event: EventBridge<IgnoredAny>) -> bool {
    !event.source.is_empty() && !natural(&event).is_absent()
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

/// Checks that every file has a type, is a request, or is on the list of the others; and that the lists have
/// no other names.
fn check(
    mut files: BTreeMap<String, Value>,
    read: impl Fn(&str, &Value) -> Result<(), String>,
    requests: &[&str],
    others: Others,
) {
    for name in requests {
        assert!(files.remove(*name).is_some_and(|file| file.is_object()), "{name}");
    }
    for (reason, names) in others {
        assert!(names.is_sorted(), "{reason}");
        for name in *names {
            let file = files.remove(*name).unwrap_or_else(|| panic!("there is no {name}"));
            assert!(read(name, &file).is_err(), "{name} is read, and is not only {reason}");
        }
    }
    let failures: Vec<_> = files
        .iter()
        .filter_map(|(name, json)| Some(format!("{name}: {}", read(name, json).err()?)))
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_events_of_aws_lambda_events_are_read() {
    let folder = source_of("aws_lambda_events").join("src/fixtures");
    let mut files = BTreeMap::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let name = path.file_stem().unwrap().to_str().unwrap();
            let json = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            files.insert(name.strip_prefix("example-").unwrap().to_owned(), json);
        }
    }
    check(files, of_rust, REQUESTS_OF_RUST, OTHERS_OF_RUST);
}

#[test]
fn the_events_of_the_sam_cli_are_read() {
    let Some(files) = sam_events() else { return };
    check(files, of_sam, REQUESTS_OF_SAM, OTHERS_OF_SAM);
}

#[test]
fn the_events_of_npm_packages_are_read() {
    let Some(mut files) = npm_events() else { return };
    for (name, reason) in WRONG_OF_NPM {
        assert!(files.remove(*name).is_some_and(|file| file.is_string()), "{name}: {reason}");
    }
    check(files, of_npm, REQUESTS_OF_NPM, OTHERS_OF_NPM);
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
