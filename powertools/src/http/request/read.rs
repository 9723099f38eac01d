//! Reads an event.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, Method};
use lambda_http::aws_lambda_events::query_map::QueryMap;
use lambda_http::request::RequestContext as LambdaHttpContext;
use lambda_http::{Body, Request, RequestExt as _};
use serde::Deserialize;
use serde::de::Error;
use serde_json::value::RawValue;

use super::{Event, Front, Invalid, Origin, caller, headers, uri};
use crate::events::http_event::{HttpEvent, Pairs, RequestContext, Text};
use crate::json::without_values;

pub(super) fn event<E: Error>(mut event: HttpEvent<'_>) -> Result<Event, E> {
    let context = match event.request_context.map(RawValue::get) {
        Some(context) => serde_json::from_str(context).map_err(|error| {
            E::custom(format_args!("requestContext: {}", without_values(error)))
        })?,
        None => RequestContext::default(),
    };
    let Some(front) = Front::of(&event, &context) else {
        return Err(E::custom(
            "it is not a request of an API, a function URL, a load balancer or VPC Lattice",
        ));
    };
    let request = request(&mut event, &context, front);
    Ok(Event { front, request })
}

fn request(
    event: &mut HttpEvent<'_>,
    context: &RequestContext<'_>,
    front: Front,
) -> Result<Request, Invalid> {
    let headers = headers::headers(event)?;
    let (path, query) = (uri::path(event, context, front), uri::query(event, front));
    let body = body(event.body.take(), event.is_base64_encoded == Some(true))?;
    let mut request = Request::new(body);
    *request.method_mut() = method(event, context, front)?;
    *request.uri_mut() = uri::uri(&path, &query, &headers, context)?;

    let origin = Origin {
        front_end: front.public(),
        path: path.clone().into_owned(),
        stage: stage(context),
        route: route(context, front),
        source_ip: source_ip(&headers, context, front),
        caller: caller::caller(context),
        request_id: context.request_id.as_deref().map(str::to_owned),
    };
    *request.headers_mut() = headers;
    request.extensions_mut().insert(origin);

    // What `lambda_http` knows, for its `RequestExt`.
    let mut request = request
        .with_raw_http_path(path)
        .with_query_string_parameters(query.parse::<QueryMap>().unwrap_or_default());
    if let Some(parameters) = map(&event.path_parameters) {
        request = request.with_path_parameters(parameters);
    }
    if let Some(variables) = map(&event.stage_variables) {
        request = request.with_stage_variables(variables);
    }
    if let Some(context) = event.request_context.and_then(|json| of_lambda_http(json, front)) {
        request = request.with_request_context(context);
    }
    Ok(request)
}

fn method(
    event: &HttpEvent<'_>,
    context: &RequestContext<'_>,
    front: Front,
) -> Result<Method, Invalid> {
    if front == Front::WebSocketApi {
        // A connection begins with a GET. What follows has no method, and can have a body.
        let is_connect = context.event_type.as_deref() == Some("CONNECT");
        return Ok(if is_connect { Method::GET } else { Method::POST });
    }
    let of_context = context.http.as_ref().and_then(|http| http.method.as_deref());
    let method = of_context.or(event.http_method.as_deref()).or(event.method.as_deref());
    let method = method.ok_or(Invalid::Method)?;
    Method::from_bytes(method.as_bytes()).map_err(|_| Invalid::Method)
}

fn body(body: Option<Text<'_>>, is_base64: bool) -> Result<Body, Invalid> {
    Ok(match body {
        None => Body::Empty,
        Some(Text(body)) if body.is_empty() => Body::Empty,
        Some(Text(body)) if is_base64 => {
            Body::Binary(BASE64_STANDARD.decode(&*body).map_err(|_| Invalid::Body)?)
        }
        Some(Text(body)) => Body::Text(body.into_owned()),
    })
}

fn stage(context: &RequestContext<'_>) -> Option<String> {
    context.stage.as_deref().filter(|stage| !matches!(*stage, "$default" | "")).map(str::to_owned)
}

fn route(context: &RequestContext<'_>, front: Front) -> Option<String> {
    let route = if front == Front::RestApi { &context.resource_path } else { &context.route_key };
    route.as_deref().map(str::to_owned)
}

fn source_ip(headers: &HeaderMap, context: &RequestContext<'_>, front: Front) -> Option<IpAddr> {
    if matches!(front, Front::LoadBalancer { .. } | Front::VpcLattice) {
        // The front end appends the address, to the last of several headers.
        let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
        let last = last.rsplit(',').next()?.trim();
        // A load balancer can be told to add the port.
        return last.parse().ok().or_else(|| Some(last.parse::<SocketAddr>().ok()?.ip()));
    }
    let of_http = context.http.as_ref().and_then(|http| http.source_ip.as_deref());
    let of_identity = context.identity.as_ref().and_then(|identity| identity.source_ip.as_deref());
    of_http.or(of_identity)?.parse().ok()
}

fn map(pairs: &Option<Pairs<'_>>) -> Option<HashMap<String, String>> {
    let Pairs(pairs) = pairs.as_ref()?;
    Some(pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
}

/// Reads the context as `lambda_http` has it, which is stricter: without what it does not read.
fn of_lambda_http(json: &RawValue, front: Front) -> Option<LambdaHttpContext> {
    fn parsed<T: for<'de> Deserialize<'de>>(json: &RawValue) -> Option<T> {
        serde_json::from_str(json.get()).ok()
    }

    match front {
        Front::RestApi => parsed(json).map(LambdaHttpContext::ApiGatewayV1),
        Front::HttpApi | Front::FunctionUrl => parsed(json).map(LambdaHttpContext::ApiGatewayV2),
        Front::WebSocketApi => parsed(json).map(LambdaHttpContext::WebSocket),
        Front::LoadBalancer { .. } => parsed(json).map(LambdaHttpContext::Alb),
        Front::VpcLattice => parsed(json).map(LambdaHttpContext::VpcLattice),
    }
}
