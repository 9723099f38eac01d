//! The variables that name a proxy, by one rule for the SDK's client and ours.

use hyper_util::client::proxy::matcher::Matcher;

use crate::environment::Environment;

/// Each name in both cases, of which the first that is set counts.
const NAMES: [[&str; 2]; 3] =
    [["HTTPS_PROXY", "https_proxy"], ["HTTP_PROXY", "http_proxy"], ["ALL_PROXY", "all_proxy"]];

/// Returns the names of the variables that count.
pub(super) fn set(environment: &Environment) -> impl Iterator<Item = &'static str> {
    NAMES
        .into_iter()
        .filter_map(|names| names.into_iter().find(|name| environment.get(name).is_some()))
}

/// Returns the variables that would be ignored, since their values are no URLs of proxies: requests would
/// be sent past a proxy that they should go through. The values can have passwords.
pub(super) fn unreadable(environment: &Environment) -> impl Iterator<Item = &'static str> {
    set(environment).filter(|name| {
        let matcher = Matcher::builder().all(environment.get(name).unwrap_or_default()).build();
        "http://proxied".parse().is_ok_and(|uri| matcher.intercept(&uri).is_none())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_matcher_would_ignore_is_unreadable() {
        for value in ["http://a proxy:3128", "socks://proxy", "ftp://proxy", "http://", "/proxy"] {
            let environment = Environment::of([("https_proxy", value), ("ALL_PROXY", "proxy:1")]);
            assert_eq!(unreadable(&environment).collect::<Vec<_>>(), ["https_proxy"], "{value}");
        }
        for value in
            ["http://user:word@proxy:3128", "https://proxy", "socks5://proxy", "proxy:3128"]
        {
            let others = [("https_proxy", "not read"), ("NO_PROXY", "*"), ("HTTPS_PROXY", value)];
            assert_eq!(unreadable(&Environment::of(others)).next(), None, "{value}");
        }
    }
}
