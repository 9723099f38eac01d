use std::borrow::Cow;

use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use http::{HeaderMap, header};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Front, Invalid};
use crate::events::http_event::{HttpEvent, Pairs, RequestContext};

/// What no path contains (RFC 3986). A front end that decodes paths delivers it all the same.
const NOT_IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What a decoded path does not contain.
const NOT_IN_DECODED_PATH: &AsciiSet = &NOT_IN_PATH.add(b'%');

/// What no query contains.
const NOT_IN_QUERY: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`');

/// What the name or the value of a parameter does not contain, where it is as the client sent it.
const NOT_IN_PARAMETER: &AsciiSet = &NOT_IN_QUERY.add(b'&');

/// What a decoded parameter does not contain.
const NOT_IN_DECODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns the path of the request, as the client sent it and without the stage.
pub(super) fn path<'a>(
    event: &HttpEvent<'a>,
    context: &RequestContext<'a>,
    front: Front,
) -> Cow<'a, str> {
    let path = match front {
        Front::WebSocketApi => {
            let route = context.route_key.as_deref().unwrap_or_default();
            return encoded(Cow::Owned(format!("/{route}")), NOT_IN_PATH);
        }
        Front::HttpApi | Front::FunctionUrl => &event.raw_path,
        Front::VpcLattice if event.lattice_path.is_some() => &event.lattice_path,
        Front::RestApi | Front::LoadBalancer { .. } | Front::VpcLattice => &event.path,
    };
    let path = path.as_ref().map_or_else(Cow::default, |path| path.0.clone());
    let path = match front {
        // HTTP APIs have the stage in the path, in both versions of their events. REST APIs have not, and
        // no version.
        Front::HttpApi => without_stage(path, context),
        Front::RestApi if event.version.is_some() => without_stage(path, context),
        // VPC Lattice can send the query along.
        Front::VpcLattice => match path.split_once('?') {
            Some((path, _)) => Cow::Owned(path.to_owned()),
            None => path,
        },
        _ => path,
    };
    let path = if path.starts_with('/') { path } else { Cow::Owned(format!("/{path}")) };
    match front {
        // It is decoded, so a percent sign is one, and begins no escape.
        Front::HttpApi if path.contains('%') => {
            Cow::Owned(utf8_percent_encode(&path, NOT_IN_DECODED_PATH).to_string())
        }
        _ => encoded(path, NOT_IN_PATH),
    }
}

fn without_stage<'a>(path: Cow<'a, str>, context: &RequestContext<'_>) -> Cow<'a, str> {
    // A custom domain has its mapping there and not the stage, which can have the same name.
    let is_custom = |domain: &str| !domain.contains(".execute-api.");
    if context.domain_name.as_deref().is_some_and(is_custom) {
        return path;
    }
    let stage = context.stage.as_deref().filter(|stage| !matches!(*stage, "$default" | ""));
    let Some(stage) = stage else { return path };
    let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(stage));
    match rest {
        Some("") => Cow::Borrowed("/"),
        Some(rest) if rest.starts_with('/') => Cow::Owned(rest.to_owned()),
        _ => path,
    }
}

/// Returns the query as the client sent it, or as it can be told from the decoded parameters.
pub(super) fn query<'a>(event: &HttpEvent<'a>, front: Front) -> Cow<'a, str> {
    let parameters = || {
        let lists = event.multi_value_query_string_parameters.as_ref();
        let lists = lists.filter(|Pairs(pairs)| !pairs.is_empty());
        let pairs = lists.or(event.query_string_parameters.as_ref());
        pairs.map_or(&[][..], |Pairs(pairs)| pairs)
    };
    match front {
        Front::HttpApi | Front::FunctionUrl => {
            let query = event.raw_query_string.as_ref();
            encoded(query.map_or_else(Cow::default, |query| query.0.clone()), NOT_IN_QUERY)
        }
        // API Gateway decodes the parameters.
        Front::RestApi | Front::WebSocketApi => Cow::Owned(joined(parameters(), NOT_IN_DECODED)),
        Front::VpcLattice | Front::LoadBalancer { .. } => {
            let path = event.lattice_path.as_ref().or(event.path.as_ref());
            let sent = path.and_then(|path| path.split_once('?')).map(|(_, query)| query);
            match sent {
                Some(query) if front == Front::VpcLattice => {
                    encoded(Cow::Owned(query.to_owned()), NOT_IN_QUERY)
                }
                _ => Cow::Owned(joined(parameters(), NOT_IN_PARAMETER)),
            }
        }
    }
}

fn joined(pairs: &[(Cow<'_, str>, Cow<'_, str>)], set: &'static AsciiSet) -> String {
    let mut query = String::new();
    for (name, value) in pairs {
        if !query.is_empty() {
            query.push('&');
        }
        query.extend(utf8_percent_encode(name, set));
        query.push('=');
        query.extend(utf8_percent_encode(value, set));
    }
    query
}

/// Encodes what the front end decoded and `http` does not take. What is encoded stays as it is.
fn encoded<'a>(text: Cow<'a, str>, set: &'static AsciiSet) -> Cow<'a, str> {
    let is_fine =
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~=&%".contains(&byte));
    if is_fine { text } else { Cow::Owned(utf8_percent_encode(&text, set).to_string()) }
}

/// Puts the URI together. It has the host if that is valid.
pub(super) fn uri(
    path: &str,
    query: &str,
    headers: &HeaderMap,
    context: &RequestContext<'_>,
) -> Result<Uri, Invalid> {
    let target = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    let mut parts = http::uri::Parts::default();
    parts.path_and_query = Some(PathAndQuery::try_from(target).map_err(|_| Invalid::Target)?);
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = host.or(context.domain_name.as_deref()).map(Authority::try_from);
    if let Some(Ok(authority)) = authority {
        let protocol = headers.get("x-forwarded-proto").map(|protocol| protocol.as_bytes());
        let is_plain = protocol == Some(b"http");
        parts.scheme = Some(if is_plain { Scheme::HTTP } else { Scheme::HTTPS });
        parts.authority = Some(authority);
    }
    Uri::from_parts(parts).map_err(|_| Invalid::Target)
}
