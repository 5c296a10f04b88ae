//! Matrix products: values against plain loops, gradients of order 1 and 2, messages, and bits on any number of threads.

use wengert_autograd::{Tensor, Variable, grad};

/// Numbers in (-1, 1), the same each time.
fn numbers(shape: &[usize], seed: u64) -> Tensor<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    Tensor::from_fn(shape, |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    })
}

/// The same numbers with the last two axes exchanged in memory.
fn transposed_in_memory(x: &Tensor<f64>) -> Tensor<f64> {
    x.transpose(-1, -2).packed().transpose(-1, -2)
}

/// Every second element of a buffer that is NaN elsewhere.
fn sliced_in_memory(x: &Tensor<f64>) -> Tensor<f64> {
    let mut shape = x.shape().to_vec();
    *shape.last_mut().unwrap() *= 2;
    let wide = Tensor::from_fn(shape.as_slice(), |index| {
        let mut index = index.to_vec();
        let last = index.last_mut().unwrap();
        if *last % 2 == 1 {
            return f64::NAN;
        }
        *last /= 2;
        x.get(&index).unwrap()
    });
    wide.slice_axis(-1, 0, isize::MAX, 2)
}

/// The product of two tensors of at least two axes, by its definition.
fn definition(a: &Tensor<f64>, b: &Tensor<f64>) -> Tensor<f64> {
    let (m, k, n) = (a.size(-2), a.size(-1), b.size(-1));
    let rank = a.rank().max(b.rank());
    let batch = |x: &Tensor<f64>| {
        let mut shape = vec![1; rank - x.rank()];
        shape.extend_from_slice(&x.shape()[..x.rank() - 2]);
        shape
    };
    let mut shape: Vec<usize> =
        batch(a).into_iter().zip(batch(b)).map(|(a, b)| if a == 1 { b } else { a }).collect();
    shape.extend([m, n]);
    Tensor::from_fn(shape.as_slice(), |index| {
        let at = |x: &Tensor<f64>, i: usize, j: usize| {
            let mut place: Vec<usize> = index[rank - x.rank()..rank - 2].to_vec();
            for (axis, i) in place.iter_mut().enumerate() {
                if x.shape()[axis] == 1 {
                    *i = 0;
                }
            }
            place.extend([i, j]);
            x.get(&place).unwrap()
        };
        (0..k).map(|p| at(a, index[rank - 2], p) * at(b, p, index[rank - 1])).sum()
    })
}

fn assert_close(got: &Tensor<f64>, want: &Tensor<f64>, tolerance: f64, what: &str) {
    assert_eq!(got.shape(), want.shape(), "{what}");
    for (got, want) in got.to_vec().into_iter().zip(want.to_vec()) {
        assert!((got - want).abs() <= tolerance * (1.0 + want.abs()), "{what}: {got} against {want}");
    }
}

/// Shapes that meet every method: plain loops, rows, columns, long and short sums, batches of all kinds.
const SHAPES: &[(&[usize], &[usize])] = &[
    (&[3, 4], &[4, 5]),
    (&[1, 1], &[1, 1]),
    (&[20, 30], &[30, 40]),
    (&[7, 900], &[900, 1]),
    (&[1, 900], &[900, 7]),
    (&[3, 9000], &[9000, 1]),
    (&[1, 9000], &[9000, 1]),
    (&[2500, 3], &[3, 1]),
    (&[2500, 1], &[1, 3]),
    (&[1, 3], &[3, 2500]),
    (&[10, 300], &[300, 100]),
    (&[100, 300], &[300, 10]),
    (&[129, 65], &[65, 33]),
    (&[20, 100], &[100, 1030]),
    (&[20, 100], &[100, 70]),
    (&[0, 4], &[4, 5]),
    (&[3, 0], &[0, 5]),
    (&[3, 4], &[4, 0]),
    (&[5, 3, 4], &[4, 6]),
    (&[5, 3, 4], &[5, 4, 6]),
    (&[5, 3, 4], &[1, 4, 6]),
    (&[3, 4], &[5, 4, 6]),
    (&[2, 1, 3, 4], &[5, 4, 6]),
    (&[2, 3, 20, 30], &[3, 30, 10]),
    (&[0, 3, 4], &[4, 6]),
    (&[0, 3, 4], &[0, 4, 6]),
    (&[2, 3, 0], &[0, 6]),
];

