//! Going on from a checkpoint gives the same bits as never having stopped. One test alone in its process, since the
//! random numbers of dropout are the process's.

use std::path::Path;
use wengert::{checkpoint::Checkpoint, optim::Lbfgs, prelude::*};

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

fn batch(epoch: u64) -> (Variable, Tensor<i64>) {
    let mut generator = wengert::tensor::Generator::new(100 + epoch);
    let x = Tensor::randn([16, 5, 3], &mut generator);
    (Variable::new(x), Tensor::randint([16], 0, 2, &mut generator))
}

/// An optimiser of one of the kinds.
enum Any {
    Sgd(Sgd),
    Adam(Adam),
    Lbfgs(Lbfgs),
}

impl Any {
    fn new(kind: usize, net: &Net) -> Any {
        let parameters = net.named_parameters();
        match kind {
            0 => Any::Sgd(Sgd::new(parameters).lr(0.05).momentum(0.9).nesterov(true)),
            1 => Any::Adam(Adam::new(parameters).lr(1e-2).amsgrad(true)),
            _ => Any::Lbfgs(Lbfgs::new(parameters).max_iter(4)),
        }
    }
    fn train(&mut self, net: &Net, epochs: std::ops::Range<u64>) {
        for epoch in epochs {
            let (x, y) = batch(epoch);
            match self {
                Any::Lbfgs(lbfgs) => {
                    // A loss that is the same function each time.
                    net.eval();
                    lbfgs.step(|| net.loss(&x, &y));
                }
                Any::Sgd(sgd) => descend(sgd, net, &x, &y),
                Any::Adam(adam) => descend(adam, net, &x, &y),
            }
        }
    }
    fn save(&self, net: &Net, path: &Path) {
        let state = match self {
            Any::Sgd(sgd) => sgd.state(),
            Any::Adam(adam) => adam.state(),
            Any::Lbfgs(lbfgs) => lbfgs.state(),
        };
        Checkpoint::of(net).optimizer(state).epoch(5).value("best", 0.25).save(path).unwrap();
    }
    fn load(&mut self, net: &Net, path: &Path) {
        let checkpoint = Checkpoint::load(path).unwrap();
        assert_eq!((checkpoint.epoch, checkpoint.values["best"]), (5, 0.25));
        let state = checkpoint.optimizers[0].clone();
        match self {
            Any::Sgd(sgd) => sgd.load_state(state).unwrap(),
            Any::Adam(adam) => adam.load_state(state).unwrap(),
            Any::Lbfgs(lbfgs) => lbfgs.load_state(state).unwrap(),
        }
        checkpoint.resume(net).unwrap();
    }
}

fn descend(optimizer: &mut impl Optimizer, net: &Net, x: &Variable, y: &Tensor<i64>) {
    optimizer.zero_grad();
    net.loss(x, y).backward();
    optimizer.step();
}

#[test]
fn five_epochs_and_five_more_are_ten() {
    let folder = std::env::temp_dir().join(format!("wengert-resume-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for kind in 0..3 {
        let path = folder.join(format!("{kind}.ckpt"));
        manual_seed(kind as u64);
        let net = Net::new();
        let mut optimizer = Any::new(kind, &net);
        optimizer.train(&net, 0..5);
        optimizer.save(&net, &path);
        optimizer.train(&net, 5..10);
        let straight = net.state_dict();

        manual_seed(77);
        let again = Net::new();
        let mut optimizer = Any::new(kind, &again);
        optimizer.load(&again, &path);
        optimizer.train(&again, 5..10);
        for ((name, a), (_, b)) in straight.iter().zip(again.state_dict().iter()) {
            let bits = |x: &Tensor| x.iter().map(f32::to_bits).collect::<Vec<_>>();
            assert_eq!(bits(a), bits(b), "{name} of optimiser {kind}");
        }
        assert!(straight.iter().all(|(_, tensor)| tensor.iter().all(f32::is_finite)));
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
