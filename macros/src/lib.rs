//! The attributes of the `powertools` crate, which re-exports them.

#[cfg(feature = "idempotency")]
use proc_macro::TokenStream;

#[cfg(feature = "idempotency")]
mod args;
#[cfg(feature = "idempotency")]
mod arguments;
#[cfg(feature = "idempotency")]
mod function;
#[cfg(feature = "idempotency")]
mod idempotent;
#[cfg(feature = "idempotency")]
mod invocation;

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
#[cfg(feature = "idempotency")]
#[proc_macro_attribute]
pub fn idempotent(args: TokenStream, item: TokenStream) -> TokenStream {
    let expanded = idempotent::expand(args.into(), item.clone().into());
    function::or_untouched(item.into(), expanded).into()
}
