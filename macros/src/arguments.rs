//! The arguments of a function whose body moves into inner blocks.

use std::mem;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::visit::{self, Visit};
use syn::{Attribute, FnArg, Pat, PatIdent, PatType, Signature, Token, parse_quote};

/// An argument with a name under which it can be inspected.
pub(crate) struct Named {
    pub(crate) name: Ident,
    /// Its `#[cfg]`s, by which the argument may be absent.
    pub(crate) cfgs: Vec<Attribute>,
}

/// Gives every argument a name, so that it can be inspected before its pattern destructures it:
/// `LambdaEvent { payload, .. }` drops the context.
///
/// Returns the names, and the statements that destructure the arguments.
pub(crate) fn name(sig: &mut Signature) -> (Vec<Named>, TokenStream) {
    let mut names = Vec::new();
    let mut bindings = TokenStream::new();
    for (index, argument) in sig.inputs.iter_mut().enumerate() {
        let FnArg::Typed(argument) = argument else { continue };
        let cfgs = cfgs(argument);
        if let Some(name) = plain(argument) {
            names.push(Named { name: name.clone(), cfgs });
            continue;
        }

        let name = format_ident!("argument{index}", span = Span::mixed_site());
        let lints = take_lints(argument);
        let pat = &mut *argument.pat;
        let borrowed = |v: &PatIdent| v.by_ref.is_some() && v.mutability.is_some();
        let mutability = variables(pat).into_iter().any(borrowed).then(<Token![mut]>::default);
        let pat = mem::replace(pat, parse_quote!(#mutability #name));
        // `let _ = …` would bind nothing, and has its own lints.
        if !matches!(pat, Pat::Wild(_)) {
            bindings.extend(quote!(#(#cfgs)* #(#lints)* let #pat = #name;));
        }
        names.push(Named { name, cfgs });
    }
    (names, bindings)
}

/// Returns statements that make a block capture its `mut` arguments whole.
///
/// A block that assigns to a field captures that field alone, and the compiler then warns of a
/// captured value that is never read.
pub(crate) fn capture_mutable(sig: &Signature) -> TokenStream {
    let mut captures = TokenStream::new();
    for argument in &sig.inputs {
        match argument {
            FnArg::Receiver(receiver) => {
                if receiver.mutability.is_some() && receiver.reference.is_none() {
                    let name = receiver.self_token;
                    captures.extend(quote!(let _ = &#name;));
                }
            }
            FnArg::Typed(argument) => captures.extend(capture_variables(argument)),
        }
    }
    captures
}

/// Returns such statements for one argument.
pub(crate) fn capture_variables(argument: &PatType) -> TokenStream {
    let cfgs = cfgs(argument);
    // A variable that is marked as unused causes no warning.
    let mutable =
        |v: &&PatIdent| v.by_ref.is_none() && v.mutability.is_some() && !is_unused(&v.ident);
    let names = variables(&argument.pat).into_iter().filter(mutable).map(|v| &v.ident);
    names.map(|name| quote!(#(#cfgs)* let _ = &#name;)).collect()
}

/// Returns the name of an argument that can be inspected under it: its pattern is nothing but a
/// name, and no lint would count the inspection as a use.
pub(crate) fn plain(argument: &PatType) -> Option<&Ident> {
    let Pat::Ident(pat) = &*argument.pat else { return None };
    let is_plain = pat.by_ref.is_none() && pat.subpat.is_none();
    let has_lints = argument.attrs.iter().any(|attr| !is_cfg(attr));
    (is_plain && !has_lints && !is_unused(&pat.ident)).then_some(&pat.ident)
}

/// Returns true for `_name`.
fn is_unused(name: &Ident) -> bool {
    name.to_string().starts_with('_')
}

/// Takes the attributes of an argument that concern the variables in its pattern.
pub(crate) fn take_lints(argument: &mut PatType) -> Vec<Attribute> {
    let (cfgs, lints) = mem::take(&mut argument.attrs).into_iter().partition(is_cfg);
    argument.attrs = cfgs;
    lints
}

pub(crate) fn cfgs(argument: &PatType) -> Vec<Attribute> {
    argument.attrs.iter().filter(|attr| is_cfg(attr)).cloned().collect()
}

fn is_cfg(attr: &Attribute) -> bool {
    attr.path().is_ident("cfg")
}

/// Returns the variables that a pattern binds.
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
