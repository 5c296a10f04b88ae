//! Nothing escapes the registry, and nothing goes without documentation: every public function of variables is called by
//! a sample in the registry, and says what it does, when it panics, and what its derivative is where that is a convention.
//!
//! The functions are found by parsing the source, those that macros generate included, so that a new operation without
//! samples or without documentation fails here without anybody having to remember a list.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};
use wengert_autograd::check::{Sample, registry};

/// What takes and returns variables and yet has no samples of its own, with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("apply_formula", "applies a formula of the caller's; every operation that is a formula goes through it"),
    ("checkpoint", "runs a function of the caller's; see tests/functional.rs"),
    ("detach", "its purpose is to have no derivative"),
    ("from_fused", "records an operation of the caller's"),
    ("from_op", "records an operation of the caller's"),
    ("from_op_many", "records an operation of the caller's"),
    ("hessian", "differentiates a function of the caller's; see tests/functional.rs"),
    ("hvp", "differentiates a function of the caller's; see tests/functional.rs"),
    ("jacobian", "differentiates a function of the caller's; see tests/functional.rs"),
    ("jvp", "differentiates a function of the caller's; see tests/functional.rs"),
    ("named", "gives a name and returns the same variable"),
    ("requires_grad", "makes a leaf"),
    ("vjp", "differentiates a function of the caller's; see tests/functional.rs"),
    ("wrt", "gives the derivatives themselves; every check of a sample goes through it"),
    ("wrt_allowing_unused", "gives the derivatives themselves; every check of a sample goes through it"),
];

#[test]
fn every_public_function_of_variables_is_in_the_registry() {
    let found = functions_of_variables();
    assert!(found.len() > 50, "only {} functions were found; does the search still work?", found.len());
    let called = called_by_samples();
    let excepted: BTreeSet<&str> = EXCEPTIONS.iter().map(|(name, _)| *name).collect();
    let missing: Vec<String> = found
        .iter()
        .filter(|(name, _)| !called.contains(*name) && !excepted.contains(name.as_str()))
        .map(|(name, function)| format!("{name} ({})", function.file.display()))
        .collect();
    assert!(missing.is_empty(), "no sample in the registry calls\n  {}", missing.join("\n  "));
    for (name, _) in EXCEPTIONS {
        assert!(found.contains_key(*name), "the exception {name} does not exist any more");
        assert!(!called.contains(*name), "{name} is called by a sample, so it is no exception");
    }
}

