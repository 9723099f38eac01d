use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::{FnArg, Path, Signature, Type, parse_quote};

use super::check::Args;
use super::parse::Source;
use super::record::Record;
use crate::args;
use crate::stack::at;

/// Returns the statements that handle the records of `event`, each with `statements`.
pub(crate) fn call(
    args: &Args,
    record: &Record,
    event: &Ident,
    statements: &TokenStream,
) -> TokenStream {
    let Args { source, concurrency, reserve, flags, values, krate } = args;
    let batch = match source {
        Source::Known { function, .. } => {
            quote_spanned!(function.span()=> #krate::batch::#function(#event.payload))
        }
        Source::Own(source) => {
            quote_spanned!(at(source)=> #krate::batch::Batch::new(#event.payload))
        }
    };
    let concurrency =
        concurrency.as_ref().map(|records| quote_spanned!(at(records)=> .concurrency(#records)));
    let reserve = reserve.as_ref().map(|reserve| {
        let reserve = reserve.tokens();
        quote_spanned!(Span::mixed_site()=> .reserve(#reserve))
    });
    let flags = flags.iter().map(|flag| quote_spanned!(flag.span()=> .#flag()));
    let values = values.iter().map(|(name, value)| quote_spanned!(name.span()=> .#name(#value)));
    let closure = record.closure(statements);
    // Missing bounds of the record are reported once, at its type.
    quote_spanned! {at(&record.argument.ty)=>
        let batch = #batch #concurrency #reserve #(#flags)* #(#values)*;
        // The braces of a body on one line are not unnecessary.
        #[allow(unused_braces)]
        batch.run(#closure).await.into_reply()
    }
}

/// Returns the signature of the handler, and what it returns.
pub(crate) fn handler(args: &Args, record: Record, event: &Ident) -> (Signature, Type) {
    let Record { mut sig, inputs, .. } = record;
    sig.inputs = inputs.into_iter().collect();
    let result = take_events(&args.source, &args.krate, &mut sig, event);
    (sig, result)
}

/// Turns the signature of a function over one record into that of the handler, as far as it is known
/// in spite of a mistake.
pub(crate) fn stub(options: &TokenStream, sig: &mut Signature) {
    let krate = args::krate_in(options.clone());
    let source = Source::in_tokens(options.clone()).unwrap_or_else(|| Source::Known {
        function: Ident::new("sqs", Span::call_site()),
        event: "SqsEvent",
    });
    if matches!(sig.inputs.last(), Some(FnArg::Typed(_))) {
        sig.inputs.pop();
        sig.inputs.pop_punct();
    }
    sig.asyncness.get_or_insert_with(Default::default);
    if !sig.inputs.empty_or_trailing() {
        sig.inputs.push_punct(Default::default());
    }
    take_events(&source, &krate, sig, &Ident::new("event", Span::mixed_site()));
}

/// Adds the event to the arguments, and sets what is returned.
fn take_events(source: &Source, krate: &Path, sig: &mut Signature, event: &Ident) -> Type {
    let events: Type = match source {
        Source::Known { function, event } => {
            let event = Ident::new(event, function.span());
            parse_quote!(#krate::events::#event)
        }
        Source::Own(source) => (**source).clone(),
    };
    let result: Type = parse_quote! {
        ::core::result::Result<#krate::batch::ReplyOf<#events>, #krate::batch::Error>
    };
    let input: FnArg = parse_quote!(#event: #krate::macro_support::LambdaEvent<#events>);
    sig.inputs.push(input);
    sig.output = parse_quote!(-> #result);
    result
}
