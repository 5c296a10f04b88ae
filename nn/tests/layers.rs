//! The layers: names, shapes and behaviour that the reference models do not show.

use wengert_autograd::{Tensor, Variable, tensor, tensor::Generator};
use wengert_nn::*;

fn names<M: Module>(module: &M) -> Vec<String> {
    module.state_dict().names().map(String::from).collect()
}

fn random(shape: &[usize]) -> Variable {
    Variable::new(Tensor::randn(shape, &mut Generator::new(1)))
}

#[test]
fn recurrent_layers_have_the_names_of_pytorch() {
    let lstm = Lstm::new(3, 4).layers(2).bidirectional(true);
    assert_eq!(
        names(&lstm)[..5],
        ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_ih_l0_reverse"]
    );
    assert_eq!(names(&lstm)[8], "weight_ih_l1");
    assert_eq!(lstm.state_dict().get("weight_ih_l1").unwrap().shape(), [16, 8]);
    assert_eq!(names(&Gru::new(3, 4).bias(false)), ["weight_ih_l0", "weight_hh_l0"]);
    assert_eq!(names(&LstmCell::new(3, 4)), ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]);
    let copy = lstm.copy();
    assert!(!copy.parameters()[0].is_same(&lstm.parameters()[0]));
    assert_eq!(copy.state_dict(), lstm.state_dict());
}

#[test]
fn a_cell_repeated_is_a_layer() {
    let gru = Gru::new(3, 4);
    let cell = GruCell::new(3, 4);
    let weights = gru.state_dict().rename(|name| name.strip_suffix("_l0").map(String::from));
    cell.load_state_dict(&weights).unwrap();
    let x = random(&[5, 2, 3]);
    let mut h = Variable::zeros([2, 4]);
    for step in 0..5 {
        h = cell.step(&x.select(0, step), &h);
    }
    let (out, last) = gru.forward(&x);
    for (a, b) in h.value().iter().zip(last.value().iter()) {
        assert!((a - b).abs() < 1e-6);
    }
    assert_eq!(out.select(0, 4).value(), last.select(0, 0).value());
}

#[test]
fn attention_and_transformers_have_the_names_of_pytorch() {
    let options = TransformerOptions { feedforward: 8, ..Default::default() };
    let attention = ["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"];
    assert_eq!(names(&MultiheadAttention::new(4, 2)), attention);
    let sizes = names(&MultiheadAttention::new(4, 2).key_value_sizes(3, 5));
    assert_eq!(sizes[..3], ["q_proj_weight", "k_proj_weight", "v_proj_weight"]);
    assert_eq!(sizes[3..], attention[1..]);
    let layer = names(&TransformerDecoderLayer::new(4, 2, options));
    for part in ["self_attn.in_proj_weight", "multihead_attn.out_proj.bias", "linear1.weight", "norm3.bias"] {
        assert!(layer.iter().any(|name| name == part), "{part}");
    }
    assert_eq!(layer.len(), 2 * 4 + 2 * 2 + 3 * 2);
}

#[test]
fn evaluation_is_without_chance() {
    let layer = TransformerEncoderLayer::new(
        8,
        2,
        TransformerOptions { norm_first: true, gelu: true, ..Default::default() },
    );
    let x = random(&[2, 5, 8]);
    assert_ne!(layer.forward(&x).value(), layer.forward(&x).value());
    layer.eval();
    assert_eq!(layer.forward(&x).value(), layer.forward(&x).value());
}

#[test]
fn a_causal_decoder_does_not_see_what_follows() {
    let layer = TransformerDecoderLayer::new(8, 2, TransformerOptions { dropout: 0.0, ..Default::default() });
    let causal = AttentionOptions { causal: true, ..Default::default() };
    let (x, memory) = (random(&[1, 6, 8]), random(&[1, 3, 8]));
    let whole = layer.decode(&x, &memory, &causal, &AttentionOptions::default());
    let part = layer.decode(&x.narrow(1, 0, 4), &memory, &causal, &AttentionOptions::default());
    for (a, b) in whole.narrow(1, 0, 4).value().iter().zip(part.value().iter()) {
        assert!((a - b).abs() < 1e-5);
    }
}

