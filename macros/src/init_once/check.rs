use syn::visit::{self, Visit};
use syn::{Error, Result, Type, TypeImplTrait};

use crate::function::Function;

/// Rejects a function whose value cannot be initialised once. Returns the type that it returns.
pub(super) fn check(function: &Function) -> Result<Type> {
    let sig = &function.sig;
    if let Some(argument) = sig.inputs.first() {
        return Err(Error::new_spanned(argument, ARGUMENTS));
    }
    if let Some(parameter) = sig.generics.params.first() {
        return Err(Error::new_spanned(parameter, GENERICS));
    }
    if let Some(token) = sig.unsafety {
        return Err(Error::new_spanned(
            token,
            "`#[init_once]` cannot be used on an unsafe function",
        ));
    }
    let result = function.result(NO_RESULT)?;
    let mut unnamed = Unnamed(None);
    unnamed.visit_type(&result);
    match unnamed.0 {
        Some(part) => Err(Error::new_spanned(part, UNNAMED)),
        None => Ok(result),
    }
}

struct Unnamed(Option<TypeImplTrait>);

impl<'a> Visit<'a> for Unnamed {
    fn visit_type_impl_trait(&mut self, part: &'a TypeImplTrait) {
        self.0.get_or_insert_with(|| part.clone());
        visit::visit_type_impl_trait(self, part);
    }
}

const ARGUMENTS: &str = "a value that is initialised once cannot depend on arguments: every caller \
                         receives that of the first. Call what it needs in the body, such as \
                         another `#[init_once]` function";
const GENERICS: &str =
    "a value that is initialised once has one type: the function cannot be generic";
const NO_RESULT: &str = "`#[init_once]` needs a function that returns a `Result<T, E>` with `E: \
                         From<powertools::init::Error>`: for what cannot fail a \
                         `std::sync::LazyLock` is enough";
const UNNAMED: &str =
    "a value that is initialised once is stored in a static, which needs a named type";
