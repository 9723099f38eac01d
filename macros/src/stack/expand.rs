use std::mem;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, FnArg, PatType, Path, Result, Signature, Type, parse_quote, parse_quote_spanned};

use crate::args::Given;
use crate::arguments::capture_mutable;
use crate::function::Function;
use crate::invocation::{Find, find};
use crate::kind::Kind;
use crate::{batch, deadline, idempotent, logged};

/// An attribute with its options.
pub(crate) enum Layer {
    Logged(Box<logged::Args>),
    Batch(Box<batch::Args>),
    Idempotent(Box<idempotent::Args>),
    Deadline(Box<deadline::Args>),
}

/// What an attribute wraps.
pub(crate) struct Work<'a> {
    /// The statements of an async block, with an expression at their end.
    pub(crate) statements: TokenStream,
    /// The type of that expression, if it has a name.
    pub(crate) result: &'a Type,
    /// The argument of a handler of requests.
    pub(crate) request: Option<&'a Request>,
}

/// The last argument of a function, which the work takes again.
pub(crate) struct Request {
    /// Its name outside of the work.
    pub(crate) name: Ident,
    /// As it was written.
    pub(crate) argument: FnArg,
}

impl Request {
    /// Takes the last argument out of a function, and leaves one with another name in its place.
    fn take(sig: &mut Signature) -> Option<Self> {
        let Some(FnArg::Typed(argument)) = sig.inputs.last_mut() else { return None };
        let name = Ident::new("request", Span::mixed_site());
        let pat = mem::replace(&mut *argument.pat, parse_quote!(#name));
        let written = PatType { pat: Box::new(pat), ..argument.clone() };
        argument.attrs.clear();
        Some(Self { name, argument: FnArg::Typed(written) })
    }
}

impl Layer {
    pub(super) fn of(kind: Kind, given: &Given<'_>) -> Result<Self> {
        Ok(match kind {
            Kind::Logged => Self::Logged(Box::new(logged::Args::of(given)?)),
            Kind::Batch => Self::Batch(Box::new(batch::Args::of(given)?)),
            Kind::Idempotent => Self::Idempotent(Box::new(idempotent::Args::of(given)?)),
            Kind::Deadline => Self::Deadline(Box::new(given.read()?)),
            Kind::InitOnce => unreachable!("it stacks with none of these"),
        })
    }

    fn krate(&self) -> &Path {
        match self {
            Self::Logged(args) => &args.krate,
            Self::Batch(args) => &args.krate,
            Self::Idempotent(args) => &args.krate,
            Self::Deadline(args) => &args.krate,
        }
    }

    fn context(&self) -> Option<&Expr> {
        match self {
            Self::Idempotent(args) => args.context.as_ref(),
            Self::Deadline(args) => args.context.as_ref(),
            Self::Logged(args) => args.context.as_ref(),
            Self::Batch(_) => None,
        }
    }

    /// Returns the statements of the work with this attribute around it.
    fn wrap(&self, work: Work<'_>) -> TokenStream {
        match self {
            Self::Logged(args) => logged::wrap(args, work),
            Self::Idempotent(args) => idempotent::wrap(args, work),
            Self::Deadline(args) => deadline::wrap(args, work),
            Self::Batch(_) => unreachable!("the stack is split at it"),
        }
    }
}

impl Work<'_> {
    /// Returns a future of the work, pinned in place: each function that took it by value would
    /// double the size of the future around it.
    pub(crate) fn pinned(&self, krate: &Path) -> (TokenStream, TokenStream) {
        let statements = &self.statements;
        // The braces of a body on one line are not unnecessary.
        let pinned = quote_spanned! {Span::mixed_site()=>
            #[allow(unused_braces)]
            let mut work = ::core::pin::pin!(::core::option::Option::Some(async move {
                #statements
            }));
        };
        let in_place =
            quote_spanned!(Span::mixed_site()=> #krate::macro_support::InPlace::new(work.as_mut()));
        (pinned, in_place)
    }
}

/// Wraps the body of a function, in place.
///
/// The body keeps its own tokens, and its block the function's type, so that the compiler reports
/// mistakes in it as if the attribute were not there.
pub(super) fn function(
    marker: &TokenStream,
    layers: &[Layer],
    function: Function,
    result: &Type,
) -> Result<TokenStream> {
    let Function { attrs, vis, mut sig, body } = function;
    let statements = body_of(result, &capture_mutable(&sig), &body);
    let is_http =
        layers.iter().any(|layer| matches!(layer, Layer::Idempotent(args) if args.is_http()));
    let request = if is_http { Request::take(&mut sig) } else { None };
    let statements = wrap(layers, statements, result, request.as_ref());

    if is_http && !idempotent::is_unnamed(result) {
        let krate = krate_at(layers[0].krate(), result.span());
        sig.output = parse_quote_spanned! {at(result)=>
            -> <#result as #krate::macro_support::Answers>::Result
        };
    }
    if let Some(krate) = transaction(layers) {
        let krate = krate_at(krate, result.span());
        sig.output = parse_quote!(-> <#result as #krate::macro_support::Commits>::Result);
    }
    let krate = layers[0].krate();
    let context = layers.iter().find_map(Layer::context);
    let Find { invocation, names, bindings } = find(krate, &mut sig, context);
    let (mut before, mut outside) = (TokenStream::new(), bindings);
    if let Some(args) = logged_event(layers) {
        let event = names.last().ok_or_else(|| args.no_event(&sig, context))?;
        // The event is read in its invocation, before a pattern destructures it.
        before = args.read_event(&event.name);
        before.extend(std::mem::take(&mut outside));
    }

    // With hygiene: the expressions and the body do not see these names.
    Ok(quote_spanned! {Span::mixed_site()=>
        #(#attrs)*
        #vis #sig {
            #marker
            let invocation = #invocation;
            #outside
            let work = async move {
                #before
                #statements
            };
            #krate::Invocation::enter(invocation, work).await
        }
    })
}

/// Creates the handler from a function over one record: attributes above `#[batch]` wrap the
/// handler, those below it wrap the work of each record.
pub(super) fn over_records(
    marker: &TokenStream,
    mut layers: Vec<Layer>,
    place: usize,
    function: Function,
    result: &Type,
) -> Result<TokenStream> {
    let below = layers.split_off(place + 1);
    let Some(Layer::Batch(args)) = layers.pop() else { unreachable!("it is at its place") };
    let krate = args.krate.clone();

    let Function { attrs, vis, sig, body } = function;
    // The result of a commit is ignored too, but its type does not show what that is.
    let unit = parse_quote!(());
    let taken = if transaction(&below).is_some() { &unit } else { result };
    let record = batch::Record::of(&krate, sig, taken)?;
    let statements = body_of(result, &record.captures(), &body);
    let statements = wrap(&below, statements, result, None);
    let event = Ident::new("event", Span::mixed_site());
    let statements = batch::call(&args, &record, &event, &statements);
    let (sig, result) = batch::handler(&args, record, &event);
    let statements = wrap(&layers, statements, &result, None);

    Ok(quote_spanned! {Span::mixed_site()=>
        #(#attrs)*
        #vis #sig {
            #marker
            let invocation =
                #krate::Invocation::current_or(::core::option::Option::Some(&#event.context));
            let work = async move {
                #statements
            };
            #krate::Invocation::enter(invocation, work).await
        }
    })
}

fn wrap(
    layers: &[Layer],
    statements: TokenStream,
    result: &Type,
    request: Option<&Request>,
) -> TokenStream {
    let around = |statements, layer: &Layer| layer.wrap(Work { statements, result, request });
    layers.iter().rev().fold(statements, around)
}

/// Returns the path of the crate, if the function returns a commit.
fn transaction(layers: &[Layer]) -> Option<&Path> {
    layers.iter().find_map(|layer| match layer {
        Layer::Idempotent(args) if args.is_transaction => Some(&args.krate),
        _ => None,
    })
}

/// Returns the attribute that reads the event.
fn logged_event(layers: &[Layer]) -> Option<&logged::Args> {
    layers.iter().find_map(|layer| match layer {
        Layer::Logged(args) if args.reads_event() => Some(&**args),
        _ => None,
    })
}

/// Returns the body as it was written, in a block of the function's type.
pub(crate) fn body_of(
    result: &Type,
    captures: &TokenStream,
    body: &proc_macro2::Group,
) -> TokenStream {
    let mut result = result.clone();
    Unnamed.visit_type_mut(&mut result);
    // Without its type, nothing in `return Err(..)` coerces.
    quote_spanned! {Span::mixed_site()=>
        #[allow(unreachable_code)]
        if false {
            let result: #result = loop {};
            return result;
        }
        #captures
        #body
    }
}

/// Replaces types without a name by `_`.
struct Unnamed;

impl VisitMut for Unnamed {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if matches!(ty, Type::ImplTrait(_)) {
            *ty = parse_quote!(_);
        }
        visit_mut::visit_type_mut(self, ty);
    }
}

/// Returns the path of the crate, with this span.
pub(crate) fn krate_at(krate: &Path, span: Span) -> TokenStream {
    krate
        .to_token_stream()
        .into_iter()
        .map(|mut token| {
            token.set_span(span);
            token
        })
        .collect()
}

/// Returns the span of `tokens` for messages about them, with its own hygiene.
pub(crate) fn at(tokens: &impl Spanned) -> Span {
    Span::mixed_site().located_at(tokens.span())
}
