//! Mixup: batches in which each image is blended with another.

use wengert_autograd::tensor::{Generator, Tensor};

/// Each row of `inputs` and `targets` blended with another, random row of the batch: λ · own + (1 - λ) · other, with one λ
/// a batch drawn from the Beta(α, α) distribution (Zhang, Cissé, Dauphin, Lopez-Paz: "mixup", 2018). Targets are \[rows,
/// classes\], one-hot or soft.
///
/// ```
/// use wengert_autograd::tensor::{Generator, Tensor};
/// use wengert_datasets::transform::mixup;
///
/// let (inputs, targets) = (Tensor::<f32>::ones([4, 8]), Tensor::<f32>::eye(4));
/// let (inputs, targets) = mixup(&inputs, &targets, 0.2, &mut Generator::new(0));
/// assert!(inputs.iter().all(|x| (x - 1.0).abs() < 1e-6));
/// assert!(targets.to_vec().chunks_exact(4).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-6));
/// ```
///
/// # Panics
/// If the first axes differ or α is not positive.
#[track_caller]
pub fn mixup(
    inputs: &Tensor<f32>,
    targets: &Tensor<f32>,
    alpha: f64,
    generator: &mut Generator,
) -> (Tensor<f32>, Tensor<f32>) {
    let (shapes, rows) = ((inputs.shape(), targets.shape()), inputs.shape().first().copied());
    assert!(
        rows.is_some() && rows == targets.shape().first().copied(),
        "mixup: first axes differ or are missing: {:?} and {:?}",
        shapes.0,
        shapes.1
    );
    assert!(alpha > 0.0 && alpha.is_finite(), "mixup: α is {alpha}, expected a positive number");
    let (a, b) = (gamma(alpha, generator), gamma(alpha, generator));
    // Both can vanish for a tiny α, where λ is 0 or 1.
    let own = if a + b > 0.0 { (a / (a + b)) as f32 } else { 1.0 };
    let partner = generator.permutation(rows.unwrap_or(0));
    let blend = |x: &Tensor<f32>| {
        let source = x.to_vec();
        let width = source.len() / partner.len().max(1);
        let mut blended = source.clone();
        for (row, &other) in blended.chunks_exact_mut(width.max(1)).zip(&partner) {
            row.iter_mut().zip(&source[other * width..]).for_each(|(x, y)| *x = own * *x + (1.0 - own) * y);
        }
        Tensor::from_vec(blended, x.dims()).expect("as many elements as before")
    };
    (blend(inputs), blend(targets))
}

/// A draw from the Gamma distribution of this shape and scale 1 (Marsaglia and Tsang 2000; for shapes below 1 their section
/// 6).
fn gamma(shape: f64, generator: &mut Generator) -> f64 {
    // The middle of one of 2⁵³ intervals: never 0.
    let unit = |generator: &mut Generator| (generator.below(1 << 53) as f64 + 0.5) / (1u64 << 53) as f64;
    if shape < 1.0 {
        return gamma(shape + 1.0, generator) * unit(generator).powf(1.0 / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = Tensor::<f64>::randn((), generator).item();
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && unit(generator).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gamma_has_its_mean_and_variance() {
        for shape in [0.3, 1.0, 4.5] {
            let mut generator = Generator::new(9);
            let draws: Vec<f64> = (0..20_000).map(|_| gamma(shape, &mut generator)).collect();
            let mean = draws.iter().sum::<f64>() / 2e4;
            let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 2e4;
            // Both are the shape; the standard errors are √(k / n) and √((2 k² + 6 k) / n).
            assert!((mean - shape).abs() < 5.0 * (shape / 2e4).sqrt(), "{shape}: mean {mean}");
            let error = ((2.0 * shape * shape + 6.0 * shape) / 2e4).sqrt();
            assert!((variance - shape).abs() < 5.0 * error, "{shape}: variance {variance}");
        }
    }

    #[test]
    fn inputs_and_targets_are_blended_alike() {
        let x = Tensor::<f32>::from_fn([6, 2, 3], |i| (i[0] * 10) as f32);
        let y = Tensor::<f32>::from_fn([6, 1], |i| i[0] as f32);
        let (inputs, targets) = mixup(&x, &y, 1.0, &mut Generator::new(2));
        assert_eq!(inputs.shape(), [6, 2, 3]);
        assert_ne!(targets, y);
        for row in 0..6 {
            let target = targets.get(&[row, 0]).expect("there");
            assert!(inputs.select(0, row as isize).iter().all(|x| (x - 10.0 * target).abs() < 1e-4));
        }
    }

    #[test]
    #[should_panic = "mixup: first axes differ or are missing: [2, 3] and [3, 3]"]
    fn other_counts() {
        mixup(&Tensor::zeros([2, 3]), &Tensor::zeros([3, 3]), 1.0, &mut Generator::new(0));
    }
}
