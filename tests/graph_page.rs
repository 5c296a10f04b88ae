//! The graph pages in a real browser: every control, the numbers at every step, escaping, overlaps, contrast.
//!
//! `cargo test --test graph_page -- --ignored` needs Debian's `chromium` (or another one that the variable `CHROMIUM` names).

mod browser;
#[allow(dead_code, reason = "its main function writes the same pages to files")]
#[path = "../examples/graph_page.rs"]
mod pages;

use browser::Browser;
use serde_json::Value;
use std::{env, fs, path::PathBuf, thread, time::Duration};
use wengert::{
    Variable,
    inspect::{self, Graph, Kind},
};

const WINDOW: [u32; 2] = [1280, 900];

/// Writes a page and opens it.
fn open(browser: &mut Browser, name: &str, page: &str, scheme: &str) -> PathBuf {
    let directory = env::temp_dir().join(format!("wengert-pages-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let file = directory.join(format!("{name}.html"));
    fs::write(&file, page).unwrap();
    browser.open(&file, scheme, WINDOW);
    file
}

/// What the page is to show, step by step.
fn expected(graph: &Graph) -> Vec<String> {
    let mut texts = vec!["Only the inputs have values.".to_string()];
    let operations = (0..graph.nodes.len()).filter(|&node| graph.nodes[node].kind == Kind::Operation);
    texts.extend(operations.map(|node| graph.definition(node)));
    texts.push(format!(
        "{} = 1",
        match graph.at(graph.output).symbol.as_str() {
            "L" => "L̄",
            "loss" => "grad(loss)",
            other => panic!("the result is called {other}"),
        }
    ));
    texts.extend(graph.steps().map(|step| step.to_string()));
    texts
}

fn formula(browser: &mut Browser) -> String {
    browser.text("document.getElementById('formula').textContent")
}

fn assert_quiet(browser: &Browser, name: &str) {
    assert!(browser.complaints.is_empty(), "{name}: {:#?}", browser.complaints);
    assert!(browser.requests.is_empty(), "{name} asked the network for {:?}", browser.requests);
}

#[test]
#[ignore = "needs chromium"]
fn every_step_shows_the_numbers_of_the_engine() {
    let mut browser = Browser::start("steps");
    for (name, title, graph) in pages::graphs().unwrap() {
        let page = graph.html(title);
        assert!(page.len() < 300_000, "{name}: {} bytes", page.len());
        open(&mut browser, name, &page, "light");
        let expected = expected(&graph);
        assert!(expected.len() > 8);
        for text in &expected {
            assert_eq!(formula(&mut browser), *text, "{name}, forward");
            browser.key("ArrowRight");
        }
        for text in expected.iter().rev() {
            assert_eq!(formula(&mut browser), *text, "{name}, backward");
            browser.key("ArrowLeft");
        }
        assert_quiet(&browser, name);
    }
}

#[test]
#[ignore = "needs chromium"]
fn what_is_lit_is_the_node_and_the_edge_of_the_step() {
    let mut browser = Browser::start("lit");
    let (name, title, graph) = pages::graphs().unwrap().into_iter().next().unwrap();
    open(&mut browser, name, &graph.html(title), "light");
    browser.key("End");
    let steps: Vec<_> = graph.steps().collect();
    for step in steps.iter().rev() {
        let lit = "[...document.querySelectorAll('.node.now, .node.target, .edge.now')].map(e => e.id).sort().join(' ')";
        let mut ids = [
            format!("n{}", step.node),
            format!("n{}", step.target.node),
            format!("e{}-{}", step.node, step.input),
        ];
        ids.sort();
        assert_eq!(browser.text(lit), ids.join(" "));
        let gradient = format!("document.querySelector('#n{} .grad').textContent", step.target.node);
        let shown = browser.text(&gradient);
        assert!(shown.ends_with(step.rule.rsplit(" = ").next().unwrap()), "{shown}: {}", step.rule);
        browser.key("ArrowLeft");
    }
    // Back before the backward pass no gradient is to be seen.
    let flowed = "document.querySelectorAll('.node.flowed').length";
    assert_eq!(browser.value(flowed), 1);
    browser.key("ArrowLeft");
    assert_eq!(browser.value(flowed), 0);
    assert_quiet(&browser, name);
}

#[test]
#[ignore = "needs chromium"]
fn every_control_works() {
    let mut browser = Browser::start("controls");
    let (name, title, graph) = pages::graphs().unwrap().into_iter().next().unwrap();
    open(&mut browser, name, &graph.html(title), "light");
    let texts = expected(&graph);
    let last = texts.len() - 1;
    let at = |browser: &mut Browser, step: usize, by: &str| {
        assert_eq!(formula(browser), texts[step], "{by}");
        assert_eq!(browser.value("Number(document.getElementById('slider').value)"), step, "{by}");
    };
    for (button, step) in [("forward", 1), ("forward", 2), ("back", 1), ("last", last), ("first", 0)] {
        browser.click(&format!("#{button}"));
        at(&mut browser, step, button);
    }
    for (key, step) in [("End", last), ("ArrowLeft", last - 1), ("ArrowRight", last), ("Home", 0)] {
        browser.key(key);
        at(&mut browser, step, key);
    }
    // The slider: by its own keys, and by the pointer.
    browser.value("document.getElementById('slider').focus()");
    browser.key("ArrowRight");
    at(&mut browser, 1, "the slider's key");
    browser.key("End");
    at(&mut browser, last, "the slider's key");
    browser.click("#slider");
    let middle = browser.value("Number(document.getElementById('slider').value)").as_u64().unwrap() as usize;
    assert!(middle.abs_diff(last / 2) <= 1, "{middle} of {last}");
    at(&mut browser, middle, "the slider under the pointer");
    // Play runs by itself, and pauses.
    browser.value("document.activeElement.blur()");
    browser.key("Home");
    browser.click("#play");
    assert_eq!(browser.text("document.getElementById('play').getAttribute('aria-label')"), "Pause");
    thread::sleep(Duration::from_millis(2500));
    browser.click("#play");
    let reached = browser.value("Number(document.getElementById('slider').value)").as_u64().unwrap();
    assert!(reached >= 1, "it did not move");
    thread::sleep(Duration::from_millis(1200));
    assert_eq!(browser.value("Number(document.getElementById('slider').value)"), reached, "it did not pause");
    browser.value("document.activeElement.blur()");
    browser.key(" ");
    assert_eq!(browser.text("document.getElementById('play').getAttribute('aria-label')"), "Pause");
    browser.key(" ");
    // Zoom.
    let width = "Number(document.querySelector('svg.graph').getAttribute('width'))";
    let mut widths = vec![browser.value(width).as_f64().unwrap()];
    for control in ["#larger", "#smaller", "#fit"] {
        browser.click(control);
        widths.push(browser.value(width).as_f64().unwrap());
    }
    assert!(widths[1] > widths[0] && widths[2] < widths[1], "{widths:?}");
    for (key, larger) in [("+", true), ("-", false)] {
        let before = browser.value(width).as_f64().unwrap();
        browser.key(key);
        assert_eq!(browser.value(width).as_f64().unwrap() > before, larger, "{key}");
    }
    browser.key("f");
    assert_eq!(browser.value(width).as_f64().unwrap(), widths[3]);
    // A link to a step.
    browser.value("location.hash = '#3'");
    at(&mut browser, 3, "a link");
    // Light and dark.
    let theme = "document.documentElement.dataset.theme";
    assert_eq!(browser.text(theme), "light");
    browser.click("#theme");
    assert_eq!(browser.text(theme), "dark");
    browser.key("t");
    assert_eq!(browser.text(theme), "light");
    assert_quiet(&browser, name);
}

#[test]
#[ignore = "needs chromium"]
fn nodes_open_and_tensors_show_their_numbers() {
    let mut browser = Browser::start("nodes");
    for (name, title, graph) in pages::graphs().unwrap() {
        open(&mut browser, name, &graph.html(title), "dark");
        assert_eq!(browser.text("document.documentElement.dataset.theme"), "dark");
        browser.key("End");
        for (number, node) in graph.nodes.iter().enumerate() {
            browser.click(&format!("#n{number}"));
            assert_eq!(
                browser.value(&format!("document.querySelector('.node.selected').id === 'n{number}'")),
                true
            );
            let shown = browser.text("document.getElementById('node-card').textContent");
            let symbol = &node.outputs[0].symbol;
            assert!(shown.contains(symbol), "{name}: {shown}");
            if let Some(line) = node.line {
                assert!(shown.contains(&line.to_string()), "{name}: {shown}");
            }
            if let Some(gradient) = node.outputs[0].gradient.as_ref().filter(|gradient| gradient.len() > 1) {
                let norm = gradient.iter().map(|x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
                let norm = browser.text(&format!("String(Number(({norm}).toPrecision(4)))"));
                let normal = norm.replace('-', "−");
                assert!(shown.contains(&normal) || norm.contains('e'), "{name}: {normal} in {shown}");
            }
        }
        browser.click("#unpin");
        assert_eq!(browser.value("document.querySelectorAll('.node.selected').length"), 0);
        // By keyboard.
        browser.value("document.getElementById('n0').focus()");
        browser.key("Enter");
        assert_eq!(browser.value("document.querySelector('.node.selected').id"), "n0");
        browser.key("Escape");
        assert_eq!(browser.value("document.querySelectorAll('.node.selected').length"), 0);
        assert_quiet(&browser, name);
    }
    // The value under the pointer is the tensor's.
    let (_, title, graph) = pages::graphs().unwrap().into_iter().nth(2).unwrap();
    open(&mut browser, "lstm", &graph.html(title), "light");
    browser.key("End");
    let weight = graph.nodes.iter().position(|node| node.outputs[0].symbol == "weight_hh").unwrap();
    browser.click(&format!("#n{weight}"));
    browser.point_at("#node canvas");
    let caption = browser.text("document.querySelector('#node figcaption').textContent");
    let (index, value) = caption.split_once(" = ").unwrap();
    let index: Vec<usize> =
        index.trim_matches(['[', ']']).split(", ").map(|part| part.parse().unwrap()).collect();
    let value: f64 = value.replace('−', "-").parse().unwrap();
    let tensor = graph.nodes[weight].outputs[0].value.as_ref().unwrap();
    let there = f64::from(tensor.get(&index).unwrap());
    assert!((value - there).abs() <= 1e-3 * there.abs(), "{caption}, and the tensor has {there}");
    browser.value("document.querySelector('#node canvas').focus()");
    browser.key("ArrowRight");
    assert!(browser.text("document.querySelector('#node figcaption').textContent").starts_with('['));
    assert_quiet(&browser, "lstm");
}

#[test]
#[ignore = "needs chromium"]
fn nothing_overlaps_and_every_label_fits() {
    let mut browser = Browser::start("overlaps");
    let script = "(() => {
        const found = [];
        const boxes = [...document.querySelectorAll('.node')].map(node => [node, node.querySelector('rect').getBoundingClientRect()]);
        boxes.forEach(([a, p], i) => boxes.slice(0, i).forEach(([b, q]) => {
            if (p.left < q.right && q.left < p.right && p.top < q.bottom && q.top < p.bottom) found.push(a.id + ' on ' + b.id);
        }));
        boxes.forEach(([node, box]) => node.querySelectorAll('text').forEach(text => {
            const inner = text.getBoundingClientRect();
            if (inner.width > 0 && (inner.left < box.left || inner.right > box.right)) found.push(node.id + ': ' + text.textContent);
        }));
        // An edge may touch the nodes at its ends only.
        document.querySelectorAll('.edge').forEach(edge => {
            const matrix = edge.getScreenCTM();
            const length = edge.getTotalLength();
            const [to] = edge.id.slice(1).split('-');
            for (let part = 0; part <= 60; part++) {
                const at = edge.getPointAtLength(length * part / 60).matrixTransform(matrix);
                boxes.forEach(([node, box]) => {
                    const inside = at.x > box.left + 2 && at.x < box.right - 2 && at.y > box.top + 2 && at.y < box.bottom - 2;
                    if (inside && node.id !== 'n' + to) found.push(edge.id + ' through ' + node.id);
                });
            }
        });
        return found;
    })()";
    for (name, title, graph) in pages::graphs().unwrap() {
        open(&mut browser, name, &graph.html(title), "light");
        browser.key("End");
        assert_eq!(browser.value(script), Value::Array(Vec::new()), "{name}");
        assert_eq!(browser.value("document.querySelectorAll('.node').length"), graph.nodes.len());
    }
}

#[test]
#[ignore = "needs chromium"]
fn text_can_be_read_in_light_and_dark_and_on_a_small_screen() {
    let mut browser = Browser::start("contrast");
    // The contrast of text with what is behind it (WCAG 2.2, 1.4.3).
    let script = "(() => {
        const channels = text => text.match(/[\\d.]+/g).map(Number);
        const luminance = colour => { const [r, g, b] = channels(colour).map(c => c / 255).map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
        const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (c !== 'rgba(0, 0, 0, 0)') return c; } return 'rgb(255, 255, 255)'; };
        const found = [];
        const check = (name, a, b) => { const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p); const ratio = (x + 0.05) / (y + 0.05); if (ratio < 4.5) found.push(name + ' ' + ratio.toFixed(2)); };
        document.querySelectorAll('h1, h2, h3, p, li, dt, dd, button:enabled, figcaption, output').forEach(e => {
            if (e.textContent.trim()) check(e.tagName + ' ' + e.textContent.slice(0, 20), getComputedStyle(e).color, behind(e));
        });
        document.querySelectorAll('.node').forEach(node => node.querySelectorAll('text').forEach(text => {
            check(node.id + ' ' + text.textContent, getComputedStyle(text).fill, getComputedStyle(node.querySelector('rect')).fill);
        }));
        return found;
    })()";
    let (name, title, graph) = pages::graphs().unwrap().into_iter().next().unwrap();
    for scheme in ["light", "dark"] {
        open(&mut browser, name, &graph.html(title), scheme);
        browser.key("End");
        thread::sleep(Duration::from_millis(400)); // the colours change over a moment
        assert_eq!(browser.value(script), Value::Array(Vec::new()), "{scheme}");
    }
    let file = open(&mut browser, name, &graph.html(title), "light");
    browser.open(&file, "light", [390, 800]);
    assert_eq!(browser.value("document.documentElement.scrollWidth <= innerWidth"), true);
    assert_quiet(&browser, name);
}

