//! Activation functions: what stands between the layers of a network.
//!
//! ```
//! use wengert_autograd::Variable;
//!
//! let x = Variable::from([-1.0_f32, 0.0, 1.0]);
//! assert_eq!(x.leaky_relu(0.1).value().to_vec(), [-0.1, 0.0, 1.0]);
//! ```
//!
//! Each is a formula, so its value is one loop over memory, its gradient another, and every higher derivative exists.
//! Where a function has a kink, its derivative there is PyTorch's choice, and stands in the method's documentation.

use super::{
    elementwise::{evaluate, formulas},
    registry::samples,
};
use crate::{
    graph::Variable,
    scalar::{Float, Formula, Real, Slope, table::c},
    tensor::Dims,
};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, SQRT_2};

/// min(x, 0), whose slope at 0 is 1: the part of x that an exponential may see without overflow.
#[inline(always)]
fn negative_part<R: Real>(x: R) -> R {
    R::select(c::<R>(0.0).lt(x), c(0.0), x)
}

formulas! {
    LeakyRelu { slope } "leaky_relu" |x| R::select(c::<R>(0.0).lt(x), x, slope * x);
    /// elu and selu.
    ExponentialUnit { scale, alpha } "elu" |x| {
        R::select(c::<R>(0.0).lt(x), scale * x, scale * alpha * negative_part(x).expm1())
    };
    Gelu {} "gelu" |x| x * c(0.5) * (x * c(-FRAC_1_SQRT_2)).erfc();
    GeluTanh {} "gelu_tanh" |x| {
        let inner = c::<R>(FRAC_2_SQRT_PI / SQRT_2) * x * (c::<R>(1.0) + c::<R>(0.044_715) * x * x);
        c::<R>(0.5) * x * (c::<R>(1.0) + inner.tanh())
    };
    Silu {} "silu" |x| x * x.sigmoid();
    Mish {} "mish" |x| x * x.softplus().tanh();
    Hardswish {} "hardswish" |x| {
        let middle = x * (x + c(3.0)) / c(6.0);
        R::select(x.le(c(-3.0)), x * c(0.0), R::select(c::<R>(3.0).le(x), x, middle))
    };
    Hardtanh { low, high } "hardtanh" |x| R::select(x.le(low), low, R::select(high.le(x), high, x));
    Tanhshrink {} "tanhshrink" |x| x - x.tanh();
    LogSigmoid {} "logsigmoid" |x| -(-x).softplus();
    SoftplusWith { beta, threshold } "softplus" |x| {
        let scaled = x * beta;
        R::select(threshold.lt(scaled), x, scaled.softplus() / beta)
    };
    Prelu {} "prelu" |x, weight| R::select(c::<R>(0.0).lt(x), x, weight * x);
    Glu {} "glu" |a, b| a * b.sigmoid();
    Threshold { threshold, value } "threshold" |x| R::select(x.le(threshold), value, x);
    Hardshrink { lambda } "hardshrink" |x| R::select(x.abs().le(lambda), c(0.0), x);
    Softshrink { lambda } "softshrink" |x| {
        // 0 · x and not 0, so that NaN stays NaN.
        R::select(lambda.lt(x), x - lambda, R::select(x.lt(-lambda), x + lambda, x * c(0.0)))
    };
    Logit {} "logit" |x| x.ln() - (-x).ln_1p();
}

/// α of selu (G. Klambauer et al., Self-normalizing neural networks, 2017): with it and the scale below, mean 0 and variance
/// 1 are a fixed point.
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;
/// The scale of selu.
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;

/// Where PyTorch computes a constant of a derivative in single precision, even for double-precision numbers, so does the
/// formula here: results are compared with PyTorch's far below that rounding, which is 3·10⁻⁸ at most.
fn single(constant: f64) -> f64 {
    f64::from(constant as f32)
}

