use jmespath::ast::Ast;

use super::functions::{ARITIES, Arity};
use super::literals::{self, Literals};

/// Refuses what could only fail when an event is there, and returns the literals.
pub(super) fn check(expression: &str, ast: &Ast) -> Result<Literals, String> {
    let mut check = Check { expression, literals: Literals::new() };
    check.visit(ast)?;
    Ok(check.literals)
}

struct Check<'a> {
    expression: &'a str,
    literals: Literals,
}

impl Check<'_> {
    fn visit(&mut self, ast: &Ast) -> Result<(), String> {
        match ast {
            Ast::Function { name, args, .. } => {
                check_call(name, args.len())?;
                args.iter().try_for_each(|arg| self.visit(arg))
            }
            Ast::Slice { step: 0, .. } => Err("the step of a slice is 0".to_owned()),
            Ast::Literal { offset, value } => {
                let literal = literals::read(self.expression, *offset, value)?;
                self.literals.insert(*offset, literal);
                Ok(())
            }
            Ast::Identity { .. } | Ast::Field { .. } | Ast::Index { .. } | Ast::Slice { .. } => {
                Ok(())
            }
            Ast::Expref { ast: node, .. }
            | Ast::Flatten { node, .. }
            | Ast::Not { node, .. }
            | Ast::ObjectValues { node, .. } => self.visit(node),
            Ast::MultiList { elements, .. } => {
                elements.iter().try_for_each(|node| self.visit(node))
            }
            Ast::MultiHash { elements, .. } => {
                elements.iter().try_for_each(|element| self.visit(&element.value))
            }
            Ast::Comparison { lhs, rhs, .. }
            | Ast::Condition { predicate: lhs, then: rhs, .. }
            | Ast::Projection { lhs, rhs, .. }
            | Ast::And { lhs, rhs, .. }
            | Ast::Or { lhs, rhs, .. }
            | Ast::Subexpr { lhs, rhs, .. } => {
                self.visit(lhs)?;
                self.visit(rhs)
            }
        }
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
