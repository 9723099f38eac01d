use crate::events::http_event::{HttpEvent, RequestContext};

/// What the event of an HTTP request says, whichever front end it is of.
#[derive(Debug, Default)]
pub struct HttpRequest {
    /// The method.
    pub method: Option<String>,
    /// The route: `GET /orders/{id}`, or the path alone.
    pub route: Option<String>,
    headers: Vec<(String, String)>,
}

impl HttpRequest {
    /// Reads an event. What it does not say counts as missing.
    #[must_use]
    pub fn read(event: &[u8]) -> Self {
        let Ok(event) = serde_json::from_slice::<HttpEvent<'_>>(event) else {
            return Self::default();
        };
        let context = event.request_context.and_then(|json| serde_json::from_str(json.get()).ok());
        let context: RequestContext<'_> = context.unwrap_or_default();
        let of_context = context.http.and_then(|http| http.method);
        let method = event.http_method.or(event.method).or(of_context);
        let route = context.resource_path.or(context.route_key);
        let headers = [event.multi_value_headers, event.headers].into_iter().flatten();
        let headers = headers.flat_map(|pairs| pairs.0);
        Self {
            method: method.map(|method| method.0.into_owned()),
            route: route.map(|route| route.0.into_owned()),
            headers: headers.map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
        }
    }

    /// Returns the first value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| &**value)
    }
}
