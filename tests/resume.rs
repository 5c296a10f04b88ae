//! Going on from a checkpoint in a new process gives the same bits as never having stopped. One test alone in its process,
//! since the random numbers of dropout are the process's.

use std::{path::Path, process::Command};
use wengert::{
    checkpoint::Checkpoint,
    datasets::TensorDataset,
    optim::{
        Lbfgs,
        schedule::{Scheduler, WarmupCosine},
    },
    prelude::*,
    storage::{load_weights, save_weights},
};

/// A recurrent layer, batch normalisation and dropout: all that has state beside the parameters.
#[derive(Module)]
struct Net {
    lstm: Lstm,
    norm: BatchNorm1d,
    dropout: Dropout,
    out: Linear,
}

impl Net {
    fn new() -> Net {
        Net {
            lstm: Lstm::new(3, 8).batch_first(true),
            norm: BatchNorm1d::new(8),
            dropout: Dropout::new(0.3),
            out: Linear::new(8, 2),
        }
    }
    fn loss(&self, x: &Variable, y: &Tensor<i64>) -> Variable {
        let (_, (h, _)) = self.lstm.forward(x);
        let h = self.norm.forward(&h.select(0, 0));
        cross_entropy(&self.out.forward(&self.dropout.forward(&h)), y)
    }
}

/// Sequences with labels, in batches whose order is another each epoch.
fn loader() -> DataLoader<TensorDataset<(Tensor, Tensor<i64>)>> {
    let mut generator = wengert::tensor::Generator::new(100);
    let x = Tensor::randn([40, 5, 3], &mut generator);
    let y = Tensor::randint([40], 0, 2, &mut generator);
    TensorDataset::new((x, y)).loader().batch_size(16).shuffle(6)
}

/// A training with one of the optimisers, after any number of epochs.
struct Run {
    net: Net,
    optimizer: Any,
    loader: DataLoader<TensorDataset<(Tensor, Tensor<i64>)>>,
    steps: u64,
}

enum Any {
    Sgd(Sgd),
    Adam(Adam),
    Lbfgs(Lbfgs),
}

const KINDS: [&str; 3] = ["sgd", "adam", "lbfgs"];

/// The learning rate rises and falls over all steps.
fn schedule(first: f64, optimizer: &mut impl Optimizer) -> Scheduler<WarmupCosine> {
    optimizer.set_lr(first);
    Scheduler::new(WarmupCosine::new(6, 40), optimizer)
}

impl Run {
    fn new(kind: &str) -> Run {
        let net = Net::new();
        let parameters = net.named_parameters();
        let optimizer = match kind {
            "sgd" => Any::Sgd(Sgd::new(parameters).momentum(0.9).nesterov(true)),
            "adam" => Any::Adam(Adam::new(parameters).amsgrad(true)),
            _ => Any::Lbfgs(Lbfgs::new(parameters).max_iter(4)),
        };
        Run { net, optimizer, loader: loader(), steps: 0 }
    }

    fn train(&mut self, epochs: u64) {
        for _ in 0..epochs {
            for (x, y) in &self.loader {
                match &mut self.optimizer {
                    Any::Sgd(sgd) => descend(sgd, 0.05, self.steps, &self.net, &x, &y),
                    Any::Adam(adam) => descend(adam, 1e-2, self.steps, &self.net, &x, &y),
                    Any::Lbfgs(lbfgs) => drop(lbfgs.step(|| self.net.loss(&x, &y))),
                }
                self.steps += 1;
            }
        }
    }

    fn save(&self, path: &Path) {
        let state = match &self.optimizer {
            Any::Sgd(sgd) => sgd.state(),
            Any::Adam(adam) => adam.state(),
            Any::Lbfgs(lbfgs) => lbfgs.state(),
        };
        let checkpoint = Checkpoint::of(&self.net).optimizer(state).epoch(5).step(self.steps);
        checkpoint.data(self.loader.position()).value("best", 0.25).save(path).unwrap();
    }

    fn load(&mut self, path: &Path) {
        let checkpoint = Checkpoint::load(path).unwrap();
        assert_eq!((checkpoint.epoch, checkpoint.values["best"]), (5, 0.25));
        let state = checkpoint.optimizers[0].clone();
        match &mut self.optimizer {
            Any::Sgd(sgd) => sgd.load_state(state).unwrap(),
            Any::Adam(adam) => adam.load_state(state).unwrap(),
            Any::Lbfgs(lbfgs) => lbfgs.load_state(state).unwrap(),
        }
        checkpoint.resume(&self.net).unwrap();
        self.loader.seek(checkpoint.data.unwrap());
        self.steps = checkpoint.step;
    }
}

fn descend(optimizer: &mut impl Optimizer, lr: f64, step: u64, net: &Net, x: &Variable, y: &Tensor<i64>) {
    schedule(lr, optimizer).seek(step, optimizer);
    optimizer.zero_grad();
    net.loss(x, y).backward();
    optimizer.step();
}

/// What a new process goes on with: `KIND:CHECKPOINT:RESULT`; absent in an ordinary run of the test.
const CHILD: &str = "WENGERT_TEST_RESUMES";

#[test]
fn five_epochs_and_five_more_in_a_new_process_are_ten() {
    if let Ok(task) = std::env::var(CHILD) {
        let [kind, checkpoint, result] = <[&str; 3]>::try_from(task.split(':').collect::<Vec<_>>()).unwrap();
        manual_seed(77);
        let mut run = Run::new(kind);
        run.load(Path::new(checkpoint));
        run.train(5);
        return save_weights(result, &run.net.state_dict()).unwrap();
    }
    let folder = std::env::temp_dir().join(format!("wengert-resume-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (seed, kind) in KINDS.into_iter().enumerate() {
        let file = |name: &str| folder.join(format!("{kind}.{name}"));
        manual_seed(seed as u64);
        let mut run = Run::new(kind);
        run.train(5);
        run.save(&file("ckpt"));
        run.train(5);
        let straight = run.net.state_dict();

        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "five_epochs_and_five_more_in_a_new_process_are_ten"])
            .env(CHILD, format!("{kind}:{}:{}", file("ckpt").display(), file("result").display()))
            .output()
            .unwrap();
        assert!(child.status.success(), "{kind}: {}", String::from_utf8_lossy(&child.stdout));
        let resumed: StateDict = load_weights(file("result")).unwrap();
        assert_eq!(resumed.len(), straight.len());
        for (name, tensor) in straight.iter() {
            let bits = |x: &Tensor| x.iter().map(f32::to_bits).collect::<Vec<_>>();
            assert_eq!(bits(tensor), bits(resumed.get(name).unwrap()), "{name} of {kind}");
        }
        assert!(straight.iter().all(|(_, tensor)| tensor.iter().all(f32::is_finite)));
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
