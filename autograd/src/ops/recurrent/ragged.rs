//! Sequences of several lengths in one batch, for recurrent layers: the steps that are real, one after the other.
//!
//! A layer's kernel knows nothing of lengths. Each row's real steps are put first, in the order in which the direction
//! visits them; behind them stand steps that leave the memory as it is; afterwards every state goes back to its place. So
//! a padded step costs time, but neither a state nor a gradient ever passes through it.

use crate::{graph::Variable, kernel::recurrent::Cell, scalar::Float, tensor::Tensor};

/// Where the real steps of one direction are read from, and where their states go.
pub(super) struct Ragged {
    rows: usize,
    steps: usize,
    batch_first: bool,
    /// For each place of the new order the place of the old one, or the number behind the last for an idle step.
    forth: Tensor<i64>,
    /// For each place of the old order that of the new one, or the number behind the last for a padded step.
    back: Tensor<i64>,
    /// The place of each row's last real step, or `places + row` where there is none.
    last: Tensor<i64>,
}

impl Ragged {
    /// From a mask `[rows, steps]` that is true where a step is real.
    pub(super) fn new(real: &Tensor<bool>, batch_first: bool, reverse: bool) -> Ragged {
        let (rows, steps) = (real.size(0), real.size(1));
        let places = rows * steps;
        let place =
            |row: usize, step: usize| if batch_first { row * steps + step } else { step * rows + row };
        let (mut forth, mut back) = (vec![places as i64; places], vec![places as i64; places]);
        let mut last: Vec<i64> = (0..rows).map(|row| (places + row) as i64).collect();
        let real = real.to_vec();
        for row in 0..rows {
            let mut count = 0;
            for k in 0..steps {
                let step = if reverse { steps - 1 - k } else { k };
                if real[row * steps + step] {
                    let (old, new) = (place(row, step), place(row, count));
                    (forth[new], back[old], last[row]) = (old as i64, new as i64, new as i64);
                    count += 1;
                }
            }
        }
        let index = |places: Vec<i64>| {
            let count = places.len();
            Tensor::from_vec(places, [count]).expect("as many as there are")
        };
        Ragged { rows, steps, batch_first, forth: index(forth), back: index(back), last: index(last) }
    }

    /// The sums of the gates in the new order. Behind the last real step an LSTM forgets nothing and learns nothing.
    pub(super) fn gather<T: Float>(&self, cell: Cell, projected: &Variable<T>) -> Variable<T> {
        let width = projected.shape()[2];
        // The logistic function of these is exactly 0 and 1, and its derivative 0, whatever the recurrent part adds.
        const CLOSED: [f64; 4] = [-1e6, 1e6, 0.0, 0.0];
        let idle = Tensor::from_fn([1, width], |at| match cell {
            Cell::Lstm => T::from_f64(CLOSED[at[1] * 4 / width]),
            _ => T::zero(),
        });
        self.pick(projected, &Variable::new(idle), &self.forth)
    }

    /// The states in the old order, 0 at padded steps.
    pub(super) fn scatter<T: Float>(&self, out: &Variable<T>) -> Variable<T> {
        self.pick(out, &Variable::new(Tensor::zeros([1, out.shape()[2]])), &self.back)
    }

    /// The state after each row's last real step `[rows, size]`; the first one where there is none.
    pub(super) fn last<T: Float>(&self, out: &Variable<T>, first: &Variable<T>) -> Variable<T> {
        self.listed(out, first).index_select(0, &self.last)
    }

    fn listed<T: Float>(&self, x: &Variable<T>, others: &Variable<T>) -> Variable<T> {
        Variable::cat(&[&x.reshape([self.rows * self.steps, x.shape()[2]]), others], 0)
    }

    fn pick<T: Float>(&self, x: &Variable<T>, other: &Variable<T>, places: &Tensor<i64>) -> Variable<T> {
        let shape = if self.batch_first { [self.rows, self.steps] } else { [self.steps, self.rows] };
        self.listed(x, other).index_select(0, places).reshape([shape[0], shape[1], x.shape()[2]])
    }
}
