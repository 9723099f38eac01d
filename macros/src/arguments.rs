//! The arguments of a function whose body moves into blocks of its own.

use std::mem;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::visit::{self, Visit};
use syn::{FnArg, Pat, PatIdent, PatType, Signature, Token, parse_quote};

/// Gives every argument a name, so that it can be looked at before its pattern takes it apart:
/// `LambdaEvent { payload, .. }` drops the context.
///
/// Gives back the names, and the statements that take the arguments apart.
pub(crate) fn name(sig: &mut Signature) -> (Vec<Ident>, TokenStream) {
    let mut names = Vec::new();
    let mut bindings = TokenStream::new();
    for (index, argument) in sig.inputs.iter_mut().enumerate() {
        let FnArg::Typed(PatType { pat, .. }) = argument else { continue };
        if let Pat::Ident(pat) = &**pat
            && pat.by_ref.is_none()
            && pat.subpat.is_none()
        {
            names.push(pat.ident.clone());
            continue;
        }

        let name = format_ident!("argument{index}", span = Span::mixed_site());
        let borrowed = |v: &PatIdent| v.by_ref.is_some() && v.mutability.is_some();
        let mutability = variables(pat).into_iter().any(borrowed).then(<Token![mut]>::default);
        let pat = mem::replace(&mut **pat, parse_quote!(#mutability #name));
        // `let _ = …` would bind nothing, and has lints of its own.
        if !matches!(pat, Pat::Wild(_)) {
            bindings.extend(quote!(let #pat = #name;));
        }
        names.push(name);
    }
    (names, bindings)
}

/// Statements that make a block capture its `mut` arguments whole.
///
/// A block that assigns to a field captures that field alone, and the compiler then warns of a
/// captured value that is never read.
pub(crate) fn capture_mutable(sig: &Signature) -> TokenStream {
    let mut names = Vec::new();
    for argument in &sig.inputs {
        match argument {
            FnArg::Receiver(receiver) => {
                if receiver.mutability.is_some() && receiver.reference.is_none() {
                    names.push(receiver.self_token.to_token_stream());
                }
            }
            FnArg::Typed(argument) => {
                let mutable = |v: &&PatIdent| v.by_ref.is_none() && v.mutability.is_some();
                let mutable = variables(&argument.pat).into_iter().filter(mutable);
                names.extend(mutable.map(|v| v.ident.to_token_stream()));
            }
        }
    }
    quote!(#(let _ = &#names;)*)
}

/// The variables that a pattern binds.
fn variables(pat: &Pat) -> Vec<&PatIdent> {
    struct Variables<'a>(Vec<&'a PatIdent>);

    impl<'a> Visit<'a> for Variables<'a> {
        fn visit_pat_ident(&mut self, variable: &'a PatIdent) {
            self.0.push(variable);
            visit::visit_pat_ident(self, variable);
        }
    }

    let mut variables = Variables(Vec::new());
    variables.visit_pat(pat);
    variables.0
}
