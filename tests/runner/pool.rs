//! The operations of the group `pool`.

use super::{Case, Output};
use wengert_autograd::{Float, PoolOptions};

pub fn apply<T: Float>(op: &str, case: &Case<T>) -> Option<Vec<Output<T>>> {
    if !op.contains("_pool") {
        return None;
    }
    let x = case.x();
    let rank = op.strip_suffix('d')?.chars().last()?.to_digit(10)? as usize;
    let sizes = || case.counts("output_size", rank, 1);
    let options = || {
        let kernel = case.counts("kernel_size", rank, 1);
        let stride = if case.has("stride") { case.counts("stride", rank, 1) } else { kernel.clone() };
        PoolOptions::new(kernel)
            .stride(stride)
            .padding(case.counts("padding", rank, 0))
            .dilation(case.counts("dilation", rank, 1))
            .ceil_mode(case.flag("ceil_mode", false))
            .count_include_pad(case.flag("count_include_pad", true))
    };
    let y = match op {
        "max_pool1d" => x.max_pool1d(options()),
        "max_pool2d" => x.max_pool2d(options()),
        "max_pool3d" => x.max_pool3d(options()),
        "avg_pool1d" => x.avg_pool1d(options()),
        "avg_pool2d" => x.avg_pool2d(options()),
        "avg_pool3d" => x.avg_pool3d(options()),
        "adaptive_avg_pool1d" => x.adaptive_avg_pool1d(sizes()),
        "adaptive_avg_pool2d" => x.adaptive_avg_pool2d(sizes()),
        "adaptive_max_pool2d" => x.adaptive_max_pool2d(sizes()),
        _ => return None,
    };
    Some(vec![y.into()])
}
