//! Public behaviour, on real parts.

mod attribute;
mod aws;
mod dynamodb;
mod events;
mod faults;
mod flows;
mod interleave;
mod invariants;
mod invocation;
mod keys;
mod model;
mod process;
mod races;
mod runtime;
mod store;
