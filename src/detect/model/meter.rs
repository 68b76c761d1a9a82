//! What the model has done, counted for metrics.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

#[derive(Debug, Default)]
pub(super) struct Meter {
    tokens: AtomicU64,
    windows: AtomicU64,
    known: AtomicU64,
    batches: AtomicU64,
    microseconds: AtomicU64,
    skipped: AtomicU64,
}

/// Counters since the start, and how many readers wait now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Readings {
    /// Tokens read.
    pub tokens: u64,
    /// Windows read.
    pub windows: u64,
    /// Windows that were known already.
    pub known: u64,
    /// Batches read.
    pub batches: u64,
    /// Time that the network took, all threads together.
    pub busy: Duration,
    /// Messages that were not read in full.
    pub skipped: u64,
    /// Readers that wait for a thread.
    pub waiting: usize,
}

impl Meter {
    pub(super) fn read(&self, windows: usize, tokens: usize, took: Duration) {
        add(&self.windows, windows);
        add(&self.tokens, tokens);
        add(&self.batches, 1);
        self.microseconds.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn known(&self, windows: usize) {
        add(&self.known, windows);
    }

    pub(super) fn skipped(&self) {
        add(&self.skipped, 1);
    }

    pub(super) fn readings(&self, waiting: usize) -> Readings {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Readings {
            tokens: read(&self.tokens),
            windows: read(&self.windows),
            known: read(&self.known),
            batches: read(&self.batches),
            busy: Duration::from_micros(read(&self.microseconds)),
            skipped: read(&self.skipped),
            waiting,
        }
    }
}

fn add(counter: &AtomicU64, number: usize) {
    counter.fetch_add(u64::try_from(number).unwrap_or(u64::MAX), Ordering::Relaxed);
}
