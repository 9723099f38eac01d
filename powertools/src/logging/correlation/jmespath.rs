use super::Source;
use crate::json::{JmesPath, Json};

/// An event that the expression does not fit has no correlation id.
impl From<JmesPath> for Source {
    fn from(path: JmesPath) -> Self {
        Self::function(move |event| {
            let event: Json = std::str::from_utf8(event).ok()?.parse().ok()?;
            match path.search(&event).ok()? {
                Json::String(id) => Some(id),
                Json::Number(id) => Some(id.to_string()),
                Json::Bool(id) => Some(id.to_string()),
                Json::Null | Json::Array(_) | Json::Object(_) => None,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_value_of_an_expression() {
        let path = JmesPath::new("powertools_json(body).id").unwrap();
        let source = Source::from(path);
        let id = source.find(br#"{"body":"{\"id\":12345678901234567890123}"}"#);
        assert_eq!(id.as_deref(), Some("12345678901234567890123"));
        for event in [r#"{"body":"x"}"#, r#"{"body":"{\"id\":[]}"}"#, "{}", "no json"] {
            assert_eq!(source.find(event.as_bytes()), None, "{event}");
        }
    }
}
