//! The registry: every differentiable operation, by name, with samples of its use.
//!
//! An operation declares its samples beside its rule,
//!
//! ```text
//! samples! {
//!     atan2 {
//!         "a plane" (y: nonzero([2, 3]), x: normal([2, 3])) => y.atan2(x), elementwise;
//!         "shapes that differ" (y: normal([2]), x: normal([3])) => y.atan2(x), panics("do not broadcast");
//!     }
//! }
//! ```
//!
//! and is one line of the list below. The distributions are those of [`check::distributions`](crate::check::distributions);
//! the inputs are `&Variable<T>` in the expression, which is compiled for `f32` and `f64` and may hold indices, masks and
//! blocks; after it stand the marks of [`Sample`](crate::check::Sample): `elementwise`, `order(1, "why")`,
//! `kink("the convention")`, `panics("part of the text")`.
//! From here on everything is automatic: no operation comes with tests of its own for what holds of all of them.

/// Declares the samples of the operations of a family, as functions of their names in a module `samples`.
macro_rules! samples {
    ($($op:ident {
        $($case:literal ($($x:ident: $input:expr),* $(,)?) => $call:expr $(, $mark:ident $(($($argument:tt)*))?)*;)*
    })*) => {
        #[cfg(feature = "check")]
        #[allow(unused_imports, reason = "not every family draws from every distribution")]
        pub(crate) mod samples {
            use super::*;
            use $crate::{check::distributions::*, graph::Variable as _, scalar::Float as _};
            $(
                pub(crate) fn $op() -> Vec<$crate::check::Sample> {
                    vec![$({
                        fn run<T: $crate::scalar::Float>(
                            inputs: &[$crate::graph::Variable<T>],
                        ) -> Vec<$crate::graph::Variable<T>> {
                            let [$($x),*] = inputs else { panic!("as many inputs as were declared") };
                            $crate::check::Outputs::<T>::into_outputs($call)
                        }
                        let inputs = vec![$((stringify!($x), $input)),*];
                        $crate::check::Sample::new($case, inputs, stringify!($call), run::<f32>, run::<f64>)
                            $(.$mark($($($argument)*)?))*
                    }),*]
                }
            )*
        }
    };
}
pub(crate) use samples;

#[cfg(feature = "check")]
pub use list::{Entry, registry};

#[cfg(feature = "check")]
mod list {
    use crate::{check::Sample, ops};

    /// An operation with its samples.
    #[derive(Clone, Copy, Debug)]
    pub struct Entry {
        /// The name: PyTorch's, where PyTorch has the operation.
        pub name: &'static str,
        samples: fn() -> Vec<Sample>,
    }

    impl Entry {
        pub(crate) const fn new(name: &'static str, samples: fn() -> Vec<Sample>) -> Self {
            Entry { name, samples }
        }
        /// The ways to call it.
        pub fn samples(&self) -> Vec<Sample> {
            (self.samples)()
        }
    }

    /// All operations.
    pub fn registry() -> Vec<Entry> {
        let mut entries = ops::functions::entries();
        entries.extend(OPERATIONS);
        entries
    }

