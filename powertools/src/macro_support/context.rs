use lambda_runtime::{Context, LambdaEvent};

/// Finds the Lambda context in one argument of a function.
///
/// A macro sees `Event`, not that this is an alias of `LambdaEvent<Order>`. The compiler does: an
/// inherent method of [`Probe`] takes precedence over the method of [`NoContext`] with the same
/// name.
///
/// ```
/// use lambda_runtime::{Context, LambdaEvent};
/// use powertools::macro_support::{NoContext as _, Probe};
///
/// type Event = LambdaEvent<u32>;
/// let event = Event::new(7, Context::default());
/// assert!(Probe(&event).context().is_some());
/// assert!(Probe(&"anything else").context().is_none());
/// ```
///
/// In a function that is generic over the type of an argument, no context is found: the attribute's
/// option `context` names it there.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(pub &'a T);

impl<'a, T> Probe<'a, LambdaEvent<T>> {
    /// Returns the context of the event.
    #[must_use]
    pub fn context(&self) -> Option<&'a Context> {
        Some(&self.0.context)
    }
}

impl<'a, T> Probe<'a, &LambdaEvent<T>> {
    /// Returns the context of the event.
    #[must_use]
    pub fn context(&self) -> Option<&'a Context> {
        Some(&self.0.context)
    }
}

impl<'a, T> Probe<'a, &mut LambdaEvent<T>> {
    /// Returns the context of the event.
    #[must_use]
    pub fn context(&self) -> Option<&'a Context> {
        Some(&self.0.context)
    }
}

impl<'a> Probe<'a, Context> {
    /// Returns the context itself.
    #[must_use]
    pub fn context(&self) -> Option<&'a Context> {
        Some(self.0)
    }
}

impl<'a> Probe<'a, &Context> {
    /// Returns the context itself.
    #[must_use]
    pub fn context(&self) -> Option<&'a Context> {
        Some(self.0)
    }
}

/// The method of [`Probe`] for every other type.
pub trait NoContext<'a> {
    /// Returns `None`.
    fn context(&self) -> Option<&'a Context> {
        None
    }
}

impl<'a, T: ?Sized> NoContext<'a> for Probe<'a, T> {}
