//! The count of live nodes. One test in a program of its own, since the count is the process's.

use std::panic::{AssertUnwindSafe, catch_unwind};
use wengert_autograd::{
    Context, Cotangents, Grads, Keep, Op, Variable, checkpoint, grad, inspect, live_nodes,
};

/// An identity whose rule panics.
struct Broken;
impl Op<f64> for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }
    fn backward(&self, _: &Context<'_, f64>, _: Cotangents<f64>) -> Grads<f64> {
        panic!("on purpose")
    }
}

#[test]
fn returns_to_zero_after_every_step() {
    let w = Variable::from([[0.5_f64, -0.25], [1.0, 2.0]]).requires_grad();
    let x = Variable::from([[1.0_f64, 2.0], [3.0, 4.0]]);
    let model = || (x.matmul(&w).tanh() * &w.exp()).softmax(-1);

    for _ in 0..3 {
        let loss = model().square().sum();
        assert!(live_nodes() >= 5);
        loss.backward();
        drop(loss);
        assert_eq!(live_nodes(), 0, "a plain step");

        let inner = model();
        inner.retain_grad();
        let handle = w.clone();
        inner.on_grad(move |g| Some(g * handle.value().iter().sum::<f64>()));
        inner.square().sum().backward();
        assert!(inner.grad().is_some());
        drop(inner);
        assert_eq!(live_nodes(), 0, "with a hook and a retained gradient");

        let loss = model().square().sum();
        let slope = grad(&[&loss]).create_graph(true).wrt(&[&w]).remove(0);
        let curvature = grad(&[&slope.square().sum()]).create_graph(true).wrt(&[&w]).remove(0);
        assert!(curvature.needs_grad());
        drop((loss, slope, curvature));
        assert_eq!(live_nodes(), 0, "with derivatives of derivatives");

        let parts = checkpoint(|w| vec![w[0].tanh().exp(), w[0].square()], &[&w]);
        assert_eq!(live_nodes(), 1, "a checkpointed segment is one node");
        (&parts[0] * &parts[1]).sum().backward();
        drop(parts);
        assert_eq!(live_nodes(), 0, "with a checkpointed segment");

        let loss = inspect::trace(|| model().square().sum());
        let picture = inspect::graph(&loss);
        drop(loss);
        assert_eq!(live_nodes(), 0, "traced, and its picture lives on");
        assert!(picture.nodes.iter().all(|node| node.outputs[0].value.is_some()));

        let inner = model();
        let broken = Variable::from_op(Broken, &[&inner], inner.value(), Keep::NOTHING);
        let loss = broken.sum();
        catch_unwind(AssertUnwindSafe(|| loss.backward())).unwrap_err();
        drop((inner, broken, loss));
        assert_eq!(live_nodes(), 0, "after a panic in the middle of a backward pass");

        let inner = model();
        inner.on_grad(|_| panic!("a hook of the user's"));
        let loss = (&inner * &w).sum();
        catch_unwind(AssertUnwindSafe(|| loss.backward())).unwrap_err();
        drop((inner, loss));
        assert_eq!(live_nodes(), 0, "after a panic in a hook");
    }
}