    /// One line an operation; the functions of one argument are listed where they are generated.
    const OPERATIONS: &[Entry] = &[
        Entry::new("add", ops::operators::samples::add),
        Entry::new("sub", ops::operators::samples::sub),
        Entry::new("rsub", ops::operators::samples::rsub),
        Entry::new("mul", ops::operators::samples::mul),
        Entry::new("div", ops::operators::samples::div),
        Entry::new("rdiv", ops::operators::samples::rdiv),
        Entry::new("clamp", ops::arithmetic::samples::clamp),
        Entry::new("pow", ops::arithmetic::samples::pow),
        Entry::new("rpow", ops::arithmetic::samples::rpow),
        Entry::new("maximum", ops::arithmetic::samples::maximum),
        Entry::new("minimum", ops::arithmetic::samples::minimum),
        Entry::new("atan2", ops::arithmetic::samples::atan2),
        Entry::new("hypot", ops::arithmetic::samples::hypot),
        Entry::new("logaddexp", ops::arithmetic::samples::logaddexp),
        Entry::new("xlogy", ops::arithmetic::samples::xlogy),
        Entry::new("copysign", ops::arithmetic::samples::copysign),
        Entry::new("sinc", ops::arithmetic::samples::sinc),
        Entry::new("frac", ops::arithmetic::samples::frac),
        Entry::new("nan_to_num", ops::arithmetic::samples::nan_to_num),
        Entry::new("remainder", ops::arithmetic::samples::remainder),
        Entry::new("fmod", ops::arithmetic::samples::fmod),
        Entry::new("lerp", ops::arithmetic::samples::lerp),
        Entry::new("addcmul", ops::arithmetic::samples::addcmul),
        Entry::new("addcdiv", ops::arithmetic::samples::addcdiv),
        Entry::new("where", ops::arithmetic::samples::where_),
        Entry::new("leaky_relu", ops::activations::samples::leaky_relu),
        Entry::new("prelu", ops::activations::samples::prelu),
        Entry::new("elu", ops::activations::samples::elu),
        Entry::new("celu", ops::activations::samples::celu),
        Entry::new("selu", ops::activations::samples::selu),
        Entry::new("gelu", ops::activations::samples::gelu),
        Entry::new("silu", ops::activations::samples::silu),
        Entry::new("mish", ops::activations::samples::mish),
        Entry::new("hardswish", ops::activations::samples::hardswish),
        Entry::new("hardsigmoid", ops::activations::samples::hardsigmoid),
        Entry::new("hardtanh", ops::activations::samples::hardtanh),
        Entry::new("threshold", ops::activations::samples::threshold),
        Entry::new("hardshrink", ops::activations::samples::hardshrink),
        Entry::new("softshrink", ops::activations::samples::softshrink),
        Entry::new("relu6", ops::activations::samples::relu6),
        Entry::new("softsign", ops::activations::samples::softsign),
        Entry::new("tanhshrink", ops::activations::samples::tanhshrink),
        Entry::new("logsigmoid", ops::activations::samples::logsigmoid),
        Entry::new("logit", ops::activations::samples::logit),
        Entry::new("softplus_with", ops::activations::samples::softplus_with),
        Entry::new("glu", ops::activations::samples::glu),
        Entry::new("sum", ops::reduction::samples::sum),
        Entry::new("mean", ops::reduction::samples::mean),
        Entry::new("nansum", ops::reduction::samples::nansum),
        Entry::new("nanmean", ops::reduction::samples::nanmean),
        Entry::new("broadcast_to", ops::reduction::samples::broadcast_to),
        Entry::new("conv1d", ops::conv::samples::conv1d),
        Entry::new("conv2d", ops::conv::samples::conv2d),
        Entry::new("conv3d", ops::conv::samples::conv3d),
        Entry::new("conv_transpose1d", ops::conv::samples::conv_transpose1d),
        Entry::new("conv_transpose2d", ops::conv::samples::conv_transpose2d),
        Entry::new("conv_transpose3d", ops::conv::samples::conv_transpose3d),
        Entry::new("max_pool1d", ops::pool::samples::max_pool1d),
        Entry::new("max_pool2d", ops::pool::samples::max_pool2d),
        Entry::new("max_pool3d", ops::pool::samples::max_pool3d),
        Entry::new("avg_pool1d", ops::pool::samples::avg_pool1d),
        Entry::new("avg_pool2d", ops::pool::samples::avg_pool2d),
        Entry::new("avg_pool3d", ops::pool::samples::avg_pool3d),
        Entry::new("adaptive_avg_pool1d", ops::pool::samples::adaptive_avg_pool1d),
        Entry::new("adaptive_avg_pool2d", ops::pool::samples::adaptive_avg_pool2d),
        Entry::new("adaptive_avg_pool3d", ops::pool::samples::adaptive_avg_pool3d),
        Entry::new("adaptive_max_pool1d", ops::pool::samples::adaptive_max_pool1d),
        Entry::new("adaptive_max_pool2d", ops::pool::samples::adaptive_max_pool2d),
        Entry::new("adaptive_max_pool3d", ops::pool::samples::adaptive_max_pool3d),
        Entry::new("interpolate", ops::resample::samples::interpolate),
        Entry::new("instance_norm", ops::norm::channels::samples::instance_norm),
        Entry::new("group_norm", ops::norm::channels::samples::group_norm),
        Entry::new("batch_norm_with", ops::norm::channels::samples::batch_norm_with),
        Entry::new("batch_norm", ops::norm::channels::samples::batch_norm),
        Entry::new("rms_norm", ops::norm::rows::samples::rms_norm),
        Entry::new("layer_norm", ops::norm::rows::samples::layer_norm),
        Entry::new("local_response_norm", ops::norm::samples::local_response_norm),
        Entry::new("normalize", ops::norm::samples::normalize),
        Entry::new("pixel_unshuffle", ops::conv::columns::samples::pixel_unshuffle),
        Entry::new("pixel_shuffle", ops::conv::columns::samples::pixel_shuffle),
        Entry::new("col2im", ops::conv::columns::samples::col2im),
        Entry::new("im2col", ops::conv::columns::samples::im2col),
        Entry::new("reshape", ops::shape::samples::reshape),
        Entry::new("permute", ops::shape::samples::permute),
        Entry::new("transpose", ops::shape::samples::transpose),
        Entry::new("narrow", ops::slice::samples::narrow),
        Entry::new("softmax", ops::softmax::samples::softmax),
        Entry::new("softmin", ops::softmax::samples::softmin),
        Entry::new("log_softmax", ops::softmax::samples::log_softmax),
        Entry::new("cosine_similarity", ops::similarity::samples::cosine_similarity),
        Entry::new("pairwise_distance", ops::similarity::samples::pairwise_distance),
        Entry::new("cross_entropy", ops::loss::samples::samples::cross_entropy),
        Entry::new("nll_loss", ops::loss::samples::samples::nll_loss),
        Entry::new("mse_loss", ops::loss::samples::samples::mse_loss),
        Entry::new("l1_loss", ops::loss::samples::samples::l1_loss),
        Entry::new("smooth_l1_loss", ops::loss::samples::samples::smooth_l1_loss),
        Entry::new("huber_loss", ops::loss::samples::samples::huber_loss),
        Entry::new("poisson_nll_loss", ops::loss::samples::samples::poisson_nll_loss),
        Entry::new("gaussian_nll_loss", ops::loss::samples::samples::gaussian_nll_loss),
        Entry::new("binary_cross_entropy", ops::loss::samples::samples::binary_cross_entropy),
        Entry::new(
            "binary_cross_entropy_with_logits",
            ops::loss::samples::samples::binary_cross_entropy_with_logits,
        ),
        Entry::new("kl_div", ops::loss::samples::samples::kl_div),
        Entry::new("soft_margin_loss", ops::loss::samples::samples::soft_margin_loss),
        Entry::new("multi_margin_loss", ops::loss::samples::samples::multi_margin_loss),
        Entry::new("hinge_embedding_loss", ops::loss::samples::samples::hinge_embedding_loss),
        Entry::new("margin_ranking_loss", ops::loss::samples::samples::margin_ranking_loss),
        Entry::new("triplet_margin_loss", ops::loss::samples::samples::triplet_margin_loss),
        Entry::new("cosine_embedding_loss", ops::loss::samples::samples::cosine_embedding_loss),
        Entry::new("dropout", ops::dropout::samples::dropout),
        Entry::new("feature_dropout", ops::dropout::samples::feature_dropout),
        Entry::new("alpha_dropout", ops::dropout::samples::alpha_dropout),
        Entry::new("matmul", ops::matmul::samples::matmul),
        Entry::new("linear", ops::matmul::samples::linear),
        Entry::new("dot", ops::products::samples::dot),
        Entry::new("outer", ops::products::samples::outer),
        Entry::new("cross", ops::products::samples::cross),
        Entry::new("bmm", ops::products::samples::bmm),
        Entry::new("addmm", ops::products::samples::addmm),
        Entry::new("baddbmm", ops::products::samples::baddbmm),
        Entry::new("tensordot", ops::products::samples::tensordot),
        Entry::new("bilinear", ops::products::samples::bilinear),
        Entry::new("trace", ops::products::samples::trace),
        Entry::new("kron", ops::products::samples::kron),
        Entry::new("matrix_power", ops::products::samples::matrix_power),
        Entry::new("matrix_exp", ops::products::samples::matrix_exp),
        Entry::new("cdist", ops::products::samples::cdist),
        Entry::new("einsum", ops::einsum::samples::einsum),
        Entry::new("inverse", ops::factor::samples::inverse),
        Entry::new("det", ops::factor::samples::det),
        Entry::new("logdet", ops::factor::samples::logdet),
        Entry::new("slogdet", ops::factor::samples::slogdet),
        Entry::new("solve", ops::factor::samples::solve),
        Entry::new("solve_triangular", ops::factor::samples::solve_triangular),
        Entry::new("cholesky", ops::factor::samples::cholesky),
        Entry::new("qr", ops::orthogonal::samples::qr),
        Entry::new("lstsq", ops::orthogonal::samples::lstsq),
        Entry::new("eigh", ops::orthogonal::samples::eigh),
        Entry::new("svd", ops::orthogonal::samples::svd),
        Entry::new("pinverse", ops::orthogonal::samples::pinverse),
        Entry::new("cumsum", ops::scan::samples::cumsum),
        Entry::new("cumprod", ops::scan::samples::cumprod),
        Entry::new("logcumsumexp", ops::scan::samples::logcumsumexp),
        Entry::new("diff", ops::scan::samples::diff),
        Entry::new("linear_recurrence", ops::scan::samples::linear_recurrence),
        Entry::new("prod", ops::scan::samples::prod),
        Entry::new("var", ops::statistics::samples::var),
        Entry::new("std", ops::statistics::samples::std),
        Entry::new("cov", ops::statistics::samples::cov),
        Entry::new("corrcoef", ops::statistics::samples::corrcoef),
        Entry::new("amax", ops::extremes::samples::amax),
        Entry::new("amin", ops::extremes::samples::amin),
        Entry::new("max", ops::extremes::samples::max),
        Entry::new("min", ops::extremes::samples::min),
        Entry::new("cummax", ops::extremes::samples::cummax),
        Entry::new("cummin", ops::extremes::samples::cummin),
        Entry::new("sort", ops::extremes::samples::sort),
        Entry::new("topk", ops::extremes::samples::topk),
        Entry::new("kthvalue", ops::extremes::samples::kthvalue),
        Entry::new("median", ops::extremes::samples::median),
        Entry::new("quantile", ops::extremes::samples::quantile),
        Entry::new("norm", ops::vector_norm::samples::norm),
        Entry::new("renorm", ops::vector_norm::samples::renorm),
        Entry::new("logsumexp", ops::logsumexp::samples::logsumexp),
        Entry::new("flatten", ops::shape::samples::flatten),
        Entry::new("squeeze", ops::shape::samples::squeeze),
        Entry::new("unsqueeze", ops::shape::samples::unsqueeze),
        Entry::new("expand", ops::shape::samples::expand),
        Entry::new("movedim", ops::shape::samples::movedim),
        Entry::new("select", ops::slice::samples::select),
        Entry::new("slice", ops::slice::samples::slice),
        Entry::new("split", ops::slice::samples::split),
        Entry::new("chunk", ops::slice::samples::chunk),
        Entry::new("unbind", ops::slice::samples::unbind),
        Entry::new("cat", ops::join::samples::cat),
        Entry::new("stack", ops::join::samples::stack),
        Entry::new("block_diag", ops::join::samples::block_diag),
        Entry::new("repeat", ops::join::samples::repeat),
        Entry::new("repeat_interleave", ops::join::samples::repeat_interleave),
        Entry::new("flip", ops::reorder::samples::flip),
        Entry::new("roll", ops::reorder::samples::roll),
        Entry::new("rot90", ops::reorder::samples::rot90),
        Entry::new("pad", ops::pad::samples::pad),
        Entry::new("diagonal", ops::diagonal::samples::diagonal),
        Entry::new("diag", ops::diagonal::samples::diag),
        Entry::new("unfold", ops::diagonal::samples::unfold),
        Entry::new("tril", ops::diagonal::samples::tril),
        Entry::new("triu", ops::diagonal::samples::triu),
        Entry::new("masked_fill", ops::mask::samples::masked_fill),
        Entry::new("masked_select", ops::mask::samples::masked_select),
        Entry::new("masked_scatter", ops::mask::samples::masked_scatter),
        Entry::new("gather", ops::gather::samples::gather),
        Entry::new("take_along", ops::gather::samples::take_along),
        Entry::new("scatter", ops::gather::samples::scatter),
        Entry::new("scatter_add", ops::gather::samples::scatter_add),
        Entry::new("index_select", ops::index::samples::index_select),
        Entry::new("take", ops::index::samples::take),
        Entry::new("index_add", ops::index::samples::index_add),
        Entry::new("index_fill", ops::index::samples::index_fill),
        Entry::new("index_copy", ops::index::samples::index_copy),
        Entry::new("embedding", ops::index::samples::embedding),
        Entry::new("scaled_dot_product_attention", ops::attention::samples::scaled_dot_product_attention),
        Entry::new("multi_head_attention", ops::attention::samples::multi_head_attention),
        Entry::new("rnn_cell", ops::recurrent::samples::rnn_cell),
        Entry::new("gru_cell", ops::recurrent::samples::gru_cell),
        Entry::new("lstm_cell", ops::recurrent::samples::lstm_cell),
        Entry::new("rnn", ops::recurrent::samples::rnn),
        Entry::new("gru", ops::recurrent::samples::gru),
        Entry::new("lstm", ops::recurrent::samples::lstm),
    ];
}
