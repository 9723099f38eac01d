//! Public behaviour, on real parts.

mod attribute;
mod batch;
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
mod queue;
mod races;
mod runtime;
mod sources;
mod store;
