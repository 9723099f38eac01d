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
mod stack;

use function::or_untouched;
use kind::Kind;

/// Runs an async function once for each key, and gives its result to everyone who calls again.
///
/// ```
/// use powertools::idempotency::{Error, Idempotency, MemoryStore};
/// use powertools::idempotent;
///
/// #[idempotent(key = order, with = records)]
/// async fn charge(records: &Idempotency<MemoryStore>, order: &str) -> Result<String, Error> {
///     println!("charging {order}"); // once
///     Ok(format!("receipt for {order}"))
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
/// let records = Idempotency::new(MemoryStore::new())?;
/// assert_eq!(charge(&records, "order-7").await?, "receipt for order-7");
/// assert_eq!(charge(&records, "order-7").await?, "receipt for order-7");
/// # Ok(()) }
/// ```
///
/// It goes on any async function that returns a `Result<R, E>`: handlers, the functions that they
/// call, methods, and methods in an `impl` of a trait. `R` is anything that serde writes and reads;
/// `E` is any error with `From<powertools::idempotency::Error>`, such as `lambda_runtime::Error`,
/// `anyhow::Error`, or an enum with a `#[from]` variant.
///
/// # Options
///
/// | | |
/// |---|---|
/// | `key = …` | what makes two calls the same: an expression over the arguments. Required. |
/// | `with = …` | yields the `Idempotency` that keeps the records, or a reference to it. Required. |
/// | `payload = …` | what must not change while the key stays the same, such as an amount. |
/// | `name = "…"` | the name of the work, instead of the function's own: see [below](#names). |
/// | `context = …` | a `&lambda_runtime::Context`: see [below](#handlers). |
/// | `crate = …` | the path of `powertools`, where it has another name. |
///
/// The key is derived before the body runs, so it may read arguments that the body moves or
/// changes. `with` may be an argument, a field of `self`, a static, or what a function returns:
/// `with = self.records`, `with = RECORDS`, `with = records().await?`.
///
/// # What it writes
///
/// The body moves, as it is, into a call of the engine:
///
/// ```
/// # use lambda_runtime::{Error, LambdaEvent};
/// # use powertools::Invocation;
/// # use powertools::idempotency::{Idempotency, MemoryStore};
/// # type Records = Idempotency<MemoryStore>;
/// # struct Order { id: String, amount: u64 }
/// async fn charge(records: Records, event: LambdaEvent<Order>) -> Result<u64, Error> {
///     let invocation = Invocation::current_or(Some(&event.context));
///     let work = async move {
///         let call = records
///             .operation("orders.charge")
///             .key(&event.payload.id)?
///             .payload(&event.payload.amount)?;
///         call.run(async move { Ok(event.payload.amount) }).await
///     };
///     Invocation::enter(invocation, work).await
/// }
/// ```
///
/// is
///
/// ```
/// # use lambda_runtime::{Error, LambdaEvent};
/// # use powertools::idempotent;
/// # use powertools::idempotency::{Idempotency, MemoryStore};
/// # type Records = Idempotency<MemoryStore>;
/// # struct Order { id: String, amount: u64 }
/// #[idempotent(
///     key = event.payload.id,
///     payload = event.payload.amount,
///     with = records,
///     name = "orders.charge"
/// )]
/// async fn charge(records: Records, event: LambdaEvent<Order>) -> Result<u64, Error> {
///     Ok(event.payload.amount)
/// }
/// ```
///
/// # Errors
///
/// An error of the body comes back unchanged, and the next call runs it again. All others are
/// `powertools::idempotency::Error`: no key, work that is in progress, a payload that changed, a
/// store that failed, and so on.
///
/// # Names
///
/// Keys of differently named work never meet, and a function that gets another name forgets what it
/// has done. Without `name` it is the name of the Lambda function and the path of this one, with
/// the type of a method and the types that a generic function is used with:
/// `orders.shop::Cart<shop::Euro>::charge`. So renaming or moving a function, or one of these
/// types, makes it forget. A path is also written as the compiler writes it, and a later one may
/// write it differently. Give a `name` to work that must be recognised across deployments.
///
/// A function that is generic over a closure or a future needs one, since these have no paths.
/// So do functions of one name in different blocks of one function, since these share theirs.
///
/// # Handlers
///
/// The deadline that bounds the work comes from the invocation. `Powertools` and `InvocationLayer`
/// set it. Under plain `lambda_runtime::run` the attribute makes it, from an argument that is a
/// `LambdaEvent` or a `Context`, or a reference to one; an alias or a pattern does not hide it. In a
/// generic function it cannot see what the argument is, and `context` says where to find it:
///
/// ```
/// # use lambda_runtime::{Error, LambdaEvent};
/// # use powertools::idempotent;
/// # use powertools::idempotency::{Idempotency, MemoryStore};
/// trait Request {
///     fn context(&self) -> &lambda_runtime::Context;
///     fn id(&self) -> &str;
/// }
///
/// #[idempotent(key = request.id(), with = records, context = request.context())]
/// async fn charge<T: Request>(
///     records: &Idempotency<MemoryStore>,
///     request: T,
/// ) -> Result<u64, Error> {
///     Ok(7)
/// }
/// ```
///
/// # Order
///
/// Rust expands the attribute at the top first, and what expands later wraps what is there. So one
/// of another crate, such as `#[tracing::instrument]`, sees every call when it stands below
/// `#[idempotent]`, and only calls that run the body when it stands above. `#[async_trait]` expands
/// before the attributes of its methods and leaves no async function for this one.
///
/// # Limits
///
/// The work is stopped at the end of its lease, at its next `.await`. Code that blocks, and tasks
/// that it has spawned, go on, and may then run at the same time as a retry.
///
/// The result cannot borrow, and a response of `lambda_http` or axum cannot be stored: move the
/// work into a function of its own and make that idempotent.
#[proc_macro_attribute]
pub fn idempotent(args: TokenStream, item: TokenStream) -> TokenStream {
    wrap(Kind::Idempotent, args, item)
}

