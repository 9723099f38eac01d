use proc_macro2::Ident;
use syn::spanned::Spanned as _;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, ExprLit, Field as Member, Fields, Lit, LitStr, Meta,
    Path, Result, Type, parse_quote,
};

use super::name;

/// A struct, with the attributes of its fields.
pub(super) struct Set {
    pub(super) krate: Path,
    pub(super) fields: Vec<Field>,
}

pub(super) struct Field {
    pub(super) member: Ident,
    pub(super) ty: Type,
    pub(super) name: LitStr,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    Dimension,
    Property,
    Metric { unit: Ident, is_high_resolution: bool },
}

/// The attributes of the whole struct.
pub(super) struct Options {
    pub(super) krate: Path,
    is_pascal_case: bool,
}

pub(super) fn parse(input: &DeriveInput) -> Result<Set> {
    let options = options(&input.attrs)?;
    let members = match &input.data {
        Data::Struct(data) => &data.fields,
        Data::Enum(data) => return Err(Error::new_spanned(data.enum_token, STRUCT)),
        Data::Union(data) => return Err(Error::new_spanned(data.union_token, STRUCT)),
    };
    let Fields::Named(members) = members else {
        return Err(Error::new_spanned(&input.ident, STRUCT));
    };
    let mut fields = Vec::new();
    for member in &members.named {
        fields.extend(field(member, &options)?);
    }
    Ok(Set { krate: options.krate, fields })
}

pub(super) fn options(attrs: &[Attribute]) -> Result<Options> {
    let mut options = Options { krate: parse_quote!(::powertools), is_pascal_case: false };
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("metrics")) {
        attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("crate") {
                options.krate = meta.value()?.call(Path::parse_mod_style)?;
            } else if meta.path.is_ident("rename_all") {
                let case: LitStr = meta.value()?.parse()?;
                if case.value() != "PascalCase" {
                    return Err(Error::new_spanned(case, "the only case is \"PascalCase\""));
                }
                options.is_pascal_case = true;
            } else {
                return Err(meta.error(OPTIONS));
            }
            Ok(())
        })?;
    }
    Ok(options)
}

/// Returns `None` for a field that is skipped.
fn field(member: &Member, options: &Options) -> Result<Option<Field>> {
    let ident = member.ident.clone().ok_or_else(|| Error::new_spanned(member, STRUCT))?;
    let mut kind: Option<Kind> = None;
    let (mut name, mut high_resolution, mut skip) = (None, None, false);
    for attr in &member.attrs {
        let path = attr.path();
        let new = if path.is_ident("dimension") {
            bare(attr)?;
            Kind::Dimension
        } else if path.is_ident("property") {
            bare(attr)?;
            Kind::Property
        } else if path.is_ident("unit") {
            Kind::Metric { unit: unit(attr)?, is_high_resolution: false }
        } else {
            if path.is_ident("name") {
                name = Some(text(attr)?);
            } else if path.is_ident("high_resolution") {
                bare(attr)?;
                high_resolution = Some(attr);
            } else if path.is_ident("skip") {
                bare(attr)?;
                skip = true;
            }
            continue;
        };
        if kind.replace(new).is_some() {
            return Err(Error::new_spanned(attr, ONE_KIND));
        }
    }
    match (skip, &mut kind, high_resolution) {
        (true, None, None) if name.is_none() => return Ok(None),
        (true, ..) => return Err(Error::new_spanned(member, ONE_KIND)),
        (_, Some(Kind::Metric { is_high_resolution, .. }), Some(_)) => *is_high_resolution = true,
        (_, _, Some(attr)) => {
            return Err(Error::new_spanned(
                attr,
                "only a metric, which has a `#[unit(…)]`, has a resolution",
            ));
        }
        _ => {}
    }
    let kind = kind.ok_or_else(|| Error::new_spanned(member, ONE_KIND))?;
    let name = name.unwrap_or_else(|| name::of(&ident, options.is_pascal_case));
    Ok(Some(Field { member: ident, ty: member.ty.clone(), name, kind }))
}

fn bare(attr: &Attribute) -> Result<()> {
    match &attr.meta {
        Meta::Path(_) => Ok(()),
        _ => Err(Error::new_spanned(attr, "this takes no value")),
    }
}

fn unit(attr: &Attribute) -> Result<Ident> {
    attr.parse_args().map_err(|_| Error::new_spanned(attr, UNIT))
}

fn text(attr: &Attribute) -> Result<LitStr> {
    match &attr.meta {
        Meta::NameValue(meta) => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text.clone()),
            value => Err(Error::new(value.span(), NAME)),
        },
        _ => Err(Error::new_spanned(attr, NAME)),
    }
}

const STRUCT: &str = "metrics are a struct whose fields have names";
const OPTIONS: &str = "the options are `rename_all = \"PascalCase\"` and `crate = …`, the path of \
                       `powertools`";
const ONE_KIND: &str =
    "a field has one of `#[dimension]`, `#[property]`, `#[unit(…)]` and `#[skip]`";
const UNIT: &str = "a unit is one of `powertools::metrics::Unit`: `#[unit(Milliseconds)]`";
const NAME: &str = "a name is a string: `#[name = \"Orders\"]`";
