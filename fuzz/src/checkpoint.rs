//! The reader of checkpoints, hence bincode, on hostile bytes: an error, or a value that is written with the same bytes.
//!
//! The first byte chooses whether the rest is the whole file or, since no fuzzer guesses a checksum, its content behind a
//! valid header; and what is asked for.

use super::scratch;
use serde::{Serialize, Serializer, de::DeserializeOwned, ser::SerializeTuple};
use std::{fmt::Debug, fs, path::Path};
use wengert::{
    Tensor,
    checkpoint::{self, Checkpoint},
};

/// Reads the bytes as several types of content.
pub fn run(bytes: &[u8]) {
    let Some((choice, content)) = bytes.split_first() else { return };
    let path = if choice & 1 == 0 {
        let path = scratch::file(&[]);
        checkpoint::save(&path, &Raw(content)).expect("the file can be written");
        path
    } else {
        scratch::file(content)
    };
    match choice >> 1 & 3 {
        0 => read::<Checkpoint<f32>>(&path, |_| true),
        1 => read::<Checkpoint<f64>>(&path, |_| true),
        2 => read::<(u64, Vec<(String, Tensor<f32>)>)>(&path, |(_, list)| {
            list.iter().all(|(_, x)| fits(x, content))
        }),
        _ => read::<(String, Option<Tensor<i64>>, Tensor<bool>)>(&path, |(_, _, x)| fits(x, content)),
    }
}

fn fits<E: wengert::tensor::Element>(tensor: &Tensor<E>, content: &[u8]) -> bool {
    tensor.len() <= content.len() && tensor.to_vec().len() == tensor.len()
}

fn read<S: Serialize + DeserializeOwned + Debug>(path: &Path, sound: impl Fn(&S) -> bool) {
    let Ok(value) = checkpoint::load::<S>(path) else { return };
    assert!(sound(&value), "{value:?}");
    checkpoint::save(path, &value).expect("the file can be written");
    let written = fs::read(path).expect("it was just written");
    let again: S = checkpoint::load(path).expect("what was written can be read");
    checkpoint::save(path, &again).expect("the file can be written");
    assert!(fs::read(path).expect("it was just written") == written, "{value:?}");
}

/// Bytes that are written as they are: bincode puts no length before a tuple.
struct Raw<'a>(&'a [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        self.0.iter().try_for_each(|byte| tuple.serialize_element(byte))?;
        tuple.end()
    }
}
