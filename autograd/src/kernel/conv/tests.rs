//! The direct kernels against those by columns, whatever the shape suits.

use super::{Geometry, columns, direct, direct::Packed, gradient, lattice::Lattice};
use crate::{kernel::window::Window, scalar::Float, tensor::Tensor};

/// Convolutions in two dimensions with all combinations of strides, dilations, paddings, groups and channels.
fn geometries() -> Vec<Geometry> {
    let mut found = Vec::new();
    for (number, [input, kernel]) in [[9, 3], [17, 2], [12, 1], [20, 4]].into_iter().enumerate() {
        for stride in 1..3 {
            for dilation in 1..3 {
                for before in 0..3 {
                    // Two axes of different kinds, so that they cannot be confused.
                    let [input, kernel] = [[1, input, input + 3], [1, kernel, kernel.max(2) - 1]];
                    let (stride, dilation) = ([1, stride, 1 + number % 2], [1, dilation, 1]);
                    let before = [0, before, (before + number) % 3];
                    let output = [0, 1, 2].map(|axis| {
                        let span = (kernel[axis] - 1) * dilation[axis] + 1;
                        // One more place of padding behind than before.
                        (input[axis] + 2 * before[axis] + usize::from(axis > 0) - span) / stride[axis] + 1
                    });
                    let window = Window { input, kernel, output, stride, dilation, before };
                    for (groups, channels_in, channels_out) in [(1, 3, 5), (2, 1, 1), (1, 2, 33), (3, 2, 8)] {
                        found.push(Geometry { batch: 3, groups, channels_in, channels_out, rank: 2, window });
                    }
                }
            }
        }
    }
    found
}

fn numbers<T: Float>(count: usize, seed: usize) -> Vec<T> {
    (0..count).map(|i| T::from_f64((((i + 7 * seed) * 7919) % 1009) as f64 / 1009.0 - 0.5)).collect()
}

#[track_caller]
fn assert_close<T: Float>(what: &str, g: &Geometry, found: &Tensor<T>, expected: &Tensor<T>) {
    let tolerance = 100.0 * T::epsilon().to_f64();
    let (found, expected) = (found.to_vec(), expected.to_vec());
    let scale = expected.iter().fold(1.0, |scale: f64, x| scale.max(Float::to_f64(*x).abs()));
    for (i, (a, b)) in found.iter().zip(&expected).enumerate() {
        let apart = (Float::to_f64(*a) - Float::to_f64(*b)).abs();
        assert!(apart <= tolerance * scale, "{what} of {g:?}: {a:?}, not {b:?}, at {i}");
    }
}

fn compare<T: Float>(g: &Geometry) {
    let x: Vec<T> = numbers(g.input_shape().count(), 1);
    let w: Vec<T> = numbers(g.weight_shape().count(), 2);
    let y: Vec<T> = numbers(g.output_shape().count(), 3);
    let bias: Vec<T> = numbers(g.groups * g.channels_in.max(g.channels_out), 4);
    let bias = Some(bias.as_slice());

    let lattice = Lattice::new(g);
    let weights = Packed::of_output(g, &w);
    let found = direct::correlate(g, &lattice, &x, &weights, bias, g.output_shape());
    // SAFETY: both ways write all of their results, here and below.
    let (found, expected) = unsafe { (found.assume_init(), columns::output(g, &x, &w, bias).assume_init()) };
    assert_close("output", g, &found, &expected);

    assert_close("weight", g, &gradient::weight(g, &lattice, &x, &y), &columns::weight(g, &x, &y));

    if let Some(reversed) = g.reversed() {
        let weights = Packed::of_input(g, &w);
        let lattice = Lattice::new(&reversed);
        let found = direct::correlate(&reversed, &lattice, &y, &weights, bias, g.input_shape());
        // SAFETY: as above.
        let (found, expected) =
            unsafe { (found.assume_init(), columns::input(g, &y, &w, bias).assume_init()) };
        assert_close("input", g, &found, &expected);
    }
}

#[test]
fn both_ways_agree() {
    let all = geometries();
    assert!(all.iter().any(|g| g.reversed().is_some()) && all.iter().any(|g| g.reversed().is_none()));
    for g in &all {
        compare::<f32>(g);
        compare::<f64>(g);
    }
}

#[test]
fn common_shapes_are_computed_directly() {
    let common = |input: usize, channels: usize| Geometry {
        batch: 8,
        groups: 1,
        channels_in: channels,
        channels_out: channels,
        rank: 2,
        window: Window {
            input: [1, input, input],
            kernel: [1, 3, 3],
            output: [1, input, input],
            stride: [1; 3],
            dilation: [1; 3],
            before: [0, 1, 1],
        },
    };
    for g in [common(28, 32), common(56, 64), common(14, 256)] {
        assert!(g.lattice::<f32>().is_some() && g.reversed().unwrap().lattice::<f32>().is_some());
        assert!(gradient::suits::<f32>(&g));
    }
    assert!(common(2, 64).lattice::<f32>().is_none(), "a tile is much larger than this image");
}
