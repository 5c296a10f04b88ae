//! Files of weights and checkpoints: round trips, damage of every kind, and processes that are killed while they write.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use wengert::{
    checkpoint::{Checkpoint, CheckpointError, CheckpointFolder},
    nn::StateDict,
    prelude::*,
    storage::{StorageError, load_weights, save_weights},
    tensor::Generator,
};

/// A folder of this test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("wengert-storage-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn dict<T: Float>() -> StateDict<T> {
    let mut generator = Generator::new(3);
    let mut dict = StateDict::new();
    dict.insert("layers.0.weight", Tensor::randn([4, 3], &mut generator).t());
    dict.insert("layers.0.bias", Tensor::randn([3], &mut generator));
    dict.insert("scale", Tensor::scalar(T::from_f64(0.5)));
    dict.insert("empty", Tensor::zeros([0, 7]));
    dict
}

fn words<T, E: std::fmt::Display>(result: Result<T, E>) -> String {
    result.err().expect("an error").to_string()
}

#[test]
fn weights_come_back() {
    let folder = Folder::new("weights");
    save_weights(folder.file("a"), &dict::<f32>()).unwrap();
    assert_eq!(load_weights::<f32>(folder.file("a")).unwrap(), dict());
    save_weights(folder.file("b"), &dict::<f64>()).unwrap();
    assert_eq!(load_weights::<f64>(folder.file("b")).unwrap(), dict());
    let narrowed: StateDict<f32> = load_weights(folder.file("b")).unwrap();
    assert_eq!(narrowed.get("scale").unwrap().item(), 0.5);
    assert_eq!(narrowed.names().collect::<Vec<_>>(), ["layers.0.weight", "layers.0.bias", "scale", "empty"]);
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 2, "nothing is left beside the files");
    // The header ends where the data can be mapped.
    let bytes = fs::read(folder.file("a")).unwrap();
    assert_eq!(u64::from_le_bytes(bytes[..8].try_into().unwrap()) % 8, 0);
}

#[test]
fn sharded_weights() {
    let folder = Folder::new("shards");
    let all = dict::<f32>();
    let part = |wanted: fn(&str) -> bool| -> StateDict {
        all.iter().filter(|(name, _)| wanted(name)).map(|(name, tensor)| (name, tensor.clone())).collect()
    };
    save_weights(folder.file("1.safetensors"), &part(|name| name.starts_with("layers"))).unwrap();
    save_weights(folder.file("2.safetensors"), &part(|name| !name.starts_with("layers"))).unwrap();
    let index = |first: &str| {
        format!(
            r#"{{"metadata": {{}}, "weight_map": {{"layers.0.weight": "{first}", "layers.0.bias": "1.safetensors",
            "scale": "2.safetensors", "empty": "2.safetensors"}}}}"#
        )
    };
    let path = folder.file("model.safetensors.index.json");
    fs::write(&path, index("1.safetensors")).unwrap();
    let loaded: StateDict = load_weights(&path).unwrap();
    assert!(all.iter().all(|(name, tensor)| loaded.get(name) == Some(tensor)) && loaded.len() == 4);
    fs::write(&path, index("../1.safetensors")).unwrap();
    assert!(words(load_weights::<f32>(&path)).contains("not the name of a file beside it"));
    fs::write(&path, index("2.safetensors")).unwrap();
    assert!(words(load_weights::<f32>(&path)).contains("layers.0.weight is not in 2.safetensors"));
}

#[test]
fn damaged_weights_are_errors_that_name_the_file() {
    let folder = Folder::new("damaged");
    let path = folder.file("net.safetensors");
    save_weights(&path, &dict::<f32>()).unwrap();
    let good = fs::read(&path).unwrap();
    for length in 0..good.len() {
        fs::write(&path, &good[..length]).unwrap();
        let text = words(load_weights::<f32>(&path));
        assert!(text.contains("net.safetensors"), "{text}");
    }
    fs::write(&path, [good.as_slice(), &[0]].concat()).unwrap();
    assert!(words(load_weights::<f32>(&path)).contains("there are"));
    // Lengths that no memory could hold.
    for huge in [u64::MAX, 1 << 40, 99_999_999] {
        let mut bytes = good.clone();
        bytes[..8].copy_from_slice(&huge.to_le_bytes());
        fs::write(&path, bytes).unwrap();
        assert!(words(load_weights::<f32>(&path)).contains("not a safetensors file"));
    }
    // A changed bit in the header is an error, or another name or shape, but never a panic.
    let header = 8 + u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
    for at in 8..header {
        for bit in 0..8 {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << bit;
            fs::write(&path, bytes).unwrap();
            let _ = load_weights::<f32>(&path);
        }
    }
    assert!(matches!(load_weights::<f32>(folder.file("none")), Err(StorageError::Io { .. })));
}

fn checkpoint() -> Checkpoint {
    let net = Sequential::new((Linear::new(3, 4), Linear::new(4, 2)));
    let mut adam = Adam::new(net.named_parameters());
    net.forward(&Variable::ones([5, 3])).sum().backward();
    adam.step();
    Checkpoint::of(&net).optimizer(adam.state()).epoch(3).step(12)
}