#[derive(Clone, Copy)]
struct Celu {
    alpha: f64,
}
impl Formula<1> for Celu {
    fn name(&self) -> &'static str {
        "celu"
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [x]: [R; 1]) -> [R; 1] {
        let stretched = negative_part(x) * c(1.0 / self.alpha);
        [R::select(c::<R>(0.0).lt(x), x, c::<R>(self.alpha) * stretched.expm1())]
    }
    #[inline(always)]
    fn pullback<R: Real>(&self, [x]: [R; 1], _: [R; 1], [g]: [R; 1]) -> [Slope<R>; 1] {
        let stretch = 1.0 / single(self.alpha);
        let left = c::<R>(self.alpha * stretch) * (negative_part(x) * c(stretch)).exp();
        [Slope::Is(R::select(c::<R>(0.0).lt(x), g, g * left))]
    }
}

/// The slope is written out: the quotient's rule would subtract two nearly equal numbers where |x| is large.
#[derive(Clone, Copy)]
struct Softsign;
impl Formula<1> for Softsign {
    fn name(&self) -> &'static str {
        "softsign"
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [x]: [R; 1]) -> [R; 1] {
        [x / (c::<R>(1.0) + x.abs())]
    }
    #[inline(always)]
    fn pullback<R: Real>(&self, [x]: [R; 1], _: [R; 1], [g]: [R; 1]) -> [Slope<R>; 1] {
        let shrunk = (c::<R>(1.0) + x.abs()).reciprocal();
        [Slope::Is(g * shrunk * shrunk)]
    }
}

#[derive(Clone, Copy)]
struct Hardsigmoid;
impl Formula<1> for Hardsigmoid {
    fn name(&self) -> &'static str {
        "hardsigmoid"
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [x]: [R; 1]) -> [R; 1] {
        let middle = (x + c(3.0)) / c(6.0);
        [R::select(x.le(c(-3.0)), c(0.0), R::select(c::<R>(3.0).le(x), c(1.0), middle))]
    }
    #[inline(always)]
    fn pullback<R: Real>(&self, [x]: [R; 1], _: [R; 1], [g]: [R; 1]) -> [Slope<R>; 1] {
        let outside = x.le(c(-3.0)) | c::<R>(3.0).le(x);
        [Slope::Is(R::select(outside, c(0.0), g * c(single(1.0 / 6.0))))]
    }
}

impl<T: Float> Variable<T> {
    /// x where x > 0, `negative_slope`·x elsewhere. At 0 the derivative is `negative_slope`.
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// let x = wengert_autograd::Variable::from([-2.0_f64, 3.0]);
    /// assert_eq!(x.leaky_relu(0.25).value().to_vec(), [-0.5, 3.0]);
    /// ```
    #[track_caller]
    pub fn leaky_relu(&self, negative_slope: f64) -> Variable<T> {
        evaluate!(LeakyRelu { slope: negative_slope }; self)
    }

