use syn::{Error, Expr, ExprLit, Lit, LitStr, Result, Signature};

use super::Args;
use crate::args::Given;

impl Args {
    /// Reads the options, and rejects an invalid pointer.
    pub(crate) fn of(given: &Given<'_>) -> Result<Self> {
        let args: Self = given.read()?;
        match &args.correlation_id {
            Some(Expr::Lit(ExprLit { lit: Lit::Str(pointer), .. })) => check_pointer(pointer)?,
            Some(Expr::Lit(other)) => return Err(Error::new_spanned(other, POINTER)),
            _ => {}
        }
        Ok(args)
    }

    /// Rejects options about the event above `#[batch]`.
    pub(crate) fn check_batch(&self) -> Result<()> {
        self.option_about_event().map_or(Ok(()), |option| Err(Error::new_spanned(option, NO_BATCH)))
    }

    /// Returns why an option that reads the event is wrong here.
    pub(crate) fn no_event(&self, sig: &Signature, context: Option<&Expr>) -> Error {
        match context {
            Some(context) => Error::new_spanned(context, CONTEXT),
            None => Error::new_spanned(&sig.ident, NO_EVENT),
        }
    }
}

/// Rejects a pointer that `powertools::logging` would reject at run time.
fn check_pointer(pointer: &LitStr) -> Result<()> {
    let text = pointer.value();
    if is_pointer(&text) {
        return Ok(());
    }
    Err(Error::new_spanned(pointer, format!("`{text}` is not a JSON pointer: {POINTER}")))
}

/// Returns true for a pointer by RFC 6901 that is not empty: a whole event is not an id.
fn is_pointer(text: &str) -> bool {
    text.starts_with('/') && text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']))
}

const POINTER: &str = "`correlation_id` is a JSON pointer to the id in the event, such as \
                       `\"/requestContext/requestId\"`, or one of `powertools::logging::correlation`";
const NO_EVENT: &str = "`#[logged]` reads the event, and this function has no argument";
const CONTEXT: &str = "`#[logged]` finds the context in the event that it reads: leave `context` \
                       out";
const NO_BATCH: &str = "above `#[batch]` there is no event to read: only the records of a batch \
                        are parsed, and each has its own id. Use `#[logged]` without options here";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_has_a_slash_before_each_name() {
        for pointer in [
            "/id",
            "/requestContext/requestId",
            "/headers/x-amzn-trace-id",
            "/a~1b/~0",
            "/Records/0/messageId",
            "/0",
            "/",
        ] {
            assert!(is_pointer(pointer), "{pointer}");
        }
        for pointer in ["", ".", "id", "a.b", "a/b", "/a~", "/a~2", "/~01~", "#/a"] {
            assert!(!is_pointer(pointer), "{pointer}");
        }
    }
}
