use proc_macro2::Span;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Error, Result, ReturnType, Type, TypeImplTrait, TypeReference};

use super::NAME;
use super::expand::is_expanded;
use crate::function::Function;

const TWICE: &str = "`#[idempotent]` is on this function twice";
const NO_RESULT: &str = "`#[idempotent]` goes on a function that returns a `Result<R, E>` with \
                         `E: From<powertools::idempotency::Error>`";
const BORROWED: &str = "the result of an idempotent function cannot borrow: it is stored, and a \
                        later call gets it again";
const UNNAMED: &str = "the result of an idempotent function needs a named type: a later call reads \
                       it from the store";

/// Types that have a name and are not a `Result`, so that an alias can be told from a mistake.
const PLAIN: &[&str] = &[
    "Box", "HashMap", "Option", "String", "Value", "Vec", "bool", "char", "f32", "f64", "i8",
    "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize",
];

/// Refuses what the expansion cannot wrap. Gives back the type that the function returns.
pub(super) fn check(function: &Function) -> Result<Type> {
    // Here it is still to come, or under a name that only the compiler knows it was already.
    if let Some(again) = function.attribute(NAME) {
        return Err(Error::new_spanned(again, TWICE));
    }
    if is_expanded(&function.body) {
        return Err(Error::new(Span::call_site(), TWICE));
    }

    let ReturnType::Type(_, result) = &function.sig.output else {
        return Err(Error::new_spanned(&function.sig, NO_RESULT));
    };
    if !may_be_result(result) {
        return Err(Error::new_spanned(result, NO_RESULT));
    }
    let mut unstorable = Unstorable(None);
    unstorable.visit_type(result);
    match unstorable.0 {
        Some(error) => Err(error),
        None => Ok((**result).clone()),
    }
}

fn may_be_result(result: &Type) -> bool {
    match result {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_none_or(|last| !PLAIN.iter().any(|name| last.ident == name)),
        Type::Group(group) => may_be_result(&group.elem),
        Type::Paren(paren) => may_be_result(&paren.elem),
        Type::Macro(_) | Type::Verbatim(_) => true,
        _ => false,
    }
}

/// Looks for the first part of a type that no store can give back.
struct Unstorable(Option<Error>);

impl Unstorable {
    fn refuse(&mut self, part: &impl ToTokens, message: &str) {
        self.0.get_or_insert_with(|| Error::new_spanned(part, message));
    }
}

impl<'a> Visit<'a> for Unstorable {
    fn visit_type_reference(&mut self, part: &'a TypeReference) {
        self.refuse(part, BORROWED);
        visit::visit_type_reference(self, part);
    }

    fn visit_type_impl_trait(&mut self, part: &'a TypeImplTrait) {
        self.refuse(part, UNNAMED);
        visit::visit_type_impl_trait(self, part);
    }
}
