//! Factorisations with orthogonal factors: QR, eigenvalues and eigenvectors of symmetric matrices, singular values; and
//! what is solved by them: least squares and the pseudoinverse.
//!
//! ```
//! use wengert_autograd::Variable;
//!
//! let a = Variable::from([[2.0_f64, 1.0], [1.0, 2.0]]).requires_grad();
//! let (values, _) = a.eigh();
//! assert!((values.value().to_vec()[1] - 3.0).abs() < 1e-12);
//! values.select(0, -1).backward(); // the gradient of an eigenvalue is v·vᵀ
//! assert!(a.grad().unwrap().iter().all(|g| (g - 0.5).abs() < 1e-12));
//! ```
//!
//! All axes but the last two count matrices. The rules are those of M. Giles, "Collected matrix derivative results for
//! forward and reverse mode algorithmic differentiation" (2008), of J. Townsend, "Differentiating the singular value
//! decomposition" (2016), and of G. H. Golub and V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least
//! squares problems whose variables separate" (1973), written with variables, so they can be differentiated again.
//!
//! Eigenvectors and singular vectors have a derivative only where no two of the values are equal; of equal ones the
//! rules take none from the other. The sign of a vector is free; here its element of greatest size is positive. What
//! does not depend on such choices (values, projections, products) has gradients that do not either.

use super::{mask::quotient_or_zero, registry::samples};
use crate::{
    graph::{
        Context, Cotangents, Grads, Keep, Op, Variable,
        mode::{line, on_behalf_of},
        op::Line,
        variable::{record, record_many},
    },
    kernel::orthogonal,
    ops::Triangle,
    scalar::{Float, float::compiled},
    tensor::{Dims, Tensor, TensorError},
};
use std::borrow::Cow;

/// The matrices transposed.
#[track_caller]
fn t<T: Float>(x: &Variable<T>) -> Variable<T> {
    x.transpose(-1, -2)
}

/// Vectors as diagonal matrices.
fn diagonal_matrix<T: Float>(x: &Variable<T>) -> Variable<T> {
    x.unsqueeze(-2) * Variable::new(Tensor::eye(x.shape()[x.rank() - 1]))
}

/// 1/(xⱼ − xᵢ), and 0 where both are equal.
fn reciprocal_gaps<T: Float>(x: &Variable<T>) -> Variable<T> {
    let gaps = x.unsqueeze(-2) - x.unsqueeze(-1);
    quotient_or_zero(&Variable::new(Tensor::ones(gaps.shape())), &gaps)
}

/// A = Q·R.
struct Qr;
impl<T: Float> Op<T> for Qr {
    fn name(&self) -> &'static str {
        "qr"
    }
    fn rule(&self) -> Cow<'static, str> {
        "(q, r) = qr(a), that is a = q·r; ā += (q̄ + q·s)·r⁻ᵀ, s the lower triangle of r·r̄ᵀ − q̄ᵀ·q, mirrored"
            .into()
    }
    fn backward(&self, cx: &Context<'_, T>, mut g: Cotangents<T>) -> Grads<T> {
        // Ā = (Q̄ + Q·S)·R⁻ᵀ, where S is M = R·R̄ᵀ − Q̄ᵀ·Q with its lower triangle mirrored to the upper one.
        let (q, r) = (cx.output(0), cx.output(1));
        let (from_q, from_r) = (g.take(0), g.take(1));
        let first = from_r.map(|g| r.matmul(&t(&g)));
        let second = from_q.as_ref().map(|g| -t(g).matmul(&q));
        let m = match (first, second) {
            (Some(first), Some(second)) => first + second,
            (first, second) => first.or(second).expect("a cotangent of one of the outputs"),
        };
        let mirrored = q.matmul(&(m.tril(0) + t(&m.tril(-1))));
        let sum = match from_q {
            Some(g) => g + mirrored,
            None => mirrored,
        };
        Grads::one(t(&r).solve_triangular(&sum, Triangle::lower().right()))
    }
}

fn qr_at<T: Float>(a: &Variable<T>, line: Line) -> [Variable<T>; 2] {
    let value = a.read();
    let (q, r) = orthogonal::qr(&value);
    record_many(Qr, &[a], &[&value], [q, r], Keep::outputs([0, 1]), line)
}

