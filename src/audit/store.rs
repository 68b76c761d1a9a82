//! The durable home of the records: SQLite behind one writer.
//!
//! [`Store::append`] hands a record to a bounded queue and resolves once it is on the disk. One thread owns the only
//! connection that writes; it takes all that waits, commits it as one transaction and answers everybody, so a
//! hundred requests at once cost one `fsync`. Reading goes through [`Reader`] and never waits for the writer.

use super::{
    chain::ChainKey,
    open::{StoreError, lock, make_private, open_writer, sqlite},
    query::{ReadError, Reader, Review},
    record::{Id, Record},
    sql::{Prepared, StoredToken, Write},
    writer::{Job, Writer},
};
use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};
use tokio::sync::{oneshot, watch};

/// The audit store. Cheap to clone; the file is closed when the last clone is gone.
#[derive(Clone, Debug)]
pub struct Store {
    jobs: SyncSender<Job>,
    shared: Arc<Shared>,
    reader: Reader,
    latest: watch::Receiver<i64>,
}

/// What the writer and its callers share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Jobs that wait.
    pub(super) waiting: AtomicUsize,
    /// Bytes of the records that wait.
    pub(super) waiting_bytes: AtomicUsize,
    /// Records stored since the start.
    pub(super) stored: AtomicU64,
    /// Records refused since the start.
    pub(super) refused: AtomicU64,
    /// Whether the last write failed.
    pub(super) failing: AtomicBool,
    /// Clean exchanges, and their bytes, that are not yet in the file.
    pub(super) clean: AtomicU64,
    pub(super) clean_bytes: AtomicU64,
}

/// Why a record is not stored. The gate treats it as [`Gap::Unrecorded`](crate::finding::Gap::Unrecorded).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unrecorded {
    /// More records come than the disk takes.
    #[error("the audit queue is full; the disk is too slow for the traffic")]
    QueueFull,
    /// The database refuses.
    #[error("the audit store cannot write: {0}; free disk space and check the disk")]
    Disk(Arc<str>),
    /// The store was closed.
    #[error("the audit store is closed; exeat is shutting down")]
    Closed,
}

impl Store {
    /// Jobs that may wait.
    const QUEUE: usize = 8192;
    /// Bytes of records that may wait.
    const QUEUE_BYTES: usize = 64 << 20;

    /// Opens the database at `path`, or makes it where there is none, and starts its writer. `key` is the state's key;
    /// records older than `retention` are removed day by day, with `None` never.
    ///
    /// # Errors
    /// [`StoreError`]; a damaged or foreign file is left as it is.
    pub fn open(path: &Path, key: &[u8; 32], retention: Option<Duration>) -> Result<Self, StoreError> {
        let io = |source| StoreError::Io { path: path.to_owned(), source };
        let lock = lock(path)?;
        make_private(path).map_err(io)?;
        let key = ChainKey::new(key);
        let (db, ends) = open_writer(path, &key)?;
        let reader = Reader::open(path, key.clone()).map_err(|error| match error {
            ReadError::Sqlite(source) => sqlite(path, source),
            error @ (ReadError::TimedOut | ReadError::Busy | ReadError::Absent) => io(io::Error::other(error)),
        })?;
        let shared = Arc::new(Shared::default());
        let (jobs, queue) = sync_channel(Self::QUEUE);
        let (told, latest) = watch::channel(ends.head);
        let writer = Writer { db, key, ends, queue, told, shared: Arc::clone(&shared), retention, lock };
        thread::Builder::new().name("audit".to_owned()).spawn(move || writer.run()).map_err(io)?;
        Ok(Self { jobs, shared, reader, latest })
    }

    /// Stores `record`; when this resolves well, the record has been synced to the disk.
    ///
    /// # Errors
    /// [`Unrecorded`]: at once when the queue is full, otherwise what the database says.
    pub async fn append(&self, record: &Record) -> Result<(), Unrecorded> {
        self.write(record, Write::Append).await
    }

