//! The same elements in another order along an axis: flip and roll.
//!
//! ```
//! use wengert_autograd::Variable;
//!
//! let x = Variable::from([1.0_f32, 2.0, 3.0]);
//! assert_eq!(x.flip(0).value().to_vec(), [3.0, 2.0, 1.0]);
//! assert_eq!(x.roll(1, 0).value().to_vec(), [3.0, 1.0, 2.0]);
//! ```
//!
//! Both are permutations, whose adjoint is the inverse: a flip is its own, a roll's is the roll by as much backwards.

use super::registry::samples;
use crate::{
    IntoAxes,
    graph::{Context, Cotangents, Grads, Keep, Op, Variable, mode::line, op::Line, variable::record},
    scalar::{Float, float::compiled},
};
use std::borrow::Cow;

/// Axes reversed; its own adjoint.
struct Flip {
    axes: u32,
}
impl<T: Float> Op<T> for Flip {
    fn name(&self) -> &'static str {
        "flip"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = x, reversed; x̄ += ȳ, reversed".into()
    }
    fn backward(&self, _: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        Grads::one(flip_at(&g.only(), self.axes, line()))
    }
}

fn flip_at<T: Float>(x: &Variable<T>, axes: u32, line: Line) -> Variable<T> {
    let value = x.read();
    let list = value.sizes().axes_in(axes);
    let flipped = value.flip(&list);
    record(Flip { axes }, &[x], &[&value], flipped, Keep::NOTHING, line)
}

/// An axis rolled; the adjoint rolls back.
struct Roll {
    shift: isize,
    axis: usize,
}
impl<T: Float> Op<T> for Roll {
    fn name(&self) -> &'static str {
        "roll"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = x, rolled; x̄ += ȳ, rolled back".into()
    }
    fn backward(&self, _: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        Grads::one(roll_at(&g.only(), -self.shift, self.axis, line()))
    }
}

fn roll_at<T: Float>(x: &Variable<T>, shift: isize, axis: usize, line: Line) -> Variable<T> {
    let value = x.read();
    let rolled = value.roll(shift, axis as isize);
    record(Roll { shift, axis }, &[x], &[&value], rolled, Keep::NOTHING, line)
}

impl<T: Float> Variable<T> {
    /// The order along these axes reversed.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.flip([0, 1]).value().to_vec(), [4.0, 3.0, 2.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or named twice.
    #[track_caller]
    pub fn flip(&self, axes: impl IntoAxes) -> Variable<T> {
        let (x, axes, line) = (self, axes.into_axes(self.shape(), "flip"), line());
        compiled!(flip_at(x: &Variable<T>, axes: u32, line: Line) -> Variable<T>)
    }

    /// Each element `shift` places further along an axis, those at the end coming round.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([1.0_f32, 2.0, 3.0]);
    /// assert_eq!(x.roll(-1, 0).value().to_vec(), [2.0, 3.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range.
    #[track_caller]
    pub fn roll(&self, shift: isize, axis: isize) -> Variable<T> {
        let shape = self.shape();
        let axis = shape.axis("roll", axis);
        // Within one turn, so that the shift back can be named too.
        let shift = shift % shape[axis].max(1) as isize;
        let (x, line) = (self, line());
        compiled!(roll_at(x: &Variable<T>, shift: isize, axis: usize, line: Line) -> Variable<T>)
    }

    /// The plane of two axes turned by `times` quarter turns, from the first axis towards the second.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.rot90(1, [0, 1]).value().to_vec(), [2.0, 4.0, 1.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range, or both are the same.
    #[track_caller]
    pub fn rot90(&self, times: isize, [from, to]: [isize; 2]) -> Variable<T> {
        [from, to].into_axes(self.shape(), "rot90");
        match times.rem_euclid(4) {
            0 => self.clone(),
            1 => self.flip(to).transpose(from, to),
            2 => self.flip([from, to]),
            _ => self.flip(from).transpose(from, to),
        }
    }
}

samples! {
    flip {
        "two axes" (x: normal([2, 3, 2])) => x.flip([0, 2]);
        "an axis twice" (x: normal([2])) => x.flip([0, -1]), panics("named twice");
    }
    roll {
        "forwards" (x: normal([2, 5])) => x.roll(2, 1);
        "many turns back" (x: normal([3, 2])) => x.roll(-7, 0);
    }
    rot90 {
        "once" (x: normal([2, 3])) => x.rot90(1, [0, 1]);
        "twice" (x: normal([2, 3, 2])) => x.rot90(2, [0, 2]);
        "back" (x: normal([2, 3])) => x.rot90(-1, [0, 1]);
        "not at all" (x: normal([2, 3])) => x.rot90(4, [0, 1]);
        "one axis" (x: normal([2, 3])) => x.rot90(1, [1, -1]), panics("rot90: axis -1 is named twice");
    }
}
