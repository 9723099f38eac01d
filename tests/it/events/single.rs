//! Cognito's triggers and AppSync: single events with a reply of their own.

use std::fs;

use powertools::events::{
    AppSyncAuthorization, AppSyncAuthorizer, AppSyncEvents, AppSyncEventsReply, AppSyncResolver,
    BedrockAction, BedrockAgent, CognitoCustomMessage, CognitoDefineAuthChallenge,
    CognitoPostConfirmation, CognitoPreSignUp, CognitoPreTokenGeneration,
    CognitoPreTokenGenerationV2, CognitoTrigger, CognitoUserMigration, CognitoVerifyAuthChallenge,
};
use powertools::logging::correlation;
use powertools::testing::events::{self, HttpRequest};
use powertools_tests::source_of;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn read<T: DeserializeOwned>(event: Value) -> T {
    serde_json::from_str(&event.to_string()).unwrap()
}

fn written(reply: impl Serialize) -> Value {
    serde_json::to_value(reply).unwrap()
}

#[test]
fn the_reply_to_cognito_is_the_event_with_its_response() {
    let sent = events::cognito("PreSignUp_SignUp")
        .attribute("email", "ada@example.org")
        .request("validationData", json!({ "invitation": "7" }))
        .request("new", json!([1]))
        .build();
    let mut event: CognitoPreSignUp = read(sent.clone());
    assert_eq!(event.trigger_source, "PreSignUp_SignUp");
    assert_eq!(event.request.user_attributes["email"], "ada@example.org");
    assert_eq!(event.request.validation_data["invitation"], "7");
    assert_eq!(written(&event), sent, "nothing is lost");
    event.response.auto_confirm_user = Some(true);
    let mut expected = sent;
    expected["response"]["autoConfirmUser"] = json!(true);
    assert_eq!(written(&event), expected);
    let shown = format!("{event:?} {:?}", event.request);
    assert!(!shown.contains("ada"), "{shown}");
}

#[test]
fn each_trigger_has_its_response() {
    let mut event: CognitoPreTokenGeneration =
        read(events::cognito("TokenGeneration_Authentication").build());
    let claims = event.response.claims_override_details.get_or_insert_default();
    claims.claims_to_suppress.push("email".to_owned());
    claims.claims_to_add_or_override.insert("plan".to_owned(), "gold".to_owned());
    assert_eq!(
        written(event)["response"],
        json!({ "claimsOverrideDetails": {
            "claimsToAddOrOverride": { "plan": "gold" }, "claimsToSuppress": ["email"],
        } })
    );

    let mut event: CognitoPreTokenGenerationV2 = read(
        events::cognito("TokenGeneration_Authentication").request("scopes", json!(["a"])).build(),
    );
    assert_eq!(event.request.scopes, ["a"]);
    let details = event.response.claims_and_scope_override_details.get_or_insert_default();
    let access = details.access_token_generation.get_or_insert_default();
    access.scopes_to_add.push("orders/read".to_owned());
    access.claims_to_add_or_override.insert("tenants".to_owned(), json!([1, 2]));
    assert_eq!(
        written(event)["response"]["claimsAndScopeOverrideDetails"],
        json!({ "accessTokenGeneration": {
            "claimsToAddOrOverride": { "tenants": [1, 2] }, "scopesToAdd": ["orders/read"],
        } })
    );

    let session = json!([{ "challengeName": "CUSTOM_CHALLENGE", "challengeResult": true }]);
    let mut event: CognitoDefineAuthChallenge = read(
        events::cognito("DefineAuthChallenge_Authentication").request("session", session).build(),
    );
    event.response.issue_tokens = event.request.session[0].challenge_result;
    assert_eq!(written(event)["response"], json!({ "issueTokens": true }));

    let answer = events::cognito("VerifyAuthChallengeResponse_Authentication")
        .request("privateChallengeParameters", json!({ "answer": "7" }))
        .request("challengeAnswer", "7");
    let mut event: CognitoVerifyAuthChallenge = read(answer.build());
    event.response.answer_correct = Some(event.request.is_answer("answer"));
    assert_eq!(written(event)["response"], json!({ "answerCorrect": true }));

    let mut event: CognitoUserMigration =
        read(events::cognito("UserMigration_Authentication").request("password", "p").build());
    event.response.final_user_status = Some("CONFIRMED".to_owned());
    event.response.enable_sms_mfa = Some(true);
    assert_eq!(
        written(event)["response"],
        json!({ "finalUserStatus": "CONFIRMED", "enableSMSMFA": true })
    );

    let mut event: CognitoCustomMessage =
        read(events::cognito("CustomMessage_SignUp").request("codeParameter", "{####}").build());
    event.response.sms_message = event.request.code_parameter.clone();
    assert_eq!(written(event)["response"], json!({ "smsMessage": "{####}" }));
}

