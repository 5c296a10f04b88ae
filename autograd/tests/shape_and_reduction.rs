//! Derivatives of reductions, shape operations and indexing: order 1 and 2 against differences, on packed, transposed
//! and sliced inputs.

use wengert_autograd::{Padding, Tensor, Variable, embedding, grad, s, tensor, where_};

/// Numbers that are well apart from each other and from 0, the same in every run.
fn numbers(shape: &[usize], seed: usize) -> Tensor<f64> {
    let mut n = seed;
    Tensor::from_fn(shape.to_vec(), |_| {
        n += 1;
        let x = ((n * 7919) % 1009) as f64 / 1009.0 * 3.6 - 1.8;
        x + 0.2 * x.signum()
    })
}

/// The same values in another layout.
fn layouts(x: &Tensor<f64>) -> Vec<Tensor<f64>> {
    let mut all = vec![x.clone()];
    if x.rank() >= 2 {
        all.push(x.transpose(-1, -2).packed().transpose(-1, -2));
    }
    if x.rank() >= 1 {
        let last = x.rank() as isize - 1;
        let nan = x.full_like(f64::NAN);
        let wide = Tensor::stack(&[x.clone(), nan], last + 1);
        all.push(wide.select(last + 1, 0));
    }
    all
}

type Function<'a> = &'a dyn Fn(&[Variable<f64>]) -> Vec<Variable<f64>>;

/// L = Σ c·(f + f²/2): its second derivative is not zero even where f is linear.
fn loss(f: Function<'_>, inputs: &[Variable<f64>]) -> Variable<f64> {
    let mut total = Variable::new(Tensor::scalar(0.0));
    for (k, y) in f(inputs).iter().enumerate() {
        let c = Variable::new(numbers(&y.shape(), 31 * k + 5));
        total += ((y + y * y * 0.5) * c).sum();
    }
    total
}

fn variables(values: &[Tensor<f64>]) -> Vec<Variable<f64>> {
    values.iter().map(|value| Variable::parameter(value.clone())).collect()
}

fn gradients(of: &Variable<f64>, inputs: &[Variable<f64>], create: bool) -> Vec<Variable<f64>> {
    let zeros = |x: &Variable<f64>| Variable::new(x.value().zeros_like());
    if !of.needs_grad() {
        return inputs.iter().map(zeros).collect();
    }
    let references: Vec<&Variable<f64>> = inputs.iter().collect();
    let found = grad(&[of]).create_graph(create).wrt_allowing_unused(&references);
    found.into_iter().zip(inputs).map(|(g, x)| g.unwrap_or_else(|| zeros(x))).collect()
}

/// Σ v·∂L/∂x.
fn directional(f: Function<'_>, inputs: &[Variable<f64>], create: bool) -> Variable<f64> {
    let mut total = Variable::new(Tensor::scalar(0.0));
    for (k, g) in gradients(&loss(f, inputs), inputs, create).iter().enumerate() {
        total += (g * Variable::new(numbers(&g.shape(), 17 * k + 2))).sum();
    }
    total
}

fn differences(inputs: &[Tensor<f64>], f: impl Fn(&[Tensor<f64>]) -> f64) -> Vec<Vec<f64>> {
    let step = 1e-5;
    let moved = |k: usize, i: usize, by: f64| {
        let mut inputs = inputs.to_vec();
        inputs[k] = inputs[k].packed();
        inputs[k].make_mut()[i] += by;
        f(&inputs)
    };
    let one = |k: usize, i: usize| (moved(k, i, step) - moved(k, i, -step)) / (2.0 * step);
    (0..inputs.len()).map(|k| (0..inputs[k].len()).map(|i| one(k, i)).collect()).collect()
}

#[track_caller]
fn compare(name: &str, found: &[Variable<f64>], expected: &[Vec<f64>]) {
    for (k, (found, expected)) in found.iter().zip(expected).enumerate() {
        for (i, (found, expected)) in found.value().iter().zip(expected).enumerate() {
            let tolerance = 2e-7 * (1.0 + expected.abs().max(found.abs()));
            assert!(
                (found - expected).abs() <= tolerance,
                "{name}: input {k}, element {i}: {found} against the difference {expected}"
            );
        }
    }
}

