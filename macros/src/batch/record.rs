use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::visit::{self, Visit};
use syn::{
    Error, FnArg, GenericArgument, Pat, PatType, Path, PathArguments, Result, Signature, Type,
    TypeImplTrait, parse_quote,
};

use crate::arguments::{self, capture_variables};
use crate::stack::{at, krate_at};

/// A function over one record.
pub(crate) struct Record {
    /// The signature of the function over one record, without its `inputs`.
    pub(super) sig: Signature,
    /// What the handler takes in front of the event: `&self` and state.
    pub(super) inputs: Vec<FnArg>,
    /// Statements that pass the state to each record.
    pub(super) state: TokenStream,
    /// The last argument.
    pub(super) argument: PatType,
    captures: TokenStream,
}

impl Record {
    pub(crate) fn of(krate: &Path, mut sig: Signature, result: &Type) -> Result<Self> {
        check_result(result)?;
        let mut arguments: Vec<FnArg> = std::mem::take(&mut sig.inputs).into_iter().collect();
        let argument = match arguments.pop() {
            Some(FnArg::Typed(argument)) => argument,
            _ => return Err(Error::new_spanned(&sig.ident, NO_RECORD)),
        };
        if let Some(unnamed) = unnamed(&argument.ty) {
            return Err(Error::new_spanned(unnamed, UNNAMED));
        }

        let mut captures = capture_variables(&argument);
        let (mut inputs, mut state) = (Vec::new(), TokenStream::new());
        for (index, input) in arguments.into_iter().enumerate() {
            match input {
                FnArg::Receiver(receiver) => {
                    if receiver.reference.is_none() || receiver.mutability.is_some() {
                        return Err(Error::new_spanned(receiver, RECEIVER));
                    }
                    inputs.push(FnArg::Receiver(receiver));
                }
                FnArg::Typed(mut input) => {
                    if let Type::Reference(ty) = &*input.ty
                        && ty.mutability.is_some()
                    {
                        return Err(Error::new_spanned(ty, EXCLUSIVE));
                    }
                    captures.extend(capture_variables(&input));
                    state.extend(share(krate, index, &mut input));
                    inputs.push(FnArg::Typed(input));
                }
            }
        }
        Ok(Self { sig, inputs, state, argument, captures })
    }

    /// Returns statements that make the block of a record capture its `mut` arguments whole.
    pub(crate) fn captures(&self) -> TokenStream {
        self.captures.clone()
    }
}

/// Gives an argument a plain name, and each record a clone of it under the original pattern.
fn share(krate: &Path, index: usize, input: &mut PatType) -> TokenStream {
    let cfgs = arguments::cfgs(input);
    let name = match arguments::plain(input) {
        Some(name) => name.clone(),
        None => format_ident!("argument{index}", span = Span::mixed_site()),
    };
    let lints = arguments::take_lints(input);
    let pat = std::mem::replace(&mut *input.pat, parse_quote!(#name));
    if matches!(pat, Pat::Wild(_)) {
        return TokenStream::new();
    }
    // Missing bounds of the argument are reported at its type.
    let span = at(&input.ty);
    let krate = krate_at(krate, span);
    let share = quote_spanned!(span=> #krate::macro_support::share(&#name));
    quote!(#(#cfgs)* #(#lints)* let #pat = #share;)
}

/// Checks that the function returns no value besides an error, since it would be ignored.
fn check_result(result: &Type) -> Result<()> {
    let Type::Path(path) = result else { return Ok(()) };
    let Some(last) = path.path.segments.last() else { return Ok(()) };
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return Ok(()) };
    let Some(GenericArgument::Type(value)) = arguments.args.first() else { return Ok(()) };
    let is_unit = match value {
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        // An alias or a parameter may be one.
        Type::Path(path) => last.ident != "Result" || path.path.segments.len() > 1,
        _ => false,
    };
    if is_unit { Ok(()) } else { Err(Error::new_spanned(value, RESULT)) }
}

fn unnamed(ty: &Type) -> Option<TypeImplTrait> {
    struct Unnamed(Option<TypeImplTrait>);

    impl<'a> Visit<'a> for Unnamed {
        fn visit_type_impl_trait(&mut self, ty: &'a TypeImplTrait) {
            self.0.get_or_insert_with(|| ty.clone());
            visit::visit_type_impl_trait(self, ty);
        }
    }

    let mut unnamed = Unnamed(None);
    unnamed.visit_type(ty);
    unnamed.0
}

impl Record {
    /// Returns the closure that handles a record. Its argument is written as in the function.
    pub(super) fn closure(&self, statements: &TokenStream) -> TokenStream {
        let argument = &self.argument;
        let state = &self.state;
        quote_spanned! {Span::mixed_site()=>
            |#argument| {
                #state
                async move {
                    #statements
                }
            }
        }
    }
}

const NO_RECORD: &str = "`#[batch]` needs an async function over one record, which is its last \
                         argument: `order: Message<Order>`";
const UNNAMED: &str = "the record needs a named type, such as `Message<Order>`";
const RECEIVER: &str = "`#[batch]` needs a function or a method with `&self`: records may be \
                        handled concurrently";
const EXCLUSIVE: &str = "what all records of a batch share cannot be borrowed exclusively: records \
                         may be handled concurrently";
const RESULT: &str = "a function over one record returns `Result<(), E>`: other values that it \
                      returns would be ignored";
