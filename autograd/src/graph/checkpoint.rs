//! [`checkpoint`]: computing again instead of keeping.

use super::{
    Context, Cotangents, Gradient, Grads, Keep, Op, Variable, enable_grad,
    engine::{self, Request},
    mode::{Mode, line},
    node::{Edge, End, Leaf},
    random_state, set_random_state,
    variable::record_list,
};
use crate::{
    ops::alias,
    scalar::Float,
    tensor::{Generator, Tensor},
};
use smallvec::SmallVec;
use std::{collections::HashSet, sync::Arc};

/// The function of a checkpointed segment.
type Segment<T> = Box<dyn Fn(&[Variable<T>]) -> Vec<Variable<T>> + Send + Sync>;

struct Checkpoint<T: Float> {
    segment: Segment<T>,
    /// The first inputs are the function's; the others are leaves that it holds, a layer's weights.
    arguments: usize,
    /// The random numbers that the forward pass drew, so that dropout drops the same again.
    random: Generator,
}

/// Runs `segment` and keeps its inputs only; what its operations would have kept is computed again in the backward pass.
///
/// Memory for time: a chain of n layers in segments of √n keeps √n inputs and, for one segment at a time, √n layers, for one
/// more forward pass in all (T. Chen et al., Training deep nets with sublinear memory cost, 2016). The gradients are the
/// same to the last bit. Parameters that `segment` holds get their gradients; results of operations that it uses must be
/// among `inputs`. Random numbers are drawn again as they were, and derivatives of every order exist.
///
/// ```
/// use wengert_autograd::{Variable, checkpoint};
///
/// let w = Variable::from([0.5_f32, -0.3]).requires_grad();
/// let x = Variable::from([1.0_f32, 2.0]).requires_grad();
/// let layer = { let w = w.clone(); move |x: &[Variable]| vec![(&x[0] * &w).tanh()] };
/// let y = checkpoint(layer, &[&x]).remove(0); // keeps x, and no tanh
/// y.sum().backward();
/// assert!(w.grad().is_some() && x.grad().is_some());
/// ```
#[track_caller]
pub fn checkpoint<T: Float>(
    segment: impl Fn(&[Variable<T>]) -> Vec<Variable<T>> + Send + Sync + 'static,
    inputs: &[&Variable<T>],
) -> Vec<Variable<T>> {
    let line = line();
    if !Mode::current().recording {
        let inputs: Vec<Variable<T>> = inputs.iter().map(|input| (*input).clone()).collect();
        return segment(&inputs);
    }
    let random = random_state();
    // Recorded once, to see which leaves the function holds; that graph is dropped at once.
    let places: Vec<Variable<T>> = inputs.iter().map(|input| input.detach().requires_grad()).collect();
    let outputs = segment(&places);
    let held = leaves_below(&outputs, &places);
    let values: SmallVec<[Tensor<T>; 2]> = outputs.iter().map(Variable::value).collect();
    drop((outputs, places));

    let held: Vec<Variable<T>> = held.into_iter().map(Variable::of_leaf).collect();
    let all: Vec<&Variable<T>> = inputs.iter().copied().chain(&held).collect();
    let given: Vec<Tensor<T>> = all.iter().map(|input| input.value()).collect();
    let given: Vec<&Tensor<T>> = given.iter().collect();
    let op = Checkpoint { segment: Box::new(segment), arguments: inputs.len(), random };
    record_list(op, &all, &given, values, Keep::inputs(0..inputs.len()), line).into_vec()
}

impl<T: Float> Op<T> for Checkpoint<T> {
    fn name(&self) -> &'static str {
        "checkpoint"
    }

    fn backward(&self, cx: &Context<'_, T>, mut g: Cotangents<T>) -> Grads<T> {
        let recording = cx.is_recording();
        let place = |i: usize| {
            let input = cx.input(i);
            if recording && input.needs_grad() { alias(&input) } else { input.detach().requires_grad() }
        };
        let places: Vec<Variable<T>> = (0..self.arguments).map(place).collect();
        let outputs = {
            let _after = Restore(random_state());
            set_random_state(self.random.clone());
            enable_grad(|| (self.segment)(&places))
        };

        let held = (self.arguments..cx.input_count()).map(|i| cx.leaf(i));
        let inputs: Vec<Option<Variable<T>>> = places.into_iter().map(Some).chain(held).collect();
        let wanted: Vec<usize> = (0..inputs.len()).filter(|&i| cx.wants(i) && inputs[i].is_some()).collect();
        let targets: Vec<&Variable<T>> = wanted.iter().filter_map(|&i| inputs[i].as_ref()).collect();
        let (mut flowing, mut cotangents) = (Vec::new(), Vec::new());
        for (k, output) in outputs.iter().enumerate() {
            if let (Some(cotangent), true) = (g.take(k), output.needs_grad()) {
                flowing.push(output);
                cotangents.push(cotangent);
            }
        }
        let cotangents: Vec<&Variable<T>> = cotangents.iter().collect();
        let request = Request { create_graph: recording, retain_graph: recording, started_at: line() };
        let found = engine::gradients(&flowing, &cotangents, &targets, &request);
        let mut gradients: Vec<Gradient<T>> = vec![Gradient::None; inputs.len()];
        for (i, gradient) in wanted.into_iter().zip(found) {
            gradients[i] = gradient.into();
        }
        Grads::of(gradients)
    }
}

/// Puts the process's random numbers back where they were, also when the segment panics.
struct Restore(Generator);
impl Drop for Restore {
    fn drop(&mut self) {
        set_random_state(self.0.clone());
    }
}

/// The trainable leaves that `outputs` were computed from, but for `places`, in the order in which they are met.
fn leaves_below<T: Float>(outputs: &[Variable<T>], places: &[Variable<T>]) -> Vec<Arc<Leaf<T>>> {
    let mut seen: HashSet<usize> =
        places.iter().filter_map(Variable::edge).map(|edge| edge.end().address()).collect();
    let mut stack: Vec<Edge<T>> = outputs.iter().rev().filter_map(Variable::edge).collect();
    let mut found = Vec::new();
    while let Some(edge) = stack.pop() {
        if !seen.insert(edge.end().address()) {
            continue;
        }
        match edge.end() {
            End::Leaf(leaf) => found.push(leaf.clone()),
            End::Output(node, _) => stack.extend(node.inputs.iter().rev().flatten().cloned()),
        }
    }
    found
}
