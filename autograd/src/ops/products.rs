//! Products by their special names: dot, outer, batched and added products, bilinear forms, Kronecker products, powers of
//! matrices, traces, and distances between all pairs of rows.
//!
//! ```
//! use wengert_autograd::Variable;
//!
//! let (x, y) = (Variable::from([1.0_f32, 2.0]), Variable::from([3.0_f32, 4.0]));
//! assert_eq!(x.dot(&y).item(), 11.0);
//! assert_eq!(x.outer(&y).value().to_vec(), [3.0, 4.0, 6.0, 8.0]);
//! ```
//!
//! Nothing here has a rule or a loop of its own: all are compositions of products, views and formulas.

use super::{
    elementwise::{apply_at, one},
    registry::samples,
};
use crate::{
    IntoAxes,
    graph::{Variable, mode::line, op::Line},
    scalar::{Float, Formula, Real, float::compiled},
    tensor::{Dims, Tensor, TensorError},
};

/// beta·x + alpha·y.
#[derive(Clone, Copy)]
struct Combination {
    beta: f64,
    alpha: f64,
}
impl Formula<2> for Combination {
    fn name(&self) -> &'static str {
        "combination"
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [x, y]: [R; 2]) -> [R; 1] {
        [x * R::constant(self.beta) + y * R::constant(self.alpha)]
    }
}

/// |x|ᵖ, with slope 0 at 0 whatever p is.
#[derive(Clone, Copy)]
struct PowerOfSize(f64);
impl Formula<1> for PowerOfSize {
    fn name(&self) -> &'static str {
        "power_of_size"
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [x]: [R; 1]) -> [R; 1] {
        [zero_at_zero(x.abs(), |x| x.powf(R::constant(self.0)))]
    }
}

/// √x, with slope 0 at 0.
#[derive(Clone, Copy)]
struct RootOfSum;
impl Formula<1> for RootOfSum {
    fn name(&self) -> &'static str {
        "root_of_sum"
    }
    #[inline(always)]
    fn eval<R: Real>(&self, [x]: [R; 1]) -> [R; 1] {
        [zero_at_zero(x, R::sqrt)]
    }
}

/// f(x), but 0 with slope 0 at x = 0, where f is given a 1 instead.
#[inline(always)]
fn zero_at_zero<R: Real>(x: R, f: impl Fn(R) -> R) -> R {
    let zero = R::constant(0.0);
    let safe = R::select(x.eq(zero), R::constant(1.0), x);
    R::select(x.eq(zero), zero, f(safe))
}

fn combine<T: Float>(x: &Variable<T>, y: &Variable<T>, beta: f64, alpha: f64, line: Line) -> Variable<T> {
    one(apply_at(Combination { beta, alpha }, [x, y], line))
}
fn power_of_size<T: Float>(x: &Variable<T>, p: f64, line: Line) -> Variable<T> {
    one(apply_at(PowerOfSize(p), [x], line))
}
fn root_of_sum<T: Float>(x: &Variable<T>, line: Line) -> Variable<T> {
    one(apply_at(RootOfSum, [x], line))
}

/// Refuses shapes that have not so many axes.
#[track_caller]
fn expect_ranks<T: Float, const N: usize>(
    operation: &'static str,
    operands: [&Variable<T>; N],
    rank: usize,
    what: &str,
) {
    for operand in operands {
        if operand.rank() != rank {
            TensorError::argument(operation, &operand.shape(), format!("{what} wanted")).raise();
        }
    }
}

impl<T: Float> Variable<T> {
    /// Σ xᵢ·yᵢ of two vectors of one length.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// assert_eq!(Variable::from([1.0_f32, 2.0]).dot(&Variable::from([3.0_f32, 4.0])).item(), 11.0);
    /// ```
    ///
    /// # Panics
    /// If they are not vectors of one length.
    #[track_caller]
    pub fn dot(&self, other: &Variable<T>) -> Variable<T> {
        expect_ranks("dot", [self, other], 1, "a vector is");
        self.matmul(other)
    }

    /// xᵢ·yⱼ of two vectors: a matrix `[n, m]`.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// assert_eq!(Variable::ones([2]).outer(&Variable::ones([3])).shape(), [2, 3]);
    /// ```
    ///
    /// # Panics
    /// If they are not vectors.
    #[track_caller]
    pub fn outer(&self, other: &Variable<T>) -> Variable<T> {
        expect_ranks("outer", [self, other], 1, "a vector is");
        self.unsqueeze(1).matmul(&other.unsqueeze(0))
    }

