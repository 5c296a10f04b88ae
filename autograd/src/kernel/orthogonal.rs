//! Factorisations with orthogonal factors, for small dense matrices: QR, eigenvalues of symmetric matrices, singular values.
//!
//! Jacobi's method for the last two: rotations of two columns at a time until all are at right angles. It is not the
//! quickest for large matrices, but the most exact one for small values, short, and the same steps every time
//! (J. Demmel and K. Veselić, "Jacobi's method is more accurate than QR", 1992). Columns are stored one after the other,
//! so that all inner loops run along memory.

use crate::{
    scalar::Float,
    tensor::{Dims, Tensor, order::ascending},
};

/// Sweeps over all pairs of columns; ten are enough for well-formed numbers, and NaN must come to an end as well.
const SWEEPS: usize = 60;

/// The columns of each matrix of a batch, one after the other.
fn columns<T: Float>(a: &Tensor<T>) -> Tensor<T> {
    a.transpose(-1, -2).contiguous()
}

/// Matrices from their columns: `count` columns of `rows` numbers each.
fn from_columns<T: Float>(data: Vec<T>, batch: Dims, rows: usize, count: usize) -> Tensor<T> {
    let shape = batch.with_pushed(count).with_pushed(rows);
    Tensor::from_vec(data, shape).expect("as many columns as were made").transpose(-1, -2).contiguous()
}

fn batch(shape: Dims) -> Dims {
    Dims::new(&shape[..shape.len() - 2])
}

fn dot<T: Float>(x: &[T], y: &[T]) -> T {
    x.iter().zip(y).fold(T::zero(), |sum, (&x, &y)| sum + x * y)
}

/// Columns `p` < `q` of a matrix with `rows` rows.
fn pair<T>(columns: &mut [T], rows: usize, p: usize, q: usize) -> (&mut [T], &mut [T]) {
    let (front, back) = columns.split_at_mut(q * rows);
    (&mut front[p * rows..][..rows], &mut back[..rows])
}

