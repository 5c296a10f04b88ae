//! Einstein's summation convention: any sum of products of tensors, from one line of letters.
//!
//! ```
//! use wengert_autograd::{Variable, einsum};
//!
//! let (q, k) = (Variable::ones([2, 4, 8]), Variable::ones([2, 5, 8]));
//! assert_eq!(einsum("bqd,bkd->bqk", &[&q, &k]).shape(), [2, 4, 5]);
//! let x = Variable::from([[1.0_f32, 2.0], [3.0, 4.0]]);
//! assert_eq!(einsum("ii", &[&x]).item(), 5.0); // the trace
//! ```
//!
//! Operands are contracted two at a time, the pair with the smallest result first. A pair is brought into the form of a
//! batched matrix product by permuting and joining axes, so the arithmetic is that of [`Variable::matmul`], and the
//! gradient comes out of the operations that are used.

use super::registry::samples;
use crate::{
    graph::{
        Variable,
        mode::{Mode, line},
    },
    scalar::Float,
};

/// An axis of an operand: a letter, or one of the axes that `...` stands for, counted from the last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Label {
    Ellipsis(usize),
    Letter(char),
}

/// A tensor whose axes have labels, each label once.
struct Term<T: Float> {
    value: Variable<T>,
    labels: Vec<Label>,
}

/// An equation and its operands, for messages.
struct Request<'a, T: Float> {
    equation: &'a str,
    operands: &'a [&'a Variable<T>],
}

impl<T: Float> Request<'_, T> {
    #[track_caller]
    fn refuse(&self, problem: &str) -> ! {
        let shapes: Vec<_> = self.operands.iter().map(|operand| operand.shape()).collect();
        panic!("einsum: {problem}, in {:?} with operands of shapes {shapes:?}", self.equation)
    }

    /// The labels of an operand of so many axes, or of the output, where `...` stands for `ellipsis` axes.
    #[track_caller]
    fn labels(&self, text: &str, ellipsis: impl Fn(usize) -> usize) -> Vec<Label> {
        let letters = text.replacen("...", "", 1);
        if let Some(other) = letters.chars().find(|c| !c.is_ascii_alphabetic()) {
            self.refuse(&format!("{other:?} is not a letter"));
        }
        let mut labels = Vec::new();
        for (part, after) in text.split("...").zip([false, true, true]) {
            if after {
                let count = ellipsis(letters.len());
                labels.extend((0..count).rev().map(Label::Ellipsis));
            }
            labels.extend(part.chars().map(Label::Letter));
        }
        labels
    }
}

/// The sum of products that `equation` describes.
///
/// Each operand's axes are named by letters, operands separated by commas; after `->` stand the axes of the result. The
/// product of all operands is summed over each letter that is not in the result. A letter repeated within an operand
/// means its diagonal; `...` stands for further axes, which broadcast; without `->` the result has the axes of `...` and
/// then, in alphabetical order, the letters that occur once. An axis of size 1 goes with any size. Spaces mean nothing.
///
/// ```
/// use wengert_autograd::{Variable, einsum};
/// let (a, b) = (Variable::ones([2, 3]), Variable::ones([3, 4]));
/// assert_eq!(einsum("ij,jk->ki", &[&a, &b]).shape(), [4, 2]);
/// assert_eq!(einsum("...j->...", &[&a]).value().to_vec(), [3.0, 3.0]);
/// ```
///
/// # Panics
/// If the equation is malformed or does not fit the operands; the text has both.
#[track_caller]
pub fn einsum<T: Float>(equation: &str, operands: &[&Variable<T>]) -> Variable<T> {
    let request = Request { equation, operands };
    let text: String = equation.chars().filter(|c| !c.is_whitespace()).collect();
    let (inputs, output) = match text.split_once("->") {
        Some((inputs, output)) => (inputs, Some(output)),
        None => (text.as_str(), None),
    };
    let inputs: Vec<&str> = inputs.split(',').collect();
    if inputs.len() != operands.len() {
        request.refuse(&format!(
            "there are {} operands and {} groups of letters",
            operands.len(),
            inputs.len()
        ));
    }
    let mut ellipsis = 0;
    let mut labels = Vec::new();
    for (group, operand) in inputs.iter().zip(operands) {
        let rank = operand.rank();
        let own = request.labels(group, |letters| rank.saturating_sub(letters));
        if own.len() != rank {
            request.refuse(&format!("{group:?} names {} axes of an operand that has {rank}", own.len()));
        }
        ellipsis = ellipsis.max(own.iter().filter(|label| matches!(label, Label::Ellipsis(_))).count());
        labels.push(own);
    }
    let wanted = match output {
        Some(output) => request.labels(output, |_| ellipsis),
        None => implied(&labels, ellipsis),
    };
    for (at, label) in wanted.iter().enumerate() {
        if wanted[..at].contains(label) {
            request.refuse("the result names an axis twice");
        }
        if !labels.iter().flatten().any(|known| known == label) {
            request.refuse("the result names an axis that no operand has");
        }
    }
    let sizes = sizes(&request, &labels);
    // The operations below belong to the caller's line.
    Mode { line: Some(line()), ..Mode::current() }.run(|| {
        let operands = operands.iter().zip(labels);
        let terms = operands.map(|(operand, labels)| without_ones(distinct((*operand).clone(), labels)));
        contract_all(terms.collect(), &wanted, &sizes)
    })
}

