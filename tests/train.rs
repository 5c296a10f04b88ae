//! The trainer: it is the loop that one would write, it goes on where it was stopped, it says what went wrong.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};
use wengert::{
    datasets::{TensorDataset, toy},
    loss::mse_loss,
    nn::StateDict,
    optim::schedule::{CosineAnnealingLr, ReduceLrOnPlateau},
    prelude::*,
    tensor::Generator,
    train::{
        Callback, CsvLog, EarlyStopping, History, JsonLinesLog, ReduceOnPlateau, Run, SaveBest, StopFlag,
        TrainError, Trainer,
        metrics::{Accuracy, Auc, Average, ClassScore},
    },
};

/// The random numbers of initialisers and dropout are the process's: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A folder of a test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("wengert-train-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Everything that has a state: dropout draws, batch normalisation has buffers.
#[derive(Module)]
struct Net {
    hidden: Linear,
    norm: BatchNorm1d,
    dropout: Dropout,
    out: Linear,
}

impl Net {
    fn new(seed: u64) -> Net {
        manual_seed(seed);
        Net {
            hidden: Linear::new(2, 12),
            norm: BatchNorm1d::new(12),
            dropout: Dropout::new(0.2),
            out: Linear::new(12, 2),
        }
    }
    fn forward(&self, x: &Variable) -> Variable {
        self.out.forward(&self.dropout.forward(&self.norm.forward(&self.hidden.forward(x)).relu()))
    }
}

fn moons(seed: u64) -> TensorDataset<(Tensor, Tensor<i64>)> {
    TensorDataset::new(toy::moons(96, 0.2, seed))
}

fn bits(dict: &StateDict) -> Vec<(String, Vec<u32>)> {
    dict.iter().map(|(name, tensor)| (name.to_string(), tensor.iter().map(f32::to_bits).collect())).collect()
}

#[test]
fn it_is_the_loop_that_one_would_write() {
    let _turn = alone();
    let net = Net::new(3);
    let mut adam = Adam::new(net.named_parameters()).lr(0.01);
    let loader = moons(0).loader().batch_size(20).shuffle(5);
    for _ in 0..3 {
        for (x, y) in &loader {
            let loss = cross_entropy(&net.forward(&x), &y);
            adam.zero_grad();
            loss.backward();
            adam.step();
        }
    }
    for prefetch in [0, 1, 4, 64] {
        let other = Net::new(3);
        let adam = Adam::new(other.named_parameters()).lr(0.01);
        let loader = moons(0).loader().batch_size(20).shuffle(5).prefetch(prefetch);
        let train = || {
            let trainer = Trainer::new(&other, Net::forward, cross_entropy, adam).epochs(3);
            trainer.metric(Accuracy::new()).fit(&loader).unwrap().epochs.len()
        };
        // In the pool and out of it.
        let epochs = if prefetch > 1 { wengert::parallel(train) } else { train() };
        assert_eq!(epochs, 3);
        assert_eq!(bits(&other.state_dict()), bits(&net.state_dict()), "prefetch {prefetch}");
    }
}

#[test]
fn accumulated_batches_are_one_large_batch() {
    let _turn = alone();
    let train = |batch_size: usize, accumulate: usize| {
        manual_seed(1);
        let net = Linear::new(2, 2);
        let loader = moons(0).subset((0..30).collect::<Vec<_>>()).loader().batch_size(batch_size);
        let sgd = Sgd::new(net.named_parameters()).lr(0.5);
        let mut trainer =
            Trainer::new(&net, Layer::forward, cross_entropy, sgd).epochs(2).accumulate(accumulate);
        trainer.fit(&loader).unwrap();
        net.weight.value()
    };
    let whole = train(30, 1);
    // The last batch of 7 has 2 items, and weighs no more than it should.
    for (batch_size, accumulate) in [(10, 3), (7, 5), (7, 9)] {
        let parts = train(batch_size, accumulate);
        assert!(parts.iter().zip(whole.iter()).all(|(a, b)| (a - b).abs() < 1e-5), "{parts} {whole}");
    }
    assert_ne!(train(10, 1), whole);
}

