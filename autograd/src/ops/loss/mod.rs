//! Losses: how far a prediction is from its target.
//!
//! ```
//! use wengert_autograd::{Variable, loss::{HuberLoss, Reduction, huber_loss}};
//!
//! let (x, target) = (Variable::from([0.0_f32, 3.0]), Variable::from([0.5_f32, 0.0]));
//! assert_eq!(huber_loss(&x, &target).item(), (0.125 + 2.5) / 2.0);
//! let each = HuberLoss::new().delta(2.0).reduction(Reduction::None).forward(&x, &target);
//! assert_eq!(each.value().to_vec(), [0.125, 4.0]);
//! ```
//!
//! Every loss comes twice, in PyTorch's names: a function with the options at their defaults, and a struct that holds the
//! options and has the method `forward`. A loss of an element is a formula wherever it can be, so it is one loop in
//! each direction and has derivatives of every order.

mod classification;
mod cross_entropy;
mod embedding;
mod regression;
#[cfg(feature = "check")]
pub(super) mod samples;

pub use classification::{
    BceLoss, BceWithLogitsLoss, KlDivLoss, MultiMarginLoss, SoftMarginLoss, binary_cross_entropy,
    binary_cross_entropy_with_logits, kl_div, multi_margin_loss, soft_margin_loss,
};
pub use cross_entropy::{CrossEntropyLoss, NllLoss, cross_entropy, nll_loss};
pub use embedding::{
    CosineEmbeddingLoss, HingeEmbeddingLoss, MarginRankingLoss, TripletMarginLoss, cosine_embedding_loss,
    hinge_embedding_loss, margin_ranking_loss, triplet_margin_loss,
};
pub use regression::{
    GaussianNllLoss, HuberLoss, L1Loss, MseLoss, PoissonNllLoss, SmoothL1Loss, gaussian_nll_loss, huber_loss,
    l1_loss, mse_loss, poisson_nll_loss, smooth_l1_loss,
};

use crate::{graph::Variable, scalar::Float};

/// # Panics
/// If the shapes differ: a target that broadcasts is nearly always a mistake.
#[track_caller]
fn same_shape<T: Float>(operation: &str, x: &Variable<T>, target: &Variable<T>) {
    let (shape, given) = (x.shape(), target.shape());
    assert!(shape == given, "{operation}: the shapes must be the same, and are {shape:?} and {given:?}");
}

/// How the losses of the elements (or rows) become the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reduction {
    /// They stay as they are.
    None,
    /// Their mean; NaN where there are none.
    #[default]
    Mean,
    /// Their sum.
    Sum,
}

impl Reduction {
    #[track_caller]
    fn apply<T: Float>(self, losses: Variable<T>) -> Variable<T> {
        match self {
            Reduction::None => losses,
            Reduction::Mean => losses.mean(),
            Reduction::Sum => losses.sum(),
        }
    }
}

/// Declares the options of a loss: fields with their defaults, and a setter each under the same name. An optional tensor
/// can be given as the tensor itself.
macro_rules! options {
    ($(#[$doc:meta])* pub struct $loss:ident $(<$t:ident>)? {
        $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $loss $(<$t: Float = f32>)? {
            reduction: Reduction,
            $($field: $type,)*
        }
        impl $(<$t: Float>)? Default for $loss $(<$t>)? {
            fn default() -> Self {
                $loss { reduction: Reduction::default(), $($field: $default,)* }
            }
        }
        impl $(<$t: Float>)? $loss $(<$t>)? {
            /// The loss with PyTorch's defaults.
            pub fn new() -> Self {
                Self::default()
            }
            /// How the losses of the elements become the result; the mean unless said otherwise.
            #[must_use]
            pub fn reduction(mut self, reduction: Reduction) -> Self {
                self.reduction = reduction;
                self
            }
            $(
                $(#[$field_doc])*
                #[must_use]
                pub fn $field(mut self, $field: impl Into<$type>) -> Self {
                    self.$field = $field.into();
                    self
                }
            )*
        }
    };
}
use options;

/// A formula with constants, and a function that applies it to variables.
///
/// `name [x, y] { constant } => value;` is a function `name(x, y, constant, line)`.
macro_rules! formulas {
    ($($(#[$doc:meta])* $name:ident [$($x:ident),+] { $($constant:ident),* } => $value:expr;)+) => {$(
        $(#[$doc])*
        fn $name<T: Float>($($x: &Variable<T>,)+ $($constant: f64,)* line: Line) -> Variable<T> {
            const INPUTS: usize = [$(stringify!($x)),+].len();
            #[derive(Clone, Copy)]
            struct Loss {
                $($constant: f64,)*
            }
            impl Formula<INPUTS> for Loss {
                fn name(&self) -> &'static str {
                    stringify!($name)
                }
                #[inline(always)]
                fn eval<R: Real>(&self, [$($x),+]: [R; INPUTS]) -> [R; 1] {
                    $(let $constant = R::constant(self.$constant);)*
                    [$value]
                }
            }
            let [loss] = apply_at(Loss { $($constant),* }, [$($x),+], line);
            loss
        }
    )+};
}
use formulas;