/// A = V·diag(w)·Vᵀ, for symmetric A.
struct Eigh;
impl<T: Float> Op<T> for Eigh {
    fn name(&self) -> &'static str {
        "eigh"
    }
    fn rule(&self) -> Cow<'static, str> {
        "(w, v) = eigh(a), that is a = v·diag(w)·vᵀ; ā += v·(diag(w̄) + F∘(vᵀ·v̄))·vᵀ, made symmetric, F the reciprocal gaps of w".into()
    }
    fn backward(&self, cx: &Context<'_, T>, mut g: Cotangents<T>) -> Grads<T> {
        // Ā = V·(diag(w̄) + F∘(Vᵀ·V̄))·Vᵀ with Fᵢⱼ = 1/(wⱼ − wᵢ); its symmetric part, since A is symmetric.
        let (w, v) = (cx.output(0), cx.output(1));
        let of_values = g.take(0).map(|g| diagonal_matrix(&g));
        let of_vectors = g.take(1).map(|g| t(&v).matmul(&g) * reciprocal_gaps(&w));
        let inner = match (of_values, of_vectors) {
            (Some(a), Some(b)) => a + b,
            (a, b) => a.or(b).expect("a cotangent of one of the outputs"),
        };
        let whole = v.matmul(&inner).matmul(&t(&v));
        Grads::one((&whole + t(&whole)) * 0.5)
    }
}

fn eigh_at<T: Float>(a: &Variable<T>, line: Line) -> [Variable<T>; 2] {
    // The rule above is that of a symmetric argument; making it symmetric is an operation of its own.
    let value = a.read();
    let (w, v) = orthogonal::eigh(&((&*value + value.transpose(-1, -2)) * 0.5));
    record_many(Eigh, &[a], &[&value], [w, v], Keep::outputs([0, 1]), line)
}

/// A = U·diag(s)·Vᵀ.
struct Svd;
impl<T: Float> Op<T> for Svd {
    fn name(&self) -> &'static str {
        "svd"
    }
    fn rule(&self) -> Cow<'static, str> {
        "(u, s, v) = svd(a), that is a = u·diag(s)·vᵀ; ā += u·diag(s̄)·vᵀ, and what turns u and v".into()
    }
    fn backward(&self, cx: &Context<'_, T>, mut g: Cotangents<T>) -> Grads<T> {
        // With Fᵢⱼ = 1/(sⱼ² − sᵢ²): Ā = U·diag(s̄)·Vᵀ + (U·(F∘(UᵀŪ − ŪᵀU))·S + (1 − U·Uᵀ)·Ū·S⁻¹)·Vᵀ, and the same with U
        // and V exchanged, transposed.
        let (u, s, v) = (cx.output(0), cx.output(1), cx.output(2));
        let (from_u, from_s, from_v) = (g.take(0), g.take(1), g.take(2));
        let row = s.unsqueeze(-2);
        let side = |x: &Variable<T>, g: Variable<T>| {
            let product = t(x).matmul(&g);
            let within = x.matmul(&((&product - t(&product)) * reciprocal_gaps(&s.square()))) * &row;
            let beyond = &g - x.matmul(&product);
            within + quotient_or_zero(&beyond, &row.broadcast_to(beyond.shape()))
        };
        let parts = [
            from_s.map(|g| (&u * g.unsqueeze(-2)).matmul(&t(&v))),
            from_u.map(|g| side(&u, g).matmul(&t(&v))),
            from_v.map(|g| u.matmul(&t(&side(&v, g)))),
        ];
        let sum = parts.into_iter().flatten().reduce(|a, b| a + b);
        Grads::one(sum.expect("a cotangent of one of the outputs"))
    }
}

fn svd_at<T: Float>(a: &Variable<T>, line: Line) -> [Variable<T>; 3] {
    let value = a.read();
    let outputs = orthogonal::svd(&value);
    record_many(Svd, &[a], &[&value], outputs, Keep::outputs([0, 1, 2]), line)
}

/// X = A⁺.
struct Pinverse;
impl<T: Float> Op<T> for Pinverse {
    fn name(&self) -> &'static str {
        "pinverse"
    }
    fn rule(&self) -> Cow<'static, str> {
        "x = a⁺; ā += −xᵀ·x̄·xᵀ + (1 − a·x)·x̄ᵀ·x·xᵀ + xᵀ·x·x̄ᵀ·(1 − x·a)".into()
    }
    fn backward(&self, cx: &Context<'_, T>, g: Cotangents<T>) -> Grads<T> {
        // Ā = −Xᵀ·X̄·Xᵀ + (1 − A·X)·X̄ᵀ·X·Xᵀ + Xᵀ·X·X̄ᵀ·(1 − X·A)
        let (a, x, g) = (cx.input(0), cx.output(0), g.only());
        let (xt, gt) = (t(&x), t(&g));
        let beside = gt.matmul(&x).matmul(&xt);
        let above = xt.matmul(&x).matmul(&gt);
        let left = &beside - a.matmul(&x).matmul(&beside);
        let right = &above - above.matmul(&x).matmul(&a);
        Grads::one(left + right - xt.matmul(&g).matmul(&xt))
    }
}

