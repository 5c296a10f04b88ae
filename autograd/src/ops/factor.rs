//! Inverses, determinants, linear systems and Cholesky factors of (batches of) square matrices.
//!
//! ```
//! use wengert_autograd::Variable;
//!
//! let a = Variable::from([[4.0_f64, 2.0], [2.0, 3.0]]).requires_grad();
//! let b = Variable::from([[2.0_f64], [1.0]]);
//! assert_eq!(a.solve(&b).value().to_vec(), [0.5, 0.0]);
//! a.logdet().backward();
//! assert_eq!(a.grad().unwrap().to_vec(), [0.375, -0.25, -0.25, 0.5]); // A⁻ᵀ
//! ```
//!
//! All axes but the last two count matrices. The rules are those of M. Giles, "Collected matrix derivative results for
//! forward and reverse mode algorithmic differentiation" (2008), and for Cholesky of I. Murray, "Differentiation of the
//! Cholesky decomposition" (2016), written with the operations of this file, so they can be differentiated again.
//!
//! A matrix without an inverse is a fault of the data, but there is no value to go on with: `inverse`, `solve` and
//! `cholesky` panic and name the matrix, as PyTorch raises an error. Determinants of singular matrices are 0 and have
//! gradients; `solve_triangular` divides by what is on the diagonal, as PyTorch does.

use super::registry::samples;
use crate::{
    graph::{
        Context, Cotangents, Gradient, Grads, Keep, Op, Variable,
        mode::line,
        op::Line,
        variable::{record, record_many},
    },
    kernel::factor::{self, Defect, Lu},
    scalar::{Float, float::compiled},
    tensor::{Dims, Tensor, TensorError, valid},
};
use std::borrow::Cow;

/// The matrices transposed.
#[track_caller]
fn t<T: Float>(x: &Variable<T>) -> Variable<T> {
    x.transpose(-1, -2)
}

/// The text about a matrix that cannot be inverted or factorised.
fn complain(operation: &str, defect: Defect, problem: &str, line: Line) -> ! {
    let Defect { matrix, order } = defect;
    panic!("{operation}: matrix {matrix} of the batch is {problem} (found at its pivot {order}) (at {line})")
}

/// X = A⁻¹.
struct Inverse;
impl<T: Float> Op<T> for Inverse {
    fn name(&self) -> &'static str {
        "inverse"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = x⁻¹; x̄ += −yᵀ·ȳ·yᵀ".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        // Ā = −Xᵀ·X̄·Xᵀ
        let inverse = t(&cx.output(0));
        Grads::one(-inverse.matmul(&g.only()).matmul(&inverse))
    }
}

fn inverse_at<T: Float>(a: &Variable<T>, line: Line) -> Variable<T> {
    let value = a.read();
    let lu = Lu::new(&value);
    if let Some(defect) = lu.singular() {
        complain("inverse", defect, "singular", line);
    }
    let inverse = lu.solve(&Tensor::eye(value.size(-1)), batch(value.dims()));
    record(Inverse, &[a], &[&value], inverse, Keep::outputs([0]), line)
}

/// det A.
struct Det;
impl<T: Float> Op<T> for Det {
    fn name(&self) -> &'static str {
        "det"
    }
    fn rule(&self) -> Cow<'static, str> {
        "y = det x; x̄ += ȳ·y·x⁻ᵀ".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        // Ā = d̄·d·A⁻ᵀ, which is d̄ times the cofactors; only these exist for a singular matrix.
        let (a, d) = (cx.input(0), cx.output(0));
        let singular = d.read().iter().any(|d| d == T::zero());
        let slopes = if singular { cofactors(&a) } else { d.unsqueeze(-1).unsqueeze(-1) * t(&a.inverse()) };
        Grads::one(g.only().unsqueeze(-1).unsqueeze(-1) * slopes)
    }
}