#[track_caller]
fn check(name: &str, inputs: &[Tensor<f64>], f: impl Fn(&[Variable<f64>]) -> Vec<Variable<f64>>) {
    let first = differences(inputs, |values| loss(&f, &variables(values)).item());
    let second = differences(inputs, |values| directional(&f, &variables(values), false).item());
    let forms: Vec<Vec<Tensor<f64>>> = inputs.iter().map(layouts).collect();
    for form in 0..forms.iter().map(Vec::len).max().unwrap_or(1) {
        let values: Vec<Tensor<f64>> =
            forms.iter().map(|forms| forms[form.min(forms.len() - 1)].clone()).collect();
        let inputs = variables(&values);
        compare(&format!("{name} (form {form})"), &gradients(&loss(&f, &inputs), &inputs, false), &first);
        let inputs = variables(&values);
        let hvp = gradients(&directional(&f, &inputs, true), &inputs, false);
        compare(&format!("{name} (form {form}), order 2"), &hvp, &second);
    }
}

/// Checks a function of one variable of this shape, of one with a size 1, and of one that is empty where it can be.
#[track_caller]
fn unary(name: &str, shape: &[usize], f: impl Fn(&Variable<f64>) -> Variable<f64>) {
    check(name, &[numbers(shape, 1)], |x| vec![f(&x[0])]);
}

#[test]
fn reductions() {
    for shape in [&[2, 3, 4][..], &[3, 1, 2], &[1, 4, 1]] {
        for axes in [&[0][..], &[1], &[-1], &[0, 2], &[0, 1, 2], &[]] {
            for keepdim in [false, true] {
                let name = |op: &str| format!("{op} {shape:?} {axes:?}");
                unary(&name("sum"), shape, |x| x.sum_axes(axes, keepdim));
                unary(&name("mean"), shape, |x| x.mean_axes(axes, keepdim));
                unary(&name("prod"), shape, |x| x.prod_axes(axes, keepdim));
                unary(&name("var"), shape, |x| x.var_axes(axes, 0, keepdim));
                unary(&name("amax"), shape, |x| x.amax_axes(axes, keepdim));
                unary(&name("amin"), shape, |x| x.amin_axes(axes, keepdim));
                unary(&name("logsumexp"), shape, |x| x.logsumexp_axes(axes, keepdim));
            }
        }
    }
    unary("var, all", &[3, 4], |x| x.var(1));
    unary("std, all", &[3, 4], |x| x.std(1));
    unary("std", &[3, 4], |x| x.std_axes(0, 0, false));
    unary("prod, all", &[2, 3], |x| x.prod());
    unary("logsumexp, all", &[2, 3], |x| x.logsumexp());
    unary("max", &[3, 4], |x| x.max_axis(0, false).0);
    unary("min", &[3, 4], |x| x.min_axis(-1, true).0);
    unary("sort", &[3, 4], |x| x.sort(1, true).0);
    unary("topk", &[3, 4], |x| x.topk(2, 0, false).0);
    for p in [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, -1.0, f64::INFINITY, f64::NEG_INFINITY] {
        unary(&format!("norm {p}"), &[3, 4], |x| x.norm(p));
        unary(&format!("norm {p}, axes"), &[2, 3, 2], |x| x.norm_axes(p, [0, 2], true));
    }
}

#[test]
fn scans() {
    for axis in [0, 1, -1] {
        unary("cumsum", &[2, 3, 4], |x| x.cumsum(axis));
        unary("cumprod", &[2, 3, 4], |x| x.cumprod(axis));
        check("linear_recurrence", &[numbers(&[2, 3, 4], 1), numbers(&[2, 3, 4], 77)], |x| {
            vec![x[0].linear_recurrence(&x[1], axis)]
        });
    }
    unary("cumsum of one", &[2, 1], |x| x.cumsum(1));
    check("recurrence on itself", &[numbers(&[4], 3)], |x| vec![x[0].linear_recurrence(&x[0], 0)]);
}

