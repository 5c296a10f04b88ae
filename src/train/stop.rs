//! Stopping from outside.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// A flag that ends a training after the batch at which it is: from another thread, or at Ctrl-C.
///
/// ```
/// use wengert::train::StopFlag;
/// let stop = StopFlag::new();
/// let for_the_trainer = stop.clone(); // Trainer::stop_flag
/// stop.stop();
/// assert!(for_the_trainer.is_stopped());
/// ```
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// A flag that nobody has raised.
    pub fn new() -> Self {
        StopFlag::default()
    }

    /// Raises the flag.
    pub fn stop(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it is raised.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// The process's flag that Ctrl-C (SIGINT) raises, instead of ending the process; a second Ctrl-C ends it. Feature
    /// `ctrl-c`.
    ///
    /// It takes the place of what happened at that signal before, also of nothing: a shell starts programs in the background
    /// with the signal ignored.
    ///
    /// # Errors
    /// If the system refuses, or the program has another handler by the crate `ctrlc`.
    #[cfg(feature = "ctrl-c")]
    pub fn on_ctrl_c() -> std::io::Result<Self> {
        static FLAG: std::sync::Mutex<Option<StopFlag>> = std::sync::Mutex::new(None);
        let mut known = FLAG.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(flag) = &*known {
            return Ok(flag.clone());
        }
        let flag = StopFlag::new();
        let raised = flag.clone();
        let handler = move || {
            if raised.0.swap(true, Ordering::SeqCst) {
                std::process::exit(130); // 128 + SIGINT, as shells have it
            }
        };
        ctrlc::set_handler(handler).map_err(std::io::Error::other)?;
        Ok(known.insert(flag).clone())
    }
}
