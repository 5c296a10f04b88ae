//! Modes: whether operations are recorded, and under which line.
//!
//! ```
//! use wengert_autograd::{Variable, no_grad};
//!
//! let w = Variable::ones([2]).requires_grad();
//! let y = no_grad(|| &w * 2.0);
//! assert!(!y.needs_grad());
//! ```
//!
//! A mode is thread-local and set by a closure, never by a guard object (`let _ = guard` would drop it at once), and it
//! is restored when the closure unwinds. Work stealing would leak it: a thread that waits in rayon runs other people's
//! tasks. So every parallel call of this crate goes through [`kernel::parallel`](crate::kernel::parallel), which carries
//! the caller's mode into its own tasks and clears it while it waits; [`join`](crate::join) does so for users.

use super::anomaly::Checking;
use std::{cell::Cell, panic::Location};

#[derive(Clone, Copy)]
pub(crate) struct Mode {
    /// Are operations recorded?
    pub(crate) recording: bool,
    /// The line that operations are attributed to, while a backward pass runs somebody's rule.
    pub(crate) line: Option<&'static Location<'static>>,
    /// Are values and gradients checked for NaN (see [`detect_anomaly`](crate::detect_anomaly))?
    pub(crate) checking: Checking,
    /// Do nodes keep all their values (see [`trace`](crate::inspect::trace))?
    pub(crate) tracing: bool,
    /// Whose [`watch_gradients`](crate::watch_gradients) this is; 0 where there is none.
    pub(crate) watch: u32,
}

impl Mode {
    pub(crate) const DEFAULT: Mode =
        Mode { recording: true, line: None, checking: Checking::Off, tracing: false, watch: 0 };

    #[inline]
    pub(crate) fn current() -> Self {
        MODE.get()
    }

    /// Runs `work` in this mode.
    pub(crate) fn run<R>(self, work: impl FnOnce() -> R) -> R {
        let _restore = Restore(MODE.with(|mode| mode.replace(self)));
        work()
    }

    /// Sets this mode until the next change; only inside a [`run`](Mode::run), which restores it.
    #[inline]
    pub(crate) fn set(self) {
        MODE.set(self);
    }
}

thread_local! {
    static MODE: Cell<Mode> = const { Cell::new(Mode::DEFAULT) };
}

struct Restore(Mode);
impl Drop for Restore {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// Runs `work` without recording: nothing in it gets a gradient, and nothing is kept for one.
///
/// Restored when `work` returns or unwinds.
pub fn no_grad<R>(work: impl FnOnce() -> R) -> R {
    Mode { recording: false, ..Mode::current() }.run(work)
}

/// Runs `work` with recording on, inside a [`no_grad`].
pub fn enable_grad<R>(work: impl FnOnce() -> R) -> R {
    Mode { recording: true, ..Mode::current() }.run(work)
}

/// Are operations recorded on this thread at this moment?
pub fn is_grad_enabled() -> bool {
    Mode::current().recording
}

/// Runs `work`, whose operations and mistakes are attributed to `line`: for operations that are made of others.
pub(crate) fn on_behalf_of<R>(line: &'static Location<'static>, work: impl FnOnce() -> R) -> R {
    Mode { line: Some(line), ..Mode::current() }.run(work)
}

/// The line to blame: that of the forward operation while its rule runs, the caller's otherwise.
#[inline]
#[track_caller]
pub(crate) fn line() -> &'static Location<'static> {
    let caller = Location::caller();
    Mode::current().line.unwrap_or(caller)
}
