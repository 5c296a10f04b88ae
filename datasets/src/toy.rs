//! Generated data: small problems whose answer is known.
//!
//! ```
//! use wengert_datasets::{Dataset, TensorDataset, toy};
//!
//! let (points, labels) = toy::moons(200, 0.1, 0);
//! assert_eq!((points.shape(), labels.shape()), (&[200, 2][..], &[200][..]));
//! let batches = TensorDataset::new((points, labels)).loader().batch_size(50).shuffle(0);
//! assert_eq!(batches.len(), 4);
//! ```
//!
//! Every generator is a function of its arguments and of the seed. Point i is of class i modulo the number of classes, so
//! that any first part of a set is balanced. The shapes are those of scikit-learn's generators of the same names.

use std::f32::consts::{PI, TAU};

use wengert_autograd::tensor::{Generator, Tensor};

/// Points of the plane with a class each, moved by normal noise of this standard deviation.
fn planar(
    count: usize,
    classes: usize,
    noise: f32,
    generator: &mut Generator,
    mut point: impl FnMut(usize, usize, &mut Generator) -> [f32; 2],
) -> (Tensor<f32>, Tensor<i64>) {
    let mut points = Tensor::<f32>::randn([count, 2], generator).map(|x| x * noise);
    for (i, xy) in points.make_mut().chunks_exact_mut(2).enumerate() {
        let [x, y] = point(i % classes, i / classes, generator);
        xy[0] += x;
        xy[1] += y;
    }
    (points, class_labels(count, classes))
}

fn class_labels(count: usize, classes: usize) -> Tensor<i64> {
    Tensor::from_fn([count], |i| (i[0] % classes) as i64)
}

/// The place of item `i` among those of its class, from 0 to 1.
fn along(i: usize, count: usize, classes: usize) -> f32 {
    i as f32 / (count.div_ceil(classes).max(2) - 1) as f32
}

/// Two interleaved half circles: points \[count, 2\] and labels \[count\].
pub fn moons(count: usize, noise: f32, seed: u64) -> (Tensor<f32>, Tensor<i64>) {
    planar(count, 2, noise, &mut Generator::new(seed), |class, i, _| {
        let (sine, cosine) = (PI * along(i, count, 2)).sin_cos();
        if class == 0 { [cosine, sine] } else { [1.0 - cosine, 0.5 - sine] }
    })
}

/// A circle of radius 1 (class 0) around one of radius `factor` (class 1): points \[count, 2\] and labels \[count\].
pub fn circles(count: usize, factor: f32, noise: f32, seed: u64) -> (Tensor<f32>, Tensor<i64>) {
    planar(count, 2, noise, &mut Generator::new(seed), |class, i, _| {
        let (sine, cosine) = (TAU * i as f32 / count.div_ceil(2) as f32).sin_cos();
        let radius = if class == 0 { 1.0 } else { factor };
        [radius * cosine, radius * sine]
    })
}

/// Spiral arms, one a class, that wind once around the origin within the unit circle: points \[count, 2\] and labels
/// \[count\].
///
/// # Panics
/// If there are no classes.
#[track_caller]
pub fn spirals(count: usize, classes: usize, noise: f32, seed: u64) -> (Tensor<f32>, Tensor<i64>) {
    assert!(classes > 0, "spirals: no classes");
    planar(count, classes, noise, &mut Generator::new(seed), |class, i, _| {
        let radius = along(i, count, classes);
        let (sine, cosine) = (TAU * (radius + class as f32 / classes as f32)).sin_cos();
        [radius * cosine, radius * sine]
    })
}

/// Four clouds around (±1, ±1) whose class is 1 where the signs differ: points \[count, 2\] and labels \[count\]. With
/// noise 0 it is the function XOR.
pub fn xor(count: usize, noise: f32, seed: u64) -> (Tensor<f32>, Tensor<i64>) {
    planar(count, 2, noise, &mut Generator::new(seed), |class, i, _| {
        let x = if i % 2 == 0 { -1.0 } else { 1.0 };
        [x, if class == 0 { x } else { -x }]
    })
}

