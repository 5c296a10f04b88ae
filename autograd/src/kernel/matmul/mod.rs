//! Matrix products: of matrices, of vectors, of batches that broadcast; from views, without copies.
//!
//! [`matmul`] is the product of tensors by the rules of NumPy and PyTorch; [`gemm_into`] the product of matrices
//! somewhere in memory, for kernels that have their own layout (convolution, attention, recurrent layers).
//!
//! | file | |
//! |---|---|
//! | `product` | one product: which method suits its size |
//! | `vector` | a matrix times a vector |
//! | `blocked` | everything larger: parts for threads, blocks for caches |
//! | `pack` | how blocks are copied so that tiles read them from end to end |
//! | `tile` | a tile of the result, summed in registers |
//!
//! A batch times one matrix is one tall product. Any other batch is spread over threads product by product where there
//! are enough of them, and each product over threads where there are not; that makes no difference to the bits.

mod blocked;
mod pack;
mod product;
mod tile;
mod vector;

pub(crate) use product::{Matrix, Sizes, gemm_into};

use crate::{
    kernel::{parallel, reduce::in_chunks},
    scalar::Float,
    tensor::{Dims, Fresh, Tensor, TensorError, valid},
};

/// What a product of two shapes comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) sizes: Sizes,
    /// The common batch axes, in front of the matrices'.
    pub(crate) batch: Dims,
    /// The shape of the result: the batch, then `m` and `n`, without those that a vector did not have.
    pub(crate) shape: Dims,
}

impl Plan {
    /// The plan for `a · b`: a vector on the left is a row, on the right a column, and batch axes broadcast.
    pub(crate) fn new(operation: &'static str, a: Dims, b: Dims) -> Result<Plan, TensorError> {
        for (operand, shape) in [("left", a), ("right", b)] {
            if shape.is_empty() {
                let problem = format!("the {operand} operand of {a:?} · {b:?} is a scalar; multiply with *");
                return Err(TensorError::argument(operation, &shape, problem));
            }
        }
        let (a_matrix, b_matrix) = (a.len() > 1, b.len() > 1);
        let k = a[a.len() - 1];
        let inner = if b_matrix { b[b.len() - 2] } else { b[0] };
        if k != inner {
            let transposing_helps = b_matrix && b[b.len() - 1] == k;
            return Err(TensorError::Product {
                operation,
                left: a.to_vec(),
                right: b.to_vec(),
                left_size: k,
                right_size: inner,
                cure: match b.len() {
                    2 if transposing_helps => "; did you mean w.t()?",
                    _ if transposing_helps => "; did you mean w.transpose(-1, -2)?",
                    _ => "",
                },
            });
        }
        let batch_of = |shape: Dims| Dims::new(&shape[..shape.len().saturating_sub(2)]);
        let (a_batch, b_batch) = (batch_of(a), batch_of(b));
        let batch = a_batch.broadcast(&b_batch, operation).map_err(|error| match error {
            // The matrices' own axes belong to the message.
            TensorError::Broadcast { operation, axis, left_size, right_size, .. } => TensorError::Broadcast {
                operation,
                left: a.to_vec(),
                right: b.to_vec(),
                axis: axis - 2,
                left_size,
                right_size,
            },
            other => other,
        })?;
        let (mut m, mut n, mut shape) = (1, 1, batch);
        if a_matrix {
            m = a[a.len() - 2];
            shape = shape.with_pushed(m);
        }
        if b_matrix {
            n = b[b.len() - 1];
            shape = shape.with_pushed(n);
        }
        Ok(Plan { sizes: Sizes { m, n, k }, batch, shape })
    }
}

/// The product of two tensors: matrices, vectors or batches of matrices.
///
/// # Panics
/// If the shapes do not fit.
#[track_caller]
pub(crate) fn matmul<T: Float>(a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
    let plan = valid(Plan::new("matmul", a.dims(), b.dims()));
    product(plan, a, b, Fresh::new(plan.shape), false)
}

/// Numbers of a result that one thread begins as the bias at a time.
const BIAS_BLOCK: usize = 16 * 1024;

/// x · weightᵀ + bias: a product whose result begins as the bias.
///
/// The caller has checked that x is [..., in], weight [out, in] and bias [out].
pub(crate) fn linear<T: Float>(x: &Tensor<T>, weight: &Tensor<T>, bias: Option<&Tensor<T>>) -> Tensor<T> {
    let weight = weight.t();
    let plan = valid(Plan::new("linear", x.dims(), weight.dims()));
    let mut out = Fresh::new(plan.shape);
    if let Some(bias) = bias {
        let bias = bias.contiguous();
        let bias = bias.as_slice().expect("packed above");
        if !bias.is_empty() {
            let rows = (BIAS_BLOCK / bias.len()).max(1);
            let cost = plan.shape.count() as f64 * 0.1;
            in_chunks(out.as_uninit_slice(), rows * bias.len(), cost, |_, out| {
                for row in out.chunks_exact_mut(bias.len()) {
                    for (place, &value) in row.iter_mut().zip(bias) {
                        place.write(value);
                    }
                }
            });
        }
    }
    product(plan, x, &weight, out, bias.is_some())
}

