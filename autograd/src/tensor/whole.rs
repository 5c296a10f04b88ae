//! Arithmetic of whole numbers: positions, counts, labels. (That of floating-point numbers is the operations'.)
//!
//! ```
//! use wengert_autograd::tensor;
//!
//! let tokens = tensor![[5, 6], [7, 8]];
//! assert_eq!(&tokens + tensor![10, 20], tensor![[15, 26], [17, 28]]);
//! assert_eq!(2 * &tokens - 1, tensor![[9, 11], [13, 15]]);
//! ```
//!
//! What does not fit into `i64` wraps around, as in PyTorch, in debug builds too.

use super::{Tensor, compare::Operand};
use std::ops::{Add, Mul, Neg, Sub};

macro_rules! operators {
    ($($operator:ident $method:ident $name:literal $wrapping:ident;)*) => {$(
        /// Elementwise, wrapping around; the shapes broadcast.
        impl<O: Operand<i64>> $operator<O> for &Tensor<i64> {
            type Output = Tensor<i64>;
            #[track_caller]
            fn $method(self, other: O) -> Tensor<i64> {
                self.zip($name, &other.operand(), i64::$wrapping)
            }
        }
        /// Elementwise, wrapping around; the shapes broadcast.
        impl<O: Operand<i64>> $operator<O> for Tensor<i64> {
            type Output = Tensor<i64>;
            #[track_caller]
            fn $method(self, other: O) -> Tensor<i64> {
                $operator::$method(&self, other)
            }
        }
        /// Elementwise, wrapping around.
        impl $operator<&Tensor<i64>> for i64 {
            type Output = Tensor<i64>;
            #[track_caller]
            fn $method(self, other: &Tensor<i64>) -> Tensor<i64> {
                Tensor::scalar(self).zip($name, other, i64::$wrapping)
            }
        }
        /// Elementwise, wrapping around.
        impl $operator<Tensor<i64>> for i64 {
            type Output = Tensor<i64>;
            #[track_caller]
            fn $method(self, other: Tensor<i64>) -> Tensor<i64> {
                $operator::$method(self, &other)
            }
        }
    )*};
}
operators! {
    Add add "add" wrapping_add;
    Sub sub "sub" wrapping_sub;
    Mul mul "mul" wrapping_mul;
}

impl Neg for &Tensor<i64> {
    type Output = Tensor<i64>;
    fn neg(self) -> Tensor<i64> {
        self.map(i64::wrapping_neg)
    }
}
impl Neg for Tensor<i64> {
    type Output = Tensor<i64>;
    fn neg(self) -> Tensor<i64> {
        -&self
    }
}

impl Tensor<i64> {
    /// xʸ of whole numbers, elementwise; what does not fit wraps around. The shapes broadcast.
    ///
    /// ```
    /// let x = wengert_autograd::tensor![2, 3];
    /// assert_eq!(x.pow(&wengert_autograd::tensor![5, 2]).to_vec(), [32, 9]);
    /// ```
    ///
    /// # Panics
    /// If an exponent is negative, or the shapes do not broadcast.
    #[track_caller]
    pub fn pow(&self, exponent: &Tensor<i64>) -> Tensor<i64> {
        if let Some(negative) = exponent.iter().find(|&exponent| exponent < 0) {
            panic!("pow: a whole number to the power {negative} is not a whole number; cast to f64 first");
        }
        // Exponents beyond 32 bits: by squaring, as the standard library has it for 32.
        let power = |base: i64, exponent: i64| {
            let (mut square, mut left, mut power) = (base, exponent, 1_i64);
            while left > 0 {
                if left & 1 == 1 {
                    power = power.wrapping_mul(square);
                }
                square = square.wrapping_mul(square);
                left >>= 1;
            }
            power
        };
        self.zip("pow", exponent, power)
    }
}

#[cfg(test)]
mod tests {
    use crate::tensor;

    #[test]
    fn arithmetic_broadcasts_and_wraps() {
        let x = tensor![[1, 2, 3], [4, 5, 6]];
        assert_eq!(&x * tensor![[10], [-1]], tensor![[10, 20, 30], [-4, -5, -6]]);
        assert_eq!(1 - &x, tensor![[0, -1, -2], [-3, -4, -5]]);
        assert_eq!(-(x.clone() + 1), tensor![[-2, -3, -4], [-5, -6, -7]]);
        assert_eq!((tensor![i64::MAX] + 1).item(), i64::MIN);
        assert_eq!(x.t() - &tensor![1, 2], tensor![[0, 2], [1, 3], [2, 4]]);
        assert_eq!(tensor![3, -1].pow(&tensor![[0], [5]]), tensor![[1, 1], [243, -1]]);
        assert_eq!(tensor![-1, 2].pow(&tensor![i64::MAX]), tensor![-1, 0]);
    }

    #[test]
    #[should_panic(expected = "add: shapes [2] and [3] do not broadcast")]
    fn other_shapes() {
        drop(tensor![1, 2] + tensor![1, 2, 3]);
    }
}
