use std::fmt;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
    FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanKind, Status, Tracer};

use super::headers_of;
use crate::open::OpenSpan;
use crate::otel::Otel;
use crate::tracer::OfInvocations;

/// Creates a span for each call of a client of AWS's SDK, with all of its attempts, and sends its
/// headers with the request.
///
/// ```no_run
/// use aws_sdk_sqs::config::Builder;
/// use powertools_otel::Otel;
///
/// let otel = Otel::new();
/// // That of any client; with `powertools::aws` it is `Builder::from(aws::config().await)`.
/// let config = Builder::new().interceptor(otel.sdk_interceptor());
/// let client = aws_sdk_sqs::Client::from_conf(config.build());
/// # let _ = client;
/// ```
///
/// The span is named after the service and the operation, and has `rpc.system`, `rpc.service`,
/// `rpc.method`, `http.response.status_code`, `aws.request_id`, and `error.type` if the call failed. It
/// contains nothing that was sent or received.
#[derive(Clone)]
pub struct SdkInterceptor {
    tracer: OfInvocations,
}

impl Otel {
    /// Creates an interceptor for clients of AWS's SDK.
    #[must_use]
    pub fn sdk_interceptor(&self) -> SdkInterceptor {
        SdkInterceptor { tracer: self.core().of_invocations() }
    }
}

#[derive(Debug)]
struct Call(OpenSpan);

impl Storable for Call {
    type Storer = StoreReplace<Self>;
}

#[dyn_dispatch_hint]
impl Intercept for SdkInterceptor {
    fn name(&self) -> &'static str {
        "PowertoolsOtel"
    }

    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let metadata = bag.load::<Metadata>();
        let (service, method) =
            metadata.map_or(("AWS", "call"), |metadata| (metadata.service(), metadata.name()));
        let builder = self
            .tracer
            .span_builder(format!("{service}.{method}"))
            .with_kind(SpanKind::Client)
            .with_attributes([
                KeyValue::new("rpc.system", "aws-api"),
                KeyValue::new("rpc.service", service.to_owned()),
                KeyValue::new("rpc.method", method.to_owned()),
            ]);
        let span = builder.start(&self.tracer);
        bag.interceptor_state().store_put(Call(span));
        Ok(())
    }

    // After signing: an intermediary may change these headers, and the client of a presigned URL lacks them.
    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(Call(span)) = bag.load::<Call>().filter(|call| call.0.span_context().is_valid())
        {
            let headers = context.request_mut().headers_mut();
            for (name, value) in headers_of(span.span_context(), Some(self.tracer.spans())) {
                let _ = headers.try_insert(name, value);
            }
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Call(span)) = bag.get_mut_from_interceptor_state::<Call>() else { return Ok(()) };
        if let Some(response) = context.response() {
            let status = i64::from(response.status().as_u16());
            span.set_attribute(KeyValue::new("http.response.status_code", status));
            let ids = ["x-amzn-requestid", "x-amz-request-id"];
            let id = ids.iter().find_map(|name| response.headers().get(name));
            if let Some(id) = id {
                span.set_attribute(KeyValue::new("aws.request_id", id.to_owned()));
            }
        }
        if let Some(Err(error)) = context.output_or_error() {
            let kind = match error {
                _ if error.is_timeout_error() => "timeout",
                _ if error.is_connector_error() => "connection",
                _ if error.is_operation_error() => "service",
                _ => "other",
            };
            span.set_attribute(KeyValue::new("error.type", kind));
            span.set_status(Status::error(kind));
        }
        span.end();
        Ok(())
    }
}

impl fmt::Debug for SdkInterceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SdkInterceptor").finish_non_exhaustive()
    }
}
