//! Cross entropy of logits with class indices or probabilities, and the negative log-likelihood.
//!
//! ```
//! use wengert_autograd::{Tensor, Variable, loss::cross_entropy};
//!
//! let logits = Variable::from([[0.0_f64, 0.0], [0.0, 0.0]]).requires_grad();
//! let classes = Tensor::from_vec(vec![0_i64, 1], [2]).unwrap();
//! let loss = cross_entropy(&logits, &classes);
//! loss.backward();
//! assert!((loss.item() - 2.0_f64.ln()).abs() < 1e-15);
//! assert_eq!(logits.grad().unwrap().to_vec(), [-0.25, 0.25, 0.25, -0.25]); // (p − y)/N
//! ```
//!
//! With class indices the forward pass reads the logits once and keeps two numbers a row, the largest logit and the
//! logarithm of the sum; the backward pass finds the probabilities from them and writes p − y, scaled, in one pass.

use super::{Reduction, options};
use crate::{
    graph::{Context, Cotangents, Grads, Keep, Op, Variable, mode::line, op::Line, variable::record},
    kernel::{
        reduce,
        softmax::{Row, cross_entropy_backward, log_sum_exp},
    },
    ops::{
        elementwise::{apply_at, one},
        fused::{Fused, record_fused},
        softmax::last_axis,
    },
    scalar::{Float, float::compiled, formula::elementary},
    tensor::{Dims, Tensor},
};
use std::borrow::Cow;

options! {
    /// Cross entropy between logits and class indices, or probabilities: −ln softmax(x)_target.
    ///
    /// For formulas and shapes see [`forward`](CrossEntropyLoss::forward) and
    /// [`forward_probabilities`](CrossEntropyLoss::forward_probabilities).
    pub struct CrossEntropyLoss<T> {
        /// A weight for each class, of shape `[C]`.
        weight: Option<Tensor<T>> = None,
        /// A target with this number does not count; −100 unless said otherwise. Class indices only.
        ignore_index: i64 = -100,
        /// How much of the target is spread evenly over all classes, between 0 and 1; 0 unless said otherwise.
        label_smoothing: f64 = 0.0,
    }
}

options! {
    /// The negative log-likelihood of classes under given log-probabilities: −x_target.
    ///
    /// For formula and shapes see [`forward`](NllLoss::forward).
    pub struct NllLoss<T> {
        /// A weight for each class, of shape `[C]`.
        weight: Option<Tensor<T>> = None,
        /// A target with this number does not count; −100 unless said otherwise.
        ignore_index: i64 = -100,
    }
}

/// The mean cross entropy of logits `[N, C]`, `[N, C, d…]` or `[C]` with class indices `[N]`, `[N, d…]` or `[]`; for other
/// options see [`CrossEntropyLoss`].
///
/// The gradient in the logits is (softmax − 1 at the target)/N.
///
/// ```
/// use wengert_autograd::{Variable, loss::cross_entropy, tensor};
/// let logits = Variable::from([[0.0_f64, 0.0], [0.0, 0.0]]);
/// assert!((cross_entropy(&logits, &tensor![0, 1]).item() - 2.0_f64.ln()).abs() < 1e-15);
/// ```
///
/// # Panics
/// As [`CrossEntropyLoss::forward`].
#[track_caller]
pub fn cross_entropy<T: Float>(logits: &Variable<T>, targets: &Tensor<i64>) -> Variable<T> {
    CrossEntropyLoss::new().forward(logits, targets)
}

/// The mean of −x_target for log-probabilities `[N, C]`, `[N, C, d…]` or `[C]`; for other options see [`NllLoss`].
///
/// ```
/// use wengert_autograd::{Variable, loss::nll_loss, tensor};
/// let log_probabilities = Variable::from([[-0.5_f32, -1.0], [-2.0, -0.25]]);
/// assert_eq!(nll_loss(&log_probabilities, &tensor![0, 1]).item(), 0.375);
/// ```
///
/// # Panics
/// As [`NllLoss::forward`].
#[track_caller]
pub fn nll_loss<T: Float>(log_probabilities: &Variable<T>, targets: &Tensor<i64>) -> Variable<T> {
    NllLoss::new().forward(log_probabilities, targets)
}

