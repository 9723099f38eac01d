//! A real queue, a poller that follows the rules of the event source mapping, and functions that are
//! killed again and again.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use powertools::testing::{Event, FakeRuntime, FunctionProcess, Outcome};
use powertools_tests::emulators::Emulator;
use powertools_tests::{items, scale, times};
use serde_json::{Value, json};
use tokio::process::Command;

use self::client::Queue;

mod client;
mod deliveries;
mod visibility;

/// How long the function may take for a batch: so long that it hardly ever stops itself.
const TIMEOUT: Duration = Duration::from_secs(4);
/// Longer than a claim of a killed function holds: its timeout and a second.
const VISIBILITY: Duration = Duration::from_secs(6);
/// As many messages are in the queue at most: the emulator looks at all of them for each request.
const DEPTH: usize = 400;
/// How long a function lives, at least.
const LIFE: Duration = Duration::from_secs(2);
/// The pause after an empty receive.
const PAUSE: Duration = Duration::from_millis(100);
/// How long all deliveries may take, beside the time for each message.
const PATIENCE: Duration = Duration::from_secs(30 * 60);
const PATIENCE_FOR_EACH: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_good_message_has_one_effect_and_poison_ends_in_the_dead_letter_queue() {
    let Some(emulator) = Emulator::another() else { return };
    let table = emulator.create_table(&["id"]).await;
    let dead_letters = Queue::create(&emulator, None).await;
    // High enough that no good message is killed so often.
    let max_receive_count = scale(10, 20);
    let queue = Queue::create(&emulator, Some((&dead_letters, max_receive_count))).await;

    let count = if times(1) >= 50 { 10_000 } else { scale(200, 400) };
    let orders: Vec<_> = (0..count).map(order).collect();

    let lambda = FakeRuntime::new()
        .timeout(TIMEOUT)
        .env("ENDPOINT", emulator.endpoint())
        .env("TABLE", &table);
    let (polled, processes) = deliver(&queue, &lambda, &orders).await;

    let killed: BTreeSet<_> = polled.iter().filter_map(|end| end.clone().err()).collect();
    let mut effects: HashMap<String, Vec<Effect>> = HashMap::new();
    // An order and the request in which it ran into the end of its time when it was fulfilled.
    let mut stopped = BTreeSet::new();
    // When an order was known to be complete.
    let mut saved: HashMap<String, u64> = HashMap::new();
    for line in processes.iter().flat_map(FunctionProcess::stdout) {
        let [what, order, request, time] = line.split(' ').collect::<Vec<_>>()[..] else {
            continue;
        };
        let (order, request) = (order.to_owned(), request.to_owned());
        let time = time.parse().expect("microseconds");
        match what {
            "fulfilled" => effects.entry(order).or_default().push(Effect { time, request }),
            "stopped" => _ = stopped.insert((order, request)),
            "saved" => {
                let first = saved.entry(order).or_insert(time);
                *first = time.min(*first);
            }
            _ => {}
        }
    }
    let (mut twice, mut twice_by_the_clock) = (0, 0);
    for order in orders.iter().filter(|order| order["poison"] == false) {
        let id = order["id"].as_str().unwrap();
        let mut effects = effects.remove(id).unwrap_or_default();
        effects.sort();
        let (last, before) = effects.split_last().unwrap_or_else(|| panic!("{order} is lost"));
        if let Some(saved) = saved.get(id) {
            assert!(last.time <= *saved, "{order} again after it was complete: {effects:?}");
        }
        for Effect { request, .. } in before {
            if stopped.contains(&(id.to_owned(), request.clone())) {
                twice_by_the_clock += 1;
                continue;
            }
            assert!(killed.contains(request), "{order} twice without a kill: {effects:?}");
            twice += 1;
        }
    }
    assert!(effects.is_empty(), "poison has no effect: {effects:?}");

    let texts = |orders: &[Value]| orders.iter().map(Value::to_string).collect::<BTreeSet<_>>();
    let dead = dead_letters.drain().await;
    let poison: Vec<_> = orders.iter().filter(|order| order["poison"] == true).cloned().collect();
    assert_eq!(texts(&dead), texts(&poison));
    assert!(!killed.is_empty(), "nothing was killed at work");
    eprintln!(
        "{count} messages in {} batches: {} processes, {} batches cut by a kill, {} messages in \
         the dead-letter queue, {twice} effects twice, each with a kill between it and its \
         completion, and {twice_by_the_clock} that the clock stopped there",
        polled.len(),
        processes.len(),
        killed.len(),
        dead.len(),
    );
}

