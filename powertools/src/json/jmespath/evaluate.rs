//! Expressions at work on the lossless tree.
//!
//! The library parses them. Its own interpreter would lose details that keys depend on: the digits of
//! large integers, and the order of members.

use std::borrow::Cow;
use std::cmp::Ordering;

use jmespath::ast::{Ast, Comparator};

use super::decode::Space;
use super::functions::{self, Argument};
use super::literals::Literals;
use super::order::{compare, equal};
use super::slice;
use crate::json::Json;
use crate::json::parse::last_wins;

type Found<'d> = Result<Cow<'d, Json>, String>;

const NULL: Cow<'static, Json> = Cow::Borrowed(&Json::Null);

/// What all parts of an expression share while it is searched for.
pub(super) struct Search<'a> {
    pub(super) literals: &'a Literals,
    pub(super) space: Space,
}

/// The value of an expression in a document, or why there is none.
pub(super) fn evaluate<'d>(search: &'d Search<'_>, ast: &Ast, data: &'d Json) -> Found<'d> {
    Ok(match ast {
        Ast::Identity { .. } => Cow::Borrowed(data),
        Ast::Field { name, .. } => Cow::Borrowed(&data[name.as_str()]),
        Ast::Index { idx, .. } => Cow::Borrowed(index(data, *idx)),
        Ast::Literal { offset, .. } => search.literals.get(offset).map_or(NULL, Cow::Borrowed),
        Ast::Subexpr { lhs, rhs, .. } => within(search, evaluate(search, lhs, data)?, rhs)?,
        Ast::Or { lhs, rhs, .. } => match evaluate(search, lhs, data)? {
            left if is_truthy(&left) => left,
            _ => evaluate(search, rhs, data)?,
        },
        Ast::And { lhs, rhs, .. } => match evaluate(search, lhs, data)? {
            left if is_truthy(&left) => evaluate(search, rhs, data)?,
            left => left,
        },
        Ast::Not { node, .. } => {
            Cow::Owned(Json::Bool(!is_truthy(&*evaluate(search, node, data)?)))
        }
        Ast::Condition { predicate, then, .. } => {
            if is_truthy(&*evaluate(search, predicate, data)?) {
                evaluate(search, then, data)?
            } else {
                NULL
            }
        }
        Ast::Comparison { comparator, lhs, rhs, .. } => Cow::Owned(comparison(
            comparator,
            &*evaluate(search, lhs, data)?,
            &*evaluate(search, rhs, data)?,
        )?),
        Ast::ObjectValues { node, .. } => match &*evaluate(search, node, data)? {
            Json::Object(members) => {
                Cow::Owned(Json::Array(members.iter().map(|(_, value)| value.clone()).collect()))
            }
            _ => NULL,
        },
        Ast::Projection { lhs, rhs, .. } => match &*evaluate(search, lhs, data)? {
            Json::Array(items) => Cow::Owned(Json::Array(project(search, items, rhs)?)),
            _ => NULL,
        },
        Ast::Flatten { node, .. } => match &*evaluate(search, node, data)? {
            Json::Array(items) => Cow::Owned(Json::Array(flatten(items))),
            _ => NULL,
        },
        Ast::Slice { start, stop, step, .. } => match data {
            Json::Array(items) => {
                let indices = slice::indices(items.len(), *start, *stop, *step);
                Cow::Owned(Json::Array(indices.map(|index| items[index].clone()).collect()))
            }
            _ => NULL,
        },
        Ast::MultiList { .. } | Ast::MultiHash { .. } if data.is_null() => NULL,
        Ast::MultiList { elements, .. } => {
            let items = elements.iter().map(|node| Ok(evaluate(search, node, data)?.into_owned()));
            Cow::Owned(Json::Array(items.collect::<Result<_, String>>()?))
        }
        Ast::MultiHash { elements, .. } => {
            let members = elements.iter().map(|element| {
                Ok((element.key.clone(), evaluate(search, &element.value, data)?.into_owned()))
            });
            Cow::Owned(Json::Object(last_wins(members.collect::<Result<_, String>>()?)))
        }
        Ast::Function { name, args, .. } => {
            let arguments = args.iter().map(|arg| match arg {
                Ast::Expref { ast, .. } => Ok(Argument::Expression(ast)),
                _ => Ok(Argument::Value(evaluate(search, arg, data)?)),
            });
            let arguments = arguments.collect::<Result<Vec<_>, String>>()?;
            Cow::Owned(functions::call(search, name, &arguments)?)
        }
        Ast::Expref { .. } => return Err("an expression stands where a value should".to_owned()),
    })
}

/// Continues from the value that was found.
fn within<'d>(search: &'d Search<'_>, data: Cow<'d, Json>, ast: &Ast) -> Found<'d> {
    match data {
        Cow::Borrowed(data) => evaluate(search, ast, data),
        Cow::Owned(data) => Ok(Cow::Owned(evaluate(search, ast, &data)?.into_owned())),
    }
}

fn index(data: &Json, index: i32) -> &Json {
    let items = data.as_array().unwrap_or_default();
    let distance = index.unsigned_abs() as usize;
    let place = if index < 0 { items.len().checked_sub(distance) } else { Some(distance) };
    place.and_then(|place| items.get(place)).unwrap_or(&Json::Null)
}

fn project(search: &Search<'_>, items: &[Json], each: &Ast) -> Result<Vec<Json>, String> {
    let mut found = Vec::new();
    for item in items {
        let value = evaluate(search, each, item)?;
        if !value.is_null() {
            found.push(value.into_owned());
        }
    }
    Ok(found)
}

fn flatten(items: &[Json]) -> Vec<Json> {
    let mut flat = Vec::new();
    for item in items {
        match item {
            Json::Array(inner) => flat.extend_from_slice(inner),
            _ => flat.push(item.clone()),
        }
    }
    flat
}

fn is_truthy(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Bool(value) => *value,
        Json::Number(_) => true,
        Json::String(text) => !text.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Object(members) => !members.is_empty(),
    }
}

fn comparison(comparator: &Comparator, a: &Json, b: &Json) -> Result<Json, String> {
    let holds: fn(Ordering) -> bool = match comparator {
        Comparator::Equal => return Ok(Json::Bool(equal(a, b))),
        Comparator::NotEqual => return Ok(Json::Bool(!equal(a, b))),
        Comparator::LessThan => Ordering::is_lt,
        Comparator::LessThanEqual => Ordering::is_le,
        Comparator::GreaterThan => Ordering::is_gt,
        Comparator::GreaterThanEqual => Ordering::is_ge,
    };
    match (a, b) {
        // Python orders strings, the standard and the others do not: better no key than another one.
        (Json::String(_), Json::String(_)) => {
            Err("a comparison of the order of two texts, where JMESPath has numbers".to_owned())
        }
        _ => Ok(compare(a, b).map_or(Json::Null, |order| Json::Bool(holds(order)))),
    }
}
