//! Reading the pack: one JSON object a line, and tensors in safetensors files.

use safetensors::{Dtype, SafeTensors};
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::Path, rc::Rc};
use wengert_autograd::{Float, Tensor};

/// A tensor of a file, in the type that it was stored in.
#[derive(Clone, Debug)]
pub enum Stored {
    F64(Tensor<f64>),
    F32(Tensor<f32>),
    I64(Tensor<i64>),
    Bool(Tensor<bool>),
}

impl Stored {
    /// The floating-point tensor, converted to `T`.
    pub fn float<T: Float>(&self) -> Option<Tensor<T>> {
        match self {
            Stored::F64(tensor) => Some(tensor.cast()),
            Stored::F32(tensor) => Some(tensor.cast()),
            _ => None,
        }
    }
    /// The tensor of indices.
    pub fn index(&self) -> Option<&Tensor<i64>> {
        if let Stored::I64(tensor) = self { Some(tensor) } else { None }
    }
}

type Tensors = BTreeMap<String, Stored>;

/// The whole pack.
pub struct Pack {
    cases: Vec<Value>,
    files: BTreeMap<String, Rc<Tensors>>,
}

impl Pack {
    /// Reads `cases.jsonl` and the files that it names.
    pub fn open(directory: &Path) -> Result<Pack, String> {
        let path = directory.join("cases.jsonl");
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut cases = Vec::new();
        let mut files = BTreeMap::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let case: Value = serde_json::from_str(line)
                .map_err(|error| format!("{}:{}: {error}", path.display(), number + 1))?;
            if let Some(file) = case["file"].as_str()
                && !files.contains_key(file)
            {
                files.insert(file.to_string(), Rc::new(read(&directory.join(file))?));
            }
            cases.push(case);
        }
        Ok(Pack { cases, files })
    }

    /// The cases in their order.
    pub fn manifests(&self) -> impl Iterator<Item = Manifest> + '_ {
        self.cases.iter().map(|json| {
            let tensors = json["file"].as_str().map(|file| self.files[file].clone()).unwrap_or_default();
            Manifest { json: json.clone(), tensors }
        })
    }
}

fn read(path: &Path) -> Result<Tensors, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let bytes = fs::read(path).map_err(|error| wrong(&error))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| wrong(&error))?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.tensors() {
        let (shape, data) = (view.shape(), view.data());
        macro_rules! tensor {
            ($type:ty) => {{
                let numbers = data.chunks_exact(size_of::<$type>());
                let numbers: Vec<$type> = numbers
                    .map(|bytes| <$type>::from_le_bytes(bytes.try_into().expect("whole numbers")))
                    .collect();
                Tensor::from_vec(numbers, shape).map_err(|error| wrong(&error))?
            }};
        }
        let stored = match view.dtype() {
            Dtype::F64 => Stored::F64(tensor!(f64)),
            Dtype::F32 => Stored::F32(tensor!(f32)),
            Dtype::I64 => Stored::I64(tensor!(i64)),
            Dtype::BOOL => Stored::Bool(tensor!(u8).map(|byte| byte != 0)),
            other => return Err(wrong(&format!("{name} is of type {other:?}"))),
        };
        tensors.insert(name, stored);
    }
    Ok(tensors)
}

/// A line of the pack, with the tensors that it speaks of.
pub struct Manifest {
    pub json: Value,
    tensors: Rc<Tensors>,
}

impl Manifest {
    /// A field that is a text.
    pub fn text(&self, field: &str) -> &str {
        self.json[field].as_str().unwrap_or("")
    }
    /// A list of names; empty when the field is absent.
    pub fn names(&self, field: &str) -> Vec<String> {
        let names = self.json[field].as_array().map(Vec::as_slice).unwrap_or_default();
        names.iter().filter_map(Value::as_str).map(String::from).collect()
    }
    /// A field that is a number; infinities are texts.
    pub fn number(&self, field: &str) -> Option<f64> {
        number(&self.json[field])
    }
    /// The tensor of that name in this case.
    pub fn tensor(&self, name: &str) -> Result<&Stored, String> {
        let key = format!("{}/{name}", self.text("case"));
        self.tensors.get(&key).ok_or_else(|| format!("the pack has no tensor {key}"))
    }
    /// The floating-point tensor of that name, as `T`.
    pub fn float<T: Float>(&self, name: &str) -> Result<Tensor<T>, String> {
        self.tensor(name)?.float().ok_or_else(|| format!("{name} holds no floating-point numbers"))
    }
    /// The relative and the absolute tolerance.
    pub fn tolerances(&self) -> (f64, f64) {
        (self.number("rtol").unwrap_or(0.0), self.number("atol").unwrap_or(0.0))
    }
}

/// A JSON number, or one of the texts that stand for infinities.
pub fn number(value: &Value) -> Option<f64> {
    match value.as_str() {
        Some("inf") => Some(f64::INFINITY),
        Some("-inf") => Some(f64::NEG_INFINITY),
        Some("nan") => Some(f64::NAN),
        Some(_) => None,
        None => value.as_f64(),
    }
}
