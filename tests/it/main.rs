//! Public behaviour, on real parts.

mod attribute;
mod dynamodb;
mod events;
mod faults;
mod flows;
mod interleave;
mod invariants;
mod invocation;
mod keys;
mod logging;
mod model;
mod process;
mod races;
mod runtime;
mod store;
