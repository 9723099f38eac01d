//! Settings from code and from the variables of OpenTelemetry.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_sdk::resource::{ResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::Sampler;
use percent_encoding::percent_decode_str;
use powertools::macro_support::otel::{Environment, domain};
use tracing::level_filters::LevelFilter;

use crate::ids::Sampling;
use crate::propagators::Propagators;

/// The settings of the builder.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) to: Destination,
    pub(crate) when: When,
    pub(crate) service: Option<String>,
    pub(crate) level: LevelFilter,
    pub(crate) redacted: Vec<String>,
    pub(crate) environment: Environment,
}

/// Where spans go.
#[derive(Clone, Debug)]
pub(crate) enum Destination {
    Collector(Option<String>),
    #[cfg_attr(not(feature = "xray"), allow(dead_code))]
    XRay,
    Stdout,
}

/// When spans are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum When {
    BeforeReply,
    AfterReply,
    Every(Duration),
}

/// Reads the variables. What cannot be read counts as unset, and is noted.
pub(crate) struct Variables<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) damaged: Vec<&'static str>,
}

/// The time of a request, unless [`OTEL_EXPORTER_OTLP_TIMEOUT`] is set: a reply may wait for it.
const TIMEOUT: Duration = Duration::from_secs(1);
/// The most spans in memory, by default of OpenTelemetry.
const SPANS: usize = 2048;
/// The most characters of a value. X-Ray takes 64 kB for a whole segment, and others 64 KiB for a value, or 4 KiB.
const CHARACTERS: usize = 16_384;

/// What OTLP adds to the URL of a server.
const PATH: &str = "/v1/traces";

