//! Choosing by a mask: where, masked_fill, masked_select.
//!
//! ```
//! use wengert_autograd::{Variable, where_};
//!
//! let x = Variable::from([-1.0_f32, 4.0]).requires_grad();
//! let mask = x.value().gt(0.0);
//! // √x where x > 0, else 0. The inner where_ keeps the root away from what it is not wanted for.
//! let inside = where_(&mask, &x, &Variable::from(1.0));
//! let y = where_(&mask, &inside.sqrt(), &Variable::from(0.0));
//! y.sum().backward();
//! assert_eq!(x.grad().unwrap().to_vec(), [0.0, 0.25]);
//! ```
//!
//! **The trap of `where`.** Both branches are computed everywhere, and the one not taken gets the cotangent 0. If its
//! slope is infinite or NaN there, the chain rule multiplies: 0 · ∞ = NaN, and the NaN reaches the input although the
//! value was never used (√x at 0 or below, ln, division by 0, x/‖x‖ …). The cure is a `where_` *inside* the branch that
//! puts a harmless number in the place of what the branch is not meant for, as above.
//!
//! where_ and masked_fill are the formula "if mask then x else y", masked_select is an index_select: no rule is written
//! here.

use super::{
    gather::{Places, read_at},
    registry::samples,
};
use crate::{
    graph::{Variable, mode::line, op::Line},
    scalar::{Float, float::compiled},
    tensor::{Tensor, TensorError, valid},
};

/// `x` where the mask holds, `y` elsewhere; the three broadcast. (PyTorch's and NumPy's `where`, a reserved word in
/// Rust.)
///
/// The gradient goes to the branch taken, and 0 to the other; beware of branches whose slope is infinite where
/// they are not taken. √x at x ≤ 0 has no finite slope, 0 · ∞ is NaN, and the NaN reaches x although the branch was not
/// used; put a harmless number there first:
///
/// ```
/// use wengert_autograd::{Variable, where_};
/// let x = Variable::from([-1.0_f32, 4.0]).requires_grad();
/// let mask = x.value().gt(0.0);
/// let inside = where_(&mask, &x, &Variable::from(1.0));
/// where_(&mask, &inside.sqrt(), &Variable::from(0.0)).sum().backward();
/// assert_eq!(x.grad().unwrap().to_vec(), [0.0, 0.25]);
/// ```
///
/// ```
/// use wengert_autograd::{Variable, tensor, where_};
/// let (x, y) = (Variable::from([1.0_f32, 2.0]), Variable::from(0.0));
/// assert_eq!(where_(&tensor![true, false], &x, &y).value().to_vec(), [1.0, 0.0]);
/// ```
///
/// # Panics
/// If the shapes do not broadcast.
#[track_caller]
pub fn where_<T: Float>(mask: &Tensor<bool>, x: &Variable<T>, y: &Variable<T>) -> Variable<T> {
    x.where_(mask, y)
}

impl<T: Float> Variable<T> {
    /// `value` where the mask holds, the variable elsewhere; the mask broadcasts to the variable's shape. What is
    /// replaced gets gradient 0.
    ///
    /// ```
    /// use wengert_autograd::{Variable, tensor};
    /// let scores = Variable::from([1.0_f32, 2.0]);
    /// let open = scores.masked_fill(&tensor![false, true], f64::NEG_INFINITY);
    /// assert_eq!(open.value().to_vec(), [1.0, f32::NEG_INFINITY]);
    /// ```
    ///
    /// # Panics
    /// If the mask does not broadcast to the shape.
    #[track_caller]
    pub fn masked_fill(&self, mask: &Tensor<bool>, value: f64) -> Variable<T> {
        let shape = self.shape();
        if !mask.dims().broadcasts_to(&shape) {
            let problem = format!("a mask of shape {:?} does not broadcast to it", mask.shape());
            TensorError::argument("masked_fill", &shape, problem).raise();
        }
        let value = Variable::new(Tensor::scalar(T::from_f64(value)));
        value.where_(mask, self)
    }

