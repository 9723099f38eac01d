//! Bytes in hexadecimal digits.

/// Returns `bytes` in lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    push_hex(&mut text, bytes);
    text
}

/// Appends `bytes` in lower-case hexadecimal digits.
pub(crate) fn push_hex(text: &mut String, bytes: &[u8]) {
    for bytes in bytes.chunks(32) {
        let mut digits = [0; 64];
        write_hex(&mut digits, bytes);
        let digits = &digits[..2 * bytes.len()];
        text.push_str(str::from_utf8(digits).expect("digits are ASCII"));
    }
}

/// Writes `bytes` in lower-case hexadecimal digits, two of `digits` for each.
pub(crate) fn write_hex(digits: &mut [u8], bytes: &[u8]) {
    let digit = |number: u8| number + if number < 10 { b'0' } else { b'a' - 10 };
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_two_lower_case_digits() {
        assert_eq!(hex(&[0, 9, 10, 255]), "00090aff");
        assert_eq!(hex(&[171; 33]), "ab".repeat(33));
        assert_eq!(hex(&[]), "");
    }
}
