//! Every layer against PyTorch: outputs, gradients, buffers, first values; and its gradients against differences.
//!
//! The values are those of `fixtures/layers/make.py`, which says how they are stored. A layer is made with the options that
//! the script gave PyTorch's, takes its parameters by name, strictly, and must then agree.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use wengert::{
    Interpolation, Nonlinearity, PoolOptions,
    nn::{StateDict, *},
    optim::schedule::{
        ChainedLr, ConstantLr, CosineAnnealingLr, ExponentialLr, LambdaLr, LinearLr, Schedule, SequentialLr,
    },
    storage::load_weights,
    tensor::Generator,
    {Tensor, Variable},
};

/// The stored values, and the cases that no test has asked for yet.
struct Fixture {
    stored: StateDict<f64>,
    left: BTreeSet<String>,
}

/// What a layer is called with.
struct Inputs {
    floats: Vec<Variable<f64>>,
    others: Vec<Tensor<i64>>,
}

impl Inputs {
    fn mask(&self, k: usize) -> Tensor<bool> {
        self.others[k].map(|x| x != 0)
    }
    fn pair(&self) -> (Variable<f64>, Variable<f64>) {
        (self.floats[0].clone(), self.floats[1].clone())
    }
    fn lengths(&self) -> Vec<usize> {
        self.others[0].iter().map(|length| length as usize).collect()
    }
}