impl Variables<'_> {
    fn read<T>(&mut self, name: &'static str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let value = self.environment.get(name)?;
        let found = read(&value);
        if found.is_none() {
            self.damaged.push(name);
        }
        found
    }

    /// Returns the value of the variable for spans, or else of the one for all signals.
    fn read_either<T>(
        &mut self,
        names: [&'static str; 2],
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let name = names.into_iter().find(|name| self.environment.get(name).is_some())?;
        self.read(name, read)
    }

    pub(crate) fn is_disabled(&mut self) -> bool {
        let disabled = self.read("OTEL_SDK_DISABLED", |value| match value {
            _ if value.eq_ignore_ascii_case("true") => Some(true),
            _ if value.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        });
        let exporter = self.read("OTEL_TRACES_EXPORTER", |value| match value {
            "none" => Some(true),
            "otlp" => Some(false),
            _ => None,
        });
        disabled == Some(true) || exporter == Some(true)
    }

    /// Returns the URL of a collector: the variable's, or else `code`'s, or else that of one on this host.
    pub(crate) fn endpoint(&self, code: Option<&str>) -> String {
        if let Some(whole) = self.environment.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
            return whole;
        }
        let base = self.environment.get("OTEL_EXPORTER_OTLP_ENDPOINT");
        let base = base.as_deref().or(code).unwrap_or("http://localhost:4318");
        [base.trim_end_matches('/'), PATH].concat()
    }

    /// Returns the URL of X-Ray in the region, unless a variable names another one; or why there is none.
    pub(crate) fn xray_endpoint(&mut self) -> Result<String, String> {
        let base = match self.environment.get("AWS_ENDPOINT_URL_XRAY") {
            Some(url) => url,
            None => {
                // No list has the endpoints of these kinds that take OTLP.
                for name in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
                    let is_on = self.read(name, |value| value.to_ascii_lowercase().parse().ok());
                    if is_on == Some(true) {
                        return Err(format!("{name} needs AWS_ENDPOINT_URL_XRAY with the URL"));
                    }
                }
                let region = self.environment.region().unwrap_or_default();
                format!("https://xray.{region}.{}", domain(&region))
            }
        };
        Ok(format!("{}{PATH}", base.trim_end_matches('/')))
    }

    pub(crate) fn headers(&mut self) -> Vec<(String, String)> {
        let names = ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
        let headers = self.read_either(names, |list| {
            let headers = pairs(list)?;
            let is_valid = |(name, value): &(String, String)| {
                http::HeaderName::try_from(name).is_ok()
                    && http::HeaderValue::try_from(value).is_ok()
            };
            headers.iter().all(is_valid).then_some(headers)
        });
        headers.unwrap_or_default()
    }

    pub(crate) fn timeout(&mut self) -> Duration {
        let names = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
        let timeout = self.read_either(names, |millis| {
            millis.parse().ok().filter(|millis| *millis > 0).map(Duration::from_millis)
        });
        timeout.unwrap_or(TIMEOUT)
    }

    pub(crate) fn is_compressed(&mut self) -> bool {
        let names = ["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"];
        let compressed = self.read_either(names, |value| match value {
            "gzip" => Some(true),
            "none" => Some(false),
            _ => None,
        });
        compressed.unwrap_or(false)
    }

    /// Checks the protocol. Any but the only one that is implemented is noted, and has no effect.
    pub(crate) fn check_protocol(&mut self) {
        let names = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
        self.read_either(names, |value| (value == "http/protobuf").then_some(()));
    }

    pub(crate) fn spans(&mut self) -> usize {
        let spans = self
            .read("OTEL_BSP_MAX_QUEUE_SIZE", |spans| spans.parse().ok().filter(|spans| *spans > 0));
        spans.unwrap_or(SPANS)
    }

    /// Returns the most characters of a value.
    pub(crate) fn characters(&mut self) -> usize {
        let names = ["OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"];
        let characters =
            self.read_either(names, |limit| limit.parse().ok().filter(|limit| *limit > 0));
        characters.unwrap_or(CHARACTERS)
    }

    pub(crate) fn propagators(&mut self) -> Propagators {
        let found = self.read("OTEL_PROPAGATORS", |list| {
            let mut found = Propagators { w3c: false, xray: false };
            for name in list.split(',').map(str::trim) {
                match name {
                    "tracecontext" => found.w3c = true,
                    "xray" | "xray-lambda" => found.xray = true,
                    // Baggage is not carried.
                    "baggage" | "none" => {}
                    _ => return None,
                }
            }
            Some(found)
        });
        found.unwrap_or_default()
    }

    pub(crate) fn sampling(&mut self) -> Sampling {
        const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";
        let name = self.read("OTEL_TRACES_SAMPLER", |name| {
            let (by_parent, rule) = match name.strip_prefix("parentbased_") {
                Some(rule) => (true, rule),
                None => (false, name),
            };
            let known = matches!(rule, "always_on" | "always_off" | "traceidratio");
            known.then(|| (by_parent, rule.to_owned()))
        });
        let (by_parent, rule) = name.unwrap_or_else(|| (true, "always_on".to_owned()));
        let rule = match &*rule {
            "always_off" => Sampler::AlwaysOff,
            "traceidratio" => {
                let ratio = self.read(ARGUMENT, |ratio| {
                    ratio.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio))
                });
                Sampler::TraceIdRatioBased(ratio.unwrap_or(1.0))
            }
            _ => Sampler::AlwaysOn,
        };
        Sampling { by_parent, rule }
    }

    /// Returns the attributes of the variable.
    pub(crate) fn given(&mut self) -> Vec<(String, String)> {
        self.read("OTEL_RESOURCE_ATTRIBUTES", pairs).unwrap_or_default()
    }

    /// Returns the name of the service, `code` being the one in code and `given` the attributes of the variable.
    pub(crate) fn service(&self, code: Option<&str>, given: &[(String, String)]) -> String {
        let environment = self.environment;
        let of_attributes = given.iter().rev().find(|(name, _)| name == "service.name");
        environment
            .get("OTEL_SERVICE_NAME")
            .or_else(|| Some(of_attributes?.1.clone()))
            .or_else(|| environment.get("POWERTOOLS_SERVICE_NAME"))
            .or_else(|| code.map(str::to_owned))
            .or_else(|| environment.get("AWS_LAMBDA_FUNCTION_NAME"))
            .unwrap_or_else(|| "unknown_service".to_owned())
    }

    /// Returns what is said of the function, `code` being the service in code. Of a name that is there twice the last
    /// value counts.
    pub(crate) fn resource(&mut self, code: Option<&str>) -> Vec<KeyValue> {
        // The name, the version and the language of the SDK.
        let sdk = TelemetryResourceDetector.detect();
        let of_sdk = sdk.iter().map(|(name, value)| KeyValue::new(name.clone(), value.clone()));
        let mut found: Vec<_> = of_sdk.collect();
        found.extend([
            KeyValue::new("telemetry.distro.name", env!("CARGO_PKG_NAME")),
            KeyValue::new("telemetry.distro.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("cloud.provider", "aws"),
            KeyValue::new("cloud.platform", "aws_lambda"),
        ]);
        let environment = self.environment;
        let mut set = |name: &'static str, value: Option<String>| {
            found.extend(value.map(|value| KeyValue::new(name, value)));
        };
        set("cloud.region", environment.region());
        set("faas.name", environment.get("AWS_LAMBDA_FUNCTION_NAME"));
        set("faas.version", environment.get("AWS_LAMBDA_FUNCTION_VERSION"));
        set("faas.instance", environment.get("AWS_LAMBDA_LOG_STREAM_NAME"));
        let memory = environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE");
        let memory = memory.and_then(|megabytes| megabytes.parse::<i64>().ok());
        found.extend(memory.map(|memory| KeyValue::new("faas.max_memory", memory << 20)));

        let given = self.given();
        let named = [("service.name".to_owned(), self.service(code, &given))];
        let pairs = given.into_iter().chain(named);
        found.extend(pairs.map(|(name, value)| KeyValue::new(name, value)));
        found
    }
}

