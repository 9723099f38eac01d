use std::borrow::Cow;

use http::HeaderMap;
use http::header::{COOKIE, HeaderName, HeaderValue};

use super::Invalid;
use crate::events::http_event::{HttpEvent, Pairs};

/// Returns the headers of an event, with every value of each.
pub(super) fn headers(event: &HttpEvent<'_>) -> Result<HeaderMap, Invalid> {
    let (single, lists) = (pairs(&event.headers), pairs(&event.multi_value_headers));
    // With more than a map can have, the one that is too many is refused.
    let count = single.len().max(lists.len()) + 1;
    let mut headers = HeaderMap::try_with_capacity(count).unwrap_or_default();
    for (name, value) in lists {
        append(&mut headers, name, value)?;
    }
    // An event with both has the last value of each header here, and all of them in the lists.
    let is_in_lists = |name: &str| lists.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
    for (name, value) in single {
        if lists.is_empty() || !is_in_lists(name) {
            append(&mut headers, name, value)?;
        }
    }
    if let Some(cookies) = &event.cookies
        && !cookies.is_empty()
        && !headers.contains_key(COOKIE)
    {
        let cookies: Vec<&str> = cookies.iter().map(|cookie| &**cookie).collect();
        append(&mut headers, COOKIE.as_str(), &cookies.join("; "))?;
    }
    Ok(headers)
}

fn pairs<'e, 'a>(pairs: &'e Option<Pairs<'a>>) -> &'e [(Cow<'a, str>, Cow<'a, str>)] {
    pairs.as_ref().map_or(&[], |Pairs(pairs)| pairs)
}

fn append(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Invalid> {
    let invalid = || Invalid::Header(name.to_owned());
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
    let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| invalid())?;
    headers.try_append(parsed, value).map_err(|_| invalid())?;
    Ok(())
}
