//! Dropout: elements, or whole features, set to zero at random while a model is trained.
//!
//! ```
//! use wengert_autograd::{Variable, manual_seed};
//!
//! manual_seed(1);
//! let x = Variable::ones([1000]).requires_grad();
//! let y = x.dropout(0.25, true);
//! assert!((y.mean().item() - 1.0).abs() < 0.1); // what is left is scaled up, so that the mean stays
//! y.sum().backward();
//! assert_eq!(x.grad().unwrap().to_vec(), y.value().to_vec()); // the same elements in both directions
//! assert_eq!(x.dropout(0.25, false).value().to_vec(), x.value().to_vec());
//! ```
//!
//! Which elements are dropped is a function of a seed and the element's place, so nothing needs to be kept but the seed:
//! the backward pass asks again. The numbers are the same on any number of threads, and follow from
//! [`manual_seed`](crate::manual_seed).

use super::registry::samples;
use crate::{
    graph::{
        Context, Cotangents, Grads, Keep, Op, Variable, mode::line, op::Line, seed::split_generator,
        variable::record,
    },
    kernel::reduce::in_chunks,
    scalar::{Float, float::compiled},
    tensor::{Tensor, philox},
};
use std::borrow::Cow;

/// Which elements are dropped: a yes or no for each `group` of elements in row-major order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drops {
    pub(crate) seed: u64,
    /// The probability of being dropped.
    pub(crate) p: f64,
    pub(crate) group: usize,
}

impl Drops {
    /// What the elements from `first` on are multiplied by: 0, or 1/(1 − p).
    pub(crate) fn factors<T: Float>(self, first: usize, factors: &mut [T]) {
        let kept = if self.p < 1.0 { T::from_f64(1.0 / (1.0 - self.p)) } else { T::zero() };
        // Of 2³² equally likely words this many mean no.
        let limit = (self.p * 4_294_967_296.0) as u64;
        let factor = |word: u32| if u64::from(word) < limit { T::zero() } else { kept };
        if self.group == 1 {
            // Four elements a block of words, but for what stands before the first whole block.
            let lead = (first.wrapping_neg() % 4).min(factors.len());
            let (before, factors) = factors.split_at_mut(lead);
            for (i, place) in before.iter_mut().enumerate() {
                *place = factor(philox(self.seed, (first + i) as u64 / 4)[(first + i) % 4]);
            }
            let block = (first + lead) as u64 / 4;
            for (i, places) in factors.chunks_mut(4).enumerate() {
                for (place, word) in places.iter_mut().zip(philox(self.seed, block + i as u64)) {
                    *place = factor(word);
                }
            }
            return;
        }
        let mut done = 0;
        while done < factors.len() {
            let word = (first + done) / self.group;
            let end = factors.len().min((word + 1) * self.group - first);
            factors[done..end].fill(factor(philox(self.seed, word as u64 / 4)[word % 4]));
            done = end;
        }
    }
}

/// Elements that one thread takes at a time, and nanoseconds for one.
const CHUNK: usize = 4096;
const COST: f64 = 3.0;

fn dropped<T: Float>(x: &Tensor<T>, drops: Drops) -> Tensor<T> {
    let packed = x.contiguous();
    let data = packed.as_slice().expect("packed");
    let mut out = vec![T::zero(); data.len()];
    in_chunks(&mut out, CHUNK, data.len() as f64 * COST, |first, out| {
        drops.factors(first, out);
        for (out, &x) in out.iter_mut().zip(&data[first..]) {
            // A NaN or an infinity that is dropped is gone too.
            *out = if *out == T::zero() { T::zero() } else { *out * x };
        }
    });
    Tensor::from_vec(out, x.dims()).expect("a number for each")
}

/// Linear, and its own adjoint.
struct Dropout(Drops);

impl<T: Float> Op<T> for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = x · m, m a random mask of 0 and 1/(1 − p); x̄ += ȳ · m, the same mask".into()
    }
    fn backward(&self, _: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        Grads::one(dropout_at(&g.only(), self.0, line()))
    }
}

pub(crate) fn dropout_at<T: Float>(x: &Variable<T>, drops: Drops, line: Line) -> Variable<T> {
    let value = x.read();
    let out = dropped(&value, drops);
    record(Dropout(drops), &[x], &[&value], out, Keep::NOTHING, line)
}

#[track_caller]
fn check_probability(operation: &str, p: f64) {
    assert!((0.0..=1.0).contains(&p), "{operation}: the probability must lie between 0 and 1, and is {p}");
}

impl<T: Float> Variable<T> {
    /// Each element 0 with probability p, else x/(1 − p); x itself when not `training`. The slope is the same factor.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::ones([3]);
    /// assert_eq!(x.dropout(1.0, true).value().to_vec(), [0.0; 3]);
    /// ```
    ///
    /// # Panics
    /// If p does not lie between 0 and 1.
    #[track_caller]
    pub fn dropout(&self, p: f64, training: bool) -> Variable<T> {
        check_probability("dropout", p);
        if !training || p == 0.0 {
            return self.clone();
        }
        let drops = Drops { seed: split_generator().seed(), p, group: 1 };
        let (x, line) = (self, line());
        compiled!(dropout_at(x: &Variable<T>, drops: Drops, line: Line) -> Variable<T>)
    }

