//! [`Init`]: the first values of parameters.
//!
//! ```
//! use wengert_autograd::{Tensor, tensor::Generator};
//! use wengert_nn::{Fan, Init, Nonlinearity, Linear};
//!
//! let relu = Init::KaimingNormal { fan: Fan::In, gain: Nonlinearity::Relu.gain() };
//! let weight: Tensor = relu.tensor([128, 784], &mut Generator::new(1));
//! let layer = Linear::new(784, 128);
//! relu.fill(&layer.weight); // from the process's generator
//! # let _ = weight;
//! ```
//!
//! A weight's shape is `[out, in]` for a linear layer and `[out, in / groups, kernel …]` for a convolution. Its *fans*
//! are how many numbers each output is computed from, fan in = in · kernel elements, and into how many each input goes,
//! fan out = out · kernel elements. Xavier Glorot and Yoshua Bengio (2010) and Kaiming He and others (2015) chose the
//! spread so that signals (fan in) or gradients (fan out) neither grow nor fade from layer to layer; the *gain* makes
//! up for what the nonlinearity between the layers takes away.

use rand::RngExt;
use wengert_autograd::{
    Float, Tensor, Variable, split_generator,
    tensor::{Dims, Generator, IntoShape},
};

/// Which fan a spread is chosen for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fan {
    /// Numbers that an output is computed from: keeps the variance of signals.
    #[default]
    In,
    /// Numbers that an input goes into: keeps the variance of gradients.
    Out,
}

/// What stands after a layer, for its [`gain`](Nonlinearity::gain).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Nonlinearity {
    /// Nothing, or a linear layer or a convolution: 1.
    Linear,
    /// The logistic function: 1.
    Sigmoid,
    /// tanh: 5/3.
    Tanh,
    /// relu: √2.
    Relu,
    /// Leaky relu of this slope below 0: √(2/(1 + slope²)).
    LeakyRelu(f64),
    /// SELU: 3/4.
    Selu,
}

impl Nonlinearity {
    /// The factor by which weights are drawn wider; the values are PyTorch's.
    pub fn gain(self) -> f64 {
        match self {
            Nonlinearity::Linear | Nonlinearity::Sigmoid => 1.0,
            Nonlinearity::Tanh => 5.0 / 3.0,
            Nonlinearity::Relu => std::f64::consts::SQRT_2,
            Nonlinearity::LeakyRelu(slope) => (2.0 / (1.0 + slope * slope)).sqrt(),
            Nonlinearity::Selu => 0.75,
        }
    }
}

/// Fan in and fan out of a weight of this shape.
///
/// # Panics
/// If there are fewer than two axes.
#[track_caller]
pub fn fans(shape: &[usize]) -> (usize, usize) {
    assert!(
        shape.len() >= 2,
        "init: fans need a weight of two or more axes, [out, in, kernel …], not {shape:?}"
    );
    let kernel: usize = shape[2..].iter().product();
    (shape[1] * kernel, shape[0] * kernel)
}

/// A way to choose first values; see the [module documentation](self).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Init {
    /// One value throughout.
    Constant(f64),
    /// Uniform in [low, high).
    Uniform {
        /// The least value.
        low: f64,
        /// The end of the range.
        high: f64,
    },
    /// Normal.
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        std: f64,
    },
    /// Normal, but no value outside [low, high]: the others are drawn again.
    TruncatedNormal {
        /// The mean before truncation.
        mean: f64,
        /// The standard deviation before truncation.
        std: f64,
        /// The least value.
        low: f64,
        /// The greatest value.
        high: f64,
    },
    /// Uniform in ±gain·√(6/(fan in + fan out)) (Glorot and Bengio 2010).
    XavierUniform {
        /// See [`Nonlinearity::gain`].
        gain: f64,
    },
    /// Normal of standard deviation gain·√(2/(fan in + fan out)) (Glorot and Bengio 2010).
    XavierNormal {
        /// See [`Nonlinearity::gain`].
        gain: f64,
    },
    /// Uniform in ±gain·√(3/fan) (He, Zhang, Ren and Sun 2015).
    KaimingUniform {
        /// Which fan.
        fan: Fan,
        /// See [`Nonlinearity::gain`].
        gain: f64,
    },
    /// Normal of standard deviation gain/√fan (He, Zhang, Ren and Sun 2015).
    KaimingNormal {
        /// Which fan.
        fan: Fan,
        /// See [`Nonlinearity::gain`].
        gain: f64,
    },
    /// Uniform in ±√(3/fan in) (LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998).
    LecunUniform,
    /// Normal of standard deviation 1/√fan in (as above).
    LecunNormal,
    /// Seen as the matrix `[shape[0], rest]`: orthogonal rows of norm `gain` (columns, if there are more rows than
    /// columns), uniformly distributed (Saxe, McClelland and Ganguli 2014).
    Orthogonal {
        /// The norm of the rows.
        gain: f64,
    },
    /// Ones on the diagonal of a matrix, else zeros.
    Eye,
    /// A convolution that passes its input on: in each group channel i of the output is channel i of the input.
    Dirac {
        /// The number of groups.
        groups: usize,
    },
    /// Normal, but in each column of a matrix this part of the rows is zero (Martens 2010).
    Sparse {
        /// The part of each column that is zero.
        sparsity: f64,
        /// The standard deviation of the rest.
        std: f64,
    },
}

