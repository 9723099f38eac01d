use std::io::Read;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::read::MultiGzDecoder;

/// What a compressed text may grow to. The payload of an invocation has at most 6 MiB.
pub(super) const LIMIT: u64 = 10 << 20;

pub(super) fn base64(text: &str) -> Result<Vec<u8>, String> {
    const ENGINE: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    // Encoders break long lines.
    let text: String = text.chars().filter(|char| !char.is_ascii_whitespace()).collect();
    ENGINE.decode(text).map_err(|error| format!("the text is not base64: {error}"))
}

pub(super) fn gunzip(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut plain = Vec::new();
    MultiGzDecoder::new(bytes)
        .take(LIMIT + 1)
        .read_to_end(&mut plain)
        .map_err(|error| format!("the data is not gzip: {error}"))?;
    if plain.len() as u64 > LIMIT {
        return Err(format!("the data has more than {LIMIT} bytes when it is unpacked"));
    }
    Ok(plain)
}

pub(super) fn utf8(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| "the data is not a text in UTF-8".to_owned())
}