/// Writes a planned product into `out`, or adds it to what the caller wrote there.
fn product<T: Float>(
    plan: Plan,
    a: &Tensor<T>,
    b: &Tensor<T>,
    mut out: Fresh<T>,
    accumulate: bool,
) -> Tensor<T> {
    let Plan { mut sizes, mut batch, .. } = plan;
    let tall;
    let mut a = a;
    if b.rank() <= 2 && a.rank() > 2 && !a.is_empty() {
        // A batch times one matrix is one tall matrix times it.
        sizes.m *= batch.count();
        batch = Dims::default();
        tall = a.reshape([sizes.m, sizes.k]);
        a = &tall;
    }
    if sizes.m * sizes.n * batch.count() > 0 {
        let c = Matrix::row_major(out.as_mut_ptr(), sizes.n);
        let (a_matrix, b_matrix) = (matrix(a, true), matrix(b, false));
        // SAFETY: the plan made sure that the operands have these sizes, and `out` has room for all products, which are
        // disjoint parts of it; where they are added to it, the caller has written it.
        unsafe {
            if batch.is_empty() {
                gemm_into(c, a_matrix, b_matrix, sizes, accumulate, true);
            } else {
                let (a_strides, b_strides) = (batch_strides(a, batch.len()), batch_strides(b, batch.len()));
                let (a, b) = (a_matrix, b_matrix);
                Batched { batch, sizes, c, a, b, a_strides, b_strides, accumulate }.run();
            }
        }
    }
    // SAFETY: the products wrote every element, or there are none.
    unsafe { out.assume_init() }
}

/// The last two axes of a tensor; a vector is a row or a column.
fn matrix<T: Float>(x: &Tensor<T>, vector_is_row: bool) -> Matrix<*const T> {
    let (row, column) = match (x.strides(), vector_is_row) {
        (&[.., row, column], _) => (row, column),
        (&[stride], true) => (0, stride),
        (&[stride], false) => (stride, 0),
        ([], _) => unreachable!("a plan refuses scalars"),
    };
    Matrix { data: x.data_ptr(), row, column }
}

/// The strides of a tensor along the `rank` axes of the common batch: 0 where it is repeated.
fn batch_strides<T: Float>(x: &Tensor<T>, rank: usize) -> Dims {
    let mut strides = Dims::filled(rank, 0);
    let own = x.rank().saturating_sub(2);
    for back in 1..=own {
        if x.shape()[own - back] != 1 {
            strides[rank - back] = x.strides()[own - back];
        }
    }
    strides
}

/// Products of one size for each index of a batch.
struct Batched<T> {
    batch: Dims,
    sizes: Sizes,
    c: Matrix<*mut T>,
    a: Matrix<*const T>,
    b: Matrix<*const T>,
    a_strides: Dims,
    b_strides: Dims,
    accumulate: bool,
}

// SAFETY: threads write disjoint parts of C and only read A and B.
unsafe impl<T: Send + Sync> Sync for Batched<T> {}

/// Nanoseconds that a product takes before it has multiplied anything, and that a group of products should take.
const OVERHEAD: f64 = 50.0;
const GROUP: f64 = 4000.0;

impl<T: Float> Batched<T> {
    /// All products.
    ///
    /// # Safety
    /// At each index of the batch there must be matrices A and B of these sizes; C is packed and belongs to the caller.
    unsafe fn run(&self) {
        let count = self.batch.count();
        if count < 4 {
            // SAFETY: by the caller.
            (0..count).for_each(|index| unsafe { self.one(index, true) });
            return;
        }
        let each = self.sizes.nanoseconds() + OVERHEAD;
        let group = (GROUP / each).max(1.0) as usize;
        parallel::for_each_block(count.div_ceil(group), each * count as f64, |block| {
            for index in block * group..count.min((block + 1) * group) {
                // SAFETY: by the caller; each index is in one block.
                unsafe { self.one(index, false) };
            }
        });
    }

    /// The product at one index of the batch, counted in row-major order.
    ///
    /// # Safety
    /// As [`run`](Self::run), for an index within the batch.
    unsafe fn one(&self, index: usize, spread: bool) {
        let (mut rest, mut a_at, mut b_at) = (index, 0, 0);
        for axis in (0..self.batch.len()).rev() {
            let i = rest % self.batch[axis];
            rest /= self.batch[axis];
            a_at += i * self.a_strides[axis];
            b_at += i * self.b_strides[axis];
        }
        // Empty operands have no place to point into.
        let a = Matrix { data: self.a.data.wrapping_add(a_at), ..self.a };
        let b = Matrix { data: self.b.data.wrapping_add(b_at), ..self.b };
        // SAFETY: by the caller, the matrices at this index lie within the tensors.
        unsafe {
            let c = Matrix { data: self.c.data.add(index * self.sizes.m * self.sizes.n), ..self.c };
            gemm_into(c, a, b, self.sizes, self.accumulate, spread);
        }
    }
}
