//! Decimal numbers and the floats that they become.

/// Returns true if `float`, written as short as possible, is the same decimal number as `number`.
pub(crate) fn is_exact(number: &str, float: f64) -> bool {
    // The digits that results are written with: those of std can differ.
    let written = |float| decimal(ryu_js::Buffer::new().format_finite(float));
    float.is_finite() && decimal(number).is_some_and(|it| Some(it) == written(float))
}

/// A decimal number in one form: 0.`digits` times ten to the power of `exponent`.
#[derive(Debug, PartialEq)]
pub(crate) struct Decimal {
    pub(crate) is_negative: bool,
    pub(crate) digits: String,
    pub(crate) exponent: i64,
}

/// Reads a decimal number; `None` if it is not one.
pub(crate) fn decimal(text: &str) -> Option<Decimal> {
    let (is_negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse().ok()?),
        None => (text, 0_i64),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_start_matches('0');
    let leading_zeros = digits.len() - significant.len();
    let significant = significant.trim_end_matches('0');
    if significant.is_empty() {
        return Some(Decimal { is_negative: false, digits: String::new(), exponent: 0 });
    }
    let point = i64::try_from(whole.len()).ok()? - i64::try_from(leading_zeros).ok()?;
    Some(Decimal {
        is_negative,
        digits: significant.to_owned(),
        exponent: exponent.checked_add(point)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_exact_if_its_float_has_the_same_digits() {
        for exact in
            ["0", "-0.0", "0.1", "1.50", "100", "1e3", "-2.5E-7", "100000000000000000000", "1E+20"]
        {
            assert!(is_exact(exact, exact.parse().unwrap()), "{exact}");
        }
        for rounded in [
            "12345678901234567890",
            "0.10000000000000000001",
            "99999999999999999999999999999999999999",
            "1e400",
        ] {
            assert!(!is_exact(rounded, rounded.parse().unwrap()), "{rounded}");
        }
        assert!(!is_exact("1x", 1.0));
    }
}
