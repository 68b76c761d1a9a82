//! Where the network runs: so many threads, each with one batch at a time, and a bounded number of readers that wait for one.
//!
//! The products would spread over all cores by themselves (through rayon), and requests at the same time would slow each other down.
//! So each lane is a pool of one thread, in which they stay. Batches of several requests are not put together: a tall matrix is hardly
//! faster than a short one here (docs/performance.md), and a reader would wait for others.

use super::ModelError;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::{
    sync::{
        Condvar, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

/// The threads that the network runs on.
pub(super) struct Lanes {
    free: Mutex<Vec<ThreadPool>>,
    freed: Condvar,
    waiting: AtomicUsize,
    most_waiting: usize,
}

/// Readers that may wait for each lane.
const WAITING_PER_LANE: usize = 64;

impl Lanes {
    /// `count` lanes, at least one.
    pub(super) fn new(count: usize) -> Result<Self, ModelError> {
        let count = count.max(1);
        let lane = |number| ThreadPoolBuilder::new().num_threads(1).thread_name(move |_| format!("exeat-model-{number}")).build();
        let free = (0..count).map(lane).collect::<Result<_, _>>().map_err(|_| ModelError::Threads)?;
        Ok(Self { free: Mutex::new(free), freed: Condvar::new(), waiting: AtomicUsize::new(0), most_waiting: count * WAITING_PER_LANE })
    }

    /// Runs `work` in a lane; `None` if none is free before `deadline`, or too many wait already.
    pub(super) fn run<T: Send>(&self, deadline: Option<Instant>, work: impl FnOnce() -> T + Send) -> Option<T> {
        let lane = self.take(deadline)?;
        Some(lane.pool.as_ref()?.install(work))
    }

    /// Readers that wait at this moment.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    fn take(&self, deadline: Option<Instant>) -> Option<Lane<'_>> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.is_empty() {
            let _waits = Waits::begin(&self.waiting, self.most_waiting)?;
            while free.is_empty() {
                free = match deadline {
                    None => self.freed.wait(free).unwrap_or_else(PoisonError::into_inner),
                    Some(deadline) => {
                        let left = deadline.checked_duration_since(Instant::now())?;
                        self.freed.wait_timeout(free, left).unwrap_or_else(PoisonError::into_inner).0
                    }
                };
            }
        }
        Some(Lane { lanes: self, pool: free.pop() })
    }
}

/// A lane in use; given back when dropped, after a panic too.
struct Lane<'a> {
    lanes: &'a Lanes,
    pool: Option<ThreadPool>,
}

impl Drop for Lane<'_> {
    fn drop(&mut self) {
        self.lanes.free.lock().unwrap_or_else(PoisonError::into_inner).extend(self.pool.take());
        self.lanes.freed.notify_one();
    }
}

/// Counts a reader that waits.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn begin(waiting: &'a AtomicUsize, most: usize) -> Option<Self> {
        let counted = Self(waiting);
        if waiting.fetch_add(1, Ordering::Relaxed) < most { Some(counted) } else { None }
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::mpsc, thread, time::Duration};

    #[test]
    fn work_waits_its_turn_and_gives_up_at_its_deadline() {
        let lanes = Lanes::new(1).expect("a lane");
        let (begun, has_begun) = mpsc::channel();
        let (go_on, told) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let lanes = &lanes;
            let first = scope.spawn(move || {
                lanes.run(None, move || {
                    begun.send(()).expect("somebody waits");
                    told.recv().expect("told");
                    rayon::current_num_threads()
                })
            });
            has_begun.recv().expect("begun");
            assert_eq!(lanes.run(Some(Instant::now() + Duration::from_millis(5)), || 1), None);
            assert_eq!(lanes.waiting(), 0);
            go_on.send(()).expect("somebody listens");
            assert_eq!(first.join().expect("no panic"), Some(1));
        });
        assert_eq!(lanes.run(Some(Instant::now()), || 2), Some(2));
    }

    #[test]
    fn a_panic_gives_the_lane_back() {
        let lanes = Lanes::new(1).expect("a lane");
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| lanes.run(None, || panic!("on purpose"))));
        assert!(caught.is_err());
        assert_eq!(lanes.run(None, || 3), Some(3));
    }
}
