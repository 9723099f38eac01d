//! Settings in code and in the environment.

use std::sync::{Arc, Mutex};

use powertools::metrics::{self as measure, Dimension, Error, Metrics, Namespace};
use powertools::testing::FakeRuntime;
use powertools::{Powertools, testing};
use serde_json::{Value, json};

use super::metrics;

/// What a function that counts writes by these settings.
async fn lines(settings: Metrics) -> Vec<Value> {
    let written = Arc::new(Mutex::new(Vec::new()));
    let sink = written.clone();
    let settings = settings.writer(move |line| {
        sink.lock().unwrap().push(serde_json::from_slice(line).unwrap());
    });
    let handler = async |_: lambda_runtime::LambdaEvent<Value>| {
        measure::count("Orders", 1);
        Ok::<_, lambda_runtime::Error>(())
    };
    let lambda = FakeRuntime::new();
    let function = lambda.run(Powertools::new(handler).metrics(settings).run());
    assert!(lambda.invoke(json!({})).await.response().is_some());
    function.stop().await;
    std::mem::take(&mut written.lock().unwrap())
}

fn shop() -> Metrics {
    Metrics::new()
        .namespace(Namespace::from_static("Shop"))
        .service("orders")
        .environment([("", "")])
}

#[tokio::test]
async fn the_environment_overrides_the_code() {
    let variables =
        [("POWERTOOLS_METRICS_NAMESPACE", "Other"), ("POWERTOOLS_SERVICE_NAME", "payments")];
    let [line] = &lines(shop().environment(variables)).await[..] else { panic!("one line") };
    assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Namespace"], "Other");
    assert_eq!(line["service"], "payments");
}

#[tokio::test]
async fn without_a_service_there_is_no_such_dimension() {
    let settings = Metrics::new().namespace(Namespace::from_static("Shop")).environment([("", "")]);
    let [line] = &lines(settings).await[..] else { panic!("one line") };
    assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[]]));
    assert_eq!(line.as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn dimensions_of_the_process_are_on_every_line_and_last() {
    let settings = shop()
        .dimension(Dimension::from_static("stage", "test"))
        .dimension(Dimension::from_static("stage", "prod"));
    let [line] = &lines(settings).await[..] else { panic!("one line") };
    assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["stage", "service"]]));
    assert_eq!(line["stage"], "prod");
}

#[tokio::test]
async fn disabled_metrics_write_nothing_and_need_no_namespace() {
    for variables in [[("POWERTOOLS_METRICS_DISABLED", "true")], [("POWERTOOLS_DEV", "1")]] {
        let settings = Metrics::new().count_cold_starts().environment(variables);
        assert_eq!(lines(settings).await, [] as [Value; 0]);
    }
    let asked =
        shop().environment([("POWERTOOLS_METRICS_DISABLED", "false"), ("POWERTOOLS_DEV", "1")]);
    assert_eq!(lines(asked).await.len(), 1);
}

async fn start_error(settings: Metrics) -> Error {
    let handler = async |_: lambda_runtime::LambdaEvent<Value>| Ok::<_, lambda_runtime::Error>(());
    let lambda = FakeRuntime::new();
    let (sent, mut received) = tokio::sync::mpsc::channel(1);
    let _function = lambda.run(async move {
        let ended = Powertools::new(handler).metrics(settings).run().await;
        let _ = sent.send(ended.err()).await;
    });
    let error = received.recv().await.flatten().expect("it does not start");
    *error.downcast::<Error>().expect("it is an error of the metrics")
}

#[tokio::test]
async fn settings_that_are_invalid_end_the_start() {
    let error = start_error(Metrics::new().environment([("", "")])).await;
    assert_eq!(error, Error::NamespaceMissing);
    assert_eq!(error.error_type(), "Powertools.MetricsNamespaceMissing");
    for namespace in [":shop", "AWS/Lambda", "Shöp", &"x".repeat(256)] {
        let variables = [("POWERTOOLS_METRICS_NAMESPACE", namespace)];
        let error = start_error(shop().environment(variables)).await;
        assert_eq!(error.error_type(), "Powertools.MetricsNamespaceInvalid", "{namespace}");
    }
    let error = start_error(shop().environment([("POWERTOOLS_METRICS_DISABLED", "perhaps")])).await;
    assert_eq!(error.error_type(), "Powertools.MetricsSettingInvalid");
    let error = start_error(shop().service("x".repeat(1025))).await;
    assert_eq!(error.error_type(), "Powertools.MetricsDimensionInvalid");
}

#[test]
fn namespaces_and_dimensions_are_checked() {
    assert_eq!(Namespace::from_static("Shop/Orders #1").to_string(), "Shop/Orders #1");
    for namespace in ["", "  ", ":a", "AWS/Lambda", "a\nb", "é", &"x".repeat(256)] {
        let error = namespace.parse::<Namespace>().unwrap_err();
        assert_eq!(error.error_type(), "Powertools.MetricsNamespaceInvalid", "{namespace:?}");
    }
    assert!("x".repeat(255).parse::<Namespace>().is_ok());
    let stage = Dimension::new("stage", "prod").unwrap();
    assert_eq!((stage.name(), stage.value()), ("stage", "prod"));
    for (name, value) in [("", "x"), (":a", "x"), ("_aws", "x"), ("a", ""), ("a", "\u{1}")] {
        let error = Dimension::new(name, value).unwrap_err();
        assert_eq!(error.error_type(), "Powertools.MetricsDimensionInvalid");
    }
}

#[tokio::test]
async fn a_cold_start_is_a_line_of_its_own_before_the_handler_runs() {
    let captured = testing::metrics();
    let sink = captured.clone();
    let handler = move |_: lambda_runtime::LambdaEvent<Value>| {
        let lines = sink.lines();
        measure::count("Orders", 1);
        async move { Ok::<_, lambda_runtime::Error>(lines.len()) }
    };
    let settings = metrics(&captured)
        .dimension(Dimension::from_static("stage", "prod"))
        .function_name("orders-fn")
        .count_cold_starts();
    let lambda = FakeRuntime::new();
    let function = lambda.run(Powertools::new(handler).metrics(settings).run());
    let seen: usize = lambda.invoke(json!({})).await.json();
    let _: usize = lambda.invoke(json!({})).await.json();
    function.stop().await;
    // Another test of this process can have had the cold start.
    let lines = captured.lines();
    let cold: Vec<_> = lines.iter().filter(|line| line.metrics.contains_key("ColdStart")).collect();
    assert_eq!((cold.len(), lines.len()), (seen, 2 + seen));
    for line in cold {
        assert_eq!(line.metrics.len(), 1);
        assert_eq!(line.metrics["ColdStart"].values, [1.0]);
        let dimensions: Vec<_> = line.dimensions.keys().collect();
        assert_eq!(dimensions, ["function_name", "service", "stage"]);
    }
}