impl<T: Float> CrossEntropyLoss<T> {
    /// The loss of logits `[N, C]`, `[N, C, d…]` or `[C]` against class indices `[N]`, `[N, d…]` or `[]`.
    ///
    /// ℓ = (1−s)·w_t·(−ln p_t) + s/C·Σ_c w_c·(−ln p_c) with p = softmax(x), class t, weights w (1 without them) and smoothing s;
    /// 0 where t is the ignored index. The mean divides Σ ℓ by Σ w_t over the targets that count, and is NaN when none
    /// does. The result is a scalar, or has the targets' shape when nothing is reduced.
    ///
    /// ```
    /// use wengert_autograd::{Tensor, Variable, loss::{CrossEntropyLoss, Reduction}};
    ///
    /// let logits = Variable::from([[0.0_f64, 0.0], [5.0, 0.0]]);
    /// let loss = CrossEntropyLoss::new().ignore_index(-1).reduction(Reduction::None);
    /// let each = loss.forward(&logits, &Tensor::from_vec(vec![1, -1], [2]).unwrap());
    /// assert_eq!(each.value().to_vec(), [2.0_f64.ln(), 0.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not fit, or a class index is out of range; the text names the row, the index and the number of
    /// classes.
    #[track_caller]
    pub fn forward(&self, logits: &Variable<T>, targets: &Tensor<i64>) -> Variable<T> {
        let operation = "cross_entropy";
        let labels = Labels::new(operation, logits.shape(), targets, self.ignore_index);
        let weight = self.weight.as_ref().map(|weight| class_weights(operation, weight, labels.classes));
        let (smoothing, reduction, line) = (self.label_smoothing, self.reduction, line());
        assert!(
            (0.0..=1.0).contains(&smoothing),
            "{operation}: label_smoothing must lie between 0 and 1, not {smoothing}"
        );
        compiled!(cross_entropy_at(
            logits: &Variable<T>,
            labels: Labels,
            weight: Option<Tensor<T>>,
            smoothing: f64,
            reduction: Reduction,
            line: Line
        ) -> Variable<T>)
    }

    /// The loss of logits against probabilities of the same shape; classes on axis 1 (axis 0 of a vector).
    ///
    /// ℓ = −Σ_c w_c·ỹ_c·ln p_c with p = softmax(x) and ỹ = (1−s)·y + s/C. The mean divides by the number of rows, N·d….
    /// The target may want a gradient.
    ///
    /// ```
    /// use wengert_autograd::{Variable, loss::CrossEntropyLoss};
    ///
    /// let (logits, target) = (Variable::from([[0.0_f64, 0.0]]), Variable::from([[0.3_f64, 0.7]]));
    /// let loss = CrossEntropyLoss::new().forward_probabilities(&logits, &target);
    /// assert!((loss.item() - 2.0_f64.ln()).abs() < 1e-15);
    /// ```
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn forward_probabilities(&self, logits: &Variable<T>, target: &Variable<T>) -> Variable<T> {
        let (shape, given) = (logits.shape(), target.shape());
        assert!(
            shape == given,
            "cross_entropy: probabilities must have the shape of the logits, {shape:?}, not {given:?}"
        );
        let axis = class_axis("cross_entropy", shape);
        let classes = shape[axis];
        let mut target = target.clone();
        if self.label_smoothing != 0.0 {
            target = target * (1.0 - self.label_smoothing) + self.label_smoothing / classes as f64;
        }
        if let Some(weight) = &self.weight {
            let mut along = Dims::filled(shape.len(), 1);
            along = along.with(axis, classes);
            target *= Variable::new(class_weights("cross_entropy", weight, classes).reshape(along));
        }
        let losses = -(logits.log_softmax(axis as isize) * target).sum_axes(axis as isize, false);
        self.reduction.apply(losses)
    }
}