#[test]
fn batch_normalisation_in_training_and_evaluation() {
    let norm = BatchNorm2d::new(2).momentum(None);
    assert_eq!(names(&norm), ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]);
    let batches = [random(&[4, 2, 3, 3]), random(&[8, 2, 3, 3]) * 2.0 + 1.0];
    for batch in &batches {
        let y = norm.forward(batch).value().to_vec();
        let mean = y.iter().sum::<f32>() / y.len() as f32;
        assert!(mean.abs() < 1e-5);
    }
    assert_eq!(norm.num_batches_tracked.value().item(), 2.0);
    // Without a momentum the running mean is that of the batches' means.
    let mean = |x: &Variable| x.mean_axes([0, 2, 3], false).value().to_vec();
    let (first, second) = (mean(&batches[0]), mean(&batches[1]));
    for (channel, running) in norm.running_mean.value().iter().enumerate() {
        assert!((running - (first[channel] + second[channel]) / 2.0).abs() < 1e-5);
    }
    norm.eval();
    let x = random(&[1, 2, 1, 1]);
    let (y, rm, rv) = (norm.forward(&x).value(), norm.running_mean.value(), norm.running_var.value());
    for channel in 0..2 {
        let expected =
            (x.value().to_vec()[channel] - rm.to_vec()[channel]) / (rv.to_vec()[channel] + 1e-5).sqrt();
        assert!((y.to_vec()[channel] - expected).abs() < 1e-5);
    }
    assert_eq!(norm.num_batches_tracked.value().item(), 2.0);
}

#[test]
fn padding_has_the_vector_zero_and_no_gradient() {
    let layer = Embedding::new(5, 3).padding_idx(2);
    let y = layer.forward(&tensor![2, 4]);
    assert_eq!(y.value().select(0, 0).to_vec(), [0.0; 3]);
    y.sum().backward();
    let gradient = layer.weight.grad().unwrap();
    assert_eq!(gradient.select(0, 2).to_vec(), [0.0; 3]);
    assert_eq!(gradient.select(0, 4).to_vec(), [1.0; 3]);
}

#[test]
fn bags_do_not_count_padding() {
    let bag = EmbeddingBag::new(5, 2).padding_idx(0);
    let rows = bag.weight.value();
    let y = bag.forward(&tensor![[1, 3, 0], [0, 0, 0]]).value();
    for k in 0..2 {
        let expected = (rows.get(&[1, k]).unwrap() + rows.get(&[3, k]).unwrap()) / 2.0;
        assert!((y.get(&[0, k]).unwrap() - expected).abs() < 1e-6);
        assert_eq!(y.get(&[1, k]), Some(0.0));
    }
}

#[test]
fn rotary_products_depend_on_the_distance() {
    let (q, k) = (random(&[1, 4]), random(&[2, 4]).narrow(0, 1, 1));
    let rotary = RotaryEncoding::default();
    let at = |x: &Variable, position: usize| {
        let repeated = x.broadcast_to([position + 1, 4]);
        rotary.forward(&repeated).narrow(0, position, 1)
    };
    let product = |a: usize, b: usize| (at(&q, a) * at(&k, b)).sum().item();
    assert!((product(3, 1) - product(9, 7)).abs() < 1e-5);
    assert!((product(3, 1) - product(3, 2)).abs() > 1e-4);
}

#[test]
fn pixel_shuffle_interleaves_the_channels() {
    let x = Variable::new(Tensor::arange(0.0_f32, 4.0, 1.0).reshape([1, 4, 1, 1]));
    let y = PixelShuffle(2).forward(&x);
    assert_eq!(y.value().to_vec(), [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(PixelUnshuffle(2).forward(&y).value(), x.value());
}

#[test]
fn bilinear_is_a_form_for_each_output() {
    let layer = Bilinear::new(2, 3, 2);
    let (a, b) = (random(&[1, 2]), random(&[1, 3]));
    let y = layer.forward(&(a.clone(), b.clone())).value().to_vec();
    let (w, bias) = (layer.weight.value(), layer.bias.as_ref().unwrap().value());
    for (o, y) in y.iter().enumerate() {
        let mut expected = bias.to_vec()[o];
        for i in 0..2 {
            for j in 0..3 {
                expected += a.value().to_vec()[i] * w.get(&[o, i, j]).unwrap() * b.value().to_vec()[j];
            }
        }
        assert!((y - expected).abs() < 1e-5);
    }
}
