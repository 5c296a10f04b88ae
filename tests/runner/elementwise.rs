//! The operations of the group `elementwise`.

use super::{Case, Output};
use wengert_autograd::{Float, Tensor, Variable, tensor::Element};

pub fn apply<T: Float>(op: &str, case: &Case<T>) -> Option<Vec<Output<T>>> {
    let x = || case.x();
    let y = || case.var("y");
    let (z, weight) = (|| case.var("z"), || case.var("weight"));
    let number = |name: &str, default: f64| case.number(name, default);
    let other = case.maybe_number("other");
    let output: Variable<T> = match op {
        "neg" => x().neg(),
        "abs" => x().abs(),
        "sign" => x().sign(),
        "exp" => x().exp(),
        "expm1" => x().expm1(),
        "exp2" => x().exp2(),
        "log2" => x().log2(),
        "log10" => x().log10(),
        "sqrt" => x().sqrt(),
        "rsqrt" => x().rsqrt(),
        "square" => x().square(),
        "reciprocal" => x().reciprocal(),
        "sin" => x().sin(),
        "cos" => x().cos(),
        "tan" => x().tan(),
        "asin" => x().asin(),
        "acos" => x().acos(),
        "atan" => x().atan(),
        "sinh" => x().sinh(),
        "cosh" => x().cosh(),
        "tanh" => x().tanh(),
        "asinh" => x().asinh(),
        "acosh" => x().acosh(),
        "atanh" => x().atanh(),
        "erf" => x().erf(),
        "erfc" => x().erfc(),
        "sigmoid" => x().sigmoid(),
        "logsigmoid" => x().logsigmoid(),
        "relu" => x().relu(),
        "relu6" => x().relu6(),
        "silu" => x().silu(),
        "mish" => x().mish(),
        "selu" => x().selu(),
        "hardswish" => x().hardswish(),
        "hardsigmoid" => x().hardsigmoid(),
        "softsign" => x().softsign(),
        "tanhshrink" => x().tanhshrink(),
        "floor" => x().floor(),
        "ceil" => x().ceil(),
        "round" => x().round(),
        "trunc" => x().trunc(),
        "log" => x().ln(),
        "log1p" => x().ln_1p(),
        "leaky_relu" => x().leaky_relu(number("negative_slope", 0.01)),
        "elu" => x().elu(number("alpha", 1.0)),
        "celu" => x().celu(number("alpha", 1.0)),
        "gelu" if case.text("approximate", "none") == "tanh" => x().gelu_tanh(),
        "gelu" => x().gelu(),
        "softplus" => x().softplus_with(number("beta", 1.0), number("threshold", 20.0)),
        "hardtanh" => x().hardtanh(number("min_val", -1.0), number("max_val", 1.0)),
        "clamp" => x().clamp(number("min", f64::NEG_INFINITY), number("max", f64::INFINITY)),
        "add" => other.map_or_else(|| x() + y(), |other| x() + other),
        "sub" => other.map_or_else(|| x() - y(), |other| x() - other),
        "mul" => other.map_or_else(|| x() * y(), |other| x() * other),
        "div" => {
            let quotient = other.map_or_else(|| x() / y(), |other| x() / other);
            match case.text("rounding_mode", "") {
                "floor" => quotient.floor(),
                "trunc" => quotient.trunc(),
                _ => quotient,
            }
        }
        "pow" => case.maybe_number("exponent").map_or_else(|| x().pow(y()), |exponent| x().powf(exponent)),
        "rsub" => other? - x(),
        "rdiv" => other? / x(),
        "rpow" => x().rpow(number("base", f64::NAN)),
        "maximum" => x().maximum(y()),
        "minimum" => x().minimum(y()),
        "atan2" => x().atan2(y()),
        "hypot" => x().hypot(y()),
        "remainder" => x().remainder(y()),
        "fmod" => x().fmod(y()),
        "where" => x().where_(case.mask("cond"), y()),
        "lerp" => x().lerp(y(), weight()),
        "addcmul" => x().addcmul(y(), z(), number("value", 1.0)),
        "addcdiv" => x().addcdiv(y(), z(), number("value", 1.0)),
        "prelu" => x().prelu(weight()),
        "glu" => x().glu(case.axis("dim")),
        _ => return relation(op, case).map(|mask| vec![mask.into()]),
    };
    Some(vec![output.into()])
}

/// Questions about floating-point numbers.
fn relation<T: Float>(op: &str, case: &Case<T>) -> Option<Tensor<bool>> {
    let x = case.maybe("x")?.value();
    Some(match op {
        "isnan" => x.isnan(),
        "isinf" => x.isinf(),
        "isfinite" => x.isfinite(),
        _ => return compared(op, &x, &case.maybe("y")?.value()),
    })
}

/// Comparisons of numbers of any type.
pub fn compared<E: Element>(op: &str, x: &Tensor<E>, y: &Tensor<E>) -> Option<Tensor<bool>> {
    Some(match op {
        "eq" => x.eq(y),
        "ne" => x.ne(y),
        "lt" => x.lt(y),
        "le" => x.le(y),
        "gt" => x.gt(y),
        "ge" => x.ge(y),
        _ => return None,
    })
}