#[test]
fn products_with_zeros() {
    for zeros in [&[1_usize][..], &[0, 5], &[0, 1, 4], &[0, 1, 2, 3, 4, 5]] {
        let mut x = numbers(&[2, 3], 9);
        zeros.iter().for_each(|&i| x.make_mut()[i] = 0.0);
        check("prod", &[x.clone()], |x| vec![x[0].prod()]);
        check("prod of rows", &[x.clone()], |x| vec![x[0].prod_axes(1, true)]);
        check("cumprod", &[x.clone()], |x| vec![x[0].cumprod(1)]);
        check("cumprod of columns", &[x], |x| vec![x[0].cumprod(0)]);
    }
    // What underflows is no zero: the others' product is still the gradient.
    let x = Variable::from([1e-200_f64, 1e-200, 1e100]).requires_grad();
    x.prod_axes(0, false).backward();
    assert_eq!(x.grad().unwrap().to_vec()[..2], [1e-200 * 1e100; 2]);
}

#[test]
fn shapes() {
    let shape = &[2, 3, 4];
    unary("flatten", shape, |x| x.flatten(0, 1));
    unary("reshape", shape, |x| x.reshape([4, -1]));
    unary("permute", shape, |x| x.permute(&[2, 0, 1]));
    unary("movedim", shape, |x| x.movedims(&[0, 1], &[-1, 0]));
    unary("squeeze", &[1, 3, 1], |x| x.squeeze([0, 2]));
    unary("squeeze_all", &[1, 3, 1], |x| x.squeeze_all());
    unary("unsqueeze", shape, |x| x.unsqueeze(-2));
    unary("expand", &[2, 1, 3], |x| x.expand([4, -1, 5, -1]));
    unary("narrow", shape, |x| x.narrow(1, 1, 2));
    unary("select", shape, |x| x.select(-1, -2));
    unary("slice", shape, |x| x.slice(s![.., 1.., ..;2]));
    unary("slice, indices", shape, |x| x.slice(s![1, .., -1]));
    unary("slice, nothing", shape, |x| x.slice(s![.., 2..1]));
    unary("flip", shape, |x| x.flip([0, 2]));
    unary("roll", shape, |x| x.roll(-5, 1));
    unary("repeat", shape, |x| x.repeat([2, 1, 3, 2]));
    unary("repeat_interleave", shape, |x| x.repeat_interleave(3, 1));
    unary("tril", shape, |x| x.tril(-1));
    unary("triu", shape, |x| x.triu(1));
    unary("diag of a row", &[3], |x| x.diag(-1));
    unary("diag of a matrix", &[3, 4], |x| x.diag(1));
    unary("diagonal", shape, |x| x.diagonal(-1, 2, 0));
    unary("unfold", &[2, 7], |x| x.unfold(1, 3, 2));
    unary("unfold, overlapping", &[5, 2], |x| x.unfold(0, 3, 1));
    check("parts", &[numbers(&[5, 3], 1)], |x| {
        [x[0].split(2, 0), x[0].split_sizes(&[1, 2], 1), x[0].chunk(2, 0), x[0].unbind(1)].concat()
    });
    check("cat", &[numbers(&[2, 3], 1), numbers(&[2, 1], 2)], |x| {
        vec![Variable::cat(&[&x[0], &x[1], &x[0]], 1)]
    });
    check("stack", &[numbers(&[2, 3], 1), numbers(&[2, 3], 2)], |x| vec![Variable::stack(x, -1)]);
}