impl Fixture {
    fn load() -> Fixture {
        // Fixtures that were made anew may lie elsewhere.
        let folder = std::env::var_os("WENGERT_FIXTURES").map(PathBuf::from);
        let folder = folder.unwrap_or(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"));
        let path = folder.join("layers/layers.safetensors");
        let stored: StateDict<f64> = load_weights(path).expect("the fixture");
        let left = stored.names().map(|name| name.split('/').next().unwrap().to_string()).collect();
        Fixture { stored, left }
    }

    /// All tensors of a case whose names begin with `prefix`, by the rest of their names.
    fn part(&self, case: &str, prefix: &str) -> StateDict<f64> {
        let prefix = format!("{case}/{prefix}.");
        self.stored
            .iter()
            .filter_map(|(name, tensor)| Some((name.strip_prefix(&prefix)?, tensor.clone())))
            .collect()
    }

    fn list(&self, case: &str, prefix: &str) -> Vec<Tensor<f64>> {
        let part = self.part(case, prefix);
        (0..part.len()).map(|k| part.get(&k.to_string()).expect("numbered from 0").clone()).collect()
    }

    #[track_caller]
    fn check<M: Module<f64>>(
        &mut self,
        case: &str,
        layer: M,
        call: impl Fn(&M, &Inputs) -> Vec<Variable<f64>>,
    ) {
        assert!(self.left.remove(case), "{case} is not stored, or was checked before");
        layer.load_state_dict(&self.part(case, "state")).unwrap_or_else(|error| panic!("{case}: {error}"));
        let others = self.list(case, "index").iter().map(|tensor| tensor.map(|x| x as i64)).collect();
        let floats = self.list(case, "in").into_iter().map(Variable::parameter).collect();
        let inputs = Inputs { floats, others };
        let weights = self.list(case, "cotangent");
        let weighted = |outputs: &[Variable<f64>]| {
            let products = outputs.iter().zip(&weights).map(|(y, w)| (y * Variable::new(w.clone())).sum());
            products.reduce(|sum, product| sum + product).expect("an output")
        };

        let outputs = call(&layer, &inputs);
        assert_eq!(outputs.len(), weights.len(), "{case}");
        for (k, (got, want)) in outputs.iter().zip(self.list(case, "out")).enumerate() {
            agree(&format!("{case}: output {k}"), &got.value(), &want);
        }
        for (name, want) in self.part(case, "after").iter() {
            agree(
                &format!("{case}: {name} afterwards"),
                layer.state_dict().get(name).expect("a buffer"),
                want,
            );
        }

        let parameters = layer.named_parameters();
        let mut leaves: Vec<(String, Variable<f64>, Tensor<f64>)> = Vec::new();
        for (k, (input, gradient)) in inputs.floats.iter().zip(self.list(case, "d_in")).enumerate() {
            leaves.push((format!("input {k}"), input.clone(), gradient));
        }
        let gradients = self.part(case, "d_state");
        assert_eq!(gradients.len(), parameters.len(), "{case}: parameters");
        for (name, gradient) in gradients.iter() {
            let parameter = parameters.get(name).expect("loaded strictly").clone();
            leaves.push((name.to_string(), parameter, gradient.clone()));
        }
        let loss = weighted(&outputs);
        if leaves.is_empty() {
            return;
        }
        loss.backward();
        for (name, leaf, want) in &leaves {
            let got = leaf.grad().unwrap_or_else(|| want.zeros_like());
            agree(&format!("{case}: gradient of {name}"), &got, want);
        }

        // Along random directions, all leaves at once: the gradient against central differences of two steps,
        // extrapolated to a step of 0.
        for seed in 0..3 {
            let mut generator = Generator::new(seed);
            let direction = |(_, leaf, gradient): &(String, Variable<f64>, Tensor<f64>)| {
                let direction = Tensor::randn(leaf.shape(), &mut generator);
                // The row of a padding index has no gradient by decree, whatever the differences say.
                if case.starts_with("embedding") {
                    direction.masked_fill(&gradient.eq(0.0), 0.0)
                } else {
                    direction
                }
            };
            let directions: Vec<Tensor<f64>> = leaves.iter().map(direction).collect();
            let mut slope = 0.0;
            for ((_, leaf, _), direction) in leaves.iter().zip(&directions) {
                let gradient = leaf.grad().unwrap_or_else(|| direction.zeros_like());
                slope += gradient.iter().zip(direction.iter()).map(|(g, v)| g * v).sum::<f64>();
            }
            let origin: Vec<Tensor<f64>> = leaves.iter().map(|(_, leaf, _)| leaf.value()).collect();
            let at = |step: f64| {
                for (((_, leaf, _), x), v) in leaves.iter().zip(&origin).zip(&directions) {
                    let moved = x.iter().zip(v.iter()).map(|(x, v)| x + step * v).collect();
                    leaf.set(Tensor::from_vec(moved, x.shape()).expect("the leaf's shape"));
                }
                weighted(&call(&layer, &inputs)).item()
            };
            let difference = |h: f64| (at(h) - at(-h)) / (2.0 * h);
            let h = 1e-4;
            let numeric = (4.0 * difference(h / 2.0) - difference(h)) / 3.0;
            at(0.0);
            let error = (numeric - slope).abs();
            assert!(error < 1e-7 * (1.0 + slope.abs()), "{case}: slope {slope}, by differences {numeric}");
        }
    }

    /// A layer from one variable to one, called as it is.
    #[track_caller]
    fn plain<M>(&mut self, case: &str, layer: M)
    where
        M: Module<f64> + Layer<Variable<f64>, Output = Variable<f64>>,
    {
        self.check(case, layer, |layer, inputs| vec![layer.forward(&inputs.floats[0])]);
    }

    /// First values: the same spread, bound and mean as PyTorch's, within what chance allows.
    #[track_caller]
    fn first<M: Module<f64>>(&mut self, case: &str, layer: M) {
        let stored = self.part("first", case);
        let dict = layer.state_dict();
        let names: BTreeSet<&str> = dict.names().collect();
        assert_eq!(names, stored.names().collect(), "{case}");
        for (name, tensor) in dict.iter() {
            let [spread, largest, mean] = <[f64; 3]>::try_from(stored.get(name).unwrap().to_vec()).unwrap();
            let count = tensor.len() as f64;
            let own_mean = tensor.iter().sum::<f64>() / count;
            let own_spread = (tensor.iter().map(|x| (x - own_mean).powi(2)).sum::<f64>() / count).sqrt();
            let own_largest = tensor.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
            if spread == 0.0 {
                assert_eq!((own_mean, own_spread), (mean, 0.0), "{case}.{name}");
                continue;
            }
            let noise = 5.0 / count.sqrt();
            assert!((own_mean - mean).abs() < 1.5 * noise * spread, "{case}.{name}: mean {own_mean}, {mean}");
            assert!((own_spread / spread - 1.0).abs() < noise, "{case}.{name}: {own_spread}, {spread}");
            // The largest of many uniform numbers is their bound; that of normal ones is a matter of chance.
            let uniform = largest < 2.0 * spread;
            let room = if uniform { (20.0 / count).min(0.1) } else { 0.5 };
            assert!((own_largest / largest - 1.0).abs() < room, "{case}.{name}: {own_largest}, {largest}");
        }
    }
}

#[track_caller]
fn agree(what: &str, got: &Tensor<f64>, want: &Tensor<f64>) {
    assert_eq!(got.shape(), want.shape(), "{what}");
    for (i, (got, want)) in got.iter().zip(want.iter()).enumerate() {
        assert!((got - want).abs() <= 1e-10 * (1.0 + want.abs()), "{what}: {got} at {i}, PyTorch has {want}");
    }
}

fn evaluated<M: Module<f64>>(layer: M) -> M {
    layer.eval();
    layer
}

fn hidden(mask: Tensor<bool>) -> AttentionOptions<f64> {
    AttentionOptions { attn_mask: Some(mask), ..AttentionOptions::default() }
}

fn padded(mask: Tensor<bool>) -> AttentionOptions<f64> {
    AttentionOptions { key_padding_mask: Some(mask), ..AttentionOptions::default() }
}

#[test]
fn layers_agree_with_pytorch() {
    let mut f = Fixture::load();
    affine_maps_and_shapes(&mut f);
    convolutions_and_pools(&mut f);
    normalisation(&mut f);
    embeddings_and_recurrence(&mut f);
    attention(&mut f);
    activations(&mut f);
    first_values(&mut f);
    schedules(&mut f);
    assert!(f.left.is_empty(), "stored, but not checked: {:?}", f.left);
}

fn affine_maps_and_shapes(f: &mut Fixture) {
    f.plain("linear", Linear::typed(4, 3));
    f.plain("linear_without_bias", Linear::typed(4, 3).bias(false));
    f.check("bilinear", Bilinear::typed(3, 4, 2), |layer, x| vec![layer.forward(&x.pair())]);
    f.plain("identity", Identity);
    f.plain("flatten", Flatten::default());
    f.plain("unflatten", Unflatten::new(1, &[2, 3]));
    f.plain("pixel_shuffle", PixelShuffle(2));
    f.plain("pixel_unshuffle", PixelUnshuffle(2));
    f.plain("upsample_nearest", Upsample::new(2.0, Interpolation::Nearest));
    f.plain("upsample_bilinear", Upsample::new(1.5, Interpolation::Linear { align_corners: false }));
    f.check("cosine_similarity", CosineSimilarity::default(), |layer, x| vec![layer.forward(&x.pair())]);
    f.check("pairwise_distance", PairwiseDistance::default(), |layer, x| vec![layer.forward(&x.pair())]);
    f.plain("rotary", RotaryEncoding::default());
    f.plain("sinusoidal", SinusoidalEncoding);
    f.plain("learned_encoding", LearnedEncoding::typed(6, 4));
    f.plain("dropout_eval", evaluated(Dropout::new(0.5)));
    f.plain("alpha_dropout_eval", evaluated(AlphaDropout::new(0.5)));
}

fn convolutions_and_pools(f: &mut Fixture) {
    f.plain("conv1d", Conv1d::typed(4, 6, 3).stride(2).padding(1).dilation(2).groups(2));
    f.plain("conv2d", Conv2d::typed(3, 4, [3, 2]).stride([1, 2]).padding([2, 1]));
    f.plain("conv3d", Conv3d::typed(2, 3, 2).padding(1));
    let transposed = ConvTranspose1d::typed(4, 6, 3).stride(2).padding(1).output_padding(1).groups(2);
    f.plain("conv_transpose1d", transposed);
    f.plain("conv_transpose2d", ConvTranspose2d::typed(3, 2, 3).stride(2).dilation(2));
    f.plain("max_pool1d", MaxPool1d::new(2));
    f.plain("max_pool2d", MaxPool2d::new(PoolOptions::new(3).stride(2).padding(1)));
    f.plain("max_pool3d", MaxPool3d::new(2));
    f.plain("avg_pool1d", AvgPool1d::new(PoolOptions::new(3).stride(2).padding(1)));
    f.plain("avg_pool2d", AvgPool2d::new(2));
    f.plain("avg_pool3d", AvgPool3d::new(2));
    f.plain("adaptive_avg_pool1d", AdaptiveAvgPool1d::new(3));
    f.plain("adaptive_avg_pool2d", AdaptiveAvgPool2d::new([2, 3]));
    f.plain("adaptive_avg_pool3d", AdaptiveAvgPool3d::new([2, 1, 2]));
    f.plain("adaptive_max_pool1d", AdaptiveMaxPool1d::new(3));
    f.plain("adaptive_max_pool3d", AdaptiveMaxPool3d::new([2, 1, 2]));
    f.plain("conv_transpose3d", ConvTranspose3d::typed(2, 3, 2).stride(2));
    f.plain("adaptive_max_pool2d", AdaptiveMaxPool2d::new([2, 3]));
}

fn normalisation(f: &mut Fixture) {
    f.plain("batch_norm1d", BatchNorm1d::typed(3));
    f.plain("batch_norm1d_sequences", BatchNorm1d::typed(3));
    f.plain("batch_norm2d", BatchNorm2d::typed(3));
    f.plain("batch_norm3d", BatchNorm3d::typed(2));
    f.plain("batch_norm_mean_of_all", BatchNorm1d::typed(3).momentum(None).eps(1e-3));
    f.plain("batch_norm_eval", evaluated(BatchNorm2d::typed(3)));
    f.plain("layer_norm", LayerNorm::typed([2, 4]));
    f.plain("layer_norm_plain", LayerNorm::typed(4).affine(false).eps(1e-2));
    f.plain("rms_norm", RMSNorm::typed(5));
    f.plain("group_norm", GroupNorm::typed(2, 6));
    f.plain("instance_norm1d", InstanceNorm1d::typed(3));
    f.plain("instance_norm2d", InstanceNorm2d::typed(3).affine(true));
}

fn embeddings_and_recurrence(f: &mut Fixture) {
    let embedding = Embedding::typed(6, 3).padding_idx(2);
    f.check("embedding", embedding, |layer, x| vec![layer.forward(&x.others[0])]);
    for (name, mode) in [("sum", BagMode::Sum), ("mean", BagMode::Mean), ("max", BagMode::Max)] {
        let bag = EmbeddingBag::typed(6, 3).padding_idx(0).mode(mode);
        f.check(&format!("embedding_bag_{name}"), bag, |layer, x| vec![layer.forward(&x.others[0])]);
    }

    let of_one = |(out, h): (Variable<f64>, Variable<f64>)| vec![out, h];
    let of_two = |(out, (h, c)): (_, (_, _))| vec![out, h, c];
    f.check("rnn", Rnn::typed(3, 4), |layer, x| of_one(layer.forward(&x.floats[0])));
    let relu = Rnn::typed(3, 4).layers(2).nonlinearity(Nonlinearity::Relu);
    f.check("rnn_relu", relu, |layer, x| of_one(layer.forward(&x.floats[0])));
    let lstm = || Lstm::typed(3, 4).layers(2).bidirectional(true).batch_first(true);
    f.check("lstm", lstm(), |layer, x| of_two(layer.forward(&x.floats[0])));
    f.check("lstm_without_bias", Lstm::typed(3, 4).bias(false), |layer, x| {
        of_two(layer.forward(&x.floats[0]))
    });
    let gru = || Gru::typed(3, 4).layers(2).bidirectional(true);
    f.check("gru", gru(), |layer, x| of_one(layer.forward(&x.floats[0])));
    f.check("lstm_from_state", Lstm::typed(3, 4), |layer, x| {
        of_two(layer.forward_from(&x.floats[0], Some(&(x.floats[1].clone(), x.floats[2].clone()))))
    });
    f.check("gru_from_state", Gru::typed(3, 4), |layer, x| {
        of_one(layer.forward_from(&x.floats[0], Some(&x.floats[1])))
    });
    f.check("rnn_cell", RnnCell::typed(3, 4), |cell, x| vec![cell.step(&x.floats[0], &x.floats[1])]);
    f.check("gru_cell", GruCell::typed(3, 4), |cell, x| vec![cell.step(&x.floats[0], &x.floats[1])]);
    f.check("lstm_cell", LstmCell::typed(3, 4), |cell, x| {
        let (h, c) = cell.step(&x.floats[0], &(x.floats[1].clone(), x.floats[2].clone()));
        vec![h, c]
    });

    let mask = |x: &Inputs| sequence_mask(&x.lengths(), 5);
    f.check("rnn_packed", Rnn::typed(3, 4), |layer, x| {
        of_one(layer.forward_masked(&x.floats[0], None, &mask(x)))
    });
    f.check("lstm_packed", lstm(), |layer, x| of_two(layer.forward_masked(&x.floats[0], None, &mask(x))));
    f.check("gru_packed", gru().batch_first(true), |layer, x| {
        of_one(layer.forward_masked(&x.floats[0], None, &mask(x)))
    });
    f.check("lstm_packed_from_state", Lstm::typed(3, 4).batch_first(true), |layer, x| {
        let state = (x.floats[1].clone(), x.floats[2].clone());
        of_two(layer.forward_masked(&x.floats[0], Some(&state), &mask(x)))
    });
}

fn attention(f: &mut Fixture) {
    let new = || MultiheadAttention::typed(6, 2);
    let attend = |layer: &MultiheadAttention<f64>, x: &[Variable<f64>], options: AttentionOptions<f64>| {
        let (key, value) = (x.get(1).unwrap_or(&x[0]), x.get(2).unwrap_or(&x[0]));
        let options = AttentionOptions { need_weights: true, ..options };
        let (out, weights) = layer.attend(&x[0], key, value, &options);
        vec![out, weights.expect("asked for")]
    };
    let free = AttentionOptions::default;
    f.check("attention_self", new(), |layer, x| attend(layer, &x.floats, free()));
    f.check("attention_cross", new(), |layer, x| attend(layer, &x.floats, free()));
    f.check("attention_without_bias", new().bias(false), |layer, x| attend(layer, &x.floats, free()));
    f.check("attention_padding", new(), |layer, x| attend(layer, &x.floats, padded(x.mask(0))));
    f.check("attention_mask", new(), |layer, x| attend(layer, &x.floats, hidden(x.mask(0))));
    f.check("attention_added", new(), |layer, x| {
        let added = AttentionOptions { attn_bias: Some(x.floats[3].clone()), ..free() };
        attend(layer, &x.floats, added)
    });
    f.check("attention_sizes", new().key_value_sizes(4, 5), |layer, x| attend(layer, &x.floats, free()));
    let causal = || AttentionOptions { causal: true, ..AttentionOptions::default() };
    f.check("attention_causal", new(), |layer, x| attend(layer, &x.floats, causal()));

    let options = TransformerOptions { feedforward: 8, dropout: 0.0, ..TransformerOptions::default() };
    let modern = TransformerOptions { norm_first: true, gelu: true, ..options };
    let encoder = |options| TransformerEncoderLayer::typed(6, 2, options);
    f.plain("encoder_layer", encoder(options));
    f.plain("encoder_layer_norm_first", encoder(modern));
    f.check("encoder_layer_masked", encoder(options), |layer, x| {
        vec![layer.encode(&x.floats[0], &padded(x.mask(0)))]
    });
    for (case, options) in [("decoder_layer", options), ("decoder_layer_norm_first", modern)] {
        f.check(case, TransformerDecoderLayer::typed(6, 2, options), |layer, x| {
            vec![layer.decode(&x.floats[0], &x.floats[1], &causal(), &free())]
        });
    }
}

fn activations(f: &mut Fixture) {
    f.plain("relu", ReLU);
    f.plain("relu6", ReLU6);
    f.plain("sigmoid", Sigmoid);
    f.plain("log_sigmoid", LogSigmoid);
    f.plain("tanh", Tanh);
    f.plain("tanhshrink", Tanhshrink);
    f.plain("softsign", Softsign);
    f.plain("silu", SiLU);
    f.plain("mish", Mish);
    f.plain("selu", SELU);
    f.plain("hardsigmoid", Hardsigmoid);
    f.plain("hardswish", Hardswish);
    f.plain("leaky_relu", LeakyReLU::default());
    f.plain("elu", ELU::default());
    f.plain("celu", CELU::default());
    f.plain("softplus", Softplus::default());
    f.plain("hardtanh", Hardtanh::default());
    f.plain("glu", GLU::default());
    f.plain("softmax", Softmax::default());
    f.plain("log_softmax", LogSoftmax::default());
    f.plain("gelu", GELU::default());
    f.plain("gelu_tanh", GELU { tanh: true });
    f.plain("softmin", Softmin::default());
    f.plain("softshrink", Softshrink::default());
    f.plain("hardshrink", Hardshrink::default());
    f.plain("threshold", Threshold { threshold: 0.3, value: -2.0 });
    f.plain("prelu", PReLU::typed(3));
}

fn first_values(f: &mut Fixture) {
    wengert::manual_seed(4);
    f.first("linear", Linear::typed(300, 400));
    f.first("bilinear", Bilinear::typed(40, 30, 50));
    f.first("conv2d", Conv2d::typed(40, 200, 5).groups(4));
    f.first("conv_transpose2d", ConvTranspose2d::typed(40, 200, 5));
    f.first("embedding", Embedding::typed(300, 200));
    f.first("embedding_bag", EmbeddingBag::typed(300, 200));
    f.first("lstm", Lstm::typed(100, 150));
    f.first("gru_cell", GruCell::typed(100, 150));
    f.first("attention", MultiheadAttention::typed(200, 4));
    f.first("attention_sizes", MultiheadAttention::typed(200, 4).key_value_sizes(300, 400));
    f.first("batch_norm", BatchNorm2d::typed(10));
    f.first("layer_norm", LayerNorm::typed(10));
    f.first("rms_norm", RMSNorm::typed(10));
    f.first("group_norm", GroupNorm::typed(2, 10));
    f.first("prelu", PReLU::typed(10));
    let options = TransformerOptions { feedforward: 300, ..TransformerOptions::default() };
    f.first("encoder_layer", TransformerEncoderLayer::typed(200, 4, options));
    f.left.remove("first");
}

fn schedules(f: &mut Fixture) {
    let check = |name: &str, schedule: &dyn Schedule| {
        let want = f.stored.get(&format!("schedule/{name}")).expect("stored");
        for (step, want) in want.iter().enumerate() {
            let got = schedule.lr(0.1, step as u64);
            assert!((got - want).abs() < 1e-12, "{name}: {got} at step {step}, PyTorch has {want}");
        }
    };
    check("lambda", &LambdaLr(|t: u64| 0.9_f64.powf(t as f64) / (1.0 + t as f64)));
    check("chained", &ChainedLr::new().and(ConstantLr::new(0.5, 4)).and(ExponentialLr::new(0.9)));
    let three = SequentialLr::new(LinearLr::new(0.1, 1.0, 3))
        .then(3, ConstantLr::new(1.0, 1))
        .then(6, ExponentialLr::new(0.8));
    check("sequential_of_three", &three);
    check("cosine_to_a_floor", &CosineAnnealingLr::new(10).min(0.02));
    f.left.remove("schedule");
}