    /// The products of two batches of matrices, `[b, n, m]` and `[b, m, p]`. [`matmul`](Variable::matmul) takes more.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// assert_eq!(Variable::ones([4, 2, 3]).bmm(&Variable::ones([4, 3, 5])).shape(), [4, 2, 5]);
    /// ```
    ///
    /// # Panics
    /// If they have not three axes, or batch or inner sizes differ.
    #[track_caller]
    pub fn bmm(&self, other: &Variable<T>) -> Variable<T> {
        expect_ranks("bmm", [self, other], 3, "a batch of matrices [b, n, m] is");
        let (count, others) = (self.shape()[0], other.shape()[0]);
        if count != others {
            let problem = format!("{count} matrices against {others} of {:?}", other.shape());
            TensorError::argument("bmm", &self.shape(), problem).raise();
        }
        self.matmul(other)
    }

    /// beta·x + alpha·(A·B), for matrices A and B; x broadcasts to the product's shape. With beta = 0, x is not read.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// let (x, a) = (Variable::ones([2]), Variable::ones([2, 2]));
    /// assert_eq!(x.addmm(&a, &a, 1.0, 0.5).value().to_vec(), [2.0; 4]); // alpha = 0.5
    /// ```
    ///
    /// # Panics
    /// If A and B are not matrices with a product, or x does not broadcast to it.
    #[track_caller]
    pub fn addmm(&self, a: &Variable<T>, b: &Variable<T>, beta: f64, alpha: f64) -> Variable<T> {
        expect_ranks("addmm", [a, b], 2, "a matrix is");
        self.add_product("addmm", a.matmul(b), beta, alpha)
    }

    /// beta·x + alpha·(A·B), for batches of matrices `[b, n, m]` and `[b, m, p]`; see [`addmm`](Variable::addmm).
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// let (x, a) = (Variable::ones([1]), Variable::ones([3, 2, 2]));
    /// assert_eq!(x.baddbmm(&a, &a, -1.0, 1.0).value().to_vec(), [1.0; 12]);
    /// ```
    ///
    /// # Panics
    /// If A and B are not batches of matrices with a product, or x does not broadcast to it.
    #[track_caller]
    pub fn baddbmm(&self, a: &Variable<T>, b: &Variable<T>, beta: f64, alpha: f64) -> Variable<T> {
        self.add_product("baddbmm", a.bmm(b), beta, alpha)
    }

    #[track_caller]
    fn add_product(
        &self,
        operation: &'static str,
        product: Variable<T>,
        beta: f64,
        alpha: f64,
    ) -> Variable<T> {
        let (shape, wide) = (self.shape(), product.shape());
        if !shape.broadcasts_to(&wide) {
            TensorError::argument(
                operation,
                &shape,
                format!("it does not broadcast to the product's {wide:?}"),
            )
            .raise();
        }
        if beta == 0.0 {
            return product * alpha;
        }
        let (x, y, line) = (self, &product, line());
        compiled!(combine(x: &Variable<T>, y: &Variable<T>, beta: f64, alpha: f64, line: Line) -> Variable<T>)
    }

    /// The bilinear layer yₒ = xᵀ·Wₒ·z + bₒ: `self` `[…, in₁]`, `other` `[…, in₂]` with the same leading axes,
    /// `weight` `[out, in₁, in₂]`, `bias` `[out]`; the result `[…, out]`.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// let (x, z) = (Variable::ones([5, 2]), Variable::ones([5, 3]));
    /// assert_eq!(x.bilinear(&z, &Variable::ones([4, 2, 3]), None).value().to_vec(), [6.0; 20]);
    /// ```
    ///
    /// # Panics
    /// If the shapes are not these.
    #[track_caller]
    pub fn bilinear(
        &self,
        other: &Variable<T>,
        weight: &Variable<T>,
        bias: Option<&Variable<T>>,
    ) -> Variable<T> {
        expect_ranks("bilinear", [weight], 3, "a weight [out, in1, in2] is");
        let (a, b, weights) = (self.shape(), other.shape(), weight.shape());
        let [out, left, right] = [weights[0], weights[1], weights[2]];
        let fits = |shape: Dims, size: usize| shape.last() == Some(&size);
        if !fits(a, left) || !fits(b, right) || a[..a.len() - 1] != b[..b.len() - 1] {
            let problem = format!(
                "with {b:?} and the weight {weights:?}: [..., in1], [..., in2], [out, in1, in2] wanted"
            );
            TensorError::argument("bilinear", &a, problem).raise();
        }
        let rows: usize = a[..a.len() - 1].iter().product();
        // First the sum over in1, for all rows and outputs in one product, then that over in2.
        let table = weight.permute(&[1, 0, 2]).reshape([left, out * right]);
        let partial = self.reshape([rows, left]).matmul(&table).reshape([rows, out, right]);
        let y = partial.matmul(&other.reshape([rows, right, 1]));
        let y = y.reshape(a.with(a.len() - 1, out));
        match bias {
            Some(bias) => y + bias,
            None => y,
        }
    }

