//! `+ − × ÷` on plain tensors of floating-point numbers: the same loops as for variables, and no graph.
//!
//! ```
//! use wengert_autograd::tensor;
//!
//! let x = tensor![1.0, 2.0];
//! assert_eq!((&x * &x + 1.0).to_vec(), [2.0, 5.0]);
//! ```

use super::{
    elementwise::formula_on_tensors,
    operators::{AddNumber, DivNumber, MulNumber, NumberDiv, NumberSub, SubNumber},
};
use crate::{
    graph::{mode::line, op::Line},
    scalar::{Float, float::compiled, formula::elementary},
    tensor::Tensor,
};
use std::ops::{Add, Div, Mul, Neg, Sub};

fn one<T: Float>([output]: [Tensor<T>; 1]) -> Tensor<T> {
    output
}

macro_rules! operator {
    ($operator:ident $method:ident $formula:ident, $number_right:ident, $number_left:ident) => {
        impl<T: Float> $operator<&Tensor<T>> for &Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, other: &Tensor<T>) -> Tensor<T> {
                fn run<T: Float>(a: &Tensor<T>, b: &Tensor<T>, line: Line) -> Tensor<T> {
                    one(formula_on_tensors(elementary::$formula, [a, b], line))
                }
                let (a, b, line) = (self, other, line());
                compiled!(run(a: &Tensor<T>, b: &Tensor<T>, line: Line) -> Tensor<T>)
            }
        }
        operator! { @owned $operator $method [&Tensor<T>] [Tensor<T>] |a, b| (a, &b) }
        operator! { @owned $operator $method [Tensor<T>] [&Tensor<T>] |a, b| (&a, b) }
        operator! { @owned $operator $method [Tensor<T>] [Tensor<T>] |a, b| (&a, &b) }

        impl<T: Float> $operator<f64> for &Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, number: f64) -> Tensor<T> {
                fn run<T: Float>(x: &Tensor<T>, number: f64, line: Line) -> Tensor<T> {
                    one(formula_on_tensors($number_right(number), [x], line))
                }
                let (x, line) = (self, line());
                compiled!(run(x: &Tensor<T>, number: f64, line: Line) -> Tensor<T>)
            }
        }
        impl<T: Float> $operator<f64> for Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, number: f64) -> Tensor<T> {
                $operator::$method(&self, number)
            }
        }
        impl<T: Float> $operator<&Tensor<T>> for f64 {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, x: &Tensor<T>) -> Tensor<T> {
                fn run<T: Float>(x: &Tensor<T>, number: f64, line: Line) -> Tensor<T> {
                    one(formula_on_tensors($number_left(number), [x], line))
                }
                let (number, line) = (self, line());
                compiled!(run(x: &Tensor<T>, number: f64, line: Line) -> Tensor<T>)
            }
        }
        impl<T: Float> $operator<Tensor<T>> for f64 {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, x: Tensor<T>) -> Tensor<T> {
                $operator::$method(self, &x)
            }
        }
    };
    (@owned $operator:ident $method:ident [$left:ty] [$right:ty] |$a:ident, $b:ident| $operands:expr) => {
        impl<T: Float> $operator<$right> for $left {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, other: $right) -> Tensor<T> {
                let ($a, $b) = (self, other);
                let (a, b): (&Tensor<T>, &Tensor<T>) = $operands;
                $operator::$method(a, b)
            }
        }
    };
}
operator!(Add add add, AddNumber, AddNumber);
operator!(Sub sub sub, SubNumber, NumberSub);
operator!(Mul mul mul, MulNumber, MulNumber);
operator!(Div div div, DivNumber, NumberDiv);

impl<T: Float> Neg for &Tensor<T> {
    type Output = Tensor<T>;
    #[track_caller]
    fn neg(self) -> Tensor<T> {
        self * -1.0
    }
}
impl<T: Float> Neg for Tensor<T> {
    type Output = Tensor<T>;
    #[track_caller]
    fn neg(self) -> Tensor<T> {
        -&self
    }
}

#[cfg(test)]
mod tests {
    use crate::tensor;

    #[test]
    fn tensors_and_numbers_on_either_side() {
        let (x, y) = (tensor![1.0, 2.0], tensor![[10.0], [20.0]]);
        assert_eq!((&x + &y).to_vec(), [11.0, 12.0, 21.0, 22.0]);
        assert_eq!((1.0 - &x).to_vec(), [0.0, -1.0]);
        assert_eq!((2.0 / x.clone() - x.clone() / 2.0).to_vec(), [1.5, 0.0]);
        assert_eq!((-x).to_vec(), [-1.0, -2.0]);
    }
}
