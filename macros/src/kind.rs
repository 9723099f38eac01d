//! The attributes that know of each other.

use std::fmt;

use syn::Attribute;

use crate::args;

/// An attribute of this crate for functions. They stack in this order, the outermost first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    InitOnce,
    Logged,
    Batch,
    Idempotent,
    Deadline,
}

impl Kind {
    const ALL: [Self; 5] =
        [Self::InitOnce, Self::Logged, Self::Batch, Self::Idempotent, Self::Deadline];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::InitOnce => "init_once",
            Self::Logged => "logged",
            Self::Batch => "batch",
            Self::Idempotent => "idempotent",
            Self::Deadline => "deadline",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Recognises `idempotent`, `powertools::idempotent` under any path, and `a::idempotent` with
    /// the option `crate = a`, but not `vendor::batch`.
    pub(crate) fn of(attr: &Attribute) -> Option<Self> {
        let mut path = attr.path().clone();
        let kind = Self::from_name(&path.segments.pop()?.value().ident.to_string())?;
        path.segments.pop_punct();
        let Some(krate) = path.segments.last() else { return Some(kind) };
        let is_ours = krate.ident == "powertools" || args::has_crate(attr, &path);
        is_ours.then_some(kind)
    }

    /// Returns the item that the attribute is for.
    pub(crate) fn item(self) -> &'static str {
        match self {
            Self::InitOnce => "a function without arguments",
            Self::Batch => "an async function over one record",
            Self::Logged | Self::Idempotent | Self::Deadline => "an async function",
        }
    }

    /// Returns why this one cannot be above `below` on one function, or `None` if it can.
    pub(crate) fn refuses(self, below: Self) -> Option<&'static str> {
        use Kind::{Batch, Deadline, Idempotent, InitOnce, Logged};

        if self == below {
            // A duplicate is reported elsewhere.
            return None;
        }
        match (self, below) {
            (InitOnce, _) | (_, InitOnce) => Some(
                "a value that is initialised once for each execution environment is not \
                 initialised for an event: call the accessor in the function that handles events, \
                 and put the other attributes there",
            ),
            (Deadline, Idempotent) => Some(
                "the deadline has to be inside: work that it stops then fails like any other, and \
                 the whole reserve is there to give its claim back. Around the claim it would stop \
                 that, too. Put `#[deadline]` below `#[idempotent]`",
            ),
            (Batch, Logged) | (Idempotent, Logged) | (Deadline, Logged) => Some(
                "`#[logged]` is for the handler as a whole: further in it does not see the errors \
                 of what is around it, nor replays. Put `#[logged]` at the top",
            ),
            (Idempotent, Batch) => Some(
                "the reply to a batch cannot be replayed, since the records that failed are \
                 delivered again among others. Put `#[idempotent]` below `#[batch]`, where it is \
                 about one record",
            ),
            (Deadline, Batch) => Some(
                "a batch that is stopped as a whole cannot report which records are done. It \
                 stops its records in time by itself: `#[batch(…, reserve = \"2s\")]`; \
                 `#[deadline]` below it is about one record",
            ),
            _ => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two attributes stack in one order at most, which is that of the variants.
    #[test]
    fn every_other_order_has_its_reason() {
        for above in Kind::ALL {
            for below in Kind::ALL {
                let stacks = above < below && above != Kind::InitOnce;
                assert_eq!(
                    above.refuses(below).is_none(),
                    stacks || above == below,
                    "{above} above {below}"
                );
            }
        }
    }

    #[test]
    fn a_name_is_that_of_one_attribute() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
    }
}