    /// The sum of a matrix's diagonal.
    ///
    /// ```
    /// let x = wengert_autograd::Variable::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.trace().item(), 5.0);
    /// ```
    ///
    /// # Panics
    /// If there are more or fewer than two axes.
    #[track_caller]
    pub fn trace(&self) -> Variable<T> {
        expect_ranks("trace", [self], 2, "a matrix is");
        self.diagonal(0, 0, 1).sum()
    }

    /// The Kronecker product: for matrices, the block matrix of xᵢⱼ·Y. The shorter shape gets axes of size 1 in front; up
    /// to three axes.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// let (x, y) = (Variable::from([1.0_f32, 10.0]), Variable::from([1.0_f32, 2.0]));
    /// assert_eq!(x.kron(&y).value().to_vec(), [1.0, 2.0, 10.0, 20.0]);
    /// ```
    ///
    /// # Panics
    /// If there are more than three axes.
    #[track_caller]
    pub fn kron(&self, other: &Variable<T>) -> Variable<T> {
        let rank = self.rank().max(other.rank());
        if rank > 3 {
            let problem = format!("with {:?}: at most three axes are possible", other.shape());
            TensorError::argument("kron", &self.shape(), problem).raise();
        }
        // Axes of both alternate: x gets an axis of size 1 after each of its own, y one before.
        let (mut wide, mut narrow, mut result) = (Vec::new(), Vec::new(), Vec::new());
        for axis in 0..rank {
            let size = |shape: Dims| (axis + shape.len()).checked_sub(rank).map_or(1, |own| shape[own]);
            let (a, b) = (size(self.shape()), size(other.shape()));
            wide.extend([a, 1]);
            narrow.extend([1, b]);
            result.push(a * b);
        }
        (self.reshape(wide) * other.reshape(narrow)).reshape(result)
    }

    /// Aⁿ for square matrices `[…, n, n]`, by repeated squaring; negative powers are those of the inverse, and A⁰ is the
    /// identity, which depends on nothing.
    ///
    /// ```
    /// let a = wengert_autograd::Variable::from([[1.0_f32, 1.0], [0.0, 1.0]]);
    /// assert_eq!(a.matrix_power(5).value().to_vec(), [1.0, 5.0, 0.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If the matrices are not square, or, for a negative power, one is singular.
    #[track_caller]
    pub fn matrix_power(&self, n: i32) -> Variable<T> {
        let shape = self.shape();
        let size = match *shape {
            [.., rows, columns] if rows == columns => rows,
            _ => TensorError::argument(
                "matrix_power",
                &shape,
                "the last two axes must be those of square matrices",
            )
            .raise(),
        };
        if n < 0 {
            return self.inverse().positive_power(n.unsigned_abs());
        }
        if n == 0 {
            return Variable::new(Tensor::eye(size).broadcast_to(shape).contiguous());
        }
        self.positive_power(n.unsigned_abs())
    }

    #[track_caller]
    fn positive_power(&self, mut n: u32) -> Variable<T> {
        let (mut square, mut power) = (self.clone(), None::<Variable<T>>);
        loop {
            if n & 1 == 1 {
                power = Some(match power {
                    Some(power) => power.matmul(&square),
                    None => square.clone(),
                });
            }
            n >>= 1;
            if n == 0 {
                return power.expect("n is at least 1");
            }
            square = square.matmul(&square);
        }
    }

