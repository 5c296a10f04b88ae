//! Counting: how often whole numbers occur, and between which boundaries numbers fall.
//!
//! ```
//! use wengert_autograd::tensor;
//!
//! assert_eq!(tensor![2, 0, 2].bincount(0), tensor![1, 0, 2]);
//! assert_eq!(tensor![0.5, 2.5, 0.1].histc(3, 0.0, 3.0), tensor![2, 0, 1]);
//! assert_eq!(tensor![1.0, 2.0].searchsorted(&tensor![0.0, 1.5, 9.0], false), tensor![0, 1, 2]);
//! ```

use super::{Element, Tensor, TensorError};
use crate::scalar::Float;

impl Tensor<i64> {
    /// How often each of the numbers 0, 1, 2, … occurs: a row of `at_least` or more counts, up to that of the greatest
    /// number.
    ///
    /// # Panics
    /// If a number is negative.
    #[track_caller]
    pub fn bincount(&self, at_least: usize) -> Tensor<i64> {
        if let Some(negative) = self.iter().find(|&number| number < 0) {
            let problem = format!("{negative} cannot be counted: numbers from 0 on are wanted");
            TensorError::argument("bincount", self.sizes(), problem).raise();
        }
        let greatest = self.greatest().map_or(0, |greatest| greatest as usize + 1);
        let mut counts = vec![0; at_least.max(greatest)];
        self.iter().for_each(|number| counts[number as usize] += 1);
        counts.into()
    }
}

impl<T: Float> Tensor<T> {
    /// How many elements lie in each of `bins` intervals of one width from `low` to `high`. The last one includes `high`;
    /// what lies outside, and NaN, is not counted.
    ///
    /// # Panics
    /// If there are no bins, or `low` < `high` does not hold of two finite numbers.
    #[track_caller]
    pub fn histc(&self, bins: usize, low: f64, high: f64) -> Tensor<i64> {
        if bins == 0 || !low.is_finite() || !high.is_finite() || low >= high {
            let problem = format!("{bins} bins from {low} to {high} are none");
            TensorError::argument("histc", self.sizes(), problem).raise();
        }
        let mut counts = vec![0; bins];
        for x in self.iter().map(|x| x.to_f64()).filter(|x| (low..=high).contains(x)) {
            let bin = ((x - low) / (high - low) * bins as f64) as usize;
            counts[bin.min(bins - 1)] += 1;
        }
        counts.into()
    }
}

impl<E: Element> Tensor<E> {
    /// Where each of `values` belongs in this ascending row: before the first element that is not less, or, when `right`
    /// holds, before the first that is greater. The result has the shape of `values`. (PyTorch's `searchsorted`, and its
    /// `bucketize` seen from the boundaries.)
    ///
    /// # Panics
    /// If this is not a row.
    #[track_caller]
    pub fn searchsorted(&self, values: &Tensor<E>, right: bool) -> Tensor<i64> {
        if self.rank() != 1 {
            TensorError::argument("searchsorted", self.sizes(), "a row of ascending numbers is wanted")
                .raise();
        }
        let row = self.to_vec();
        let before = |value: E| row.partition_point(|&x| if right { x <= value } else { x < value }) as i64;
        values.map(before)
    }
}

#[cfg(test)]
mod tests {
    use crate::tensor;

    #[test]
    fn counts_of_numbers_and_of_intervals() {
        assert_eq!(tensor![3, 1, 3].bincount(6), tensor![0, 1, 0, 2, 0, 0]);
        assert_eq!(crate::tensor::Tensor::<i64>::zeros([0]).bincount(0).len(), 0);
        let x = tensor![f64; -1.0, 0.0, 0.49, 0.5, 1.0, 1.1, f64::NAN];
        assert_eq!(x.histc(2, 0.0, 1.0), tensor![2, 2]);
    }

    #[test]
    fn places_in_a_row_with_equal_elements() {
        let row = tensor![1, 3, 3, 5];
        let values = tensor![[0, 1], [3, 9]];
        assert_eq!(row.searchsorted(&values, false), tensor![[0, 0], [1, 4]]);
        assert_eq!(row.searchsorted(&values, true), tensor![[0, 1], [3, 4]]);
    }

    #[test]
    #[should_panic(expected = "bincount: -1 cannot be counted")]
    fn negative_numbers() {
        drop(tensor![0, -1].bincount(0));
    }
}
