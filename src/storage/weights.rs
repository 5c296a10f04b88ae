//! State dictionaries as `safetensors` files.

use super::{StorageError, write_atomically};
use crate::{Float, Tensor, nn::StateDict, tensor::DType};
use safetensors::{
    Dtype,
    tensor::{Metadata, TensorInfo},
};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// A header longer than this is not one.
const LONGEST_HEADER: u64 = 100_000_000;

/// Writes all tensors of a dictionary into a file, which PyTorch's `safetensors.torch.load_file` reads.
///
/// The file is whole or not there, see [`write_atomically`]; the tensors are written one by one.
///
/// # Errors
/// If the system cannot write it.
pub fn save_weights<T: Float>(path: impl AsRef<Path>, dict: &StateDict<T>) -> Result<(), StorageError> {
    let path = path.as_ref();
    let (dtype, size) = if T::DTYPE == DType::F32 { (Dtype::F32, 4) } else { (Dtype::F64, 8) };
    let mut end = 0;
    let infos = dict.iter().map(|(name, tensor)| {
        let start = end;
        end += tensor.len() * size;
        (name.to_string(), TensorInfo { dtype, shape: tensor.shape().to_vec(), data_offsets: (start, end) })
    });
    let infos = infos.collect();
    // Programs that read weights of PyTorch look for this word.
    let format = [("format".to_string(), "pt".to_string())].into_iter().collect();
    let metadata =
        Metadata::new(Some(format), infos).map_err(|error| StorageError::format(path, error.to_string()))?;
    let mut header =
        serde_json::to_vec(&metadata).map_err(|error| StorageError::format(path, error.to_string()))?;
    header.resize(header.len().next_multiple_of(8), b' ');
    write_atomically(path, |file| {
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(&header)?;
        dict.iter().try_for_each(|(_, tensor)| write_tensor(file, tensor))
    })
}

fn write_tensor<T: Float>(file: &mut dyn Write, tensor: &Tensor<T>) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(1 << 16);
    for value in tensor.iter() {
        match T::DTYPE {
            DType::F32 => bytes.extend(value.into_f32().to_le_bytes()),
            _ => bytes.extend(value.into_f64().to_le_bytes()),
        }
        if bytes.len() >= 1 << 16 {
            file.write_all(&bytes)?;
            bytes.clear();
        }
    }
    file.write_all(&bytes)
}

/// Reads a `safetensors` file, or all files of a sharded one, of which `path` is the `….index.json`.
///
/// Tensors of other types are converted: F16, BF16 and whole numbers are widened, F64 rounded for f32. The file is read
/// tensor by tensor, so that no more than one stands in memory twice. To read only some of them see [`WeightsFile`].
///
/// # Errors
/// If the system cannot read a file, or it is truncated, damaged or of another kind.
pub fn load_weights<T: Float>(path: impl AsRef<Path>) -> Result<StateDict<T>, StorageError> {
    let path = path.as_ref();
    if path.extension().is_some_and(|extension| extension == "json") {
        return load_shards(path);
    }
    let mut file = WeightsFile::open(path)?;
    let names: Vec<String> = file.names().map(String::from).collect();
    let mut dict = StateDict::new();
    for name in names {
        let tensor = file.read(&name)?;
        dict.insert(name, tensor);
    }
    Ok(dict)
}

/// A `safetensors` file that is read tensor by tensor: for files that are larger than the memory, or of which only a part
/// is wanted.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::storage::{WeightsFile, save_weights};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::env::temp_dir().join(format!("wengert-part-{}", std::process::id()));
/// save_weights(&path, &Linear::new(3, 2).state_dict())?;
/// let mut file = WeightsFile::open(&path)?;
/// assert_eq!(file.shape("weight"), Some(&[2, 3][..]));
/// let bias: Tensor = file.read("bias")?;
/// assert_eq!(bias.shape(), [2]);
/// # std::fs::remove_file(&path)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct WeightsFile {
    path: PathBuf,
    file: BufReader<File>,
    metadata: Metadata,
    /// The names in the order in which the tensors stand in the file.
    names: Vec<String>,
    /// Where the tensors begin.
    start: u64,
}

impl WeightsFile {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// If the system cannot read it, or it is truncated, damaged or of another kind.
    pub fn open(path: impl AsRef<Path>) -> Result<WeightsFile, StorageError> {
        let path = path.as_ref();
        let mut file = File::open(path).map_err(StorageError::io(path))?;
        let length = file.metadata().map_err(StorageError::io(path))?.len();
        let wrong = |problem: String| StorageError::format(path, problem);
        if length < 8 {
            return Err(wrong(format!("{length} bytes are no safetensors file")));
        }
        let mut size = [0; 8];
        file.read_exact(&mut size).map_err(StorageError::io(path))?;
        let header = u64::from_le_bytes(size);
        if header > (length - 8).min(LONGEST_HEADER) {
            return Err(wrong(format!(
                "a header of {header} bytes in a file of {length}: not a safetensors file"
            )));
        }
        let mut bytes = vec![0; header as usize];
        file.read_exact(&mut bytes).map_err(StorageError::io(path))?;
        let metadata: Metadata = serde_json::from_slice(&bytes)
            .map_err(|error| wrong(format!("the header is damaged: {error}")))?;
        let (promised, there) = (metadata.data_len() as u64, length - 8 - header);
        if promised != there {
            return Err(wrong(format!("the header promises {promised} bytes of data, there are {there}")));
        }
        let (path, names, start) = (path.into(), metadata.offset_keys(), 8 + header);
        Ok(WeightsFile { path, file: BufReader::new(file), metadata, names, start })
    }

