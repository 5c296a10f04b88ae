//! Is a derivative right? Tools that answer, for this library's operations and for yours.
//!
//! ```
//! use wengert_autograd::{Tensor, assert_gradients, check::gradcheck};
//!
//! let x = Tensor::<f64>::from_vec(vec![0.3, -1.2, 2.0], [3])?;
//! let report = gradcheck(|x| x[0].tanh() * &x[0], &[x.clone()])?;
//! assert!(report.passed(), "{report}");
//!
//! assert_gradients!(|x| x[0].exp().sum(), &[x]); // the same, for tests
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`gradcheck`] compares the gradients of a function with differences of its values, [`gradgradcheck`] the second
//! derivatives with differences of its gradients, [`check_grads`] all orders up to a given one, and [`Gradcheck`] takes
//! settings. Cotangents are random: a plain sum of the outputs would miss every mistake whose parts cancel.
//!
//! With the feature `check`, tensors can stand in the assertions of the crate `approx`, such as `assert_relative_eq!`; with the
//! feature `proptest`, `strategies` draws shapes and tensors for property tests of your own.
//!
//! Every operation of this library declares sample inputs beside its rule, and is one line of the [`registry`]; the
//! registry's tests take them through differences of the first and second order, strided, empty and repeated inputs,
//! both precisions, and any number of threads.

mod approximate;
mod differences;
pub mod distributions;
mod examination;
mod gradcheck;
pub(crate) mod mutation;
pub mod random;
mod report;
mod sample;
#[cfg(feature = "proptest")]
pub mod strategies;

pub use crate::functional::Outputs;
pub use crate::ops::registry::{Entry, registry};
pub use differences::Differences;
pub use distributions::Input;
pub use examination::{Examination, examine};
pub use gradcheck::{CheckError, Gradcheck, check_grads, gradcheck, gradgradcheck};
pub use mutation::{Mutation, rules_run, with_mutation};
pub use report::{InputReport, Report, Verdict, WorstEntry};
pub use sample::{Precision, Sample};