#[test]
fn only_the_answer_that_a_challenge_kept_is_right() {
    let right = |expected: Value, answer: Value| {
        let request = events::cognito("VerifyAuthChallengeResponse_Authentication")
            .request("privateChallengeParameters", expected)
            .request("challengeAnswer", answer);
        read::<CognitoVerifyAuthChallenge>(request.build()).request.is_answer("answer")
    };
    assert!(right(json!({ "answer": "7" }), json!("7")));
    for (expected, answer) in [
        (json!({ "answer": "7" }), json!("8")),
        (json!({ "answer": "7" }), json!("")),
        (json!({ "answer": "7" }), json!(null)),
        (json!({ "answer": "7" }), json!({ "answer": "7" })),
        (json!({ "other": "7" }), json!("7")),
        (json!({ "answer": null }), json!(null)),
        (json!({ "answer": null }), json!("null")),
        (json!({}), json!(null)),
        (json!(null), json!(null)),
        (json!(null), json!("")),
    ] {
        assert!(!right(expected.clone(), answer.clone()), "{expected} {answer}");
    }
    let absent = events::cognito("VerifyAuthChallengeResponse_Authentication").build();
    assert!(!read::<CognitoVerifyAuthChallenge>(absent).request.is_answer("answer"));
}

#[test]
fn an_event_of_cognito_needs_its_trigger_and_nothing_else() {
    let event: CognitoPostConfirmation = read(json!({
        "triggerSource": "PostConfirmation_ConfirmSignUp", "userName": null, "callerContext": null,
        "request": null, "response": null,
    }));
    assert!(event.request.user_attributes.is_empty());
    for odd in [json!(null), json!([]), json!({}), json!("x"), json!({ "triggerSource": 1 })] {
        assert!(serde_json::from_value::<CognitoPostConfirmation>(odd).is_err());
    }
}

#[derive(Debug, PartialEq, serde::Deserialize)]
struct Arguments {
    id: u64,
}

#[test]
fn a_field_of_appsync_is_resolved_alone_or_with_others() {
    let event = events::appsync_resolver("Query", "order")
        .arguments(json!({ "id": 7 }))
        .identity(json!({ "sub": "s-1", "claims": { "exp": 1_551_228_178_628_u64 }, "sourceIp": ["::1"] }))
        .build();
    let list: Vec<AppSyncResolver<Arguments>> = read(json!([event.clone(), event.clone()]));
    assert_eq!(list.len(), 2);
    let resolver: AppSyncResolver<Arguments> = read(event.clone());
    assert_eq!(resolver.arguments, Arguments { id: 7 });
    assert_eq!(
        (resolver.info.parent_type_name.as_str(), resolver.info.field_name.as_str()),
        ("Query", "order")
    );
    assert!(resolver.source.is_none() && resolver.prev.is_none());
    let header = resolver.request.header("X-Amzn-Trace-Id").unwrap().to_owned();
    assert_eq!(found(correlation::APPSYNC_RESOLVER, &event), Some(header.clone()));
    assert_eq!(found(correlation::APPSYNC_BATCH_RESOLVER, &json!([event])), Some(header.clone()));
    let shown = format!("{resolver:?}");
    assert!(!shown.contains(&header), "{shown}");

    let mut piped = event.clone();
    piped["prev"] = json!({ "result": { "a": 1 } });
    assert_eq!(read::<AppSyncResolver>(piped).prev, Some(json!({ "a": 1 })));
    for odd in [json!({}), json!({ "arguments": {} }), json!({ "arguments": {}, "info": {} })] {
        assert!(serde_json::from_value::<AppSyncResolver>(odd).is_err());
    }
    let mut wrong = event;
    wrong["arguments"]["id"] = json!("x");
    assert!(serde_json::from_value::<AppSyncResolver<Arguments>>(wrong).is_err());
}

