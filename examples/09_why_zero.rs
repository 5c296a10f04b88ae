//! Lesson 9: why slopes are set to zero between steps.
//!
//! `backward()` adds to the slopes that are there. Within one pass that is the chain rule (lesson 8); from one step to the
//! next it would mix the slopes at old weights into those at the new ones. So a step of training is always: zero, forward,
//! backward, step. And once in a while the adding up is wanted.
//!
//! Source: the documentation of PyTorch's `torch.optim.Optimizer.zero_grad`; for the pendulum, any text on the leapfrog
//! method, for example E. Hairer, C. Lubich, G. Wanner, *Geometric Numerical Integration* (2006), section I.1.4.
//!
//! `cargo run --release --example 09_why_zero`

#[path = "06_scalar_variable.rs"]
#[allow(dead_code)]
mod lesson_06;

use lesson_06::Variable;

const BEST: f64 = 3.0;

/// (w - 3)², whose least value is at w = 3.
fn loss(w: &Variable) -> Variable {
    let error = w + &Variable::new(-BEST);
    &error * &error
}

/// Where descent is after each step; the slope of the step before is kept if it is not zeroed.
fn descend(zero: bool, steps: usize) -> Vec<f64> {
    let (mut w, mut kept) = (0.0, 0.0);
    let mut path = vec![w];
    for _ in 0..steps {
        let variable = Variable::new(w);
        loss(&variable).backward();
        kept = if zero { variable.grad() } else { kept + variable.grad() };
        w -= 0.05 * kept;
        path.push(w);
    }
    path
}

/// The places on a ruler from 0 to 6, `o` with zeroing and `x` without.
fn ruler(zeroed: f64, kept: f64) -> String {
    let mut marks = vec![' '; 49];
    marks[24] = '|';
    let column = |w: f64| (w * 8.0).round().clamp(0.0, 48.0) as usize;
    marks[column(kept)] = 'x';
    marks[column(zeroed)] = 'o';
    marks.into_iter().collect()
}

fn main() {
    println!("E = (w - 3)², from w = 0, rate 0.05: the first three steps");
    println!("  {:<8}{:>10}{:>10}{:>16}{:>10}", "step", "zeroed", "new w", "not zeroed", "new w");
    let (zeroed, kept) = (descend(true, 200), descend(false, 200));
    for step in 0..3 {
        let slope = |path: &[f64]| (path[step] - path[step + 1]) / 0.05;
        let (good, bad) = (zeroed[step + 1], kept[step + 1]);
        println!("  {step:<8}{:>10.2}{good:>10.4}{:>16.2}{bad:>10.4}", slope(&zeroed), slope(&kept));
    }
    println!("\nGoing on, the best w in the middle; o is zeroed, x is not:");
    for step in (0..=60).step_by(3) {
        println!("  step {step:>2}  [{}]", ruler(zeroed[step], kept[step]));
    }
    let last = |path: &[f64]| path[150..].iter().map(|w| (w - BEST).abs()).fold(0.0, f64::max);
    println!(
        "Farthest from the best w during the last 50 of 200 steps: zeroed {:.1e}, not zeroed {:.2}",
        last(&zeroed),
        last(&kept)
    );
    println!("The sum of all slopes is a speed: w swings like a pendulum without friction, for ever.");
    println!("(With friction it becomes a method of its own: momentum, lesson 14.)\n");
    assert!(last(&zeroed) < 1e-5, "with zeroing it arrives");
    assert!(last(&kept) > 2.5, "without, it swings for ever");

    println!("When adding up is right: a batch too large for the memory. The mean loss of four examples,");
    println!("t = 1, 2, 4, 5, at w = 0, in one pass and in two halves:");
    let w = wengert::Variable::from(0.0_f64).requires_grad();
    let part = |targets: &[f64]| {
        targets.iter().map(|&t| (&w - t).square() / 4.0).reduce(|a, b| a + b).expect("targets")
    };
    let slope = || w.grad().expect("a pass went through w").item();
    part(&[1.0, 2.0, 4.0, 5.0]).backward();
    let whole = slope();
    println!("  one pass:   w̄ = {whole}");
    w.zero_grad();
    part(&[1.0, 2.0]).backward();
    let half = slope();
    part(&[4.0, 5.0]).backward(); // without zeroing
    println!("  two halves: w̄ = {half}, then {half} + {} = {}", slope() - half, slope());
    assert_eq!((whole, slope()), (-6.0, -6.0));
    w.zero_grad();
    assert!(w.grad().is_none(), "after zero_grad there is nothing to add to");
    println!("  after zero_grad: {:?}", w.grad());
}
