//! Layer normalisation and root-mean-square normalisation: each row by its own statistics, then weighted along the row.
//!
//! y = x̂·w + b with x̂ = (x − μ)·r; μ is the mean of the row and r = 1/√(variance + ε), or μ = 0 and r = 1/√(mean of
//! squares + ε). With h = ȳ·w the gradient of a row is x̄ = r·(h − mean(h) − x̂·mean(h·x̂)), the first mean being absent
//! where μ is; w̄ = Σ over rows ȳ·x̂ and b̄ = Σ over rows ȳ.

use crate::{
    kernel::{lanes::sum, parallel::in_chunks_of_two, reduce, simd::dispatch},
    scalar::Float,
    tensor::{Dims, Fresh, Tensor},
};
use std::mem::MaybeUninit;

/// How rows are normalised.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows {
    /// Elements in a row.
    pub(crate) len: usize,
    /// Is the mean taken off?
    pub(crate) centred: bool,
    pub(crate) eps: f64,
}

/// Nanoseconds an element.
const COST: f64 = 0.3;

impl Rows {
    /// How many rows make a task: enough to be worth one, and few enough for several threads. Depends on the shape only.
    fn in_a_task(&self, rows: usize) -> usize {
        rows.div_ceil(64).max(8192 / self.len.max(1)).max(1)
    }

    /// The normalised rows, and mean and r of each.
    pub(crate) fn forward<T: Float>(
        &self,
        x: &Tensor<T>,
        weight: Option<&Tensor<T>>,
        bias: Option<&Tensor<T>>,
    ) -> (Tensor<T>, Tensor<T>) {
        let (rows, count) = (self, x.len() / self.len.max(1));
        let (x, weight, bias) = (x.contiguous(), or_all(weight, self.len, 1.0), or_all(bias, self.len, 0.0));
        let (from, weight, bias) = (packed(&x), packed(&weight), packed(&bias));
        let (mut y, mut statistics) = (Fresh::new(x.dims()), Fresh::new(Dims::new(&[count, 2])));
        if !from.is_empty() {
            let task = self.in_a_task(count);
            let cost = from.len() as f64 * COST;
            let (y, statistics) = (y.as_uninit_slice(), statistics.as_uninit_slice());
            in_chunks_of_two((y, task * self.len), (statistics, task * 2), cost, |chunk, y, statistics| {
                let x = &from[chunk * task * self.len..][..y.len()];
                dispatch!([T: Float] forward_rows::<FMA, T>(
                    rows: &Rows,
                    x: &[T],
                    weight: &[T],
                    bias: &[T],
                    y: &mut [MaybeUninit<T>],
                    statistics: &mut [MaybeUninit<T>],
                ));
            });
        }
        // SAFETY: every row was written, with its statistics; of empty rows there are none.
        unsafe { (y.assume_init(), statistics.assume_init()) }
    }

    /// x̄, and where they are wanted w̄ and b̄ (each a row).
    pub(crate) fn backward<T: Float>(
        &self,
        x: &Tensor<T>,
        weight: Option<&Tensor<T>>,
        statistics: &Tensor<T>,
        g: &Tensor<T>,
        parameters: bool,
    ) -> (Tensor<T>, Option<[Tensor<T>; 2]>) {
        let (rows, count) = (self, x.len() / self.len.max(1));
        let (x, g, weight) = (x.contiguous(), g.contiguous(), or_all(weight, self.len, 1.0));
        let (from, g, weight, statistics) = (packed(&x), packed(&g), packed(&weight), packed(statistics));
        let mut dx = Fresh::new(x.dims());
        if from.is_empty() {
            let zeros = || Tensor::zeros([self.len]);
            // SAFETY: there is nothing to write.
            return (unsafe { dx.assume_init() }, parameters.then(|| [zeros(), zeros()]));
        }
        let task = self.in_a_task(count);
        let tasks = count.div_ceil(task);
        // The sums over the rows of each task: first those for the weight, then those for the bias.
        let width = if parameters { 2 * self.len } else { 1 };
        let mut partial = vec![T::zero(); tasks * width];
        let cost = from.len() as f64 * 1.5 * COST;
        in_chunks_of_two(
            (dx.as_uninit_slice(), task * self.len),
            (&mut partial, width),
            cost,
            |chunk, dx, partial| {
                let at = chunk * task * self.len;
                let (x, g) = (&from[at..][..dx.len()], &g[at..][..dx.len()]);
                let statistics = &statistics[chunk * task * 2..];
                dispatch!([T: Float] backward_rows::<FMA, T>(
                    rows: &Rows,
                    x: &[T],
                    g: &[T],
                    weight: &[T],
                    statistics: &[T],
                    dx: &mut [MaybeUninit<T>],
                    partial: &mut [T],
                ));
            },
        );
        let parameters = parameters.then(|| {
            let partial = Tensor::from_vec(partial, [tasks, width]).expect("a row for each task");
            let total = reduce::reduce(reduce::Sum, &partial, 1).reshape([2, self.len]);
            [total.select(0, 0).contiguous(), total.select(0, 1).contiguous()]
        });
        // SAFETY: every row was written.
        (unsafe { dx.assume_init() }, parameters)
    }
}

