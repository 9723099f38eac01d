use std::iter;
use std::time::Duration;

use super::unit::Unit;

/// What a metric can be given: a number, a `Duration`, or an option, slice or vector of such.
///
/// CloudWatch stores doubles: an integer above 2^53 is rounded to one. A `Duration` is written in the
/// unit of its metric, which must be one of time.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the value of a metric",
    label = "not a number or `Duration`, nor an option, slice or vector of such",
    note = "a field that is none of these is a `#[dimension]` or a `#[property]`"
)]
pub trait Value: sealed::Sealed {
    #[doc(hidden)]
    fn observations(&self) -> impl Iterator<Item = Observation>;
}

/// One number or time.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Observation {
    Number(f64),
    Time(Duration),
}

impl Observation {
    /// The number in `unit`; `None` for a time in a unit of something else.
    #[inline]
    pub(super) fn in_unit(self, unit: Unit) -> Option<f64> {
        match (self, unit) {
            (Self::Number(number), _) => Some(number),
            (Self::Time(time), Unit::Seconds) => Some(time.as_secs_f64()),
            (Self::Time(time), Unit::Milliseconds) => Some(time.as_secs_f64() * 1e3),
            (Self::Time(time), Unit::Microseconds) => Some(time.as_secs_f64() * 1e6),
            (Self::Time(_), _) => None,
        }
    }
}

mod sealed {
    pub trait Sealed {}
}

use sealed::Sealed;

macro_rules! numbers {
    ($($type:ty)*) => {
        $(
            impl Sealed for $type {}
            impl Value for $type {
                #[inline]
                fn observations(&self) -> impl Iterator<Item = Observation> {
                    iter::once(Observation::Number(*self as f64))
                }
            }
        )*
    };
}

numbers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize f32 f64);

impl Sealed for Observation {}
impl Value for Observation {
    fn observations(&self) -> impl Iterator<Item = Observation> {
        iter::once(*self)
    }
}

impl Sealed for Duration {}
impl Value for Duration {
    fn observations(&self) -> impl Iterator<Item = Observation> {
        iter::once(Observation::Time(*self))
    }
}

impl<T: Value + ?Sized> Sealed for &T {}
impl<T: Value + ?Sized> Value for &T {
    fn observations(&self) -> impl Iterator<Item = Observation> {
        (**self).observations()
    }
}

impl<T: Value> Sealed for Option<T> {}
impl<T: Value> Value for Option<T> {
    fn observations(&self) -> impl Iterator<Item = Observation> {
        self.iter().flat_map(Value::observations)
    }
}

impl<T: Value> Sealed for [T] {}
impl<T: Value> Value for [T] {
    fn observations(&self) -> impl Iterator<Item = Observation> {
        self.iter().flat_map(Value::observations)
    }
}

impl<T: Value, const N: usize> Sealed for [T; N] {}
impl<T: Value, const N: usize> Value for [T; N] {
    fn observations(&self) -> impl Iterator<Item = Observation> {
        self.iter().flat_map(Value::observations)
    }
}

impl<T: Value> Sealed for Vec<T> {}
impl<T: Value> Value for Vec<T> {
    fn observations(&self) -> impl Iterator<Item = Observation> {
        self.iter().flat_map(Value::observations)
    }
}