fn det_at<T: Float>(a: &Variable<T>, line: Line) -> Variable<T> {
    let value = a.read();
    let det = Lu::new(&value).determinant();
    record(Det, &[a], &[&value], det, Keep::inputs([0]).and(Keep::outputs([0])), line)
}

/// ∂det A/∂Aᵢⱼ: ± the determinant of A without row i and column j.
fn cofactors<T: Float>(a: &Variable<T>) -> Variable<T> {
    let shape = a.shape();
    let n = shape[shape.len() - 1];
    let without = |x: &Variable<T>, axis: isize, i: usize| {
        Variable::cat(&[x.narrow(axis, 0, i), x.narrow(axis, i + 1, n - i - 1)], axis)
    };
    let mut all = Vec::with_capacity(n * n);
    for i in 0..n {
        let rows = without(a, -2, i);
        for j in 0..n {
            let minor = without(&rows, -1, j).det();
            all.push(if (i + j) % 2 == 0 { minor } else { -minor });
        }
    }
    Variable::stack(&all, -1).reshape(shape)
}

/// The sign of det A and ln |det A|; the sign is constant wherever the logarithm is finite.
struct Slogdet;
impl<T: Float> Op<T> for Slogdet {
    fn name(&self) -> &'static str {
        "slogdet"
    }
    fn rule(&self) -> Cow<'static, str> {
        "(s, l) = sign and logarithm of |det a|; ā += l̄·a⁻ᵀ".into()
    }
    fn backward(&self, cx: &Context<'_, T>, mut g: Cotangents<T>) -> Grads<T> {
        // Ā = l̄·A⁻ᵀ
        Grads::one(match g.take(1) {
            Some(g) => Gradient::Whole(g.unsqueeze(-1).unsqueeze(-1) * t(&cx.input(0).inverse())),
            None => Gradient::None,
        })
    }
}

fn slogdet_at<T: Float>(a: &Variable<T>, line: Line) -> (Variable<T>, Variable<T>) {
    let value = a.read();
    let (sign, logarithm) = Lu::new(&value).sign_and_logarithm();
    let [_, logarithm] =
        record_many(Slogdet, &[a], &[&value], [sign.clone(), logarithm], Keep::inputs([0]), line);
    (Variable::new(sign), logarithm)
}

/// A·X = B.
struct Solve;
impl<T: Float> Op<T> for Solve {
    fn name(&self) -> &'static str {
        "solve"
    }
    fn rule(&self) -> Cow<'static, str> {
        "x = a⁻¹·b; ā += −a⁻ᵀ·x̄·xᵀ; b̄ += a⁻ᵀ·x̄".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        // B̄ = A⁻ᵀ·X̄ and Ā = −B̄·Xᵀ
        let b = t(&cx.input(0)).solve(&g.only());
        let a = cx.wants(0).then(|| -b.matmul(&t(&cx.output(0))));
        Grads::of([a, cx.wants(1).then_some(b)])
    }
}

fn solve_at<T: Float>(a: &Variable<T>, b: &Variable<T>, line: Line) -> Variable<T> {
    let (a_value, b_value) = (a.read(), b.read());
    let lu = Lu::new(&a_value);
    if let Some(defect) = lu.singular() {
        complain("solve", defect, "singular", line);
    }
    let batch = common_batch("solve", a_value.dims(), b_value.dims()).expect("checked by the caller");
    let x = lu.solve(&b_value, batch);
    let mut keep = Keep::inputs([0]);
    if a.needs_grad() {
        keep = keep.and(Keep::outputs([0]));
    }
    record(Solve, &[a, b], &[&a_value, &b_value], x, keep, line)
}