impl<T: Float> NllLoss<T> {
    /// The loss of log-probabilities `[N, C]`, `[N, C, d…]` or `[C]` against class indices `[N]`, `[N, d…]` or `[]`.
    ///
    /// ℓ = −w_t·x_t, 0 where t is the ignored index. The mean divides Σ ℓ by Σ w_t over the targets that count, and is NaN
    /// when none does.
    ///
    /// ```
    /// use wengert_autograd::{Tensor, Variable, loss::nll_loss};
    ///
    /// let x = Variable::from([[-0.5_f64, -1.0], [-2.0, -3.0]]);
    /// assert_eq!(nll_loss(&x, &Tensor::from_vec(vec![1, 0], [2]).unwrap()).item(), 1.5);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not fit, or a class index is out of range; the text names the row, the index and the number of
    /// classes.
    #[track_caller]
    pub fn forward(&self, log_probabilities: &Variable<T>, targets: &Tensor<i64>) -> Variable<T> {
        let labels = Labels::new("nll_loss", log_probabilities.shape(), targets, self.ignore_index);
        let weight = self.weight.as_ref().map(|weight| class_weights("nll_loss", weight, labels.classes));
        let (x, reduction, line) = (log_probabilities, self.reduction, line());
        compiled!(nll_at(
            x: &Variable<T>,
            labels: Labels,
            weight: Option<Tensor<T>>,
            reduction: Reduction,
            line: Line
        ) -> Variable<T>)
    }
}

/// The axis of the classes: 1, or 0 of a vector.
#[track_caller]
pub(super) fn class_axis(operation: &str, shape: Dims) -> usize {
    assert!(
        !shape.is_empty(),
        "{operation}: scores have the shape [C], [N, C] or [N, C, d…]; a scalar has no classes"
    );
    usize::from(shape.len() > 1)
}

#[track_caller]
fn class_weights<T: Float>(operation: &str, weight: &Tensor<T>, classes: usize) -> Tensor<T> {
    let shape = weight.dims();
    assert!(shape == [classes], "{operation}: weight must have the shape [{classes}], not {shape:?}");
    weight.contiguous()
}

/// Class indices that were checked.
pub(super) struct Labels {
    pub(super) axis: usize,
    pub(super) classes: usize,
    /// The shape of the targets: that of the scores without the class axis.
    pub(super) shape: Dims,
    /// The class of each row, none where it does not count.
    pub(super) rows: Vec<Option<usize>>,
}

impl Labels {
    /// # Panics
    /// If the shapes do not fit, or a class is out of range.
    #[track_caller]
    pub(super) fn new(operation: &str, scores: Dims, targets: &Tensor<i64>, ignored: i64) -> Labels {
        let axis = class_axis(operation, scores);
        let (classes, shape) = (scores[axis], scores.without(axis));
        assert!(
            targets.dims() == shape,
            "{operation}: class indices for scores of the shape {scores:?} must have the shape {shape:?}, not {:?}",
            targets.dims()
        );
        let mut rows = Vec::with_capacity(targets.len());
        for (row, class) in targets.iter().enumerate() {
            rows.push(match usize::try_from(class) {
                _ if class == ignored => None,
                Ok(class) if class < classes => Some(class),
                _ => panic!(
                    "{operation}: the target of row {row} is class {class}, but there are {classes} classes (scores \
                     {scores:?}); to leave rows out set ignore_index (now {ignored})"
                ),
            });
        }
        Labels { axis, classes, shape, rows }
    }

    /// The weight of each row: that of its class, 0 where it does not count.
    fn weights<T: Float>(&self, weight: Option<&Tensor<T>>) -> Vec<T> {
        let weight = weight.map(|weight| weight.as_slice().expect("packed when it was checked"));
        let of = |class: &Option<usize>| {
            class.map_or(T::zero(), |class| weight.map_or(T::one(), |weight| weight[class]))
        };
        self.rows.iter().map(of).collect()
    }
}

/// What the losses of the rows are multiplied by when they are reduced.
fn scale<T: Float>(reduction: Reduction, weights: &[T]) -> T {
    match reduction {
        Reduction::Mean => T::from_f64(1.0 / weights.iter().map(|&weight| weight.into_f64()).sum::<f64>()),
        Reduction::Sum | Reduction::None => T::one(),
    }
}