/// The sizes that labels stand for.
struct Sizes(Vec<(Label, usize)>);

impl Sizes {
    fn of(&self, label: &Label) -> usize {
        self.0.iter().find(|(known, _)| known == label).map_or(1, |(_, size)| *size)
    }
}

/// Contracts terms two at a time until one is left, and brings that into the wanted form.
fn contract_all<T: Float>(mut terms: Vec<Term<T>>, wanted: &[Label], sizes: &Sizes) -> Variable<T> {
    while terms.len() > 1 {
        let (i, j) = cheapest(&terms, wanted, sizes);
        let second = terms.remove(j);
        let first = terms.remove(i);
        let product = contract(first, second, |label| {
            wanted.contains(label) || terms.iter().any(|term| term.labels.contains(label))
        });
        terms.push(product);
    }
    let last = summed(terms.pop().expect("there is at least one operand"), |label| wanted.contains(label));
    // Axes of size 1 were dropped at the beginning, and come back.
    let present: Vec<Label> = wanted.iter().filter(|label| last.labels.contains(label)).copied().collect();
    let shape: Vec<usize> = wanted.iter().map(|label| sizes.of(label)).collect();
    last.arranged(&present).reshape(shape)
}

/// The axes of the result when the equation does not name them.
fn implied(operands: &[Vec<Label>], ellipsis: usize) -> Vec<Label> {
    let mut letters: Vec<Label> =
        operands.iter().flatten().filter(|label| matches!(label, Label::Letter(_))).copied().collect();
    letters.sort_unstable();
    let once: Vec<Label> = letters
        .iter()
        .filter(|label| letters.iter().filter(|other| other == label).count() == 1)
        .copied()
        .collect();
    (0..ellipsis).rev().map(Label::Ellipsis).chain(once).collect()
}

/// The size of each label: the one size other than 1 that its axes have, or 1.
#[track_caller]
fn sizes<T: Float>(request: &Request<'_, T>, labels: &[Vec<Label>]) -> Sizes {
    let mut sizes: Vec<(Label, usize)> = Vec::new();
    for (operand, labels) in request.operands.iter().zip(labels) {
        for (axis, (label, &size)) in labels.iter().zip(operand.shape().iter()).enumerate() {
            let repeated = labels[..axis].contains(label);
            match sizes.iter_mut().find(|(known, _)| known == label) {
                None => sizes.push((*label, size)),
                Some((_, known)) if *known == size || (size == 1 && !repeated) => {}
                Some((_, known)) if *known == 1 && !repeated => *known = size,
                Some((_, known)) => {
                    let name =
                        if let Label::Letter(letter) = label { format!("{letter:?}") } else { "...".into() };
                    request.refuse(&format!("the axes named {name} have the sizes {known} and {size}"))
                }
            }
        }
    }
    Sizes(sizes)
}