#[test]
fn products_of_every_shape_and_layout_are_as_defined() {
    for (seed, (a, b)) in SHAPES.iter().enumerate() {
        let (a, b) = (numbers(a, seed as u64), numbers(b, seed as u64 + 100));
        let want = definition(&a, &b);
        for (i, a) in [a.clone(), transposed_in_memory(&a), sliced_in_memory(&a)].iter().enumerate() {
            for (j, b) in [b.clone(), transposed_in_memory(&b), sliced_in_memory(&b)].iter().enumerate() {
                let what = format!("{:?} · {:?}, layouts {i} and {j}", a.shape(), b.shape());
                assert_close(&a.matmul(b), &want, 1e-12, &what);
            }
        }
    }
}

#[test]
fn vectors_are_rows_on_the_left_and_columns_on_the_right() {
    let (v, w) = (numbers(&[6], 1), numbers(&[6], 2));
    let (a, b) = (numbers(&[3, 4, 6], 3), numbers(&[3, 6, 5], 4));
    let (row, column) = (v.reshape([1, 6]), w.reshape([6, 1]));
    assert_close(&v.matmul(&w), &row.matmul(&column).reshape(()), 1e-15, "dot");
    assert_close(&a.matmul(&w), &a.matmul(&column).reshape([3, 4]), 1e-14, "batch times vector");
    assert_close(&v.matmul(&b), &row.matmul(&b).reshape([3, 5]), 1e-14, "vector times batch");
}

/// L = Σ r·f(x…) with random r.
fn loss(output: &Variable<f64>) -> Variable<f64> {
    let cotangent = Variable::new(numbers(&output.shape(), 77));
    (output * &cotangent).sum()
}

/// Checks the gradients of `function` against central differences, then those of a random combination of the gradients.
fn check(what: &str, inputs: &[Tensor<f64>], function: &dyn Fn(&[Variable<f64>]) -> Variable<f64>) {
    let first = |inputs: &[Variable<f64>]| loss(&function(inputs));
    check_order(what, inputs, &first);
    let second = |inputs: &[Variable<f64>]| {
        let value = first(inputs);
        let gradients = grad(&[&value]).create_graph(true).wrt(&inputs.iter().collect::<Vec<_>>());
        let weighted: Vec<_> = gradients
            .iter()
            .enumerate()
            .map(|(i, g)| (g * &Variable::new(numbers(&g.shape(), i as u64))).sum())
            .collect();
        weighted.iter().skip(1).fold(weighted[0].clone(), |sum, term| sum + term)
    };
    check_order(&format!("{what}, second order"), inputs, &second);
}

fn check_order(what: &str, inputs: &[Tensor<f64>], function: &dyn Fn(&[Variable<f64>]) -> Variable<f64>) {
    let variables: Vec<_> = inputs.iter().map(|x| Variable::parameter(x.clone())).collect();
    let value = function(&variables);
    if !value.needs_grad() {
        return;
    }
    value.backward();
    for (k, input) in inputs.iter().enumerate() {
        let found = variables[k].grad().unwrap_or_else(|| Tensor::zeros(input.shape()));
        assert_eq!(found.shape(), input.shape(), "{what}: input {k}");
        for at in 0..input.len() {
            let moved = |step: f64| {
                let mut data = input.to_vec();
                data[at] += step;
                let mut moved: Vec<_> = inputs.iter().map(|x| Variable::parameter(x.clone())).collect();
                moved[k] = Variable::parameter(Tensor::from_vec(data, input.shape()).unwrap());
                function(&moved).item()
            };
            let (step, got) = (1e-5, found.to_vec()[at]);
            let want = (moved(step) - moved(-step)) / (2.0 * step);
            assert!(
                (got - want).abs() <= 1e-6 * (1.0 + want.abs()),
                "{what}: input {k}, element {at}: {got} against {want}"
            );
        }
    }
}

