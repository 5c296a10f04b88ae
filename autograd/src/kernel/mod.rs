//! The loops: what spends the time.

pub(crate) mod accumulate;
pub(crate) mod attention;
pub(crate) mod conv;
pub(crate) mod elementwise;
pub(crate) mod factor;
pub(crate) mod finite;
mod formula;
pub(crate) mod gather;
mod lanes;
pub(crate) mod matmul;
pub(crate) mod norm;
pub(crate) mod orthogonal;
pub(crate) mod parallel;
pub(crate) mod pool;
pub(crate) mod recurrent;
pub(crate) mod reduce;
pub(crate) mod resample;
pub(crate) mod scan;
pub(crate) mod simd;
pub(crate) mod softmax;
mod source;
mod stream;
pub(crate) mod update;
pub(crate) mod vector;
pub(crate) mod window;
