//! Dropout: parts of the signal are set to zero at random while a model is trained.

use crate::{Layer, Module, Training, Visitor, VisitorMut};
use wengert_autograd::{Float, Variable};

macro_rules! dropouts {
    ($($(#[$doc:meta])* $layer:ident = $method:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// In evaluation ([`Module::eval`]) the input passes as it is. The random numbers are those of the process: see
        /// [`manual_seed`](wengert_autograd::manual_seed).
        #[derive(Clone, Debug)]
        pub struct $layer {
            /// The probability of being dropped.
            pub p: f64,
            training: Training,
        }

        // By hand, since the layer is a module over every number type.
        impl<T: Float> Module<T> for $layer {
            fn visit(&self, visitor: &mut Visitor<'_, T>) {
                visitor.field("training", &self.training);
            }
            fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
                visitor.field("training", &mut self.training);
            }
        }

        impl $layer {
            /// Drops with probability `p`.
            ///
            /// # Panics
            /// If `p` does not lie between 0 and 1.
            #[track_caller]
            pub fn new(p: f64) -> Self {
                assert!((0.0..=1.0).contains(&p), "{}: {p} is no probability", stringify!($layer));
                $layer { p, training: Training::default() }
            }
        }

        /// Drops with probability ½.
        impl Default for $layer {
            fn default() -> Self {
                $layer::new(0.5)
            }
        }

        impl<T: Float> Layer<Variable<T>> for $layer {
            type Output = Variable<T>;
            #[track_caller]
            fn forward(&self, input: &Variable<T>) -> Variable<T> {
                input.$method(self.p, self.training.is_on())
            }
        }
    )*};
}

dropouts! {
    /// Each number becomes 0 with probability p, else x/(1 − p) (Srivastava and others 2014).
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// use wengert_nn::{Dropout, Layer, Module};
    ///
    /// let dropout = Dropout::new(0.5);
    /// let x = Variable::ones([1000]);
    /// assert!(dropout.forward(&x).value().iter().all(|y| y == 0.0 || y == 2.0));
    /// Module::<f32>::eval(&dropout);
    /// assert_eq!(dropout.forward(&x).value(), x.value());
    /// ```
    Dropout = dropout;
    /// Whole channels of `[N, C, length]` become 0 together (Tompson and others 2015).
    Dropout1d = feature_dropout;
    /// Whole channels of `[N, C, H, W]` become 0 together (Tompson and others 2015).
    Dropout2d = feature_dropout;
    /// Whole channels of `[N, C, D, H, W]` become 0 together (Tompson and others 2015).
    Dropout3d = feature_dropout;
    /// Dropout that keeps mean and variance after [`SELU`](crate::SELU) (Klambauer and others 2017).
    AlphaDropout = alpha_dropout;
}
