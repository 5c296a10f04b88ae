//! Nothing escapes the registry: every public function of variables is called by a sample in it.
//!
//! The functions are found by parsing the source, those that macros generate included, so that a new operation without
//! samples fails here without anybody having to remember a list.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};
use wengert_autograd::check::registry;

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
        .map(|(name, file)| format!("{name} ({})", file.display()))
        .collect();
    assert!(missing.is_empty(), "no sample in the registry calls\n  {}", missing.join("\n  "));
    for (name, _) in EXCEPTIONS {
        assert!(found.contains_key(*name), "the exception {name} does not exist any more");
        assert!(!called.contains(*name), "{name} is called by a sample, so it is no exception");
    }
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

/// Public functions and methods that take a variable and return one, with their files.
fn functions_of_variables() -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut names = Vec::new();
        items(&parsed.items, &mut names);
        found.extend(names.into_iter().map(|name| (name, file.clone())));
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

fn items(list: &[syn::Item], names: &mut Vec<String>) {
    for item in list {
        match item {
            syn::Item::Fn(function) if is_public(&function.vis) => {
                names.extend(if_of_variables(&function.sig, false));
            }
            syn::Item::Impl(block) if block.trait_.is_none() => {
                let own = mentions(&block.self_ty, &["Variable"]);
                for item in &block.items {
                    if let syn::ImplItem::Fn(method) = item
                        && is_public(&method.vis)
                    {
                        names.extend(if_of_variables(&method.sig, own));
                    }
                }
            }
            syn::Item::Mod(module) => {
                if let Some((_, inner)) = &module.content {
                    items(inner, names);
                }
            }
            // A call of a macro that generates functions.
            syn::Item::Macro(call) if call.ident.is_none() && !call.mac.path.is_ident("samples") => {
                generated(call.mac.tokens.clone(), names);
            }
            _ => {}
        }
    }
}

/// `pub fn name` in the tokens that a macro is given.
fn generated(tokens: TokenStream, names: &mut Vec<String>) {
    let mut before = [String::new(), String::new()];
    for token in tokens {
        if let TokenTree::Group(group) = &token {
            generated(group.stream(), names);
        }
        let text = token.to_string();
        if before[0] == "pub" && before[1] == "fn" {
            names.push(text.clone());
        }
        before = [std::mem::take(&mut before[1]), text];
    }
}

fn is_public(visibility: &syn::Visibility) -> bool {
    matches!(visibility, syn::Visibility::Public(_))
}

/// The function's name, if it takes a variable and returns one. `own`: it is a method of `Variable`.
fn if_of_variables(signature: &syn::Signature, own: bool) -> Option<String> {
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
    (returns && takes).then(|| signature.ident.to_string())
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
