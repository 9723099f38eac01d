//! Public behaviour, on real parts.

mod attribute;
mod aws;
mod batch;
mod deadline;
mod dynamodb;
mod errors;
mod events;
mod faults;
mod flows;
mod init;
mod interleave;
mod invariants;
mod invocation;
mod keys;
mod lifecycle;
mod logging;
mod model;
mod natural;
mod pages;
mod process;
mod queue;
mod races;
mod runtime;
mod shutdown;
mod sources;
mod store;
