//! `.npy`, NumPy's file format for one array.
//!
//! ```
//! use wengert_autograd::tensor::Tensor;
//! use wengert_datasets::npy::{self, Array};
//!
//! let x = Tensor::<f32>::arange(0.0, 6.0, 1.0).reshape([2, 3]);
//! let mut file = Vec::new();
//! npy::write(&Array::F32(x.clone()), &mut file)?;
//! let Array::F32(read) = npy::parse(&file[..], "in memory")? else { panic!("it was f32") };
//! assert_eq!(read, x);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The format is that of NumPy's `numpy.lib.format` (versions 1, 2 and 3): eight bytes of magic and version, the header's
//! length, the header (a Python dictionary of three entries), the elements. Narrow and unsigned integers are widened to
//! `i64`; arrays in Fortran's order become row-major. Nothing is evaluated: the header is read by a grammar that knows these
//! three entries and nothing else.

use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use wengert_autograd::tensor::{Element, MAX_RANK, Tensor};

use crate::source;

/// The largest array that is read, in bytes of the tensor.
pub const LIMIT: u64 = 1 << 34;
/// The longest header: one of a thousand characters is already absurd for three entries.
const HEADER_LIMIT: u64 = 1 << 16;
const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// An array of one of the types that a [`Tensor`] can have.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Array {
    /// `float32`.
    F32(Tensor<f32>),
    /// `float64`.
    F64(Tensor<f64>),
    /// `int8`, `int16`, `int32`, `int64`, `uint16`, `uint32`.
    I64(Tensor<i64>),
    /// `uint8`.
    U8(Tensor<u8>),
    /// `bool`.
    Bool(Tensor<bool>),
}

/// What can be wrong with an `.npy` file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpyError {
    /// The file cannot be opened or read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file does not begin as `.npy` files do, or is of a version that is not known.
    #[error("{}: not an .npy file of version 1, 2 or 3: it begins with {found:02x?}", path.display())]
    WrongMagic {
        /// The file.
        path: PathBuf,
        /// Its first bytes.
        found: Vec<u8>,
    },
    /// A header that is not the dictionary it should be.
    #[error("{}: header: {problem}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Elements of a type that no tensor holds.
    #[error("{}: elements of type '{descr}' are not supported", path.display())]
    UnsupportedType {
        /// The file.
        path: PathBuf,
        /// The type as the header names it.
        descr: String,
    },
    /// More elements than can be addressed, or than [`LIMIT`].
    #[error("{}: an array of shape {shape:?} exceeds the limit of {LIMIT} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The shape in the header.
        shape: Vec<usize>,
    },
    /// The file ends before its last element, or within its header, or goes on after it.
    #[error("{}: {found} bytes of {part}, expected {expected}", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Which part of the file.
        part: &'static str,
        /// How many bytes there are (of too many only the first one too many is counted).
        found: u64,
        /// How many there should be.
        expected: u64,
    },
}

/// The array in a file.
///
/// # Errors
/// See [`NpyError`].
pub fn read(path: impl AsRef<Path>) -> Result<Array, NpyError> {
    let path = path.as_ref();
    let stream = std::fs::File::open(path).map_err(|source| NpyError::Io { path: path.into(), source })?;
    parse(stream, path)
}