    /// The elements where the mask holds, in row-major order, as a row; mask and variable broadcast.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// let x = Variable::from([[1.0_f32, -2.0], [3.0, 4.0]]);
    /// assert_eq!(x.masked_select(&x.value().gt(0.0)).value().to_vec(), [1.0, 3.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn masked_select(&self, mask: &Tensor<bool>) -> Variable<T> {
        let shape = valid(self.shape().broadcast(&mask.dims(), "masked_select"));
        let places = &Places::Slices(0, numbers(&mask.expand(shape)));
        let row = self.broadcast_to(shape).reshape([shape.count()]);
        let (x, name, line) = (&row, "masked_select", line());
        compiled!(read_at(x: &Variable<T>, name: &'static str, places: &Places, line: Line) -> Variable<T>)
    }

    /// A copy in which the elements where the mask holds are replaced, in row-major order, by those of `src`, which may
    /// have more. The mask broadcasts to the variable's shape. Adjoint: [`masked_select`](Variable::masked_select).
    ///
    /// ```
    /// use wengert_autograd::{Variable, tensor};
    /// let (x, src) = (Variable::zeros([3]), Variable::from([5.0_f32, 6.0, 7.0]));
    /// assert_eq!(x.masked_scatter(&tensor![true, false, true], &src).value().to_vec(), [5.0, 0.0, 6.0]);
    /// ```
    ///
    /// # Panics
    /// If the mask does not broadcast to the shape, or `src` has too few elements.
    #[track_caller]
    pub fn masked_scatter(&self, mask: &Tensor<bool>, src: &Variable<T>) -> Variable<T> {
        let shape = self.shape();
        if !mask.dims().broadcasts_to(&shape) {
            let problem = format!("a mask of shape {:?} does not broadcast to it", mask.shape());
            TensorError::argument("masked_scatter", &shape, problem).raise();
        }
        let index = numbers(&mask.expand(shape));
        let count = index.len();
        if src.len() < count {
            let problem = format!("it has {} elements, and the mask holds at {count} places", src.len());
            TensorError::argument("masked_scatter", &src.shape(), problem).raise();
        }
        let src = src.reshape([src.len()]).narrow(0, 0, count);
        self.reshape([self.len()]).scatter(0, &index, &src).reshape(shape)
    }
}

/// The row-major numbers of the places where a mask holds.
fn numbers(mask: &Tensor<bool>) -> Tensor<i64> {
    (0..).zip(mask.iter()).filter_map(|(number, holds)| holds.then_some(number)).collect()
}

/// g / y, and 0 where y is 0, with derivatives of every order: the divisor is made harmless before the division.
pub(crate) fn quotient_or_zero<T: Float>(g: &Variable<T>, y: &Variable<T>) -> Variable<T> {
    let zero = y.read().map(|y| y == T::zero());
    if !zero.any() {
        return g / y;
    }
    let divisor = y.masked_fill(&zero, 1.0);
    (g / divisor).masked_fill(&zero, 0.0)
}

samples! {
    masked_fill {
        "rows" (x: normal([3, 2])) => x.masked_fill(&Tensor::from_fn([3, 1], |at| at[0] == 1), 0.5);
        "a wide mask" (x: normal([3])) => x.masked_fill(&Tensor::zeros([2, 3]), 0.5), panics("masked_fill: a mask");
    }
    masked_select {
        "some" (x: normal([2, 3])) => x.masked_select(&Tensor::from_fn([2, 3], |at| at[0] != at[1]));
        "broadcast" (x: normal([3])) => x.masked_select(&Tensor::from_fn([2, 1], |at| at[0] == 1));
        "none" (x: normal([2, 3])) => x.masked_select(&Tensor::zeros([2, 3]));
    }
    masked_scatter {
        "some" (x: normal([2, 3]), src: normal([4])) =>
            x.masked_scatter(&Tensor::from_fn([2, 3], |at| at[0] != at[1]), src);
        "rows" (x: normal([2, 2]), src: normal([2])) => x.masked_scatter(&Tensor::from_fn([2, 1], |at| at[0] == 1), src);
        "none" (x: normal([2, 3]), src: normal([4])) => x.masked_scatter(&Tensor::zeros([1]), src);
        "too few" (x: normal([2]), src: normal([1])) => x.masked_scatter(&Tensor::ones([2]), src),
            panics("it has 1 elements, and the mask holds at 2 places");
    }
}