    /// x where x > 0, `weight`·x elsewhere, with weights that are learnt: one for all, or one for each channel (axis 1).
    /// At 0 the derivative is the weight (K. He et al., Delving deep into rectifiers, 2015).
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[-2.0_f64, -2.0]]);
    /// let weight = wengert_autograd::Variable::from([0.25, 0.5]);
    /// assert_eq!(x.prelu(&weight).value().to_vec(), [-0.5, -1.0]);
    /// ```
    ///
    /// # Panics
    /// If `weight` is no vector of one number, nor of as many as axis 1 has.
    #[track_caller]
    pub fn prelu(&self, weight: &Variable<T>) -> Variable<T> {
        let (shape, count) = (self.shape(), weight.len());
        let channels = if shape.len() >= 2 { shape[1] } else { 1 };
        assert!(
            weight.rank() <= 1 && (count == 1 || count == channels),
            "prelu: the weight has the shape {:?}; for an input of shape {shape:?} it takes 1 value or {channels}",
            weight.shape()
        );
        let along_channels = Dims::filled(shape.len().max(1), 1).with(usize::from(shape.len() >= 2), count);
        let weight = match count {
            1 => weight.reshape(()),
            _ => weight.reshape(along_channels),
        };
        evaluate!(Prelu {}; self, &weight)
    }

    /// x where x > 0, `alpha`·(eˣ − 1) elsewhere. At 0 the derivative is `alpha`
    /// (D.-A. Clevert, T. Unterthiner and S. Hochreiter, 2015).
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// let x = wengert_autograd::Variable::from([-1.0_f64, 2.0]).elu(1.0).value().to_vec();
    /// assert!((x[0] + 0.632_120_558_828_557_7).abs() < 1e-15 && x[1] == 2.0);
    /// ```
    #[track_caller]
    pub fn elu(&self, alpha: f64) -> Variable<T> {
        evaluate!(ExponentialUnit { scale: 1.0, alpha: alpha }; self)
    }

    /// max(x, 0) + min(0, `alpha`·(e^(x/`alpha`) − 1)), whose derivative is continuous: 1 at 0 (J. T. Barron, 2017).
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// let x = wengert_autograd::Variable::from([-2.0_f64, 2.0]).celu(2.0).value().to_vec();
    /// assert!((x[0] + 1.264_241_117_657_115_4).abs() < 1e-15 && x[1] == 2.0);
    /// ```
    #[track_caller]
    pub fn celu(&self, alpha: f64) -> Variable<T> {
        evaluate!(Celu { alpha }; self)
    }

    /// λ·(max(x, 0) + min(0, α·(eˣ − 1))) with λ = 1.0507… and α = 1.6732…, for which activations keep mean 0 and
    /// variance 1 from layer to layer (G. Klambauer et al., 2017). At 0 the derivative is λα.
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// let y = wengert_autograd::Variable::from(1.0_f64).selu();
    /// assert!((y.item() - 1.050_700_987_355_480_5).abs() < 1e-15);
    /// ```
    #[track_caller]
    pub fn selu(&self) -> Variable<T> {
        evaluate!(ExponentialUnit { scale: SELU_SCALE, alpha: SELU_ALPHA }; self)
    }

    /// x·Φ(x), with Φ the distribution function of the standard normal distribution
    /// (D. Hendrycks and K. Gimpel, Gaussian error linear units, 2016).
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// let y = wengert_autograd::Variable::from(1.0_f64).gelu();
    /// assert!((y.item() - 0.841_344_746_068_542_9).abs() < 1e-15);
    /// ```
    #[track_caller]
    pub fn gelu(&self) -> Variable<T> {
        evaluate!(Gelu {}; self)
    }

    /// ½x·(1 + tanh(√(2/π)·(x + 0.044715x³))): [`gelu`](Variable::gelu) approximately, as GPT-2 has it.
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// let y = wengert_autograd::Variable::from(1.0_f64).gelu_tanh();
    /// assert!((y.item() - 0.841_191_990_608_276_8).abs() < 1e-15);
    /// ```
    #[track_caller]
    pub fn gelu_tanh(&self) -> Variable<T> {
        evaluate!(GeluTanh {}; self)
    }

    /// x·σ(x), also called swish (S. Elfwing, E. Uchibe and K. Doya, 2017).
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// let y = wengert_autograd::Variable::from(1.0_f64).silu();
    /// assert!((y.item() - 0.731_058_578_630_004_9).abs() < 1e-15);
    /// ```
    #[track_caller]
    pub fn silu(&self) -> Variable<T> {
        evaluate!(Silu {}; self)
    }

    /// x·tanh(ln(1 + eˣ)) (D. Misra, Mish, 2019).
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// let y = wengert_autograd::Variable::from(1.0_f64).mish();
    /// assert!((y.item() - 0.865_098_388_267_310_3).abs() < 1e-15);
    /// ```
    #[track_caller]
    pub fn mish(&self) -> Variable<T> {
        evaluate!(Mish {}; self)
    }

    /// x·min(max(x + 3, 0), 6)/6 (A. Howard et al., Searching for MobileNetV3, 2019). The derivative is 0 at −3 and 1 at 3.
    /// At −∞ the formula is ∞·0, and the result NaN.
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// let x = wengert_autograd::Variable::from([-4.0_f64, 0.0, 1.5, 4.0]);
    /// assert_eq!(x.hardswish().value().to_vec(), [0.0, 0.0, 1.125, 4.0]);
    /// ```
    #[track_caller]
    pub fn hardswish(&self) -> Variable<T> {
        evaluate!(Hardswish {}; self)
    }

    /// min(max(x + 3, 0), 6)/6. The derivative is 0 at −3 and at 3.
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// let x = wengert_autograd::Variable::from([-4.0_f64, 0.0, 1.5, 4.0]);
    /// assert_eq!(x.hardsigmoid().value().to_vec(), [0.0, 0.5, 0.75, 1.0]);
    /// ```
    #[track_caller]
    pub fn hardsigmoid(&self) -> Variable<T> {
        evaluate!(Hardsigmoid {}; self)
    }

    /// x between `low` and `high`, the nearer of the two elsewhere. The derivative is 0 at both; see
    /// [`clamp`](Variable::clamp) for the other convention. NaN stays NaN.
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// let x = wengert_autograd::Variable::from([-4.0_f64, 0.5, 4.0]);
    /// assert_eq!(x.hardtanh(-1.0, 1.0).value().to_vec(), [-1.0, 0.5, 1.0]);
    /// ```
    #[track_caller]
    pub fn hardtanh(&self, low: f64, high: f64) -> Variable<T> {
        evaluate!(Hardtanh { low, high }; self)
    }

    /// min(max(x, 0), 6). The derivative is 0 at 0 and at 6.
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// let x = wengert_autograd::Variable::from([-4.0_f64, 0.5, 8.0]);
    /// assert_eq!(x.relu6().value().to_vec(), [0.0, 0.5, 6.0]);
    /// ```
    #[track_caller]
    pub fn relu6(&self) -> Variable<T> {
        self.hardtanh(0.0, 6.0)
    }

    /// x/(1 + |x|). Derivative 1/(1 + |x|)².
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// assert_eq!(wengert_autograd::Variable::from(-3.0_f64).softsign().item(), -0.75);
    /// ```
    #[track_caller]
    pub fn softsign(&self) -> Variable<T> {
        evaluate!(Softsign {}; self)
    }

    /// x − tanh x.
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// let y = wengert_autograd::Variable::from(1.0_f64).tanhshrink();
    /// assert!((y.item() - 0.238_405_844_044_235).abs() < 1e-15);
    /// ```
    #[track_caller]
    pub fn tanhshrink(&self) -> Variable<T> {
        evaluate!(Tanhshrink {}; self)
    }

    /// ln σ(x) = −ln(1 + e⁻ˣ), without overflow.
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// assert_eq!(wengert_autograd::Variable::from(-1000.0_f64).logsigmoid().item(), -1000.0);
    /// ```
    #[track_caller]
    pub fn logsigmoid(&self) -> Variable<T> {
        evaluate!(LogSigmoid {}; self)
    }

    /// ln(1 + e^(`beta`·x))/`beta`, and x itself where `beta`·x > `threshold`. With 1 and 20 these are PyTorch's defaults;
    /// [`softplus`](Variable::softplus) needs no threshold.
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// let x = wengert_autograd::Variable::from([0.0_f64, 30.0]).softplus_with(2.0, 20.0).value().to_vec();
    /// assert!((x[0] - 0.5 * 2_f64.ln()).abs() < 1e-15 && x[1] == 30.0);
    /// ```
    #[track_caller]
    pub fn softplus_with(&self, beta: f64, threshold: f64) -> Variable<T> {
        evaluate!(SoftplusWith { beta, threshold }; self)
    }

    /// The first half along `axis` times σ of the second half: a gate
    /// (Y. N. Dauphin et al., Language modeling with gated convolutional networks, 2016).
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([3.0_f64, 4.0, 0.0, 0.0]);
    /// assert_eq!(x.glu(0).value().to_vec(), [1.5, 2.0]);
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range, or its size is odd.
    #[track_caller]
    pub fn glu(&self, axis: isize) -> Variable<T> {
        let shape = self.shape();
        let size = shape[shape.axis("glu", axis)];
        assert!(
            size.is_multiple_of(2),
            "glu: axis {axis} of shape {shape:?} has an odd size; it is to be halved"
        );
        let (a, b) = (self.narrow(axis, 0, size / 2), self.narrow(axis, size / 2, size / 2));
        evaluate!(Glu {}; &a, &b)
    }

    /// x where x > `threshold`, `value` elsewhere. The derivative is 1 above the threshold, 0 below it and at it. NaN stays
    /// NaN.
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// let x = wengert_autograd::Variable::from([-4.0_f64, 0.5, 4.0]);
    /// assert_eq!(x.threshold(0.5, -1.0).value().to_vec(), [-1.0, -1.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn threshold(&self, threshold: f64, value: f64) -> Variable<T> {
        evaluate!(Threshold { threshold, value }; self)
    }

    /// x where |x| > `lambda`, 0 elsewhere: the proximal step of counting what is not 0. The derivative is 1 outside and 0
    /// inside and at ±`lambda`. NaN stays NaN.
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// let x = wengert_autograd::Variable::from([-4.0_f64, 0.5, 4.0]);
    /// assert_eq!(x.hardshrink(0.5).value().to_vec(), [-4.0, 0.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn hardshrink(&self, lambda: f64) -> Variable<T> {
        evaluate!(Hardshrink { lambda }; self)
    }

    /// x nearer to 0 by `lambda`, and 0 where it is less away: sign(x)·max(|x| − `lambda`, 0), the proximal step of |x|. The
    /// derivative is 1 outside and 0 inside and at ±`lambda`. NaN stays NaN.
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// let x = wengert_autograd::Variable::from([-4.0_f64, 0.5, 4.0]);
    /// assert_eq!(x.softshrink(0.5).value().to_vec(), [-3.5, 0.0, 3.5]);
    /// ```
    #[track_caller]
    pub fn softshrink(&self, lambda: f64) -> Variable<T> {
        evaluate!(Softshrink { lambda }; self)
    }

    /// ln(x/(1 − x)), the inverse of [`sigmoid`](Variable::sigmoid): −∞ at 0, ∞ at 1, NaN outside [0, 1]. Derivative
    /// 1/(x·(1 − x)); [clamp](Variable::clamp) a probability that may be 0 or 1 first.
    ///
    /// Elementwise; the result has the shape of `self`.
    /// ```
    /// let x = wengert_autograd::Variable::from([0.5_f64, 0.75]).logit().value().to_vec();
    /// assert!(x[0] == 0.0 && (x[1] - 3.0_f64.ln()).abs() < 1e-15);
    /// ```
    #[track_caller]
    pub fn logit(&self) -> Variable<T> {
        evaluate!(Logit {}; self)
    }
}