    /// The names of the tensors, in the order in which they stand in the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The shape of a tensor, if there is one of this name.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.metadata.info(name).map(|info| info.shape.as_slice())
    }

    /// Reads a tensor, converted as [`load_weights`] does.
    ///
    /// # Errors
    /// If there is none of this name, its type is none of numbers, or the system cannot read it.
    pub fn read<T: Float>(&mut self, name: &str) -> Result<Tensor<T>, StorageError> {
        let wrong = |problem: String| StorageError::format(&self.path, problem);
        let info = self.metadata.info(name).ok_or_else(|| wrong(format!("there is no tensor {name}")))?;
        // The header was compared with the file's length, so no more is allocated than there is.
        let (begin, end) = info.data_offsets;
        let place = SeekFrom::Start(self.start + begin as u64);
        let mut bytes = vec![0; end - begin];
        self.file
            .seek(place)
            .and_then(|_| self.file.read_exact(&mut bytes))
            .map_err(StorageError::io(&self.path))?;
        let values = decode(info.dtype, &bytes)
            .ok_or_else(|| wrong(format!("{name} is of the type {:?}, which is not read", info.dtype)))?;
        Tensor::from_vec(values, info.shape.as_slice()).map_err(|error| wrong(format!("{name}: {error}")))
    }
}

fn load_shards<T: Float>(path: &Path) -> Result<StateDict<T>, StorageError> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let text = fs::read_to_string(path).map_err(StorageError::io(path))?;
    let index: Index = serde_json::from_str(&text)
        .map_err(|error| StorageError::format(path, format!("no index of weights: {error}")))?;
    let mut files: BTreeMap<&str, WeightsFile> = BTreeMap::new();
    let mut dict = StateDict::new();
    for (name, file) in &index.weight_map {
        if !files.contains_key(file.as_str()) {
            // A name that leads out of the folder is not one of its files.
            if Path::new(file).file_name() != Some(file.as_ref()) {
                return Err(StorageError::format(
                    path,
                    format!("{file:?} is not the name of a file beside it"),
                ));
            }
            files.insert(file, WeightsFile::open(path.with_file_name(file))?);
        }
        let shard = files.get_mut(file.as_str()).expect("opened above");
        if shard.shape(name).is_none() {
            return Err(StorageError::format(path, format!("{name} is not in {file}")));
        }
        let tensor = shard.read(name)?;
        dict.insert(name.as_str(), tensor);
    }
    Ok(dict)
}

/// Numbers of any type as floating-point numbers; none for types that do not occur in weights.
fn decode<T: Float>(dtype: Dtype, bytes: &[u8]) -> Option<Vec<T>> {
    macro_rules! numbers {
        ($type:ty, |$x:ident| $value:expr) => {
            bytes
                .chunks_exact(size_of::<$type>())
                .map(|bytes| {
                    let $x = <$type>::from_le_bytes(bytes.try_into().expect("whole numbers"));
                    T::from_f64($value)
                })
                .collect()
        };
    }
    Some(match dtype {
        Dtype::F64 => numbers!(f64, |x| x),
        Dtype::F32 => numbers!(f32, |x| f64::from(x)),
        Dtype::F16 => numbers!(u16, |x| f64::from(half(x))),
        Dtype::BF16 => numbers!(u16, |x| f64::from(f32::from_bits(u32::from(x) << 16))),
        Dtype::I64 => numbers!(i64, |x| x as f64),
        Dtype::I32 => numbers!(i32, |x| f64::from(x)),
        Dtype::I16 => numbers!(i16, |x| f64::from(x)),
        Dtype::I8 => numbers!(i8, |x| f64::from(x)),
        Dtype::U8 | Dtype::BOOL => numbers!(u8, |x| f64::from(x)),
        _ => return None,
    })
}

/// A number of IEEE 754's binary16: a sign, 5 bits of exponent, 10 of fraction.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2.0_f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + fraction) * 2.0_f32.powi(exponent - 25),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision() {
        let cases = [
            (0x3C00, 1.0),
            (0xC000, -2.0),
            (0x7BFF, 65504.0),
            (0x0001, 5.960_464_5e-8),
            (0x03FF, 6.097_555e-5),
            (0x3555, 0.333_251_95),
            (0x7C00, f32::INFINITY),
            (0xFC00, f32::NEG_INFINITY),
        ];
        for (bits, value) in cases {
            assert_eq!(half(bits), value, "{bits:#06x}");
        }
        assert!(half(0x7E00).is_nan());
        assert_eq!(half(0x8000).to_bits(), (-0.0_f32).to_bits());
        assert_eq!(decode::<f32>(Dtype::BF16, &[0x80, 0x3F, 0x00, 0xC0]), Some(vec![1.0, -2.0]));
        assert_eq!(decode::<f64>(Dtype::I64, &(-7_i64).to_le_bytes()), Some(vec![-7.0]));
    }
}
