use crate::Invocation;
use crate::environment::Environment;
use crate::idempotency::Error;

/// The name that an attribute gives to a function's work when it was not told one:
/// `<function name>.<path>`, and just the path outside Lambda.
///
/// `path` is what [`type_name_of_val`](std::any::type_name_of_val) says of a closure in the
/// function. It has the module and the name of the function, the type for methods, and what a
/// generic function or type is used with. Renaming or moving any of them changes the name.
///
/// # Errors
///
/// Returns [`Error::Config`] for a function that is generic over a closure or a future: these have
/// no names, and two of them would share their results.
pub fn default_name(path: &str) -> Result<String, Error> {
    let path = path.trim_end_matches("::{{closure}}");
    // What is defined inside a closure or an async function has a name of its own.
    let mut closures = path.match_indices("{{closure}}");
    if closures.any(|(start, closure)| !path[start + closure.len()..].starts_with("::")) {
        let message =
            format!("idempotent work that is generic over a closure needs a name: {path}");
        return Err(Error::Config(message));
    }
    let function = match Invocation::current() {
        Some(invocation) => invocation.function_name().to_owned(),
        None => Environment::process().function_name(),
    };
    Ok(if function.is_empty() { path.to_owned() } else { format!("{function}.{path}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_by_its_path() {
        for (path, name) in [
            ("orders::charge::{{closure}}::{{closure}}", "orders::charge"),
            ("orders::main::{{closure}}::charge::{{closure}}", "orders::main::{{closure}}::charge"),
            (
                "<orders::main::{{closure}}::A as T>::charge",
                "<orders::main::{{closure}}::A as T>::charge",
            ),
        ] {
            assert_eq!(default_name(path).unwrap(), name);
        }
    }

    #[test]
    fn a_closure_has_no_name() {
        for path in [
            "orders::charge<orders::main::{{closure}}::{{closure}}>::{{closure}}",
            "<orders::A<orders::main::{{closure}}> as T>::charge",
            "orders::charge<(orders::main::{{closure}}, u8)>::{{closure}}",
        ] {
            assert!(matches!(default_name(path), Err(Error::Config(_))), "{path}");
        }
    }
}
