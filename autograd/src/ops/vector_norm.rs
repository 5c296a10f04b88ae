//! Vector norms over axes.
//!
//! ```
//! use wengert_autograd::Variable;
//!
//! let x = Variable::from([3.0_f32, -4.0]).requires_grad();
//! let length = x.norm(2.0);
//! assert_eq!((length.item(), x.norm(1.0).item(), x.norm(f64::INFINITY).item()), (5.0, 7.0, 4.0));
//! length.backward();
//! assert_eq!(x.grad().unwrap().to_vec(), [0.6, -0.8]); // x/‖x‖
//! ```
//!
//! Squares overflow long before the norm does. When a result is 0, infinite or subnormal, it is computed again from
//! the numbers divided by about the greatest of them (J. L. Blue, "A portable Fortran program to find the Euclidean norm of a
//! vector", 1978, has the idea); in the common case this costs a look at the results.

use super::{
    elementwise::{apply_at, one},
    mask::quotient_or_zero,
    reduction::{reduced_shape, sum_at},
    registry::samples,
};
use crate::{
    IntoAxes,
    graph::{
        Context, Cotangents, Grads, Keep, Op, Variable, mode::line, no_grad, op::Line, variable::record,
    },
    kernel::reduce,
    scalar::{Float, float::compiled, formula::elementary},
    tensor::{Tensor, TensorError},
};
use std::borrow::Cow;

/// (Σ|x|ᵖ)^(1/p).
struct Norm {
    p: f64,
    axes: u32,
}
impl<T: Float> Op<T> for Norm {
    fn name(&self) -> &'static str {
        "norm"
    }
    fn rule(&self) -> Cow<'static, str> {
        match self.p {
            2.0 => "y = √Σx²; x̄ += ȳ · x/y".into(),
            p => format!("y = (Σ|x|^{p})^(1/{p}); x̄ += ȳ · sign(x) · (|x|/y)^({p} − 1)").into(),
        }
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let (x, y) = (cx.input(0), cx.output(0));
        let wide = reduced_shape(x.shape(), self.axes, true);
        let (y, g) = (y.reshape(wide), g.only().reshape(wide));
        if self.p == 2.0 {
            return Grads::one(&x * quotient_or_zero(&g, &y));
        }
        // sign(x)·(|x|/y)^(p−1)
        let ratio = x.abs() * quotient_or_zero(&Variable::from(T::one()), &y);
        let slope = if self.p < 2.0 {
            // The power, or its slope, is infinite at 0.
            let zero = ratio.read().map(|ratio| ratio == T::zero());
            power(&ratio.masked_fill(&zero, 1.0), self.p - 1.0, line()).masked_fill(&zero, 0.0)
        } else {
            power(&ratio, self.p - 1.0, line())
        };
        Grads::one(x.sign() * slope * g)
    }
}

fn power<T: Float>(x: &Variable<T>, exponent: f64, line: Line) -> Variable<T> {
    one(apply_at(elementary::powf, [x, &Variable::from(T::from_f64(exponent))], line))
}

/// The norm with size 1 in place of the axes, as the formula says.
fn plain<T: Float>(x: &Variable<T>, p: f64, axes: u32, line: Line) -> Variable<T> {
    if p == 2.0 {
        return sum_at(&x.square(), axes, true, line).sqrt();
    }
    power(&sum_at(&power(&x.abs(), p, line), axes, true, line), 1.0 / p, line)
}

/// The same without overflow.
fn robust<T: Float>(x: &Tensor<T>, p: f64, axes: u32, line: Line) -> Tensor<T> {
    no_grad(|| {
        let x = Variable::new(x.clone());
        let norm = plain(&x, p, axes, line).value();
        if x.is_empty() || norm.iter().all(num_traits::Float::is_normal) {
            return norm;
        }
        // A power of two, so that the division is exact.
        let usable = |greatest: T| match greatest > T::zero() && greatest.is_finite() {
            true => T::from_f64(greatest.to_f64().log2().floor().exp2()),
            false => T::one(),
        };
        let scale = reduce::reduce(reduce::Largest, &x.abs().value(), axes).map(usable);
        let scale = Variable::new(scale);
        (plain(&(x / &scale), p, axes, line) * scale).value()
    })
}

fn norm_at<T: Float>(x: &Variable<T>, p: f64, axes: u32, keepdim: bool, line: Line) -> Variable<T> {
    if p == 1.0 {
        return sum_at(&x.abs(), axes, keepdim, line);
    }
    if p == 0.0 {
        return sum_at(&x.sign().abs(), axes, keepdim, line);
    }
    let value = x.read();
    let norm = robust(&value, p, axes, line).reshape(reduced_shape(value.dims(), axes, keepdim));
    let keep = Keep::inputs([0]).and(Keep::outputs([0]));
    record(Norm { p, axes }, &[x], &[&value], norm, keep, line)
}

