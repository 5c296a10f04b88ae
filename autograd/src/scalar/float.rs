//! [`Float`]: the two element types that can be differentiated.

use super::mathematics::Mathematics;
use crate::{
    graph::{
        node::{Doomed, Node},
        shared::Shared,
    },
    tensor::Element,
};

/// `f32` or `f64`. Sealed: every kernel is compiled for exactly these two, inside this crate.
///
/// The functions of one number are those of [`num_traits::Float`]:
///
/// ```
/// use wengert_autograd::Float;
///
/// fn logistic<T: Float>(x: T) -> T {
///     T::one() / (T::one() + (-x).exp())
/// }
/// assert_eq!(logistic(0.0_f32), 0.5);
/// ```
pub trait Float: Element + num_traits::Float + Mathematics + sealed::Compiled {
    /// The nearest number of this type.
    fn from_f64(value: f64) -> Self;
    /// The same number in double precision.
    fn to_f64(self) -> f64;
}

pub(crate) mod sealed {
    use super::{Doomed, Node, Shared};
    use crate::kernel::vector::Vectors;

    /// Chooses between two things that were made for the two types.
    pub trait Compiled: Sized + Vectors {
        #[doc(hidden)]
        fn choose<A>(single: A, double: A) -> A;
        /// Puts a node whose last owner is gone beside those of the other type.
        #[doc(hidden)]
        #[allow(private_interfaces, reason = "the trait is sealed; only this crate calls it")]
        fn doomed(node: Shared<Node<Self>>) -> Doomed
        where
            Self: super::Float;
    }
}

impl sealed::Compiled for f32 {
    #[inline(always)]
    fn choose<A>(single: A, _: A) -> A {
        single
    }
    #[allow(private_interfaces)]
    fn doomed(node: Shared<Node<f32>>) -> Doomed {
        Doomed::Single(node)
    }
}
impl sealed::Compiled for f64 {
    #[inline(always)]
    fn choose<A>(_: A, double: A) -> A {
        double
    }
    #[allow(private_interfaces)]
    fn doomed(node: Shared<Node<f64>>) -> Doomed {
        Doomed::Double(node)
    }
}

impl Float for f32 {
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}
impl Float for f64 {
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
}

/// Calls a generic function in the copy that was compiled inside this crate.
///
/// `compiled!(softmax(x: &Variable<T>, axis: isize) -> Variable<T>)` is `softmax::<T>(x, axis)`, except that the machine
/// code is that of `softmax::<f32>` or `softmax::<f64>` in this crate, with this crate's optimisation. A generic function
/// called directly is compiled again in the crate of the caller: in a debug build of a user's program its loops would run
/// a hundred times slower.
macro_rules! compiled {
    ($function:ident($($argument:tt : $type:ty),* $(,)?) -> $result:ty) => {{
        // Not generic, and never inlined into another crate: whatever these name is instantiated here.
        #[inline(never)]
        fn single() -> *const () {
            type T = f32;
            let function: fn($($type),*) -> $result = $function::<T>;
            function as *const ()
        }
        #[inline(never)]
        fn double() -> *const () {
            type T = f64;
            let function: fn($($type),*) -> $result = $function::<T>;
            function as *const ()
        }
        let function = <T as $crate::scalar::float::sealed::Compiled>::choose(single as fn() -> *const (), double)();
        // SAFETY: T is f32 or f64 (`Float` is sealed) and `choose` returned the function for that type, so the pointer
        // is to a function of exactly this signature.
        let function = unsafe { std::mem::transmute::<*const (), fn($($type),*) -> $result>(function) };
        function($($argument),*)
    }};
}
pub(crate) use compiled;
