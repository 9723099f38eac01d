use std::io::{self, Read};
use std::str;

use flate2::bufread::{GzDecoder, ZlibDecoder};

use super::ParseError;
use crate::invocation::Invocation;

/// The least memory of a function, in MB, which is its default.
const LEAST_MEMORY: u64 = 128;

/// Returns the plain data if `data` starts as gzip or zlib does; else `data`.
///
/// The header of zlib is two characters of text, too. So what cannot be decompressed is returned as it is if
/// it is valid UTF-8. To look at the text alone would not do: a short stream can be valid UTF-8, such as
/// that of `7`. No text is by chance a whole stream with the right checksum.
///
/// Streams that are joined are read one after another, as RFC 1952 defines it for gzip. White space
/// or zeros may follow the last one; anything else is an error, since it would be lost.
pub(crate) fn decompress(data: Vec<u8>, limit: fn() -> u64) -> Result<Vec<u8>, ParseError> {
    if Format::of(&data).is_none() {
        return Ok(data);
    }
    match decompress_all(&data, limit()) {
        Err(ParseError::Compression(_)) if str::from_utf8(&data).is_ok() => Ok(data),
        result => result,
    }
}

fn decompress_all(data: &[u8], limit: u64) -> Result<Vec<u8>, ParseError> {
    let mut plain = Vec::new();
    let mut rest = data;
    while let Some(format) = Format::of(rest) {
        rest = match format {
            Format::Gzip => read(GzDecoder::new(rest), limit, &mut plain)?.into_inner(),
            Format::Zlib => read(ZlibDecoder::new(rest), limit, &mut plain)?.into_inner(),
        };
    }
    if rest.iter().all(|byte| *byte == 0) || rest.iter().all(u8::is_ascii_whitespace) {
        return Ok(plain);
    }
    let bytes = rest.len();
    Err(io::Error::other(format!("{bytes} bytes follow that are not compressed")).into())
}

/// Returns the data of zlib that starts here and ends with the data.
pub(crate) fn zlib(data: &[u8], limit: u64) -> Result<Vec<u8>, ParseError> {
    let mut plain = Vec::new();
    let rest = read(ZlibDecoder::new(data), limit, &mut plain)?.into_inner();
    if rest.is_empty() {
        return Ok(plain);
    }
    let bytes = rest.len();
    Err(io::Error::other(format!("{bytes} bytes follow that are not compressed")).into())
}

/// The most bytes that the data of one record may become, and half of what all records may take: a
/// quarter of the function's memory, and at most 256 MiB.
///
/// More is a mistake, or an attempt to exhaust the memory of the function, which would end the other
/// records with it.
pub(crate) fn largest() -> u64 {
    let memory = Invocation::with_current(Invocation::memory_mb).unwrap_or_default();
    u64::try_from(memory).unwrap_or_default().clamp(LEAST_MEMORY, 1_024) << 20 >> 2
}

enum Format {
    Gzip,
    Zlib,
}

impl Format {
    fn of(data: &[u8]) -> Option<Self> {
        match data {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            // The window and the level, with a checksum over both, and without the flag of a dictionary,
            // which nobody has here.
            [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => Some(Self::Zlib),
            _ => None,
        }
    }
}

fn read<R: Read>(mut from: R, limit: u64, into: &mut Vec<u8>) -> Result<R, ParseError> {
    let available = limit.saturating_sub(into.len() as u64);
    (&mut from).take(available + 1).read_to_end(into)?;
    if into.len() as u64 > limit {
        return Err(ParseError::TooLarge { limit });
    }
    Ok(from)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    const LIMIT: u64 = 1_000;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(data).unwrap();
        gzip.finish().unwrap()
    }

    fn zlib(data: &[u8], level: u32) -> Vec<u8> {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::new(level));
        zlib.write_all(data).unwrap();
        zlib.finish().unwrap()
    }

    fn plain(data: impl AsRef<[u8]>) -> Result<Vec<u8>, ParseError> {
        decompress(data.as_ref().to_vec(), || LIMIT)
    }

    #[test]
    fn first_bytes_identify_gzip_and_zlib() {
        let data = br#"{"n":1}"#;
        assert_eq!(plain(gzip(data)).unwrap(), data);
        for level in 0..=9 {
            assert_eq!(plain(zlib(data, level)).unwrap(), data, "level {level}");
        }
        for other in [&data[..], b"", b"x", b"xy", b"\x1f"] {
            assert_eq!(plain(other).unwrap(), other);
        }
    }

    #[test]
    fn gzip_in_several_members_is_all_of_them() {
        assert_eq!(plain([gzip(b"[1,"), gzip(b"2]")].concat()).unwrap(), b"[1,2]");
    }

    #[test]
    fn joined_zlib_streams_are_read_to_the_end() {
        assert_eq!(plain([zlib(b"[1,", 6), zlib(b"2]", 9)].concat()).unwrap(), b"[1,2]");
        assert_eq!(plain([zlib(b"[1,", 6), gzip(b"2]")].concat()).unwrap(), b"[1,2]");
    }

    #[test]
    fn white_space_and_zeros_may_follow_and_nothing_else() {
        for stream in [gzip(b"[1]"), zlib(b"[1]", 6)] {
            for padding in [&b"\n"[..], b" \r\n\t", b"\0\0\0\0"] {
                assert_eq!(plain([&stream[..], padding].concat()).unwrap(), b"[1]");
            }
            for garbage in [&b"x"[..], b"\n\0x", b"[2]"] {
                let result = plain([&stream[..], garbage].concat());
                assert!(matches!(result, Err(ParseError::Compression(_))), "{garbage:?}");
            }
            let cut = [&stream[..], &stream[..5]].concat();
            assert!(matches!(plain(cut), Err(ParseError::Compression(_))));
        }
    }

    #[test]
    fn broken_data_is_an_error() {
        let mut cut = gzip(b"a text that is long enough to be cut");
        cut.truncate(20);
        assert!(matches!(plain(cut), Err(ParseError::Compression(_))));
        assert!(matches!(plain([0x78, 0x9c, 1, 2]), Err(ParseError::Compression(_))));
    }

    #[test]
    fn data_that_fills_the_memory_is_an_error() {
        let is_too_large =
            |data: Vec<u8>| matches!(plain(data), Err(ParseError::TooLarge { limit: LIMIT }));
        assert!(is_too_large(gzip(&vec![0; 1_001])));
        assert_eq!(plain(gzip(&vec![0; 1_000])).unwrap().len(), 1_000);
        let half = gzip(&[0; 501]);
        assert!(is_too_large([half.clone(), half].concat()), "all streams together");
    }

    #[test]
    fn data_may_become_a_quarter_of_the_memory() {
        assert_eq!(largest(), 32 << 20);
        let with_memory = |memory| {
            let config = lambda_runtime::Config { memory, ..Default::default() };
            let mut context = lambda_runtime::Context::default();
            context.env_config = std::sync::Arc::new(config);
            Invocation::new(&context).sync_scope(largest)
        };
        assert_eq!(with_memory(0), 32 << 20);
        assert_eq!(with_memory(1_024), 256 << 20);
    }
}