/// A·X = B for a triangular A.
#[derive(Clone, Copy)]
struct SolveTriangular {
    upper: bool,
    unit: bool,
}
impl SolveTriangular {
    /// What of a gradient belongs to the elements that are read.
    fn read_part<T: Float>(self, g: &Variable<T>) -> Variable<T> {
        match (self.upper, self.unit) {
            (true, unit) => g.triu(isize::from(unit)),
            (false, unit) => g.tril(-isize::from(unit)),
        }
    }
}
impl<T: Float> Op<T> for SolveTriangular {
    fn name(&self) -> &'static str {
        "solve_triangular"
    }
    fn rule(&self) -> Cow<'static, str> {
        "x = a⁻¹·b; ā += −a⁻ᵀ·x̄·xᵀ, its triangle; b̄ += a⁻ᵀ·x̄".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        // As for `Solve`, on the named triangle.
        let transposed = SolveTriangular { upper: !self.upper, unit: self.unit };
        let b = triangular_at(&t(&cx.input(0)), &g.only(), transposed, line());
        let a = cx.wants(0).then(|| self.read_part(&-b.matmul(&t(&cx.output(0)))));
        Grads::of([a, cx.wants(1).then_some(b)])
    }
}

fn triangular_at<T: Float>(a: &Variable<T>, b: &Variable<T>, op: SolveTriangular, line: Line) -> Variable<T> {
    let (a_value, b_value) = (a.read(), b.read());
    let batch =
        common_batch("solve_triangular", a_value.dims(), b_value.dims()).expect("checked by the caller");
    let x = factor::solve_triangular(&a_value, &b_value, batch, op.upper, op.unit);
    let mut keep = Keep::inputs([0]);
    if a.needs_grad() {
        keep = keep.and(Keep::outputs([0]));
    }
    record(op, &[a, b], &[&a_value, &b_value], x, keep, line)
}

/// L with L·Lᵀ = A, for symmetric A.
struct Cholesky;
impl<T: Float> Op<T> for Cholesky {
    fn name(&self) -> &'static str {
        "cholesky"
    }
    fn rule(&self) -> Cow<'static, str> {
        "l = cholesky(a), that is a = l·lᵀ; ā += l⁻ᵀ·Φ(lᵀ·l̄)·l⁻¹, made symmetric, Φ the lower triangle with half the diagonal".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        // S = L⁻ᵀ·Φ(Lᵀ·L̄)·L⁻¹, where Φ takes the lower triangle with half the diagonal; Ā is its symmetric part.
        let l = cx.output(0);
        let product = t(&l).matmul(&g.only());
        let phi = (product.tril(0) + product.tril(-1)) * 0.5;
        let left = t(&l).solve_triangular(&phi, Triangle::upper());
        let s = l.solve_triangular(&left, Triangle::lower().right());
        Grads::one((&s + t(&s)) * 0.5)
    }
}

fn cholesky_at<T: Float>(a: &Variable<T>, line: Line) -> Variable<T> {
    // The rule above is that of a symmetric argument; making it symmetric is an operation of its own.
    let value = a.read();
    let symmetric = (Variable::new((*value).clone()) + Variable::new(value.transpose(-1, -2))) * 0.5;
    match factor::cholesky(&symmetric.value()) {
        Ok(l) => record(Cholesky, &[a], &[&value], l, Keep::outputs([0]), line),
        Err(defect) => complain("cholesky", defect, "not positive definite", line),
    }
}

/// The axes before the last two.
fn batch(shape: Dims) -> Dims {
    Dims::new(&shape[..shape.len() - 2])
}

/// Refuses what is not a batch of square matrices.
fn square(operation: &'static str, shape: Dims) -> Result<(), TensorError> {
    match *shape {
        [.., rows, columns] if rows == columns => Ok(()),
        _ => Err(TensorError::argument(
            operation,
            &shape,
            "the last two axes must be those of square matrices",
        )),
    }
}

/// The batch of a system A·X = B with matrices on both sides, checked.
fn common_batch(operation: &'static str, a: Dims, b: Dims) -> Result<Dims, TensorError> {
    square(operation, a)?;
    let n = a[a.len() - 1];
    if b.len() < 2 || b[b.len() - 2] != n {
        let problem = format!("a system with matrices {a:?} takes right-hand sides [..., {n}, k]");
        return Err(TensorError::argument(operation, &b, problem));
    }
    batch(a).broadcast(&batch(b), operation)
}