impl Init {
    /// What PyTorch draws the weights of linear layers and convolutions from: uniform in ±1/√fan in.
    pub const LAYER: Init = Init::KaimingUniform { fan: Fan::In, gain: 0.577_350_269_189_625_8 };

    /// Puts first values into a parameter, drawn from the process's generator.
    ///
    /// # Panics
    /// If the parameter is not a leaf, or its shape does not suit the initialiser.
    #[track_caller]
    pub fn fill<T: Float>(self, parameter: &Variable<T>) {
        parameter.set(self.tensor(parameter.shape(), &mut split_generator()));
    }

    /// A parameter of this shape, drawn from the process's generator.
    ///
    /// # Panics
    /// If the shape does not suit the initialiser.
    #[track_caller]
    pub fn parameter<T: Float>(self, shape: impl IntoShape) -> Variable<T> {
        Variable::parameter(self.tensor(shape, &mut split_generator()))
    }

    /// First values of this shape.
    ///
    /// # Panics
    /// If the shape does not suit the initialiser, or a setting is out of range.
    #[track_caller]
    pub fn tensor<T: Float>(self, shape: impl IntoShape, generator: &mut Generator) -> Tensor<T> {
        let shape = shape.into_shape();
        let fan = |fan: Fan| {
            let (fan_in, fan_out) = fans(&shape);
            // An empty weight has no spread to choose.
            (match fan {
                Fan::In => fan_in,
                Fan::Out => fan_out,
            })
            .max(1) as f64
        };
        let both = || fan(Fan::In) + fan(Fan::Out);
        match self {
            Init::Constant(value) => Tensor::full(shape, T::from_f64(value)),
            Init::Uniform { low, high } => {
                Tensor::uniform(shape, T::from_f64(low), T::from_f64(high), generator)
            }
            Init::Normal { mean, std } => {
                let (mean, std) = (T::from_f64(mean), T::from_f64(std));
                Tensor::<T>::randn(shape, generator).map(|x| mean + std * x)
            }
            Init::TruncatedNormal { mean, std, low, high } => {
                truncated(shape, mean, std, low, high, generator)
            }
            Init::XavierUniform { gain } => symmetric(shape, gain * (6.0 / both()).sqrt(), generator),
            Init::XavierNormal { gain } => normal(shape, gain * (2.0 / both()).sqrt(), generator),
            Init::KaimingUniform { fan: of, gain } => {
                symmetric(shape, gain * (3.0 / fan(of)).sqrt(), generator)
            }
            Init::KaimingNormal { fan: of, gain } => normal(shape, gain / fan(of).sqrt(), generator),
            Init::LecunUniform => symmetric(shape, (3.0 / fan(Fan::In)).sqrt(), generator),
            Init::LecunNormal => normal(shape, 1.0 / fan(Fan::In).sqrt(), generator),
            Init::Orthogonal { gain } => orthogonal(shape, gain, generator),
            Init::Eye => {
                matrix("eye", &shape);
                Tensor::from_fn(shape, |i| if i[0] == i[1] { T::one() } else { T::zero() })
            }
            Init::Dirac { groups } => dirac(shape, groups),
            Init::Sparse { sparsity, std } => sparse(shape, sparsity, std, generator),
        }
    }
}

#[track_caller]
fn matrix(name: &str, shape: &[usize]) {
    assert!(shape.len() == 2, "init: {name} is for matrices, not for the shape {shape:?}");
}

fn symmetric<T: Float>(shape: Dims, bound: f64, generator: &mut Generator) -> Tensor<T> {
    Init::Uniform { low: -bound, high: bound }.tensor(shape, generator)
}

fn normal<T: Float>(shape: Dims, std: f64, generator: &mut Generator) -> Tensor<T> {
    Init::Normal { mean: 0.0, std }.tensor(shape, generator)
}