#[test]
fn clipped_gradients_make_short_steps() {
    let _turn = alone();
    struct Norms(Vec<f64>);
    impl Callback for &mut Norms {
        fn on_batch_end(&mut self, run: &mut Run<'_>) -> Result<(), TrainError> {
            self.0.extend(run.progress.gradient_norm);
            Ok(())
        }
    }
    let data = vec![(Variable::full([4, 2], 100.0), Variable::zeros([4, 1]))];
    let moved = |clip: fn(Trainer<'_, Variable, Variable>) -> Trainer<'_, Variable, Variable>| {
        manual_seed(0);
        let net = Linear::new(2, 1);
        let before = net.weight.value();
        let mut norms = Norms(Vec::new());
        let trainer = Trainer::new(&net, Layer::forward, mse_loss, Sgd::new(net.named_parameters()).lr(1.0));
        clip(trainer).callback(&mut norms).fit(&data).unwrap();
        let step = before.iter().zip(net.weight.value().iter()).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
        (step.sqrt(), norms.0)
    };
    let (step, norms) = moved(|trainer| trainer.clip_norm(0.1));
    assert!(step < 0.1001 && norms.len() == 1 && norms[0] > 1000.0, "{step} {norms:?}");
    let (step, norms) = moved(|trainer| trainer.clip_value(0.1));
    assert!((step - 0.02_f32.sqrt()).abs() < 1e-6 && norms.is_empty(), "{step}");
}

type Batches = Vec<(Variable, Variable)>;

/// Says that each epoch's `val_loss` is the next of these numbers.
fn scripted(losses: &[f64]) -> (Batches, Batches) {
    // The model is one weight w that a step of size 1 takes to the next whole number: w = epoch.
    let train = vec![(Variable::ones([1, 1]), Variable::zeros([1, 1]))];
    let validation =
        losses.iter().map(|&loss| (Variable::full([1, 1], 0.0), Variable::full([1, 1], loss as f32)));
    (train, validation.collect())
}

#[test]
fn stopping_early_gives_the_best_weights_back() {
    let _turn = alone();
    let folder = Folder::new("early");
    let (train, validation) = scripted(&[3.0, 1.0, 2.0, 2.0, 5.0, 0.0]);
    // The loss has the slope −1, so that sgd counts epochs in the weight; on the validation data it reads the script.
    let forward = |net: &Linear, x: &Variable| (net.weight.sum() * x.sum(), x.clone());
    let loss = |(count, _): &(Variable, Variable), _: &Variable| -count;
    let script = validation.iter().map(|(_, loss)| f64::from(loss.item())).collect::<Vec<_>>();
    let run = |patience: u32, largest: bool| {
        let net = Linear::new(1, 1).bias(false);
        net.weight.set(Tensor::zeros([1, 1]));
        let sgd = Sgd::new(net.named_parameters()).lr(1.0);
        struct Script(Vec<f64>, usize);
        impl wengert::train::metrics::Tally for Script {
            fn name(&self) -> String {
                "scripted".into()
            }
            fn value(&self) -> f64 {
                self.0[(self.1.max(1) - 1) / 2]
            }
            fn state(&self) -> Vec<f64> {
                vec![self.1 as f64]
            }
            fn restore(&mut self, _: &[f64]) {}
        }
        impl<O, Y> wengert::train::metrics::Metric<O, Y> for Script {
            fn update(&mut self, _: &O, _: &Y) {
                self.1 += 1; // training, then validation
            }
        }
        let mut stop = EarlyStopping::new("scripted").patience(patience);
        let mut save = SaveBest::new(folder.0.join("best.safetensors"), "scripted");
        if largest {
            (stop, save) = (stop.maximize(), save.maximize());
        }
        let held = vec![train[0].clone()];
        let mut trainer = Trainer::new(&net, forward, loss, sgd)
            .epochs(6)
            .metric(Script(script.clone(), 0))
            .callback(stop)
            .callback(save)
            .validation(&held);
        let history = trainer.fit(&train).unwrap();
        let saved: StateDict = wengert::storage::load_weights(folder.0.join("best.safetensors")).unwrap();
        assert_eq!(saved, net.state_dict());
        (history.epochs.len(), net.weight.item(), history.stopped)
    };
    let (epochs, best, stopped) = run(1, false);
    assert_eq!((epochs, best), (4, 2.0));
    assert_eq!(stopped.unwrap(), "scripted has not become better for 2 epochs");
    assert_eq!(run(9, false), (6, 6.0, None));
    assert_eq!(run(9, true).1, 5.0);
}

#[test]
fn a_nan_is_led_back_to_its_line() {
    let _turn = alone();
    let net = Linear::new(1, 1);
    net.weight.set(Tensor::ones([1, 1]));
    net.bias.as_ref().unwrap().set(Tensor::zeros([1]));
    let before = net.state_dict();
    let data = |x: f32| {
        vec![
            (Variable::ones([1, 1]), Variable::zeros([1, 1])),
            (Variable::full([1, 1], x), Variable::zeros([1, 1])),
        ]
    };
    let fit = |forward: fn(&Linear, &Variable) -> Variable, x: f32| {
        let sgd = Sgd::new(net.named_parameters()).lr(0.0);
        Trainer::new(&net, forward, mse_loss, sgd).fit(&data(x)).unwrap_err().to_string()
    };
    let text = fit(|net, x| net.forward(x).ln(), -1.0);
    for part in ["epoch 1, batch 2: the loss is NaN", "ln (recorded at", "tests/train.rs", "NaN at [0, 0]"] {
        assert!(text.contains(part), "{part:?} is missing in {text}");
    }
    // A finite loss whose gradient is not.
    let text = fit(|net, x| (net.forward(x) * x).sqrt(), 0.0);
    for part in ["batch 2: the gradient of weight is", "the rule of sqrt (recorded at", "tests/train.rs"] {
        assert!(text.contains(part), "{part:?} is missing in {text}");
    }
    let text = fit(|net, x| net.forward(x) * 1e30 * x, 1e30);
    assert!(text.contains("the loss is inf; ") && text.contains("recorded at"), "{text}");
    assert_eq!(net.state_dict(), before);
}

#[test]
fn mistakes_in_the_setup_are_errors() {
    let _turn = alone();
    let net = Linear::new(1, 1);
    let sgd = || Sgd::new(net.named_parameters()).lr(0.1);
    let data = vec![(Variable::ones([1, 1]), Variable::ones([1, 1]))];
    let mut trainer =
        Trainer::new(&net, Layer::forward, mse_loss, sgd()).callback(EarlyStopping::new("val_loss"));
    let error = trainer.fit(&data).unwrap_err();
    assert_eq!(error.to_string(), "no measurement is called \"val_loss\"; there are loss");
    let mut trainer = Trainer::new(&net, Layer::forward, mse_loss, sgd());
    let nothing: Vec<(Variable, Variable)> = Vec::new();
    assert!(matches!(trainer.fit(&nothing), Err(TrainError::NoBatches { epoch: 1 })));
    assert!(matches!(trainer.find_learning_rate(&nothing, 0.1..=1.0, 9), Err(TrainError::NoBatches { .. })));
}

#[test]
fn logs_have_a_line_an_epoch() {
    let _turn = alone();
    let folder = Folder::new("logs");
    let (csv, json) = (folder.0.join("log.csv"), folder.0.join("log.jsonl"));
    let net = Net::new(0);
    let loader = moons(0).loader().batch_size(32);
    let mut seen = Vec::new();
    let history = Trainer::new(&net, Net::forward, cross_entropy, Adam::new(net.named_parameters()).lr(0.01))
        .epochs(3)
        .metric(Accuracy::new())
        .metric(ClassScore::f1(Average::Macro))
        .validation(&loader)
        .callback(CsvLog::new(&csv))
        .callback(JsonLinesLog::new(&json))
        .on_epoch(|epoch| seen.push(epoch.to_string()))
        .fit(&loader)
        .unwrap();
    let text = fs::read_to_string(&csv).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "epoch,loss,accuracy,f1,val_loss,val_accuracy,val_f1,lr,seconds");
    assert_eq!(lines.len(), 4);
    assert!(lines[3].starts_with(&format!("3,{},", history.last("loss").unwrap())), "{}", lines[3]);
    let text = fs::read_to_string(&json).unwrap();
    let last: serde_json::Value = serde_json::from_str(text.lines().nth(2).unwrap()).unwrap();
    assert_eq!(last["val_f1"].as_f64(), history.last("val_f1"));
    assert_eq!((last["epoch"].as_u64(), last["lr"].as_f64()), (Some(3), Some(0.01)));
    assert!(seen.len() == 3 && seen[2].starts_with("epoch 3: loss "), "{seen:?}");
    assert_eq!(history.get("lr"), [0.01; 3]);
}

