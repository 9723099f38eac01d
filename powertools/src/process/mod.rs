//! The state of this process: whether it is starting, how often it was restored, which event is its
//! first, and where its lines are written.

pub(crate) mod starting;

mod cold_start;
mod first;
mod initialization;
mod restore;
mod writer;

pub(crate) use self::cold_start::take_cold_start;
pub(crate) use self::first::First;
pub use self::initialization::InitializationType;
pub use self::restore::restores;
pub(crate) use self::restore::{count_restore, is_restored};
pub(crate) use self::starting::{is_missed, starting};
pub(crate) use self::writer::Writer;