/// The losses reduced: their scaled sum, or themselves in the shape of the targets.
fn reduced<T: Float>(losses: Vec<T>, shape: Dims, reduction: Reduction, scale: T) -> Tensor<T> {
    match reduction {
        Reduction::None => Tensor::from_vec(losses, shape).expect("a loss for each target"),
        _ => {
            let count = losses.len();
            let losses = Tensor::from_vec(losses, [count]).expect("a loss for each target");
            Tensor::scalar(reduce::reduce(reduce::Sum, &losses, 1).item() * scale)
        }
    }
}

/// Cross entropy of logits with class indices, in two kernels.
struct CrossEntropy<T: Float> {
    labels: Labels,
    weight: Option<Tensor<T>>,
    smoothing: f64,
    reduction: Reduction,
    /// The weight of each row's class.
    row_weights: Vec<T>,
    /// 1, or 1/Σ weights for the mean.
    scale: T,
    /// Of each row the largest logit and the logarithm of the sum.
    logs: Vec<T>,
}

fn cross_entropy_at<T: Float>(
    logits: &Variable<T>,
    labels: Labels,
    weight: Option<Tensor<T>>,
    smoothing: f64,
    reduction: Reduction,
    line: Line,
) -> Variable<T> {
    let value = logits.read();
    let packed = last_axis(&value, labels.axis);
    let (x, n) = (packed.as_slice().expect("packed"), labels.classes);
    let mut logs: Vec<T> = Vec::with_capacity(2 * labels.rows.len());
    if n > 0 {
        log_sum_exp(x, n, &mut logs.spare_capacity_mut()[..2 * labels.rows.len()]);
        // SAFETY: two numbers a row were written.
        unsafe { logs.set_len(2 * labels.rows.len()) };
    }
    let row_weights = labels.weights(weight.as_ref());
    let kept = T::from_f64(1.0 - smoothing);
    let spread = T::from_f64(smoothing / n as f64);
    let weights = weight.as_ref().and_then(Tensor::as_slice);
    let loss = |row: usize| {
        let Some(class) = labels.rows[row] else { return T::zero() };
        let (x, top, log) = (&x[row * n..][..n], logs[2 * row], logs[2 * row + 1]);
        let mut loss = row_weights[row] * kept * ((top - x[class]) + log);
        if smoothing != 0.0 {
            let mut total = T::zero();
            for (class, &x) in x.iter().enumerate() {
                let weight = weights.map_or(T::one(), |weights| weights[class]);
                total = total + weight * ((top - x) + log);
            }
            loss = loss + spread * total;
        }
        loss
    };
    let losses: Vec<T> = (0..labels.rows.len()).map(loss).collect();
    let scale = scale(reduction, &row_weights);
    let out = reduced(losses, labels.shape, reduction, scale);
    let op = CrossEntropy { labels, weight, smoothing, reduction, row_weights, scale, logs };
    let [loss] = record_fused(op, &[logits], &[&value], [out], Keep::NOTHING, line);
    loss
}

