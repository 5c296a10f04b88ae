//! The operations of the group `nn`.

use super::{Case, Output};
use wengert_autograd::{
    ConvOptions, Float, Interpolation, Variable, cosine_similarity, embedding, pairwise_distance,
};

pub fn apply<T: Float>(op: &str, case: &Case<T>) -> Option<Vec<Output<T>>> {
    Some(vec![Output::Float(match op {
        "embedding" => {
            // A negative one counts from the end.
            let rows = case.var("weight").shape()[0] as isize;
            let padding = case.maybe_axis("padding_idx").map(|row| row.rem_euclid(rows) as usize);
            embedding(case.index("index"), case.var("weight"), padding)
        }
        "softmax" => case.x().softmax(case.axis("dim")),
        "log_softmax" => case.x().log_softmax(case.axis("dim")),
        "cosine_similarity" => {
            cosine_similarity(case.x(), case.var("y"), case.axis("dim"), case.number("eps", 1e-8))
        }
        "pairwise_distance" => pairwise_distance(
            case.x(),
            case.var("y"),
            case.number("p", 2.0),
            case.number("eps", 1e-6),
            case.flag("keepdim", false),
        ),
        "interpolate" => interpolate(case)?,
        "pixel_shuffle" => case.x().pixel_shuffle(case.count("upscale_factor", 1)),
        "pixel_unshuffle" => case.x().pixel_unshuffle(case.count("downscale_factor", 1)),
        "im2col" => {
            let counts = |name, default| case.counts(name, 2, default);
            let options = ConvOptions::new().stride(counts("stride", 1)).padding(counts("padding", 0));
            case.x().im2col(counts("kernel_size", 1), options.dilation(counts("dilation", 1)))
        }
        _ => return None,
    })])
}

fn interpolate<T: Float>(case: &Case<T>) -> Option<Variable<T>> {
    let method = match case.text("mode", "nearest") {
        "nearest" => Interpolation::Nearest,
        "linear" | "bilinear" | "trilinear" => {
            Interpolation::Linear { align_corners: case.flag("align_corners", false) }
        }
        "bicubic" => Interpolation::Cubic { align_corners: case.flag("align_corners", false) },
        _ => return None,
    };
    Some(match case.axes("size") {
        Some(_) => case.x().interpolate(case.counts("size", case.x().rank() - 2, 1), method),
        None => {
            let factors = case.attrs["scale_factor"].as_array()?;
            let factors: Option<Vec<f64>> = factors.iter().map(|factor| factor.as_f64()).collect();
            case.x().interpolate_by(&factors?, method)
        }
    })
}