#[test]
fn padding() {
    unary("pad", &[2, 3], |x| x.pad(&[1, 2, 0, 1], Padding::Constant(1.5)));
    unary("pad and crop", &[2, 4], |x| x.pad(&[-1, 2, 1, -1], Padding::Constant(0.5)));
    unary("crop", &[3, 4], |x| x.pad(&[-1, -1, -2, 0], Padding::Constant(0.0)));
    unary("crop all, then pad", &[3], |x| x.pad(&[-4, 3], Padding::Constant(2.0)));
    unary("reflect", &[3, 4], |x| x.pad(&[3, 2, 1, 2], Padding::Reflect));
    unary("replicate", &[3, 1], |x| x.pad(&[2, 3, 0, 1], Padding::Replicate));
    unary("circular", &[3, 4], |x| x.pad(&[4, 1, 0, 3], Padding::Circular));
    assert_eq!(
        Variable::from([1.0_f32, 2.0]).pad(&[-3, 4], Padding::Constant(7.0)).value().to_vec(),
        [7.0, 7.0, 7.0]
    );
}

#[test]
fn indexing() {
    let x = numbers(&[3, 4], 1);
    let columns = tensor![[0, 3, 3], [2, 2, -1]];
    let rows = tensor![[2, 0, 1], [2, 2, 0]];
    unary("gather 1", &[3, 4], |x| x.gather(1, &columns));
    unary("gather 0", &[3, 4], |x| x.gather(0, &rows));
    unary("gather, deep", &[2, 3, 2], |x| x.gather(1, &tensor![[[2, 0]], [[1, 1]]]));
    unary("take_along", &[3, 4], |x| x.take_along(&tensor![[1, 0, 1]], 1));
    unary("take_along, wide", &[1, 4], |x| x.take_along(&tensor![[1, 0], [2, 2]], 1));
    for (axis, index) in [(1, &columns), (0, &rows)] {
        check("scatter_add", &[x.clone(), numbers(&[2, 3], 5)], |x| {
            vec![x[0].scatter_add(axis, index, &x[1])]
        });
        // Repeated indices: the last one stays.
        check("scatter", &[x.clone(), numbers(&[2, 3], 5)], |x| vec![x[0].scatter(axis, index, &x[1])]);
    }
    let few = tensor![2, 0, 2, 2];
    unary("index_select 0", &[3, 4], |x| x.index_select(0, &few));
    unary("index_select 1", &[2, 3, 2], |x| x.index_select(1, &few));
    check("index_add", &[x.clone(), numbers(&[4, 4], 5)], |x| vec![x[0].index_add(0, &few, &x[1], -2.5)]);
    check("index_add 1", &[numbers(&[2, 3], 1), numbers(&[2, 4], 5)], |x| {
        vec![x[0].index_add(1, &few, &x[1], 1.0)]
    });
    let mask = tensor![[true], [false], [true]];
    unary("masked_fill", &[3, 4], |x| x.masked_fill(&mask, 0.5));
    unary("masked_select", &[3, 4], |x| x.masked_select(&mask));
    check("where", &[x.clone(), numbers(&[4], 8)], |x| vec![where_(&mask, &x[0], &x[1])]);
    unary("embedding", &[3, 4], |w| embedding(&tensor![[1, 2], [1, 1]], w, None));
}

#[test]
fn padding_tokens_get_no_gradient() {
    let table = Variable::parameter(numbers(&[3, 2], 1));
    let tokens = tensor![[1, 0, 1], [2, 1, 0]];
    let vectors = embedding(&tokens, &table, Some(1));
    assert_eq!(vectors.value().select(0, 0).select(0, 0), table.value().select(0, 1));
    vectors.sum().backward();
    assert_eq!(table.grad().unwrap().to_vec(), [2.0, 2.0, 0.0, 0.0, 1.0, 1.0]);
}

#[test]
fn the_same_embedding_gradient_on_any_number_of_threads() {
    let tokens = Tensor::from_fn([5000], |i| ((i[0] * i[0] + 7) % 300) as i64);
    let weights = Tensor::from_fn([300, 40], |i| ((i[0] * 31 + i[1] * 17) % 101) as f32 * 0.37);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let table = Variable::parameter(weights.clone());
            let vectors = embedding(&tokens, &table, None);
            (vectors.exp().cumsum(0) * 1e-9).sum().backward();
            table.grad().unwrap().to_vec()
        })
    };
    let serial = run(1);
    assert_eq!(serial, run(2));
    assert_eq!(serial, run(4));
}