impl<T: Float> Fused<T> for CrossEntropy<T> {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }

    fn rule(&self) -> Cow<'static, str> {
        "L = −ln softmax(x)[label], averaged over the rows; x̄ += L̄ · (softmax(x) − onehot(label)), with the weight of the row".into()
    }

    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let (g, axis, n) = (g.only().into_value().contiguous(), self.labels.axis, self.labels.classes);
        let g = g.as_slice().expect("packed");
        let logits = last_axis(cx.input_tensor(0), axis);
        let x = logits.as_slice().expect("packed");
        let ones = Tensor::ones([n]);
        let weights = self.weight.as_ref().unwrap_or(&ones).as_slice().expect("packed when it was checked");
        let total = weights.iter().fold(T::zero(), |total, &weight| total + weight);
        let (kept, spread) = (T::from_f64(1.0 - self.smoothing), T::from_f64(self.smoothing / n as f64));
        let row = |(row, &class): (usize, &Option<usize>)| {
            let g = self.scale * g[if self.reduction == Reduction::None { row } else { 0 }];
            let target = g * kept * self.row_weights[row];
            Row { class, probability: target + g * spread * total, target, smooth: g * spread }
        };
        let rows: Vec<Row<T>> = self.labels.rows.iter().enumerate().map(row).collect();
        let fill = |out: &mut [_]| {
            if !x.is_empty() {
                cross_entropy_backward(x, &self.logs, &rows, weights, out);
            }
        };
        // SAFETY: the kernel writes a number for each of `x`, whose shape this is.
        let gradient = unsafe { Tensor::build(logits.dims(), fill) };
        Grads::one(Variable::new(gradient.movedim(-1, axis as isize)))
    }

    fn define(&self, inputs: &[Variable<T>]) -> Vec<Variable<T>> {
        // −Σ_c k_c·ln p_c, where k is the target, smoothed and weighted; where k is 0 the logarithm may be −∞.
        let (axis, n) = (self.labels.axis as isize, self.labels.classes);
        let weights = self.weight.as_ref().and_then(Tensor::as_slice);
        let mut k = vec![T::zero(); self.labels.rows.len() * n];
        for (row, class) in self.labels.rows.iter().enumerate() {
            let Some(class) = *class else { continue };
            for c in 0..n {
                let weight = weights.map_or(T::one(), |weights| weights[c]);
                k[row * n + c] = weight * T::from_f64(self.smoothing / n as f64);
            }
            k[row * n + class] =
                k[row * n + class] + T::from_f64(1.0 - self.smoothing) * self.row_weights[row];
        }
        let k = Tensor::from_vec(k, self.labels.shape.with_pushed(n)).expect("n numbers a row");
        let k = Variable::new(k.movedim(-1, axis));
        let terms = &k * inputs[0].log_softmax(axis);
        let terms = one(apply_at(
            elementary::select,
            [&k, &terms, &Variable::new(Tensor::scalar(T::zero()))],
            line(),
        ));
        let losses = -terms.sum_axes(axis, false);
        vec![match self.reduction {
            Reduction::None => losses,
            _ => losses.sum() * self.scale.into_f64(),
        }]
    }
}

/// −Σ w·x_target: linear, so its rule needs nothing but the classes.
struct Nll<T: Float> {
    labels: Labels,
    /// What each row's number is multiplied by.
    factors: Vec<T>,
    reduction: Reduction,
}

fn nll_at<T: Float>(
    x: &Variable<T>,
    labels: Labels,
    weight: Option<Tensor<T>>,
    reduction: Reduction,
    line: Line,
) -> Variable<T> {
    let value = x.read();
    let packed = last_axis(&value, labels.axis);
    let (data, n) = (packed.as_slice().expect("packed"), labels.classes);
    let row_weights = labels.weights(weight.as_ref());
    let scale = scale(reduction, &row_weights);
    let loss = |(row, class): (usize, &Option<usize>)| {
        class.map_or(T::zero(), |class| -row_weights[row] * data[row * n + class])
    };
    let losses: Vec<T> = labels.rows.iter().enumerate().map(loss).collect();
    let out = reduced(losses, labels.shape, reduction, scale);
    let factors = row_weights.iter().map(|&weight| -weight * scale).collect();
    record(Nll { labels, factors, reduction }, &[x], &[&value], out, Keep::NOTHING, line)
}

impl<T: Float> Op<T> for Nll<T> {
    fn name(&self) -> &'static str {
        "nll_loss"
    }
    fn rule(&self) -> Cow<'static, str> {
        "L = −x[label], averaged over the rows; x̄ += −L̄, at the label of each row, with its weight".into()
    }
    fn backward(&self, _: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        let (axis, n) = (self.labels.axis as isize, self.labels.classes);
        let mut slope = vec![T::zero(); self.labels.rows.len() * n];
        for (row, class) in self.labels.rows.iter().enumerate() {
            if let Some(class) = *class {
                slope[row * n + class] = self.factors[row];
            }
        }
        let slope = Tensor::from_vec(slope, self.labels.shape.with_pushed(n)).expect("n numbers a row");
        let mut g = g.only();
        if self.reduction == Reduction::None {
            g = g.reshape(self.labels.shape.with_inserted(axis as usize, 1));
        }
        Grads::one(g * Variable::new(slope.movedim(-1, axis)))
    }
}
