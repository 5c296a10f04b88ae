//! A spiking neuron learns to fire at given times, by a gradient that is deliberately not the derivative.
//!
//! `cargo run --release --example spiking`
//!
//! A leaky integrate-and-fire unit adds its input to a potential that leaks away, fires when the potential reaches 1, and
//! starts anew. Firing is a step: its derivative is 0 everywhere but at the step, where there is none, so nothing could be
//! learned by it. A *surrogate gradient* puts the slope of a soft step in its place, in the backward pass alone
//! (E. O. Neftci, H. Mostafa and F. Zenke, "Surrogate gradient learning in spiking neural networks", 2019; the slope here
//! is that of F. Zenke and S. Ganguli, "SuperSpike", 2018).

use wengert::{Context, Cotangents, Float, Grads, Keep, Op, prelude::*, tensor::Generator};

/// 1 where the potential has reached 1, else 0.
struct Spike;

impl<T: Float> Op<T> for Spike {
    fn name(&self) -> &'static str {
        "spike"
    }

    /// **Not the derivative**, on purpose: that of a soft step, 1/(1 + 10·|u − 1|)². A gradient check of this operation
    /// fails, as it should.
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let distance = (cx.input(0) - 1.0).abs();
        Grads::one(g.only() / (distance * 10.0 + 1.0).square())
    }
}

fn spike(potential: &Variable) -> Variable {
    let fired = potential.value().map(|u| if u >= 1.0 { 1.0 } else { 0.0 });
    Variable::from_op(Spike, &[potential], fired, Keep::inputs([0]))
}

/// The spikes of one neuron, a number for each step, from inputs `[steps, channels]`.
fn run(inputs: &Variable, weights: &Variable) -> Variable {
    let currents = inputs.matmul(weights);
    let (mut potential, mut spikes) = (Variable::from(0.0), Vec::new());
    for current in currents.unbind(0) {
        potential = potential * 0.9 + current;
        let fired = spike(&potential);
        // What was fired is taken away; the reset itself is not part of what is learned.
        potential -= fired.detach();
        spikes.push(fired);
    }
    Variable::stack(&spikes, 0)
}

/// A trace that each spike raises by one and that leaks away: how far apart two spike trains are, as a smooth number
/// (M. C. W. van Rossum, "A novel spike distance", 2001).
fn trace(spikes: &Variable) -> Variable {
    let leak = Variable::new(Tensor::full(spikes.shape(), 0.9));
    spikes.linear_recurrence(&leak, 0)
}

fn main() {
    const STEPS: usize = 60;
    let mut random = Generator::new(1);
    // Two hundred channels that fire at random, now and then.
    let noise = Tensor::<f32>::uniform([STEPS, 200], 0.0, 1.0, &mut random);
    let inputs = Variable::new(noise.map(|x| if x < 0.05 { 1.0 } else { 0.0 }));
    let wanted = Variable::new(Tensor::from_fn([STEPS], |at| if at[0] % 15 == 10 { 1.0 } else { 0.0 }));

    let weights = Variable::parameter(Tensor::<f32>::uniform([200], 0.0, 0.04, &mut random));
    let mut adam = Adam::new(NamedParameters::from_iter([("weights", weights.clone())])).lr(2e-3);
    let show = |spikes: &Variable| -> String {
        spikes.value().iter().map(|fired| if fired > 0.0 { '|' } else { '.' }).collect()
    };
    println!("wanted      {}", show(&wanted));
    for step in 0..=400 {
        let spikes = run(&inputs, &weights);
        let loss = (trace(&spikes) - trace(&wanted)).square().mean();
        if step % 100 == 0 {
            println!("step {step:<6} {}  distance {:.4}", show(&spikes), loss.item());
        }
        adam.zero_grad();
        loss.backward();
        adam.step();
    }
}