#[test]
fn looking_for_a_rate_changes_nothing() {
    let _turn = alone();
    let net = Net::new(2);
    let loader = moons(0).loader().batch_size(16).shuffle(0);
    let mut trainer =
        Trainer::new(&net, Net::forward, cross_entropy, Sgd::new(net.named_parameters()).lr(0.1))
            .schedule(CosineAnnealingLr::new(100));
    let (weights, random) = (bits(&net.state_dict()), wengert::random_state());
    let curve = trainer.find_learning_rate(&loader, 1e-4..=1e3, 60).unwrap();
    assert_eq!((bits(&net.state_dict()), wengert::random_state()), (weights, random));
    assert_eq!(trainer.optimizer().learning_rate(0), 0.1);
    assert!(curve.rates.is_sorted() && curve.rates[0] == 1e-4 && curve.rates.len() < 60, "{curve:?}");
    let best = curve.suggestion().unwrap();
    assert!((1e-3..10.0).contains(&best), "{best}");
}

/// A training with everything that has a state; it is the same on every call.
fn setup<'a>(
    net: &'a Net,
    validation: &'a wengert::datasets::DataLoader<TensorDataset<(Tensor, Tensor<i64>)>>,
    folder: &std::path::Path,
) -> Trainer<'a, Variable, Tensor<i64>> {
    let adam = Adam::new(net.named_parameters()).lr(0.02).amsgrad(true);
    Trainer::new(net, Net::forward, cross_entropy, adam)
        .epochs(6)
        .metric(Accuracy::new())
        .metric(ClassScore::recall(Average::Binary))
        .metric(Auc::new())
        .validation(validation)
        .schedule_by_epoch(CosineAnnealingLr::new(20))
        .callback(ReduceOnPlateau::new(
            "loss",
            ReduceLrOnPlateau {
                patience: 0,
                threshold: wengert::optim::schedule::Threshold::Absolute(0.1),
                ..Default::default()
            },
        ))
        .callback(EarlyStopping::new("val_loss").patience(20))
        .callback(CsvLog::new(folder.join("log.csv")))
        .accumulate(2)
        .checkpoint(folder)
        .checkpoint_every(1)
}