#[test]
fn gradients_of_products() {
    let shapes: &[(&[usize], &[usize])] = &[
        (&[3], &[3]),
        (&[2, 3], &[3]),
        (&[3], &[3, 2]),
        (&[2, 3], &[3, 4]),
        (&[2, 1], &[1, 2]),
        (&[2, 2, 3], &[3]),
        (&[3], &[2, 3, 2]),
        (&[2, 2, 3], &[3, 2]),
        (&[2, 3], &[2, 3, 2]),
        (&[2, 2, 3], &[2, 3, 2]),
        (&[2, 1, 2, 3], &[3, 3, 2]),
        (&[2, 2, 3], &[1, 3, 2]),
        (&[0, 3], &[3, 2]),
        (&[2, 0], &[0, 2]),
        (&[0, 2, 3], &[3, 2]),
    ];
    for (a, b) in shapes {
        let what = format!("{a:?} · {b:?}");
        let inputs = [numbers(a, 5), numbers(b, 6)];
        check(&what, &inputs, &|x| x[0].matmul(&x[1]));
        check(&format!("{what}, non-linear"), &inputs, &|x| x[0].matmul(&x[1]).tanh());
        if a.len() > 1 && b.len() > 1 {
            let views = [transposed_in_memory(&inputs[0]), sliced_in_memory(&inputs[1])];
            check(&format!("{what}, views"), &views, &|x| x[0].matmul(&x[1]));
        }
    }
    check("x · x", &[numbers(&[3, 3], 7)], &|x| x[0].matmul(&x[0]));
    check("x · xᵀ", &[numbers(&[2, 3], 7)], &|x| x[0].matmul(&x[0].t()));
}

#[test]
fn gradients_of_linear() {
    for x in [&[3][..], &[2, 3], &[2, 2, 3], &[0, 3], &[1, 3]] {
        let inputs = [numbers(x, 1), numbers(&[2, 3], 2), numbers(&[2], 3)];
        check(&format!("linear {x:?}"), &inputs[..2], &|x| x[0].linear(&x[1], None).tanh());
        check(&format!("linear {x:?} with bias"), &inputs, &|x| x[0].linear(&x[1], Some(&x[2])).tanh());
        let [x, weight, bias] = inputs.map(Variable::new);
        let want = x.matmul(&weight.t()) + &bias;
        assert_close(&x.linear(&weight, Some(&bias)).value(), &want.value(), 1e-14, "linear");
    }
}

/// Shapes for which the product is added to the bias by each method.
#[test]
fn a_bias_is_added_by_every_method() {
    for [rows, inputs, outputs] in
        [[2, 3, 4], [1, 900, 7], [40, 30, 20], [20, 100, 70], [20, 100, 1030], [9, 900, 1]]
    {
        let x = numbers(&[rows, inputs], 1);
        let (weight, bias) = (numbers(&[outputs, inputs], 2), numbers(&[outputs], 3));
        let [x, weight, bias] = [x, weight, bias].map(Variable::new);
        let want = x.matmul(&weight.t()) + &bias;
        let what = format!("{rows} x {inputs} x {outputs}");
        assert_close(&x.linear(&weight, Some(&bias)).value(), &want.value(), 1e-13, &what);
    }
}

#[test]
fn an_operand_is_kept_only_for_the_gradient_of_the_other() {
    let (a, b) = (Variable::parameter(numbers(&[2, 3], 1)), Variable::new(numbers(&[3, 2], 2)));
    a.matmul(&b).sum().backward();
    assert!(a.grad().is_some() && b.grad().is_none());
    let b = b.requires_grad();
    a.detach().matmul(&b).sum().backward();
    assert!(b.grad().is_some());
}