#[test]
fn empty_variables() {
    let x = Variable::parameter(Tensor::<f64>::zeros([0, 3]));
    for (y, expected) in [
        (x.prod_axes(0, false), 1.0),
        (x.logsumexp_axes(0, false), f64::NEG_INFINITY),
        (x.norm_axes(2.0, 0, false), 0.0),
        (x.sum_axes(0, false), 0.0),
    ] {
        assert_eq!(y.value().to_vec(), [expected; 3]);
        y.sum().backward();
        assert_eq!(x.grad().unwrap().shape(), [0, 3]);
    }
    assert!(x.var_axes(0, 0, false).value().iter().all(f64::is_nan));
    let results = [
        x.cumsum(0),
        x.cumprod(1),
        x.flip(1),
        x.roll(1, 0),
        x.sort(1, false).0,
        x.amax_axes(1, false),
        x.max_axis(1, false).0,
        x.repeat([2, 2]),
        x.tril(0),
        x.gather(1, &Tensor::zeros([0, 2])),
        x.index_select(0, &Tensor::zeros([0])),
        x.masked_select(&tensor![true]),
        x.pad(&[1, 1], Padding::Constant(0.0)),
        x.diagonal(0, 0, 1),
        Variable::cat(&[&x, &x], 0),
        x.split(2, 0).remove(0),
    ];
    for (k, y) in results.into_iter().enumerate() {
        assert!(y.is_empty(), "result {k}");
        x.zero_grad();
        y.sum().backward();
        assert_eq!(x.grad().unwrap().shape(), [0, 3], "gradient of result {k}");
    }
}

#[test]
fn conventions() {
    // Ties.
    let x = Variable::from([2.0_f64, 5.0, 5.0]).requires_grad();
    x.amax().backward();
    assert_eq!(x.grad().unwrap().to_vec(), [0.0, 0.5, 0.5]);
    x.zero_grad();
    x.max_axis(0, false).0.backward();
    assert_eq!(x.grad().unwrap().to_vec(), [0.0, 1.0, 0.0]);
    // A norm of 0, a deviation of 0, and a logsumexp of nothing, each with its second derivative.
    let zero = Variable::parameter(Tensor::<f64>::zeros([3]));
    for y in [zero.norm(2.0), zero.norm(3.0), zero.norm(1.5), zero.std(1)] {
        let g = grad(&[&y]).create_graph(true).wrt(&[&zero]).remove(0);
        assert_eq!(g.value().to_vec(), [0.0; 3], "{y:?}");
        if g.needs_grad() {
            let second = grad(&[&g.sum()]).wrt_allowing_unused(&[&zero]).remove(0);
            assert!(second.is_none_or(|second| second.value().to_vec() == [0.0; 3]), "{y:?}");
        }
    }
    let nothing = Variable::parameter(Tensor::full([2], f64::NEG_INFINITY));
    nothing.logsumexp().backward();
    assert_eq!(nothing.grad().unwrap().to_vec(), [0.0; 2]);
    assert_eq!(Variable::from([1.0, f64::INFINITY]).logsumexp().item(), f64::INFINITY);
    assert!(Variable::from([1.0, f64::NAN]).logsumexp().item().is_nan());
    // Extremes of magnitude.
    for size in [1e200_f64, 1e-200] {
        let norm = Variable::from([3.0 * size, 4.0 * size]).norm(2.0).item();
        assert!((norm / (5.0 * size) - 1.0).abs() < 4e-16, "{norm:e}");
    }
    assert!((Variable::from([1e30_f32, 1e30]).norm(3.0).item() / 1.259_921_e30 - 1.0).abs() < 1e-6);
    assert_eq!(Variable::from([1.0, f64::INFINITY]).norm(2.0).item(), f64::INFINITY);
    let far = Variable::from([1e8_f64 + 1.0, 1e8 + 2.0, 1e8 + 3.0]);
    assert_eq!(far.var(1).item(), 1.0);
}