fn measured(history: &History) -> Vec<(Vec<(String, u64)>, u64)> {
    let numbers = |epoch: &wengert::train::Epoch| {
        let numbers =
            epoch.measured.iter().map(|(name, value)| (name.to_string(), value.to_bits())).collect();
        (numbers, epoch.learning_rate.to_bits())
    };
    history.epochs.iter().map(numbers).collect()
}

#[test]
fn an_interrupted_training_goes_on_to_the_same_bits() {
    let _turn = alone();
    let folder = Folder::new("interrupted");
    let validation = moons(1).loader().batch_size(50);
    let loader = || moons(0).loader().batch_size(10).shuffle(4).prefetch(2);

    let net = Net::new(9);
    let whole = setup(&net, &validation, &folder.0).fit(&loader()).unwrap();
    let log = fs::read_to_string(folder.0.join("log.csv")).unwrap().lines().count();

    struct Interrupt(StopFlag, u64);
    impl Callback for Interrupt {
        fn on_batch_end(&mut self, run: &mut Run<'_>) -> Result<(), TrainError> {
            if run.progress.step == self.1 {
                self.0.stop();
            }
            Ok(())
        }
    }
    let mut last = None;
    for step in [2, 5, 9, 20, 21, 1000] {
        let again = Net::new(77); // other values, other random numbers: all of it must come from the file
        let flag = StopFlag::new();
        let mut trainer = setup(&again, &validation, &folder.0).resume(step > 2).stop_flag(flag.clone());
        if step == 2 {
            again.load_state_dict(&Net::new(9).state_dict()).unwrap();
        }
        trainer = trainer.callback(Interrupt(flag, step));
        let history = trainer.fit(&loader()).unwrap();
        drop(trainer);
        assert_eq!(history.stopped.is_some(), step < 1000);
        last = Some((history, again));
    }
    let (history, again) = last.unwrap();
    assert_eq!(bits(&again.state_dict()), bits(&net.state_dict()));
    assert_eq!(measured(&history), measured(&whole));
    assert_eq!(fs::read_to_string(folder.0.join("log.csv")).unwrap().lines().count(), log);
}

