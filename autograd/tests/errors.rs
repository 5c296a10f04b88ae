//! What users are told: the operation, the shapes, the axis, and their own line.

use std::panic::{AssertUnwindSafe, catch_unwind};
use wengert_autograd::{Variable, is_grad_enabled, no_grad};

/// The message and the line of a panic.
fn panic_of(work: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(work)).expect_err("it should panic");
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(|text| text.to_string())).unwrap()
}

#[test]
fn operands_that_do_not_broadcast() {
    let (a, b) = (Variable::zeros([2, 3]), Variable::zeros([2, 4]));
    let message = panic_of(|| drop(&a + &b));
    for part in ["add", "[2, 3]", "[2, 4]", "3 against 4 on axis -1", "errors.rs"] {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
}

#[test]
fn products_whose_inner_sizes_differ() {
    let (a, b) = (Variable::zeros([32, 784]), Variable::zeros([10, 784]));
    let message = panic_of(|| drop(a.matmul(&b)));
    for part in
        ["matmul: inner sizes differ", "[32, 784]", "[10, 784]", "784 against 10", "did you mean w.t()?"]
    {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
}

#[test]
fn axes_out_of_range() {
    let a = Variable::zeros([2, 3]);
    for (method, message) in [
        ("sum", panic_of(|| drop(a.sum_axes(2, false)))),
        ("softmax", panic_of(|| drop(a.softmax(-3)))),
        ("transpose", panic_of(|| drop(a.transpose(0, 5)))),
        ("narrow", panic_of(|| drop(a.narrow(1, 2, 2)))),
    ] {
        assert!(message.contains(method) && message.contains("[2, 3]"), "{method}: {message:?}");
    }
}

#[test]
fn the_line_is_the_callers() {
    let lines = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = lines.clone();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        seen.lock().unwrap().push(info.location().map(|at| at.file().to_owned()));
    }));
    let a = Variable::zeros([2, 3]);
    for work in [
        &(|| drop(a.reshape([4, 2]))) as &dyn Fn(),
        &|| drop(a.sum_axes(2, false)),
        &|| drop(a.t().matmul(&a.t())),
        &|| a.backward(),
    ] {
        catch_unwind(AssertUnwindSafe(work)).unwrap_err();
    }
    std::panic::set_hook(before);
    for file in &*lines.lock().unwrap() {
        assert!(file.as_deref().is_some_and(|file| file.ends_with("errors.rs")), "{file:?}");
    }
}

#[test]
fn a_second_backward_names_the_first() {
    let x = Variable::from(2.0_f32).requires_grad();
    let y = &x * &x;
    let first = line!() + 1;
    y.backward();
    let message = panic_of(|| y.backward());
    assert!(message.contains("released") && message.contains(&format!("errors.rs:{first}:")), "{message}");
}

#[test]
fn backward_wants_a_scalar_and_a_gradient() {
    let message = panic_of(|| Variable::zeros([2]).requires_grad().exp().backward());
    assert!(message.contains("scalar") && message.contains("[2]"), "{message}");
    let message = panic_of(|| Variable::zeros([2]).sum().backward());
    assert!(message.contains("no gradient flows"), "{message}");
}

#[test]
fn modes_are_restored_when_a_closure_unwinds() {
    catch_unwind(|| no_grad(|| panic!("on purpose"))).unwrap_err();
    assert!(is_grad_enabled());
}