/// The message of a panic and the line it names.
fn message(work: impl FnOnce()) -> (String, u32, String) {
    use std::sync::{Arc, Mutex};
    static HOOK: Mutex<()> = Mutex::new(());
    let _one_at_a_time = HOOK.lock().unwrap_or_else(|poison| poison.into_inner());
    let place = Arc::new(Mutex::new((0, String::new())));
    let seen = place.clone();
    let former = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let location = info.location().expect("a panic has a place");
        *seen.lock().unwrap() = (location.line(), location.file().to_string());
    }));
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).expect_err("it must panic");
    std::panic::set_hook(former);
    let (line, file) = place.lock().unwrap().clone();
    (panic.downcast_ref::<String>().expect("a text").clone(), line, file)
}

#[test]
fn mistakes_name_shapes_cure_and_line() {
    let x = Variable::zeros([32, 784]);
    let product = |a: &[usize], b: &[usize]| {
        let (a, b) = (Variable::zeros(a), Variable::zeros(b));
        let (text, line, file) = message(move || drop(a.matmul(&b)));
        assert_eq!((line, file.as_str()), (line!() - 1, file!()));
        text
    };
    assert_eq!(
        product(&[32, 784], &[10, 784]),
        "matmul: inner sizes differ: [32, 784] · [10, 784] (784 against 10); did you mean w.t()?"
    );
    assert_eq!(
        product(&[2, 3, 4], &[2, 5, 4]),
        "matmul: inner sizes differ: [2, 3, 4] · [2, 5, 4] (4 against 5); did you mean w.transpose(-1, -2)?"
    );
    assert_eq!(product(&[3, 4], &[5]), "matmul: inner sizes differ: [3, 4] · [5] (4 against 5)");
    assert_eq!(
        product(&[], &[5]),
        "matmul: the left operand of [] · [5] is a scalar; multiply with * (shape [])"
    );
    assert_eq!(
        product(&[2, 3, 4], &[3, 4, 5]),
        "matmul: shapes [2, 3, 4] and [3, 4, 5] do not broadcast: 2 against 3 on axis -3"
    );
    let (text, line, _) = message(move || drop(x.linear(&Variable::zeros([784, 10]), None)));
    assert_eq!(line, line!() - 1);
    assert_eq!(text, "linear: the weight [784, 10] takes a last axis of 10 (shape [32, 784])");
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let single = |x: &Tensor<f64>| x.cast::<f32>();
    let shapes: &[(&[usize], &[usize])] = &[
        (&[300, 400], &[400, 500]),
        (&[32, 784], &[784, 128]),
        (&[3000, 300], &[300, 64]),
        (&[50, 3000], &[3000, 70]),
        (&[50, 300], &[300, 1100]),
        (&[1, 20_000], &[20_000, 50]),
        (&[50, 20_000], &[20_000, 1]),
        (&[1, 300_000], &[300_000, 1]),
        (&[100_000, 1], &[1, 10]),
        (&[16, 128, 64], &[16, 64, 128]),
        (&[3, 200, 64], &[3, 64, 200]),
        (&[200, 8, 8], &[200, 8, 8]),
    ];
    for (a, b) in shapes {
        let (a, b) = (numbers(a, 1), numbers(b, 2));
        for (a, b) in [
            (a.clone(), b.clone()),
            (a.clone(), transposed_in_memory(&b)),
            (transposed_in_memory(&a), b.clone()),
            (transposed_in_memory(&a), transposed_in_memory(&b)),
        ] {
            let run = || (a.matmul(&b).to_vec(), single(&a).matmul(&single(&b)).to_vec());
            let outside = run();
            for threads in [1, 2, 3, 8] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                assert!(pool.install(run) == outside, "{:?} · {:?}, {threads} threads", a.shape(), b.shape());
            }
        }
    }
}
