use std::borrow::Cow;
use std::cmp::Ordering;

use jmespath::ast::Ast;

use super::decode::{base64, utf8};
use super::evaluate::{Search, evaluate};
use super::numbers;
use super::order::{compare, equal};
use crate::json::parse::last_wins;
use crate::json::{Json, Number};

/// An argument of a function.
pub(super) enum Argument<'a> {
    Value(Cow<'a, Json>),
    Expression(&'a Ast),
}

/// How many arguments a function takes.
#[derive(Clone, Copy)]
pub(super) enum Arity {
    Exactly(usize),
    AtLeastOne,
}

/// The functions there are.
pub(super) const ARITIES: [(&str, Arity); 29] = {
    use Arity::{AtLeastOne, Exactly};
    [
        ("abs", Exactly(1)),
        ("avg", Exactly(1)),
        ("ceil", Exactly(1)),
        ("contains", Exactly(2)),
        ("ends_with", Exactly(2)),
        ("floor", Exactly(1)),
        ("join", Exactly(2)),
        ("keys", Exactly(1)),
        ("length", Exactly(1)),
        ("map", Exactly(2)),
        ("max", Exactly(1)),
        ("max_by", Exactly(2)),
        ("merge", AtLeastOne),
        ("min", Exactly(1)),
        ("min_by", Exactly(2)),
        ("not_null", AtLeastOne),
        ("powertools_base64", Exactly(1)),
        ("powertools_base64_gzip", Exactly(1)),
        ("powertools_json", Exactly(1)),
        ("reverse", Exactly(1)),
        ("sort", Exactly(1)),
        ("sort_by", Exactly(2)),
        ("starts_with", Exactly(2)),
        ("sum", Exactly(1)),
        ("to_array", Exactly(1)),
        ("to_number", Exactly(1)),
        ("to_string", Exactly(1)),
        ("type", Exactly(1)),
        ("values", Exactly(1)),
    ]
};

pub(super) fn call(
    search: &Search<'_>,
    name: &str,
    arguments: &[Argument<'_>],
) -> Result<Json, String> {
    let call = Call { search, name, arguments };
    let first = call.value(0);
    Ok(match name {
        "abs" => Json::Number(numbers::absolute(call.number(0)?)?),
        "avg" => numbers::average(&call.numbers(0)?)?,
        "ceil" => Json::Number(numbers::whole(call.number(0)?, f64::ceil)?),
        "contains" => Json::Bool(match (first?, call.value(1)?) {
            (Json::String(text), Json::String(part)) => text.contains(part.as_str()),
            (Json::String(_), _) => false,
            (_, part) => call.list(0)?.iter().any(|item| equal(item, part)),
        }),
        "ends_with" => Json::Bool(call.text(0)?.ends_with(call.text(1)?)),
        "floor" => Json::Number(numbers::whole(call.number(0)?, f64::floor)?),
        "join" => {
            let texts = call.list(1)?.iter().map(|item| item.as_str().ok_or_else(|| call.wrong(1)));
            Json::String(texts.collect::<Result<Vec<_>, _>>()?.join(call.text(0)?))
        }
        "keys" => {
            let members = call.object(0)?.iter();
            Json::Array(members.map(|(name, _)| Json::String(name.clone())).collect())
        }
        "length" => numbers::integer(match first? {
            Json::String(text) => text.chars().count(),
            Json::Array(items) => items.len(),
            Json::Object(members) => members.len(),
            _ => return Err(call.wrong(0)),
        })?,
        "map" => {
            let each = call.expression(0)?;
            let items =
                call.list(1)?.iter().map(|item| Ok(evaluate(search, each, item)?.into_owned()));
            Json::Array(items.collect::<Result<_, String>>()?)
        }
        "max" => best(keyed(&call, None)?, Ordering::Greater),
        "max_by" => best(keyed(&call, Some(call.expression(1)?))?, Ordering::Greater),
        "merge" => {
            let objects = (0..arguments.len()).map(|index| call.object(index));
            Json::Object(last_wins(objects.collect::<Result<Vec<_>, _>>()?.concat()))
        }
        "min" => best(keyed(&call, None)?, Ordering::Less),
        "min_by" => best(keyed(&call, Some(call.expression(1)?))?, Ordering::Less),
        "not_null" => {
            let values = (0..arguments.len()).map(|index| call.value(index));
            let values = values.collect::<Result<Vec<_>, _>>()?;
            values.into_iter().find(|value| !value.is_null()).cloned().unwrap_or(Json::Null)
        }
        "powertools_base64" => Json::String(utf8(base64(call.text(0)?)?)?),
        "powertools_base64_gzip" => {
            Json::String(utf8(search.space.gunzip(&base64(call.text(0)?)?)?)?)
        }
        "powertools_json" => {
            call.text(0)?.parse().map_err(|error| format!("the text is not JSON: {error}"))?
        }
        "reverse" => match first? {
            Json::String(text) => Json::String(text.chars().rev().collect()),
            _ => Json::Array(call.list(0)?.iter().rev().cloned().collect()),
        },
        "sort" => sorted(keyed(&call, None)?),
        "sort_by" => sorted(keyed(&call, Some(call.expression(1)?))?),
        "starts_with" => Json::Bool(call.text(0)?.starts_with(call.text(1)?)),
        "sum" => numbers::sum(&call.numbers(0)?)?,
        "to_array" => match first? {
            Json::Array(items) => Json::Array(items.clone()),
            value => Json::Array(vec![value.clone()]),
        },
        "to_number" => match first? {
            Json::Number(number) => Json::Number(number.clone()),
            Json::String(text) => text.parse().map_or(Json::Null, Json::Number),
            _ => Json::Null,
        },
        "to_string" => match first? {
            Json::String(text) => Json::String(text.clone()),
            value => Json::String(value.to_string()),
        },
        "type" => Json::String(type_of(first?).to_owned()),
        "values" => Json::Array(call.object(0)?.iter().map(|(_, value)| value.clone()).collect()),
        _ => return Err(format!("there is no function {name}")),
    })
}

/// A call, for the arguments to be taken as what they have to be.
struct Call<'a> {
    search: &'a Search<'a>,
    name: &'a str,
    arguments: &'a [Argument<'a>],
}