/// Normal clouds of standard deviation `deviation`, one a class, around centres that are uniform in \[-10, 10): points
/// \[count, features\] and labels \[count\].
///
/// # Panics
/// If there are no classes.
#[track_caller]
pub fn blobs(
    count: usize,
    classes: usize,
    features: usize,
    deviation: f32,
    seed: u64,
) -> (Tensor<f32>, Tensor<i64>) {
    assert!(classes > 0, "blobs: no classes");
    let mut generator = Generator::new(seed);
    let centres = Tensor::<f32>::uniform([classes, features], -10.0, 10.0, &mut generator).to_vec();
    let mut points = Tensor::<f32>::randn([count, features], &mut generator).map(|x| x * deviation);
    for (i, point) in points.make_mut().chunks_exact_mut(features.max(1)).enumerate() {
        point.iter_mut().zip(&centres[i % classes * features..]).for_each(|(x, centre)| *x += centre);
    }
    (points, class_labels(count, classes))
}

/// Sine waves, one a row, with random phases and with periods between 10 and 40 steps, plus normal noise: \[count,
/// length\]. To predict each value from those before it.
pub fn sines(count: usize, length: usize, noise: f32, seed: u64) -> Tensor<f32> {
    let mut generator = Generator::new(seed);
    let phases = Tensor::<f32>::uniform([count], 0.0, TAU, &mut generator).to_vec();
    let periods = Tensor::<f32>::uniform([count], 10.0, 40.0, &mut generator).to_vec();
    let mut waves = Tensor::<f32>::randn([count, length], &mut generator).map(|x| x * noise);
    for (row, wave) in waves.make_mut().chunks_exact_mut(length.max(1)).enumerate() {
        for (t, x) in wave.iter_mut().enumerate() {
            *x += (TAU * t as f32 / periods[row] + phases[row]).sin();
        }
    }
    waves
}

/// What users thought of items.
#[derive(Clone, Debug)]
pub struct Ratings {
    /// Who rated, \[ratings\].
    pub users: Tensor<i64>,
    /// What was rated, \[ratings\].
    pub items: Tensor<i64>,
    /// The ratings, \[ratings\].
    pub values: Tensor<f32>,
}

/// Ratings that follow a matrix of low rank: each is u · v / √rank for standard normal factors u of the user and v of the
/// item, plus normal noise. No model can predict them better than to that noise. Pairs are distinct and random.
///
/// # Panics
/// If there are fewer pairs of a user and an item than ratings, or the rank is 0.
#[track_caller]
pub fn low_rank_ratings(
    users: usize,
    items: usize,
    rank: usize,
    count: usize,
    noise: f32,
    seed: u64,
) -> Ratings {
    assert!(rank > 0, "low_rank_ratings: rank 0");
    let pairs = users.saturating_mul(items);
    assert!(count <= pairs, "low_rank_ratings: {count} ratings of {users} × {items} pairs");
    let mut generator = Generator::new(seed);
    let of_users = Tensor::<f32>::randn([users, rank], &mut generator).to_vec();
    let of_items = Tensor::<f32>::randn([items, rank], &mut generator).to_vec();
    let errors = Tensor::<f32>::randn([count], &mut generator).to_vec();
    let chosen = distinct_below(pairs, count, &mut generator);
    let dot = |(&pair, error): (&usize, &f32)| {
        let (user, item) = (pair / items, pair % items);
        let factors = of_users[user * rank..][..rank].iter().zip(&of_items[item * rank..][..rank]);
        factors.map(|(u, v)| u * v).sum::<f32>() / (rank as f32).sqrt() + noise * error
    };
    let values: Vec<f32> = chosen.iter().zip(&errors).map(dot).collect();
    let indices = |of: &dyn Fn(usize) -> usize| Tensor::from_fn([count], |i| of(chosen[i[0]]) as i64);
    Ratings {
        users: indices(&|pair| pair / items),
        items: indices(&|pair| pair % items),
        values: Tensor::from_vec(values, [count]).expect("one value a pair"),
    }
}

