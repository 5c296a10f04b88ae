//! The callbacks that most trainings need.

mod best;
mod log;
mod plateau;
#[cfg(feature = "progress")]
mod progress;

pub use best::{EarlyStopping, SaveBest};
pub use log::{CsvLog, JsonLinesLog};
pub use plateau::ReduceOnPlateau;
#[cfg(feature = "progress")]
pub use progress::ProgressBar;
