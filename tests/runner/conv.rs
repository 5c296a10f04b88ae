//! The operations of the group `conv`.

use super::{Case, Output};
use wengert_autograd::{ConvOptions, ConvPadding, ConvTransposeOptions, Float};

pub fn apply<T: Float>(op: &str, case: &Case<T>) -> Option<Vec<Output<T>>> {
    if !op.starts_with("conv") {
        return None;
    }
    let (x, weight, bias) = (case.x(), case.var("weight"), case.maybe("bias"));
    let rank = op.strip_suffix('d')?.chars().last()?.to_digit(10)? as usize;
    let counts = |name: &str, default: usize| case.counts(name, rank, default);
    let groups = case.count("groups", 1);
    let transposed = ConvTransposeOptions::new()
        .stride(counts("stride", 1))
        .dilation(counts("dilation", 1))
        .groups(groups);
    let plain = ConvOptions::new().stride(counts("stride", 1)).dilation(counts("dilation", 1)).groups(groups);
    let transposed = || transposed.padding(counts("padding", 0)).output_padding(counts("output_padding", 0));
    let plain = || match case.text("padding", "") {
        "same" => plain.padding(ConvPadding::Same),
        "valid" => plain.padding(ConvPadding::Valid),
        _ => plain.padding(counts("padding", 0)),
    };
    let y = match op {
        "conv1d" => x.conv1d(weight, bias, plain()),
        "conv2d" => x.conv2d(weight, bias, plain()),
        "conv3d" => x.conv3d(weight, bias, plain()),
        "conv_transpose1d" => x.conv_transpose1d(weight, bias, transposed()),
        "conv_transpose2d" => x.conv_transpose2d(weight, bias, transposed()),
        "conv_transpose3d" => x.conv_transpose3d(weight, bias, transposed()),
        _ => return None,
    };
    Some(vec![y.into()])
}