#[test]
#[ignore = "needs chromium"]
fn names_are_text_and_nothing_else() {
    let names = [
        "<script>window.stolen = 1</script>",
        "</script><script>window.stolen = 2</script>",
        "\"><img src=x onerror=\"window.stolen = 3\">",
        "'; window.stolen = 4; '",
        "<!--",
        "${window.stolen = 5}\\\" \u{2028}\u{202e} &amp; 前向",
    ];
    let mut x = Variable::from([1.0, 2.0]).requires_grad().named(names[0]);
    for name in &names[1..] {
        x = (&x * &Variable::ones([2]).named(name)).named(&format!("{name} after"));
    }
    let graph = inspect::graph(&x.sum().named("loss"));
    let mut browser = Browser::start("names");
    open(&mut browser, "names", &graph.html(names[1]), "light");
    browser.key("End");
    for number in 0..graph.nodes.len() {
        browser.click(&format!("#n{number}"));
    }
    assert_eq!(browser.value("typeof window.stolen"), "undefined");
    assert_eq!(browser.value("[document.scripts.length, document.images.length]"), serde_json::json!([2, 0]));
    assert_eq!(browser.text("document.title"), names[1]);
    assert_eq!(
        browser.text("document.querySelector('#n0 .title').textContent"),
        "<script>window.stolen = 1</sc…"
    );
    assert_quiet(&browser, "names");
}
