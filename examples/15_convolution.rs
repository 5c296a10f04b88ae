//! Lesson 15: convolution as a matrix product, and its transpose.
//!
//! A small kernel slides over an image; at each place it gives the sum of the products. Every output is a weighted sum of
//! inputs, so all of it is one product y = C·x with a matrix C, mostly zeros, that holds the kernel's few numbers again and
//! again. Then lesson 10 knows the way back: x̄ = Cᵀ·ȳ, which spreads each output's slope over the inputs that it saw, and is
//! known as the transposed convolution.
//!
//! Source: V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning" (2016), sections 4.1 and 4.2.
//!
//! `cargo run --release --example 15_convolution`

use wengert::{ConvOptions, ConvTransposeOptions, prelude::*};

/// The kernel looks for vertical edges: left minus right.
const KERNEL: [[f64; 3]; 3] = [[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]];
const SIZE: usize = 4; // of the image
const OUT: usize = 2; // of the result: the kernel fits in at 2 × 2 places

/// C[(i, j), (r, c)]: what pixel (r, c) counts for output (i, j).
fn matrix() -> Tensor<f64> {
    Tensor::from_fn([OUT * OUT, SIZE * SIZE], |index| {
        let (i, j, r, c) = (index[0] / OUT, index[0] % OUT, index[1] / SIZE, index[1] % SIZE);
        let inside = (i..i + 3).contains(&r) && (j..j + 3).contains(&c);
        if inside { KERNEL[r - i][c - j] } else { 0.0 }
    })
}

/// A matrix with dots for zeros.
fn show(x: &Tensor<f64>, columns: usize) {
    for row in x.to_vec().chunks(columns) {
        let entry = |&n: &f64| if n == 0.0 { "   .".into() } else { format!("{n:>4}") };
        println!("    {}", row.iter().map(entry).collect::<String>());
    }
}

fn main() {
    // Dark on the left, bright on the right.
    let image = Variable::from([[[
        [0.0, 0.0, 5.0, 5.0],
        [0.0, 0.0, 5.0, 5.0],
        [0.0, 1.0, 5.0, 5.0],
        [0.0, 0.0, 5.0, 5.0],
    ]]])
    .requires_grad();
    let kernel = Variable::from([[KERNEL]]).requires_grad();
    println!("An image with an edge in the middle, and the kernel:");
    show(&image.value(), SIZE);
    println!();
    show(&kernel.value(), 3);

    let c = Variable::new(matrix());
    println!("\nThe matrix C: a row for each of the 4 outputs, a column for each of the 16 pixels");
    show(&c.value(), SIZE * SIZE);
    let x = image.reshape([16, 1]);
    let by_matrix = c.matmul(&x).value().to_vec();
    let y = image.conv2d(&kernel, None, ConvOptions::new());
    println!("  C·x            = {by_matrix:?}");
    println!("  image.conv2d() = {:?}   strongly negative: an edge, from dark to bright", y.value().to_vec());
    assert_eq!(by_matrix, y.value().to_vec());

    println!("\nBackward. Let only the first output matter, ȳ = (1, 0, 0, 0), then all, ȳ = (1, 2, 3, 4):");
    for cotangent in [[1.0, 0.0, 0.0, 0.0], [1.0, 2.0, 3.0, 4.0]] {
        image.zero_grad();
        kernel.zero_grad();
        let y_bar = Variable::from(cotangent);
        image.conv2d(&kernel, None, ConvOptions::new()).backward_with(&y_bar.reshape([1, 1, 2, 2]));
        let found = image.grad().expect("a pass");
        let by_matrix = c.t().matmul(&y_bar.reshape([4, 1])).value();
        let transposed =
            y_bar.reshape([1, 1, 2, 2]).conv_transpose2d(&kernel.detach(), None, ConvTransposeOptions::new());
        println!("  x̄ = Cᵀ·ȳ, as an image");
        show(&by_matrix, SIZE);
        assert_eq!(found.to_vec(), by_matrix.to_vec(), "conv2d's gradient is Cᵀ·ȳ");
        assert_eq!(found.to_vec(), transposed.value().to_vec(), "and that is the transposed convolution");
    }
    println!(
        "Each ȳ lays the kernel, times itself, over the pixels that it saw; where they meet they add up."
    );

    println!("\nThe other way to write it, which computers prefer: the patches as columns (im2col).");
    let columns = image.detach().im2col([3, 3], ConvOptions::new());
    show(&columns.value(), 4);
    let row = kernel.reshape([1, 9]);
    println!("  k·columns = {:?}, one row of 9 by 9 × 4", row.matmul(&columns.squeeze(0)).value().to_vec());
    assert_eq!(row.matmul(&columns.squeeze(0)).value().to_vec(), by_matrix);
    let k_bar = Variable::from([[1.0, 2.0, 3.0, 4.0]]).matmul(&columns.squeeze(0).t()).value().to_vec();
    println!("  k̄ = ȳ·columnsᵀ = {k_bar:?}");
    assert_eq!(k_bar, kernel.grad().expect("a pass").to_vec(), "the kernel's gradient sums over all places");

    println!(
        "\nWhat it saves: C has {} numbers, the kernel 9, wherever it goes. And what it means: move the image,",
        4 * 16
    );
    let wide =
        Variable::new(Tensor::<f64>::from_fn([1, 1, 8, 12], |i| f64::from(u8::from(i[3] >= 5 && i[2] > 2))));
    let edges = |x: &Variable<f64>| x.conv2d(&kernel.detach(), None, ConvOptions::new()).value();
    let (before, after) = (edges(&wide), edges(&wide.roll(3, 3)));
    let same = before.narrow(3, 2, 4).to_vec() == after.narrow(3, 5, 4).to_vec();
    println!("and the answer moves along, with the same numbers: {same}.");
    assert!(same);
}