#[test]
fn every_changed_bit_of_a_checkpoint_is_noticed() {
    let folder = Folder::new("bits");
    let path = folder.file("a.ckpt");
    checkpoint().save(&path).unwrap();
    let good = fs::read(&path).unwrap();
    assert_eq!(Checkpoint::<f32>::load(&path).unwrap().optimizers, {
        let again: Checkpoint = Checkpoint::load(&path).unwrap();
        again.optimizers
    });
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&path, bytes).unwrap();
        assert!(words(Checkpoint::<f32>::load(&path)).contains("a.ckpt"), "byte {at}");
    }
    for length in 0..good.len() {
        fs::write(&path, &good[..length]).unwrap();
        words(Checkpoint::<f32>::load(&path));
    }
    fs::write(&path, &good).unwrap();
    assert!(words(Checkpoint::<f64>::load(&path)).contains("a tensor of f32 where one of f64 is expected"));
    fs::write(&path, [&good[..8], &[2, 0, 0, 0], &good[12..]].concat()).unwrap();
    assert!(matches!(Checkpoint::<f32>::load(&path), Err(CheckpointError::Version { found: 2, .. })));
}

#[test]
fn states_of_other_optimisers_and_models_are_refused() {
    let stored = checkpoint();
    let net = Sequential::new((Linear::new(3, 4), Linear::new(4, 2)));
    let error = Sgd::new(net.named_parameters()).load_state(stored.optimizers[0].clone()).unwrap_err();
    assert_eq!(error.to_string(), "the state is that of Adam, the optimiser is SGD");
    let other = Sequential::new((Linear::new(3, 4), ReLU, Linear::new(4, 2)));
    let error = Adam::new(other.named_parameters()).load_state(stored.optimizers[0].clone()).unwrap_err();
    assert!(
        error.to_string().contains(r#"missing: ["2.bias", "2.weight"], unexpected: ["1.bias", "1.weight"]"#),
        "{error}"
    );
    assert!(stored.resume(&other).is_err());
}

#[test]
fn only_the_last_checkpoints_are_kept() {
    let folder = Folder::new("keep");
    let kept = CheckpointFolder::keep_last(&folder.0, 2).unwrap();
    assert_eq!(kept.last().unwrap(), None);
    for step in [5, 10, 100] {
        kept.save(&checkpoint().step(step)).unwrap();
    }
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 2);
    let last: Checkpoint = Checkpoint::load(kept.last().unwrap().unwrap()).unwrap();
    assert_eq!(last.step, 100);
}

/// The path that a child process writes to again and again; absent in an ordinary run of the tests.
const CHILD: &str = "WENGERT_TEST_WRITES_TO";

/// A checkpoint that takes some time to write: half a megabyte.
fn large_checkpoint() -> Checkpoint {
    Checkpoint::of(&Linear::new(256, 512))
}

#[test]
fn a_killed_process_leaves_a_whole_file() {
    if let Some(path) = std::env::var_os(CHILD) {
        let checkpoint = large_checkpoint();
        // Until it is killed.
        for step in 1..u64::MAX {
            checkpoint.clone().step(step).save(&path).unwrap();
        }
    }
    let folder = Folder::new("kill");
    let path = folder.file("a.ckpt");
    let started = Instant::now();
    large_checkpoint().step(0).save(&path).unwrap();
    let one_write = started.elapsed();
    // Half of the rounds end at the first sign that the child writes, the others at a random moment after its first whole
    // file, within some four further writes; a seed makes the moments the same each time.
    let mut generator = Generator::new(200);
    let (mut written, mut torn) = (0, 0);
    for round in 0..200 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_killed_process_leaves_a_whole_file"])
            .env(CHILD, &path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        let at_first_sign = round % 2 == 0;
        let reached = || match at_first_sign {
            true => fs::read_dir(&folder.0).unwrap().count() > 1,
            false => fs::metadata(&path).unwrap().modified().unwrap() != before,
        };
        let started = Instant::now();
        while !reached() {
            assert!(started.elapsed() < Duration::from_secs(60), "round {round}: the child does not write");
        }
        if !at_first_sign {
            thread::sleep(one_write.mul_f64(4.0 * generator.below(1_000) as f64 / 1_000.0));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let found: Checkpoint =
            Checkpoint::load(&path).unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert_eq!(found.model.len(), 2);
        written += u64::from(fs::metadata(&path).unwrap().modified().unwrap() != before);
        // What a killed process leaves is beside the file, never in its place.
        for entry in fs::read_dir(&folder.0).unwrap() {
            let left = entry.unwrap().path();
            if left != path {
                assert!(left.extension().is_some_and(|extension| extension == "tmp"), "{left:?}");
                torn += 1;
                fs::remove_file(left).unwrap();
            }
        }
    }
    assert!(written > 50, "the child finished a file in {written} rounds only: the test did not test much");
    assert!(torn > 50, "the child was killed while it wrote in {torn} rounds only");
}
