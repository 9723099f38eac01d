/// Returns the path of a function, without its lifetimes, since one compiler writes them and another does not.
///
/// `closure` is what [`type_name_of_val`](std::any::type_name_of_val) returns for a closure in the function. It
/// has the modules and the names of the functions around it. A path that depends on types is an error.
pub(crate) fn of_function(closure: &str) -> Result<String, String> {
    let path = without_lifetimes(closure.trim_end_matches("::{{closure}}"));
    if path.contains('<') { Err(path) } else { Ok(path) }
}

/// Takes `<'_>` and `<'_, '_>` out of a path.
fn without_lifetimes(path: &str) -> String {
    let mut kept = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(start) = rest.find('<') {
        let behind = &rest[start + 1..];
        let end = behind.find(['<', '>']).filter(|&end| behind[end..].starts_with('>'));
        let lifetimes = end.filter(|&end| {
            let mut parameters = behind[..end].split(',');
            parameters.all(|parameter| parameter.trim_start().starts_with('\''))
        });
        let copied = if lifetimes.is_some() { start } else { start + 1 };
        kept.push_str(&rest[..copied]);
        rest = lifetimes.map_or(behind, |end| &behind[end + 1..]);
    }
    kept.push_str(rest);
    // As in an expression: `Shop::<'_>::charge`.
    kept.replace("::::", "::")
}