fn pinverse_at<T: Float>(a: &Variable<T>, cutoff: f64, line: Line) -> Variable<T> {
    let value = a.read();
    let [u, s, v] = orthogonal::svd(&value);
    let greatest = s.greatest().map_or(0.0, |s| s.to_f64());
    let inverted = |s: T| if s.to_f64() > cutoff * greatest { T::one() / s } else { T::zero() };
    let [u, v, s] = [u, v, s.map(inverted)].map(Variable::new);
    let inverse = (v * s.unsqueeze(-2)).matmul(&t(&u)).value();
    record(Pinverse, &[a], &[&value], inverse, Keep::inputs([0]).and(Keep::outputs([0])), line)
}

/// Refuses what is no batch of matrices, or has more columns than rows where that is not possible.
#[track_caller]
fn matrices(operation: &'static str, shape: Dims, tall: bool) {
    match *shape {
        [.., rows, columns] if !tall || rows >= columns => {}
        [.., _, _] => {
            TensorError::argument(operation, &shape, "at least as many rows as columns are wanted").raise()
        }
        _ => TensorError::argument(operation, &shape, "matrices [..., m, n] are wanted").raise(),
    }
}

impl<T: Float> Variable<T> {
    /// Q `[…, m, n]` with orthonormal columns and R `[…, n, n]`, upper triangular with a positive diagonal, with Q·R = A, for
    /// matrices `[…, m, n]` of full rank with m ≥ n. Gradient: Ā = (Q̄ + Q·S)·R⁻ᵀ, S the lower triangle of R·R̄ᵀ − Q̄ᵀ·Q,
    /// mirrored.
    ///
    /// ```
    /// let a = wengert_autograd::Variable::from([[3.0_f64, 1.0], [4.0, 2.0]]);
    /// let (q, r) = a.qr();
    /// assert!(q.matmul(&r).value().allclose(&a.value(), 1e-12, 0.0));
    /// ```
    ///
    /// # Panics
    /// If there are fewer than two axes, or more columns than rows.
    #[track_caller]
    pub fn qr(&self) -> (Variable<T>, Variable<T>) {
        matrices("qr", self.shape(), true);
        let (a, line) = (self, line());
        let [q, r] = compiled!(qr_at(a: &Variable<T>, line: Line) -> [Variable<T>; 2]);
        (q, r)
    }

    /// x with the least ‖A·x − b‖², for matrices A `[…, m, n]` of full rank with m ≥ n and right-hand sides `[…, m, k]`, by
    /// QR: R·x = Qᵀ·b. The gradient is that of these steps.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// let a = Variable::from([[1.0_f64, 0.0], [1.0, 1.0], [1.0, 2.0]]); // a line through (0, 1), (1, 3), (2, 5)
    /// let x = a.lstsq(&Variable::from([[1.0], [3.0], [5.0]]));
    /// assert!(x.value().allclose(&wengert_autograd::tensor![f64; [1.0], [2.0]], 1e-12, 0.0));
    /// ```
    ///
    /// # Panics
    /// If there are fewer than two axes, more columns than rows, or other numbers of rows on both sides.
    #[track_caller]
    pub fn lstsq(&self, b: &Variable<T>) -> Variable<T> {
        matrices("lstsq", self.shape(), true);
        let (q, r) = self.qr();
        r.solve_triangular(&t(&q).matmul(b), Triangle::upper())
    }

    /// The eigenvalues `[…, n]` of symmetric matrices `[…, n, n]` in ascending order, and their vectors, the columns of
    /// `[…, n, n]`; NaN comes last. The argument is made symmetric first, (A + Aᵀ)/2, so that its gradient is:
    /// Ā = V·(diag(w̄) + F∘(Vᵀ·V̄))·Vᵀ with Fᵢⱼ = 1/(wⱼ − wᵢ), and 0 where both are equal.
    ///
    /// ```
    /// let a = wengert_autograd::Variable::from([[2.0_f64, 0.0], [0.0, -1.0]]);
    /// let (values, vectors) = a.eigh();
    /// assert_eq!((values.value().to_vec(), vectors.value().to_vec()), (vec![-1.0, 2.0], vec![0.0, 1.0, 1.0, 0.0]));
    /// ```
    ///
    /// # Panics
    /// If the matrices are not square.
    #[track_caller]
    pub fn eigh(&self) -> (Variable<T>, Variable<T>) {
        let shape = self.shape();
        if !matches!(*shape, [.., rows, columns] if rows == columns) {
            let problem = "the last two axes must be those of square matrices";
            TensorError::argument("eigh", &shape, problem).raise();
        }
        let (a, line) = (self, line());
        let [w, v] = compiled!(eigh_at(a: &Variable<T>, line: Line) -> [Variable<T>; 2]);
        (w, v)
    }