impl<'a> Call<'a> {
    fn wrong(&self, index: usize) -> String {
        let found = match self.arguments.get(index) {
            Some(Argument::Value(value)) => type_of(value),
            Some(Argument::Expression(_)) => "expression",
            None => "nothing",
        };
        format!("argument {} of {} has the wrong type: {found}", index + 1, self.name)
    }

    fn value(&self, index: usize) -> Result<&'a Json, String> {
        match self.arguments.get(index) {
            Some(Argument::Value(value)) => Ok(value),
            _ => Err(self.wrong(index)),
        }
    }

    fn expression(&self, index: usize) -> Result<&'a Ast, String> {
        match self.arguments.get(index) {
            Some(Argument::Expression(ast)) => Ok(ast),
            _ => Err(self.wrong(index)),
        }
    }

    fn text(&self, index: usize) -> Result<&'a str, String> {
        self.value(index)?.as_str().ok_or_else(|| self.wrong(index))
    }

    fn list(&self, index: usize) -> Result<&'a [Json], String> {
        self.value(index)?.as_array().ok_or_else(|| self.wrong(index))
    }

    fn object(&self, index: usize) -> Result<&'a [(String, Json)], String> {
        self.value(index)?.as_object().ok_or_else(|| self.wrong(index))
    }

    fn number(&self, index: usize) -> Result<&'a Number, String> {
        self.value(index)?.as_number().ok_or_else(|| self.wrong(index))
    }

    fn numbers(&self, index: usize) -> Result<Vec<&'a Number>, String> {
        let items = self.list(index)?.iter();
        items.map(|item| item.as_number().ok_or_else(|| self.wrong(index))).collect()
    }
}

/// Returns the members of a list, each with its sort key: numbers only, or strings only.
fn keyed<'a>(call: &Call<'a>, by: Option<&Ast>) -> Result<Vec<(Cow<'a, Json>, &'a Json)>, String> {
    let mut keyed: Vec<(Cow<'_, Json>, &Json)> = Vec::new();
    for item in call.list(0)? {
        let key = match by {
            Some(by) => evaluate(call.search, by, item)?,
            None => Cow::Borrowed(item),
        };
        let first: &Json = keyed.first().map_or(&key, |(first, _)| first);
        if compare(first, &key).is_none() {
            return Err(format!("{} takes numbers only, or texts only", call.name));
        }
        keyed.push((key, item));
    }
    Ok(keyed)
}

fn sorted(mut keyed: Vec<(Cow<'_, Json>, &Json)>) -> Json {
    keyed.sort_by(|(a, _), (b, _)| compare(a, b).unwrap_or(Ordering::Equal));
    Json::Array(keyed.into_iter().map(|(_, item)| item.clone()).collect())
}

/// The first of those whose key is the greatest, or the least.
fn best(keyed: Vec<(Cow<'_, Json>, &Json)>, wanted: Ordering) -> Json {
    let mut best: Option<(Cow<'_, Json>, &Json)> = None;
    for (key, item) in keyed {
        if best.as_ref().is_none_or(|(other, _)| compare(&key, other) == Some(wanted)) {
            best = Some((key, item));
        }
    }
    best.map_or(Json::Null, |(_, item)| item.clone())
}

fn type_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}