    /// Dropout of whole features: all of `x[n, c]` is 0 with probability p, else x/(1 − p) (Tompson et al., 2015, section 3.2).
    ///
    /// Shapes `[N, C, …]`; x itself when not `training`.
    ///
    /// ```
    /// let y = wengert_autograd::Variable::ones([4, 4, 3]).feature_dropout(0.5, true).value().to_vec();
    /// assert!(y.chunks(3).all(|feature| feature == [0.0; 3] || feature == [2.0; 3]));
    /// ```
    ///
    /// # Panics
    /// If p does not lie between 0 and 1, or there are fewer than two axes.
    #[track_caller]
    pub fn feature_dropout(&self, p: f64, training: bool) -> Variable<T> {
        check_probability("feature_dropout", p);
        let shape = self.shape();
        assert!(shape.len() >= 2, "feature_dropout: features have the shape [N, C, …], not {shape:?}");
        if !training || p == 0.0 {
            return self.clone();
        }
        let group = shape[2..].iter().product::<usize>().max(1);
        let drops = Drops { seed: split_generator().seed(), p, group };
        let (x, line) = (self, line());
        compiled!(dropout_at(x: &Variable<T>, drops: Drops, line: Line) -> Variable<T>)
    }

    /// Dropout that keeps mean 0 and variance 1 after SELU (Klambauer et al., "Self-normalizing neural networks", 2017,
    /// section 3): a dropped element becomes −λα, and the result is scaled and shifted. x itself when not `training`.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::zeros([2]);
    /// assert_eq!(x.alpha_dropout(0.0, true).value().to_vec(), [0.0; 2]);
    /// ```
    ///
    /// # Panics
    /// If p is not between 0 and 1, 1 excluded.
    #[track_caller]
    pub fn alpha_dropout(&self, p: f64, training: bool) -> Variable<T> {
        check_probability("alpha_dropout", p);
        assert!(p < 1.0, "alpha_dropout: the probability must be below 1");
        if !training || p == 0.0 {
            return self.clone();
        }
        let ones = Variable::new(Tensor::ones(self.shape()));
        alpha(self, &(ones.dropout(p, true) * (1.0 - p)), p)
    }
}

/// x where `kept` is 1 and SELU's limit −λα where it is 0, scaled and shifted to mean 0 and variance 1.
#[track_caller]
fn alpha<T: Float>(x: &Variable<T>, kept: &Variable<T>, p: f64) -> Variable<T> {
    const LIMIT: f64 = -1.758_099_340_847_376_6;
    let scale = ((1.0 - p) * (1.0 + p * LIMIT * LIMIT)).powf(-0.5);
    x * (kept * scale) + ((1.0 - kept) * (LIMIT * scale) - scale * p * LIMIT)
}

samples! {
    dropout {
        "at random" (x: normal([2, 3])) => dropout_at(x, Drops { seed: 3, p: 0.4, group: 1 }, line());
        "all" (x: normal([3])) => x.dropout(1.0, true);
        "not training" (x: normal([3])) => x.dropout(0.4, false);
        "no probability" (x: normal([3])) => x.dropout(1.5, true), panics("between 0 and 1, and is 1.5");
    }
    feature_dropout {
        "at random" (x: normal([2, 3, 2])) => dropout_at(x, Drops { seed: 3, p: 0.4, group: 2 }, line());
        "a vector" (x: normal([3])) => x.feature_dropout(0.4, true), panics("[N, C, …], not [3]");
    }
    alpha_dropout {
        "two of four" (x: normal([4]), kept: values([4], &[1.0, 0.0, 0.0, 1.0]).constant()) => alpha(x, kept, 0.4);
        "one of one" (x: normal([1]), kept: values([1], &[1.0]).constant()) => alpha(x, kept, 0.4);
        "none" (x: normal([0]), kept: values([0], &[]).constant()) => alpha(x, kept, 0.4);
        "certainly" (x: normal([4])) => x.alpha_dropout(1.0, true), panics("must be below 1");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_dropped_or_not_wherever_its_part_begins() {
        for group in [1, 3] {
            let drops = Drops { seed: 11, p: 0.5, group };
            let mut all = [0.0_f32; 40];
            drops.factors(0, &mut all);
            assert!(all.contains(&0.0) && all.contains(&2.0));
            for (start, end) in [(0, 1), (1, 3), (3, 40), (5, 6), (7, 22), (39, 40)] {
                let mut part = vec![0.0_f32; end - start];
                drops.factors(start, &mut part);
                assert_eq!(part, all[start..end], "{start}..{end}, groups of {group}");
            }
        }
    }

    #[test]
    fn the_share_that_is_dropped_is_the_probability() {
        let mut factors = vec![0.0_f64; 100_000];
        Drops { seed: 1, p: 0.3, group: 1 }.factors(0, &mut factors);
        let share = factors.iter().filter(|&&factor| factor == 0.0).count() as f64 / factors.len() as f64;
        assert!((share - 0.3).abs() < 5.0 * (0.3_f64 * 0.7 / 100_000.0).sqrt(), "{share}");
    }
}
