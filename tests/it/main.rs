//! Public behaviour, on real parts.

mod attribute;
mod dynamodb;
mod flows;
mod invariants;
mod invocation;
mod keys;
mod model;
mod runtime;
mod shim;
mod store;
mod ui;
