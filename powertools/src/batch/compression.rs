use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};

use crate::Invocation;
use crate::events::ParseError;

/// The least memory of a function, in MB, which is what it has unless somebody says otherwise.
const LEAST_MEMORY: u64 = 128;

/// The most bytes that the data of a record may become: more is a mistake, or an attempt to fill the
/// memory of the function, which would end all the records with it.
fn largest() -> u64 {
    let memory = Invocation::with_current(Invocation::memory_mb).unwrap_or_default();
    u64::try_from(memory).unwrap_or_default().clamp(LEAST_MEMORY, 1_024) << 20 >> 2
}

/// The data itself, if it begins as gzip or zlib does; else `data`.
pub(super) fn decompress(data: Vec<u8>) -> Result<Vec<u8>, ParseError> {
    match data[..] {
        [0x1f, 0x8b, ..] => read(MultiGzDecoder::new(&data[..]), largest()),
        // The window and the level, with a checksum over both. No JSON begins so.
        [0x78, level, ..] if (0x7800 | u16::from(level)).is_multiple_of(31) => {
            read(ZlibDecoder::new(&data[..]), largest())
        }
        _ => Ok(data),
    }
}

fn read(from: impl Read, limit: u64) -> Result<Vec<u8>, ParseError> {
    let mut data = Vec::new();
    from.take(limit + 1).read_to_end(&mut data)?;
    if data.len() as u64 > limit {
        return Err(ParseError::TooLarge { limit });
    }
    Ok(data)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

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

    #[test]
    fn gzip_and_zlib_are_known_by_their_first_bytes() {
        let data = br#"{"n":1}"#;
        assert_eq!(decompress(gzip(data)).unwrap(), data);
        for level in 0..=9 {
            assert_eq!(decompress(zlib(data, level)).unwrap(), data, "level {level}");
        }
        for plain in [&data[..], b"", b"x", b"xy", b"\x1f"] {
            assert_eq!(decompress(plain.to_vec()).unwrap(), plain);
        }
    }

    #[test]
    fn gzip_in_several_members_is_all_of_them() {
        let members = [gzip(b"[1,"), gzip(b"2]")].concat();
        assert_eq!(decompress(members).unwrap(), b"[1,2]");
    }

    #[test]
    fn broken_data_is_an_error() {
        let mut cut = gzip(b"a text that is long enough to be cut");
        cut.truncate(20);
        assert!(matches!(decompress(cut), Err(ParseError::Compression(_))));
        assert!(matches!(decompress(vec![0x78, 0x9c, 1, 2]), Err(ParseError::Compression(_))));
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

    #[test]
    fn data_that_fills_the_memory_is_an_error() {
        let limit = 1_000;
        let bomb = gzip(&vec![0; 1_001]);
        let decoder = MultiGzDecoder::new(&bomb[..]);
        assert!(matches!(read(decoder, limit), Err(ParseError::TooLarge { limit: 1_000 })));
        let fits = gzip(&vec![0; 1_000]);
        assert_eq!(read(MultiGzDecoder::new(&fits[..]), limit).unwrap().len(), 1_000);
    }
}