/// Which triangle [`Variable::solve_triangular`] reads, and on which side of X it stands.
///
/// ```
/// use wengert_autograd::Triangle;
/// let options = Triangle::upper().right().unitriangular();
/// # let _ = options;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Triangle {
    upper: bool,
    right: bool,
    unit: bool,
}

impl Triangle {
    /// The lower triangle: A·X = B.
    pub fn lower() -> Self {
        Triangle { upper: false, right: false, unit: false }
    }
    /// The upper triangle: A·X = B.
    pub fn upper() -> Self {
        Triangle { upper: true, ..Triangle::lower() }
    }
    /// The triangle stands on the right: X·A = B.
    #[must_use]
    pub fn right(self) -> Self {
        Triangle { right: true, ..self }
    }
    /// The diagonal is taken as ones, and not read.
    #[must_use]
    pub fn unitriangular(self) -> Self {
        Triangle { unit: true, ..self }
    }
}

impl<T: Float> Variable<T> {
    /// The inverse matrices X with A·X = 1, `[…, n, n]`. Gradient: Ā = −Xᵀ·X̄·Xᵀ.
    ///
    /// To solve a system use [`solve`](Variable::solve): it is quicker and more exact.
    ///
    /// ```
    /// let a = wengert_autograd::Variable::from([[2.0_f32, 0.0], [0.0, 4.0]]);
    /// assert_eq!(a.inverse().value().to_vec(), [0.5, 0.0, 0.0, 0.25]);
    /// ```
    ///
    /// # Panics
    /// If the matrices are not square, or one is singular (a pivot of its LU factorisation is 0).
    #[track_caller]
    pub fn inverse(&self) -> Variable<T> {
        valid(square("inverse", self.shape()));
        let (a, line) = (self, line());
        compiled!(inverse_at(a: &Variable<T>, line: Line) -> Variable<T>)
    }

    /// The determinants of matrices `[…, n, n]`: `[…]`. Gradient: Ā = d̄·d·A⁻ᵀ, that is, d̄ times the cofactors, by which
    /// it is computed for singular matrices (n² determinants).
    ///
    /// ```
    /// let a = wengert_autograd::Variable::from([[2.0_f32, 5.0], [1.0, 3.0]]);
    /// assert_eq!(a.det().item(), 1.0);
    /// ```
    ///
    /// # Panics
    /// If the matrices are not square.
    #[track_caller]
    pub fn det(&self) -> Variable<T> {
        valid(square("det", self.shape()));
        let (a, line) = (self, line());
        compiled!(det_at(a: &Variable<T>, line: Line) -> Variable<T>)
    }

    /// ln det A for matrices `[…, n, n]`: `[…]`. NaN where the determinant is negative, −∞ where it is 0. Gradient:
    /// Ā = l̄·A⁻ᵀ.
    ///
    /// ```
    /// let a = wengert_autograd::Variable::from([[2.0_f64, 0.0], [0.0, 0.5]]);
    /// assert!(a.logdet().item().abs() < 1e-15);
    /// ```
    ///
    /// # Panics
    /// If the matrices are not square; and when the gradient is asked for at a singular one.
    #[track_caller]
    pub fn logdet(&self) -> Variable<T> {
        let (sign, logarithm) = self.slogdet();
        // The logarithm of a negative sign is NaN, of the sign 0 −∞ like the other's.
        if sign.read().iter().all(|sign| sign > T::zero()) { logarithm } else { logarithm + sign.ln() }
    }

