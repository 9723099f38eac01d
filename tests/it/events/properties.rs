//! Random events of every format: what was put into a builder is found by the parser of its text, and what is
//! changed on the way is a value or an error, and no record that is lost.

use std::collections::BTreeMap;

use powertools::batch::{FirehoseMessage, FromRecord as _, KinesisMessage};
use powertools::events::*;
use powertools::testing::events::{self, KafkaRecord, KinesisRecord, SqsMessage};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};

use super::fixtures::pruned;

/// Replaces values anywhere in an event.
pub(crate) fn change(value: &mut Value, places: &mut impl Iterator<Item = (bool, Value)>) {
    let Some((replaced, other)) = places.next() else { return };
    match value {
        _ if replaced => *value = other,
        Value::Object(members) => members.values_mut().for_each(|value| change(value, places)),
        Value::Array(list) => list.iter_mut().for_each(|value| change(value, places)),
        _ => {}
    }
}

/// What is put into an event by [`change`].
pub(crate) fn odd() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!(null),
        json!(7),
        json!("x"),
        json!([]),
        json!({}),
        json!(true),
        json!(1e30),
    ])
}

/// Reads an event from its text.
fn read<T: DeserializeOwned>(event: &Value) -> Option<T> {
    serde_json::from_str(&event.to_string()).ok()
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 0..20).prop_map(String::from_iter)
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..40)
}

fn item() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    let value = prop_oneof![
        value.clone(),
        prop::collection::vec(value.clone(), 0..3).prop_map(Value::from),
        prop::collection::btree_map("[a-z]{1,3}", value, 0..3).prop_map(|members| json!(members)),
    ];
    prop::collection::btree_map("[a-z]{1,3}", value, 1..4).prop_map(|members| json!(members))
}

