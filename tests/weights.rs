//! Weights cross over from PyTorch and back: files that `fixtures/weights/make.py` wrote load by name and give PyTorch's
//! answers; and PyTorch, where it is installed, checks a file of ours.

use std::{
    path::{Path, PathBuf},
    process::Command,
};
use wengert::{
    nn::StateDict,
    prelude::*,
    storage::{WeightsFile, load_weights, save_weights},
};

#[derive(Module)]
struct Net {
    embedding: Embedding,
    lstm: Lstm,
    norm: BatchNorm1d,
    out: Linear,
}

impl Net {
    fn new() -> Net {
        Net {
            embedding: Embedding::new(7, 4),
            lstm: Lstm::new(4, 3).bidirectional(true).batch_first(true),
            norm: BatchNorm1d::new(6),
            out: Linear::new(6, 2),
        }
    }
    fn forward(&self, words: &Tensor<i64>) -> Variable {
        let (out, _) = self.lstm.forward(&self.embedding.forward(words));
        self.out.forward(&self.norm.forward(&out.select(1, -1)))
    }
}

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

/// A fixture; those that were made anew may lie elsewhere.
fn fixture(name: &str) -> PathBuf {
    let folder = std::env::var_os("WENGERT_FIXTURES").map_or(PathBuf::from(FIXTURES), PathBuf::from);
    folder.join("weights").join(name)
}

fn answers() -> (Tensor<i64>, Tensor) {
    let stored: StateDict = load_weights(fixture("answers.safetensors")).unwrap();
    (stored.get("words").unwrap().map(|word| word as i64), stored.get("scores").unwrap().clone())
}

#[track_caller]
fn answers_as_pytorch(net: &Net) {
    let (words, scores) = answers();
    net.eval();
    for (got, want) in net.forward(&words).value().iter().zip(scores.iter()) {
        assert!((got - want).abs() < 1e-6, "{got}, PyTorch has {want}");
    }
}

#[test]
fn a_file_of_pytorch_loads_by_name() {
    let net = Net::new();
    net.load_state_dict(&load_weights(fixture("net.safetensors")).unwrap()).unwrap();
    answers_as_pytorch(&net);
}

#[test]
fn a_sharded_model_loads_by_its_index() {
    let net = Net::new();
    net.load_state_dict(&load_weights(fixture("net.safetensors.index.json")).unwrap()).unwrap();
    answers_as_pytorch(&net);
}

#[test]
fn half_precision_is_widened_to_the_bit() {
    let narrowed: StateDict = load_weights(fixture("narrowed.safetensors")).unwrap();
    for kind in ["half", "bfloat"] {
        let loaded: StateDict = load_weights(fixture(&format!("{kind}.safetensors"))).unwrap();
        assert_eq!(loaded.len(), Net::new().state_dict().len());
        for (name, tensor) in loaded.iter() {
            assert_eq!(tensor, narrowed.get(&format!("{kind}.{name}")).unwrap(), "{kind} {name}");
        }
        Net::new().load_state_dict(&loaded).unwrap();
    }
}

#[test]
fn names_of_another_program_are_changed_on_the_way() {
    let stored: StateDict = load_weights(fixture("net.safetensors")).unwrap();
    let foreign = stored.rename(|name| Some(format!("model.{name}")));
    let net = Net::new();
    assert!(net.load_state_dict(&foreign).is_err());
    net.load_state_dict(&foreign.rename(|name| name.strip_prefix("model.").map(String::from))).unwrap();
    answers_as_pytorch(&net);
}

#[test]
fn a_part_of_a_model_loads_and_says_what_is_left() {
    let stored: StateDict = load_weights(fixture("net.safetensors")).unwrap();
    let mut part = stored.rename(|name| (!name.starts_with("out.")).then(|| name.to_string()));
    part.insert("head.weight", Tensor::zeros([1]));
    let net = Net::new();
    let unmatched = net.load_state_dict_partially(&part).unwrap();
    assert_eq!(unmatched.missing, ["out.weight", "out.bias"]);
    assert_eq!(unmatched.unexpected, ["head.weight"]);
}

#[test]
fn tensors_are_read_one_at_a_time() {
    let whole: StateDict = load_weights(fixture("net.safetensors")).unwrap();
    let mut file = WeightsFile::open(fixture("net.safetensors")).unwrap();
    let names: Vec<String> = file.names().map(String::from).collect();
    assert_eq!(names.len(), whole.len());
    // In any order, any number of times.
    for name in names.iter().rev().chain(&names) {
        assert_eq!(file.shape(name).unwrap(), whole.get(name).unwrap().shape());
        assert_eq!(&file.read::<f32>(name).unwrap(), whole.get(name).unwrap());
    }
    let error = file.read::<f32>("lstm.weight").unwrap_err().to_string();
    assert!(error.contains("net.safetensors") && error.contains("lstm.weight"), "{error}");
}

/// Writes a file with the answers that it gives, for `make.py --check`. The interpreter is named by `WENGERT_TORCH_PYTHON`;
/// without it only the writing is tested, and that we read the file ourselves.
#[test]
fn pytorch_reads_what_is_written() {
    let path = std::env::temp_dir().join(format!("wengert-for-torch-{}.safetensors", std::process::id()));
    manual_seed(8);
    let net = Net::new();
    let (words, _) = answers();
    net.forward(&words);
    net.eval();
    let mut dict = net.state_dict();
    dict.insert("expected", net.forward(&words).value());
    save_weights(&path, &dict).unwrap();
    assert_eq!(load_weights::<f32>(&path).unwrap(), dict);
    if let Some(python) = std::env::var_os("WENGERT_TORCH_PYTHON") {
        let check = Command::new(python)
            .arg(Path::new(FIXTURES).join("weights/make.py"))
            .arg("--check")
            .arg(&path)
            .output()
            .unwrap();
        assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    }
    std::fs::remove_file(&path).unwrap();
}
