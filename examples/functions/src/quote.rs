//! The price of a delivery. Nothing here depends on AWS: it is tested and run like any other Rust
//! code.

use serde::{Deserialize, Serialize};

/// A parcel to deliver.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Parcel {
    /// In grams.
    pub weight: u32,
    /// Whether it must arrive the next day.
    #[serde(default)]
    pub express: bool,
}

/// The price of a delivery.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Quote {
    /// In cents.
    pub price: u64,
}

/// The reason why there is no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuoteError {
    /// Over 30 kg.
    #[error("a parcel of {0} g is too heavy")]
    TooHeavy(u32),
}

/// Returns the price of a parcel.
///
/// # Errors
///
/// Returns [`QuoteError::TooHeavy`] for a parcel of more than 30 kg.
pub fn quote(parcel: &Parcel) -> Result<Quote, QuoteError> {
    if parcel.weight > 30_000 {
        return Err(QuoteError::TooHeavy(parcel.weight));
    }
    let base = 490 + u64::from(parcel.weight.div_ceil(1_000)) * 50;
    Ok(Quote { price: if parcel.express { base * 2 } else { base } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn started_kilograms_count_in_full_and_express_doubles_the_price() {
        let price = |weight, express| quote(&Parcel { weight, express }).map(|quote| quote.price);
        assert_eq!(price(1, false), Ok(540));
        assert_eq!(price(1_001, false), Ok(590));
        assert_eq!(price(1_001, true), Ok(1_180));
        assert_eq!(price(30_001, false), Err(QuoteError::TooHeavy(30_001)));
    }
}