proptest! {
    #[test]
    fn messages_of_a_queue_survive(sent in prop::collection::vec((text(), text(), text()), 1..4)) {
        let queue = sent.iter().fold(events::sqs("q.fifo"), |queue, (body, group, value)| {
            let message = SqsMessage::from(body.as_str()).group(group).message_attribute("a", value);
            queue.message(message)
        });
        for event in [queue.clone().build(), queue.build_piped()] {
            let event: SqsEvent = read(&event).unwrap();
            prop_assert_eq!(event.records.len(), sent.len());
            for (record, (body, group, value)) in event.records.iter().zip(&sent) {
                prop_assert_eq!(record.body(), Some(body.as_str()));
                let found = record.group_id();
                prop_assert_eq!(found.as_deref(), Some(group.as_str()));
                let attribute = record.message_attribute("a").unwrap();
                prop_assert_eq!(attribute.string_value.as_deref(), Some(value.as_str()));
            }
        }
    }

    #[test]
    fn records_of_a_stream_survive(sent in prop::collection::vec((text(), bytes()), 1..4)) {
        let stream = sent.iter().fold(events::kinesis("s"), |stream, (key, data)| {
            stream.record(KinesisRecord::new(key, data.clone()))
        });
        for event in [stream.clone().build(), stream.build_piped()] {
            let event: KinesisEvent = read(&event).unwrap();
            prop_assert_eq!(event.records.len(), sent.len());
            for (record, (key, data)) in event.records.iter().zip(&sent) {
                prop_assert_eq!(record.partition_key(), Some(key.as_str()));
                prop_assert_eq!(&record.stream_data().unwrap(), data);
            }
        }
    }

    #[test]
    fn changes_of_items_survive(sent in prop::collection::vec((item(), item()), 1..4)) {
        let table = sent.iter().fold(events::dynamodb("t"), |table, (old, new)| {
            table.modify(json!({ "id": new["id"] }), old.clone(), new.clone())
        });
        let kinesis = table.clone().through_kinesis("MICROSECOND").into_iter();
        let kinesis = kinesis.fold(events::kinesis("s"), events::KinesisRecords::record);
        let kinesis: KinesisEvent = read(&kinesis.build()).unwrap();
        let firehose = table.clone().through_firehose("MILLISECOND").into_iter();
        let firehose = firehose.fold(events::firehose("f"), events::FirehoseRecords::record);
        let firehose: FirehoseEvent = read(&firehose.build()).unwrap();
        let [of_kinesis, of_firehose] = [
            kinesis.records.into_iter().map(|record| KinesisMessage::<DynamoDbRecord>::from_record(record).unwrap().body).collect(),
            firehose.records.into_iter().map(|record| FirehoseMessage::<DynamoDbRecord>::from_record(record).unwrap().body).collect(),
        ];
        let [direct, piped] = [table.clone().build(), table.build_piped()].map(|event| {
            read::<DynamoDbEvent>(&event).unwrap().records
        });
        for records in [direct, piped, of_kinesis, of_firehose] {
            prop_assert_eq!(records.len(), sent.len());
            for (record, (old, new)) in records.iter().zip(&sent) {
                let found = [record.old_image::<Value>(), record.new_image()].map(|image| image.unwrap().unwrap());
                prop_assert_eq!(&found, &[old.clone(), new.clone()]);
                prop_assert!(!natural(record).is_absent() && record.created_at().is_some());
            }
        }
    }

    #[test]
    fn records_of_a_topic_survive(
        sent in prop::collection::vec((0..3_u32, prop::option::of(bytes()), prop::option::of(bytes()), bytes()), 1..8),
    ) {
        let mut expected: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let topic = sent.iter().fold(events::kafka("t"), |topic, (partition, key, value, header)| {
            expected.entry(format!("t-{partition}")).or_default().push((key.clone(), value.clone(), header.clone()));
            let record = value.clone().map_or_else(KafkaRecord::tombstone, KafkaRecord::new);
            let record = key.clone().into_iter().fold(record, KafkaRecord::key);
            topic.record(record.partition(*partition).header("h", header.clone()))
        });
        let own = topic.clone().self_managed();
        for event in [topic.clone().build(), topic.build_piped(), own.clone().build(), own.build_piped()] {
            let event: KafkaEvent = read(&event).unwrap();
            let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
            for record in &event.records {
                let read = (record.key().unwrap(), record.value().unwrap(), record.header("h").unwrap());
                found.entry(record.partition().to_owned()).or_default().push(read);
                prop_assert!(!natural(record).is_absent());
            }
            prop_assert_eq!(&found, &expected);
        }
    }

    #[test]
    fn changes_of_documents_survive(sent in prop::collection::vec((any::<i64>(), item()), 1..4)) {
        let stream = sent.iter().fold(events::document_db("d", "c"), |stream, (id, document)| {
            stream.change("replace", *id, document.clone())
        });
        let event: DocumentDbEvent = read(&stream.build()).unwrap();
        prop_assert_eq!(event.records.len(), sent.len());
        for (record, (id, document)) in event.records.iter().zip(&sent) {
            prop_assert_eq!(record.document_key().unwrap(), Some(json!({ "_id": id })));
            let found: Option<Value> = record.full_document().unwrap();
            prop_assert_eq!(found.as_ref(), Some(document));
        }
    }

    #[test]
    fn keys_of_objects_survive(sent in prop::collection::vec((text(), any::<u64>()), 1..4), argument in text()) {
        let notice = sent.iter().fold(events::s3("b"), |notice, (key, size)| notice.created(key, *size));
        let event: S3Notification = read(&notice.build()).unwrap();
        prop_assert_eq!(event.records.len(), sent.len());
        for (record, (key, size)) in event.records.iter().zip(&sent) {
            let found = record.key();
            prop_assert_eq!(found.as_deref(), Some(key.as_str()));
            prop_assert_eq!(record.size(), Some(*size));
        }
        let key = &sent[0].0;
        let job: S3BatchEvent = read(&events::s3_batch("b", key).argument("a", &argument).build()).unwrap();
        let found = job.tasks[0].key();
        prop_assert_eq!(found.as_deref(), Some(key.as_str()));
        prop_assert_eq!(&job.job.user_arguments["a"], &argument);
        let (key, size) = &sent[0];
        let event: EventBridge<S3Detail> = read(&events::s3_object_created("b", key, *size).build()).unwrap();
        let detail = event.detail;
        prop_assert_eq!((detail.bucket(), detail.key(), detail.size()), (Some("b"), Some(key.as_str()), Some(*size)));
        let event: EventBridge<S3Detail> = read(&events::s3_object_deleted("b", key).build()).unwrap();
        prop_assert_eq!((event.detail.key(), event.detail.size()), (Some(key.as_str()), None));
        prop_assert!(event.detail.deletion_type().is_some());
    }

    #[test]
    fn messages_and_details_survive(sent in prop::collection::vec(text(), 1..4), detail in item(), name in text()) {
        let logs = sent.iter().fold(events::cloudwatch_logs("g"), |logs, text| logs.message(text));
        let event: CloudWatchLogsEvent = read(&logs.build()).unwrap();
        let found: Vec<_> = event.logs.events.iter().map(|event| &event.message).collect();
        prop_assert_eq!(found, sent.iter().collect::<Vec<_>>());

        let notice = events::sns("t", &sent[0]).subject(&name).attribute("a", &name);
        let event: SnsEvent = read(&notice.build()).unwrap();
        let notice = &event.records[0];
        prop_assert_eq!((&*notice.message, notice.attribute("a")), (&*sent[0], Some(name.as_str())));

        let event: EventBridge<Value> = read(&events::event_bridge(&name, "d", detail.clone()).build()).unwrap();
        prop_assert_eq!((event.source, event.detail), (name, detail));
    }

    #[test]
    fn arguments_and_payloads_survive(sent in item(), other in item()) {
        let resolver = events::appsync_resolver("Query", "f").arguments(sent.clone()).source(other.clone());
        let event: AppSyncResolver = read(&resolver.build()).unwrap();
        prop_assert_eq!((event.arguments, event.source), (sent.clone(), Some(other.clone())));
        let channel = events::appsync_events("/a").message(sent.clone()).message(other.clone());
        let event: AppSyncEvents = read(&channel.build()).unwrap();
        let found: Vec<_> = event.events.into_iter().map(|event| event.payload).collect();
        prop_assert_eq!(found, [sent.clone(), other.clone()]);
    }

    #[test]
    fn callers_of_appsync_survive(user in text(), groups in prop::collection::vec(text(), 0..3), claims in item(), token in text()) {
        let caller = json!({
            "sub": user, "issuer": "i", "username": user, "claims": claims, "groups": groups, "sourceIp": ["192.0.2.1"],
            "userArn": user, "cognitoIdentityId": user, "resolverContext": claims, "handlerContext": claims,
        });
        let resolver = events::appsync_resolver("Query", "f").identity(caller.clone()).build();
        let channel = events::appsync_events("/a").identity(caller).build();
        let resolver: AppSyncResolver = read(&resolver).unwrap();
        let channel: AppSyncEvents = read(&channel).unwrap();
        for caller in [resolver.identity.unwrap(), channel.identity.unwrap()] {
            for found in [&caller.sub, &caller.username, &caller.user_arn, &caller.cognito_identity_id] {
                prop_assert_eq!(found.as_ref(), Some(&user));
            }
            prop_assert_eq!(&caller.groups, &groups);
            for found in [caller.claims, caller.resolver_context, caller.handler_context] {
                prop_assert_eq!(Value::Object(found), claims.clone());
            }
        }
        let mut authorizer = events::appsync_authorizer(&token);
        authorizer["requestContext"]["variables"] = claims.clone();
        authorizer["requestHeaders"]["X-User"] = json!(user);
        let authorizer: AppSyncAuthorizer = read(&authorizer).unwrap();
        prop_assert_eq!((&authorizer.authorization_token, authorizer.header("x-user")), (&token, Some(user.as_str())));
        prop_assert_eq!(Value::Object(authorizer.request_context.variables), claims);
    }

    #[test]
    fn what_an_agent_of_bedrock_took_survives(sent in prop::collection::vec((text(), text()), 0..4), name in text(), said in text()) {
        let function = events::bedrock_function("g", &name);
        let operation = events::bedrock_operation("g", &name, &said);
        let action = BedrockAction::Operation { path: said.clone(), method: name.clone() };
        for (start, action) in [(function, BedrockAction::Function(name.clone())), (operation, action)] {
            let start = start.input_text(&said).session(&name).session_attribute("s", &said).prompt_attribute("p", &name);
            let event = sent.iter().fold(start, |event, (name, value)| {
                event.parameter(name, "string", value).property(value, "string", name)
            });
            let event: BedrockAgent = read(&event.build()).unwrap();
            prop_assert_eq!(&event.action, &action);
            prop_assert_eq!((event.input_text.as_ref(), event.session_id.as_ref()), (Some(&said), Some(&name)));
            let found = [&event.parameters, &event.properties].map(|list| {
                list.iter().map(|one| (one.name.clone(), one.value.clone().unwrap())).collect::<Vec<_>>()
            });
            let turned = sent.iter().map(|(name, value)| (value.clone(), name.clone())).collect();
            prop_assert_eq!(found, [sent.clone(), turned]);
            let reply = serde_json::to_value(event.reply(&said)).unwrap();
            prop_assert_eq!(&reply["sessionAttributes"], &json!({ "s": said }));
            prop_assert_eq!(&reply["promptSessionAttributes"], &json!({ "p": name }));
        }
    }

    /// Its key is what it was put together of: another attempt has the same, and another run another.
    #[test]
    fn contexts_identify_their_run(
        names in prop::collection::vec("[^\\x00]{1,8}", 3),
        item in prop::option::of(any::<u64>()),
        outer in any::<u64>(),
        attempts in any::<[u32; 2]>(),
    ) {
        let [state, execution, entered] = &names[..] else { unreachable!() };
        let task = events::step_functions_context(state).execution(execution).entered(entered);
        let task = item.into_iter().fold(task, |task, index| task.item(index));
        let key = |attempt, outer: Option<u64>| {
            let context: StepFunctionsContext = read(&task.clone().retries(attempt).build()).unwrap();
            let around = |index| read(&events::step_functions_context("Each").item(index).build()).unwrap();
            natural(&outer.into_iter().fold(context, |context, index| context.inside(&around(index))))
        };
        let arn = format!("arn:aws:states:us-east-1:123456789012:execution:test:{execution}");
        let index = item.map(|index| index.to_string());
        let own = [Some(arn.as_str()), Some(state), Some(entered)];
        let expected = NaturalKey::new(own.into_iter().chain(index.as_deref().map(Some)));
        prop_assert_eq!(key(attempts[0], None), expected.clone());
        prop_assert_eq!(key(attempts[1], None), expected);
        let outer_index = outer.to_string();
        let nested = own.into_iter().chain([Some(outer_index.as_str())]).chain(index.as_deref().map(Some));
        prop_assert_eq!(key(attempts[0], Some(outer)), NaturalKey::new(nested));

        let run = |attempt| events::scheduler_context(state).time(entered).attempt(attempt).build();
        let arn = format!("arn:aws:scheduler:us-east-1:123456789012:schedule/default/{state}");
        let expected = NaturalKey::new([Some(arn.as_str()), Some(entered)]);
        for attempt in attempts {
            let run: SchedulerContext = read(&run(attempt)).unwrap();
            prop_assert_eq!(&run.attempt_number, &Some(attempt.to_string()));
            prop_assert_eq!(natural(&run), expected.clone());
            let event: EventBridge<IgnoredAny> = read(&events::schedule(state).time(entered).build()).unwrap();
            prop_assert_eq!(natural(&event), expected.clone());
        }
    }
}