/// (x, y) becomes (c·x − s·y, s·x + c·y).
fn rotate<T: Float>((x, y): (&mut [T], &mut [T]), c: T, s: T) {
    for (x, y) in x.iter_mut().zip(y) {
        (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
    }
}

/// Cosine and sine of the smaller angle that makes `between`, the element between two of sizes `a` and `b`, vanish.
fn rotation<T: Float>(a: T, b: T, between: T) -> (T, T) {
    let one = T::one();
    let zeta = (b - a) / (between + between);
    let sign = if zeta < T::zero() { -one } else { one };
    let tangent = sign / (num_traits::Float::abs(zeta) + num_traits::Float::hypot(one, zeta));
    let cosine = one / num_traits::Float::hypot(one, tangent);
    (cosine, cosine * tangent)
}

/// Turns a column so that its element of greatest size is positive: the sign, which is free, is always the same.
fn is_turned<T: Float>(column: &[T]) -> bool {
    let larger =
        |best: T, &x: &T| if num_traits::Float::abs(x) > num_traits::Float::abs(best) { x } else { best };
    column.iter().fold(T::zero(), larger) < T::zero()
}

fn negate<T: Float>(column: &mut [T]) {
    column.iter_mut().for_each(|x| *x = -*x);
}

/// Q with orthonormal columns and R upper triangular with a diagonal that is not negative, A = Q·R; A `[…, m, n]` has at
/// least as many rows as columns. Gram and Schmidt's way, twice ("twice is enough", W. Kahan).
pub(crate) fn qr<T: Float>(a: &Tensor<T>) -> (Tensor<T>, Tensor<T>) {
    let (shape, mut q) = (a.dims(), columns(a));
    let (m, n) = (a.size(-2), a.size(-1));
    let mut r = vec![T::zero(); shape.count() / (m * n).max(1) * n * n];
    if !a.is_empty() {
        for (q, r) in q.make_mut().chunks_exact_mut(m * n).zip(r.chunks_exact_mut(n * n)) {
            for k in 0..n {
                let (done, column) = q.split_at_mut(k * m);
                let column = &mut column[..m];
                for _ in 0..2 {
                    for (j, before) in done.chunks_exact(m).enumerate() {
                        let along = dot(before, column);
                        r[k * n + j] = r[k * n + j] + along;
                        column.iter_mut().zip(before).for_each(|(x, &y)| *x = *x - along * y);
                    }
                }
                let length = num_traits::Float::sqrt(dot(column, column));
                r[k * n + k] = length;
                if length > T::zero() {
                    column.iter_mut().for_each(|x| *x = *x / length);
                }
            }
        }
    }
    (q.transpose(-1, -2).contiguous(), from_columns(r, batch(shape), n, n))
}

/// The eigenvalues of symmetric matrices `[…, n, n]` in ascending order, and their vectors as columns.
pub(crate) fn eigh<T: Float>(a: &Tensor<T>) -> (Tensor<T>, Tensor<T>) {
    let (shape, n) = (a.dims(), a.size(-1));
    let count = shape.count() / (n * n).max(1);
    let (mut values, mut vectors) = (Vec::with_capacity(count * n), Vec::with_capacity(count * n * n));
    let packed = a.contiguous();
    for matrix in packed.as_slice().expect("packed above").chunks_exact((n * n).max(1)) {
        let (mut a, mut v) = (matrix.to_vec(), identity(n));
        for _ in 0..SWEEPS {
            let mut turned = false;
            for p in 0..n {
                for q in p + 1..n {
                    let (app, aqq, apq) = (a[p * n + p], a[q * n + q], a[p * n + q]);
                    let sizes = num_traits::Float::abs(app) + num_traits::Float::abs(aqq);
                    if num_traits::Float::abs(apq) <= T::epsilon() * sizes * T::from_f64(0.01)
                        || apq == T::zero()
                    {
                        continue;
                    }
                    turned = true;
                    let (c, s) = rotation(app, aqq, apq);
                    rotate(pair(&mut a, n, p, q), c, s);
                    for row in a.chunks_exact_mut(n) {
                        (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
                    }
                    rotate(pair(&mut v, n, p, q), c, s);
                }
            }
            if !turned {
                break;
            }
        }
        for i in ascending((0..n).map(|i| Float::to_f64(a[i * n + i]))) {
            values.push(a[i * n + i]);
            let column = &mut v[i * n..][..n];
            if is_turned(column) {
                negate(column);
            }
            vectors.extend_from_slice(column);
        }
    }
    let values = Tensor::from_vec(values, batch(shape).with_pushed(n)).expect("one for each column");
    (values, from_columns(vectors, batch(shape), n, n))
}

/// U, the singular values in descending order, and V, with A = U·diag(s)·Vᵀ and as many columns as the smaller side of A
/// has. Columns of U (or V, for a wide A) whose singular value is 0 are 0.
pub(crate) fn svd<T: Float>(a: &Tensor<T>) -> [Tensor<T>; 3] {
    let shape = a.dims();
    let (m, n) = (a.size(-2), a.size(-1));
    if m < n {
        let [v, s, u] = svd(&a.transpose(-1, -2));
        return [u, s, v];
    }
    let (mut u, mut s, mut v) = (Vec::new(), Vec::new(), Vec::new());
    let packed = columns(a);
    for matrix in packed.as_slice().expect("packed above").chunks_exact((m * n).max(1)) {
        let (mut turned, mut right) = (matrix.to_vec(), identity(n));
        for _ in 0..SWEEPS {
            let mut any = false;
            for p in 0..n {
                for q in p + 1..n {
                    let (x, y) = pair(&mut turned, m, p, q);
                    let (a, b, between) = (dot(x, x), dot(y, y), dot(x, y));
                    if num_traits::Float::abs(between) <= T::epsilon() * num_traits::Float::sqrt(a * b)
                        || between == T::zero()
                    {
                        continue;
                    }
                    any = true;
                    let (c, sine) = rotation(a, b, between);
                    rotate((x, y), c, sine);
                    rotate(pair(&mut right, n, p, q), c, sine);
                }
            }
            if !any {
                break;
            }
        }
        let sizes: Vec<T> =
            turned.chunks_exact(m.max(1)).map(|x| num_traits::Float::sqrt(dot(x, x))).collect();
        for i in ascending(sizes.iter().map(|&size| -Float::to_f64(size))) {
            let (left, right) = (&mut turned[i * m..][..m], &mut right[i * n..][..n]);
            if sizes[i] > T::zero() {
                left.iter_mut().for_each(|x| *x = *x / sizes[i]);
            }
            if is_turned(right) {
                negate(left);
                negate(right);
            }
            s.push(sizes[i]);
            u.extend_from_slice(left);
            v.extend_from_slice(right);
        }
    }
    let s = Tensor::from_vec(s, batch(shape).with_pushed(n)).expect("one for each column");
    [from_columns(u, batch(shape), m, n), s, from_columns(v, batch(shape), n, n)]
}

/// The columns of the identity.
fn identity<T: Float>(n: usize) -> Vec<T> {
    (0..n * n).map(|at| if at % (n + 1) == 0 { T::one() } else { T::zero() }).collect()
}
