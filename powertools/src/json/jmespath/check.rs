use jmespath::Variable;
use jmespath::ast::Ast;

use super::functions::{ARITIES, Arity};

/// Refuses what could only fail when an event is there.
pub(super) fn check(ast: &Ast) -> Result<(), String> {
    match ast {
        Ast::Function { name, args, .. } => {
            check_call(name, args.len())?;
            args.iter().try_for_each(check)
        }
        Ast::Slice { step: 0, .. } => Err("the step of a slice is 0".to_owned()),
        Ast::Literal { value, .. } => check_literal(value),
        Ast::Identity { .. } | Ast::Field { .. } | Ast::Index { .. } | Ast::Slice { .. } => Ok(()),
        Ast::Expref { ast: node, .. }
        | Ast::Flatten { node, .. }
        | Ast::Not { node, .. }
        | Ast::ObjectValues { node, .. } => check(node),
        Ast::MultiList { elements, .. } => elements.iter().try_for_each(check),
        Ast::MultiHash { elements, .. } => {
            elements.iter().try_for_each(|element| check(&element.value))
        }
        Ast::Comparison { lhs, rhs, .. }
        | Ast::Condition { predicate: lhs, then: rhs, .. }
        | Ast::Projection { lhs, rhs, .. }
        | Ast::And { lhs, rhs, .. }
        | Ast::Or { lhs, rhs, .. }
        | Ast::Subexpr { lhs, rhs, .. } => check(lhs).and_then(|()| check(rhs)),
    }
}

fn check_call(name: &str, count: usize) -> Result<(), String> {
    let Some((_, arity)) = ARITIES.iter().find(|(its_name, _)| *its_name == name) else {
        return Err(format!("there is no function {name}"));
    };
    match *arity {
        Arity::Exactly(expected) if count != expected => {
            Err(format!("{name} takes {expected} arguments, not {count}"))
        }
        Arity::AtLeastOne if count == 0 => Err(format!("{name} takes at least one argument")),
        _ => Ok(()),
    }
}

/// The parser reads an integer of many digits as a float, and then it is another number.
fn check_literal(value: &Variable) -> Result<(), String> {
    const FIRST_UNKNOWN: f64 = 9_223_372_036_854_775_808.0;

    match value {
        Variable::Number(number)
            if number.is_f64() && number.as_f64().is_none_or(|f| f.abs() >= FIRST_UNKNOWN) =>
        {
            Err(format!("{number} is too large for a literal"))
        }
        Variable::Array(items) => items.iter().try_for_each(|item| check_literal(item)),
        Variable::Object(members) => members.values().try_for_each(|value| check_literal(value)),
        _ => Ok(()),
    }
}
