use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::parse::ParseStream;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, ExprLit, Field, Fields, Lit, LitInt, LitStr, Member,
    Meta, Path, Result, Token, Type, parse_quote,
};

/// An error type, with its attributes and those of its variants.
pub(super) struct ErrorType {
    pub(super) krate: Path,
    pub(super) cases: Vec<Case>,
}

/// A struct, or a variant of an enum.
pub(super) struct Case {
    /// `None` for a struct.
    pub(super) variant: Option<Ident>,
    pub(super) name: LitStr,
    /// What its name and class are taken from, if they are not given.
    pub(super) forwards: Option<Forward>,
    pub(super) is_named: bool,
    pub(super) class: Option<Class>,
    /// The status of the answer to an HTTP request.
    pub(super) status: Option<LitInt>,
}

/// The one field of a `#[error(transparent)]` variant.
pub(super) struct Forward {
    pub(super) member: Member,
    pub(super) ty: Type,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Permanent,
    Retryable,
}

pub(super) fn parse(input: &DeriveInput) -> Result<ErrorType> {
    if let Some(lifetime) = input.generics.lifetimes().next() {
        return Err(Error::new_spanned(lifetime, BORROWED));
    }
    let krate = krate(&input.attrs)?;
    let whole = Marks::parse(&input.attrs)?;
    let cases = match &input.data {
        Data::Struct(data) => {
            refuse_on_fields(&data.fields)?;
            let default = input.ident.to_string();
            vec![case(None, &whole, &Marks::default(), &default, &input.attrs, &data.fields)?]
        }
        Data::Enum(data) => {
            let mut cases = Vec::new();
            for variant in &data.variants {
                refuse_on_fields(&variant.fields)?;
                let marks = Marks::parse(&variant.attrs)?;
                let default = format!("{}.{}", input.ident, variant.ident);
                let ident = Some(variant.ident.clone());
                cases.push(case(ident, &whole, &marks, &default, &variant.attrs, &variant.fields)?);
            }
            cases
        }
        Data::Union(data) => return Err(Error::new_spanned(data.union_token, UNION)),
    };
    Ok(ErrorType { krate, cases })
}

/// Returns the path of the crate, even if the rest is invalid.
pub(super) fn krate(attrs: &[Attribute]) -> Result<Path> {
    let mut krate = None;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("lambda_error")) {
        attr.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("the only option is `crate = …`, the path of `powertools`"));
            }
            krate = Some(meta.value()?.call(Path::parse_mod_style)?);
            Ok(())
        })?;
    }
    Ok(krate.unwrap_or_else(|| parse_quote!(::powertools)))
}

/// The attributes of a type or a variant.
#[derive(Default)]
struct Marks {
    name: Option<LitStr>,
    class: Option<Class>,
    status: Option<LitInt>,
}

impl Marks {
    fn parse(attrs: &[Attribute]) -> Result<Self> {
        let mut marks = Self::default();
        for attr in attrs {
            if attr.path().is_ident("error_type") {
                let name = parse_name(&attr.meta)?;
                if marks.name.replace(name).is_some() {
                    return Err(Error::new_spanned(attr, "`error_type` is given twice"));
                }
            }
            if attr.path().is_ident("http") {
                let status = parse_status(attr)?;
                if marks.status.replace(status).is_some() {
                    return Err(Error::new_spanned(attr, "`http` is given twice"));
                }
            }
            let class = match attr.path() {
                path if path.is_ident("permanent") => Class::Permanent,
                path if path.is_ident("retryable") => Class::Retryable,
                _ => continue,
            };
            if !matches!(attr.meta, Meta::Path(_)) {
                let name = attr.path().to_token_stream();
                let message = format!("`{name}` takes no value: write `#[{name}]`");
                return Err(Error::new_spanned(&attr.meta, message));
            }
            match marks.class.replace(class) {
                None => {}
                Some(before) if before == class => {
                    let message = format!("`{}` is given twice", attr.path().to_token_stream());
                    return Err(Error::new_spanned(attr, message));
                }
                Some(_) => return Err(Error::new_spanned(attr, CONTRADICTION)),
            }
        }
        Ok(marks)
    }
}

