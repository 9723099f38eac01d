use syn::{Error, Expr, ExprLit, Lit, LitStr, Result, Signature};

use super::Args;
use crate::args::Given;

impl Args {
    /// Reads the options, and refuses an invalid path.
    pub(crate) fn of(given: &Given<'_>) -> Result<Self> {
        let args: Self = given.read()?;
        match &args.correlation_id {
            Some(Expr::Lit(ExprLit { lit: Lit::Str(path), .. })) => check_path(path)?,
            Some(Expr::Lit(other)) => return Err(Error::new_spanned(other, PATH)),
            _ => {}
        }
        Ok(args)
    }

    /// Refuses options about the event above `#[batch]`.
    pub(crate) fn check_batch(&self) -> Result<()> {
        self.option_about_event().map_or(Ok(()), |option| Err(Error::new_spanned(option, NO_BATCH)))
    }

    /// What is wrong where there is no event to look at.
    pub(crate) fn no_event(&self, sig: &Signature, context: Option<&Expr>) -> Error {
        match context {
            Some(context) => Error::new_spanned(context, CONTEXT),
            None => Error::new_spanned(&sig.ident, NO_EVENT),
        }
    }
}

/// Refuses what `powertools::logging` would refuse at run time.
fn check_path(path: &LitStr) -> Result<()> {
    let text = path.value();
    if is_path(&text) {
        return Ok(());
    }
    Err(Error::new_spanned(path, format!("`{text}` is no path: {PATH}")))
}

fn is_path(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let is_first = rest.len() == text.len();
        if let Some(position) = rest.strip_prefix('[') {
            match position.split_once(']') {
                Some((position, behind)) if position.parse::<usize>().is_ok() => rest = behind,
                _ => return false,
            }
            continue;
        }
        if !is_first {
            let Some(name) = rest.strip_prefix('.') else { return false };
            rest = name;
        }
        let end = match rest.strip_prefix('"') {
            Some(quoted) => match end_of_quoted(quoted) {
                Some(end) if end > 0 => end + 2,
                _ => return false,
            },
            None => rest.find(['.', '[']).unwrap_or(rest.len()),
        };
        let name = &rest[..end];
        let is_word = name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if name.is_empty() || !(is_word || name.starts_with('"')) {
            return false;
        }
        rest = &rest[end..];
    }
    !text.is_empty()
}

/// Where the text ends that began with a quotation mark.
fn end_of_quoted(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    })
}

const PATH: &str = "`correlation_id` is a text with the names that lead to the id in the event, such \
                    as `\"requestContext.requestId\"`, or one of `powertools::logging::correlation`";
const NO_EVENT: &str = "`#[logged]` looks at the event, and this function has no argument";
const CONTEXT: &str = "`#[logged]` finds the context in the event that it looks at: leave `context` \
                       out";
const NO_BATCH: &str = "above `#[batch]` there is no event to look at: of a batch only the records are read, and each \
     has an id of its own. Use `#[logged]` without options here";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_made_of_names_and_positions() {
        for path in [
            "id",
            "requestContext.requestId",
            r#"headers."x-amzn-trace-id""#,
            r#""a.b".c"#,
            r#""a\"b".c"#,
            "Records[0].messageId",
            "[0].id",
            "a[0][1]",
        ] {
            assert!(is_path(path), "{path}");
        }
        for path in [
            "", ".", "a.", ".a", "a..b", "x-id", "a b", "a[", "a[]", "a[x]", "a[0]b", r#"""#,
            r#""""#, r#"a."b"#, r#""a"b"#, r#"a"b""#,
        ] {
            assert!(!is_path(path), "{path}");
        }
    }
}
