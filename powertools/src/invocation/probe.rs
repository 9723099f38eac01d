//! Finds the Lambda context among the arguments of a function.
//!
//! The attributes use this on functions whose argument types they cannot see through: a macro
//! reads `Event`, not that it is an alias of `LambdaEvent<Order>`. The compiler can: an inherent
//! method of [`Probe`] is preferred over the method of [`NoContext`] with the same name.
//!
//! ```
//! use lambda_runtime::{Context, LambdaEvent};
//! use powertools::invocation::probe::{NoContext as _, Probe};
//!
//! type Event = LambdaEvent<u32>;
//! let event = Event::new(7, Context::default());
//! assert!(Probe(&event).context().is_some());
//! assert!(Probe(&"anything else").context().is_none());
//! ```
//!
//! In a function that is generic over the argument's type nothing is known of it, and there is no
//! context: name it with `context = …` in the attribute.

use lambda_runtime::{Context, LambdaEvent};

/// Looks at one argument.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(pub &'a T);

impl<'a, T> Probe<'a, LambdaEvent<T>> {
    /// The context of the event.
    #[must_use]
    pub fn context(&self) -> Option<&'a Context> {
        Some(&self.0.context)
    }
}

impl<'a, T> Probe<'a, &LambdaEvent<T>> {
    /// The context of the event.
    #[must_use]
    pub fn context(&self) -> Option<&'a Context> {
        Some(&self.0.context)
    }
}

impl<'a, T> Probe<'a, &mut LambdaEvent<T>> {
    /// The context of the event.
    #[must_use]
    pub fn context(&self) -> Option<&'a Context> {
        Some(&self.0.context)
    }
}

impl<'a> Probe<'a, Context> {
    /// The context itself.
    #[must_use]
    pub fn context(&self) -> Option<&'a Context> {
        Some(self.0)
    }
}

impl<'a> Probe<'a, &Context> {
    /// The context itself.
    #[must_use]
    pub fn context(&self) -> Option<&'a Context> {
        Some(self.0)
    }
}

/// What [`Probe`] says of every other type.
pub trait NoContext<'a> {
    /// No context here.
    fn context(&self) -> Option<&'a Context> {
        None
    }
}

impl<'a, T: ?Sized> NoContext<'a> for Probe<'a, T> {}
