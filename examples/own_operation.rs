//! An operation of one's own: a rule, a check of the rule, and every higher derivative for free.
//!
//! `cargo run --release --example own_operation`
//!
//! For a formula that works element by element there is a shorter way, see `wengert::elementwise!`. An [`Op`] is for
//! everything else: here the smooth maximum of a list, log-sum-exp with a temperature, which is part of the operation's
//! state.

use wengert::{
    Context, Cotangents, Float, Grads, Keep, Op, Tensor, Variable, check::Gradcheck, grad, hessian, no_grad,
};

/// y = t·ln Σ e^(xᵢ/t)
struct SmoothMaximum {
    temperature: f64,
}

impl<T: Float> Op<T> for SmoothMaximum {
    fn name(&self) -> &'static str {
        "smooth_maximum"
    }

    /// x̄ᵢ = ȳ·e^((xᵢ − y)/t). Written with variables, it is itself differentiable.
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let (x, y) = (cx.input(0), cx.output(0));
        Grads::one(g.only() * ((x - y) / self.temperature).exp())
    }
}

#[track_caller] // so that messages and graphs name the caller's line
fn smooth_maximum<T: Float>(x: &Variable<T>, temperature: f64) -> Variable<T> {
    let value = no_grad(|| (x / temperature).logsumexp() * temperature).value();
    // The rule reads the input and the output, so the graph keeps both.
    let keep = Keep::inputs([0]).and(Keep::outputs([0]));
    Variable::from_op(SmoothMaximum { temperature }, &[x], value, keep)
}

fn main() {
    let x = Variable::from([1.0_f64, 2.0, 2.5]).requires_grad();
    let y = smooth_maximum(&x, 0.5);
    println!("value               {y}");
    println!("gradient            {}", grad(&[&y]).wrt(&[&x])[0]);
    println!("second derivatives\n{}", hessian(|x| smooth_maximum(x, 0.5), &x.detach()));

    // Never trust a rule that was not checked: differences, with random cotangents, to the second order.
    let at: Vec<Tensor<f64>> = vec![x.value()];
    for order in [1, 2] {
        let report = Gradcheck::new().order(order).check(|x| smooth_maximum(&x[0], 0.5), &at);
        let report = report.expect("finite inputs");
        assert!(report.passed(), "{report}");
        println!("order {order}: the rule agrees with differences to {:.0e}", report.error());
    }
}