samples! {
    leaky_relu {
        "both sides" (x: away_from(0.0, [2, 3])) => x.leaky_relu(0.1), elementwise;
        "at 0" (x: values([2], &[0.0, -0.0])) => x.leaky_relu(0.1), kink("the slope at 0 is the negative one");
    }
    prelu {
        "one weight" (x: away_from(0.0, [2, 3]), weight: positive([1])) => x.prelu(weight);
        "a weight for each channel" (x: away_from(0.0, [2, 3, 2]), weight: positive([3])) => x.prelu(weight);
        "a vector" (x: away_from(0.0, [4]), weight: positive([1])) => x.prelu(weight);
        "empty" (x: normal([2, 3, 0]), weight: positive([3])) => x.prelu(weight);
        "two weights for three channels" (x: normal([2, 3]), weight: positive([2])) => x.prelu(weight),
            panics("it takes 1 value or 3");
    }
    elu {
        "both sides" (x: away_from(0.0, [2, 3])) => x.elu(0.7), elementwise;
        "far out" (x: values([2], &[800.0, -800.0])) => x.elu(0.7);
    }
    celu {
        "both sides" (x: away_from(0.0, [2, 3])) => x.celu(0.7), elementwise;
    }
    selu {
        "both sides" (x: away_from(0.0, [2, 3])) => x.selu(), elementwise;
    }
    gelu {
        "exact" (x: normal([2, 3])) => x.gelu(), elementwise;
        "approximate" (x: normal([2, 3])) => x.gelu_tanh(), elementwise;
    }
    silu {
        "a matrix" (x: normal([2, 3])) => x.silu(), elementwise;
    }
    mish {
        "a matrix" (x: normal([2, 3])) => x.mish(), elementwise;
    }
    hardswish {
        "all pieces" (x: between(-5.0, 5.0, &[-3.0, 3.0], [2, 5])) => x.hardswish(), elementwise;
        "at the ends" (x: values([2], &[-3.0, 3.0])) => x.hardswish(), kink("0 at −3 and 1 at 3");
    }
    hardsigmoid {
        "all pieces" (x: between(-5.0, 5.0, &[-3.0, 3.0], [2, 5])) => x.hardsigmoid(), elementwise;
        "at the ends" (x: values([2], &[-3.0, 3.0])) => x.hardsigmoid(), kink("0 at both ends");
    }
    hardtanh {
        "all pieces" (x: between(-2.0, 2.0, &[-0.5, 1.0], [2, 5])) => x.hardtanh(-0.5, 1.0), elementwise;
        "at the ends" (x: values([2], &[-0.5, 1.0])) => x.hardtanh(-0.5, 1.0), kink("0 at both ends");
    }
    relu6 {
        "all pieces" (x: between(-3.0, 9.0, &[0.0, 6.0], [2, 5])) => x.relu6(), elementwise;
    }
    softsign {
        "both sides" (x: away_from(0.0, [2, 3])) => x.softsign(), elementwise;
    }
    tanhshrink {
        "a matrix" (x: normal([2, 3])) => x.tanhshrink(), elementwise;
    }
    logsigmoid {
        "a matrix" (x: normal([2, 3])) => x.logsigmoid(), elementwise;
    }
    softplus_with {
        "both pieces" (x: between(-2.0, 2.0, &[0.5], [2, 5])) => x.softplus_with(2.0, 1.0), elementwise;
    }
    glu {
        "the last axis" (x: normal([2, 6])) => x.glu(-1);
        "the first axis" (x: normal([2, 3])) => x.glu(0);
        "empty" (x: normal([0, 3])) => x.glu(0);
        "an odd axis" (x: normal([2, 3])) => x.glu(1), panics("axis 1 of shape [2, 3] has an odd size");
    }
    threshold {
        "both sides" (x: away_from(0.5, [2, 5])) => x.threshold(0.5, -2.0), elementwise;
        "at the threshold" (x: values([1], &[0.5])) => x.threshold(0.5, -2.0), kink("0 at the threshold");
    }
    hardshrink {
        "all pieces" (x: between(-2.0, 2.0, &[-0.5, 0.5], [2, 5])) => x.hardshrink(0.5), elementwise;
        "at the ends" (x: values([2], &[-0.5, 0.5])) => x.hardshrink(0.5), kink("0 at both ends");
    }
    softshrink {
        "all pieces" (x: between(-2.0, 2.0, &[-0.5, 0.5], [2, 5])) => x.softshrink(0.5), elementwise;
        "at the ends" (x: values([2], &[-0.5, 0.5])) => x.softshrink(0.5), kink("0 at both ends");
    }
    logit {
        "probabilities" (x: uniform(0.1, 0.9, [2, 3])) => x.logit(), elementwise;
    }
}