    /// The distances (Σ |xᵢ − yᵢ|ᵖ)^(1/p) between all rows of `[…, n, d]` and all of `[…, m, d]`: `[…, n, m]`. `p` may be
    /// infinite: the greatest difference. The differences are formed (they take n·m·d numbers), so that close rows have
    /// exact distances. The gradient at distance 0 is 0.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// let (x, y) = (Variable::from([[0.0_f32, 0.0]]), Variable::from([[3.0_f32, 4.0], [1.0, 0.0]]));
    /// assert_eq!(x.cdist(&y, 2.0).value().to_vec(), [5.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If there are fewer than two axes, the last sizes differ, leading axes do not broadcast, or p is not positive.
    #[track_caller]
    pub fn cdist(&self, other: &Variable<T>, p: f64) -> Variable<T> {
        let (a, b) = (self.shape(), other.shape());
        if a.len() < 2 || b.len() < 2 || a[a.len() - 1] != b[b.len() - 1] {
            TensorError::argument("cdist", &a, format!("with {b:?}: [..., n, d] and [..., m, d] wanted"))
                .raise();
        }
        if p.is_nan() || p <= 0.0 {
            TensorError::argument("cdist", &a, format!("p must be positive, it is {p}")).raise();
        }
        let difference = self.unsqueeze(-2) - other.unsqueeze(-3);
        if p == 1.0 {
            return difference.abs().sum_axes(-1, false);
        }
        if p.is_infinite() {
            return difference.abs().amax_axes(-1, false);
        }
        let line = line();
        if p == 2.0 {
            let x = &difference.square().sum_axes(-1, false);
            return compiled!(root_of_sum(x: &Variable<T>, line: Line) -> Variable<T>);
        }
        let x = &difference;
        let x =
            &compiled!(power_of_size(x: &Variable<T>, p: f64, line: Line) -> Variable<T>).sum_axes(-1, false);
        let p = 1.0 / p;
        compiled!(power_of_size(x: &Variable<T>, p: f64, line: Line) -> Variable<T>)
    }

    /// The vector product along an axis of size 3: x×y, at right angles to both. The other axes broadcast.
    /// Gradients: x̄ = y×ḡ, ȳ = ḡ×x.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// let (x, y) = (Variable::from([1.0_f32, 0.0, 0.0]), Variable::from([0.0_f32, 1.0, 0.0]));
    /// assert_eq!(x.cross(&y, 0).value().to_vec(), [0.0, 0.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If the axis is out of range in one of them or has not size 3 in both, or the other axes do not broadcast.
    #[track_caller]
    pub fn cross(&self, other: &Variable<T>, axis: isize) -> Variable<T> {
        for shape in [self.shape(), other.shape()] {
            let position = shape.axis("cross", axis);
            if shape[position] != 3 {
                TensorError::argument("cross", &shape, format!("axis {position} must have size 3")).raise();
            }
        }
        // xᵢ₊₁·yᵢ₊₂ − xᵢ₊₂·yᵢ₊₁, counted round.
        self.roll(-1, axis) * other.roll(-2, axis) - self.roll(-2, axis) * other.roll(-1, axis)
    }

    /// Σ over pairs of axes: axis `axes.0[k]` of x with axis `axes.1[k]` of y. The result has the other axes of x, then the
    /// other axes of y. One matrix product, whatever the axes.
    ///
    /// ```
    /// use wengert_autograd::Variable;
    /// let (x, y) = (Variable::ones([2, 3, 4]), Variable::ones([4, 3, 5]));
    /// let z = x.tensordot(&y, (&[1, 2], &[1, 0]));
    /// assert_eq!((z.shape().to_vec(), z.value().to_vec()[0]), (vec![2, 5], 12.0));
    /// ```
    ///
    /// # Panics
    /// If an axis is out of range or named twice, the lists differ in length, or the sizes of a pair differ.
    #[track_caller]
    pub fn tensordot(&self, other: &Variable<T>, axes: (&[isize], &[isize])) -> Variable<T> {
        let (a, b) = (self.shape(), other.shape());
        let summed = [axes.0.into_axes(a, "tensordot"), axes.1.into_axes(b, "tensordot")];
        let wrong = |problem: String| TensorError::argument("tensordot", &a, problem);
        if axes.0.len() != axes.1.len() {
            wrong(format!("the axes {:?} and {:?} are no pairs", axes.0, axes.1)).raise();
        }
        let pairs: Vec<(usize, usize)> = axes
            .0
            .iter()
            .zip(axes.1)
            .map(|(&left, &right)| (a.axis("tensordot", left), b.axis("tensordot", right)))
            .collect();
        if let Some((left, right)) = pairs.iter().find(|(left, right)| a[*left] != b[*right]) {
            wrong(format!("axis {left} has size {}, axis {right} of {b:?} size {}", a[*left], b[*right]))
                .raise();
        }
        let others = |shape: Dims, summed: u32| (0..shape.len()).filter(move |axis| summed >> axis & 1 == 0);
        let kept = (others(a, summed[0]), others(b, summed[1]));
        let left = kept.0.clone().chain(pairs.iter().map(|pair| pair.0)).map(|axis| axis as isize);
        let right = pairs.iter().map(|pair| pair.1).chain(kept.1.clone()).map(|axis| axis as isize);
        let (left, right): (Vec<isize>, Vec<isize>) = (left.collect(), right.collect());
        let shape: Vec<usize> = kept.0.map(|axis| a[axis]).chain(kept.1.map(|axis| b[axis])).collect();
        let count: usize = pairs.iter().map(|(axis, _)| a[*axis]).product();
        let [rows, columns] = [a, b].map(|shape| shape.count() / count.max(1));
        let (x, y) =
            (self.permute(&left).reshape([rows, count]), other.permute(&right).reshape([count, columns]));
        x.matmul(&y).reshape(shape)
    }