/// Replaces axes with the same label by their diagonal.
fn distinct<T: Float>(mut value: Variable<T>, mut labels: Vec<Label>) -> Term<T> {
    let mut i = 0;
    while i < labels.len() {
        match (i + 1..labels.len()).find(|&j| labels[j] == labels[i]) {
            Some(j) => {
                // The diagonal becomes the last axis.
                value = value.diagonal(0, i as isize, j as isize);
                let label = labels.remove(j);
                labels.remove(i);
                labels.push(label);
            }
            None => i += 1,
        }
    }
    Term { value, labels }
}

/// Drops axes of size 1: for other operands' sizes that is broadcasting.
fn without_ones<T: Float>(mut term: Term<T>) -> Term<T> {
    let shape = term.value.shape();
    for axis in (0..shape.len()).rev() {
        if shape[axis] == 1 {
            term.value = term.value.squeeze(axis as isize);
            term.labels.remove(axis);
        }
    }
    term
}

/// Sums over the labels that are not needed.
fn summed<T: Float>(term: Term<T>, needed: impl Fn(&Label) -> bool) -> Term<T> {
    let axes: Vec<isize> = (0..term.labels.len())
        .filter(|&axis| !needed(&term.labels[axis]))
        .map(|axis| axis as isize)
        .collect();
    if axes.is_empty() {
        return term;
    }
    let value = term.value.sum_axes(axes.as_slice(), false);
    Term { value, labels: term.labels.into_iter().filter(needed).collect() }
}

/// The pair whose contraction is smallest, the first of several.
fn cheapest<T: Float>(terms: &[Term<T>], wanted: &[Label], sizes: &Sizes) -> (usize, usize) {
    let result_size = |i: usize, j: usize| -> f64 {
        let needed = |label: &&Label| {
            wanted.contains(label)
                || terms.iter().enumerate().any(|(k, term)| k != i && k != j && term.labels.contains(label))
        };
        let second = terms[j].labels.iter().filter(|label| !terms[i].labels.contains(label));
        terms[i].labels.iter().chain(second).filter(needed).map(|label| sizes.of(label) as f64).product()
    };
    let mut best = (0, 1);
    for i in 0..terms.len() {
        for j in i + 1..terms.len() {
            if result_size(i, j) < result_size(best.0, best.1) {
                best = (i, j);
            }
        }
    }
    best
}

impl<T: Float> Term<T> {
    /// With the axes in this order.
    fn arranged(&self, order: &[Label]) -> Variable<T> {
        let position = |label: &Label| {
            self.labels.iter().position(|own| own == label).expect("a label of this term") as isize
        };
        let order: Vec<isize> = order.iter().map(position).collect();
        if order.is_sorted() { self.value.clone() } else { self.value.permute(&order) }
    }

    /// The sizes of these labels.
    fn sizes(&self, labels: &[Label]) -> Vec<usize> {
        let shape = self.value.shape();
        let position =
            |label: &Label| self.labels.iter().position(|own| own == label).expect("a label of this term");
        labels.iter().map(|label| shape[position(label)]).collect()
    }
}