/// The array in a stream; `name` stands for the path in errors.
///
/// # Errors
/// See [`NpyError`].
pub fn parse(stream: impl Read, name: impl AsRef<Path>) -> Result<Array, NpyError> {
    let (path, mut stream) = (name.as_ref(), BufReader::new(stream));
    let mut exactly = |part: &'static str, expected: u64| {
        let bytes = source::read_up_to(&mut stream, expected)
            .map_err(|source| NpyError::Io { path: path.into(), source })?;
        let found = bytes.len() as u64;
        if found == expected {
            Ok(bytes)
        } else {
            Err(NpyError::Length { path: path.into(), part, found, expected })
        }
    };
    let start = exactly("magic", 8)?;
    if !start.starts_with(MAGIC) || !(1..=3).contains(&start[6]) {
        return Err(NpyError::WrongMagic { path: path.into(), found: start });
    }
    let width = if start[6] == 1 { 2 } else { 4 };
    let length =
        exactly("header length", width)?.iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
    let problem = |problem: String| NpyError::Header { path: path.into(), problem };
    if length > HEADER_LIMIT {
        return Err(problem(format!("{length} bytes long, expected at most {HEADER_LIMIT}")));
    }
    let header =
        String::from_utf8(exactly("header", length)?).map_err(|_| problem("not UTF-8 text".into()))?;
    let Header { descr, fortran_order, shape } = Header::parse(&header).map_err(problem)?;

    let (stored, held) = element_sizes(&descr)
        .ok_or_else(|| NpyError::UnsupportedType { path: path.into(), descr: descr.clone() })?;
    if shape.len() > MAX_RANK {
        return Err(problem(format!("{} axes, expected at most {MAX_RANK}", shape.len())));
    }
    // An axis of size 0 leaves no elements, and yet no tensor has the others if they are absurd.
    let bytes = shape.iter().try_fold(held, |sum, &size| sum.checked_mul(size.max(1) as u64));
    let Some(bytes) = bytes.filter(|&bytes| bytes <= LIMIT) else {
        return Err(NpyError::TooLarge { path: path.into(), shape });
    };
    let bytes = if shape.contains(&0) { 0 } else { bytes / held * stored };
    let data = exactly("elements", bytes)?;
    if !source::read_up_to(&mut stream, 1)
        .map_err(|source| NpyError::Io { path: path.into(), source })?
        .is_empty()
    {
        return Err(NpyError::Length {
            path: path.into(),
            part: "elements",
            found: bytes + 1,
            expected: bytes,
        });
    }
    decode(&descr, &data, &shape, fortran_order)
        .ok_or_else(|| NpyError::UnsupportedType { path: path.into(), descr })
}

/// The bytes that an element of a supported type has in the file, and in the tensor that it is read into.
fn element_sizes(descr: &str) -> Option<(u64, u64)> {
    match descr {
        "|u1" | "|b1" => Some((1, 1)),
        "|i1" => Some((1, 8)),
        "<i2" | ">i2" | "<u2" | ">u2" => Some((2, 8)),
        "<f4" | ">f4" => Some((4, 4)),
        "<i4" | ">i4" | "<u4" | ">u4" => Some((4, 8)),
        "<f8" | ">f8" | "<i8" | ">i8" => Some((8, 8)),
        _ => None,
    }
}

fn decode(descr: &str, data: &[u8], shape: &[usize], fortran: bool) -> Option<Array> {
    macro_rules! elements {
        ($number:ty => $element:ty) => {{
            let (chunks, _) = data.as_chunks::<{ size_of::<$number>() }>();
            let big = descr.starts_with('>');
            let value = |bytes: &[u8; size_of::<$number>()]| {
                (if big { <$number>::from_be_bytes(*bytes) } else { <$number>::from_le_bytes(*bytes) })
                    as $element
            };
            arrange(chunks.iter().map(value).collect(), shape, fortran)
        }};
    }
    Some(match &descr[1..] {
        "f4" => Array::F32(elements!(f32 => f32)),
        "f8" => Array::F64(elements!(f64 => f64)),
        "i1" => Array::I64(elements!(i8 => i64)),
        "i2" => Array::I64(elements!(i16 => i64)),
        "i4" => Array::I64(elements!(i32 => i64)),
        "i8" => Array::I64(elements!(i64 => i64)),
        "u2" => Array::I64(elements!(u16 => i64)),
        "u4" => Array::I64(elements!(u32 => i64)),
        "u1" => Array::U8(elements!(u8 => u8)),
        "b1" => Array::Bool(arrange(data.iter().map(|&byte| byte != 0).collect(), shape, fortran)),
        _ => return None,
    })
}

/// The elements in this shape; those in Fortran's order are the transposed array in row-major order.
fn arrange<E: Element>(data: Vec<E>, shape: &[usize], fortran: bool) -> Tensor<E> {
    const FITS: &str = "as many elements as the shape has were read, and its axes were counted";
    if !fortran {
        return Tensor::from_vec(data, shape).expect(FITS);
    }
    let reversed: Vec<usize> = shape.iter().rev().copied().collect();
    let axes: Vec<isize> = (0..shape.len() as isize).rev().collect();
    Tensor::from_vec(data, reversed).expect(FITS).permute(&axes).contiguous()
}