    /// Stores `record` in place of an earlier one with its id, which only the chain keeps. As [`append`](Self::append).
    ///
    /// # Errors
    /// [`Unrecorded`].
    pub async fn amend(&self, record: &Record) -> Result<(), Unrecorded> {
        self.write(record, Write::Amend).await
    }

    async fn write(&self, record: &Record, write: Write) -> Result<(), Unrecorded> {
        let result = self.write_unless_full(record, write).await;
        if result.is_err() {
            self.shared.refused.fetch_add(1, Ordering::Relaxed);
        }
        result
    }

    async fn write_unless_full(&self, record: &Record, write: Write) -> Result<(), Unrecorded> {
        let record = Prepared::of(record, write).map_err(|error| Unrecorded::Disk(error.to_string().into()))?;
        let bytes = record.json.len();
        if self.shared.waiting_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > Self::QUEUE_BYTES {
            self.shared.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(Unrecorded::QueueFull);
        }
        let (answer, done) = oneshot::channel();
        let sent = self.send(Job::Append(record, answer));
        if sent.is_err() {
            self.shared.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
        sent?;
        done.await.unwrap_or(Err(Unrecorded::Closed))
    }

    /// Counts an exchange in which there was nothing: totals by the hour are all that is kept of it.
    pub fn count_clean(&self, bytes: u64) {
        self.shared.clean.fetch_add(1, Ordering::Relaxed);
        self.shared.clean_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Stores what a person says about an event, in place of anything said before, which only the chain keeps; `false` where there is
    /// no such event.
    ///
    /// # Errors
    /// [`Unrecorded`].
    pub async fn review(&self, id: Id, review: Review) -> Result<bool, Unrecorded> {
        let (answer, done) = oneshot::channel();
        self.send(Job::Review(id, review, answer))?;
        done.await.unwrap_or(Err(Unrecorded::Closed))
    }

    /// Stores a token that the holder of the token `by` made.
    pub(super) async fn put_token(&self, token: StoredToken, by: &str) -> Result<(), Unrecorded> {
        let (answer, done) = oneshot::channel();
        self.send(Job::PutToken(token, by.to_owned(), answer))?;
        done.await.unwrap_or(Err(Unrecorded::Closed))
    }

    /// Removes a token for the holder of the token `by`; `false` where there is none.
    pub(super) async fn remove_token(&self, id: String, by: &str) -> Result<bool, Unrecorded> {
        let (answer, done) = oneshot::channel();
        self.send(Job::RemoveToken(id, by.to_owned(), answer))?;
        done.await.unwrap_or(Err(Unrecorded::Closed))
    }

    /// Writes what waits, folds the write-ahead log into the database and lets go of the file. Later appends fail.
    pub async fn close(&self) {
        let (answer, done) = oneshot::channel();
        let jobs = self.jobs.clone();
        // A full queue is no reason not to close, and waiting for room must not hold up the runtime.
        let sent = tokio::task::spawn_blocking(move || jobs.send(Job::Close(answer)).is_ok());
        if sent.await.unwrap_or(false) {
            let _ = done.await; // an error means that the writer is gone, which is what we want
        }
    }

    /// The way to read what is stored.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The number of the last record, each time there is a new one.
    pub fn latest(&self) -> watch::Receiver<i64> {
        self.latest.clone()
    }

    /// Jobs that wait for the writer.
    pub fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::Relaxed)
    }

    /// Records stored and records refused since the start.
    pub fn counts(&self) -> (u64, u64) {
        (self.shared.stored.load(Ordering::Relaxed), self.shared.refused.load(Ordering::Relaxed))
    }

    /// Whether the last write failed; the next one that works ends it.
    pub fn is_failing(&self) -> bool {
        self.shared.failing.load(Ordering::Relaxed)
    }

    fn send(&self, job: Job) -> Result<(), Unrecorded> {
        self.shared.waiting.fetch_add(1, Ordering::Relaxed);
        self.jobs.try_send(job).map_err(|error| {
            self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => Unrecorded::QueueFull,
                TrySendError::Disconnected(_) => Unrecorded::Closed,
            }
        })
    }
}

#[cfg(test)]
mod tests;
