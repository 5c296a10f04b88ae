//! Principal component analysis, the simple method for images.

use wengert::{Triangle, prelude::*};

/// The mean of the rows, and the orthogonal directions along which they vary most.
pub(crate) struct Pca {
    mean: Variable,
    /// \[features, components\].
    directions: Variable,
}

impl Pca {
    /// The `components` first directions of rows \[rows, features\], by orthogonal iteration (Golub and Van Loan, "Matrix
    /// computations", section 8.2.4) on the covariance matrix, in f64.
    pub(crate) fn fit(rows: &Tensor, components: usize) -> Pca {
        no_grad(|| {
            let (count, features) = (rows.shape()[0], rows.shape()[1]);
            let x = Variable::new(rows.clone());
            let mean = x.mean_axes(0, false);
            let centred = &x - &mean;
            let covariance =
                Variable::new((centred.t().matmul(&centred) * (1.0 / count as f64)).value().cast::<f64>());
            let mut generator = wengert::tensor::Generator::new(0);
            // Some directions more than are asked for make it converge faster.
            let width = (2 * components).min(features);
            let mut q = orthogonal(&Variable::new(Tensor::<f64>::randn([features, width], &mut generator)));
            for _ in 0..60 {
                q = orthogonal(&covariance.matmul(&q));
            }
            // The columns come in order of the variance along them.
            let directions = Variable::new(q.narrow(1, 0, components).value().cast());
            Pca { mean, directions }
        })
    }

    /// The rows as the components have them: m + (x − m)·V·Vᵀ.
    pub(crate) fn reconstruct(&self, rows: &Tensor) -> Tensor {
        no_grad(|| {
            let centred = Variable::new(rows.clone()) - &self.mean;
            (centred.matmul(&self.directions).matmul(&self.directions.t()) + &self.mean).value()
        })
    }
}

/// An orthonormal basis of the columns, the first k of it a basis of the first k of them: Z·L⁻ᵀ for ZᵀZ = L·Lᵀ, twice,
/// since once loses digits.
fn orthogonal(z: &Variable<f64>) -> Variable<f64> {
    let once = |z: &Variable<f64>| {
        let factor = z.t().matmul(z).cholesky();
        factor.solve_triangular(&z.t(), Triangle::lower()).t()
    };
    once(&once(z))
}
