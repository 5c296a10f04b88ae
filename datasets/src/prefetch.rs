//! Work done ahead on rayon's threads, handed out in order, never more than a given number of pieces at once.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The results of `work(0)`, `work(1)`, …, `work(count - 1)`, in this order.
pub(crate) struct Prefetch<B> {
    work: Arc<dyn Fn(usize) -> B + Send + Sync>,
    /// The pieces that are under way, the next one first.
    queue: VecDeque<Arc<Piece<B>>>,
    /// The piece that is put into the queue next.
    next: usize,
    count: usize,
}

/// One piece of work.
struct Piece<B> {
    index: usize,
    state: Mutex<State<B>>,
    finished: Condvar,
}

enum State<B> {
    /// Nobody has begun: whoever comes first, a worker or the consumer itself, takes it.
    Waiting,
    Running,
    Finished(Result<B, Box<dyn Any + Send>>),
    /// Handed out, or not wanted any more.
    Gone,
}

impl<B: Send + 'static> Prefetch<B> {
    /// Begins with the first `depth` pieces.
    pub(crate) fn new(
        count: usize,
        depth: usize,
        work: Arc<dyn Fn(usize) -> B + Send + Sync>,
    ) -> Prefetch<B> {
        let mut prefetch = Prefetch { work, queue: VecDeque::with_capacity(depth), next: 0, count };
        (0..depth).for_each(|_| prefetch.begin_next());
        prefetch
    }

    fn begin_next(&mut self) {
        if self.next == self.count {
            return;
        }
        let index = self.next;
        let piece = Arc::new(Piece { index, state: Mutex::new(State::Waiting), finished: Condvar::new() });
        self.next += 1;
        self.queue.push_back(piece.clone());
        let work = self.work.clone();
        rayon::spawn(move || piece.run(&*work));
    }
}

impl<B: Send + 'static> Iterator for Prefetch<B> {
    type Item = B;

    fn next(&mut self) -> Option<B> {
        let piece = self.queue.pop_front()?;
        self.begin_next();
        // If no worker came to it yet, the consumer does it: waiting for a worker would be waiting for oneself where the
        // consumer is the pool's only thread.
        piece.run(&*self.work);
        match piece.take() {
            Ok(result) => Some(result),
            Err(panic) => resume_unwind(panic),
        }
    }
}

impl<B> Piece<B> {
    /// Does the work, unless it was begun or abandoned.
    fn run(&self, work: &(dyn Fn(usize) -> B + Send + Sync)) {
        match &mut *self.lock() {
            state @ State::Waiting => *state = State::Running,
            _ => return,
        }
        let result = catch_unwind(AssertUnwindSafe(|| work(self.index)));
        let mut state = self.lock();
        if matches!(*state, State::Running) {
            *state = State::Finished(result);
            self.finished.notify_all();
        }
    }

    /// Waits until the work is done; its result, or what it panicked with.
    fn take(&self) -> Result<B, Box<dyn Any + Send>> {
        let mut state = self.lock();
        loop {
            match std::mem::replace(&mut *state, State::Gone) {
                State::Finished(result) => return result,
                other => *state = other,
            }
            state = self.finished.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// No user code runs under this lock, so that a poisoned one holds a sound state.
    fn lock(&self) -> MutexGuard<'_, State<B>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B> Drop for Prefetch<B> {
    /// What was not begun is not begun any more.
    fn drop(&mut self) {
        for piece in &self.queue {
            let abandoned = std::mem::replace(&mut *piece.lock(), State::Gone);
            drop(abandoned);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn results_come_in_order() {
        for depth in [1, 3, 64] {
            let work = Arc::new(|index: usize| {
                let spin = (index * 7919) % 13;
                std::thread::sleep(std::time::Duration::from_micros(50 * spin as u64));
                index
            });
            assert!(Prefetch::new(40, depth, work).eq(0..40), "depth {depth}");
        }
    }

    #[test]
    fn no_more_is_begun_than_the_depth_allows() {
        let begun = Arc::new(AtomicUsize::new(0));
        let counter = begun.clone();
        let mut prefetch = Prefetch::new(100, 4, Arc::new(move |_| counter.fetch_add(1, Ordering::SeqCst)));
        for taken in 1..=10 {
            prefetch.next();
            assert!(begun.load(Ordering::SeqCst) <= taken + 4);
        }
        drop(prefetch);
        let after = begun.load(Ordering::SeqCst);
        std::thread::sleep(std::time::Duration::from_millis(20));
        // At most those that both threads were at when it was dropped.
        assert!(begun.load(Ordering::SeqCst) <= after + rayon::current_num_threads());
    }

    #[test]
    fn a_consumer_on_the_only_thread_of_a_pool_does_the_work_itself() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
        let sum: usize = pool.install(|| Prefetch::new(50, 8, Arc::new(|index| index)).sum());
        assert_eq!(sum, 1225);
    }

    #[test]
    fn a_panic_arrives_with_its_own_piece() {
        let mut prefetch = Prefetch::new(5, 3, Arc::new(|index| assert_ne!(index, 2, "the third")));
        assert!(prefetch.next().is_some() && prefetch.next().is_some());
        let panic = catch_unwind(AssertUnwindSafe(|| prefetch.next())).expect_err("the third panics");
        assert!(panic.downcast_ref::<String>().is_some_and(|text| text.contains("the third")));
        assert!(prefetch.next().is_some());
    }
}
