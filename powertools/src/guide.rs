//! The guide: a page for each task.
//!
//! | task | page |
//! |---|---|
//! | run, test and deploy a first function | [Get started](getting_started) |
//! | charge a card once | [Make a handler idempotent](idempotent_handler) |
//! | write an order exactly once | [Commit effects exactly once](effects_once) |
//! | retry only the messages that failed | [Process a queue](process_a_queue) |
//! | find the type, the order and the key of a source | [Every source](every_source) |
//! | process entries in their order | [Keep order](keep_order) |
//! | write many records with one request | [Process records in bulk](bulk_work) |
//! | read Avro or Protobuf from Kafka | [Read Kafka values with schemas](kafka_values) |
//! | read what S3, SNS or EventBridge sent to a queue | [Read nested events](nested_events) |
//! | answer HTTP requests | [Answer HTTP requests](http) |
//! | create what CloudFormation cannot | [Write a custom resource](custom_resources) |
//! | wait for an hour between two steps | [Write a durable function](durable) |
//! | stop before the timeout | [Stay inside the timeout](stay_inside_the_timeout) |
//! | make the first invocation fast | [Start fast](start_fast) |
//! | read a secret that rotates | [Read parameters and secrets](parameters) |
//! | turn a feature on for some customers | [Turn features on by rules](feature_flags) |
//! | find the log lines of one request | [Read the logs](read_the_logs) |
//! | know how many, how long and how often | [Measure what matters](metrics) |
//! | see where the time of a request goes | [Follow one request through five services](https://docs.rs/powertools-otel/latest/powertools_otel/guide/), in the repository `powertools/otel/docs/follow_a_request.md` |
//! | test without AWS | [Test your function](test_your_function) |
//! | process many events in one process | [Run many invocations at once](many_at_once) |
//! | create the table and the role | [Set up the table and the role](table_and_iam) |
//! | keep records where the function has a cache already | [Keep records in Redis or Valkey](redis_store) |
//! | estimate the bill | [Cost in DynamoDB requests](cost) |
//! | understand an error type in an alarm | [Troubleshooting by error type](troubleshooting) |

#[doc = include_str!("../docs/guide/getting_started.md")]
pub mod getting_started {}

#[doc = include_str!("../docs/guide/idempotent_handler.md")]
pub mod idempotent_handler {}

#[doc = include_str!("../docs/guide/effects_once.md")]
pub mod effects_once {}

#[doc = include_str!("../docs/guide/process_a_queue.md")]
pub mod process_a_queue {}

#[doc = include_str!("../docs/guide/every_source.md")]
pub mod every_source {}

#[doc = include_str!("../docs/guide/keep_order.md")]
pub mod keep_order {}

#[doc = include_str!("../docs/guide/bulk_work.md")]
pub mod bulk_work {}

#[doc = include_str!("../docs/guide/kafka_values.md")]
pub mod kafka_values {}

#[doc = include_str!("../docs/guide/nested_events.md")]
pub mod nested_events {}

#[doc = include_str!("../docs/guide/http.md")]
pub mod http {}

#[doc = include_str!("../docs/guide/custom_resources.md")]
pub mod custom_resources {}

#[doc = include_str!("../docs/guide/durable.md")]
pub mod durable {}

#[doc = include_str!("../docs/guide/stay_inside_the_timeout.md")]
pub mod stay_inside_the_timeout {}

#[doc = include_str!("../docs/guide/start_fast.md")]
pub mod start_fast {}

#[doc = include_str!("../docs/guide/parameters.md")]
pub mod parameters {}

#[doc = include_str!("../docs/guide/feature_flags.md")]
pub mod feature_flags {}

#[doc = include_str!("../docs/guide/read_the_logs.md")]
pub mod read_the_logs {}

#[doc = include_str!("../docs/guide/metrics.md")]
pub mod metrics {}

#[doc = include_str!("../docs/guide/test_your_function.md")]
pub mod test_your_function {}

#[doc = include_str!("../docs/guide/many_at_once.md")]
pub mod many_at_once {}

#[doc = include_str!("../docs/guide/table_and_iam.md")]
pub mod table_and_iam {}

#[doc = include_str!("../docs/guide/redis_store.md")]
pub mod redis_store {}

#[doc = include_str!("../docs/guide/cost.md")]
pub mod cost {}

#[doc = include_str!("../docs/guide/troubleshooting.md")]
pub mod troubleshooting {}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    #[test]
    fn every_error_type_is_on_the_troubleshooting_page() {
        let page = include_str!("../docs/guide/troubleshooting.md");
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        let mut found = 0;
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = fs::read_to_string(&path).unwrap();
                for name in text.split('"').filter(|text| is_error_type(text)) {
                    assert!(page.contains(&format!("`{name}`")), "{name} of {}", path.display());
                    found += 1;
                }
            }
        }
        assert!(found > 30, "{found}");
    }

    fn is_error_type(text: &str) -> bool {
        let name = text.strip_prefix("Powertools.").unwrap_or_default();
        !name.is_empty() && name.chars().all(|char| char.is_ascii_alphabetic())
    }
}
