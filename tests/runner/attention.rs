//! The operations of the group `attention`.

use super::{Case, Output};
use wengert_autograd::{Float, MultiHeadAttention, ScaledDotProductAttention, multi_head_attention};

pub fn apply<T: Float>(op: &str, case: &Case<T>) -> Option<Vec<Output<T>>> {
    match op {
        "scaled_dot_product_attention" => {
            let attention = ScaledDotProductAttention::new()
                .causal(case.flag("is_causal", false))
                .scale(case.maybe_number("scale"))
                .mask(case.maybe_mask("attn_mask").cloned())
                .bias(case.maybe("attn_mask").cloned());
            Some(vec![attention.forward(case.var("q"), case.var("k"), case.var("v")).into()])
        }
        "multi_head_attention" => {
            let heads = case.count("num_heads", 1);
            let (input, output) = (case.var("in_proj_weight").clone(), case.var("out_proj_weight").clone());
            let options = MultiHeadAttention {
                in_proj_bias: case.maybe("in_proj_bias").cloned(),
                out_proj_bias: case.maybe("out_proj_bias").cloned(),
                key_padding_mask: case.maybe_mask("key_padding_mask").cloned(),
                attn_mask: case.maybe_mask("attn_mask").cloned(),
                attn_bias: case.maybe("attn_mask").cloned(),
                need_weights: true,
                ..MultiHeadAttention::new(heads, input, output)
            };
            let (query, key, value) = (case.var("query"), case.var("key"), case.var("value"));
            let (out, weights) = multi_head_attention(query, key, value, &options);
            // Without the weights the same output comes from the fused kernels.
            let (fused, _) = multi_head_attention(
                query,
                key,
                value,
                &MultiHeadAttention { need_weights: false, ..options },
            );
            let close = |(a, b): (T, T)| {
                let (a, b) = (a.to_f64(), b.to_f64());
                (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-5 * (1.0 + b.abs())
            };
            assert!(out.value().iter().zip(fused.value().iter()).all(close), "the fused kernels differ");
            Some(vec![fused.into(), weights?.into()])
        }
        _ => None,
    }
}
