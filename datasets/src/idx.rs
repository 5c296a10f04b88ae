//! IDX, the file format of MNIST and its relatives.
//!
//! ```
//! use wengert_datasets::idx;
//!
//! // Two bytes of zero, the element type (8: unsigned bytes), the number of axes, each size, then the elements.
//! let file = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 10, 20, 30, 40, 50, 60];
//! let array = idx::parse(&file[..], "in memory").unwrap();
//! assert_eq!(array.shape(), [2, 3]);
//! assert_eq!(array.to_vec(), [10, 20, 30, 40, 50, 60]);
//! ```
//!
//! The format is LeCun's (<http://yann.lecun.com/exdb/mnist/>, "the IDX file format"); sizes are 32-bit big-endian
//! integers. A file must be exactly as long as its header says: a short one is damaged, and a longer one is not what
//! its header says that it is.

use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use wengert_autograd::tensor::{MAX_RANK, Tensor};

use crate::source;

/// The largest array that is read, in bytes: about eight times EMNIST, the largest set in common use. A compressed
/// file can unfold to a thousand times its own size, so that its own size says little.
pub const LIMIT: u64 = 1 << 32;

/// The element type that is supported: unsigned bytes.
const UNSIGNED_BYTE: u8 = 0x08;

/// What can be wrong with an IDX file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdxError {
    /// The file cannot be opened, read or unpacked.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system or the decoder says.
        source: io::Error,
    },
    /// The file does not begin with two bytes of zero.
    #[error("{}: not an IDX file: it begins with {found:02x?}, expected [00, 00]", path.display())]
    WrongMagic {
        /// The file.
        path: PathBuf,
        /// Its first two bytes.
        found: [u8; 2],
    },
    /// Elements of another type than unsigned bytes.
    #[error("{}: elements of type {} are not supported, expected unsigned bytes (0x08)", path.display(), type_name(*code))]
    UnsupportedType {
        /// The file.
        path: PathBuf,
        /// The third byte of the file.
        code: u8,
    },
    /// A number of axes that no tensor has.
    #[error("{}: {rank} axes, expected 1 to {MAX_RANK}", path.display())]
    Rank {
        /// The file.
        path: PathBuf,
        /// The fourth byte of the file.
        rank: usize,
    },
    /// More elements than can be addressed, or than [`LIMIT`].
    #[error("{}: an array of shape {shape:?} exceeds the limit of {LIMIT} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The sizes in its header.
        shape: Vec<usize>,
    },
    /// The file ends before its last element, or within its header.
    #[error("{}: truncated: {expected} bytes expected, {found} found (unpacked)", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// The length, with the header, that the file should have or at least have.
        expected: u64,
        /// The length that it has.
        found: u64,
    },
    /// The file goes on after its last element.
    #[error("{}: bytes are left over after the {expected} that its header announces (unpacked)", path.display())]
    TrailingBytes {
        /// The file.
        path: PathBuf,
        /// The length, with the header, that the file should have.
        expected: u64,
    },
}

/// The name that the format's description gives an element type.
fn type_name(code: u8) -> String {
    let name = match code {
        0x08 => "unsigned byte",
        0x09 => "signed byte",
        0x0b => "short",
        0x0c => "int",
        0x0d => "float",
        0x0e => "double",
        _ => return format!("{code:#04x}, which IDX does not know,"),
    };
    format!("{name} ({code:#04x})")
}

/// The array in a file, plain or gzip.
///
/// # Errors
/// See [`IdxError`].
pub fn read(path: impl AsRef<Path>) -> Result<Tensor<u8>, IdxError> {
    let path = path.as_ref();
    let stream = source::open(path).map_err(|source| IdxError::Io { path: path.into(), source })?;
    parse_stream(stream, path)
}

/// The array in a stream, plain or gzip; `name` stands for the path in errors.
///
/// # Errors
/// See [`IdxError`].
pub fn parse(stream: impl Read, name: impl AsRef<Path>) -> Result<Tensor<u8>, IdxError> {
    let path = name.as_ref();
    let failed = |source| IdxError::Io { path: path.into(), source };
    let stream = source::unpacked(BufReader::new(stream)).map_err(failed)?;
    parse_stream(stream, path)
}