/// Writes an array as an `.npy` file of version 1, little-endian.
///
/// # Errors
/// If writing fails.
pub fn write(array: &Array, mut stream: impl Write) -> io::Result<()> {
    let (descr, shape) = match array {
        Array::F32(x) => ("<f4", x.shape()),
        Array::F64(x) => ("<f8", x.shape()),
        Array::I64(x) => ("<i8", x.shape()),
        Array::U8(x) => ("|u1", x.shape()),
        Array::Bool(x) => ("|b1", x.shape()),
    };
    let sizes: String = shape.iter().map(|size| format!("{size}, ")).collect();
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}), }}", sizes.trim_end());
    // Spaces and a line end bring the elements to a multiple of 64 bytes.
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    header.push_str(&" ".repeat(length - 1 - header.len()));
    header.push('\n');
    stream.write_all(MAGIC)?;
    stream.write_all(&[1, 0])?;
    stream.write_all(&(length as u16).to_le_bytes())?;
    stream.write_all(header.as_bytes())?;
    let bytes: Vec<u8> = match array {
        Array::F32(x) => x.iter().flat_map(f32::to_le_bytes).collect(),
        Array::F64(x) => x.iter().flat_map(f64::to_le_bytes).collect(),
        Array::I64(x) => x.iter().flat_map(i64::to_le_bytes).collect(),
        Array::U8(x) => x.to_vec(),
        Array::Bool(x) => x.iter().map(u8::from).collect(),
    };
    stream.write_all(&bytes)
}

/// The three entries of a header.
struct Header {
    descr: String,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Header {
    /// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`, in any order of the entries.
    fn parse(text: &str) -> Result<Header, String> {
        let mut rest = Cursor(text);
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        rest.expect("{")?;
        while !rest.take("}") {
            let key = rest.string()?;
            rest.expect(":")?;
            let twice = match key {
                "descr" => descr.replace(rest.string()?.to_string()).is_some(),
                "fortran_order" => fortran_order.replace(rest.boolean()?).is_some(),
                "shape" => shape.replace(rest.shape()?).is_some(),
                other => return Err(format!("unknown entry '{other}'")),
            };
            if twice {
                return Err(format!("entry '{key}' is given twice"));
            }
            if !rest.take(",") {
                rest.expect("}")?;
                break;
            }
        }
        if !rest.0.trim().is_empty() {
            return Err("text is left over after the closing brace".to_string());
        }
        let missing = |entry: &str| format!("no entry '{entry}'");
        Ok(Header {
            descr: descr.ok_or_else(|| missing("descr"))?,
            fortran_order: fortran_order.ok_or_else(|| missing("fortran_order"))?,
            shape: shape.ok_or_else(|| missing("shape"))?,
        })
    }
}

/// What remains of a header.
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    /// Takes a word, if it comes next after spaces.
    fn take(&mut self, word: &str) -> bool {
        match self.0.trim_start().strip_prefix(word) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, word: &str) -> Result<(), String> {
        if self.take(word) { Ok(()) } else { Err(self.unexpected(&format!("`{word}`"))) }
    }

    fn unexpected(&self, expected: &str) -> String {
        let next: String = self.0.trim().chars().take(12).collect();
        format!("expected {expected} before \"{next}\"")
    }