    /// The sign of the determinant (−1, 0 or 1; it has no gradient) and ln |det A|, for matrices `[…, n, n]`: both
    /// `[…]`. Does not overflow where the determinant does. Gradient: Ā = l̄·A⁻ᵀ.
    ///
    /// ```
    /// let a = wengert_autograd::Variable::from([[0.0_f64, 1.0], [1.0, 0.0]]);
    /// let (sign, logarithm) = a.slogdet();
    /// assert_eq!((sign.item(), logarithm.item()), (-1.0, 0.0));
    /// ```
    ///
    /// # Panics
    /// If the matrices are not square; and when the gradient is asked for at a singular one.
    #[track_caller]
    pub fn slogdet(&self) -> (Variable<T>, Variable<T>) {
        valid(square("slogdet", self.shape()));
        let (a, line) = (self, line());
        compiled!(slogdet_at(a: &Variable<T>, line: Line) -> (Variable<T>, Variable<T>))
    }

    /// X with A·X = B, for matrices `[…, n, n]` and right-hand sides `[…, n, k]`, whose leading axes broadcast, or `[n]`.
    /// Gradients: B̄ = A⁻ᵀ·X̄, Ā = −B̄·Xᵀ.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// let a = Variable::from([[2.0_f32, 0.0], [0.0, 4.0]]);
    /// assert_eq!(a.solve(&Variable::from([2.0_f32, 2.0])).value().to_vec(), [1.0, 0.5]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not fit, or a matrix is singular (a pivot of its LU factorisation is 0).
    #[track_caller]
    pub fn solve(&self, b: &Variable<T>) -> Variable<T> {
        if b.rank() == 1 {
            return self.solve(&b.unsqueeze(-1)).squeeze(-1);
        }
        valid(common_batch("solve", self.shape(), b.shape()));
        let (a, line) = (self, line());
        compiled!(solve_at(a: &Variable<T>, b: &Variable<T>, line: Line) -> Variable<T>)
    }

    /// X with A·X = B (or X·A = B), where only one triangle of A is read, and the other taken as zeros.
    /// `[…, n, n]` and `[…, n, k]` (or `[…, k, n]`); leading axes broadcast. The gradient of what is not read is 0.
    ///
    /// ```
    /// use wengert_autograd::{Triangle, Variable};
    /// let a = Variable::from([[2.0_f32, f32::NAN], [1.0, 1.0]]);
    /// let b = Variable::from([[2.0_f32], [3.0]]);
    /// assert_eq!(a.solve_triangular(&b, Triangle::lower()).value().to_vec(), [1.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn solve_triangular(&self, b: &Variable<T>, triangle: Triangle) -> Variable<T> {
        let Triangle { upper, right, unit } = triangle;
        if right {
            // X·A = B is Aᵀ·Xᵀ = Bᵀ.
            if b.rank() < 2 {
                TensorError::argument(
                    "solve_triangular",
                    &b.shape(),
                    "the right-hand sides must be matrices",
                )
                .raise();
            }
            return t(&t(self).solve_triangular(&t(b), Triangle { upper: !upper, right: false, unit }));
        }
        valid(common_batch("solve_triangular", self.shape(), b.shape()));
        let (a, op, line) = (self, SolveTriangular { upper, unit }, line());
        compiled!(triangular_at(a: &Variable<T>, b: &Variable<T>, op: SolveTriangular, line: Line) -> Variable<T>)
    }

    /// The lower triangular L with L·Lᵀ = (A + Aᵀ)/2, for matrices `[…, n, n]`. The argument is made symmetric first, so
    /// that its gradient is: Ā = sym(L⁻ᵀ·Φ(Lᵀ·L̄)·L⁻¹), Φ the lower triangle with half the diagonal.
    ///
    /// ```
    /// let a = wengert_autograd::Variable::from([[4.0_f32, 2.0], [2.0, 2.0]]);
    /// assert_eq!(a.cholesky().value().to_vec(), [2.0, 0.0, 1.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If the matrices are not square, or one is not positive definite.
    #[track_caller]
    pub fn cholesky(&self) -> Variable<T> {
        valid(square("cholesky", self.shape()));
        let (a, line) = (self, line());
        compiled!(cholesky_at(a: &Variable<T>, line: Line) -> Variable<T>)
    }
}

