use std::borrow::Cow;

use serde::de::Error as _;

/// How serde begins what it says of a value, and whether it names the kind of the value next.
const BEGINNINGS: [(&str, bool); 3] =
    [("invalid type: ", true), ("invalid value: ", true), ("unknown variant `", false)];

/// The kinds of values, in the words of serde and of our own deserialisers.
const KINDS: [&str; 21] = [
    "Option value",
    "a number",
    "boolean",
    "byte array",
    "character",
    "enum",
    "floating point",
    "integer",
    "map",
    "newtype struct",
    "newtype variant",
    "no list",
    "no map",
    "null",
    "sequence",
    "string",
    "struct variant",
    "tuple variant",
    "unit struct",
    "unit value",
    "unit variant",
];

/// Returns the error without the values that serde quotes in it, since errors are logged. Its place remains.
pub(crate) fn without_values(error: serde_json::Error) -> serde_json::Error {
    let text = error.to_string();
    match reason(&text) {
        Cow::Borrowed(_) => error,
        // `serde_json` reads the line and the column from the end of the text.
        Cow::Owned(text) => serde_json::Error::custom(text),
    }
}

/// Returns what serde says of a value, without the value: `invalid type: string, expected u32`.
pub(crate) fn reason(text: &str) -> Cow<'_, str> {
    let beginnings = BEGINNINGS
        .iter()
        .filter_map(|(begin, has_kind)| Some((text.find(begin)?, *begin, *has_kind)));
    let Some((start, begin, has_kind)) = beginnings.min() else { return Cow::Borrowed(text) };
    let value = &text[start + begin.len()..];
    // Of a name of a member that is no number, `serde_json` says only that.
    if value.starts_with("expected ") {
        return Cow::Borrowed(text);
    }
    // The last ones, since the value can contain these words.
    let ends = [", expected ", ", there are no variants"].map(|end| value.rfind(end));
    let end = ends.into_iter().max().flatten().unwrap_or(value.len());
    let kind = KINDS.iter().filter(|_| has_kind).find(|kind| {
        let rest = value[..end].strip_prefix(**kind);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    });
    let begin = begin.trim_end_matches([' ', ':', '`']);
    let kind = kind.map(|kind| format!(": {kind}")).unwrap_or_default();
    Cow::Owned(format!("{}{begin}{kind}{}", &text[..start], &value[end..]))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Debug;

    use serde::Deserialize;
    use serde::de::DeserializeOwned;

    use super::*;

    #[derive(Debug, Deserialize)]
    enum Colour {
        Red,
    }

    #[derive(Debug, Deserialize)]
    enum Never {}

    fn said<T: DeserializeOwned + Debug>(json: &str) -> String {
        let error = serde_json::from_str::<T>(json).unwrap_err();
        let (line, column) = (error.line(), error.column());
        let quiet = without_values(error);
        assert_eq!((quiet.line(), quiet.column(), quiet.is_data()), (line, column, true));
        quiet.to_string()
    }

    #[test]
    fn what_serde_says_of_a_value_does_not_quote_it() {
        let place = "at line 1 column";
        for (said, expected) in [
            (said::<u8>(r#""s3cr3t""#), format!("invalid type: string, expected u8 {place} 8")),
            (said::<u8>("4711"), format!("invalid value: integer, expected u8 {place} 4")),
            (said::<u8>("1.5"), format!("invalid type: floating point, expected u8 {place} 3")),
            (said::<u8>("null"), format!("invalid type: null, expected u8 {place} 4")),
            (said::<u8>("[]"), format!("invalid type: sequence, expected u8 {place} 0")),
            (said::<String>("true"), format!("invalid type: boolean, expected a string {place} 4")),
            (said::<Colour>(r#""s3cr3t""#), format!("unknown variant, expected `Red` {place} 8")),
            (
                said::<Never>(r#""s3cr3t""#),
                format!("unknown variant, there are no variants {place} 8"),
            ),
            // A value that imitates the text around it.
            (
                said::<u8>(r#"", expected s3cr3t, there are no variants""#),
                format!("invalid type: string, expected u8 {place} 42"),
            ),
        ] {
            assert_eq!(said, expected);
        }
        let _ = Colour::Red;
    }

    #[test]
    fn a_kind_that_serde_does_not_have_is_dropped() {
        for text in
            ["invalid type: s3cr3t, expected u8", "invalid value: strings3cr3t, expected u8"]
        {
            let begin = &text[..text.find(':').unwrap()];
            assert_eq!(reason(text), format!("{begin}, expected u8"));
        }
        assert_eq!(reason("a: invalid type: string \"s3cr3t\""), "a: invalid type: string");
    }

    #[test]
    fn names_of_members_and_invalid_json_are_named() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "nothing reads it")]
        struct Order {
            amount: u32,
        }
        for json in ["{}", r#"{"other":1}"#, "{", "[1", r#"{"amount":1,"amount":1}"#] {
            let error = serde_json::from_str::<Order>(json).unwrap_err();
            let text = error.to_string();
            assert_eq!(without_values(error).to_string(), text);
        }
        let error = serde_json::from_str::<BTreeMap<u8, u8>>(r#"{"s3cr3t":1}"#).unwrap_err();
        let text = without_values(error).to_string();
        assert!(text.contains("expected") && !text.contains("s3cr3t"), "{text}");
    }
}
