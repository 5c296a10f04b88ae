//! Losses as modules: the options of [`wengert_autograd::loss`], which have no parameters.
//!
//! ```
//! use wengert_autograd::{Tensor, Variable};
//! use wengert_nn::{CrossEntropyLoss, Module};
//!
//! #[derive(Module)]
//! struct Trainer { loss: CrossEntropyLoss }
//!
//! let trainer = Trainer { loss: CrossEntropyLoss::new().label_smoothing(0.1) };
//! let labels = Tensor::from_vec(vec![1, 0], [2]).unwrap();
//! let loss = trainer.loss.forward(&Variable::zeros([2, 3]), &labels);
//! assert!((loss.item() - 3.0_f32.ln()).abs() < 1e-6);
//! ```

use crate::{Module, Visitor, VisitorMut};
use wengert_autograd::Float;
pub use wengert_autograd::loss::{
    BceLoss, BceWithLogitsLoss, CosineEmbeddingLoss, CrossEntropyLoss, GaussianNllLoss, HingeEmbeddingLoss,
    HuberLoss, KlDivLoss, L1Loss, MarginRankingLoss, MseLoss, MultiMarginLoss, NllLoss, PoissonNllLoss,
    Reduction, SmoothL1Loss, SoftMarginLoss, TripletMarginLoss,
};

macro_rules! without_parameters {
    ($($loss:ident $(<$t:ident>)?),*) => {$(
        impl<T: Float> Module<T> for $loss $(<$t>)? {
            fn visit(&self, _: &mut Visitor<'_, T>) {}
            fn visit_mut(&mut self, _: &mut VisitorMut<'_, T>) {}
        }
    )*};
}
without_parameters!(
    BceLoss<T>,
    BceWithLogitsLoss<T>,
    KlDivLoss,
    SoftMarginLoss,
    MultiMarginLoss,
    CrossEntropyLoss<T>,
    NllLoss<T>,
    HingeEmbeddingLoss,
    MarginRankingLoss,
    TripletMarginLoss,
    CosineEmbeddingLoss,
    MseLoss,
    L1Loss,
    SmoothL1Loss,
    HuberLoss,
    PoissonNllLoss,
    GaussianNllLoss
);
