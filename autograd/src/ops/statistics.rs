//! Variance and standard deviation over axes.
//!
//! ```
//! use wengert_autograd::Variable;
//!
//! let x = Variable::from([1.0_f32, 2.0, 3.0, 4.0]);
//! assert_eq!(x.var(0).item(), 1.25); // divided by n
//! assert!((x.std(1).item() - 1.290_994_4).abs() < 1e-6); // divided by n − 1
//! ```
//!
//! In two passes: first the mean, then the squares of the distances from it. The textbook's E[x²] − E[x]² subtracts two
//! large numbers and loses all digits when the mean is large against the spread (T. F. Chan, G. H. Golub, R. J. LeVeque,
//! "Algorithms for computing the sample variance", 1983).

use super::{
    elementwise::formula_on_tensors,
    mask::quotient_or_zero,
    reduction::{all_axes, reduced_count, reduced_shape, sum_at},
    registry::samples,
};
use crate::{
    IntoAxes,
    graph::{Context, Cotangents, Grads, Keep, Op, Variable, mode::line, op::Line, variable::record},
    kernel::reduce,
    scalar::{Float, Formula, Real, float::compiled},
    tensor::{Tensor, TensorError},
};
use std::borrow::Cow;

/// (x − m)².
#[derive(Clone, Copy)]
struct SquaredDistance;
impl Formula<2> for SquaredDistance {
    fn name(&self) -> &'static str {
        "squared_distance"
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [x, mean]: [R; 2]) -> [R; 1] {
        [(x - mean).square()]
    }
}

/// What both need to know: over which axes, how many numbers, and by what their squares are divided.
#[derive(Clone, Copy)]
struct Spread {
    axes: u32,
    count: f64,
    divisor: f64,
}

impl Spread {
    fn new(shape: crate::tensor::Dims, axes: u32, correction: usize) -> Spread {
        let count = reduced_count(shape, axes);
        Spread { axes, count: count as f64, divisor: count.saturating_sub(correction) as f64 }
    }

    /// The variance, with size 1 in place of the axes.
    fn variance<T: Float>(self, x: &Tensor<T>, line: Line) -> Tensor<T> {
        let (count, divisor) = (T::from_f64(self.count), T::from_f64(self.divisor));
        let mean = reduce::reduce(reduce::Sum, x, self.axes).map(|sum| sum / count);
        let [squares] = formula_on_tensors(SquaredDistance, [x, &mean], line);
        reduce::reduce(reduce::Sum, &squares, self.axes).map(|sum| sum / divisor)
    }

    /// The distances from the mean.
    fn centred<T: Float>(self, x: &Variable<T>) -> Variable<T> {
        x - sum_at(x, self.axes, true, line()) / self.count
    }
}

struct Variance(Spread);
impl<T: Float> Op<T> for Variance {
    fn name(&self) -> &'static str {
        "var"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = Σ(x − m)²/n, with the mean m; x̄ += ȳ · 2(x − m)/n, with the mean m".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let x = cx.input(0);
        let g = g.only().reshape(reduced_shape(x.shape(), self.0.axes, true));
        // d/dx Σ(x − m)² = 2(x − m): what m contributes sums to zero.
        Grads::one(self.0.centred(&x) * (g * (2.0 / self.0.divisor)))
    }
}

struct Deviation(Spread);
impl<T: Float> Op<T> for Deviation {
    fn name(&self) -> &'static str {
        "std"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = √(Σ(x − m)²/n), with the mean m; x̄ += ȳ · (x − m)/(n·y), with the mean m".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let (x, y) = (cx.input(0), cx.output(0));
        let wide = reduced_shape(x.shape(), self.0.axes, true);
        let share = quotient_or_zero(&g.only().reshape(wide), &y.reshape(wide));
        Grads::one(self.0.centred(&x) * (share / self.0.divisor))
    }
}

fn variance_at<T: Float>(
    x: &Variable<T>,
    axes: u32,
    correction: usize,
    keepdim: bool,
    line: Line,
) -> Variable<T> {
    let value = x.read();
    let spread = Spread::new(value.dims(), axes, correction);
    let variance = spread.variance(&value, line).reshape(reduced_shape(value.dims(), axes, keepdim));
    record(Variance(spread), &[x], &[&value], variance, Keep::inputs([0]), line)
}

fn deviation_at<T: Float>(
    x: &Variable<T>,
    axes: u32,
    correction: usize,
    keepdim: bool,
    line: Line,
) -> Variable<T> {
    let value = x.read();
    let spread = Spread::new(value.dims(), axes, correction);
    let variance = spread.variance(&value, line).reshape(reduced_shape(value.dims(), axes, keepdim));
    let deviation = variance.map(num_traits::Float::sqrt);
    let keep = Keep::inputs([0]).and(Keep::outputs([0]));
    record(Deviation(spread), &[x], &[&value], deviation, keep, line)
}

impl<T: Float> Variable<T> {
    /// The variance of all elements, Σ(x − mean)²/(n − correction): a scalar. Gradient: 2(x − mean)/(n − correction).
    /// NaN when n ≤ correction.
    ///
    /// A correction of 1 estimates the variance of what the elements were drawn from, 0 is the variance of the elements.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 2.0], [3.0, 6.0]]);
    /// assert_eq!((x.var(0).item(), x.var_axes(1, 1, false).value().to_vec()), (3.5, vec![0.5, 4.5]));
    /// ```
    #[track_caller]
    pub fn var(&self, correction: usize) -> Variable<T> {
        let (x, axes, keepdim, line) = (self, all_axes(self.shape()), false, line());
        compiled!(variance_at(x: &Variable<T>, axes: u32, correction: usize, keepdim: bool, line: Line) -> Variable<T>)
    }

