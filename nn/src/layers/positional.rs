//! Where in a sequence something stands: positional encodings.

use super::shape::without_parameters;
use crate::{Init, Layer, Module};
use wengert_autograd::{Float, Tensor, Variable};

/// Adds to position l of `[…, L, E]` the numbers sin(l·ω) and cos(l·ω) with ω = 10000^(−2k/E) at the places 2k and 2k + 1
/// (Vaswani and others 2017, section 3.5).
///
/// ```
/// use wengert_autograd::Variable;
/// use wengert_nn::{Layer, SinusoidalEncoding};
///
/// let y = SinusoidalEncoding.forward(&Variable::zeros([1, 3, 4])).value();
/// assert_eq!(y.get(&[0, 0, 1]), Some(1.0)); // cos 0
/// assert_eq!(y.get(&[0, 2, 0]), Some(2.0_f32.sin()));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SinusoidalEncoding;

/// Sine and cosine of l·ω at the place (l, k).
fn angle(position: usize, pair: usize, width: usize, base: f64) -> f64 {
    position as f64 * base.powf(-2.0 * pair as f64 / width as f64)
}

impl<T: Float> Layer<Variable<T>> for SinusoidalEncoding {
    type Output = Variable<T>;
    #[track_caller]
    fn forward(&self, input: &Variable<T>) -> Variable<T> {
        let shape = input.shape();
        assert!(shape.len() >= 2, "SinusoidalEncoding: […, L, E] wanted, not {shape:?}");
        let (length, width) = (shape[shape.len() - 2], shape[shape.len() - 1]);
        let code = Tensor::from_fn([length, width], |at| {
            let angle = angle(at[0], at[1] / 2, width, 10_000.0);
            T::from_f64(if at[1] % 2 == 0 { angle.sin() } else { angle.cos() })
        });
        input + Variable::new(code)
    }
}
without_parameters!(SinusoidalEncoding);

/// Adds a learned vector to each position of `[…, L, E]`; L is at most the length that the layer was made for.
///
/// `weight` has the shape `[length, E]` and is drawn from a normal distribution of standard deviation 0.02.
///
/// ```
/// use wengert_autograd::Variable;
/// use wengert_nn::{LearnedEncoding, Layer};
/// assert_eq!(LearnedEncoding::new(16, 4).forward(&Variable::zeros([2, 9, 4])).shape(), [2, 9, 4]);
/// ```
#[derive(Clone, Debug, Module)]
#[module(crate = crate)]
pub struct LearnedEncoding<T: Float = f32> {
    /// `[length, E]`.
    pub weight: Variable<T>,
}

impl LearnedEncoding {
    /// A layer of f32 for sequences of up to `length` vectors of `width` numbers.
    pub fn new(length: usize, width: usize) -> Self {
        LearnedEncoding::typed(length, width)
    }
}

impl<T: Float> LearnedEncoding<T> {
    /// A layer of any number type.
    pub fn typed(length: usize, width: usize) -> Self {
        LearnedEncoding { weight: Init::Normal { mean: 0.0, std: 0.02 }.parameter([length, width]) }
    }
}

impl<T: Float> Layer<Variable<T>> for LearnedEncoding<T> {
    type Output = Variable<T>;
    #[track_caller]
    fn forward(&self, input: &Variable<T>) -> Variable<T> {
        let (shape, known) = (input.shape(), self.weight.shape());
        assert!(
            shape.len() >= 2 && shape[shape.len() - 2] <= known[0] && shape[shape.len() - 1] == known[1],
            "LearnedEncoding: up to {} vectors of {} wanted, not {shape:?}",
            known[0],
            known[1]
        );
        input + self.weight.narrow(0, 0, shape[shape.len() - 2])
    }
}

/// Turns each pair of numbers (2k, 2k + 1) at position l of `[…, L, E]` by the angle l·base^(−2k/E), so that the product of
/// a query and a key depends on their distance (Su and others, "RoFormer", 2021). For queries and keys, after their
/// projection.
///
/// ```
/// use wengert_autograd::Variable;
/// use wengert_nn::{Layer, RotaryEncoding};
///
/// let x = Variable::from([[1.0_f32, 0.0], [1.0, 0.0]]);
/// let y = RotaryEncoding::default().forward(&x).value();
/// assert!((y.get(&[1, 0]).unwrap() - 1.0_f32.cos()).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RotaryEncoding {
    /// The base of the angles: 10 000.
    pub base: f64,
}

impl Default for RotaryEncoding {
    fn default() -> Self {
        RotaryEncoding { base: 10_000.0 }
    }
}

impl<T: Float> Layer<Variable<T>> for RotaryEncoding {
    type Output = Variable<T>;
    #[track_caller]
    fn forward(&self, input: &Variable<T>) -> Variable<T> {
        let shape = input.shape();
        let rank = shape.len();
        assert!(
            rank >= 2 && shape[rank - 1].is_multiple_of(2),
            "RotaryEncoding: […, L, E] with an even E wanted, not {shape:?}"
        );
        let (length, width) = (shape[rank - 2], shape[rank - 1]);
        let table = |function: fn(f64) -> f64| {
            let value = |at: &[usize]| T::from_f64(function(angle(at[0], at[1], width, self.base)));
            Variable::new(Tensor::from_fn([length, width / 2, 1], value))
        };
        let (sine, cosine) = (table(f64::sin), table(f64::cos));
        let pairs = input.reshape(shape.with(rank - 1, width / 2).with_pushed(2));
        let (a, b) = (pairs.narrow(-1, 0, 1), pairs.narrow(-1, 1, 1));
        let turned = [&a * &cosine - &b * &sine, a * sine + b * cosine];
        Variable::cat(&turned, -1).reshape(shape)
    }
}
without_parameters!(RotaryEncoding);
