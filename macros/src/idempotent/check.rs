use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Error, Result, Type, TypeImplTrait, TypeReference};

const BORROWED: &str = "the result of an idempotent function cannot borrow: it is stored, and a \
                        later call gets it again";
const UNNAMED: &str = "the result of an idempotent function needs a named type: a later call reads \
                       it from the store";

/// Refuses a result that no store can give back.
pub(crate) fn check(result: &Type) -> Result<()> {
    let mut unstorable = Unstorable(None);
    unstorable.visit_type(result);
    unstorable.0.map_or(Ok(()), Err)
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