    /// U `[…, m, k]`, the singular values `[…, k]` in descending order (NaN last), and V `[…, n, k]`, with A = U·diag(s)·Vᵀ, for
    /// matrices `[…, m, n]` and k the smaller of m and n. (PyTorch's `svd`, without `full_matrices`, returns Vᵀ.) Gradient:
    /// that of the values is U·diag(s̄)·Vᵀ; that of the vectors exists where no two values are equal and none is 0.
    ///
    /// ```
    /// let a = wengert_autograd::Variable::from([[0.0_f64, 3.0], [2.0, 0.0], [0.0, 0.0]]);
    /// let (u, s, v) = a.svd();
    /// assert_eq!(s.value().to_vec(), [3.0, 2.0]);
    /// let product = (u * s.unsqueeze(0)).matmul(&v.t());
    /// assert!(product.value().allclose(&a.value(), 1e-12, 1e-12));
    /// ```
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn svd(&self) -> (Variable<T>, Variable<T>, Variable<T>) {
        matrices("svd", self.shape(), false);
        let (a, line) = (self, line());
        let [u, s, v] = compiled!(svd_at(a: &Variable<T>, line: Line) -> [Variable<T>; 3]);
        (u, s, v)
    }

    /// The pseudoinverse (Moore and Penrose) X of matrices `[…, m, n]`: `[…, n, m]`, the inverse where there is one. Singular
    /// values up to `cutoff` times the greatest (of the batch) count as 0; 10⁻¹⁵ is PyTorch's. Gradient:
    /// Ā = −Xᵀ·X̄·Xᵀ + (1 − A·X)·X̄ᵀ·X·Xᵀ + Xᵀ·X·X̄ᵀ·(1 − X·A), as long as the rank does not change.
    ///
    /// ```
    /// let a = wengert_autograd::Variable::from([[2.0_f64, 0.0], [0.0, 0.0]]);
    /// assert_eq!(a.pinverse(1e-15).value().to_vec(), [0.5, 0.0, 0.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn pinverse(&self, cutoff: f64) -> Variable<T> {
        matrices("pinverse", self.shape(), false);
        let (a, line) = (self, line());
        on_behalf_of(line, || compiled!(pinverse_at(a: &Variable<T>, cutoff: f64, line: Line) -> Variable<T>))
    }
}

samples! {
    qr {
        "square" (a: invertible([3, 3])) => a.qr();
        "tall" (a: values([3, 2], &[1.0, 0.5, -0.3, 2.0, 0.8, 0.1])) => a.qr();
        "one of both" (a: invertible([2, 2, 2])) => a.qr().1;
        "empty" (a: normal([0, 2, 2])) => a.qr();
        "wide" (a: normal([2, 3])) => a.qr(), panics("qr: at least as many rows as columns");
    }
    lstsq {
        "tall" (a: values([3, 2], &[1.0, 0.5, -0.3, 2.0, 0.8, 0.1]), b: normal([3, 1])) => a.lstsq(b);
        "a batch" (a: invertible([2, 2, 2]), b: normal([2, 2, 2])) => a.lstsq(b);
        "wide" (a: normal([2, 3]), b: normal([2, 1])) => a.lstsq(b), panics("lstsq: at least as many rows as columns");
    }
    eigh {
        "values apart" (a: values([3, 3], &[2.0, 0.3, -0.2, 0.3, 1.0, 0.1, -0.2, 0.1, -0.5])) => a.eigh();
        "a batch" (a: values([2, 2, 2], &[2.0, 0.3, 0.3, 1.0, -1.0, 0.5, 0.5, 1.0])) => a.eigh();
        "values alone" (a: invertible([3, 3])) => a.eigh().0;
        "empty" (a: normal([0, 0])) => a.eigh();
        "not square" (a: normal([2, 3])) => a.eigh(), panics("eigh: the last two axes");
    }
    svd {
        "tall" (a: values([3, 2], &[1.0, 0.5, -0.3, 2.0, 0.8, 0.1])) => a.svd();
        "wide" (a: values([2, 3], &[1.0, 0.5, -0.3, 2.0, 0.8, 0.1])) => a.svd();
        "a batch" (a: values([2, 2, 2], &[2.0, 0.3, 0.1, 1.0, -1.0, 0.5, 0.2, 3.0])) => a.svd();
        "values alone" (a: normal([3, 3])) => a.svd().1;
        "a vector" (a: normal([3])) => a.svd(), panics("svd: matrices [..., m, n] are wanted");
    }
    pinverse {
        "tall" (a: values([3, 2], &[1.0, 0.5, -0.3, 2.0, 0.8, 0.1])) => a.pinverse(1e-15);
        "wide" (a: values([2, 3], &[1.0, 0.5, -0.3, 2.0, 0.8, 0.1])) => a.pinverse(1e-15);
        "square" (a: invertible([2, 2, 2])) => a.pinverse(1e-15);
        "a vector" (a: normal([3])) => a.pinverse(1e-15), panics("pinverse: matrices [..., m, n] are wanted");
    }
}