/// Stops an async function shortly before the Lambda timeout.
#[proc_macro_attribute]
pub fn deadline(args: TokenStream, item: TokenStream) -> TokenStream {
    wrap(Kind::Deadline, args, item)
}

/// Makes the handler of a batch from an async function over one record.
#[proc_macro_attribute]
pub fn batch(args: TokenStream, item: TokenStream) -> TokenStream {
    wrap(Kind::Batch, args, item)
}

/// Logs what comes of a handler, and the event if it is asked to.
#[proc_macro_attribute]
pub fn logged(args: TokenStream, item: TokenStream) -> TokenStream {
    wrap(Kind::Logged, args, item)
}

/// Makes the accessor of a value that is made once from the function that makes it.
#[proc_macro_attribute]
pub fn init_once(args: TokenStream, item: TokenStream) -> TokenStream {
    let expanded = init_once::expand(args.into(), item.clone().into());
    or_untouched(item.into(), expanded).into()
}

fn wrap(kind: Kind, args: TokenStream, item: TokenStream) -> TokenStream {
    let expanded = stack::expand(kind, args.into(), item.clone().into());
    or_untouched(item.into(), expanded).into()
}

/// Gives each variant of an error type the name under which Lambda reports it, and a class.
///
/// ```
/// use powertools::{LambdaError, idempotency};
///
/// #[derive(Debug, thiserror::Error, LambdaError)]
/// enum OrderError {
///     #[error("the card was declined")]
///     #[error_type = "CardDeclined"] // a state machine has `"ErrorEquals": ["CardDeclined"]`
///     #[permanent]
///     Declined,
///     #[error("the warehouse does not answer")]
///     Warehouse(#[from] std::io::Error), // OrderError.Warehouse
///     #[error(transparent)]
///     Idempotency(#[from] idempotency::Error), // Powertools.IdempotencyInProgress and so on
/// }
/// ```
///
/// It goes on an enum or a struct that implements `std::error::Error`, by `thiserror` or by hand.
/// Lambda is told the name as `errorType`, and as `errorMessage` the message of the error followed
/// by those of its causes: `the warehouse does not answer: connection refused`.
///
/// # Attributes
///
/// | | |
/// |---|---|
/// | `#[error_type = "…"]` | the name. Without it: `Enum.Variant`, or the name of the struct. |
/// | `#[permanent]` | the same event would have the same error, however often it is sent. |
/// | `#[retryable]` | another try may not have it. That is so without it, too. |
/// | `#[lambda_error(crate = …)]` | on the type: the path of `powertools`, where it has another name. |
///
/// The first three stand on a variant, or on the type for all variants that do not say otherwise. A
/// default name changes when the variant is renamed: give an `error_type` to what a state machine or
/// an alarm matches. Names that begin with `States.` belong to Step Functions.
///
/// A batch hands a record with a permanent error to its sink, and has the others delivered again.
///
/// # What it writes
///
/// ```
/// # #[derive(Debug, thiserror::Error)]
/// # enum OrderError {
/// #     #[error("the card was declined")]
/// #     Declined,
/// #     #[error("the warehouse does not answer")]
/// #     Warehouse(#[from] std::io::Error),
/// #     #[error(transparent)]
/// #     Idempotency(#[from] powertools::idempotency::Error),
/// # }
/// use lambda_runtime::Diagnostic;
/// use powertools::lambda_error::{self, AsDynError as _};
///
/// impl powertools::LambdaError for OrderError {
///     fn error_type(&self) -> &'static str {
///         match self {
///             Self::Declined => "CardDeclined",
///             Self::Warehouse(_) => "OrderError.Warehouse",
///             Self::Idempotency(source) => lambda_error::find(source.as_dyn_error())
///                 .map_or("OrderError.Idempotency", |found| found.error_type),
///         }
///     }
///
///     fn is_permanent(&self) -> bool {
///         match self {
///             Self::Declined => true,
///             Self::Idempotency(source) => lambda_error::find(source.as_dyn_error())
///                 .is_some_and(|found| found.is_permanent),
///             _ => false,
///         }
///     }
/// }
///
/// impl From<OrderError> for Diagnostic {
///     fn from(error: OrderError) -> Self {
///         lambda_error::diagnostic(&error)
///     }
/// }
///
/// powertools::register_lambda_error!(OrderError);
/// ```
///
/// # Transparent variants
///
/// A variant with `#[error(transparent)]` is the error that it holds: it has the name and the class
/// of the first error with a name in there, be that one of this toolkit, another type with this
/// derive, or what a `lambda_runtime::Error` or an `anyhow::Error` has boxed. If there is none, it
/// has its default name and is retryable. What its own attributes say goes over that.
///
/// # In boxes
///
/// `Powertools` finds the name in a `lambda_runtime::Error` and an `anyhow::Error`, also among the
/// causes. Under plain `lambda_runtime::run` it is seen when the handler returns this type itself.
/// `powertools::lambda_error` says how that works.
///
/// # Limits
///
/// A type with type parameters is not found in boxes. A type with a lifetime is refused.
#[proc_macro_derive(LambdaError, attributes(error_type, permanent, retryable, lambda_error))]
pub fn lambda_error(input: TokenStream) -> TokenStream {
    lambda_error::derive(input.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
