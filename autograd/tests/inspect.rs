//! What `inspect` shows: the numbers of a neuron worked out by hand, names, sharing, and a snapshot that changes nothing.

use std::{borrow::Cow, collections::BTreeSet};
use wengert_autograd::{Context, Cotangents, Float, Grads, Keep, Op, Variable, check::registry, inspect};

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
        x *= 1.0001;
    }
    let graph = inspect::graph(&x);
    assert_eq!((graph.nodes.len(), graph.steps().len()), (20_001, 20_000));
    assert_eq!(graph.text().lines().count(), 20_001);
}

/// A result of about 200 nodes, of vectors.
fn wide() -> Variable<f64> {
    let mut x = Variable::from([0.1; 64]).requires_grad().named("x");
    for layer in 0..60 {
        let w = Variable::from([0.5; 64]).requires_grad().named(&format!("layer{layer}.weight"));
        x = (&x * &w).tanh();
    }
    (&x * &x).sum()
}

#[test]
fn a_page_of_two_hundred_nodes_stays_small() {
    let graph = inspect::graph(&inspect::trace(wide));
    assert!((180..=220).contains(&graph.nodes.len()), "{}", graph.nodes.len());
    let page = graph.html("Two hundred nodes");
    assert!(page.len() < 300_000, "{} bytes", page.len());
    for outside in ["http:", "https:", "src=", "@import", "url(h"] {
        let found = page.match_indices(outside).map(|(at, _)| &page[at..page.len().min(at + 60)]);
        let other: Vec<&str> = found.filter(|text| !text.starts_with("http://www.w3.org/2000/svg")).collect();
        assert!(other.is_empty(), "{other:?}");
    }
}

#[test]
fn json_has_the_values_and_the_steps() {
    let (loss, _) = inspect::trace(neuron);
    let graph = inspect::graph(&loss);
    let document: serde_json::Value = serde_json::from_str(&graph.json()).unwrap();
    let nodes = document["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), graph.nodes.len());
    let w = nodes.iter().find(|node| node["outputs"][0]["name"] == "w").unwrap();
    assert_eq!((&w["kind"], &w["outputs"][0]["value"]["values"][0]), (&"parameter".into(), &3.into()));
    let rules: Vec<&str> =
        document["steps"].as_array().unwrap().iter().map(|step| step["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, graph.steps().map(|step| step.rule).collect::<Vec<_>>());
    // What is not a number in JSON is a string.
    let x = Variable::from([0.0_f64, 1.0]).requires_grad();
    let infinite: serde_json::Value =
        serde_json::from_str(&inspect::graph(&inspect::trace(|| x.ln().sum())).json()).unwrap();
    assert_eq!(infinite["nodes"][1]["outputs"][0]["value"]["values"][0], "−∞");
}

#[test]
fn dot_and_svg_escape_names() {
    let name = "a \"quoted\" <name> \\ & a\nbreak";
    let x = Variable::from(1.0_f64).requires_grad().named(name);
    let graph = inspect::graph(&(&x * 2.0));
    let dot = graph.dot();
    assert!(dot.contains(r#"[label="parameter\na \"quoted\" <name> \\ & a\\nbreak []""#), "{dot}");
    assert!(dot.contains("n0 -> n1"));
    let svg = graph.svg();
    assert!(svg.contains("a &quot;quoted&quot; &lt;name&gt; \\ &amp;"), "{svg}");
    assert!(!svg.contains("<name>"));
}

#[test]
fn a_trace_shows_constants_and_what_no_rule_reads() {
    let x = Variable::from([1.0_f64, 2.0]).named("x");
    let w = Variable::from([0.5_f64, 0.5]).requires_grad().named("w");
    let build = || ((&w + &x) + &x).sum();
    // Addition keeps nothing, so the ordinary graph knows neither the constant nor the sums.
    let plain = inspect::graph(&build());
    assert!(plain.nodes.iter().filter(|node| node.op == "add").all(|node| node.outputs[0].value.is_none()));
    let traced = inspect::graph(&inspect::trace(build));
    let named: Vec<&str> = traced.nodes.iter().map(|node| node.outputs[0].symbol.as_str()).collect();
    assert_eq!(named, ["w", "x", "v₁", "v₂", "v₃"]); // x once, though it is read twice
    assert_eq!(traced.nodes[3].outputs[0].value.as_ref().unwrap().to_vec(), [2.5, 4.5]);
}

#[test]
fn outputs_of_one_operation_have_names_of_their_own() {
    let zeros = || Variable::zeros([4, 1]);
    let weights = wengert_autograd::RecurrentWeights {
        weight_ih: zeros().requires_grad(),
        weight_hh: zeros(),
        bias_ih: None,
        bias_hh: None,
    };
    let one = Variable::ones([1, 1]);
    let (h, c) = wengert_autograd::lstm_cell(&one, &one, &one, &weights);
    let (h, c) = (h.named("h"), c.named("c"));
    assert_eq!((h.name().as_deref(), c.name().as_deref()), (Some("h"), Some("c")));
    let graph = inspect::graph(&(h * c).sum());
    let cell = graph.nodes.iter().find(|node| node.outputs.len() == 2).unwrap();
    assert_eq!(cell.outputs.iter().map(|data| data.symbol.as_str()).collect::<Vec<_>>(), ["h", "c"]);
}

/// y = x³, which says its rule or not.
struct Cube {
    silent: bool,
}

impl<T: Float> Op<T> for Cube {
    fn name(&self) -> &'static str {
        "cube"
    }
    fn rule(&self) -> Cow<'static, str> {
        if self.silent { "".into() } else { "y = x³; x̄ += ȳ · 3 · x², elementwise".into() }
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        Grads::one(g.only() * cx.input(0).square() * 3.0)
    }
}

#[test]
fn an_operation_of_ones_own_says_its_rule_or_gets_the_generic_one() {
    let x = Variable::from(-2.0_f64).requires_grad().named("x");
    let cube = |silent| {
        let value = x.value().map(|x| x * x * x);
        Variable::from_op(Cube { silent }, &[&x], value, Keep::inputs([0])).named("y")
    };
    let shown = |y: &Variable<f64>| (inspect::graph(y).definition(1), inspect::steps(y).next().unwrap().rule);
    assert_eq!(
        shown(&cube(false)),
        ("y = x³ = (−2)³ = −8".into(), "x̄ += ȳ · 3 · x² = 1 · 3 · (−2)² = 12 (elementwise)".into())
    );
    assert_eq!(shown(&cube(true)), ("y = cube(x) = cube(−2) = −8".into(), "x̄ += ȳ · ∂y/∂x = 12".into()));
}

#[test]
fn a_cotangent_of_ones_own_weighs_a_result_of_any_shape() {
    let x = Variable::from([1.0_f64, -2.0]).requires_grad().named("x");
    let y = x.square();
    let g = Variable::from([0.5_f64, 3.0]);
    let last = inspect::steps_with(&y, &g).last().unwrap();
    assert_eq!(
        (last.rule.as_str(), last.gradient.to_vec()),
        ("x̄ += v̄₁ · 2 · x = [1, −12]", vec![1.0, -12.0])
    );
    // Without a cotangent there is a picture, and no pass.
    assert_eq!(inspect::graph(&y).steps().len(), 0);
}
