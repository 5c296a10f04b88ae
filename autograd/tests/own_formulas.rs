//! `elementwise!` on the real graph: values and derivatives equal those of the operations it is made of.

use wengert_autograd::{Float, Tensor, Variable, elementwise, grad};

const THREE: f64 = 3.0;

elementwise! {
    fn swish(x, beta) = x / (1 + exp(-beta * x))
    fn root_or[otherwise: f64](x) = if x > 0 && !(x == 4) { sqrt(x) } else { otherwise }
    fn cell(i, f, g, o, c) = {
        let c = sigmoid(f) * c + sigmoid(i) * tanh(g);
        (sigmoid(o) * tanh(c), c)
    }
    fn blend(x, y, z) = x * exp(-y * y) + z / (1 + x * x)
    fn cubic(x) = powi(x, 3) * THREE - x.max(0).powf(1.5) + std::f64::consts::PI
}

fn leaf(values: &[f64]) -> Variable<f64> {
    Variable::parameter(Tensor::from_slice(values, [values.len()]).expect("a vector"))
}

#[track_caller]
fn close(a: &Variable<f64>, b: &Variable<f64>) {
    approx::assert_abs_diff_eq!(a.value(), b.value(), epsilon = 1e-12);
}

/// The first and second derivatives of the outputs' weighted sum agree.
#[track_caller]
fn agree(ours: &[Variable<f64>], theirs: &[Variable<f64>], inputs: &[&Variable<f64>]) {
    let derivatives = |outputs: &[Variable<f64>]| {
        let weighted = |(k, y): (usize, &Variable<f64>)| {
            let weights = Tensor::from_fn([y.len()], |i| 0.3 + 0.7 * (i[0] as f64 + 2.0 * k as f64).sin());
            (y * &Variable::new(weights.reshape(y.value().shape()))).sum()
        };
        let total = outputs.iter().enumerate().map(weighted).reduce(|a, b| &a + &b).expect("outputs");
        let first = grad(&[&total]).create_graph(true).wrt(inputs);
        let norm = first.iter().map(|g| (g * g).sum()).reduce(|a, b| &a + &b).expect("inputs");
        let second = grad(&[&norm]).wrt(inputs);
        [first, second].concat()
    };
    ours.iter().zip(theirs).for_each(|(ours, theirs)| close(ours, theirs));
    derivatives(ours).iter().zip(&derivatives(theirs)).for_each(|(ours, theirs)| close(ours, theirs));
}

#[test]
fn a_formula_equals_its_operations() {
    let (x, beta) = (leaf(&[-2.0, 0.3, 1.7]), leaf(&[1.5]));
    let theirs = &x / &((-&(&beta * &x)).exp() + 1.0);
    agree(&[swish(&x, &beta)], &[theirs], &[&x, &beta]);
}

#[test]
fn several_outputs() {
    let inputs: Vec<Variable<f64>> = (0..5).map(|k| leaf(&[0.1 * f64::from(k), -0.4, 0.9])).collect();
    let [i, f, g, o, c] = &inputs[..] else { unreachable!() };
    let (hidden, state) = cell(i, f, g, o, c);
    let expected = &(&f.sigmoid() * c) + &(&i.sigmoid() * &g.tanh());
    agree(&[hidden, state], &[&o.sigmoid() * &expected.tanh(), expected], &[i, f, g, o, c]);
}

#[test]
fn a_side_that_is_not_chosen_does_no_harm() {
    let x = leaf(&[-1.0, 9.0, 4.0]);
    let y = root_or(&x, 7.0);
    assert_eq!(y.value().to_vec(), [7.0, 3.0, 7.0]);
    let first = grad(&[&y.sum()]).create_graph(true).wrt(&[&x]).remove(0);
    assert_eq!(first.value().to_vec(), [0.0, 1.0 / 6.0, 0.0]);
    let second = grad(&[&first.sum()]).wrt(&[&x]).remove(0).value().to_vec();
    assert!((second[1] + 0.25 / 27.0).abs() < 1e-15 && second[2] == 0.0, "{second:?}");
}

#[test]
fn both_number_types_and_names() {
    fn at<T: Float>(x: Variable<T>) -> Variable<T> {
        cubic(&x)
    }
    let expected = 24.0 - 2f64.powf(1.5) + std::f64::consts::PI;
    assert!((at(Variable::from(2.0_f64)).item() - expected).abs() < 1e-12);
    assert!((f64::from(at(Variable::from(2.0_f32)).item()) - expected).abs() < 1e-5);
    let line = line!() + 1;
    let y = root_or(&leaf(&[1.0]), 0.0);
    assert_eq!((y.op_name(), y.recorded_at().map(|at| at.line())), (Some("root_or"), Some(line)));
}

/// A loop computes all cotangents and writes those that are wanted, in one block, in several, and where inputs are broadcast.
#[test]
fn a_gradient_does_not_depend_on_what_else_is_wanted() {
    fn numbers(seed: f64, shape: &[usize]) -> Tensor<f64> {
        let mut k = seed;
        Tensor::from_fn(shape, |_| {
            k += 1.0;
            (1.3 * k).sin() + 0.2 * (0.7 * k).cos()
        })
    }
    for (rows, columns, narrow) in [(1, 3, false), (3, 7, true), (200, 101, false), (200, 101, true)] {
        let wide = [rows, columns];
        let shapes: [&[usize]; 3] = [&wide, if narrow { &wide[1..] } else { &wide }, &wide];
        let mut cotangent = numbers(5.0, &wide).to_vec();
        cotangent[1] = f64::INFINITY; // what is not wanted may be computed from this
        let cotangent = Variable::new(Tensor::from_slice(&cotangent, wide).expect("as many"));
        let gradients = |wanted: usize| -> Vec<Option<Vec<u64>>> {
            let inputs: Vec<Variable<f64>> = (0..3)
                .map(|i| match wanted >> i & 1 {
                    1 => Variable::parameter(numbers(100.0 * i as f64, shapes[i])),
                    _ => Variable::new(numbers(100.0 * i as f64, shapes[i])),
                })
                .collect();
            let [x, y, z] = &inputs[..] else { unreachable!() };
            // The second use adds to gradients that are there already.
            (blend(x, y, z) + swish(x, z) * y).backward_with(&cotangent);
            let bits =
                |g: Tensor<f64>| g.iter().map(|g| if g.is_nan() { u64::MAX } else { g.to_bits() }).collect();
            inputs.iter().map(|input| input.grad().map(bits)).collect()
        };
        let all = gradients(0b111);
        for wanted in 1..0b111 {
            for (i, found) in gradients(wanted).into_iter().enumerate() {
                let expected = if wanted >> i & 1 == 1 { all[i].clone() } else { None };
                assert!(found == expected, "input {i} of {wide:?}, of those wanted {wanted:03b}");
            }
        }
    }
}