#[test]
fn every_operation_is_documented_with_an_example_its_panics_and_its_conventions() {
    let samples = || registry().into_iter().flat_map(|entry| entry.samples());
    let called_where = |wanted: &dyn Fn(&Sample) -> bool| {
        let mut called = BTreeSet::new();
        for sample in samples().filter(wanted) {
            calls(sample.text.parse().expect("samples are Rust expressions"), &mut called);
        }
        called
    };
    // The outermost call of a text that panics is the last one in it.
    let panicking: BTreeSet<String> = samples()
        .filter(|sample| sample.expected_panic().is_some())
        .filter_map(|sample| last_call(sample.text.parse().expect("samples are Rust expressions")))
        .collect();
    let excepted: BTreeSet<&str> = EXCEPTIONS.iter().map(|(name, _)| *name).collect();
    let at_kinks = called_where(&|sample: &Sample| sample.is_at_kink());
    let mut failures = Vec::new();
    for (name, function) in functions_of_variables() {
        if excepted.contains(name.as_str()) {
            continue;
        }
        let mut lacks =
            |what: &str| failures.push(format!("{name} ({}) lacks {what}", function.file.display()));
        let docs = &function.docs;
        if docs.trim().is_empty() {
            lacks("documentation");
        }
        // The elementary functions' examples are written by the macro that makes them.
        if !docs.contains("```") && !function.of_options && !function.file.ends_with("functions.rs") {
            lacks("an example");
        }
        if (panicking.contains(&name) || function.fallible) && !docs.contains("# Panics") {
            lacks("a section on panics");
        }
        let speaks_of_slopes = ["radient", "erivative", "lope"].iter().any(|word| docs.contains(word));
        if at_kinks.contains(&name) && !speaks_of_slopes {
            lacks("the convention of its derivative, which a sample at a kink relies on");
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Names of the operations, and of functions that are called in the text of samples that are differentiated.
fn called_by_samples() -> BTreeSet<String> {
    let mut called: BTreeSet<String> = registry().iter().map(|entry| entry.name.to_string()).collect();
    for sample in registry().iter().flat_map(|entry| entry.samples()) {
        if sample.highest_order() > 0 {
            let tokens: TokenStream = sample.text.parse().expect("samples are Rust expressions");
            calls(tokens, &mut called);
        }
    }
    called
}

/// Adds every identifier that arguments follow.
fn calls(tokens: TokenStream, called: &mut BTreeSet<String>) {
    let mut name: Option<String> = None;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => name = Some(ident.to_string()),
            TokenTree::Group(group) => {
                called.extend(name.take());
                calls(group.stream(), called);
            }
            // `sum::<f64>(x)` and the like do not occur; anything else ends the name.
            _ => name = None,
        }
    }
}

/// A public function or method that takes a variable and returns one.
#[derive(Default)]
struct Function {
    file: PathBuf,
    docs: String,
    /// Is it a method of options, whose type shows the example?
    of_options: bool,
    /// Does it take an axis, a shape or another variable, which may be wrong?
    fallible: bool,
}

/// Public functions and methods that take a variable and return one, by name.
fn functions_of_variables() -> BTreeMap<String, Function> {
    let mut found = BTreeMap::new();
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        items(&parsed.items, &mut |name, function| {
            found.insert(name, Function { file: file.clone(), ..function });
        });
    }
    found
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        // What checks operations is not one.
        if path.is_dir() && !path.ends_with("check") && !path.ends_with("tests") {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// Takes what was found, by name.
type Found<'a> = dyn FnMut(String, Function) + 'a;

fn items(list: &[syn::Item], found: &mut Found<'_>) {
    for item in list {
        match item {
            syn::Item::Fn(function) if is_public(&function.vis) => {
                if_of_variables(&function.attrs, &function.sig, None, found);
            }
            syn::Item::Impl(block) if block.trait_.is_none() => {
                let own = mentions(&block.self_ty, &["Variable"]);
                for item in &block.items {
                    if let syn::ImplItem::Fn(method) = item
                        && is_public(&method.vis)
                    {
                        if_of_variables(&method.attrs, &method.sig, Some(own), found);
                    }
                }
            }
            syn::Item::Mod(module) => {
                if let Some((_, inner)) = &module.content {
                    items(inner, found);
                }
            }
            // A call of a macro that generates functions.
            syn::Item::Macro(call) if call.ident.is_none() && !call.mac.path.is_ident("samples") => {
                generated(call.mac.tokens.clone(), found);
            }
            _ => {}
        }
    }
}

/// `pub fn name` in the tokens that a macro is given, with the documentation in front of it.
fn generated(tokens: TokenStream, found: &mut Found<'_>) {
    let mut before = [String::new(), String::new()];
    let mut docs = String::new();
    for token in tokens {
        let text = token.to_string();
        if before[0] == "pub" && before[1] == "fn" {
            found(text.clone(), Function { docs: std::mem::take(&mut docs), ..Function::default() });
        }
        match &token {
            TokenTree::Group(group) if before[1] == "#" => docs.push_str(&text),
            TokenTree::Group(group) => generated(group.stream(), found),
            TokenTree::Punct(punct) if punct.as_char() == ';' => docs.clear(),
            _ => {}
        }
        before = [std::mem::take(&mut before[1]), text];
    }
}

/// The last identifier at the outer level that arguments follow.
fn last_call(tokens: TokenStream) -> Option<String> {
    let mut outer = BTreeSet::new();
    let (mut name, mut last) = (None, None);
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => name = Some(ident.to_string()),
            TokenTree::Group(group) => {
                if let Some(name) = name.take() {
                    last = Some(name);
                } else if last.is_none() {
                    calls(group.stream(), &mut outer);
                }
            }
            _ => name = None,
        }
    }
    last.or_else(|| outer.pop_last())
}

fn is_public(visibility: &syn::Visibility) -> bool {
    matches!(visibility, syn::Visibility::Public(_))
}

/// Reports the function if it takes a variable and returns one. `method`: it is one, of `Variable` or of something else.
fn if_of_variables(
    attributes: &[syn::Attribute],
    signature: &syn::Signature,
    method: Option<bool>,
    found: &mut Found<'_>,
) {
    let own = method == Some(true);
    let returns = match &signature.output {
        syn::ReturnType::Default => false,
        syn::ReturnType::Type(_, kind) => {
            mentions(kind, if own { &["Variable", "Self"] } else { &["Variable"] })
        }
    };
    let takes = signature.inputs.iter().any(|input| match input {
        syn::FnArg::Receiver(_) => own,
        syn::FnArg::Typed(argument) => mentions(&argument.ty, &["Variable"]),
    });
    if !returns || !takes {
        return;
    }
    let fallible = signature.inputs.iter().any(|input| match input {
        syn::FnArg::Receiver(_) => false,
        syn::FnArg::Typed(argument) => {
            mentions(&argument.ty, &["Variable", "Tensor", "isize", "IntoAxes", "IntoShape", "ReshapeTarget"])
        }
    });
    let docs: Vec<String> = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"))
        .filter_map(|attribute| match &attribute.meta {
            syn::Meta::NameValue(doc) => Some(doc.value.to_token_stream().to_string()),
            _ => None,
        })
        .collect();
    let function = Function {
        docs: docs.join("\n"),
        of_options: method == Some(false),
        fallible,
        ..Function::default()
    };
    found(signature.ident.to_string(), function);
}

fn mentions(tokens: &impl ToTokens, names: &[&str]) -> bool {
    fn within(tokens: TokenStream, names: &[&str]) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => names.contains(&ident.to_string().as_str()),
            TokenTree::Group(group) => within(group.stream(), names),
            _ => false,
        })
    }
    within(tokens.to_token_stream(), names)
}
