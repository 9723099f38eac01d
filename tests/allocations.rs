//! What allocates nothing: a log line, a look at the time, a metric, a cached value, a feature flag.

use std::future::poll_fn;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use allocation_counter::{AllocationInfo, measure};
use futures_util::FutureExt;
use powertools::Deadline;
use powertools::batch::{self, LargeBodies, Message, RecordError};
use powertools::events::{ParseError, S3Pointer, Sns, SqsEvent};
use powertools::feature_flags::FeatureFlags;
use powertools::logging::{self, Level, Logging};
use powertools::metrics::{self, MetricSet, Metrics, Namespace, Unit};
use powertools::parameters::{Memory, Parameter, Parameters};
use powertools::testing::{self, events};
use tracing_subscriber::layer::SubscriberExt;

static LIMIT: Parameter<u32> = Parameter::json("/orders/limit");

#[test]
fn a_line_allocates_nothing_after_the_first_ones() {
    let line = || tracing::info!(order_id = 7, customer = "Ada", "order {}", black_box("accepted"));
    let debug = || tracing::debug!(order_id = 7, "looked at");
    let typed = || tracing::info!(x = 9.5, n = u128::MAX, d = ?Some(1), flag = true, "typed");
    for (name, log) in
        [("plain", &line as &dyn Fn()), ("below the level", &debug), ("typed", &typed)]
    {
        assert_eq!(allocations(Logging::new(), log), 0, "{name}");
    }
}

#[test]
fn a_line_in_a_span_and_with_appended_keys_allocates_nothing_either() {
    let logged = allocations(Logging::new().key("stage", "prod"), &|| {
        tracing::info!(order_id = 7, "order accepted");
    });
    assert_eq!(logged, 0);
}

#[test]
fn a_look_at_the_deadline_allocates_nothing() {
    let look = || {
        let deadline = Deadline::current();
        black_box((deadline.remaining(), deadline.ensure(Duration::from_millis(1)).is_ok()));
    };
    testing::invocation().build().sync_scope(|| {
        look();
        assert_eq!(measure(|| (0..10).for_each(|_| look())).count_total, 0);
    });
}

#[test]
fn a_cached_value_is_read_without_an_allocation() {
    let memory = Memory::new().with("/orders/limit", "25");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(Parameters::new().source(memory).scope(async {
        assert_eq!(*LIMIT.get().await.unwrap(), 25);
        let reads = async || {
            for _ in 0..10 {
                black_box(*LIMIT.get().await.unwrap());
            }
        };
        reads().await;
        let mut reads = pin!(reads());
        let poll = |_: &mut Context<'_>| {
            let mut context = Context::from_waker(Waker::noop());
            let mut is_ready = false;
            let count = measure(|| is_ready = reads.as_mut().poll(&mut context).is_ready());
            Poll::Ready((is_ready, count.count_total))
        };
        assert_eq!(poll_fn(poll).await, (true, 0));
    }));
}

#[test]
fn metrics_allocate_nothing_after_the_first_invocations() {
    let written = Arc::new(AtomicUsize::new(0));
    let count = written.clone();
    let settings = Metrics::new().namespace(Namespace::from_static("Test")).environment([("", "")]);
    let settings = settings.writer(move |line| {
        count.fetch_add(line.len(), Ordering::Relaxed);
    });
    settings.init().unwrap();
    let measured = |flushes: usize| {
        for _ in 0..flushes {
            for size in [12.5, 12.5, 0.25] {
                metrics::count("OrdersAccepted", 1);
                metrics::record("OrderSize", size, Unit::Bytes);
                metrics::record("Charge", Duration::from_millis(3), Unit::Milliseconds);
            }
            metrics::flush();
        }
    };
    testing::invocation().build().sync_scope(|| {
        metrics::dimension("Stage", "prod");
        measured(3);
        let before = written.load(Ordering::Relaxed);
        assert_eq!(measure(|| measured(10)).count_total, 0);
        assert!(written.load(Ordering::Relaxed) > before, "the flush is part of it");
    });
}

#[test]
fn many_values_of_a_wide_line_allocate_no_more_each_than_few() {
    struct Wide(u32);
    impl MetricSet for Wide {
        fn describe(&self, line: &mut metrics::Line) {
            (0..self.0).for_each(|value| line.record("Latency", value, Unit::None));
        }
    }
    let captured = testing::metrics();
    let invocation = captured.invocation(testing::invocation().build());
    invocation.sync_scope(|| {
        let [few, many] = [2_000, 20_000].map(|values| measure(|| Wide(values).emit()).bytes_total);
        assert!(many < 20 * few, "{few} bytes, {many} bytes");
    });
}

