//! What `inspect` shows: the numbers of a neuron worked out by hand, names, sharing, and a snapshot that changes nothing.

use std::collections::BTreeSet;
use wengert_autograd::{Variable, check::registry, inspect};

/// y = tanh(w·x + b) and L = (y − t)².
fn neuron() -> (Variable<f64>, [Variable<f64>; 3]) {
    let w = Variable::from(3.0_f64).requires_grad().named("w");
    let b = Variable::from(-1.0_f64).requires_grad().named("b");
    let x = Variable::from(0.5_f64).named("x");
    let y = (&w * &x + &b).tanh().named("y");
    let loss = (&y - 1.0).square().named("L");
    (loss, [w, b, x])
}

#[test]
fn a_neuron_step_by_step() {
    let (loss, [w, b, _]) = inspect::trace(neuron);
    let steps: Vec<_> = inspect::steps(&loss).collect();
    let rules: Vec<&str> = steps.iter().map(|step| step.rule.as_str()).collect();
    let expected = [
        "v̄₃ += L̄ · 2 · v₃ = 1 · 2 · (−0.53788) = −1.0758",
        "ȳ += v̄₃ = −1.0758",
        "v̄₂ += ȳ · (1 − y²) = −1.0758 · (1 − 0.46212²) = −0.84603",
        "v̄₁ += v̄₂ = −0.84603",
        "b̄ += v̄₂ = −0.84603",
        "w̄ += v̄₁ · x = −0.84603 · 0.5 = −0.42302",
    ];
    assert_eq!(rules, expected);
    // The numbers are those of backward, which the snapshot has not disturbed.
    assert!(w.grad().is_none());
    loss.backward();
    assert_eq!(steps[5].contribution.item(), w.grad().unwrap().item());
    assert_eq!(steps[4].gradient.item(), b.grad().unwrap().item());
    // In a traced graph the steps can still be shown after the pass has released it.
    let again: Vec<String> = inspect::steps(&loss).map(|step| step.rule).collect();
    assert_eq!(again, expected);
}

/// Every operation that a sample of the registry records says in letters what its rule is, with a line an input.
#[test]
fn every_registered_operation_shows_its_rule() {
    let (mut seen, mut silent) = (BTreeSet::new(), BTreeSet::new());
    for sample in registry().iter().flat_map(|entry| entry.samples()) {
        if sample.expected_panic().is_some() {
            continue;
        }
        let inputs: Vec<Variable<f64>> =
            sample.draw(0).into_iter().map(|value| Variable::new(value).requires_grad()).collect();
        for output in inspect::trace(|| sample.run(&inputs)) {
            for node in inspect::graph(&output).nodes {
                if node.kind != inspect::Kind::Operation {
                    continue;
                }
                seen.insert(node.op);
                match node.rule() {
                    Some(rule) if rule.contains("+=") => {}
                    _ => drop(silent.insert(node.op)),
                }
            }
        }
    }
    assert!(seen.len() > 100, "only {} operations were recorded", seen.len());
    assert!(silent.is_empty(), "no rule is shown for {silent:?}");
}

#[test]
fn a_snapshot_changes_nothing() {
    let x = Variable::from([1.0_f64, 2.0]).requires_grad();
    let y = &x * &x;
    y.retain_grad();
    let loss = y.sum();
    let graph = inspect::graph(&loss);
    assert_eq!(graph.nodes[1].outputs[0].gradient.as_ref().unwrap().to_vec(), [1.0, 1.0]);
    assert!(x.grad().is_none() && y.grad().is_none());
    loss.backward();
    assert_eq!(x.grad().unwrap().to_vec(), [2.0, 4.0]);
    // Released: what is known is shown, and no pass is run.
    let after = inspect::graph(&loss);
    assert_eq!(after.steps().len(), 0);
    assert_eq!(after.nodes[0].outputs[0].gradient.as_ref().unwrap().to_vec(), [2.0, 4.0]);
}

#[test]
#[should_panic(expected = "was already released by the backward pass started at")]
fn steps_of_a_released_graph_name_the_line() {
    let x = Variable::from(2.0_f64).requires_grad();
    let loss = x.square();
    loss.backward();
    let _ = inspect::steps(&loss);
}

#[test]
fn slices_and_repeated_inputs() {
    let x = Variable::from([1.0_f64, 2.0, 3.0]).requires_grad().named("x");
    let b = Variable::from(0.5_f64).requires_grad().named("b");
    let loss = ((x.narrow(0, 0, 2) + &b) * x.narrow(0, 1, 2)).dot(&Variable::from([1.0, -2.0]));
    let steps: Vec<_> = inspect::steps(&loss).collect();
    let (graph, last) = (inspect::graph(&loss), steps.last().unwrap());
    // Two slices of x meet: the last contribution makes its gradient complete.
    assert_eq!(graph.at(last.target).name.as_deref(), Some("x"));
    assert_eq!(last.gradient, *graph.at(last.target).gradient.as_ref().unwrap());
    loss.backward();
    assert_eq!(last.gradient, x.grad().unwrap());
    let into_b = steps.iter().find(|step| graph.at(step.target).name.as_deref() == Some("b")).unwrap();
    assert!(into_b.rule.contains("summed where it was repeated"), "{}", into_b.rule);
    assert_eq!(into_b.contribution.item(), b.grad().unwrap().item());
}

#[test]
fn a_deep_graph_is_no_trouble() {
    let mut x = Variable::from(1.0_f64).requires_grad();
    for _ in 0..20_000 {
        x = x * 1.0001;
    }
    let graph = inspect::graph(&x);
    assert_eq!((graph.nodes.len(), graph.steps().len()), (20_001, 20_000));
    assert_eq!(graph.text().lines().count(), 20_001);
}
