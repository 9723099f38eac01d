//! Which lines are written.

use powertools::logging::{Level, Logging};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry};

use super::{Lines, logged, logged_in_invocation, logging};

/// One line at each level.
fn at_each_level() {
    tracing::trace!("trace");
    tracing::debug!("debug");
    tracing::info!("info");
    tracing::warn!("warn");
    tracing::error!("error");
}

const ALL: [&str; 5] = ["trace", "debug", "info", "warn", "error"];

#[test]
fn each_level_admits_lines_of_its_severity() {
    let levels = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error];
    for (first, level) in levels.into_iter().enumerate() {
        let lines = logged(logging().level(level), at_each_level);
        assert_eq!(lines.messages(), &ALL[first..]);
    }
    assert_eq!(logged(logging().level(Level::Fatal), at_each_level).take(), "");
}

#[test]
fn the_variables_go_over_code_and_that_of_lambda_over_all() {
    let own = [("POWERTOOLS_LOG_LEVEL", "warn")];
    assert_eq!(logged(logging().environment(own), at_each_level).messages(), &ALL[3..]);

    let both = [("POWERTOOLS_LOG_LEVEL", "ERROR"), ("AWS_LAMBDA_LOG_LEVEL", "DEBUG")];
    assert_eq!(logged(logging().environment(both), at_each_level).messages(), &ALL[1..]);
}

#[test]
fn silent_admits_nothing_as_in_other_toolkits() {
    for variable in ["POWERTOOLS_LOG_LEVEL", "LOG_LEVEL", "AWS_LAMBDA_LOG_LEVEL"] {
        let logging = logging().environment([(variable, "silent")]);
        assert_eq!(logged(logging, at_each_level).take(), "", "{variable}");
    }
}

#[test]
fn the_plain_variable_overrides_code_only() {
    let plain = [("LOG_LEVEL", "ERROR")];
    assert_eq!(logged(logging().environment(plain), at_each_level).messages(), ["error"]);
    let filter = logging().filter("debug").environment(plain);
    assert_eq!(logged(filter, at_each_level).messages(), ["error"]);
    let both = [("LOG_LEVEL", "ERROR"), ("POWERTOOLS_LOG_LEVEL", "WARN")];
    assert_eq!(logged(logging().environment(both), at_each_level).messages(), &ALL[3..]);
    let lambda = [("LOG_LEVEL", "ERROR"), ("AWS_LAMBDA_LOG_LEVEL", "WARN")];
    let messages = logged(logging().environment(lambda), at_each_level).messages();
    assert_eq!(messages, &ALL[3..]);
    // Its words are those of other programs, too.
    let other = logging().environment([("LOG_LEVEL", "verbose")]);
    let messages = logged(other, at_each_level).messages();
    assert_eq!(messages[0], "LOG_LEVEL is not a known level: it is ignored");
    assert_eq!(messages[1..], ALL[2..]);
}

/// One line at each level of the libraries under a function.
fn of_libraries() {
    macro_rules! at_each_level {
        ($($target:literal),*) => {$(
            tracing::trace!(target: $target, "{}: trace", $target);
            tracing::debug!(target: $target, "{}: debug", $target);
            tracing::info!(target: $target, "{}: info", $target);
        )*};
    }
    at_each_level!["hyper::client", "h2", "rustls", "aws_config", "aws_smithy_runtime", "tower"];
}

#[test]
fn debug_means_the_code_of_the_user() {
    for level in [Level::Debug, Level::Trace] {
        let messages = logged(logging().level(level), of_libraries).messages();
        assert_eq!(messages.len(), 6, "{messages:?}");
        assert!(messages.iter().all(|message| message.ends_with(": info")), "{messages:?}");
    }
    let plain = logging().filter("trace").environment([("", "")]);
    assert_eq!(logged(plain, of_libraries).json().len(), 6);
    let named = logging().level(Level::Debug).filter("hyper=trace");
    let messages = logged(named, of_libraries).messages();
    assert_eq!(messages.len(), 8, "{messages:?}");
    assert_eq!(messages[..2], ["hyper::client: trace", "hyper::client: debug"]);
}

#[test]
fn an_access_key_id_is_not_written() {
    let key = "AKIAIOSFODNN7EXAMPLE";
    let lines = logged(logging().level(Level::Trace).filter("aws_config=trace"), || {
        tracing::trace!(target: "aws_config::profile", key, "loaded {key} and ASIA{}", &key[4..]);
        tracing::info!(target: "aws_sdk_s3", key, "{key}");
        tracing::info!(arn = "AKIA", "{key}");
    });
    let text = lines.take();
    let [first, second, own] = &text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert!(first.contains("loaded AKIA**************** and ASIA****************"), "{first}");
    assert!(!first.contains(&key[4..]) && !second.contains(&key[4..]), "{text}");
    assert!(own.contains(key), "{own}");
}

