//! The types of the crate `aws_lambda_events`: conversions from them, and their natural keys.

mod batches;
mod natural;
