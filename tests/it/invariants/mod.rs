//! What idempotency promises, one named test for each rule.
//!
//! Time is tokio's paused time, and the clock follows it: a test that waits an hour takes none.

mod leases;
mod limits;
mod options;
mod outcomes;
mod reading;
mod waiting;
mod world;