#[test]
fn an_authorizer_of_appsync_does_not_show_its_token() {
    let sent = events::appsync_authorizer("t0ken");
    let event: AppSyncAuthorizer = read(sent.clone());
    assert_eq!(event.authorization_token, "t0ken");
    assert!(!format!("{event:?}").contains("t0ken"));
    assert_eq!(found(correlation::APPSYNC_AUTHORIZER, &sent), event.request_context.request_id);
    assert!(event.header("HOST").is_some());
    assert_eq!(written(AppSyncAuthorization::refused()), json!({ "isAuthorized": false }));
    let granted = AppSyncAuthorization::granted().context("a", "b").denied_field("Query.x").ttl(60);
    assert_eq!(
        written(granted),
        json!({
            "isAuthorized": true, "resolverContext": { "a": "b" }, "deniedFields": ["Query.x"], "ttlOverride": 60,
        })
    );
}

#[test]
fn a_channel_of_appsync_publishes_what_the_reply_has() {
    let sent = events::appsync_events("/orders/7")
        .message(json!({ "n": 1 }))
        .message(json!({ "n": 2 }))
        .build();
    let event: AppSyncEvents = read(sent.clone());
    assert!(!event.is_subscription());
    assert_eq!((event.info.channel(), event.info.namespace()), ("/orders/7", Some("orders")));
    assert!(found(correlation::APPSYNC_EVENTS, &sent).is_some());
    let [one, two] = &event.events[..] else { panic!("{event:?}") };
    let reply = AppSyncEventsReply::new().publish(&one.id, &one.payload).refuse(&two.id, "no");
    assert_eq!(
        written(reply),
        json!({ "events": [{ "id": one.id, "payload": { "n": 1 } }, { "id": two.id, "error": "no" }] })
    );
    assert_eq!(written(AppSyncEventsReply::<()>::refused("no")), json!({ "error": "no" }));

    let mut sent = events::appsync_events("/orders/7").build();
    sent["identity"] = json!({ "handlerContext": { "tenant": "t-1" } });
    let event: AppSyncEvents = read(sent);
    assert_eq!(event.identity.unwrap().handler_context["tenant"], "t-1");
    let event: AppSyncEvents<u64> = read(events::appsync_events("/orders/7").build());
    assert!(event.is_subscription() && event.events.is_empty());
}

#[test]
fn an_agent_of_bedrock_gets_a_reply_for_its_action() {
    let sent = events::bedrock_function("orders", "status")
        .parameter("order", "integer", "7")
        .session_attribute("user", "ada")
        .session("s-1");
    let event: BedrockAgent = read(sent.clone().build());
    assert_eq!(event.action, BedrockAction::Function("status".to_owned()));
    assert_eq!((event.parameter("order"), event.property("order")), (Some("7"), None));
    let reply = event.reply("on its way").session_attribute("order", "7");
    let expected = json!({
        "messageVersion": "1.0",
        "response": {
            "actionGroup": "orders", "function": "status",
            "functionResponse": { "responseBody": { "TEXT": { "body": "on its way" } } },
        },
        "sessionAttributes": { "user": "ada", "order": "7" },
        "promptSessionAttributes": {},
    });
    assert_eq!(written(reply), expected);
    let of_state = |reply| written(reply)["response"]["functionResponse"]["responseState"].clone();
    assert_eq!(of_state(event.reply("").failed()), "FAILURE");
    assert_eq!(of_state(event.reply("").reprompt()), "REPROMPT");
    let reply = event.reply("hello").session_attribute("order", "7");
    let shown = format!("{event:?} {:?} {reply:?}", event.parameters);
    assert!(!shown.contains("hello") && !shown.contains('7'), "{shown}");

    let sent = events::bedrock_operation("orders", "POST", "/orders").property("n", "number", "1");
    let event: BedrockAgent = read(sent.prompt_attribute("a", "b").build());
    assert_eq!((event.parameter("n"), event.property("n")), (None, Some("1")));
    let expected = json!({
        "messageVersion": "1.0",
        "response": {
            "actionGroup": "orders", "apiPath": "/orders", "httpMethod": "POST", "httpStatusCode": 200,
            "responseBody": { "application/json": { "body": "{}" } },
        },
        "sessionAttributes": {},
        "promptSessionAttributes": { "a": "b" },
    });
    assert_eq!(written(event.reply("{}")), expected);
    let status = |reply| written(reply)["response"]["httpStatusCode"].clone();
    let replies =
        [event.reply("").failed(), event.reply("").reprompt(), event.reply("").status(404)];
    assert_eq!(replies.map(status), [500, 400, 404]);
    let replies = [event.reply("").status(404).failed(), event.reply("").failed().status(404)];
    assert_eq!(replies.map(status), [404, 404], "in any order");
}