/// The source of an event, its version, and what its type makes of it.
type Trigger = (&'static str, u8, fn(&Value) -> Option<Value>);

/// The triggers of Cognito, with the type of each.
const TRIGGERS: [Trigger; 17] = [
    ("PreSignUp_SignUp", 1, reply::<CognitoPreSignUp>),
    ("PreSignUp_AdminCreateUser", 1, reply::<CognitoPreSignUp>),
    ("PostConfirmation_ConfirmSignUp", 1, reply::<CognitoPostConfirmation>),
    ("PreAuthentication_Authentication", 1, reply::<CognitoPreAuthentication>),
    ("PostAuthentication_Authentication", 1, reply::<CognitoPostAuthentication>),
    ("TokenGeneration_HostedAuth", 1, reply::<CognitoPreTokenGeneration>),
    ("TokenGeneration_Authentication", 2, reply::<CognitoPreTokenGenerationV2>),
    ("TokenGeneration_RefreshTokens", 3, reply::<CognitoPreTokenGenerationV2>),
    ("CustomMessage_SignUp", 1, reply::<CognitoCustomMessage>),
    ("UserMigration_Authentication", 1, reply::<CognitoUserMigration>),
    ("UserMigration_ForgotPassword", 1, reply::<CognitoUserMigration>),
    ("DefineAuthChallenge_Authentication", 1, reply::<CognitoDefineAuthChallenge>),
    ("CreateAuthChallenge_Authentication", 1, reply::<CognitoCreateAuthChallenge>),
    ("VerifyAuthChallengeResponse_Authentication", 1, reply::<CognitoVerifyAuthChallenge>),
    ("CustomEmailSender_SignUp", 1, reply::<CognitoCustomSender>),
    ("CustomSMSSender_SignUp", 1, reply::<CognitoCustomSender>),
    ("CustomMessage_ForgotPassword", 1, reply::<CognitoTrigger<Value, Value>>),
];

/// The reply of a function that changes nothing.
fn reply<T: DeserializeOwned + Serialize>(event: &Value) -> Option<Value> {
    Some(serde_json::to_value(read::<T>(event)?).unwrap())
}

proptest! {
    #[test]
    fn the_reply_of_every_trigger_keeps_every_member(
        attributes in prop::collection::btree_map("[a-z]{1,4}", text(), 0..4),
        unknown in item(),
        session in prop::collection::vec(any::<bool>(), 0..3),
        odd_one in (0..4_usize, item()),
    ) {
        for (source, version, reply) in TRIGGERS {
            let mut event = events::cognito(source).version(version);
            for (name, value) in &attributes {
                event = event.attribute(name, value);
            }
            let session = session.iter().map(|passed| json!({ "challengeName": "C", "challengeResult": passed, "x": 1 }));
            let event = event
                .request("clientMetadata", json!(attributes))
                .request("session", session.collect::<Value>())
                .request("groupConfiguration", json!({ "groupsToOverride": ["g"], "preferredRole": "r", "x": unknown }))
                .request("x", unknown.clone());
            let mut event = event.build();
            let (place, other) = odd_one.clone();
            let places = ["", "/request", "/response", "/callerContext"];
            event.pointer_mut(places[place]).unwrap()["x-new"] = other;
            let reply = reply(&event).unwrap();
            prop_assert_eq!(pruned(reply), pruned(event));
        }
    }

    #[test]
    fn the_reply_to_what_a_trigger_fills_keeps_it(text in text(), flag in any::<bool>(), list in prop::collection::vec(text(), 0..3)) {
        let claims = json!({ "claimsToAddOrOverride": { "c": text }, "claimsToSuppress": list });
        for (source, version, response) in [
            ("PreSignUp_SignUp", 1, json!({ "autoConfirmUser": flag, "autoVerifyEmail": flag, "autoVerifyPhone": flag })),
            ("TokenGeneration_HostedAuth", 1, json!({ "claimsOverrideDetails": claims })),
            ("TokenGeneration_Authentication", 2, json!({ "claimsAndScopeOverrideDetails": { "idTokenGeneration": claims } })),
            ("CustomMessage_SignUp", 1, json!({ "smsMessage": text, "emailMessage": text, "emailSubject": text })),
            ("UserMigration_Authentication", 1, json!({
                "userAttributes": { "a": text }, "finalUserStatus": text, "messageAction": text,
                "desiredDeliveryMediums": list, "forceAliasCreation": flag, "enableSMSMFA": flag,
            })),
            ("DefineAuthChallenge_Authentication", 1, json!({ "challengeName": text, "issueTokens": flag, "failAuthentication": flag })),
            ("CreateAuthChallenge_Authentication", 1, json!({
                "publicChallengeParameters": { "a": text }, "privateChallengeParameters": { "b": text }, "challengeMetadata": text,
            })),
            ("VerifyAuthChallengeResponse_Authentication", 1, json!({ "answerCorrect": flag })),
        ] {
            let mut event = events::cognito(source).version(version).build();
            let known: Vec<_> = event["response"].as_object().unwrap().keys().cloned().collect();
            let filled: Vec<_> = response.as_object().unwrap().keys().cloned().collect();
            prop_assert_eq!(known, filled, "the builder has what the trigger fills");
            event["response"] = response;
            let (.., reply) = TRIGGERS.iter().find(|(name, ..)| *name == source).unwrap();
            prop_assert_eq!(pruned(reply(&event).unwrap()), pruned(event));
        }
    }
}

/// Returns how many records the list has that is at this place.
fn listed(event: &Value, place: &str) -> Option<usize> {
    event.pointer(place)?.as_array().map(Vec::len)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn changed_events_lose_no_record(places in prop::collection::vec((prop::bool::weighted(0.1), odd()), 60)) {
        let changed = |mut event: Value| {
            change(&mut event, &mut places.clone().into_iter());
            event
        };
        let queue = events::sqs("q").message("1").message("2");
        let stream = events::kinesis("s").record(KinesisRecord::new("a", "1")).record(KinesisRecord::new("b", "2"));
        let table = events::dynamodb("t").insert(json!({ "id": 1 }), json!({ "id": 1 }));
        let table = table.remove(json!({ "id": 2 }), json!({ "id": 2 }));
        for (place, event) in [("/Records", changed(queue.clone().build())), ("", changed(queue.build_piped()))] {
            if let Some(read) = read::<SqsEvent>(&event) {
                prop_assert_eq!(Some(read.records.len()), listed(&event, place));
            }
        }
        for (place, event) in [("/Records", changed(stream.clone().build())), ("", changed(stream.build_piped()))] {
            if let Some(read) = read::<KinesisEvent>(&event) {
                prop_assert_eq!(Some(read.records.len()), listed(&event, place));
            }
        }
        for (place, event) in [("/Records", changed(table.clone().build())), ("", changed(table.build_piped()))] {
            if let Some(read) = read::<DynamoDbEvent>(&event) {
                prop_assert_eq!(Some(read.records.len()), listed(&event, place));
            }
        }
        let topic = events::kafka("t").record(KafkaRecord::new("1")).record(KafkaRecord::new("2").partition(1));
        for topic in [topic.clone(), topic.self_managed()] {
            let event = changed(topic.build());
            let Some(read) = read::<KafkaEvent>(&event) else { continue };
            let lists = event["records"].as_object().unwrap().values();
            prop_assert_eq!(read.records.len(), lists.map(|list| list.as_array().unwrap().len()).sum::<usize>());
        }
        let event = changed(events::s3("b").created("k", 1).removed("l").build());
        if let Some(read) = read::<S3Notification>(&event) {
            prop_assert_eq!(read.records.len(), listed(&event, "/Records").unwrap_or(0));
            prop_assert!(read.records.iter().all(|record| record.key().is_none_or(|key| !key.is_empty())));
        }
        let event = changed(events::s3_batch("b", "k").build());
        if let Some(read) = read::<S3BatchEvent>(&event) {
            prop_assert_eq!(Some(read.tasks.len()), listed(&event, "/tasks"));
        }
        let event = changed(events::sns("t", "x").build());
        if let Some(read) = read::<SnsEvent>(&event) {
            prop_assert_eq!(Some(read.records.len()), listed(&event, "/Records"));
        }
        let event = changed(events::kafka("t").record(KafkaRecord::new("1")).record(KafkaRecord::new("2")).build_piped());
        if let Some(read) = read::<KafkaEvent>(&event) {
            prop_assert_eq!(Some(read.records.len()), listed(&event, ""));
        }
        let channel = events::appsync_events("/a").identity(json!({ "sub": "s", "groups": ["g"] }));
        let event = changed(channel.message(json!(1)).message(json!(2)).build());
        if let Some(read) = read::<AppSyncEvents>(&event) {
            prop_assert_eq!(read.events.len(), listed(&event, "/events").unwrap_or(0));
        }
        let resolver = events::appsync_resolver("Query", "f").identity(json!({ "sub": "s", "claims": { "a": 1 } }));
        let event = changed(resolver.source(json!({ "a": 1 })).build());
        if let Some(read) = read::<AppSyncResolver>(&event) {
            prop_assert_eq!((&read.arguments, json!(read.source)), (&event["arguments"], event["source"].clone()));
        }
        for (source, version, reply) in TRIGGERS {
            let request = json!({ "groupsToOverride": ["g"], "preferredRole": "r" });
            let event = changed(events::cognito(source).version(version).request("groupConfiguration", request).build());
            if let Some(reply) = reply(&event) {
                prop_assert_eq!(pruned(reply), pruned(event));
            }
        }
        let operation = events::bedrock_operation("g", "GET", "/").parameter("a", "string", "1").parameter("b", "string", "2");
        for event in [operation.property("c", "string", "3"), events::bedrock_function("g", "f").parameter("a", "string", "1")] {
            let event = changed(event.build());
            if let Some(read) = read::<BedrockAgent>(&event) {
                let properties = "/requestBody/content/application~1json/properties";
                prop_assert_eq!(read.parameters.len(), listed(&event, "/parameters").unwrap_or(0));
                prop_assert_eq!(read.properties.len(), listed(&event, properties).unwrap_or(0));
            }
        }
        // A key is that of what the event then says, or there is none.
        let event = changed(events::step_functions_context("s").item(1).build());
        if let Some(context) = read::<StepFunctionsContext>(&event) {
            let [id, name, entered] = ["/Execution/Id", "/State/Name", "/State/EnteredTime"].map(|at| event.pointer(at)?.as_str());
            let index = event.pointer("/Map/Item/Index").and_then(Value::as_u64).map(|index| index.to_string());
            let is_in_a_map = !event["Map"].is_null();
            let index = is_in_a_map.then_some(index.as_deref());
            prop_assert_eq!(natural(&context), NaturalKey::new([id, name, entered].into_iter().chain(index)));
        }
        let event = changed(events::scheduler_context("s").build());
        if let Some(context) = read::<SchedulerContext>(&event) {
            let parts = ["schedule_arn", "scheduled_time"].map(|name| event[name].as_str());
            prop_assert_eq!(natural(&context), NaturalKey::new(parts));
        }
        let event = changed(events::s3_object_created("b", "k", 7).build());
        if let Some(read) = read::<EventBridge<S3Detail>>(&event) {
            let key = event.pointer("/detail/object/key").and_then(Value::as_str);
            prop_assert_eq!((read.detail.key(), read.detail.size()), (key, event.pointer("/detail/object/size").and_then(Value::as_u64)));
        }
        let logs = events::cloudwatch_logs("g").message("m").build();
        let event = changed(logs.clone());
        // What is inside is changed in `damaged`.
        let read_logs = read::<CloudWatchLogsEvent>(&event);
        prop_assert_eq!(read_logs.is_some(), event.pointer("/awslogs/data") == logs.pointer("/awslogs/data"));
        let event = changed(events::appsync_authorizer("t"));
        if let Some(read) = read::<AppSyncAuthorizer>(&event) {
            let request = ["requestId", "apiId"].map(|name| event["requestContext"][name].as_str());
            prop_assert_eq!(Some(&*read.authorization_token), event["authorizationToken"].as_str());
            prop_assert_eq!([&read.request_context.request_id, &read.request_context.api_id].map(Option::as_deref), request);
        }
    }
}