#[test]
fn a_flag_with_rules_is_evaluated_without_an_allocation() {
    #[derive(serde::Serialize)]
    struct Customer {
        tier: &'static str,
        orders: u32,
    }

    let flags: FeatureFlags = r#"{"f": {"default": false, "rules": {
        "partners": {"when_match": true, "conditions": [
            {"action": "IN", "key": "tier", "value": ["partner", "reseller"]}]},
        "night": {"when_match": true, "conditions": [
            {"action": "SCHEDULE_BETWEEN_TIME_RANGE", "key": "CURRENT_TIME",
             "value": {"START": "02:00", "END": "02:00", "TIMEZONE": "Europe/Berlin"}},
            {"action": "EQUALS", "key": "tier", "value": "night"}]},
        "premium": {"when_match": true, "conditions": [
            {"action": "EQUALS", "key": "tier", "value": "premium"},
            {"action": "KEY_GREATER_THAN_VALUE", "key": "orders", "value": 10}]}
    }}}"#
        .parse()
        .unwrap();
    let customer = Customer { tier: "premium", orders: 12 };
    let evaluate = || assert!(flags.evaluate::<bool>("f", black_box(&customer)).unwrap());
    evaluate();
    assert_eq!(measure(|| (0..10).for_each(|_| evaluate())).count_total, 0);
}

/// What a batch of messages allocates whose handlers log three lines, and every other one of which fails.
fn of_a_batch_that_logs(logging: Logging, messages: usize) -> AllocationInfo {
    let logging = logging.environment([("", "")]).writer(|line| {
        black_box(line);
    });
    let subscriber = tracing_subscriber::registry().with(logging.layer().unwrap());
    let event = (0..messages)
        .fold(events::sqs("orders"), |event, number| event.message(number.to_string()));
    let event: SqsEvent = serde_json::from_value(event.build()).unwrap();
    let handle = async |number: Message<usize>| {
        (0..3).for_each(|line| tracing::debug!(line, "looked at {}", number.body));
        if number.body.is_multiple_of(2) { Ok(()) } else { Err(RecordError::from("no")) }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let work = async { batch::sqs(event).run(handle).await };
    let work = testing::invocation().build().scope(work);
    tracing::subscriber::with_default(subscriber, || measure(|| drop(runtime.block_on(work))))
}

#[test]
fn records_that_fail_allocate_no_more_each_among_many_than_among_few() {
    // The lines of one record do not fit, so that each has some that are only counted.
    let of = |messages| of_a_batch_that_logs(Logging::new().buffer(500), messages).bytes_total;
    let (few, many) = (of(200), of(2_000));
    assert!(many < 12 * few, "{few} bytes, {many} bytes");
}

#[test]
fn a_record_that_has_logged_keeps_little_until_its_batch_ends() {
    let of = |level| of_a_batch_that_logs(Logging::new().level(level), 2_000).bytes_max;
    let (silent, logging) = (of(Level::Fatal), of(Level::Debug));
    let each = (logging - silent) / 2_000;
    assert!(each < 1_000, "{each} bytes");
}

/// The allocations of ten lines in an invocation with a key and a span, when others were before.
fn allocations(logging: Logging, log: &dyn Fn()) -> u64 {
    let logging = logging.environment([("", "")]).writer(|line| {
        black_box(line);
    });
    let subscriber = tracing_subscriber::registry().with(logging.layer().unwrap());
    tracing::subscriber::with_default(subscriber, || {
        testing::invocation().build().sync_scope(|| {
            logging::append("step", 2);
            let _span = tracing::info_span!("charge", card = "visa", amount = 9.5).entered();
            log();
            log();
            measure(|| (0..10).for_each(|_| log())).count_total
        })
    })
}

/// To write it as JSON again takes its size several times.
#[test]
fn a_notification_that_does_not_fit_is_refused_before_it_is_written() {
    const SIZE: usize = 1 << 20;
    type BoxError = Box<dyn std::error::Error + Send + Sync>;

    struct Dense;
    impl LargeBodies for Dense {
        async fn get(&self, _: &S3Pointer) -> Result<Option<Vec<u8>>, BoxError> {
            Ok(Some(vec![b'['; SIZE]))
        }

        async fn delete(&self, _: &S3Pointer) -> Result<(), BoxError> {
            Ok(())
        }
    }

    let pointer = r#"["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b","s3Key":"k"}]"#;
    let body = events::sns("orders", pointer).attribute("ExtendedPayloadSize", "1").envelope();
    let event = events::sqs("orders").message(body).build();
    let record = serde_json::from_value::<SqsEvent>(event).unwrap().records.remove(0);
    let mut result = None;
    let fetch = || {
        result =
            Message::<Sns<serde_json::Value>>::fetch_notification(record, &Dense).now_or_never();
    };
    let taken = measure(fetch).bytes_max;
    let result = result.unwrap();
    assert!(matches!(result, Err(ParseError::OutOfMemory { .. })), "{result:?}");
    assert!(taken < 3 * SIZE as u64 / 2, "{taken} bytes");
}