    /// `'text'` or `"text"`, without escapes.
    fn string(&mut self) -> Result<&'a str, String> {
        let quote = if self.take("'") {
            '\''
        } else if self.take("\"") {
            '"'
        } else {
            return Err(self.unexpected("a string"));
        };
        let (text, rest) = self.0.split_once(quote).ok_or_else(|| self.unexpected("the end of a string"))?;
        self.0 = rest;
        Ok(text)
    }

    fn boolean(&mut self) -> Result<bool, String> {
        if self.take("True") {
            Ok(true)
        } else if self.take("False") {
            Ok(false)
        } else {
            Err(self.unexpected("True or False"))
        }
    }

    /// `()`, `(3,)`, `(2, 3)`.
    fn shape(&mut self) -> Result<Vec<usize>, String> {
        let mut sizes = Vec::new();
        self.expect("(")?;
        while !self.take(")") {
            self.0 = self.0.trim_start();
            let digits = self.0.len() - self.0.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            sizes.push(self.0[..digits].parse().map_err(|_| self.unexpected("a size"))?);
            self.0 = &self.0[digits..];
            if !self.take(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(sizes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        [&MAGIC[..], &[1, 0], &(header.len() as u16).to_le_bytes(), header.as_bytes(), data].concat()
    }

    fn header(descr: &str, fortran: &str, shape: &str) -> String {
        format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}   \n")
    }

    fn message(bytes: &[u8]) -> String {
        parse(bytes, "x.npy").expect_err("must be refused").to_string()
    }

    #[test]
    fn what_is_written_is_read() {
        let arrays = [
            Array::F32(Tensor::from_vec(vec![1.5, f32::NEG_INFINITY, -0.0], [3, 1]).expect("3")),
            Array::F64(Tensor::scalar(0.1)),
            Array::I64(Tensor::from_vec(vec![i64::MIN, -1, 7, 0], [2, 1, 2]).expect("4")),
            Array::U8(Tensor::zeros([0, 5])),
            Array::Bool(Tensor::from_vec(vec![true, false], [2]).expect("2")),
        ];
        for array in arrays {
            let mut bytes = Vec::new();
            write(&array, &mut bytes).expect("to memory");
            assert_eq!(parse(&bytes[..], "x.npy").expect("valid"), array);
        }
    }

    #[test]
    fn orders_and_types_of_others() {
        let bytes = file(&header(">i2", "True", "(2, 3)"), &[0, 1, 0, 4, 0, 2, 0, 5, 0, 3, 255, 255]);
        let Array::I64(x) = parse(&bytes[..], "x").expect("valid") else { panic!("integers") };
        assert_eq!((x.shape(), x.to_vec()), (&[2, 3][..], vec![1, 2, 3, 4, 5, -1]));
        let reordered = "{\"shape\": (2,), \"descr\": \"|u1\", \"fortran_order\": False}";
        assert_eq!(
            parse(&file(reordered, &[1, 2])[..], "x").expect("valid"),
            Array::U8(Tensor::from_slice(&[1, 2], [2]).expect("2"))
        );
    }

    #[test]
    fn damaged_files_are_refused() {
        let valid = file(&header("<f4", "False", "(2,)"), &[0; 8]);
        for len in 0..valid.len() {
            assert!(matches!(parse(&valid[..len], "x"), Err(NpyError::Length { .. })), "{len} bytes");
        }
        let long = [valid, vec![0]].concat();
        assert_eq!(message(&long), "x.npy: 9 bytes of elements, expected 8");
        assert!(message(b"\x93NUMPY\x09\x00....").contains("version 1, 2 or 3"));
        assert!(message(b"PK\x03\x04......").contains("not an .npy file"));
        let with = |header: &str| message(&file(header, &[]));
        assert!(with(&header("<c8", "False", "(1,)")).contains("type '<c8' are not supported"));
        assert!(with(&header("|O", "False", "(1,)")).contains("'|O'"));
        assert!(with(&header("<f4", "Maybe", "(1,)")).contains("expected True or False before \"Maybe"));
        assert!(with(&header("<f4", "False", "(-1,)")).contains("expected a size before \"-1"));
        assert!(with(&header("<f4", "False", "(1,1,1,1,1,1,1,1)")).contains("8 axes"));
        assert!(with("{'descr': '<f4', 'shape': ()}").contains("no entry 'fortran_order'"));
        assert!(with("{'descr': '<f4', 'descr': '<f4'}").contains("given twice"));
        assert!(with("{'evil': __import__('os')}").contains("unknown entry 'evil'"));
        assert!(with("{'descr': '<f4").contains("the end of a string"));
    }

    #[test]
    fn claims_are_not_believed() {
        let huge = file(&header("<f8", "False", "(4294967296, 4294967296, 8)"), &[]);
        assert!(matches!(parse(&huge[..], "x"), Err(NpyError::TooLarge { .. })));
        let missing = file(&header("|u1", "False", "(9999999999,)"), &[1, 2]);
        assert!(matches!(
            parse(&missing[..], "x"),
            Err(NpyError::Length { found: 2, expected: 9_999_999_999, .. })
        ));
        let long_header = [&MAGIC[..], &[2, 0], &u32::MAX.to_le_bytes()].concat();
        assert!(message(&long_header).contains("4294967295 bytes long"));
    }
}