samples! {
    inverse {
        "one" (a: invertible([3, 3])) => a.inverse();
        "a batch" (a: invertible([2, 2, 2])) => a.inverse();
        "a number" (a: nonzero([1, 1])) => a.inverse();
        "empty" (a: normal([0, 0])) => a.inverse();
        "no matrix" (a: normal([0, 2, 2])) => a.inverse();
        "not square" (a: normal([2, 3])) => a.inverse(), panics("must be those of square matrices");
        "singular" (a: values([2, 2, 2], &[1.0, 0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 4.0])) => a.inverse(),
            panics("inverse: matrix 1 of the batch is singular (found at its pivot 2)");
    }
    det {
        "one" (a: invertible([3, 3])) => a.det();
        "rows exchanged" (a: normal([3, 3])) => a.det();
        "a batch" (a: invertible([2, 1, 2, 2])) => a.det();
        "a number" (a: normal([1, 1])) => a.det();
        "singular" (a: values([2, 2], &[1.0, 2.0, 2.0, 4.0])) => a.det();
        "singular in a batch" (a: values([2, 2, 2], &[1.0, 0.0, 0.5, 1.0, 0.0, 0.0, 1.0, 2.0])) => a.det();
        "not square" (a: normal([2, 3])) => a.det(), panics("must be those of square matrices");
    }
    logdet {
        "one" (a: invertible([3, 3])) => a.logdet();
        "a batch" (a: invertible([2, 2, 2])) => a.logdet();
        "a row" (a: normal([3])) => a.logdet(), panics("must be those of square matrices");
    }
    slogdet {
        "one" (a: invertible([3, 3])) => a.slogdet().1;
        "negative" (a: values([2, 2], &[0.5, 2.0, 3.0, 1.0])) => a.slogdet().1;
        "a batch" (a: invertible([2, 2, 2])) => a.slogdet().1;
    }
    solve {
        "one" (a: invertible([3, 3]), b: normal([3, 2])) => a.solve(b);
        "a vector" (a: invertible([3, 3]), b: normal([3])) => a.solve(b);
        "one system, many sides" (a: invertible([2, 2]), b: normal([3, 2, 1])) => a.solve(b);
        "many systems, one side" (a: invertible([3, 2, 2]), b: normal([2, 2])) => a.solve(b);
        "no sides" (a: invertible([2, 2]), b: normal([2, 0])) => a.solve(b);
        "sizes differ" (a: normal([2, 2]), b: normal([3, 1])) => a.solve(b), panics("takes right-hand sides [..., 2, k]");
    }
    solve_triangular {
        "lower" (a: invertible([3, 3]), b: normal([3, 2])) => a.solve_triangular(b, Triangle::lower());
        "upper" (a: invertible([3, 3]), b: normal([3, 2])) => a.solve_triangular(b, Triangle::upper());
        "lower, of ones" (a: normal([3, 3]), b: normal([3, 2])) => a.solve_triangular(b, Triangle::lower().unitriangular());
        "upper, of ones" (a: normal([3, 3]), b: normal([3, 2])) => a.solve_triangular(b, Triangle::upper().unitriangular());
        "on the right" (a: invertible([3, 3]), b: normal([2, 3])) => a.solve_triangular(b, Triangle::lower().right());
        "batches" (a: invertible([2, 1, 2, 2]), b: normal([3, 2, 1])) => a.solve_triangular(b, Triangle::upper());
        "sizes differ" (a: normal([2, 2]), b: normal([3, 1])) => a.solve_triangular(b, Triangle::upper()),
            panics("takes right-hand sides [..., 2, k]");
    }
    cholesky {
        "one" (a: invertible([3, 3])) => a.cholesky();
        "a batch" (a: invertible([2, 2, 2])) => a.cholesky();
        "a number" (a: positive([1, 1])) => a.cholesky();
        "indefinite" (a: values([2, 2], &[1.0, 2.0, 2.0, 1.0])) => a.cholesky(),
            panics("cholesky: matrix 0 of the batch is not positive definite (found at its pivot 2)");
    }
}
