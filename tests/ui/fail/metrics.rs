//! What `#[derive(Metrics)]` refuses.

use powertools::metrics::Metrics;

#[derive(Metrics)]
enum Enum {
    A,
}

#[derive(Metrics)]
struct Tuple(#[unit(Count)] u32);

#[derive(Metrics)]
struct NoKind {
    orders: u32,
}

#[derive(Metrics)]
struct TwoKinds {
    #[dimension]
    #[unit(Count)]
    orders: u32,
}

#[derive(Metrics)]
struct NoMetric {
    #[dimension]
    channel: String,
}

#[derive(Metrics)]
struct UnknownUnit {
    #[unit(Furlongs)]
    distance: u32,
}

#[derive(Metrics)]
struct UnitAsString {
    #[unit("Count")]
    orders: u32,
}

#[derive(Metrics)]
struct NameTwice {
    #[unit(Count)]
    orders: u32,
    #[unit(Count)]
    #[name = "orders"]
    others: u32,
}

#[derive(Metrics)]
struct BlankName {
    #[unit(Count)]
    #[name = " "]
    orders: u32,
}

#[derive(Metrics)]
struct NameOfTheFormat {
    #[property]
    _aws: u32,
    #[unit(Count)]
    orders: u32,
}

#[derive(Metrics)]
#[metrics(rename_all = "kebab-case")]
struct OtherCase {
    #[unit(Count)]
    orders: u32,
}

#[derive(Metrics)]
struct ResolutionOfADimension {
    #[dimension]
    #[high_resolution]
    channel: String,
    #[unit(Count)]
    orders: u32,
}

fn main() {}
