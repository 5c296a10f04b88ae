//! The operations of the group `linalg`.

use super::{Case, Output};
use wengert_autograd::{Float, Triangle, einsum};

pub fn apply<T: Float>(op: &str, case: &Case<T>) -> Option<Vec<Output<T>>> {
    let x = || case.x();
    let var = |role| case.var(role);
    Some(vec![match op {
        "matmul" => x().matmul(var("y")).into(),
        "bmm" => x().bmm(var("y")).into(),
        "outer" => x().outer(var("y")).into(),
        "dot" => x().dot(var("y")).into(),
        "einsum" => einsum(case.text("equation", ""), &case.vars("x")).into(),
        "addmm" | "baddbmm" => {
            let (alpha, beta) = (case.number("alpha", 1.0), case.number("beta", 1.0));
            let (a, b) = (var("mat1"), var("mat2"));
            if op == "addmm" { x().addmm(a, b, beta, alpha) } else { x().baddbmm(a, b, beta, alpha) }.into()
        }
        "linear" => x().linear(var("weight"), case.maybe("bias")).into(),
        "bilinear" => x().bilinear(var("y"), var("weight"), case.maybe("bias")).into(),
        "inverse" => x().inverse().into(),
        "det" => x().det().into(),
        "logdet" => x().logdet().into(),
        "slogdet" => {
            let (sign, logarithm) = x().slogdet();
            return Some(vec![sign.into(), logarithm.into()]);
        }
        "cholesky" => x().cholesky().into(),
        "solve" => var("a").solve(var("b")).into(),
        "solve_triangular" => {
            let mut triangle = if case.flag("upper", false) { Triangle::upper() } else { Triangle::lower() };
            if !case.flag("left", true) {
                triangle = triangle.right();
            }
            if case.flag("unitriangular", false) {
                triangle = triangle.unitriangular();
            }
            var("a").solve_triangular(var("b"), triangle).into()
        }
        "trace" => x().trace().into(),
        "diag" => x().diag(case.maybe_axis("diagonal").unwrap_or(0)).into(),
        "kron" => x().kron(var("y")).into(),
        "matrix_power" => x().matrix_power(case.maybe_axis("n").expect("a power") as i32).into(),
        "cdist" => x().cdist(var("y"), case.number("p", 2.0)).into(),
        _ => return None,
    }])
}