#[tokio::test]
async fn committed_effects_exist_exactly_once_at_any_kill() {
    let Some(moto) = Emulator::another() else { return };
    // moto copies a table for each transaction, so it gets few messages.
    let on_moto = commit_effects(&moto, &moto, scale(100, 200));
    let on_local = async {
        let count = if times(1) >= 50 { 10_000 } else { 1_000 };
        if let Some(local) = Emulator::all().into_iter().find(Emulator::limits_transactions) {
            commit_effects(&moto, &local, count).await;
        }
    };
    tokio::join!(on_moto, on_local);
}

/// Delivers messages from a queue of `queues`, and commits their effects and records in `tables`.
async fn commit_effects(queues: &Emulator, tables: &Emulator, count: usize) {
    let table = tables.create_table(&["id"]).await;
    let effects = tables.create_table(&["id"]).await;
    let dead_letters = Queue::create(queues, None).await;
    let queue = Queue::create(queues, Some((&dead_letters, scale(10, 20)))).await;
    let orders: Vec<_> = (0..count).map(order).collect();
    let lambda = FakeRuntime::new()
        .timeout(TIMEOUT)
        .env("ENDPOINT", tables.endpoint())
        .env("TABLE", &table)
        .env("EFFECTS", &effects);
    let (polled, processes) = deliver(&queue, &lambda, &orders).await;

    let found: BTreeSet<_> = items::all(&tables.client(), &effects)
        .await
        .into_iter()
        .map(|effect| {
            assert_eq!(effect["count"]["N"], "1", "an effect twice: {effect}");
            effect["id"]["S"].as_str().unwrap().to_owned()
        })
        .collect();
    let good = orders.iter().filter(|order| order["poison"] == false);
    let wanted: BTreeSet<_> = good.map(|order| order["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(found, wanted, "an effect is lost, or poison has one");
    let killed = polled.iter().filter(|end| end.is_err()).count();
    assert_ne!(killed, 0, "nothing was killed at work");
    eprintln!(
        "{}: {count} messages in {} batches: {} processes, {killed} batches cut by a kill, {} \
         effects, each of them once",
        tables.name(),
        polled.len(),
        processes.len(),
        found.len(),
    );
}

/// Sends the orders and delivers them until the queue is empty, while functions are killed.
async fn deliver(
    queue: &Queue,
    lambda: &FakeRuntime,
    orders: &[Value],
) -> (Vec<Result<String, String>>, Vec<FunctionProcess>) {
    let (all_sent, replies) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mapping = Mapping { queue, lambda, all_sent, replies };
    let sending = async {
        for orders in orders.chunks(DEPTH / 4) {
            while queue.len().await > DEPTH - DEPTH / 4 {
                tokio::time::sleep(PAUSE).await;
            }
            queue.send(orders).await;
        }
        mapping.all_sent.store(true, Ordering::Relaxed);
    };
    let delivering =
        async { tokio::join!(mapping.poll(), mapping.poll(), mapping.poll(), sending) };
    let count = u32::try_from(orders.len()).expect("a few thousand");
    let patience = PATIENCE + PATIENCE_FOR_EACH * count;
    tokio::select! {
        ((one, two, three, ()), processes) = kill_until(lambda, &mapping.replies, delivering) => {
            ([one, two, three].concat(), processes)
        }
        () = tokio::time::sleep(patience) => panic!("the queue is never empty"),
    }
}

/// That an order was fulfilled.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Effect {
    time: u64,
    request: String,
}

/// One in a hundred is poison, one in twenty fails at first.
fn order(n: usize) -> Value {
    json!({ "id": format!("order-{n}"), "poison": n % 100 == 50, "unlucky": n % 20 == 7 })
}

/// Runs two functions, and kills the older one again and again until `work` is done.
async fn kill_until<T>(
    lambda: &FakeRuntime,
    replies: &AtomicUsize,
    work: impl Future<Output = T>,
) -> (T, Vec<FunctionProcess>) {
    let spawn = || lambda.spawn(Command::new(env!("CARGO_BIN_EXE_fulfilment"))).unwrap();
    let mut processes = vec![spawn(), spawn()];
    let mut work = std::pin::pin!(work);
    loop {
        let seen = replies.load(Ordering::Relaxed);
        let life = async {
            tokio::time::sleep(LIFE / 2).await;
            // On a machine that is too slow for a batch, good messages would end as poison.
            while replies.load(Ordering::Relaxed) == seen {
                tokio::time::sleep(PAUSE).await;
            }
        };
        tokio::select! {
            done = &mut work => return (done, processes),
            () = life => {}
        }
        processes.push(spawn());
        let oldest = processes.len() - 3;
        tokio::select! {
            done = &mut work => return (done, processes),
            _ = processes[oldest].kill() => {}
        }
    }
}

/// What Lambda does between the queue and the function.
struct Mapping<'a> {
    queue: &'a Queue,
    lambda: &'a FakeRuntime,
    all_sent: AtomicBool,
    /// How many batches were answered.
    replies: AtomicUsize,
}

