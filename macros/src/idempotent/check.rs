use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    Error, Expr, FnArg, GenericParam, LitStr, Path, Result, Signature, Type, TypeImplTrait,
    TypeReference,
};

use super::parse::Options;
use crate::args::{self, Given};
use crate::function::Function;

/// The options of `#[idempotent]`.
pub(crate) struct Args {
    pub(super) key: Key,
    pub(super) with: Expr,
    pub(super) name: Option<LitStr>,
    pub(super) payload: Option<Expr>,
    /// True if the function returns a commit.
    pub(crate) is_transaction: bool,
    pub(crate) context: Option<Expr>,
    pub(crate) krate: Path,
}

/// Where the key of the work is.
pub(super) enum Key {
    Value(Expr),
    /// In the header `Idempotency-Key` of a request.
    Header,
}

impl Args {
    /// Reads the options, and rejects those that are incomplete or contradict each other.
    pub(crate) fn of(given: &Given<'_>) -> Result<Self> {
        let options: Options = given.read()?;
        if options.http.is_some() {
            return Self::of_http(given, options);
        }
        let Options { key, with, name, payload, transaction, context, krate, .. } = options;
        let is_transaction = transaction.is_some();
        let (key, with) = match (key, with) {
            (Some(key), Some(with)) => (key, with),
            (None, Some(_)) => return Err(given.error(NO_KEY)),
            (Some(_), None) => return Err(given.error(NO_WITH)),
            (None, None) => return Err(given.error(NEITHER)),
        };
        if let Some(name) = name.as_ref().filter(|name: &&LitStr| name.value().is_empty()) {
            return Err(Error::new_spanned(name, "the name of the work is empty"));
        }
        if is_literal(&key) {
            return Err(Error::new_spanned(key, SAME_KEY));
        }
        let (key, krate) = (Key::Value(key), args::krate(krate));
        Ok(Self { key, with, name, payload, is_transaction, context, krate })
    }

    fn of_http(given: &Given<'_>, options: Options) -> Result<Self> {
        let Options { key, with, name, payload, transaction, context, krate, .. } = options;
        let refuse = |option: &dyn ToTokens, reason| Err(Error::new_spanned(option, reason));
        if let Some(key) = key {
            return refuse(&key, HTTP_KEY);
        }
        if let Some(payload) = payload {
            return refuse(&payload, HTTP_PAYLOAD);
        }
        if let Some(name) = name {
            return refuse(&name, HTTP_NAME);
        }
        if let Some(transaction) = transaction {
            return refuse(&transaction, HTTP_TRANSACTION);
        }
        let with = with.ok_or_else(|| given.error(HTTP_NO_WITH))?;
        let (key, krate) = (Key::Header, args::krate(krate));
        Ok(Self { key, with, name, payload, is_transaction: false, context, krate })
    }

    /// Returns true for the handler of an HTTP function.
    pub(crate) fn is_http(&self) -> bool {
        matches!(self.key, Key::Header)
    }
}

/// Rejects a function that cannot be idempotent with these options.
pub(crate) fn check(args: &Args, function: &Function, result: &Type, in_batch: bool) -> Result<()> {
    if !args.is_http() {
        check_result(result)?;
        return check_name(args, &function.sig);
    }
    if in_batch {
        return Err(Error::new_spanned(&args.with, HTTP_BATCH));
    }
    match function.sig.inputs.last() {
        Some(FnArg::Typed(_)) => Ok(()),
        _ => Err(Error::new_spanned(&function.sig, HTTP_NO_REQUEST)),
    }
}

const BORROWED: &str = "the result of an idempotent function cannot borrow: it is stored, and a \
                        later call gets it again";
const UNNAMED: &str = "the result of an idempotent function needs a named type: a later call reads \
                       it from the store";

/// Rejects a function whose path is not a lasting name for its work.
fn check_name(args: &Args, sig: &Signature) -> Result<()> {
    if args.name.is_some() {
        return Ok(());
    }
    let mut anonymous = Unnamed(None);
    for input in &sig.inputs {
        match input {
            FnArg::Receiver(receiver) => return Err(Error::new_spanned(receiver, METHOD)),
            FnArg::Typed(argument) => anonymous.visit_pat_type(argument),
        }
    }
    let is_type = |parameter: &&GenericParam| !matches!(parameter, GenericParam::Lifetime(_));
    match (sig.generics.params.iter().find(is_type), anonymous.0) {
        (Some(parameter), _) => Err(Error::new_spanned(parameter, GENERIC)),
        (None, Some(part)) => Err(Error::new_spanned(part, GENERIC)),
        (None, None) => Ok(()),
    }
}

/// Finds the first `impl Trait`.
struct Unnamed(Option<TypeImplTrait>);

impl<'a> Visit<'a> for Unnamed {
    fn visit_type_impl_trait(&mut self, part: &'a TypeImplTrait) {
        self.0.get_or_insert_with(|| part.clone());
    }
}

/// Rejects a result that no store can return.
fn check_result(result: &Type) -> Result<()> {
    let mut unstorable = Unstorable(None);
    unstorable.visit_type(result);
    unstorable.0.map_or(Ok(()), Err)
}

/// Finds the first part of a type that no store can return.
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

/// Returns true for an expression that is the same in each call, as far as a macro can see.
fn is_literal(key: &Expr) -> bool {
    match key {
        Expr::Lit(_) => true,
        Expr::Group(key) => is_literal(&key.expr),
        Expr::Paren(key) => is_literal(&key.expr),
        Expr::Reference(key) => is_literal(&key.expr),
        Expr::Tuple(key) => key.elems.iter().all(is_literal),
        Expr::Array(key) => key.elems.iter().all(is_literal),
        _ => false,
    }
}

const SAME_KEY: &str = "this key is the same for every call, so all of them would share one \
                        result: name what makes two calls the same, such as `key = \
                        event.payload.order_id`\n\nif one result for all is what you mean, put the \
                        key in a constant";
const NO_KEY: &str = "`#[idempotent]` needs a key: `key = …` names what makes two calls the same, \
                      such as `key = event.payload.order_id`";
const NO_WITH: &str = "`#[idempotent]` needs an `Idempotency`: `with = …` names it";
const NEITHER: &str =
    "`#[idempotent]` needs a key and an `Idempotency`: `#[idempotent(key = …, with = …)]`";
const METHOD: &str = "an idempotent method needs a name, such as `name = \"orders.charge\"`: \
                      without one its work would be named by the type, and be done again when that \
                      is renamed or moved";
const GENERIC: &str = "an idempotent function that is generic needs a name, such as `name = \
                       \"orders.charge\"`: without one its work would be named by the types it is \
                       called with, and be done again when these change";
const HTTP_KEY: &str =
    "`http` takes no `key`: that of a request is in its header `Idempotency-Key`";
const HTTP_PAYLOAD: &str = "`http` takes no `payload`: the query, the content type and the body of a \
                            request are compared";
const HTTP_NAME: &str =
    "`http` takes no `name`: `IdempotencyKeyLayer::new(idempotency, \"payments\")` sets it";
const HTTP_TRANSACTION: &str = "`http` takes no `transaction`: a response is stored, not committed. \
                                Put it on a function that the handler calls";
const HTTP_NO_WITH: &str =
    "`#[idempotent(http)]` needs an `IdempotencyKeyLayer`: `with = …` names it";
const HTTP_NO_REQUEST: &str =
    "`#[idempotent(http, ..)]` needs a function with the request as its last argument";
const HTTP_BATCH: &str = "`http` is for the handler of an HTTP function: the records of a batch have \
                          no header";
