//! Attention over several blocks of queries, against the same computed with the whole matrix of scores.

use approx::abs_diff_eq;
use std::sync::Mutex;
use wengert_autograd::{ScaledDotProductAttention, Tensor, Variable, manual_seed, tensor::Generator};

/// The process's random numbers belong to one test at a time.
static RANDOM: Mutex<()> = Mutex::new(());

/// The output, and the gradients of q, k and v.
fn run(
    attention: &ScaledDotProductAttention<f64>,
    [q, k, v]: [&Tensor<f64>; 3],
    g: &Tensor<f64>,
) -> Vec<Tensor<f64>> {
    let _alone = RANDOM.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let inputs = [q, k, v].map(|x| Variable::parameter(x.clone()));
    manual_seed(5);
    let out = attention.forward(&inputs[0], &inputs[1], &inputs[2]);
    out.backward_with(&Variable::new(g.clone()));
    let mut found = vec![out.value()];
    found.extend(inputs.iter().map(|x| x.grad().expect("all three are used")));
    found
}

/// Compares the kernels with the definition, which a bias that wants a gradient asks for.
fn agrees(attention: ScaledDotProductAttention<f64>, l: usize, s: usize) {
    let generator = &mut Generator::new(3);
    let mut draw = |shape: [usize; 3]| Tensor::<f64>::randn(shape, generator);
    let (q, k, v, g) = (draw([2, l, 5]), draw([2, s, 5]), draw([2, s, 3]), draw([2, l, 3]));
    let fused = run(&attention, [&q, &k, &v], &g);
    let bias = Variable::parameter(Tensor::zeros([l, s]));
    let whole = run(&attention.bias(bias), [&q, &k, &v], &g);
    for (name, (fused, whole)) in ["out", "q", "k", "v"].iter().zip(fused.iter().zip(&whole)) {
        assert!(abs_diff_eq!(*fused, *whole, epsilon = 1e-12), "{name}: {fused} against {whole}");
    }
}

#[test]
fn several_blocks_are_one_matrix() {
    agrees(ScaledDotProductAttention::new(), 150, 90);
}

#[test]
fn under_a_causal_mask_later_blocks_see_more() {
    agrees(ScaledDotProductAttention::new().causal(true), 150, 150);
    agrees(ScaledDotProductAttention::new().causal(true), 150, 70);
    agrees(ScaledDotProductAttention::new().causal(true).scale(0.1), 70, 150);
}

#[test]
fn a_mask_and_dropout_know_their_places() {
    let mask = Tensor::from_fn([130, 80], |at| (at[0] * 7 + at[1] * 3) % 5 != 0);
    agrees(ScaledDotProductAttention::new().mask(mask.clone()), 130, 80);
    agrees(ScaledDotProductAttention::new().mask(mask).causal(true).dropout(0.3), 130, 80);
}

#[test]
fn heads_may_stand_side_by_side() {
    let generator = &mut Generator::new(4);
    let mut draw = |steps, size| Tensor::<f64>::randn([2, steps, 3, size], generator).transpose(1, 2);
    let (q, k, v, g) = (draw(70, 5), draw(90, 5), draw(90, 4), draw(70, 4));
    let [packed_q, packed_k, packed_v, packed_g] = [&q, &k, &v, &g].map(Tensor::contiguous);
    let attention = ScaledDotProductAttention::new().causal(true);
    let found = run(&attention, [&q, &k, &v], &g);
    let packed = run(&attention, [&packed_q, &packed_k, &packed_v], &packed_g);
    for (found, packed) in found.iter().zip(&packed) {
        assert_eq!(found.shape(), packed.shape());
        for (found, packed) in found.iter().zip(packed.iter()) {
            assert!((found - packed).abs() < 1e-12, "{found} against {packed}");
        }
    }
    // The result lies as the queries do, so the heads are put together without a copy.
    assert!(found[0].transpose(1, 2).is_contiguous() && packed[0].is_contiguous());
}
