//! The replacement for the item of an attribute with a mistake.

use proc_macro2::{Group, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{Parse as _, ParseStream, Parser as _};
use syn::visit::{self, Visit};
use syn::{Attribute, FnArg, Result, ReturnType, Signature, TypeImplTrait, parse_quote};

use crate::args::{self, Given};
use crate::function::{Function, may_be_result};
use crate::kind::Kind;
use crate::{batch, init_once, stack};

/// Returns the expansion, or its error together with a function that can be used as if there were
/// none, so that one mistake has one message.
pub(crate) fn or_stub(
    kind: Kind,
    args: TokenStream,
    item: TokenStream,
    expanded: Result<TokenStream>,
) -> TokenStream {
    expanded.unwrap_or_else(|error| {
        let error = error.into_compile_error();
        let read = |input: ParseStream<'_>| Function::read(kind, input);
        let stub = match read.parse2(item.clone()) {
            Ok(function) => of_function(kind, args, function),
            Err(_) => without_ours.parse2(item.clone()).unwrap_or(item),
        };
        quote!(#stub #error)
    })
}

fn of_function(first: Kind, args: TokenStream, function: Function) -> TokenStream {
    let siblings: Vec<_> = function.siblings().map(|(kind, attr)| (kind, attr.clone())).collect();
    let uses = siblings.iter().map(|(_, attr)| stack::used(attr));
    let batch = match first {
        Kind::Batch => Some(args.clone()),
        _ => siblings
            .iter()
            .find(|(kind, _)| *kind == Kind::Batch)
            .map(|(_, attr)| Given::Below(attr).tokens()),
    };

    let Function { mut attrs, vis, mut sig, body } = function;
    attrs.retain(|attr| Kind::of(attr).is_none());
    let written = sig.clone();
    let is_batch = batch.is_some();
    if let Some(options) = batch {
        batch::stub(&options, &mut sig);
    } else if first == Kind::InitOnce && sig.inputs.is_empty() && sig.generics.params.is_empty() {
        return_result(&mut sig.output);
        if let ReturnType::Type(_, result) = &sig.output {
            let (_, accessed) = init_once::borrowed(&args::krate_in(args), result);
            sig.output = parse_quote!(-> #accessed);
        }
    } else if first != Kind::InitOnce {
        return_result(&mut sig.output);
        (sig.constness, sig.abi) = (None, None);
        sig.asyncness.get_or_insert_with(Default::default);
    }

    // The body is kept, so that its own mistakes are reported and what it uses counts as used.
    let body = if text(&written) == text(&sig) || returns_unnamed(&written.output) {
        sig = written;
        quote!(#[allow(unused_braces)] #body)
    } else {
        let record = is_batch.then(|| of_record(&written, &body));
        quote!(#record loop {})
    };
    quote! {
        #[allow(unreachable_code, unused_mut, unused_variables)]
        #(#attrs)*
        #vis #sig { #(#uses)* #body }
    }
}

/// Returns the body over one record, for the handler of the batch.
fn of_record(written: &Signature, body: &Group) -> Option<TokenStream> {
    let Some(FnArg::Typed(record)) = written.inputs.last() else { return None };
    let mut unnamed = Unnamed(false);
    unnamed.visit_pat_type(record);
    let result = match &written.output {
        ReturnType::Type(_, result) => (**result).clone(),
        ReturnType::Default => parse_quote!(()),
    };
    let body = stack::body_of(&result, &TokenStream::new(), body);
    (!unnamed.0).then(|| quote!(let _ = move |#record| async move { #body };))
}

fn text(sig: &Signature) -> String {
    sig.to_token_stream().to_string()
}

/// Turns a return type that is not a `Result` into one.
fn return_result(output: &mut ReturnType) {
    let value = match output {
        ReturnType::Type(_, result) if may_be_result(result) => return,
        ReturnType::Type(_, value) => quote!(#value),
        ReturnType::Default => quote!(()),
    };
    *output = parse_quote! {
        -> ::core::result::Result<
            #value,
            ::std::boxed::Box<dyn ::core::error::Error + ::core::marker::Send + ::core::marker::Sync>
        >
    };
}

/// Returns true if only the body shows what is returned.
fn returns_unnamed(output: &ReturnType) -> bool {
    let mut unnamed = Unnamed(false);
    unnamed.visit_return_type(output);
    unnamed.0
}

/// Finds an `impl Trait`.
struct Unnamed(bool);

impl<'a> Visit<'a> for Unnamed {
    fn visit_type_impl_trait(&mut self, part: &'a TypeImplTrait) {
        self.0 = true;
        visit::visit_type_impl_trait(self, part);
    }
}

fn without_ours(input: ParseStream<'_>) -> Result<TokenStream> {
    let mut attrs = input.call(Attribute::parse_outer)?;
    attrs.retain(|attr| Kind::of(attr).is_none());
    let rest = TokenStream::parse(input)?;
    Ok(quote!(#(#attrs)* #rest))
}