#[test]
fn the_double_where_keeps_nan_out() {
    let x = Variable::from([-1.0_f64, 0.0, 4.0]).requires_grad();
    let mask = x.value().gt(0.0);
    let y = where_(&mask, &x.where_(&mask, &Variable::from(1.0)).sqrt(), &(&x * 3.0));
    y.sum().backward();
    assert_eq!(x.grad().unwrap().to_vec(), [3.0, 3.0, 0.25]);
}

#[test]
fn slices_of_one_tensor_add_up_in_place() {
    let x = Variable::parameter(numbers(&[2000, 3], 1));
    let mut total = Variable::new(Tensor::scalar(0.0));
    for row in x.unbind(0) {
        total += row.square().sum();
    }
    total.backward();
    assert_eq!(x.grad().unwrap(), (&x * 2.0).value());
}

#[track_caller]
fn panic_of(work: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(work).expect_err("a panic was expected");
    panic.downcast_ref::<String>().expect("panics have a text").clone()
}

#[test]
fn mistakes_are_named() {
    let x = || Variable::ones([3, 4]);
    for (text, expected) in [
        (
            panic_of(|| _ = x().gather(1, &tensor![[0, 1], [2, 4]])),
            "gather: index 4 at position [1, 1] is out of range for axis 1, which has size 4 (shape [3, 4])",
        ),
        (panic_of(|| _ = x().gather(1, &tensor![0,])), "gather: indices of shape [1] do not fit"),
        (
            panic_of(|| _ = x().index_select(0, &tensor![0, -4])),
            "index_select: index -4 at position [1] is out of range for axis 0, which has size 3",
        ),
        (
            panic_of(|| _ = embedding(&tensor![[0], [3]], &x(), None)),
            "embedding: index 3 at position [1, 0] is out of range for axis 0, which has size 3",
        ),
        (panic_of(|| _ = embedding(&tensor![-1], &x(), None)), "embedding: index -1 is out of range"),
        (
            panic_of(|| _ = x().scatter(0, &tensor![[0]], &x())),
            "scatter: src must have the shape of the indices, [1, 1]",
        ),
        (panic_of(|| _ = x().amax_axes(2, false)), "amax: axis 2 is out of range for shape [3, 4]"),
        (panic_of(|| _ = Variable::zeros([0]).amax()), "amax: axis 0 has no elements to choose from"),
        (
            panic_of(|| _ = x().pad(&[4, 0], Padding::Reflect)),
            "pad: (4, 0) is not possible for axis 1 in mode Reflect",
        ),
        (
            panic_of(|| _ = x().pad(&[-5, 0], Padding::Constant(0.0))),
            "pad: (-5, 0) crops more than axis 1 has",
        ),
        (
            panic_of(|| _ = x().masked_fill(&tensor![true, false], 0.0)),
            "masked_fill: a mask of shape [2] does not broadcast to it",
        ),
        (
            panic_of(|| _ = x().split_sizes(&[1, 2], 1)),
            "split: parts of [1, 2] make 3, and axis 1 has size 4",
        ),
        (
            panic_of(|| _ = Variable::cat(&[x(), Variable::ones([3])], 0)),
            "cat: it does not fit [3, 4] but along axis 0 (shape [3])",
        ),
        (panic_of(|| _ = x().expand([-1, 3, 4])), "expand: -1 is not a size for axis 0 of [-1, 3, 4]"),
        (
            panic_of(|| _ = x().linear_recurrence(&Variable::ones([3]), 0)),
            "linear_recurrence: the factors must have the same shape",
        ),
        (panic_of(|| _ = x().cumsum(2)), "cumsum: axis 2 is out of range"),
    ] {
        assert!(text.contains(expected), "{text:?} should say {expected:?}");
    }
}
