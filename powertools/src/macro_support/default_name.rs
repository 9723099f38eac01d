use crate::environment::Environment;
use crate::idempotency::Error;
use crate::invocation::Invocation;
use crate::path;

/// Returns the name of a function's work where the attribute has none: `<function name>.<path>`, and
/// just the path outside Lambda.
///
/// `path` is what [`type_name_of_val`](std::any::type_name_of_val) returns for a closure in the
/// function. It has the modules and the names of the functions around it. Lifetimes are left out,
/// since one compiler writes them and another does not. Renaming or moving the function changes the
/// name.
///
/// # Errors
///
/// Returns [`Error::Config`] for a function whose path depends on types, as in an `impl` of a trait
/// or of a generic type. The attribute refuses what it can see to be like that: methods and generic
/// functions.
pub fn default_name(path: &str) -> Result<String, Error> {
    let path = path::of_function(path).map_err(|path| {
        Error::Config(format!(
            "idempotent work needs a name where the path of its function depends on types: {path}"
        ))
    })?;
    let function = match Invocation::current() {
        Some(invocation) => invocation.function_name().to_owned(),
        None => Environment::process().function_name(),
    };
    Ok(if function.is_empty() { path } else { format!("{function}.{path}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_by_its_path() {
        for (path, name) in [
            ("orders::charge::{{closure}}::{{closure}}", "orders::charge"),
            ("orders::main::{{closure}}::charge::{{closure}}", "orders::main::{{closure}}::charge"),
            ("orders::Shop<'_>::charge::{{closure}}", "orders::Shop::charge"),
            ("orders::Shop<'_, '_>::charge<'_>::{{closure}}", "orders::Shop::charge"),
            ("orders::Shop::<'_>::charge::{{closure}}", "orders::Shop::charge"),
        ] {
            assert_eq!(default_name(path).unwrap(), name);
        }
    }

    #[test]
    fn a_path_with_types_is_not_a_name() {
        for path in [
            "orders::charge<u8>::{{closure}}",
            "orders::charge<&str>::{{closure}}",
            "orders::Shop<'_, u8>::charge",
            "orders::Shop<alloc::vec::Vec<'_>>::charge",
            "<orders::main::{{closure}}::A as T>::charge",
            "orders::elsewhere::<impl orders::A>::refund",
            "orders::charge<orders::main::{{closure}}::{{closure}}>::{{closure}}",
            "<orders::A<orders::main::{{closure}}> as T>::charge",
            "orders::charge<(orders::main::{{closure}}, u8)>::{{closure}}",
        ] {
            assert!(matches!(default_name(path), Err(Error::Config(_))), "{path}");
        }
    }
}