impl Mapping<'_> {
    /// Delivers until the queue is empty. Says which requests were answered, and, as errors, which
    /// were not.
    async fn poll(&self) -> Vec<Result<String, String>> {
        let mut requests = Vec::new();
        loop {
            let messages = self.queue.receive(VISIBILITY).await;
            if messages.is_empty() {
                if self.all_sent.load(Ordering::Relaxed) && self.queue.len().await == 0 {
                    return requests;
                }
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            let event = Event::new(event(&messages));
            let request = event.id().to_owned();
            match self.lambda.invoke(event).await {
                Outcome::Response(reply) => {
                    let reply: Value = serde_json::from_slice(reply.body()).unwrap();
                    let failed: Vec<_> = reply["batchItemFailures"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|item| item["itemIdentifier"].clone())
                        .collect();
                    let done =
                        messages.iter().filter(|message| !failed.contains(&message["MessageId"]));
                    self.queue.delete(done).await;
                    self.replies.fetch_add(1, Ordering::Relaxed);
                    requests.push(Ok(request));
                }
                Outcome::Exited(_) | Outcome::TimedOut(_) => requests.push(Err(request)),
                // Its guard was before the kill or, where the machine is busy, before the store's answer.
                Outcome::Failed(it) if it.error_type == "Powertools.DeadlineOutOfTime" => {
                    requests.push(Err(request));
                }
                other => panic!("the function failed: {other:?}"),
            }
        }
    }
}

/// The attributes of a message as Lambda names their members.
fn attributes(attributes: &Value) -> Value {
    let attribute = |attribute: &Value| {
        json!({
            "dataType": attribute["DataType"],
            "stringValue": attribute["StringValue"],
            "binaryValue": attribute["BinaryValue"],
            "stringListValues": [],
            "binaryListValues": [],
        })
    };
    let attributes = attributes.as_object().into_iter().flatten();
    attributes.map(|(name, value)| (name.clone(), attribute(value))).collect()
}

/// The event of messages as the queue gives them.
fn event(messages: &[Value]) -> Value {
    let record = |message: &Value| {
        json!({
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": attributes(&message["MessageAttributes"]),
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:orders",
            "awsRegion": "us-east-1",
        })
    };
    json!({ "Records": messages.iter().map(record).collect::<Vec<_>>() })
}