    /// The exponential Σ Aᵏ/k! of square matrices `[…, n, n]`: scaled to a norm below ½, by the Padé quotient of degree 6,
    /// and squared back (C. Moler and C. Van Loan, "Nineteen dubious ways to compute the exponential of a matrix", 1978).
    /// The gradient is that of these products.
    ///
    /// ```
    /// let a = wengert_autograd::Variable::from([[0.0_f64, 1.0], [0.0, 0.0]]);
    /// assert_eq!(a.matrix_exp().value().to_vec(), [1.0, 1.0, 0.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If the matrices are not square.
    #[track_caller]
    pub fn matrix_exp(&self) -> Variable<T> {
        let shape = self.shape();
        let Some(&[rows, columns]) = shape.last_chunk().filter(|[rows, columns]| rows == columns) else {
            TensorError::argument("matrix_exp", &shape, "the last two axes must be those of square matrices")
                .raise()
        };
        // The greatest sum of sizes in a row bounds every eigenvalue.
        let norms = self.detach().abs().sum_axes(-1, false).value();
        let norm = norms.greatest().map_or(0.0, |norm| norm.to_f64());
        let halvings =
            if norm.is_finite() { (norm.log2().ceil() + 1.0).clamp(0.0, 1100.0) as i32 } else { 0 };
        let a = self * 2.0_f64.powi(-halvings);
        let one = Variable::new(Tensor::eye(rows).reshape([rows, columns]));
        // The quotient p(A)/p(−A), p(A) = Σ cₖ·Aᵏ: even and odd powers apart, so that both share the products.
        let square = a.matmul(&a);
        let fourth = square.matmul(&square);
        let sixth = fourth.matmul(&square);
        let even = &one + &square * (5.0 / 44.0) + &fourth * (1.0 / 792.0) + sixth * (1.0 / 665_280.0);
        let odd = a.matmul(&(one * 0.5 + square * (1.0 / 66.0) + fourth * (1.0 / 15_840.0)));
        let mut power = (&even - &odd).solve(&(even + odd));
        for _ in 0..halvings {
            power = power.matmul(&power);
        }
        power
    }
}