const CHILD: &str = "WENGERT_TRAIN_CHILD";

/// What a process does that may be killed or interrupted: train in a folder, going on with what is there, and write the
/// weights' hash.
fn child(folder: PathBuf) {
    let validation = moons(1).loader().batch_size(50);
    let net = Net::new(9);
    let loader = moons(0).loader().batch_size(10).shuffle(4).prefetch(2);
    let stop = StopFlag::on_ctrl_c().unwrap();
    let history = setup(&net, &validation, &folder).resume(true).stop_flag(stop).fit(&loader).unwrap();
    if history.stopped.as_deref() == Some("interrupted") {
        fs::write(folder.join("interrupted"), "").unwrap();
        return;
    }
    let result = format!("{:016x}", net.named_parameters().fingerprint());
    wengert::storage::write_atomically(folder.join("result"), |file| file.write_all(result.as_bytes()))
        .unwrap();
}

/// A process that trains in this folder.
fn start(folder: &Folder) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_killed_training_goes_on_to_the_same_bits"])
        .env(CHILD, &folder.0)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits until the process has written so many checkpoints (there are 36), or is over.
fn wait_for_checkpoints(mut count: u64, process: &mut Child, folder: &Folder) {
    let stored = || fs::metadata(folder.0.join("training.ckpt")).and_then(|file| file.modified()).ok();
    let mut last = stored();
    while count > 0 && process.try_wait().unwrap().is_none() {
        let now = stored();
        count -= u64::from(now != last);
        last = now;
        thread::sleep(Duration::from_micros(200));
    }
}

fn result(folder: &Folder) -> String {
    fs::read_to_string(folder.0.join("result")).unwrap()
}

#[test]
fn a_killed_training_goes_on_to_the_same_bits() {
    if let Some(folder) = std::env::var_os(CHILD) {
        return child(folder.into());
    }
    let _turn = alone();
    let (straight, killed) = (Folder::new("straight"), Folder::new("killed"));
    assert!(start(&straight).wait().unwrap().success());

    let mut generator = Generator::new(std::process::id().into());
    let mut kills = 0;
    while !killed.0.join("result").exists() {
        let mut process = start(&killed);
        let checkpoints = if kills < 20 { generator.below(6) } else { u64::MAX };
        wait_for_checkpoints(checkpoints, &mut process, &killed);
        thread::sleep(Duration::from_micros(generator.below(4000)));
        process.kill().unwrap(); // SIGKILL; or it is over
        kills += u64::from(!process.wait().unwrap().success());
    }
    assert!(kills > 0);
    assert_eq!(result(&killed), result(&straight));
}

#[cfg(unix)]
#[test]
fn ctrl_c_stores_the_training_and_ends_it() {
    let _turn = alone();
    let (straight, stopped) = (Folder::new("not-stopped"), Folder::new("stopped"));
    assert!(start(&straight).wait().unwrap().success());

    let mut process = start(&stopped);
    wait_for_checkpoints(3, &mut process, &stopped);
    let signal = Command::new("sh").args(["-c", &format!("kill -INT {}", process.id())]).status().unwrap();
    assert!(signal.success() && process.wait().unwrap().success(), "it ends as a program that is done");
    assert!(stopped.0.join("interrupted").exists() && !stopped.0.join("result").exists());
    assert!(start(&stopped).wait().unwrap().success());
    assert_eq!(result(&stopped), result(&straight));
}