/// # Safety
/// None; the signature is that of `dispatch!`.
#[inline(always)]
unsafe fn forward_rows<const FMA: bool, T: Float>(
    rows: &Rows,
    x: &[T],
    weight: &[T],
    bias: &[T],
    y: &mut [MaybeUninit<T>],
    statistics: &mut [MaybeUninit<T>],
) {
    let (len, count) = (rows.len, T::from_f64(rows.len as f64));
    let (weight, bias) = (&weight[..len], &bias[..len]);
    for ((x, y), statistics) in
        x.chunks_exact(len).zip(y.chunks_exact_mut(len)).zip(statistics.chunks_exact_mut(2))
    {
        let (x, y) = (&x[..len], &mut y[..len]);
        let mean = if rows.centred { sum!([x] | x | x) / count } else { T::zero() };
        let variance = sum!([x] | x | (x - mean) * (x - mean)) / count;
        let r = T::one() / num_traits::Float::sqrt(variance + T::from_f64(rows.eps));
        for i in 0..len {
            y[i].write((x[i] - mean) * r * weight[i] + bias[i]);
        }
        statistics[0].write(mean);
        statistics[1].write(r);
    }
}

/// # Safety
/// None; the signature is that of `dispatch!`.
#[inline(always)]
unsafe fn backward_rows<const FMA: bool, T: Float>(
    rows: &Rows,
    x: &[T],
    g: &[T],
    weight: &[T],
    statistics: &[T],
    dx: &mut [MaybeUninit<T>],
    partial: &mut [T],
) {
    let (len, count) = (rows.len, T::from_f64(rows.len as f64));
    let weight = &weight[..len];
    let (for_weight, for_bias) = partial.split_at_mut(partial.len() / 2);
    let parameters = for_weight.len() == len;
    for (row, dx) in dx.chunks_exact_mut(len).enumerate() {
        let (x, g) = (&x[row * len..][..len], &g[row * len..][..len]);
        let (mean, r) = (statistics[2 * row], statistics[2 * row + 1]);
        let dx = &mut dx[..len];
        let plain = if rows.centred { sum!([g, weight] | g, w | g * w) / count } else { T::zero() };
        let along = sum!([g, weight, x] | g, w, x | g * w * (x - mean)) * r / count;
        for i in 0..len {
            let normal = (x[i] - mean) * r;
            dx[i].write(r * (g[i] * weight[i] - plain - normal * along));
        }
        if parameters {
            let (for_weight, for_bias) = (&mut for_weight[..len], &mut for_bias[..len]);
            for i in 0..len {
                for_weight[i] = for_weight[i] + g[i] * ((x[i] - mean) * r);
                for_bias[i] = for_bias[i] + g[i];
            }
        }
    }
}

/// The weights or biases of a row, or the number that stands for none.
fn or_all<T: Float>(values: Option<&Tensor<T>>, len: usize, otherwise: f64) -> Tensor<T> {
    values.map_or_else(|| Tensor::full([len], T::from_f64(otherwise)), Tensor::contiguous)
}

fn packed<T: Float>(x: &Tensor<T>) -> &[T] {
    x.as_slice().expect("made contiguous")
}