    /// The [variance](Variable::var) over some axes, which are removed, or kept with size 1 when `keepdim` holds.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 2.0], [3.0, 6.0]]);
    /// assert_eq!(x.var_axes(0, 1, true).value().to_vec(), [2.0, 8.0]);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn var_axes(&self, axes: impl IntoAxes, correction: usize, keepdim: bool) -> Variable<T> {
        let (x, axes, line) = (self, axes.into_axes(self.shape(), "var"), line());
        compiled!(variance_at(x: &Variable<T>, axes: u32, correction: usize, keepdim: bool, line: Line) -> Variable<T>)
    }

    /// The standard deviation of all elements, the root of the [variance](Variable::var): a scalar. Gradient:
    /// (x − mean)/((n − correction)·std), and 0 where the deviation is 0.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 3.0], [5.0, 5.0]]);
    /// assert_eq!(x.std_axes(1, 0, false).value().to_vec(), [1.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn std(&self, correction: usize) -> Variable<T> {
        let (x, axes, keepdim, line) = (self, all_axes(self.shape()), false, line());
        compiled!(deviation_at(x: &Variable<T>, axes: u32, correction: usize, keepdim: bool, line: Line) -> Variable<T>)
    }

    /// The [standard deviation](Variable::std) over some axes, which are removed, or kept with size 1 when `keepdim`
    /// holds.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 3.0], [5.0, 5.0]]);
    /// assert_eq!(x.std_axes(-1, 0, false).value().to_vec(), [1.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn std_axes(&self, axes: impl IntoAxes, correction: usize, keepdim: bool) -> Variable<T> {
        let (x, axes, line) = (self, axes.into_axes(self.shape(), "std"), line());
        compiled!(deviation_at(x: &Variable<T>, axes: u32, correction: usize, keepdim: bool, line: Line) -> Variable<T>)
    }

    /// The covariances of n variables with one another, from m observations: `[n, m]` gives `[n, n]`, and a row `[m]` a
    /// scalar. Entry i, j is Σₖ (xᵢₖ − mean xᵢ)·(xⱼₖ − mean xⱼ)/(m − correction).
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 2.0, 3.0], [3.0, 2.0, 1.0]]);
    /// assert_eq!(x.cov(1).value().to_vec(), [1.0, -1.0, -1.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If there are more than two axes.
    #[track_caller]
    pub fn cov(&self, correction: usize) -> Variable<T> {
        let shape = self.shape();
        if !(1..=2).contains(&shape.len()) {
            TensorError::argument("cov", &shape, "variables in rows [n, m], or one row, are wanted").raise();
        }
        let centred = self - self.mean_axes(-1, true);
        let products = if shape.len() == 1 { centred.square().sum() } else { centred.matmul(&centred.t()) };
        products / shape[shape.len() - 1].saturating_sub(correction) as f64
    }

    /// The correlation coefficients of n variables with one another, from m observations: `[n, m]` gives `[n, n]`, and a
    /// row `[m]` a scalar. Entry i, j is cov(i, j)/√(cov(i, i)·cov(j, j)), between −1 and 1; NaN where a variable does not
    /// vary.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f64, 2.0, 3.0], [6.0, 4.0, 2.0]]);
    /// let expected = wengert_autograd::tensor![f64; [1.0, -1.0], [-1.0, 1.0]];
    /// assert!(x.corrcoef().value().allclose(&expected, 1e-12, 0.0));
    /// ```
    ///
    /// # Panics
    /// If there are more than two axes.
    #[track_caller]
    pub fn corrcoef(&self) -> Variable<T> {
        let covariance = self.cov(0);
        if covariance.rank() == 0 {
            let variance = covariance.clone(); // of one variable: 1, and NaN where it does not vary
            return covariance / variance;
        }
        let deviation = covariance.diagonal(0, 0, 1).sqrt();
        covariance / deviation.unsqueeze(1) / deviation.unsqueeze(0)
    }
}

samples! {
    var {
        "all" (x: normal([2, 3])) => x.var(1);
        "two axes" (x: normal([2, 3, 2])) => x.var_axes([0, 2], 0, true);
        "an axis twice" (x: normal([2, 3])) => x.var_axes([0, 0], 0, true), panics("named twice");
    }
    std {
        "all" (x: normal([2, 3])) => x.std(1);
        "columns" (x: normal([4, 2])) => x.std_axes(0, 0, false);
        "no spread" (x: values([3], &[2.0, 2.0, 2.0])) => x.std(0), kink("the root has no slope at 0: 0");
    }
    cov {
        "rows" (x: normal([3, 4])) => x.cov(1);
        "one row" (x: normal([4])) => x.cov(0);
        "batches" (x: normal([2, 2, 2])) => x.cov(1), panics("cov: ");
    }
    corrcoef {
        "rows" (x: normal([3, 4])) => x.corrcoef();
        "batches" (x: normal([2, 2, 2])) => x.corrcoef(), panics("cov: ");
    }
}
