use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Path, Result, Token, Type};

use crate::args;
use crate::duration::DurationArg;

/// The options of `#[batch]`, as they are written.
pub(super) struct Options {
    pub(super) source: Option<Source>,
    /// The source of `source = …`.
    pub(super) own: Option<Type>,
    pub(super) concurrency: Option<Expr>,
    pub(super) reserve: Option<DurationArg>,
    /// The options without a value.
    pub(super) flags: Vec<Ident>,
    /// The options that take an expression, with that expression.
    pub(super) values: Vec<(Ident, Expr)>,
    pub(super) krate: Option<Path>,
}

/// The source of the records.
pub(super) enum Source {
    /// One that this toolkit knows: the name of the function that accepts its events.
    Known { function: Ident, event: &'static str },
    /// One of the user's own.
    Own(Box<Type>),
}

impl Source {
    /// Returns the known source in options that may be wrong elsewhere.
    pub(super) fn in_tokens(options: TokenStream) -> Option<Self> {
        if let Some(own) = args::value_of("source", options.clone()) {
            return Some(Self::Own(Box::new(own)));
        }
        let Some(TokenTree::Ident(function)) = options.into_iter().next() else { return None };
        let &(_, event) = SOURCES.iter().find(|(name, _)| function == name)?;
        Some(Self::Known { function, event })
    }

    pub(super) fn is(&self, name: &str) -> bool {
        matches!(self, Self::Known { function, .. } if function == name)
    }
}

/// The name of a source, and the type of its events.
const SOURCES: &[(&str, &str)] = &[
    ("sqs", "SqsEvent"),
    ("kinesis", "KinesisEvent"),
    ("dynamodb", "DynamoDbEvent"),
    ("kafka", "KafkaEvent"),
];

const FLAGS: &[&str] =
    &["all_or_nothing", "fail_when_all_failed", "partial_response", "stop_at_first_failure"];

const VALUES: &[&str] = &["max_receive_count", "on_outcome", "permanent_sink", "permanent_if"];

const OPTIONS: &[&str] = &[
    "concurrency",
    "reserve",
    "source",
    "max_receive_count",
    "all_or_nothing",
    "fail_when_all_failed",
    "partial_response",
    "stop_at_first_failure",
    "on_outcome",
    "permanent_sink",
    "permanent_if",
    "crate",
];

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let source = known_source(input)?;
        let (mut own, mut concurrency, mut reserve) = (None, None, None);
        let (mut flags, mut values, mut krate) = (Vec::new(), Vec::new(), None);
        args::each(input, OPTIONS, |option| match option.to_string().as_str() {
            "source" => args::set(&mut own, option, input),
            "concurrency" => args::set(&mut concurrency, option, input),
            "reserve" => args::set(&mut reserve, option, input),
            "crate" => args::set(&mut krate, option, input),
            name if FLAGS.contains(&name) => {
                let mut slot = flags.iter().find(|flag| *flag == option).cloned();
                args::flag(&mut slot, option, input)?;
                flags.extend(slot);
                Ok(true)
            }
            name if VALUES.contains(&name) => {
                let given = values.iter().find(|(name, _)| name == option);
                let mut slot: Option<Expr> = given.map(|(_, value): &(Ident, Expr)| value.clone());
                args::set(&mut slot, option, input)?;
                values.extend(slot.map(|value| (option.clone(), value)));
                Ok(true)
            }
            _ => Ok(false),
        })?;

        Ok(Self { source, own, concurrency, reserve, flags, values, krate })
    }
}

/// Reads `sqs`, with the comma after it.
fn known_source(input: ParseStream<'_>) -> Result<Option<Source>> {
    let ahead = input.fork();
    let Ok(function) = ahead.call(Ident::parse_any) else { return Ok(None) };
    let is_option = ahead.peek(Token![=]) || OPTIONS.iter().any(|option| function == option);
    if is_option {
        return Ok(None);
    }
    let Some(&(_, event)) = SOURCES.iter().find(|(name, _)| function == name) else {
        let message = format!("`{function}` is not a source of batches: {NO_SOURCE}");
        return Err(Error::new_spanned(function, message));
    };
    input.call(Ident::parse_any)?;
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok(Some(Source::Known { function, event }))
}

pub(super) const NO_SOURCE: &str = "name where the records come from: `#[batch(sqs)]`, `kinesis`, \
                                    `dynamodb` or `kafka`, or `source = …`, an own type that is a \
                                    `powertools::batch::Source`";