#[test]
fn fatal_of_lambda_admits_nothing() {
    let variables = [("AWS_LAMBDA_LOG_LEVEL", "FATAL"), ("POWERTOOLS_LOG_FILTER", "it=trace")];
    let logging = logging().environment(variables).buffer(1024).sample_rate(1.0);
    assert_eq!(logged_in_invocation(logging, at_each_level).take(), "");
}

#[test]
fn a_stricter_level_of_lambda_warns_once_and_applies() {
    let variables = [("AWS_LAMBDA_LOG_LEVEL", "WARN"), ("POWERTOOLS_LOG_FILTER", "it=trace")];
    let lines = logged(logging().environment(variables), at_each_level);
    let messages = lines.messages();
    assert!(messages[0].starts_with("the log level INFO does not match the WARN"), "{messages:?}");
    assert_eq!(messages[1..], ALL[3..]);
}

#[test]
fn a_stricter_level_of_lambda_warns_at_every_level_but_fatal() {
    for (level, expected) in [("ERROR", 1), ("FATAL", 0)] {
        let logging = logging().environment([("AWS_LAMBDA_LOG_LEVEL", level)]);
        let messages = logged(logging, || {}).messages();
        assert_eq!(messages.len(), expected, "{messages:?}");
    }
}

#[test]
fn a_level_in_a_variable_overrides_the_filter_in_code() {
    let own = [("POWERTOOLS_LOG_LEVEL", "ERROR")];
    let lines = logged(logging().filter(" debug").environment(own), at_each_level);
    assert_eq!(lines.messages(), ["error"]);

    let lambda = [("AWS_LAMBDA_LOG_LEVEL", "DEBUG")];
    let lines = logged(logging().filter("warn,x=debug").environment(lambda), at_each_level);
    assert_eq!(lines.messages(), &ALL[1..]);

    // Single targets are kept, and so is the value of the other variable.
    let lines = logged(logging().filter("warn,it=debug").environment(own), at_each_level);
    assert_eq!(lines.messages(), &ALL[1..]);
    let both = [("POWERTOOLS_LOG_LEVEL", "ERROR"), ("POWERTOOLS_LOG_FILTER", "debug")];
    assert_eq!(logged(logging().environment(both), at_each_level).messages(), &ALL[1..]);
    assert_eq!(logged(logging().filter("debug"), at_each_level).messages(), &ALL[1..]);
}

#[test]
fn debug_lines_that_lambda_drops_are_a_warning_if_they_are_enabled() {
    for logging in [logging().buffer(1024), logging().sample_rate(0.5)] {
        let logging = logging.level(Level::Warn).environment([("AWS_LAMBDA_LOG_LEVEL", "WARN")]);
        let messages = logged(logging, || {}).messages();
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert!(messages[0].contains("Lambda drops the DEBUG lines"), "{messages:?}");
    }
}

#[test]
fn targets_have_their_own_levels() {
    let logging = || logging().level(Level::Warn).filter("it::logging=debug,noise=off");
    let log = || {
        at_each_level();
        tracing::error!(target: "noise", "never");
        tracing::info!(target: "other", "not at this level");
    };
    assert_eq!(logged(logging(), log).messages(), &ALL[1..]);

    let variables = [("POWERTOOLS_LOG_FILTER", "noise=error")];
    let lines = logged(logging().environment(variables), log);
    assert_eq!(lines.messages(), ["warn", "error", "never"]);
}

#[test]
fn a_filter_can_name_a_span() {
    let lines = logged(logging().filter("info, [order{id=7}]=debug"), || {
        tracing::debug!("outside");
        tracing::info_span!("order", id = 8).in_scope(|| tracing::debug!("another"));
        tracing::info_span!("order", id = 7).in_scope(|| tracing::debug!("inside"));
    });
    assert_eq!(lines.messages(), ["inside"]);

    // Spaces have no meaning, as without a span.
    for filter in [
        "info, [ship order{id=7}] = debug, db = debug",
        "info,db =debug,[ship order{id=7}] =debug",
        "info, orders [ship order{id=7}]= debug, db= debug",
    ] {
        let lines = logged(logging().filter(filter), || {
            tracing::debug!("outside");
            tracing::debug!(target: "db", "target");
            let span = tracing::info_span!(target: "orders", "ship order", id = 7);
            span.in_scope(|| tracing::debug!(target: "orders", "inside"));
        });
        assert_eq!(lines.messages(), ["target", "inside"], "{filter}");
    }
}

