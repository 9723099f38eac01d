//! Fields of `#[derive(Metrics)]` and constants with types or values that do not fit.

use powertools::metrics::{Dimension, Metrics, Namespace};

#[derive(Metrics)]
struct TextAsMetric {
    #[unit(Count)]
    orders: &'static str,
}

struct Opaque;

#[derive(Metrics)]
struct OpaqueDimension {
    #[dimension]
    channel: Opaque,
    #[unit(Count)]
    orders: u32,
}

const BLANK: Namespace = Namespace::from_static("");
const COLON: Dimension = Dimension::from_static(":channel", "web");

fn main() {}
