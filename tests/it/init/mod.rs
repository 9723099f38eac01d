//! Values that are made once, and what happens before the first event.

mod lambda;
mod once;
mod sync_once;
