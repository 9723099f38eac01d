//! The attributes of the `powertools` crate, which re-exports them.

use proc_macro::TokenStream;

mod args;
mod arguments;
mod batch;
mod deadline;
mod duration;
mod function;
mod idempotent;
mod init_once;
mod invocation;
mod kind;
mod lambda_error;
mod logged;
mod metrics;
mod stack;
mod stub;

use kind::Kind;
use stub::or_stub;

/// Runs an async function once for each key, and returns its result to every later caller.
#[doc = include_str!("../docs/idempotent.md")]
#[proc_macro_attribute]
pub fn idempotent(args: TokenStream, item: TokenStream) -> TokenStream {
    wrap(Kind::Idempotent, args, item)
}

/// Stops an async function shortly before the Lambda timeout.
#[doc = include_str!("../docs/deadline.md")]
#[proc_macro_attribute]
pub fn deadline(args: TokenStream, item: TokenStream) -> TokenStream {
    wrap(Kind::Deadline, args, item)
}

/// Turns an async function over one record into the handler of a batch.
#[doc = include_str!("../docs/batch.md")]
#[proc_macro_attribute]
pub fn batch(args: TokenStream, item: TokenStream) -> TokenStream {
    wrap(Kind::Batch, args, item)
}

/// Logs the error of a handler, and sets the correlation id of its event.
#[doc = include_str!("../docs/logged.md")]
#[proc_macro_attribute]
pub fn logged(args: TokenStream, item: TokenStream) -> TokenStream {
    wrap(Kind::Logged, args, item)
}

/// Turns a function that creates a value into the accessor of that value.
#[doc = include_str!("../docs/init_once.md")]
#[proc_macro_attribute]
pub fn init_once(args: TokenStream, item: TokenStream) -> TokenStream {
    let (args, item) = (proc_macro2::TokenStream::from(args), proc_macro2::TokenStream::from(item));
    let expanded = init_once::expand(args.clone(), item.clone());
    or_stub(Kind::InitOnce, args, item, expanded).into()
}

/// Gives each variant of an error type the name under which Lambda reports it, and a class.
#[doc = include_str!("../docs/lambda_error.md")]
#[proc_macro_derive(LambdaError, attributes(error_type, permanent, retryable, http, lambda_error))]
pub fn lambda_error(input: TokenStream) -> TokenStream {
    lambda_error::derive(input.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Writes what a unit of work measures as one line of metrics.
#[doc = include_str!("../docs/metrics.md")]
#[proc_macro_derive(
    Metrics,
    attributes(dimension, property, unit, name, high_resolution, skip, metrics)
)]
pub fn metrics(input: TokenStream) -> TokenStream {
    metrics::derive(input.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

fn wrap(kind: Kind, args: TokenStream, item: TokenStream) -> TokenStream {
    let (args, item) = (proc_macro2::TokenStream::from(args), proc_macro2::TokenStream::from(item));
    let expanded = stack::expand(kind, args.clone(), item.clone());
    or_stub(kind, args, item, expanded).into()
}
