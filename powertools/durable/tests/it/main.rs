//! Durable functions, on AWS's testing library.

mod lambda;
mod lines;
mod order;
mod outcomes;
mod server;
mod table;