/// Different numbers below a bound (Floyd's algorithm, which needs no list of all), in random order.
fn distinct_below(bound: usize, count: usize, generator: &mut Generator) -> Vec<usize> {
    let mut seen = std::collections::HashSet::with_capacity(count);
    let mut chosen = Vec::with_capacity(count);
    for last in bound - count..bound {
        let candidate = generator.below(last as u64 + 1) as usize;
        let next = if seen.insert(candidate) { candidate } else { last };
        seen.insert(next);
        chosen.push(next);
    }
    generator.shuffle(&mut chosen);
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(set: &(Tensor<f32>, Tensor<i64>)) -> Vec<([f32; 2], i64)> {
        let coordinates = set.0.to_vec();
        coordinates.chunks_exact(2).map(|xy| [xy[0], xy[1]]).zip(set.1.iter()).collect()
    }

    #[test]
    fn shapes_without_noise() {
        for ([x, y], class) in points(&moons(101, 0.0, 0)) {
            let (dx, dy) = if class == 0 { (x, y) } else { (x - 1.0, 0.5 - y) };
            assert!((dx.hypot(dy) - 1.0).abs() < 1e-6 && dy > -1e-6);
        }
        for ([x, y], class) in points(&circles(60, 0.4, 0.0, 0)) {
            assert!((x.hypot(y) - [1.0, 0.4][class as usize]).abs() < 1e-6);
        }
        for ([x, y], class) in points(&xor(8, 0.0, 0)) {
            assert_eq!(i64::from(x * y < 0.0), class);
        }
        let last = points(&spirals(30, 3, 0.0, 0))[27..].to_vec();
        assert!(last.iter().all(|([x, y], _)| (x.hypot(*y) - 1.0).abs() < 1e-6));
    }

    #[test]
    fn noise_has_its_deviation_and_its_seed() {
        let noisy = xor(4000, 0.25, 1);
        let residual = |([x, y], _): &([f32; 2], i64)| (x.abs() - 1.0).powi(2) + (y.abs() - 1.0).powi(2);
        let variance = points(&noisy).iter().map(residual).sum::<f32>() / 8000.0;
        assert!((variance.sqrt() - 0.25).abs() < 0.01, "{variance}");
        assert_ne!(noisy.0, xor(4000, 0.25, 2).0);
        assert_eq!(noisy.0, xor(4000, 0.25, 1).0);
    }

    #[test]
    fn blobs_lie_around_their_centres() {
        let (points, labels) = blobs(3000, 3, 5, 0.5, 4);
        assert_eq!((points.shape(), labels.to_vec()[..4].to_vec()), (&[3000, 5][..], vec![0, 1, 2, 0]));
        let coordinate: Vec<f32> = points.to_vec().chunks_exact(5).step_by(3).map(|point| point[4]).collect();
        let mean = coordinate.iter().sum::<f32>() / 1000.0;
        let deviation = (coordinate.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 1000.0).sqrt();
        assert!((deviation - 0.5).abs() < 0.05 && mean.abs() <= 10.1, "{mean} ± {deviation}");
    }

    #[test]
    fn waves_stay_in_range() {
        let waves = sines(5, 100, 0.0, 2);
        assert_eq!(waves.shape(), [5, 100]);
        assert!(waves.iter().all(|x| x.abs() <= 1.0) && waves.iter().any(|x| x > 0.9));
    }

    #[test]
    fn ratings_are_of_low_rank_and_distinct() {
        let all = low_rank_ratings(20, 30, 1, 600, 0.0, 3);
        let mut matrix = vec![f32::NAN; 600];
        for ((user, item), value) in all.users.iter().zip(all.items.iter()).zip(all.values.iter()) {
            matrix[user as usize * 30 + item as usize] = value;
        }
        assert!(matrix.iter().all(|value| value.is_finite())); // each pair once
        for (row, column) in [(1, 1), (7, 20), (19, 29)] {
            let minor = matrix[0] * matrix[row * 30 + column] - matrix[column] * matrix[row * 30];
            assert!(minor.abs() < 1e-5, "{minor}"); // rank 1
        }
    }
}