samples! {
    dot {
        "vectors" (x: normal([4]), y: normal([4])) => x.dot(y);
        "of nothing" (x: normal([0]), y: normal([0])) => x.dot(y);
        "matrices" (x: normal([2, 2]), y: normal([2])) => x.dot(y), panics("dot: a vector is wanted");
    }
    outer {
        "vectors" (x: normal([2]), y: normal([3])) => x.outer(y);
        "with nothing" (x: normal([2]), y: normal([0])) => x.outer(y);
    }
    bmm {
        "batch" (x: normal([2, 2, 3]), y: normal([2, 3, 2])) => x.bmm(y);
        "no broadcasting" (x: normal([2, 2, 3]), y: normal([1, 3, 2])) => x.bmm(y), panics("2 matrices against 1");
    }
    addmm {
        "row" (x: normal([2]), a: normal([3, 2]), b: normal([2, 2])) => x.addmm(a, b, 0.5, -2.0);
        "whole" (x: normal([3, 2]), a: normal([3, 2]), b: normal([2, 2])) => x.addmm(a, b, 1.0, 1.0);
        "without x" (x: normal([2]).constant(), a: normal([3, 2]), b: normal([2, 2])) => x.addmm(a, b, 0.0, 3.0);
        "too wide" (x: normal([4, 3, 2]), a: normal([3, 2]), b: normal([2, 2])) => x.addmm(a, b, 1.0, 1.0),
            panics("does not broadcast to the product's [3, 2]");
    }
    baddbmm {
        "batch" (x: normal([2, 1, 2]), a: normal([2, 3, 2]), b: normal([2, 2, 2])) => x.baddbmm(a, b, 0.5, -2.0);
    }
    bilinear {
        "rows" (x: normal([3, 2]), z: normal([3, 3]), w: normal([2, 2, 3]), b: normal([2])) => x.bilinear(z, w, Some(b));
        "without bias" (x: normal([2]), z: normal([3]), w: normal([2, 2, 3])) => x.bilinear(z, w, None);
        "two leading axes" (x: normal([2, 1, 2]), z: normal([2, 1, 2]), w: normal([1, 2, 2])) => x.bilinear(z, w, None);
        "sizes differ" (x: normal([3, 2]), z: normal([2, 3]), w: normal([2, 2, 3])) => x.bilinear(z, w, None),
            panics("[..., in1], [..., in2], [out, in1, in2] wanted");
    }
    trace {
        "square" (x: normal([3, 3])) => x.trace();
        "wide" (x: normal([2, 4])) => x.trace();
        "a vector" (x: normal([2])) => x.trace(), panics("trace: a matrix is wanted");
    }
    kron {
        "vectors" (x: normal([2]), y: normal([3])) => x.kron(y);
        "matrices" (x: normal([2, 2]), y: normal([1, 3])) => x.kron(y);
        "ranks differ" (x: normal([2]), y: normal([2, 2, 2])) => x.kron(y);
        "four axes" (x: normal([1, 1, 1, 1]), y: normal([1])) => x.kron(y), panics("at most three axes");
    }
    matrix_power {
        "third" (x: normal([2, 2])) => x.matrix_power(3);
        "first" (x: normal([2, 2])) => x.matrix_power(1);
        "inverse square" (x: invertible([2, 2, 2])) => x.matrix_power(-2);
        "not square" (x: normal([2, 3])) => x.matrix_power(2), panics("must be those of square matrices");
    }
    cdist {
        "euclidean" (x: normal([3, 2]), y: normal([2, 2])) => x.cdist(y, 2.0);
        "manhattan" (x: distinct([2, 2]), y: distinct([3, 2])) => x.cdist(&(y + 0.05), 1.0);
        "greatest" (x: values([2, 2], &[0.0, 3.0, 5.0, -1.0]), y: values([2, 2], &[0.5, 1.0, -2.0, 0.25])) => x.cdist(y, f64::INFINITY);
        "third power, batches" (x: normal([2, 2, 2]), y: normal([2, 2])) => x.cdist(y, 3.0);
        "no p" (x: normal([2, 2]), y: normal([2, 2])) => x.cdist(y, 0.0), panics("p must be positive, it is 0");
    }
    cross {
        "vectors" (x: normal([3]), y: normal([3])) => x.cross(y, 0);
        "columns" (x: normal([3, 2]), y: normal([3, 1])) => x.cross(y, 0);
        "in the plane" (x: normal([2]), y: normal([2])) => x.cross(y, 0), panics("axis 0 must have size 3");
    }
    tensordot {
        "two axes" (x: normal([2, 3, 2]), y: normal([2, 3, 2])) => x.tensordot(y, (&[1, 2], &[1, 0]));
        "none" (x: normal([2]), y: normal([3])) => x.tensordot(y, (&[], &[]));
        "all" (x: normal([2, 3]), y: normal([3, 2])) => x.tensordot(y, (&[0, 1], &[-1, 0]));
        "sizes differ" (x: normal([2, 3]), y: normal([2, 3])) => x.tensordot(y, (&[0], &[1])),
            panics("tensordot: ");
    }
    matrix_exp {
        "small" (x: uniform(-0.1, 0.1, [3, 3])) => x.matrix_exp();
        "large" (x: normal([2, 2])) => x.matrix_exp();
        "a batch" (x: normal([2, 2, 2])) => x.matrix_exp();
        "nothing" (x: values([2, 2], &[0.0, 0.0, 0.0, 0.0])) => x.matrix_exp();
        "not square" (x: normal([2, 3])) => x.matrix_exp(), panics("must be those of square matrices");
    }
}