#[track_caller]
fn truncated<T: Float>(
    shape: Dims,
    mean: f64,
    std: f64,
    low: f64,
    high: f64,
    generator: &mut Generator,
) -> Tensor<T> {
    assert!(
        low < high && std > 0.0,
        "init: no normal of standard deviation {std} is truncated to [{low}, {high}]"
    );
    let (a, b) = ((low - mean) / std, (high - mean) / std);
    Tensor::from_fn(shape, |_| {
        let value = mean + std * standard_truncated(a, b, generator);
        // Rounding to f32 may step over a bound.
        T::from_f64(value).max(T::from_f64(low)).min(T::from_f64(high))
    })
}

/// A standard normal number in [low, high], by rejection (C. P. Robert, "Simulation of truncated normal variables",
/// 1995): from the normal where the interval holds much of it, else from a uniform or, far out, a shifted exponential.
fn standard_truncated(low: f64, high: f64, generator: &mut Generator) -> f64 {
    if high < 0.0 {
        return -standard_truncated(-high, -low, generator);
    }
    let mut unit = || 1.0 - generator.random::<f64>();
    let wide = high - low > 2.0;
    loop {
        if low <= 0.5 && wide {
            let x = (-2.0 * unit().ln()).sqrt() * (std::f64::consts::TAU * unit()).cos();
            if (low..=high).contains(&x) {
                return x;
            }
        } else if wide {
            let rate = (low + (low * low + 4.0).sqrt()) / 2.0;
            let x = low - unit().ln() / rate;
            if x <= high && unit() <= (-(x - rate).powi(2) / 2.0).exp() {
                return x;
            }
        } else {
            let x = low + (high - low) * unit();
            let top = low.max(0.0);
            if unit() <= ((top * top - x * x) / 2.0).exp() {
                return x;
            }
        }
    }
}

/// Gram-Schmidt on normal vectors, twice, since one pass leaves what rounding leaves. Column norms are taken positive,
/// which makes the distribution uniform (Mezzadri, "How to generate random matrices from the classical compact groups",
/// 2007).
#[track_caller]
fn orthogonal<T: Float>(shape: Dims, gain: f64, generator: &mut Generator) -> Tensor<T> {
    assert!(shape.len() >= 2, "init: orthogonal needs two or more axes, not the shape {shape:?}");
    let rows = shape[0];
    let columns: usize = shape[1..].iter().product();
    let (count, length) = (rows.min(columns), rows.max(columns));
    let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(count);
    while vectors.len() < count {
        let mut vector = Tensor::<f64>::randn([length], generator).to_vec();
        for _ in 0..2 {
            for known in &vectors {
                let along: f64 = known.iter().zip(&vector).map(|(a, b)| a * b).sum();
                vector.iter_mut().zip(known).for_each(|(x, k)| *x -= along * k);
            }
        }
        let norm = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
        vector.iter_mut().for_each(|x| *x /= norm);
        vectors.push(vector);
    }
    let element = |i: usize| {
        let (row, column) = (i / columns, i % columns);
        let value = if rows <= columns { vectors[row][column] } else { vectors[column][row] };
        T::from_f64(gain * value)
    };
    Tensor::from_vec((0..shape.count()).map(element).collect(), shape).expect("one number for each place")
}

#[track_caller]
fn dirac<T: Float>(shape: Dims, groups: usize) -> Tensor<T> {
    assert!(
        (3..=5).contains(&shape.len()) && groups > 0 && shape[0].is_multiple_of(groups),
        "init: dirac needs [out, in / groups, kernel …] with 3 to 5 axes and out divisible by {groups}, not {shape:?}"
    );
    let out = shape[0] / groups;
    Tensor::from_fn(shape, |i| {
        let centre = i[2..].iter().zip(&shape[2..]).all(|(i, size)| *i == size / 2);
        if centre && i[0] % out == i[1] { T::one() } else { T::zero() }
    })
}

#[track_caller]
fn sparse<T: Float>(shape: Dims, sparsity: f64, std: f64, generator: &mut Generator) -> Tensor<T> {
    matrix("sparse", &shape);
    assert!((0.0..=1.0).contains(&sparsity), "init: a sparsity lies between 0 and 1, {sparsity} does not");
    let mut weight = normal::<T>(shape, std, generator);
    let (rows, columns) = (shape[0], shape[1]);
    let zeros = (sparsity * rows as f64).ceil() as usize;
    let data = weight.make_mut();
    for column in 0..columns {
        for &row in &generator.permutation(rows)[..zeros] {
            data[row * columns + column] = T::zero();
        }
    }
    weight
}