/// Reads `name=value,other=value`, with values in percent-encoding. One invalid part makes the whole
/// invalid.
fn pairs(list: &str) -> Option<Vec<(String, String)>> {
    let parts = list.split(',').map(str::trim).filter(|part| !part.is_empty());
    let pairs = parts.map(|part| {
        let (name, value) = part.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        let name = name.trim();
        (!name.is_empty()).then(|| (name.to_owned(), value.into_owned()))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otel::Otel;

    fn xray<const N: usize>(variables: [(&str, &str); N]) -> Result<String, String> {
        let environment = Environment::of(variables);
        let mut variables = Variables { environment: &environment, damaged: Vec::new() };
        let endpoint = variables.xray_endpoint();
        assert!(variables.damaged.is_empty());
        endpoint
    }

    #[test]
    fn xray_has_the_domain_of_the_partition() {
        for (region, host) in [
            ("us-east-1", "xray.us-east-1.amazonaws.com"),
            ("cn-north-1", "xray.cn-north-1.amazonaws.com.cn"),
            ("eusc-de-east-1", "xray.eusc-de-east-1.amazonaws.eu"),
            ("us-gov-west-1", "xray.us-gov-west-1.amazonaws.com"),
        ] {
            let off = ("AWS_USE_FIPS_ENDPOINT", "false");
            let url = format!("https://{host}/v1/traces");
            assert_eq!(xray([("AWS_REGION", region), off]), Ok(url));
        }
    }

    #[test]
    fn no_spans_go_to_another_kind_of_endpoint_than_the_variables_ask_for() {
        for name in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
            let variables = [("AWS_REGION", "us-east-1"), (name, "True")];
            let otel = Otel::xray().environment(variables);
            let problem = otel.core().problem.as_deref().unwrap();
            assert!(
                problem.starts_with("no spans are sent") && problem.contains(name),
                "{problem}"
            );

            let url = ("AWS_ENDPOINT_URL_XRAY", "https://xray-fips.us-east-1.amazonaws.com/");
            let [region, flag] = variables;
            let expected = "https://xray-fips.us-east-1.amazonaws.com/v1/traces";
            assert_eq!(xray([region, flag, url]), Ok(expected.to_owned()));
        }
    }
}
