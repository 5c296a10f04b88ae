//! Tensors that are nearly equal, by the traits of the crate `approx` and so by its assertions.
//!
//! ```
//! use approx::{assert_abs_diff_eq, assert_relative_eq};
//! use wengert_autograd::{Tensor, Variable};
//!
//! let x = Variable::new(Tensor::<f64>::linspace(0.0, 1.0, 5));
//! let one = x.sin().square() + x.cos().square();
//! assert_abs_diff_eq!(one.value(), Tensor::ones([5]), epsilon = 1e-15);
//! assert_relative_eq!(x.exp().ln().value(), x.value(), max_relative = 1e-14);
//! ```
//!
//! Tensors of different shapes differ, whatever the tolerance; otherwise every element must agree with its counterpart.

use crate::{scalar::Float, tensor::Tensor};
use approx::{AbsDiffEq, RelativeEq, UlpsEq};

fn agree<T: Float>(a: &Tensor<T>, b: &Tensor<T>, element: impl Fn(&T, &T) -> bool) -> bool {
    a.shape() == b.shape() && a.iter().zip(b.iter()).all(|(a, b)| element(&a, &b))
}

impl<T: Float + AbsDiffEq<Epsilon = T>> AbsDiffEq for Tensor<T> {
    type Epsilon = T;

    fn default_epsilon() -> T {
        T::default_epsilon()
    }

    fn abs_diff_eq(&self, other: &Self, epsilon: T) -> bool {
        agree(self, other, |a, b| a.abs_diff_eq(b, epsilon))
    }
}

impl<T: Float + RelativeEq + AbsDiffEq<Epsilon = T>> RelativeEq for Tensor<T> {
    fn default_max_relative() -> T {
        T::default_max_relative()
    }

    fn relative_eq(&self, other: &Self, epsilon: T, max_relative: T) -> bool {
        agree(self, other, |a, b| a.relative_eq(b, epsilon, max_relative))
    }
}

impl<T: Float + UlpsEq + AbsDiffEq<Epsilon = T>> UlpsEq for Tensor<T> {
    fn default_max_ulps() -> u32 {
        T::default_max_ulps()
    }

    fn ulps_eq(&self, other: &Self, epsilon: T, max_ulps: u32) -> bool {
        agree(self, other, |a, b| a.ulps_eq(b, epsilon, max_ulps))
    }
}

#[cfg(test)]
mod tests {
    use crate::tensor::Tensor;
    use approx::{abs_diff_eq, relative_eq, ulps_eq};

    #[test]
    fn every_element_counts_and_so_does_the_shape() {
        let x = Tensor::<f64>::from([[1.0, -2.0], [3e6, 4.0]]);
        let moved = x.map(|value| value * (1.0 + 1e-9));
        assert!(relative_eq!(x, moved, max_relative = 1e-8));
        assert!(!relative_eq!(x, moved, max_relative = 1e-10));
        assert!(!abs_diff_eq!(x, moved, epsilon = 1e-4), "3e6 is moved by more");
        assert!(abs_diff_eq!(x, moved, epsilon = 1e-2));
        assert!(ulps_eq!(x, x.map(|value| value.next_up()), max_ulps = 1, epsilon = 0.0));
        assert!(!abs_diff_eq!(x, x.reshape([4]), epsilon = 1e9));
        assert!(abs_diff_eq!(x.t(), x.t().contiguous()));
        let hole = Tensor::<f64>::from([f64::NAN]);
        assert!(!abs_diff_eq!(hole, hole, epsilon = 1e9));
    }
}