#[test]
fn an_error_has_its_spans_and_its_invocation_at_every_level() {
    for level in [Level::Warn, Level::Error] {
        let line = logged_in_invocation(logging().level(level), || {
            let _span = tracing::info_span!("order", order_id = 7).entered();
            tracing::error!("lost");
        })
        .one();
        assert_eq!(line["order_id"], 7);
        assert_eq!(line["function_request_id"], "8476a536-e9f4-11e8-9739-2dfe598c3fcd");
    }
}

#[test]
fn a_sampled_invocation_writes_its_debug_lines_and_another_does_not() {
    for (rate, expected) in [(1.0, &ALL[1..]), (0.0, &ALL[2..]), (1e-12, &ALL[2..])] {
        let lines = logged_in_invocation(logging().sample_rate(rate), at_each_level);
        assert_eq!(lines.messages(), expected, "{rate}");
    }
    // There is nothing to be decided outside.
    assert_eq!(logged(logging().sample_rate(1.0), at_each_level).messages(), &ALL[2..]);
}

#[test]
fn the_share_of_sampled_invocations_is_the_rate() {
    let rate = 0.01;
    let invocations = powertools_tests::scale(20_000, 200_000);
    let lines = logged(logging().sample_rate(rate), || {
        for _ in 0..invocations {
            powertools::testing::invocation().build().sync_scope(|| tracing::debug!("sampled"));
        }
    });
    let sampled = lines.take().lines().count() as f64;
    let expected = rate * invocations as f64;
    let slack = 5.0 * (expected * (1.0 - rate)).sqrt();
    assert!((sampled - expected).abs() < slack, "{sampled} of {invocations}");
}

#[test]
fn sampling_leaves_noisy_and_named_targets_alone() {
    let logging = || logging().sample_rate(1.0).filter("named=warn");
    let lines = logged_in_invocation(logging(), || {
        tracing::debug!(target: "hyper::client", "noise");
        tracing::debug!(target: "aws_smithy_runtime", "noise");
        tracing::debug!(target: "named::inner", "said");
        tracing::debug!(target: "own", "sampled");
        tracing::debug!(target: "tower_orders::main", "sampled too");
    });
    assert_eq!(lines.messages(), ["sampled", "sampled too"]);
}

#[test]
fn other_layers_have_their_own_filters() {
    struct Count(std::sync::Arc<std::sync::atomic::AtomicUsize>);
    impl Layer<tracing_subscriber::layer::Layered<Box<dyn Layer<Registry> + Send + Sync>, Registry>>
        for Count
    {
        fn on_event(
            &self,
            _: &tracing::Event<'_>,
            _: tracing_subscriber::layer::Context<
                '_,
                tracing_subscriber::layer::Layered<
                    Box<dyn Layer<Registry> + Send + Sync>,
                    Registry,
                >,
            >,
        ) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }

    let lines = Lines::default();
    let seen = std::sync::Arc::default();
    let ours: Box<dyn Layer<Registry> + Send + Sync> =
        lines.layer(logging().level(Level::Error)).boxed();
    let subscriber =
        tracing_subscriber::registry().with(ours).with(Count(std::sync::Arc::clone(&seen)));
    tracing::subscriber::with_default(subscriber, at_each_level);
    assert_eq!(lines.messages(), ["error"]);
    assert_eq!(seen.load(std::sync::atomic::Ordering::Relaxed), 5);
}

#[test]
fn settings_that_cannot_be_are_errors() {
    let of = |logging: Logging| {
        let layer = logging.layer::<Registry>();
        layer.err().expect("it is refused").to_string()
    };
    assert!(of(logging().sample_rate(1.5)).starts_with("sample_rate is \"1.5\": "));
    assert!(of(logging().line_limit(10)).starts_with("line_limit is \"10\": "));
    assert!(of(logging().filter("a=loud")).starts_with("filter is \"a=loud\": "));
    let variable = logging().environment([("POWERTOOLS_LOG_FILTER", "a=loud")]);
    assert!(of(variable).starts_with("POWERTOOLS_LOG_FILTER is \"a=loud\": "));
    assert!(of(logging().correlation_id("a..b")).starts_with("correlation_id is \"a..b\": "));
    let map = std::collections::HashMap::from([((1, 2), 3)]);
    assert!(of(logging().key("map", map)).starts_with("key is \"map\": "));
}