/// Reads the header, then as many bytes as it announces and one more, to see that there is none.
fn parse_stream(mut stream: impl Read, path: &Path) -> Result<Tensor<u8>, IdxError> {
    let failed = |source| IdxError::Io { path: path.into(), source };
    let truncated =
        |expected, found: usize| IdxError::Truncated { path: path.into(), expected, found: found as u64 };

    let head = source::read_up_to(&mut stream, 4).map_err(failed)?;
    let &[first, second, code, rank] = &head[..] else {
        return Err(truncated(4, head.len()));
    };
    if [first, second] != [0, 0] {
        return Err(IdxError::WrongMagic { path: path.into(), found: [first, second] });
    }
    if code != UNSIGNED_BYTE {
        return Err(IdxError::UnsupportedType { path: path.into(), code });
    }
    let rank = usize::from(rank);
    if !(1..=MAX_RANK).contains(&rank) {
        return Err(IdxError::Rank { path: path.into(), rank });
    }

    let header = 4 + 4 * rank as u64;
    let sizes = source::read_up_to(&mut stream, header - 4).map_err(failed)?;
    if sizes.len() < 4 * rank {
        return Err(truncated(header, 4 + sizes.len()));
    }
    let (sizes, _) = sizes.as_chunks::<4>();
    let shape: Vec<usize> = sizes.iter().map(|&size| u32::from_be_bytes(size) as usize).collect();
    // An axis of size 0 leaves no elements, and yet no tensor has the others if they are absurd.
    let len = shape.iter().try_fold(1u64, |len, &size| len.checked_mul(size.max(1) as u64));
    let Some(len) = len.filter(|&len| len <= LIMIT) else {
        return Err(IdxError::TooLarge { path: path.into(), shape });
    };
    let len = if shape.contains(&0) { 0 } else { len };

    let data = source::read_up_to(&mut stream, len + 1).map_err(failed)?;
    match (data.len() as u64).cmp(&len) {
        std::cmp::Ordering::Less => Err(truncated(header + len, header as usize + data.len())),
        std::cmp::Ordering::Greater => {
            Err(IdxError::TrailingBytes { path: path.into(), expected: header + len })
        }
        std::cmp::Ordering::Equal => Ok(Tensor::from_vec(data, shape)
            .expect("the number of bytes is the product of the sizes, of allowed rank")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn header(code: u8, sizes: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0, 0, code, sizes.len() as u8];
        sizes.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
        bytes
    }

    fn file(sizes: &[u32], data: &[u8]) -> Vec<u8> {
        [header(8, sizes), data.to_vec()].concat()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).expect("writing to memory");
        encoder.finish().expect("writing to memory")
    }

    fn refused(bytes: &[u8]) -> IdxError {
        parse(bytes, "some/file").expect_err("must be refused")
    }

    #[test]
    fn plain_and_packed_files_are_the_same() {
        let bytes = file(&[2, 1, 3], &[1, 2, 3, 4, 5, 255]);
        for bytes in [gzip(&bytes), bytes] {
            let array = parse(&bytes[..], "x").expect("valid");
            assert_eq!(array.shape(), [2, 1, 3]);
            assert_eq!(array.to_vec(), [1, 2, 3, 4, 5, 255]);
        }
        assert_eq!(parse(&file(&[0, 28], &[])[..], "x").expect("valid").shape(), [0, 28]);
    }

    #[test]
    fn every_shorter_file_is_truncated() {
        let bytes = file(&[2, 3], &[1, 2, 3, 4, 5, 6]);
        for len in 0..bytes.len() {
            let needed = if len < 4 {
                4
            } else if len < 12 {
                12
            } else {
                18
            };
            match refused(&bytes[..len]) {
                IdxError::Truncated { expected, found, .. } => {
                    assert_eq!((expected, found), (needed, len as u64))
                }
                other => panic!("{len}: {other}"),
            }
        }
    }

    #[test]
    fn a_damaged_header_is_named() {
        let error = refused(b"PK\x03\x04....");
        assert!(matches!(error, IdxError::WrongMagic { found: [b'P', b'K'], .. }), "{error}");
        assert_eq!(
            error.to_string(),
            "some/file: not an IDX file: it begins with [50, 4b], expected [00, 00]"
        );
        let error = refused(&[header(0x0d, &[1]), vec![0; 4]].concat());
        assert!(matches!(error, IdxError::UnsupportedType { code: 0x0d, .. }), "{error}");
        assert!(error.to_string().contains("float (0x0d)"), "{error}");
        assert!(matches!(refused(&header(8, &[])), IdxError::Rank { rank: 0, .. }));
        assert!(matches!(refused(&header(8, &[1; 8])), IdxError::Rank { rank: 8, .. }));
    }

    #[test]
    fn what_follows_the_last_element_is_refused() {
        let error = refused(&file(&[2], &[1, 2, 3]));
        assert!(matches!(error, IdxError::TrailingBytes { expected: 10, .. }), "{error}");
    }

    #[test]
    fn claims_are_not_believed() {
        // Their product overflows; a product of 0 announces nothing, whatever the other sizes are.
        assert!(matches!(refused(&header(8, &[u32::MAX; 3])), IdxError::TooLarge { .. }));
        // Within the limit, but not there: only what arrives is stored.
        let error = refused(&file(&[1 << 31], &[1, 2]));
        assert!(matches!(error, IdxError::Truncated { expected: 2_147_483_656, found: 10, .. }), "{error}");
    }

    #[test]
    fn a_stream_without_end_is_cut_off() {
        let mut taken = 0;
        let endless = io::repeat(7).take(1 << 40);
        let header = file(&[3], &[]);
        let mut counted = Counted { stream: (&header[..]).chain(endless), taken: &mut taken };
        let error = parse_stream(&mut counted, Path::new("x")).expect_err("must be refused");
        assert!(matches!(error, IdxError::TrailingBytes { expected: 11, .. }), "{error}");
        assert_eq!(taken, 12);
    }

    #[test]
    fn damaged_compression_is_an_io_error() {
        let mut bytes = gzip(&file(&[3], &[1, 2, 3]));
        let last = bytes.len() - 5; // within the checksum
        bytes[last] ^= 1;
        assert!(matches!(refused(&bytes), IdxError::Io { .. }));
    }

    /// Counts the bytes that are taken from a stream.
    struct Counted<'a, R> {
        stream: R,
        taken: &'a mut usize,
    }

    impl<R: Read> Read for Counted<'_, R> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.stream.read(buffer)?;
            *self.taken += count;
            Ok(count)
        }
    }
}
