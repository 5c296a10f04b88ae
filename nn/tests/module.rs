//! Modules: names, ties, state dictionaries, copies, flags, and use from several threads.

use std::{collections::BTreeMap, sync::Arc, thread};
use wengert_autograd::{Float, Tensor, Variable, manual_seed, tensor::Generator};
use wengert_nn::*;

#[derive(Clone, Module)]
struct Block<T: Float> {
    linear: Linear<T>,
    dropout: Dropout,
    scale: Option<Variable<T>>,
    running: Buffer<T>,
    width: usize,
}

#[derive(Clone, Module)]
struct Net<T: Float> {
    embed: Variable<T>,
    layers: Vec<Block<T>>,
    heads: BTreeMap<String, Linear<T>>,
    pair: (Linear<T>, [Linear<T>; 2]),
    #[module(rename = "out")]
    tied: Variable<T>,
    constant: Variable<T>,
}

fn block<T: Float>(width: usize, scaled: bool) -> Block<T> {
    Block {
        linear: Linear::typed(width, width),
        dropout: Dropout::new(0.5),
        scale: scaled.then(|| Init::Constant(1.0).parameter(width)),
        running: Buffer::new(Tensor::zeros([width])),
        width,
    }
}

fn net<T: Float>() -> Net<T> {
    let embed = Init::Normal { mean: 0.0, std: 1.0 }.parameter([5, 3]);
    let small = || Linear::typed(3, 2).bias(false);
    Net {
        tied: embed.clone(),
        embed,
        layers: vec![block(3, true), block(3, false)],
        heads: BTreeMap::from([("b".into(), small()), ("a".into(), small())]),
        pair: (small(), [small(), small()]),
        constant: Variable::new(Tensor::ones([2])),
    }
}

#[test]
fn names_are_those_of_pytorch() {
    let net = net::<f32>();
    assert_eq!(
        net.named_parameters().names().collect::<Vec<_>>(),
        [
            "embed",
            "layers.0.linear.weight",
            "layers.0.linear.bias",
            "layers.0.scale",
            "layers.1.linear.weight",
            "layers.1.linear.bias",
            "heads.a.weight",
            "heads.b.weight",
            "pair.0.weight",
            "pair.1.0.weight",
            "pair.1.1.weight",
        ]
    );
    let buffers: Vec<String> = net.named_buffers().into_iter().map(|(name, _)| name).collect();
    assert_eq!(buffers, ["layers.0.running", "layers.1.running"]);
    assert_eq!(net.num_parameters(), 15 + 2 * 12 + 3 + 5 * 6);
    assert!(
        net.state_dict().names().any(|name| name == "out"),
        "a dictionary has every name of what is tied"
    );
}

#[test]
fn a_copy_is_independent_and_keeps_its_ties() {
    let net = net::<f64>();
    net.layers[0].linear.weight.set_requires_grad(false);
    let copy = net.copy();
    assert!(copy.embed.is_same(&copy.tied));
    assert_eq!(copy.state_dict(), net.state_dict());
    assert!(!copy.layers[0].linear.weight.needs_grad() && copy.embed.needs_grad());
    net.embed.set(Tensor::zeros([5, 3]));
    net.layers[0].running.set(Tensor::ones([3]));
    net.eval();
    assert_ne!(copy.embed.value(), net.embed.value());
    assert_eq!(copy.layers[0].running.value(), Tensor::zeros([3]));
    let ones = Variable::new(Tensor::<f64>::ones([64]));
    assert_ne!(
        copy.layers[0].dropout.forward(&ones).value(),
        ones.value(),
        "the copy is still being trained"
    );
    assert!(net.clone().embed.is_same(&net.embed), "a clone shares its parameters");
}

#[test]
fn train_and_eval_reach_every_flag() {
    let (net, x) = (net::<f32>(), Variable::ones([64]));
    let drops = |net: &Net<f32>| {
        net.layers.iter().map(|layer| layer.dropout.forward(&x).value() != x.value()).collect::<Vec<_>>()
    };
    assert_eq!(drops(&net), [true, true]);
    net.eval();
    assert_eq!(drops(&net), [false, false]);
    net.train();
    assert_eq!(drops(&net), [true, true]);
}

#[test]
fn all_that_does_not_fit_is_listed_at_once() {
    let (net, before) = (net::<f32>(), net::<f32>().state_dict());
    let own = net.state_dict();
    let mut dict: StateDict = before.rename(|name| match name {
        "layers.1.linear.bias" => None,
        "heads.a.weight" => Some("heads.c.weight".into()),
        // One name of a tied parameter is enough.
        "out" => None,
        name => Some(name.into()),
    });
    dict.insert("pair.0.weight", Tensor::zeros([3, 2]));
    let error = net.load_state_dict(&dict).unwrap_err();
    assert_eq!(error.missing, ["layers.1.linear.bias", "heads.a.weight"]);
    assert_eq!(error.unexpected, ["heads.c.weight"]);
    assert_eq!(error.mismatched.len(), 1);
    assert_eq!(
        error.to_string(),
        "the state dictionary does not fit the model; missing: layers.1.linear.bias, heads.a.weight; unexpected: \
         heads.c.weight; pair.0.weight has the shape [3, 2], the model's is [2, 3]"
    );
    assert_eq!(net.state_dict(), own, "nothing has been changed");
    assert!(net.load_state_dict_partially(&dict).is_err(), "a wrong shape is an error in any case");
    dict.insert("pair.0.weight", Tensor::zeros([2, 3]));
    let unmatched = net.load_state_dict_partially(&dict).unwrap();
    assert_eq!(unmatched.missing, ["layers.1.linear.bias", "heads.a.weight"]);
    assert_eq!(unmatched.unexpected, ["heads.c.weight"]);
    assert_eq!(net.pair.0.weight.value(), Tensor::zeros([2, 3]));
    assert_eq!(&net.embed.value(), dict.get("embed").unwrap());
}

