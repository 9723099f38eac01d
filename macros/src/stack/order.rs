use proc_macro2::Span;
use syn::{Error, Result};

use super::marker;
use crate::function::Function;
use crate::kind::Kind;

/// Returns the attributes of a function from the top, unless they cannot stack like this.
pub(crate) fn check_order(first: Kind, function: &Function) -> Result<Vec<Kind>> {
    let mut kinds = vec![first];
    for (kind, attr) in function.siblings() {
        if kinds.contains(&kind) {
            return Err(Error::new_spanned(attr, twice(kind)));
        }
        let refused = kinds.iter().find_map(|above| Some((above, above.refuses(kind)?)));
        if let Some((above, reason)) = refused {
            return Err(Error::new_spanned(attr, wrong(*above, kind, reason)));
        }
        kinds.push(kind);
    }
    check_expanded(&kinds, &marker::read(&function.body))?;
    Ok(kinds)
}

/// Checks the attributes against those above that were expanded before and did not see them.
fn check_expanded(kinds: &[Kind], expanded: &[Kind]) -> Result<()> {
    let pairs =
        || expanded.iter().flat_map(|&above| kinds.iter().map(move |&below| (above, below)));
    let again = pairs().find(|(above, below)| above == below).map(|(_, below)| twice(below));
    let refused =
        || pairs().find_map(|(above, below)| Some(wrong(above, below, above.refuses(below)?)));
    let late = || pairs().next().map(|(above, below)| unseen(above, below));
    match again.or_else(refused).or_else(late) {
        Some(message) => Err(Error::new(Span::call_site(), message)),
        None => Ok(()),
    }
}

fn twice(kind: Kind) -> String {
    format!("`#[{kind}]` is on this function twice")
}

fn wrong(above: Kind, below: Kind, reason: &str) -> String {
    format!("`#[{above}]` cannot be above `#[{below}]`: {reason}")
}

fn unseen(above: Kind, below: Kind) -> String {
    format!(
        "`#[{below}]` is below `#[{above}]`, which was expanded before and did not see it: use \
         both under their own names, and if they depend on a `cfg`, put them into one \
         `#[cfg_attr(…, {above}(…), {below}(…))]`"
    )
}