fn parse_name(meta: &Meta) -> Result<LitStr> {
    let Meta::NameValue(meta) = meta else { return Err(Error::new_spanned(meta, FORM)) };
    let Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) = &meta.value else {
        return Err(Error::new_spanned(&meta.value, FORM));
    };
    let text = name.value();
    if text.trim().is_empty() {
        return Err(Error::new_spanned(name, "the name of the error is empty"));
    }
    if text.starts_with("States.") {
        return Err(Error::new_spanned(name, RESERVED));
    }
    Ok(name.clone())
}

/// Parses `#[http(status = 409)]`.
fn parse_status(attr: &Attribute) -> Result<LitInt> {
    let form = |input: ParseStream<'_>| {
        let name: Ident = input.parse()?;
        input.parse::<Token![=]>()?;
        Ok((name, input.parse::<LitInt>()?))
    };
    let (name, status) =
        attr.parse_args_with(form).map_err(|error| Error::new(error.span(), STATUS))?;
    if name != "status" {
        return Err(Error::new_spanned(name, STATUS));
    }
    if !status.base10_parse().is_ok_and(|status: u16| (400..=599).contains(&status)) {
        return Err(Error::new_spanned(status, "the status of an error is from 400 to 599"));
    }
    Ok(status)
}

fn case(
    variant: Option<Ident>,
    whole: &Marks,
    own: &Marks,
    default: &str,
    attrs: &[Attribute],
    fields: &Fields,
) -> Result<Case> {
    let is_transparent = attrs.iter().any(is_transparent);
    // The attributes of an enum do not apply to the error in a transparent variant.
    let outer = if is_transparent && variant.is_some() { &Marks::default() } else { whole };
    let name = own.name.clone().or_else(|| outer.name.clone());
    Ok(Case {
        forwards: if is_transparent { Some(forward(fields)?) } else { None },
        is_named: name.is_some(),
        name: name.unwrap_or_else(|| LitStr::new(default, Span::call_site())),
        class: own.class.or(outer.class),
        status: own.status.clone().or_else(|| outer.status.clone()),
        variant,
    })
}

/// Returns the field of a transparent variant that is an error: another one can only be a backtrace.
fn forward(fields: &Fields) -> Result<Forward> {
    let is_source = |field: &Field| {
        let marked = |name| field.attrs.iter().any(|attr| attr.path().is_ident(name));
        marked("from") || marked("source") || field.ident.as_ref().is_some_and(|i| i == "source")
    };
    let members: Vec<_> = fields.members().zip(fields).collect();
    let found = members.iter().find(|(_, field)| is_source(field)).or_else(|| members.first());
    let Some((member, field)) = found else {
        return Err(Error::new_spanned(fields, "a transparent error needs the error in a field"));
    };
    Ok(Forward { member: member.clone(), ty: field.ty.clone() })
}

/// Returns true for `#[error(transparent)]`, an attribute of `thiserror`.
fn is_transparent(attr: &Attribute) -> bool {
    let Meta::List(list) = &attr.meta else { return false };
    list.path.is_ident("error") && list.tokens.to_string() == "transparent"
}

fn refuse_on_fields(fields: &Fields) -> Result<()> {
    let ours = ["error_type", "permanent", "retryable", "http", "lambda_error"];
    let mut attrs = fields.iter().flat_map(|field| &field.attrs);
    match attrs.find(|attr| ours.iter().any(|name| attr.path().is_ident(name))) {
        Some(attr) => {
            Err(Error::new_spanned(attr, "this belongs on a variant or on the whole type"))
        }
        None => Ok(()),
    }
}

const FORM: &str = "the name of the error is a string: `#[error_type = \"CardDeclined\"]`";
const RESERVED: &str = "names that begin with `States.` belong to Step Functions itself, which \
                        does not let a function use them";
const STATUS: &str = "the answer to an HTTP request has a status: `#[http(status = 409)]`";
const CONTRADICTION: &str = "an error is permanent or retryable, not both";
const BORROWED: &str = "an error with a lifetime cannot leave the function: let it own its data";
const UNION: &str = "a union cannot be an error with a name";