/// The product of two terms, summed over the labels that are not needed.
fn contract<T: Float>(a: Term<T>, b: Term<T>, needed: impl Fn(&Label) -> bool) -> Term<T> {
    // A label that only one of them has, and nobody needs, is summed before.
    let a = summed(a, |label| needed(label) || b.labels.contains(label));
    let b = summed(b, |label| needed(label) || a.labels.contains(label));
    let shared = |needed_too: bool| -> Vec<Label> {
        let labels = a.labels.iter().filter(|label| b.labels.contains(label) && needed(label) == needed_too);
        labels.copied().collect()
    };
    let alone = |own: &Term<T>, other: &Term<T>| -> Vec<Label> {
        own.labels.iter().filter(|label| !other.labels.contains(label)).copied().collect()
    };
    let (batch, inner) = (shared(true), shared(false));
    let (left, right) = (alone(&a, &b), alone(&b, &a));
    let labels = [batch.as_slice(), &left, &right].concat();
    if left.is_empty() && right.is_empty() {
        // Nothing but shared axes: multiply and sum.
        let order = [batch.as_slice(), &inner].concat();
        let value = a.arranged(&order) * b.arranged(&order);
        return summed(Term { value, labels: order }, |label| batch.contains(label));
    }
    let count = |term: &Term<T>, labels: &[Label]| term.sizes(labels).iter().product::<usize>();
    let as_matrices = |term: &Term<T>, rows: &[Label], columns: &[Label]| {
        let arranged = term.arranged(&[batch.as_slice(), rows, columns].concat());
        let (rows, columns) = (count(term, rows), count(term, columns));
        if batch.is_empty() {
            arranged.reshape([rows, columns])
        } else {
            arranged.reshape([count(term, &batch), rows, columns])
        }
    };
    let product = as_matrices(&a, &left, &inner).matmul(&as_matrices(&b, &inner, &right));
    let shape = [a.sizes(&batch), a.sizes(&left), b.sizes(&right)].concat();
    Term { value: product.reshape(shape), labels }
}

samples! {
    einsum {
        "outer" (x: normal([2]), y: normal([3])) => super::einsum("i,j->ij", &[x, y]);
        "matrix product, transposed" (x: normal([2, 3]), y: normal([3, 4])) => super::einsum("ij,jk->ki", &[x, y]);
        "batch" (x: normal([2, 2, 3]), y: normal([2, 2, 3])) => super::einsum("bqd,bkd->bqk", &[x, y]);
        "row by row" (x: normal([2, 3]), y: normal([2, 3])) => super::einsum("ij,ij->i", &[x, y]);
        "trace" (x: normal([3, 3])) => super::einsum("ii", &[x]);
        "diagonal and sum" (x: normal([2, 3, 2])) => super::einsum("iji->j", &[x]);
        "diagonal kept" (x: normal([2, 2])) => super::einsum("ii->i", &[x]);
        "ellipsis" (x: normal([2, 1, 2, 3]), y: normal([4, 3, 2])) => super::einsum("...ij,...jk->...ik", &[x, y]);
        "ellipsis, implied" (x: normal([2, 3]), y: normal([3])) => super::einsum("...i, i", &[x, y]);
        "bilinear form" (x: normal([2]), a: normal([2, 3]), y: normal([3])) => super::einsum("i,ij,j->", &[x, a, y]);
        "chain" (a: normal([2, 3]), b: normal([3, 2]), c: normal([2, 2])) => super::einsum("ij,jk,kl->il", &[a, b, c]);
        "chain to a vector" (a: normal([3, 3]), b: normal([3, 2]), c: normal([2])) => super::einsum("ij,jk,k->i", &[a, b, c]);
        "a letter in one operand" (x: normal([2, 3]), y: normal([2])) => super::einsum("ij,i->", &[x, y]);
        "a size of 1" (x: normal([1, 3]), y: normal([2, 3])) => super::einsum("ij,ij->ij", &[x, y]);
        "all of size 1" (x: normal([1, 1]), y: normal([1])) => super::einsum("ij,j->ij", &[x, y]);
        "nothing to sum" (x: normal([2, 0]), y: normal([0, 3])) => super::einsum("ij,jk->ik", &[x, y]);
        "sizes differ" (x: normal([2, 3]), y: normal([2, 3])) => super::einsum("ij,jk->ik", &[x, y]),
            panics("the axes named 'j' have the sizes 3 and 2");
        "too few letters" (x: normal([2, 3])) => super::einsum("i->", &[x]), panics("names 1 axes of an operand that has 2");
        "too few operands" (x: normal([2, 3])) => super::einsum("ij,jk", &[x]), panics("1 operands and 2 groups");
        "unknown result" (x: normal([2, 3])) => super::einsum("ij->k", &[x]), panics("that no operand has");
    }
}
