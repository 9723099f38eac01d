//! Public behaviour, on real parts.

mod attribute;
mod aws;
mod deadline;
mod dynamodb;
mod events;
mod faults;
mod flows;
mod init;
mod interleave;
mod invariants;
mod invocation;
mod keys;
mod model;
mod process;
mod races;
mod runtime;
mod shutdown;
mod store;