#[test]
fn frozen_parameters_get_no_gradient() {
    let net = Sequential::new((Linear::new(2, 3), Tanh, Linear::new(3, 1)));
    net.0.0.requires_grad_(false);
    net.forward(&Variable::ones([4, 2])).sum().backward();
    assert!(net.0.0.weight.grad().is_none() && net.0.2.weight.grad().is_some());
    assert_eq!(net.missing_gradients(), [""; 0]);
    net.requires_grad_(true);
    assert_eq!(net.missing_gradients(), ["0.weight", "0.bias"]);
}

#[test]
fn the_seed_decides_the_first_values() {
    let made = |seed| {
        manual_seed(seed);
        net::<f32>().named_parameters().fingerprint()
    };
    // Other tests draw from the process's source as well, so this one asks for a draw of its own.
    let drawn = |seed| Init::LAYER.tensor::<f32>([4, 4], &mut Generator::new(seed));
    assert_eq!(drawn(3), drawn(3));
    assert_ne!(drawn(3), drawn(4));
    assert_ne!(made(3), made(4));
}

#[test]
fn a_shared_model_serves_eight_threads_with_the_same_bits() {
    let net = Arc::new(Sequential::new((Linear::new(64, 128), ReLU, Linear::new(128, 10))));
    let x = Variable::new(Tensor::<f32>::randn([32, 64], &mut Generator::new(1)));
    let expected: Vec<u32> = net.forward(&x).value().iter().map(f32::to_bits).collect();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (net, x) = (net.clone(), x.clone());
            thread::spawn(move || {
                (0..20)
                    .map(|_| net.forward(&x).value().iter().map(f32::to_bits).collect())
                    .collect::<Vec<Vec<u32>>>()
            })
        })
        .collect();
    for thread in threads {
        assert!(thread.join().unwrap().iter().all(|bits| *bits == expected));
    }
}

#[test]
fn sequences_by_type_and_at_run_time_agree() {
    let (first, second) = (Linear::new(4, 8), Linear::new(8, 2));
    let typed = Sequential::new((first.clone(), Tanh, second.clone()));
    let list = Sequential::list().then(first).then(Tanh).then(second);
    let x = Variable::ones([3, 4]);
    assert_eq!(typed.forward(&x).value(), list.forward(&x).value());
    let names = |list: &wengert_autograd::NamedParameters| list.names().map(String::from).collect::<Vec<_>>();
    assert_eq!(names(&typed.named_parameters()), ["0.weight", "0.bias", "2.weight", "2.bias"]);
    assert_eq!(names(&typed.named_parameters()), names(&list.named_parameters()));
    assert!(!list.copy().parameters()[0].is_same(&typed.parameters()[0]));
    assert_eq!(list.summary(&[3, 4]).to_string(), typed.summary(&[3, 4]).to_string());
}

#[test]
fn a_summary_shows_what_each_part_puts_out_and_changes_nothing() {
    #[derive(Module)]
    struct Reader {
        words: Embedding,
        lstm: Lstm,
        norm: BatchNorm1d,
        dropout: Dropout,
        scale: Variable,
        out: Linear,
    }
    let reader = Reader {
        words: Embedding::new(9, 4),
        lstm: Lstm::new(4, 3).bidirectional(true).batch_first(true),
        norm: BatchNorm1d::new(6),
        dropout: Dropout::new(0.5),
        scale: Init::Constant(2.0).parameter(6),
        out: Linear::new(6, 2),
    };
    reader.words.requires_grad_(false);
    let before = reader.state_dict();
    let summary = reader.summary_of(|reader| {
        let (out, _) = reader.lstm.forward(&reader.words.forward(&Tensor::zeros([8, 5])));
        let h = reader.dropout.forward(&reader.norm.forward(&out.select(1, -1)));
        reader.out.forward(&(h * &reader.scale))
    });
    let text = summary.to_string();
    let lines: Vec<&str> = text.lines().map(|line| line.split("  ").next().unwrap()).collect();
    assert_eq!(lines, ["part", "", "words", "lstm", "norm", "out", "284 parameters, 36 of them frozen"]);
    for part in
        ["Embedding    [8, 5, 4]", "Lstm         [8, 5, 6]", "BatchNorm1d  [8, 6]", "Linear       [8, 2]"]
    {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    assert_eq!(before, reader.state_dict());
    assert!(!reader.words.weight.needs_grad() && reader.lstm.parameters()[0].needs_grad());
    let ones = Variable::ones([64]);
    assert_ne!(reader.dropout.forward(&ones).value(), ones.value(), "it is in training again");
}

#[test]
#[should_panic(expected = "linear")]
fn a_wrong_shape_names_the_layer() {
    Linear::new(4, 8).forward(&Variable::ones([3, 5]));
}
