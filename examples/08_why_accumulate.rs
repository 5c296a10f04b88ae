//! Lesson 8: why slopes are added up.
//!
//! If x is used twice, then growing x moves the result along two ways at once, and the two effects add up. So the rule says
//! x̄ += …, never x̄ = …: the second would keep the share that came last and drop the others in silence.
//!
//! Source: M. Spivak, *Calculus on Manifolds* (1965), theorem 2-9, the chain rule for several variables.
//!
//! `cargo run --release --example 08_why_accumulate`

#[path = "06_scalar_variable.rs"]
#[allow(dead_code)]
mod lesson_06;

use lesson_06::Variable;
use wengert::prelude::Tensor;

/// Lesson 6's backward pass with `=` in the place of `+=`.
fn backward_overwriting(root: &Variable) {
    root.0.grad.set(1.0);
    for y in root.sorted().iter().rev() {
        for (x, slope) in &y.0.inputs {
            x.0.grad.set(y.grad() * slope);
        }
    }
}

/// xⁿ = x · x · … · x: x is used n times.
fn power(x: &Variable, n: usize) -> Variable {
    (1..n).fold(x.clone(), |y, _| &y * x)
}

/// How well y = w·x does on two examples with one shared w: (2w - 6)² + (w + 2)².
fn shared(w: &Variable) -> Variable {
    let error = |x: f64, t: f64| &(w * &Variable::new(x)) + &Variable::new(-t);
    let (e1, e2) = (error(2.0, 6.0), error(1.0, -2.0));
    &(&e1 * &e1) + &(&e2 * &e2)
}

/// 40 steps of descent on the shared weight.
fn descend(backward: impl Fn(&Variable)) -> f64 {
    (0..40).fold(0.0, |w, _| {
        let variable = Variable::new(w);
        backward(&shared(&variable));
        w - 0.05 * variable.grad()
    })
}

fn main() {
    println!("y = x·x at x = 3: one x, two uses.");
    println!("  The first factor sends ȳ · 3, the second sends ȳ · 3; together x̄ = 6 = 2x.\n");

    println!("x multiplied with itself, n factors, at x = 3. The true slope is n·xⁿ⁻¹:");
    println!("  {:>3}{:>10}{:>12}{:>14}{:>12}", "n", "xⁿ", "n·xⁿ⁻¹", "with +=", "with =");
    for n in 1..=6 {
        let (right, wrong) = (Variable::new(3.0), Variable::new(3.0));
        power(&right, n).backward();
        backward_overwriting(&power(&wrong, n));
        let exact = n as f64 * 3f64.powi(n as i32 - 1);
        println!("  {n:>3}{:>10}{exact:>12}{:>14}{:>12}", 3f64.powi(n as i32), right.grad(), wrong.grad());
        assert_eq!(right.grad(), exact);
        assert!(n == 1 || wrong.grad() < exact, "a share was lost");
    }
    println!("  Used once, both are right: that is how such a mistake passes a careless test.\n");

    println!("What it does to learning. One weight, two examples: w·2 should be 6, w·1 should be -2.");
    let best = 2.0; // d/dw: 4(2w - 6) + 2(w + 2) = 10w - 20 = 0
    println!("  The least loss is at w = {best}, where 4(2w - 6) + 2(w + 2) = 0.");
    let (right, wrong) = (descend(|e| e.backward()), descend(backward_overwriting));
    println!("  40 steps with += end at w = {right:.4}, loss {:.4}", shared(&Variable::new(right)).0.value);
    println!("  40 steps with =  end at w = {wrong:.4}, loss {:.4}", shared(&Variable::new(wrong)).0.value);
    println!("  The second has learned from the example whose share came last, and from nothing else.");
    assert!((right - best).abs() < 1e-6);
    assert!((wrong - best).abs() > 0.5);

    println!(
        "\nWhere it happens in networks: a weight that every example of a batch uses, the kernel that a"
    );
    println!("convolution slides along, the cell of a recurrent network, an input of several neurons.");
    let rows = wengert::Variable::new(Tensor::<f64>::linspace(1.0, 5.0, 5));
    let bias = wengert::Variable::from(0.0_f64).requires_grad();
    let sum = (rows + &bias).sum(); // one bias, added to five rows
    sum.backward();
    let slope = |x: &wengert::Variable<f64>| x.grad().expect("it was used").item();
    println!("This library: one bias added to five rows has the slope {},", slope(&bias));
    assert_eq!(slope(&bias), 5.0);
    let x = wengert::Variable::from(3.0_f64).requires_grad();
    (1..6).fold(x.clone(), |y, _| y * &x).backward();
    println!("and x⁶ at x = 3 has the slope {}.", slope(&x));
    assert_eq!(slope(&x), 1458.0);
}
