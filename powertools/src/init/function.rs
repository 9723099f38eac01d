use super::Error;
use crate::path;

/// Checks that there is one function in which this is the path of a closure, and not one for each type: all of them
/// would share its statics.
pub(super) fn check(closure: &str) -> Result<(), Error> {
    let Err(function) = path::of_function(closure) else { return Ok(()) };
    let owner = function.rsplit_once("::").map_or("", |(owner, _)| owner);
    // A function inside of another one has none of its types.
    let Some(owner) = owner.strip_suffix('>') else { return Ok(()) };
    // An `impl` in another module than its type, which has no parameters.
    let of_one = |ty: &str| !ty.contains(['<', '>']) && !ty.contains(" for ");
    match owner.rsplit_once("<impl ") {
        Some((_, ty)) if of_one(ty) => Ok(()),
        _ => Err(Error::Generic { function }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_of_several_types_is_seen_by_its_path() {
        for (path, is_one) in [
            ("orders::client::{{closure}}", true),
            ("orders::Shop::client::{{closure}}::{{closure}}", true),
            ("orders::Shop<'_>::client::{{closure}}", true),
            ("orders::elsewhere::<impl orders::Shop>::client::{{closure}}", true),
            ("orders::Shop<_>::get::client::{{closure}}", true),
            ("<orders::Shop as orders::Table>::get::client::{{closure}}", true),
            ("orders::Shop<u8>::client::{{closure}}", false),
            ("orders::Shop<'_, u8>::client::{{closure}}", false),
            ("orders::elsewhere::<impl orders::Shop<u8>>::client::{{closure}}", false),
            ("<orders::Shop as orders::Table>::client::{{closure}}", false),
            ("orders::elsewhere::<impl orders::Table for orders::Shop>::client", false),
        ] {
            assert_eq!(check(path).is_ok(), is_one, "{path}");
        }
    }
}
