//! Normalisation: activations brought to mean 0 and variance 1 over some of their axes, then weighted.
//!
//! ```
//! use wengert_autograd::Variable;
//!
//! let x = Variable::from([[1.0_f32, 3.0], [10.0, 30.0]]);
//! let y = x.layer_norm(2, None, None, 1e-5);
//! assert!((y.value().get(&[1, 0]).unwrap() + 1.0).abs() < 1e-4);
//! ```
//!
//! | | normalised together | weighted |
//! |---|---|---|
//! | [`layer_norm`](Variable::layer_norm), [`rms_norm`](Variable::rms_norm) | the last axes | each element of them |
//! | [`batch_norm`](Variable::batch_norm) | a channel of all samples | each channel |
//! | [`group_norm`](Variable::group_norm) | some channels of a sample | each channel |
//! | [`instance_norm`](Variable::instance_norm) | a channel of a sample | each channel |
//! | [`normalize`](Variable::normalize) | vectors along an axis, to length 1 | |
//! | [`local_response_norm`](Variable::local_response_norm) | an element and its neighbours among the channels | |
//!
//! The first four rows are fused: written as operations, layer normalisation goes over memory some ten times in each
//! direction, and these kernels once. What they mean stands in their `define`, which gives the higher derivatives.

pub(crate) mod channels;
pub(crate) mod rows;

pub use channels::BatchMoments;

use super::{registry::samples, resample::resampled};
use crate::{
    graph::{Variable, mode::line},
    kernel::resample::AxisMap,
    scalar::Float,
    tensor::TensorError,
};
use std::borrow::Cow;

/// The rule of the fused normalisations as text; see [`Op::rule`](crate::Op::rule).
fn written(weighted: bool, biased: bool, centred: bool) -> Cow<'static, str> {
    let (weight, bias) = (if weighted { " · w" } else { "" }, if biased { " + b" } else { "" });
    let mut text = match centred {
        true => format!(
            "y = (x − mean(x)) / σ{weight}{bias}; x̄ += (g − mean(g) − n · mean(g · n)) / σ, \
             with g = ȳ{weight}, n = (x − mean(x)) / σ"
        ),
        false => format!(
            "y = x / σ{weight}{bias}, σ the root of the mean square; x̄ += (g − n · mean(g · n)) / σ, \
             with g = ȳ{weight}, n = x / σ"
        ),
    };
    if weighted {
        text += "; w̄ += Σ ȳ · n, n the normalised input";
    }
    if biased {
        text += "; b̄ += Σ ȳ";
    }
    text.into()
}

impl<T: Float> Variable<T> {
    /// The vectors along an axis divided by their p-norms: x / max(‖x‖ₚ, eps).
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[3.0_f32, 4.0], [0.0, 0.0]]);
    /// assert_eq!(x.normalize(2.0, -1, 1e-12).value().to_vec(), [0.6, 0.8, 0.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range, or p is NaN.
    #[track_caller]
    pub fn normalize(&self, p: f64, axis: isize, eps: f64) -> Variable<T> {
        self / &self.norm_axes(p, axis, true).clamp(eps, f64::INFINITY)
    }

    /// Each element divided by a function of its neighbours among the channels: `[N, C, …]` keeps its shape,
    /// y = x / (k + alpha·a)^beta, with a the mean of the squares over a window of `size` channels, `size / 2` of them before
    /// the element's own; outside of the channels there are zeros (A. Krizhevsky, I. Sutskever and G. Hinton, "ImageNet
    /// classification with deep convolutional neural networks", 2012, section 3.3).
    ///
    /// ```
    /// let x = wengert_autograd::Variable::ones([1, 3, 2]);
    /// let y = x.local_response_norm(1, 3.0, 0.5, 1.0);
    /// assert_eq!(y.value().to_vec(), [0.5; 6]);
    /// ```
    ///
    /// # Panics
    /// If there are fewer than two axes, or `size` is 0.
    #[track_caller]
    pub fn local_response_norm(&self, size: usize, alpha: f64, beta: f64, k: f64) -> Variable<T> {
        let shape = self.shape();
        if shape.len() < 2 || size == 0 {
            let problem = format!(
                "the input must be [batch, channels, …], and the window of {size} channels not empty"
            );
            TensorError::argument("local_response_norm", &shape, problem).raise();
        }
        let (channels, plane) = (shape[1], shape[2..].iter().product());
        let window = AxisMap::new(
            channels,
            (0..channels).map(|channel| {
                let neighbours = channel.saturating_sub(size / 2)..(channel + size.div_ceil(2)).min(channels);
                neighbours.map(|neighbour| (neighbour, 1.0 / size as f64))
            }),
        );
        let squares = self.square().reshape([shape[0], channels, plane]);
        let maps = [AxisMap::identity(1), window, AxisMap::identity(plane)];
        let means = resampled(&squares, "channel_window_mean", 2, maps, line()).reshape(shape);
        self * &(means * alpha + k).powf(-beta)
    }
}

samples! {
    normalize {
        "rows" (x: nonzero([3, 4])) => x.normalize(2.0, -1, 1e-12);
        "the 1-norm of columns" (x: nonzero([3, 4])) => x.normalize(1.0, 0, 1e-12);
        "short vectors" (x: normal([2, 3])) => x.normalize(2.0, 1, 100.0);
        "no such axis" (x: normal([2, 3])) => x.normalize(2.0, 2, 1e-12), panics("axis 2 is out of range");
    }
    local_response_norm {
        "an odd window" (x: normal([2, 5, 2, 2])) => x.local_response_norm(3, 0.5, 0.75, 1.0);
        "an even window" (x: normal([2, 4, 3])) => x.local_response_norm(4, 1.0, 0.5, 2.0);
        "no window" (x: normal([2, 4, 3])) => x.local_response_norm(0, 1.0, 0.5, 2.0), panics("the window of 0 channels");
    }
}