/// A parameter that is not required can lack its value, and the others are still of use.
#[test]
fn a_parameter_without_a_value_is_absent() {
    let sent = events::bedrock_operation("orders", "POST", "/orders")
        .parameter("null", "string", "")
        .parameter("missing", "string", "")
        .parameter("empty", "string", "")
        .property("null", "number", "")
        .property("n", "number", "1");
    let mut sent = sent.build();
    sent["parameters"][0]["value"] = json!(null);
    sent["parameters"][1].as_object_mut().unwrap().remove("value");
    sent["requestBody"]["content"]["application/json"]["properties"][0]["value"] = json!(null);
    let event: BedrockAgent = read(sent.clone());
    assert_eq!(
        ["null", "missing", "empty"].map(|name| event.parameter(name)),
        [None, None, Some("")]
    );
    assert_eq!(["null", "n"].map(|name| event.property(name)), [None, Some("1")]);
    assert_eq!((event.parameters.len(), event.properties.len()), (3, 2), "they are listed");

    // One of another type is no value that was not taken.
    sent["parameters"][0]["value"] = json!(7);
    assert!(serde_json::from_str::<BedrockAgent>(&sent.to_string()).is_err());
}

#[test]
fn an_agent_of_bedrock_calls_a_function_or_an_operation() {
    let function = events::bedrock_function("g", "f").build();
    let operation = events::bedrock_operation("g", "GET", "/").build();
    let mut both = function.clone();
    both["apiPath"] = json!("/");
    let mut without_method = operation.clone();
    without_method["httpMethod"] = json!(null);
    let mut neither = function.clone();
    neither["function"] = json!(null);
    for odd in [both, without_method, neither, json!({}), json!([])] {
        assert!(serde_json::from_str::<BedrockAgent>(&odd.to_string()).is_err(), "{odd}");
    }
    for mut sent in [function, operation] {
        for member in
            ["parameters", "requestBody", "sessionAttributes", "promptSessionAttributes", "agent"]
        {
            sent[member] = json!(null);
        }
        let event: BedrockAgent = read(sent);
        assert!(event.parameters.is_empty() && event.session_attributes.is_empty());
    }
}

/// The correlation id of an event, as the logs find it.
fn found(place: &str, event: &Value) -> Option<String> {
    event.pointer(place)?.as_str().map(str::to_owned)
}

