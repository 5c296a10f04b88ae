//! The one door to rayon.
//!
//! Entering the pool from outside costs 10 to 15 µs, from a pool thread almost nothing, so whether a kernel goes
//! parallel is decided by its estimated time and by where it is called. The *blocks* that it is cut into depend on the
//! shape alone, so the results are the same bits either way. A waiting thread may run other people's tasks: every call
//! sets the default mode while it waits, and carries the caller's mode into its own tasks.

use crate::graph::mode::Mode;
use rayon::{Yield, prelude::*};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// The serial time in nanoseconds above which a second thread pays, outside the pool and inside.
const WORTH_ENTERING: f64 = 30_000.0;
const WORTH_SPLITTING: f64 = 5_000.0;

/// Should work of this many nanoseconds be spread over threads here?
pub(crate) fn worthwhile(nanoseconds: f64) -> bool {
    if nanoseconds < WORTH_SPLITTING {
        return false;
    }
    let inside = rayon::current_thread_index().is_some();
    (inside || nanoseconds >= WORTH_ENTERING) && rayon::current_num_threads() > 1
}

/// Runs `block(0)`, …, `block(count − 1)`, in parallel when `nanoseconds` of work make it worth while.
pub(crate) fn for_each_block(count: usize, nanoseconds: f64, block: impl Fn(usize) + Sync) {
    if count < 2 || !worthwhile(nanoseconds) {
        (0..count).for_each(block);
        return;
    }
    in_pool(count, &block);
}

/// [`for_each_block`] in parallel; not generic, since what rayon makes of a loop is compiled anew for every closure.
fn in_pool(count: usize, block: &(dyn Fn(usize) + Sync)) {
    let mode = Mode::current();
    Mode::DEFAULT.run(|| (0..count).into_par_iter().for_each(|i| mode.run(|| block(i))));
}

/// Splits two slices into as many chunks, of these lengths, which several threads may fill pair by pair; `fill` gets the
/// number of the pair.
///
/// # Panics
/// If the numbers of chunks differ.
pub(crate) fn in_chunks_of_two<A: Send, B: Send>(
    (a, a_len): (&mut [A], usize),
    (b, b_len): (&mut [B], usize),
    nanoseconds: f64,
    fill: impl Fn(usize, &mut [A], &mut [B]) + Sync,
) {
    struct Starts<A, B>(*mut A, *mut B);
    // SAFETY: each thread gets chunks of its own, see below.
    unsafe impl<A: Send, B: Send> Sync for Starts<A, B> {}
    let (starts, a_total, b_total) = (Starts(a.as_mut_ptr(), b.as_mut_ptr()), a.len(), b.len());
    let count = a_total.div_ceil(a_len);
    assert_eq!(count, b_total.div_ceil(b_len), "as many chunks of the one as of the other");
    for_each_block(count, nanoseconds, |chunk| {
        let (starts, a_at, b_at) = (&starts, chunk * a_len, chunk * b_len);
        // SAFETY: chunks are disjoint parts of the slices, which are borrowed for the whole call.
        let (a, b) = unsafe {
            (
                std::slice::from_raw_parts_mut(starts.0.add(a_at), a_len.min(a_total - a_at)),
                std::slice::from_raw_parts_mut(starts.1.add(b_at), b_len.min(b_total - b_at)),
            )
        };
        fill(chunk, a, b);
    });
}

/// Runs both closures, perhaps at once, in the caller's mode, and returns both results.
///
/// Like [`rayon::join`], which would run them in whatever mode the thread that picks them up happens to be in.
///
/// ```
/// use wengert_autograd::{Variable, join};
///
/// let x = Variable::from([1.0_f32, 2.0]).requires_grad();
/// let (a, b) = join(|| x.exp(), || x.sin());
/// (a + b).sum().backward();
/// ```
pub fn join<A: Send, B: Send>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
    let mode = Mode::current();
    Mode::DEFAULT.run(|| rayon::join(|| mode.run(a), || mode.run(b)))
}

/// Runs `work` on a thread of the pool.
///
/// A training loop of many small steps is faster inside, since its kernels then find the pool open, and its threads awake:
/// they look for work without pause while kernels follow each other within half a millisecond, and ever less often when
/// nothing comes.
///
/// ```
/// let sum = wengert_autograd::parallel(|| wengert_autograd::Variable::ones([1000]).sum().item());
/// assert_eq!(sum, 1000.0);
/// ```
pub fn parallel<A: Send>(work: impl FnOnce() -> A + Send) -> A {
    if rayon::current_thread_index().is_some() {
        return work();
    }
    let mode = Mode::current();
    // A scope runs its body on a thread of the current pool.
    Mode::DEFAULT.run(|| {
        rayon::scope(|_| {
            let _until_the_end = keep_awake();
            mode.run(work)
        })
    })
}

/// Keeps the other threads of the pool from falling asleep until the result is dropped.
///
/// Rayon lets a thread sleep after some 10 µs without work, and waking it takes longer than most kernels of a small model
/// run, so that these would in truth run on one thread (the step of a network 784-128-10 on 32 images: 170 µs).
fn keep_awake() -> Awake {
    let awake = Awake(Arc::new(AtomicBool::new(true)));
    if rayon::current_num_threads() > 1 {
        let (wanted, owner) = (awake.0.clone(), rayon::current_thread_index());
        // Nobody waits for these tasks. One may be deep in somebody else's work when its time is over.
        rayon::spawn_broadcast(move |context| {
            if Some(context.index()) != owner {
                look_for_work(&wanted);
            }
        });
    }
    awake
}

/// Other threads look for work while this lives.
struct Awake(Arc<AtomicBool>);
impl Drop for Awake {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

fn look_for_work(wanted: &AtomicBool) {
    const PATIENCE: Duration = Duration::from_micros(500);
    const LONGEST_NAP: Duration = Duration::from_millis(5);
    let mut last = Instant::now();
    while wanted.load(Ordering::Relaxed) {
        match rayon::yield_now() {
            Some(Yield::Executed) => last = Instant::now(),
            Some(Yield::Idle) => match last.elapsed() {
                idle if idle > PATIENCE => std::thread::sleep((idle / 8).min(LONGEST_NAP)),
                _ => (0..16).for_each(|_| std::hint::spin_loop()),
            },
            None => return, // not a thread of the pool
        }
    }
}

/// Why [`set_threads`] could not do so.
#[derive(Debug, thiserror::Error)]
#[error("set_threads: {0}; it must come before the first parallel work of the process")]
pub struct ThreadsError(#[from] rayon::ThreadPoolBuildError);

/// Gives the process's pool this many threads (0: as many as there are processors).
///
/// Results do not depend on it: they are the same bits for any number.
///
/// ```
/// wengert_autograd::set_threads(2).expect("nothing has run in parallel yet");
/// assert!(wengert_autograd::set_threads(1).is_err()); // the pool is there
/// ```
///
/// # Errors
/// If the pool exists already, because parallel work has been done, or the system refuses the threads.
pub fn set_threads(count: usize) -> Result<(), ThreadsError> {
    Ok(rayon::ThreadPoolBuilder::new().num_threads(count).build_global()?)
}
