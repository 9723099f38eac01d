//! What this process is: whether it starts, what it was restored from, which event is its first, and
//! where its lines go.

pub(crate) mod starting;

mod cold_start;
mod initialization;
mod restore;
mod writer;

pub(crate) use self::cold_start::take_cold_start;
pub use self::initialization::InitializationType;
pub use self::restore::restores;
pub(crate) use self::restore::{count_restore, is_restored};
pub(crate) use self::starting::{is_missed, starting};
pub(crate) use self::writer::Writer;