impl<T: Float> Variable<T> {
    /// The p-norm of all elements, (Σ|x|ᵖ)^(1/p): a scalar. For p = ∞ the greatest |x|, for −∞ the least, for 0 the
    /// number of elements that are not 0.
    ///
    /// Gradient: sign(x)·(|x|/norm)^(p−1), and 0 where the norm is 0 or, for p < 2, x is 0; at p = ±∞ equal elements
    /// share it evenly, at p = 0 it is 0.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([3.0_f32, 0.0, 4.0]);
    /// assert_eq!((x.norm(2.0).item(), x.norm(0.0).item(), x.norm(f64::NEG_INFINITY).item()), (5.0, 2.0, 0.0));
    /// ```
    ///
    /// # Panics
    /// If p is NaN, or p is infinite and there are no elements.
    #[track_caller]
    pub fn norm(&self, p: f64) -> Variable<T> {
        let axes: Vec<isize> = (0..self.rank() as isize).collect();
        self.norm_axes(p, axes.as_slice(), false)
    }

    /// The [p-norm](Variable::norm) over some axes, which are removed, or kept with size 1 when `keepdim` holds.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[3.0_f32, 4.0], [6.0, 8.0]]);
    /// assert_eq!(x.norm_axes(2.0, 1, false).value().to_vec(), [5.0, 10.0]);
    /// ```
    ///
    /// # Panics
    /// If p is NaN, if an axis is out of range or named twice, or if p is infinite and an axis has size 0.
    #[track_caller]
    pub fn norm_axes(&self, p: f64, axes: impl IntoAxes, keepdim: bool) -> Variable<T> {
        let shape = self.shape();
        assert!(!p.is_nan(), "norm: p is NaN");
        let axes = axes.into_axes(shape, "norm");
        if p.is_infinite() {
            let list = shape.axes_in(axes);
            let sizes = self.abs();
            return match p > 0.0 {
                true => sizes.amax_axes(list.as_slice(), keepdim),
                false => sizes.amin_axes(list.as_slice(), keepdim),
            };
        }
        let (x, line) = (self, line());
        compiled!(norm_at(x: &Variable<T>, p: f64, axes: u32, keepdim: bool, line: Line) -> Variable<T>)
    }

    /// Each slice of an axis whose p-norm exceeds `max_norm`, scaled down to it; the others as they are. The gradient is
    /// that of x·min(1, `max_norm`/(norm + 10⁻⁷)), as in PyTorch.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[3.0_f64, 4.0], [0.3, 0.4]]);
    /// let y = x.renorm(2.0, 0, 1.0).value().to_vec();
    /// assert!((y[0] - 0.6).abs() < 1e-7 && y[2..] == [0.3, 0.4]);
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range, p is not positive, or `max_norm` is negative.
    #[track_caller]
    pub fn renorm(&self, p: f64, axis: isize, max_norm: f64) -> Variable<T> {
        let shape = self.shape();
        let axis = shape.axis("renorm", axis);
        if p.is_nan() || p <= 0.0 || max_norm.is_nan() || max_norm < 0.0 {
            let problem =
                format!("p must be positive and max_norm not negative; they are {p} and {max_norm}");
            TensorError::argument("renorm", &shape, problem).raise();
        }
        let others: Vec<isize> = (0..shape.len() as isize).filter(|&other| other != axis as isize).collect();
        let norms = self.norm_axes(p, others.as_slice(), true);
        let long = norms.read().gt(T::from_f64(max_norm));
        let scale = (max_norm / (norms + 1e-7)).masked_fill(&long.logical_not(), 1.0);
        self * scale
    }
}

samples! {
    norm {
        "euclidean" (x: nonzero([2, 3])) => x.norm(2.0);
        "rows" (x: nonzero([2, 3])) => x.norm_axes(2.0, 1, true);
        "sum of sizes" (x: nonzero([2, 3])) => x.norm_axes(1.0, 0, false);
        "p = 3" (x: nonzero([2, 3])) => x.norm(3.0);
        "p = 1.5" (x: nonzero([2, 3, 2])) => x.norm_axes(1.5, [0, 2], false);
        "p = 0" (x: nonzero([3])) => x.norm(0.0);
        "greatest" (x: distinct([3])) => (x + 1.0).norm(f64::INFINITY);
        "least" (x: values([3], &[2.0, -0.5, 1.0])) => x.norm(f64::NEG_INFINITY);
        "at 0" (x: values([3], &[0.0, 0.0, 0.0])) => x.norm(2.0), kink("the norm has no slope at 0: 0");
        "not a number" (x: normal([3])) => x.norm(f64::NAN), panics("norm: p is NaN");
    }
    renorm {
        "long and short rows" (x: values([2, 2], &[3.0, 4.0, 0.3, -0.4])) => x.renorm(2.0, 0, 1.0);
        "columns" (x: nonzero([3, 2])) => x.renorm(1.0, -1, 0.25);
        "no p" (x: normal([2, 2])) => x.renorm(0.0, 0, 1.0), panics("p must be positive");
    }
}