#[test]
fn every_place_of_a_correlation_id_is_in_its_event() {
    macro_rules! places {
        ($($name:ident: $event:expr,)*) => {
            [$((stringify!($name), correlation::$name, $event)),*]
        };
    }
    let traced = |request: HttpRequest| request.header("X-Amzn-Trace-Id", "Root=1-a").build();
    let object_lambda = source_of("aws_lambda_events")
        .join("src/fixtures/example-s3-object-lambda-event-get-object-iam.json");
    let object_lambda = serde_json::from_slice(&fs::read(object_lambda).unwrap()).unwrap();
    let resolver = events::appsync_resolver("Query", "order").build();
    let places = places![
        API_GATEWAY_REST: events::api_gateway_v1("GET", "/").build(),
        API_GATEWAY_HTTP: events::api_gateway_v2("GET", "/").build(),
        LAMBDA_FUNCTION_URL: events::function_url("GET", "/").build(),
        APPLICATION_LOAD_BALANCER: events::load_balancer("GET", "/").build(),
        APPSYNC_RESOLVER: resolver.clone(),
        APPSYNC_BATCH_RESOLVER: json!([resolver]),
        APPSYNC_EVENTS: events::appsync_events("/orders").build(),
        APPSYNC_AUTHORIZER: events::appsync_authorizer("t"),
        API_GATEWAY_WEBSOCKET: events::web_socket("$default").build(),
        CLOUDFORMATION: events::custom_resource("http://localhost/").build(),
        FIREHOSE: events::firehose("f").record("x").build(),
        S3: events::s3("b").created("k", 1).build(),
        S3_BATCH: events::s3_batch("b", "k").build(),
        SNS: events::sns("t", "x").build(),
        EVENT_BRIDGE: events::event_bridge("s", "d", json!({})).build(),
        VPC_LATTICE: traced(events::vpc_lattice_v1("GET", "/")),
        VPC_LATTICE_V2: traced(events::vpc_lattice("GET", "/")),
        APPLICATION_LOAD_BALANCER_MULTI_VALUE:
            events::load_balancer("GET", "/").multi_value_headers().build(),
        BEDROCK_AGENT: events::bedrock_function("g", "f").build(),
        SCHEDULER: events::schedule("daily").build(),
        S3_OBJECT_LAMBDA: object_lambda,
    ];
    let source = include_str!("../../../powertools/src/logging/correlation/mod.rs");
    let declared =
        source.lines().filter_map(|line| line.strip_prefix("pub const ")?.split(':').next());
    assert_eq!(places.each_ref().map(|(name, ..)| *name)[..], declared.collect::<Vec<_>>());
    for (name, place, event) in &places {
        assert!(found(place, event).is_some_and(|id| !id.is_empty()), "{name} {event}");
    }

    // Where the input of a target has them.
    let schedule = json!({ "schedule": events::scheduler_context("daily").build() });
    let task = json!({ "context": events::step_functions_context("s").build() });
    for (place, event) in [("/schedule/execution_id", schedule), ("/context/Execution/Id", task)] {
        assert!(found(place, &event).is_some(), "{place} {event}");
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,4}", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// An event that is not changed is returned as it came, with members that no one knows yet.
    #[test]
    fn unknown_members_of_cognito_come_back(name in "[a-z]{12}", value in json_value(), place in 0..3_usize) {
        let mut event = events::cognito("PostConfirmation_ConfirmSignUp").build();
        match place {
            0 => event[&name] = value,
            1 => event["request"][&name] = value,
            _ => event["response"][&name] = value,
        }
        prop_assert_eq!(written(read::<CognitoPostConfirmation>(event.clone())), event);
    }

    #[test]
    fn changed_events_are_values_or_errors(member in prop::sample::select(vec![
        "/request", "/response", "/callerContext", "/userName", "/request/userAttributes", "/events", "/info",
        "/info/channel", "/identity", "/request/headers", "/arguments", "/stash", "/prev", "/events/0/id",
    ]), value in json_value()) {
        let change = |mut event: Value| {
            if let Some(place) = event.pointer_mut(member) {
                *place = value.clone();
            }
            event.to_string()
        };
        let _ = serde_json::from_str::<CognitoTrigger<Value, Value>>(&change(events::cognito("x").build()));
        let _ = serde_json::from_str::<CognitoPreSignUp>(&change(events::cognito("x").build()));
        let _ = serde_json::from_str::<AppSyncResolver>(&change(events::appsync_resolver("a", "b").build()));
        let sent = events::appsync_events("/a").message(json!(1)).message(json!(2)).build();
        if let Ok(event) = serde_json::from_str::<AppSyncEvents>(&change(sent)) {
            let count = if member == "/events" { value.as_array().map_or(0, Vec::len) } else { 2 };
            prop_assert_eq!(event.events.len(), count);
        }
    }
}
