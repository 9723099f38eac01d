use std::cell::Cell;
use std::io::Read;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::read::MultiGzDecoder;

/// What all compressed texts of a search may grow to. The payload of an invocation has at most 6 MiB.
pub(super) const LIMIT: u64 = 10 << 20;

/// The space that remains for compressed texts in a search, in bytes.
pub(super) struct Space(Cell<u64>);

impl Default for Space {
    fn default() -> Self {
        Self(Cell::new(LIMIT))
    }
}

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

impl Space {
    pub(super) fn gunzip(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let mut plain = Vec::new();
        MultiGzDecoder::new(bytes)
            .take(self.0.get() + 1)
            .read_to_end(&mut plain)
            .map_err(|error| format!("the data is not gzip: {error}"))?;
        match self.0.get().checked_sub(plain.len() as u64) {
            Some(left) => self.0.set(left),
            None => {
                return Err(format!("the data has more than {LIMIT} bytes when it is unpacked"));
            }
        }
        Ok(plain)
    }
}

pub(super) fn utf8(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| "the data is not a text in UTF-8".to_owned())
}
