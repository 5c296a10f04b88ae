//! [`Sample`]: a tensor as a table small enough to show.

use super::{
    notation::{number, rounded_to},
    statistics::Statistics,
};
use crate::{scalar::Float, tensor::Tensor};
use serde::{Serialize, Serializer};

/// Some of a tensor's elements, evenly spaced: the last axis across, all others down.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Sample {
    pub(super) shape: Vec<usize>,
    /// How many rows and columns were picked. Row r is row ⌊r·R/rows⌋ of the R that there are, columns likewise.
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) values: Vec<Number>,
    #[serde(serialize_with = "shortly")]
    pub(super) statistics: Statistics,
}

/// The numbers alone, in the order in which [`Statistics`] has them: a page has hundreds.
fn shortly<S: Serializer>(statistics: &Statistics, serializer: S) -> Result<S::Ok, S::Error> {
    let Statistics { count, min, max, mean, std, norm, zeros, not_finite } = *statistics;
    let [min, max, mean, std, norm] = [min, max, mean, std, norm].map(|value| Number(rounded_to(value, 4)));
    (count, min, max, mean, std, norm, zeros, not_finite).serialize(serializer)
}

/// A number that may be infinite or NaN, which JSON has no word for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Number(pub(super) f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.0.is_finite() {
            return serializer.serialize_str(&number(self.0));
        }
        // 3, not 3.0: tables are made of zeros and ones, too.
        if self.0.fract() == 0.0 && self.0.abs() < 1e9 {
            return serializer.serialize_i64(self.0 as i64);
        }
        serializer.serialize_f64(self.0)
    }
}

impl Sample {
    /// Of at most `limit` elements, to four significant digits; a single one is written as in formulas.
    pub(super) fn of<T: Float>(tensor: &Tensor<T>, limit: usize) -> Sample {
        let shape = tensor.shape();
        let across = shape.last().copied().unwrap_or(1);
        let down = tensor.len().checked_div(across).unwrap_or(0);
        let (mut rows, mut columns) = (down, across);
        while rows * columns > limit.max(1) {
            if rows > columns {
                rows = rows.div_ceil(2);
            } else {
                columns = columns.div_ceil(2);
            }
        }
        let digits = if tensor.len() == 1 { 5 } else { 4 };
        let mut values = Vec::with_capacity(rows * columns);
        let mut index = vec![0; shape.len()];
        for row in 0..rows {
            let mut left = row * down / rows;
            for axis in (0..shape.len().saturating_sub(1)).rev() {
                index[axis] = left % shape[axis];
                left /= shape[axis];
            }
            for column in 0..columns {
                if let Some(last) = index.last_mut() {
                    *last = column * across / columns;
                }
                let value = tensor.get(&index).map_or(f64::NAN, |value| value.into_f64());
                values.push(Number(rounded_to(value, digits)));
            }
        }
        Sample { shape: shape.to_vec(), rows, columns, values, statistics: Statistics::of(tensor) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(sample: &Sample) -> Vec<f64> {
        sample.values.iter().map(|value| value.0).collect()
    }

    #[test]
    fn small_tensors_are_complete_and_large_ones_evenly_spaced() {
        let counted = |shape: [usize; 3]| {
            let mut next = -1.0;
            Tensor::<f64>::zeros(shape).map(|_| {
                next += 1.0;
                next
            })
        };
        let all = Sample::of(&counted([2, 1, 3]), 100);
        assert_eq!((all.rows, all.columns, numbers(&all)), (2, 3, vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]));
        let some = Sample::of(&counted([4, 2, 4]), 8);
        assert_eq!((some.rows, some.columns), (4, 2));
        assert_eq!(numbers(&some), [0.0, 2.0, 8.0, 10.0, 16.0, 18.0, 24.0, 26.0]);
        assert_eq!(numbers(&Sample::of(&Tensor::scalar(0.123_456_f64), 9)), [0.12346]);
        assert!(Sample::of(&Tensor::<f64>::zeros([0, 3]), 9).values.is_empty());
        assert!(Sample::of(&Tensor::<f64>::zeros([3, 0]), 9).values.is_empty());
    }

    #[test]
    fn what_json_has_no_number_for_is_a_word() {
        let json = |value| serde_json::to_string(&Number(value)).expect("numbers can be written");
        assert_eq!([json(3.0), json(-0.25), json(f64::NAN)], ["3", "-0.25", "\"NaN\""]);
    }
}
