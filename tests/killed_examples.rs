//! Examples that are killed at random moments and resumed end with the bits of a run that nothing disturbed.
//!
//! What is run are the programs that `cargo test` builds beside the tests (`target/<profile>/examples`); where a test is
//! asked for alone, so that cargo builds no examples, they are built first, unless they are there. All are for optimised
//! builds, `cargo test --release --test killed_examples`, and some for those who have minutes: `-- --include-ignored`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use wengert::{prelude::*, tensor::Generator};

/// How often a run is killed.
const KILLS: usize = 8;

/// The program of an example.
fn program(example: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap(); // target/<profile>/deps/<this test>
    let program = profile.join("examples").join(example).with_extension(env::consts::EXE_EXTENSION);
    if !program.is_file() {
        let name = match profile.file_name().unwrap().to_str().unwrap() {
            "debug" => "dev",
            other => other,
        };
        let built = Command::new(env!("CARGO"))
            .args(["build", "--profile", name, "--example", example, "--manifest-path"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
            .arg("--target-dir")
            .arg(profile.parent().unwrap())
            .status();
        assert!(built.unwrap().success(), "{example} cannot be built");
    }
    program
}

/// A folder of this test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = env::temp_dir().join(format!("wengert-killed-{name}-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn of(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A run of an example that works in this folder, where it stores its training.
fn command(example: &str, arguments: &[&str], work: PathBuf) -> Command {
    fs::create_dir_all(&work).unwrap();
    let mut command = Command::new(program(example));
    // Other tests run beside this one; the bits do not depend on how many threads there are.
    command.args(arguments).args(["--threads", "1", "--checkpoint", "stored"]).current_dir(work);
    command
}

/// What a run prints that comes to its end. It may stay below its floor there: these runs are short.
fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(matches!(output.status.code(), Some(0 | 1)), "{command:?}: {out}\n{err}");
    out + &err
}

/// Runs an example undisturbed and with kills; returns what the two printed in their last run. They work in a folder each.
fn undisturbed_and_killed(example: &str, arguments: &[&str], folder: &Folder, seed: u64) -> [String; 2] {
    let command = |work: &str| command(example, arguments, folder.of(work));
    let start = Instant::now();
    let undisturbed = printed(&mut command("undisturbed"));
    let whole = start.elapsed();

    let (mut generator, mut kills) = (Generator::new(seed), 0);
    let mut longest = 0.3 * whole.as_secs_f64();
    for _ in 0..3 * KILLS {
        let mut run = command("killed");
        if kills > 0 {
            run.arg("--resume");
        }
        let mut child = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let share = generator.below(1000) as f64 / 1000.0;
        thread::sleep(Duration::from_secs_f64(longest * share));
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap(); // SIGKILL
            child.wait().unwrap();
            kills += 1;
            longest *= 1.3; // time to come further than what is stored
        } else if kills < 2 {
            (kills, longest) = (0, longest / 3.0); // the machine has become faster: anew
        } else {
            break;
        }
        if kills == KILLS {
            break;
        }
    }
    assert!(kills > 1, "{example} was killed {kills} times only");
    let stored = fs::read_dir(folder.of("killed/stored")).map_or(0, Iterator::count);
    assert!(stored > 0, "{example} was never resumed: nothing was stored when it was killed");
    [undisturbed, printed(command("killed").arg("--resume"))]
}

/// From the line of the weights on: what comes before is printed along the way, of which a resumed run has the rest.
fn end(printed: &str) -> &str {
    &printed[printed.find("weights: ").expect("a line of the weights")..]
}

fn same_end(example: &str, arguments: &[&str], seed: u64) {
    let folder = Folder::new(example);
    let [undisturbed, killed] = undisturbed_and_killed(example, arguments, &folder, seed);
    assert_eq!(end(&killed), end(&undisturbed), "{example}");
}

/// The digits' first images, as files of MNIST's form.
fn few_digits(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let mnist = Mnist::bundled().unwrap();
    for (name, set, count) in [("train", mnist.train(), 300), ("t10k", mnist.test(), 100)] {
        let size = |n: usize| (n as u32).to_be_bytes();
        let mut images = [&[0, 0, 8, 3][..], &size(count), &size(28), &size(28)].concat();
        images.extend(set.images().narrow(0, 0, count).iter());
        let mut labels = [&[0, 0, 8, 1][..], &size(count)].concat();
        labels.extend(set.labels().narrow(0, 0, count).iter().map(|label| label as u8));
        fs::write(folder.join(format!("{name}-images-idx3-ubyte")), images).unwrap();
        fs::write(folder.join(format!("{name}-labels-idx1-ubyte")), labels).unwrap();
    }
}

/// A loop by hand, which stores its state after each epoch.
#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation")]
fn mnist() {
    let folder = Folder::new("mnist");
    few_digits(&folder.of("digits"));
    let arguments = ["--data", "../digits", "--epochs", "20", "--batch-size", "15"];
    let [undisturbed, killed] = undisturbed_and_killed("mnist", &arguments, &folder, 1);
    assert_eq!(undisturbed.lines().filter(|line| line.starts_with("epoch ")).count(), 20);
    assert_eq!(end(&killed), end(&undisturbed));
}

/// What an earlier training left in the folder is not taken for the new one's.
#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation")]
fn another_training_in_the_same_folder() {
    let folder = Folder::new("another");
    few_digits(&folder.of("digits"));
    let run = |work: &str, arguments: &[&str]| {
        let arguments = [&["--data", "../digits"], arguments].concat();
        printed(&mut command("mnist", &arguments, folder.of(work)))
    };
    let undisturbed = run("undisturbed", &["--epochs", "4"]);
    let earlier = run("both", &["--epochs", "4", "--seed", "9"]);
    assert_ne!(end(&earlier), end(&undisturbed));
    run("both", &["--epochs", "2"]);
    let resumed = run("both", &["--epochs", "4", "--resume"]);
    assert_eq!(end(&resumed), end(&undisturbed));
    assert_eq!(resumed.lines().filter(|line| line.starts_with("epoch ")).count(), 2);
}

/// Many trainings by the trainer, one after the other, which store their states within epochs too. The pictures show the
/// probabilities of all tumours.
#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation")]
fn tumour() {
    let folder = Folder::new("tumour");
    let [undisturbed, killed] =
        undisturbed_and_killed("tumour", &["--quick", "--out", "pictures"], &folder, 2);
    assert_eq!(killed, undisturbed);
    let mut pictures = 0;
    for entry in fs::read_dir(folder.of("undisturbed/pictures")).unwrap() {
        let path = entry.unwrap().path();
        let other = folder.of("killed/pictures").join(path.file_name().unwrap());
        assert!(fs::read(&path).unwrap() == fs::read(other).unwrap(), "{}", path.display());
        pictures += 1;
    }
    assert!(pictures > 1);
}

/// Batch normalisation, dropout, a schedule.
#[test]
#[ignore = "takes minutes"]
fn mnist_cnn() {
    same_end("mnist_cnn", &["--quick", "--epochs", "4"], 3);
}

/// A recurrent network with dropout.
#[test]
#[ignore = "takes minutes"]
fn text_classification() {
    same_end("text_classification", &["--epochs", "3"], 4);
}

/// Attention, and a schedule by steps.
#[test]
#[ignore = "takes minutes"]
fn char_gpt() {
    same_end(
        "char_gpt",
        &["--quick", "--steps", "100", "--context", "32", "--width", "32", "--layers", "2"],
        5,
    );
}
