//! The durable home of the records: SQLite behind one writer.
//!
//! [`Store::append`] hands a record to a bounded queue and resolves once it is on the disk. One thread owns the only
//! connection that writes; it takes all that waits, commits it as one transaction and answers everybody, so a
//! hundred requests at once cost one `fsync`. Reading goes through [`Reader`] and never waits for the writer.

use super::{
    chain::{ChainKey, Ends},
    query::{ReadError, Reader, Review},
    record::{Id, Record},
    sql::{self, Prepared, StoredToken},
    writer::{Job, Writer},
};
use rusqlite::{Connection, ErrorCode};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
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

/// Why the store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file or its directory.
    #[error("cannot open the audit database {path}: {source}; check the path and its permissions")]
    Io {
        /// The database.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process has it.
    #[error("the audit database {path} is in use by another exeat; stop that one, or give this one another state directory")]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// Not a database, or a broken one.
    #[error(
        "the audit database {path} is damaged ({cause}); nothing was changed: keep a copy, repair it with `sqlite3 {path} .recover`, \
         or move it away and exeat starts a new one"
    )]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        cause: String,
    },
    /// A database of some other program.
    #[error("{path} is not an audit database of exeat; set state.directory to a directory of its own")]
    Foreign {
        /// The database.
        path: PathBuf,
    },
    /// Written by a later version.
    #[error("the audit database {path} has schema version {found}, this exeat knows {known}; use the exeat that wrote it, or a newer one")]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The end of the chain is not what was sealed.
    #[error(
        "the end of the audit chain in {path} is not as exeat left it: records were changed or removed from outside, or the state's key was \
         replaced; keep the file as evidence, put the right key back, or move the file away and exeat starts a new one"
    )]
    Tampered {
        /// The database.
        path: PathBuf,
    },
    /// Any other fault of SQLite.
    #[error("the audit database {path} does not work: {source}; free disk space and check the disk")]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        source: Box<rusqlite::Error>,
    },
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
        let result = self.append_unless_full(record).await;
        if result.is_err() {
            self.shared.refused.fetch_add(1, Ordering::Relaxed);
        }
        result
    }

    async fn append_unless_full(&self, record: &Record) -> Result<(), Unrecorded> {
        let record = Prepared::of(record).map_err(|error| Unrecorded::Disk(error.to_string().into()))?;
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

    /// Stores what a person says about an event, in place of anything said before; `false` where there is no such event.
    ///
    /// # Errors
    /// [`Unrecorded`].
    pub async fn review(&self, id: Id, review: Review) -> Result<bool, Unrecorded> {
        let (answer, done) = oneshot::channel();
        self.send(Job::Review(id, review, answer))?;
        done.await.unwrap_or(Err(Unrecorded::Closed))
    }

    pub(super) async fn put_token(&self, token: StoredToken) -> Result<(), Unrecorded> {
        let (answer, done) = oneshot::channel();
        self.send(Job::PutToken(token, answer))?;
        done.await.unwrap_or(Err(Unrecorded::Closed))
    }

    pub(super) async fn remove_token(&self, id: String) -> Result<bool, Unrecorded> {
        let (answer, done) = oneshot::channel();
        self.send(Job::RemoveToken(id, answer))?;
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

fn sqlite(path: &Path, source: rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged { path, cause: source.to_string() },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::InUse { path },
        _ => StoreError::Sqlite { path, source: Box::new(source) },
    }
}

/// Takes the lock that keeps a second process from chaining to the same head. The system frees it whatever happens.
fn lock(path: &Path) -> Result<File, StoreError> {
    let beside = path.with_added_extension("lock");
    let file = private().create(true).truncate(false).open(&beside).map_err(|source| StoreError::Io { path: beside.clone(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(StoreError::Io { path: beside, source }),
    }
}

/// Makes the file for its owner alone before SQLite sees it; the write-ahead log takes over its mode.
fn make_private(path: &Path) -> io::Result<()> {
    let file = private().create(true).truncate(false).open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        }
    }
    file.sync_all()
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Opens, checks and migrates; leaves a file that is not sound as it is.
fn open_writer(path: &Path, key: &ChainKey) -> Result<(Connection, Ends), StoreError> {
    let failed = |source| sqlite(path, source);
    let mut db = Connection::open(path).map_err(failed)?;
    let known = sql::as_i64(sql::MIGRATIONS.len() as u64);
    let (application, version) = (sql::application_id(&db).map_err(failed)?, sql::schema_version(&db).map_err(failed)?);
    let blank = sql::is_blank(&db).map_err(failed)?;
    if !blank && application != sql::APPLICATION_ID {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    if version > known {
        return Err(StoreError::Newer { path: path.to_owned(), found: version, known });
    }
    if let Some(cause) = sql::fault(&db).map_err(failed)? {
        return Err(StoreError::Damaged { path: path.to_owned(), cause });
    }
    sql::set_up_writer(&db).map_err(failed)?;
    let tx = db.transaction().map_err(failed)?;
    for (step, reached) in sql::MIGRATIONS.iter().zip(1..).skip(usize::try_from(version).unwrap_or(0)) {
        sql::migrate(&tx, step, reached).map_err(failed)?;
    }
    if blank {
        sql::put_ends(&tx, &Ends::EMPTY, key).map_err(failed)?;
    }
    tx.commit().map_err(failed)?;
    let ends = sealed_ends(&db, key).map_err(failed)?.ok_or_else(|| StoreError::Tampered { path: path.to_owned() })?;
    Ok((db, ends))
}

/// The chain's ends, if their seal is ours and the last row is the head.
pub(super) fn sealed_ends(db: &Connection, key: &ChainKey) -> rusqlite::Result<Option<Ends>> {
    let Some((ends, seal)) = sql::ends(db)? else { return Ok(None) };
    let at_the_end = sql::last(db)?.unwrap_or((ends.anchor, ends.anchor_link));
    Ok((seal == key.seal(&ends) && at_the_end == (ends.head, ends.head_link)).then_some(ends))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Bucket, By, Chain, Entry, Filter, Outcome};
    use std::{net::IpAddr, os::unix::fs::PermissionsExt as _};

    const KEY: [u8; 32] = [7; 32];

    fn record(id: Id, host: &str, labels: &[&str]) -> Record {
        let mut record = Record::unread(id, IpAddr::from([10, 0, 0, 1]), Some("li.wei"), "POST", host, Outcome::Redact);
        let entry = |label: &&str| Entry {
            label: (*label).to_owned(),
            detector: "test".to_owned(),
            confidence: 0.9,
            place: "body".to_owned(),
            digest: "00".repeat(16),
        };
        record.findings = labels.iter().map(entry).collect();
        record
    }

    /// An id of `days` ago.
    fn aged(days: u64) -> Id {
        let mut bytes = Id::new().to_bytes();
        let then = Id::floor(Id::new().milliseconds() - days * 86_400_000).to_bytes();
        bytes[..6].copy_from_slice(&then[..6]);
        Id::from_bytes(bytes)
    }

    async fn all(store: &Store) -> Vec<Id> {
        store.reader().page(Filter::default(), None, 10_000).await.expect("page").into_iter().map(|event| event.id).collect()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("file").permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn what_was_appended_is_there_after_a_restart_and_the_chain_holds() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("audit.db");
        let store = Store::open(&path, &KEY, None).expect("open");
        let ids: Vec<Id> = (0..20).map(|_| Id::new()).collect();
        for id in &ids {
            store.append(&record(*id, "a.example", &["secret.aws"])).await.expect("append");
        }
        store.close().await;
        assert_eq!(store.append(&record(Id::new(), "a", &[])).await, Err(Unrecorded::Closed));

        let store = Store::open(&path, &KEY, None).expect("open again");
        assert_eq!(all(&store).await, ids.into_iter().rev().collect::<Vec<_>>());
        store.append(&record(Id::new(), "a.example", &[])).await.expect("append");
        assert!(matches!(store.reader().verify().await.expect("verify"), Chain::Intact { events: 21, removed: 0, .. }));
        assert_eq!(store.counts(), (1, 0));
    }

    #[tokio::test]
    async fn files_are_readable_by_their_owner_alone() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("audit.db");
        let store = Store::open(&path, &KEY, None).expect("open");
        store.append(&record(Id::new(), "a", &[])).await.expect("append");
        for file in fs::read_dir(dir.path()).expect("dir") {
            let file = file.expect("entry").path();
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
    }

    #[tokio::test]
    async fn appends_at_the_same_time_are_each_stored_once() {
        let dir = tempfile::tempdir().expect("dir");
        let store = Store::open(&dir.path().join("audit.db"), &KEY, None).expect("open");
        let tasks: Vec<_> = (0..300)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.append(&record(Id::new(), "a.example", &["x"])).await })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.expect("task"), Ok(()));
        }
        assert!(matches!(store.reader().verify().await.expect("verify"), Chain::Intact { events: 300, .. }));
        assert_eq!((store.waiting(), store.counts()), (0, (300, 0)));
    }

    #[tokio::test]
    async fn an_id_is_stored_once_and_its_neighbours_do_not_pay() {
        let dir = tempfile::tempdir().expect("dir");
        let store = Store::open(&dir.path().join("audit.db"), &KEY, None).expect("open");
        let id = Id::new();
        let (first, twin, other) = (record(id, "a", &["x"]), record(id, "b", &["y"]), record(Id::new(), "c", &["z"]));
        let (first, twin, other) = tokio::join!(store.append(&first), store.append(&twin), store.append(&other));
        assert_eq!((first, other), (Ok(()), Ok(())));
        assert!(matches!(twin, Err(Unrecorded::Disk(_))));
        assert!(matches!(store.reader().verify().await.expect("verify"), Chain::Intact { events: 2, .. }));
    }

    #[tokio::test]
    async fn a_second_process_is_kept_out() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("audit.db");
        let _store = Store::open(&path, &KEY, None).expect("open");
        assert!(matches!(Store::open(&path, &KEY, None), Err(StoreError::InUse { .. })));
    }

    #[tokio::test]
    async fn retention_removes_whole_old_days_and_the_chain_still_verifies() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("audit.db");
        let store = Store::open(&path, &KEY, None).expect("open");
        for days in [400, 300, 200, 100, 0] {
            for _ in 0..300 {
                store.append(&record(aged(days), "a", &["x"])).await.expect("append");
            }
        }
        store.close().await;
        let store = Store::open(&path, &KEY, Some(Duration::from_secs(180 * 86_400))).expect("open");
        // Retention begins with the first turn of the writer and gives way to jobs between its batches.
        let mut turns = 0;
        while all(&store).await.len() > 600 + turns {
            store.append(&record(Id::new(), "a", &[])).await.expect("append");
            turns += 1;
        }
        let kept = u64::try_from(600 + turns).expect("count");
        let chain = store.reader().verify().await.expect("verify");
        assert!(matches!(chain, Chain::Intact { events, removed: 900, .. } if events == kept), "{chain:?}");
        store.close().await;
        assert!(Store::open(&path, &KEY, None).is_ok(), "the anchor is sealed");
    }

    #[tokio::test]
    async fn every_kind_of_tampering_shows() {
        let tampering = [
            ("UPDATE events SET json = replace(json, 'redact', 'log') WHERE seq = 3", 3),
            ("UPDATE events SET host = 'b.example' WHERE seq = 4", 4),
            ("DELETE FROM events WHERE seq = 2", 2),
            ("DELETE FROM events WHERE seq = 1", 1),
            ("DELETE FROM events WHERE seq = 5", 5),
            ("DELETE FROM labels", 1),
            ("UPDATE chain SET anchor = 1", 0),
            ("DELETE FROM chain", 0),
            ("INSERT INTO events SELECT 0, randomblob(16), time, user, host, action, json, link FROM events WHERE seq = 1", 1),
        ];
        for (sql, at) in tampering {
            let dir = tempfile::tempdir().expect("dir");
            let path = dir.path().join("audit.db");
            let store = Store::open(&path, &KEY, None).expect("open");
            for _ in 0..5 {
                store.append(&record(Id::new(), "a.example", &["x", "y", "x"])).await.expect("append");
            }
            store.close().await;
            Connection::open(&path).expect("db").execute_batch(sql).expect(sql);
            match Reader::open(&path, ChainKey::new(&KEY)).expect("reader").verify_here().expect("verify") {
                Chain::Broken { seq, .. } => assert_eq!(seq, at, "{sql}"),
                Chain::Intact { .. } => panic!("not seen: {sql}"),
            }
        }
    }

    #[tokio::test]
    async fn a_cut_tail_or_another_key_keeps_the_store_from_opening() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("audit.db");
        let store = Store::open(&path, &KEY, None).expect("open");
        for _ in 0..3 {
            store.append(&record(Id::new(), "a", &[])).await.expect("append");
        }
        store.close().await;
        assert!(matches!(Store::open(&path, &[8; 32], None), Err(StoreError::Tampered { .. })));
        Connection::open(&path).expect("db").execute_batch("DELETE FROM events WHERE seq = 3").expect("sql");
        assert!(matches!(Store::open(&path, &KEY, None), Err(StoreError::Tampered { .. })));
    }

    #[test]
    fn a_file_that_is_not_sound_is_refused_and_left_as_it_is() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("audit.db");
        fs::write(&path, "not a database, but a text of some length".repeat(100)).expect("write");
        let before = fs::read(&path).expect("read");
        let error = Store::open(&path, &KEY, None).expect_err("damaged");
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        assert_eq!(fs::read(&path).expect("read"), before);

        let path = dir.path().join("foreign.db");
        Connection::open(&path).expect("db").execute_batch("CREATE TABLE t (x)").expect("sql");
        assert!(matches!(Store::open(&path, &KEY, None), Err(StoreError::Foreign { .. })));

        let path = dir.path().join("newer.db");
        drop(Store::open(&path, &KEY, None).expect("open"));
        let path = dir.path().join("later.db");
        Connection::open(&path)
            .expect("db")
            .execute_batch(&format!("CREATE TABLE t (x); PRAGMA application_id = {}; PRAGMA user_version = 99", sql::APPLICATION_ID))
            .expect("sql");
        assert!(matches!(Store::open(&path, &KEY, None), Err(StoreError::Newer { found: 99, .. })));
    }

    #[tokio::test]
    async fn a_database_with_torn_pages_is_refused() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("audit.db");
        let store = Store::open(&path, &KEY, None).expect("open");
        for _ in 0..200 {
            store.append(&record(Id::new(), "a", &["x"])).await.expect("append");
        }
        store.close().await;
        let mut bytes = fs::read(&path).expect("read");
        let middle = bytes.len() / 2 / 4096 * 4096;
        bytes[middle..middle + 8192].fill(0xa5);
        fs::write(&path, bytes).expect("write");
        assert!(matches!(Store::open(&path, &KEY, None), Err(StoreError::Damaged { .. })));
    }

    #[tokio::test]
    async fn filters_find_what_they_name() {
        let dir = tempfile::tempdir().expect("dir");
        let store = Store::open(&dir.path().join("audit.db"), &KEY, None).expect("open");
        let (old, new) = (aged(3), Id::new());
        store.append(&record(new, "chat.example.com", &["secret.aws", "secret.aws", "id.cn.resident"])).await.expect("append");
        store.append(&record(old, "example.com", &["secretary"])).await.expect("append");
        let find = async |filter: Filter| {
            let page = store.reader().page(filter, None, 10).await.expect("page");
            page.into_iter().map(|event| event.id).collect::<Vec<_>>()
        };
        let label = |label: &str| Filter { label: Some(label.to_owned()), ..Filter::default() };
        let host = |host: &str| Filter { host: Some(host.to_owned()), ..Filter::default() };
        let q = |q: &str| Filter { q: Some(q.to_owned()), ..Filter::default() };
        assert_eq!(find(Filter::default()).await, [new, old], "by time, not by arrival");
        assert_eq!(find(label("secret")).await, [new]);
        assert_eq!(find(label("secret.")).await, [new]);
        assert_eq!(find(label("secret.aws")).await, [new]);
        assert_eq!(find(label("secret.a")).await, []);
        assert_eq!(find(host("example.com")).await, [old]);
        assert_eq!(find(host("*.example.com")).await, [new]);
        assert_eq!(find(q("CHAT.ex")).await, [new]);
        assert_eq!(find(q("%")).await, []);
        assert_eq!(find(Filter { from: Some(new.milliseconds()), ..Filter::default() }).await, [new]);
        assert_eq!(find(Filter { to: Some(new.milliseconds()), ..Filter::default() }).await, [old]);
        assert_eq!(find(Filter { action: Some(Outcome::Block), ..Filter::default() }).await, []);
        assert_eq!(find(Filter { user: Some("li.wei".to_owned()), action: Some(Outcome::Redact), ..label("id") }).await, [new]);

        let summary = store.reader().summary(Filter::default(), By::Label, Bucket::Day).await.expect("summary");
        let count = |key: &str, count| (key.to_owned(), count);
        assert_eq!((summary.events, summary.buckets.len()), (2, 2));
        assert_eq!(summary.totals, [count("secret.aws", 2), count("id.cn.resident", 1), count("secretary", 1)]);
    }

    #[tokio::test]
    async fn clean_exchanges_are_only_counted() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("audit.db");
        let store = Store::open(&path, &KEY, None).expect("open");
        (0..5).for_each(|_| store.count_clean(100));
        store.close().await;
        let store = Store::open(&path, &KEY, None).expect("open");
        let summary = store.reader().summary(Filter::default(), By::Host, Bucket::Hour).await.expect("summary");
        assert_eq!((summary.events, summary.clean), (0, 5));
    }

    /// Plays both parts: as the child (told by the environment) it appends for ever and says what is stored; as the
    /// parent it kills that child with SIGKILL in full flight.
    #[test]
    fn a_kill_at_any_moment_loses_no_record_that_was_acknowledged() {
        use std::{
            io::{BufRead as _, BufReader, Write as _},
            process::{Command, Stdio},
        };
        const PATH: &str = "EXEAT_TEST_STORE";
        const NAME: &str = "audit::store::tests::a_kill_at_any_moment_loses_no_record_that_was_acknowledged";
        if let Some(path) = std::env::var_os(PATH) {
            let store = Store::open(Path::new(&path), &KEY, None).expect("open");
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("runtime");
            let appends = (0..16).map(|_| {
                let store = store.clone();
                runtime.spawn(async move {
                    loop {
                        let id = Id::new();
                        store.append(&record(id, "a.example", &["x", "y"])).await.expect("append");
                        writeln!(std::io::stdout(), "stored {id}").expect("stdout"); // gone with the parent
                    }
                })
            });
            let appends: Vec<tokio::task::JoinHandle<()>> = appends.collect();
            return runtime.block_on(async {
                for append in appends {
                    append.await.expect("append");
                }
            });
        }
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("audit.db");
        let mut before = 0;
        for acknowledged in [1, 40, 333] {
            let mut child = Command::new(std::env::current_exe().expect("exe"))
                .args(["--exact", NAME, "--nocapture"])
                .env(PATH, &path)
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("child");
            let lines = BufReader::new(child.stdout.take().expect("stdout")).lines().map_while(Result::ok);
            let mut told = lines.filter_map(|line| line.split_once("stored ").and_then(|(_, id)| id.parse::<Id>().ok()));
            let mut ids: Vec<Id> = told.by_ref().take(acknowledged).collect();
            child.kill().expect("kill");
            ids.extend(told); // what was told before it died
            child.wait().expect("wait");

            let store = Store::open(&path, &KEY, None).expect("the store opens after a kill"); // recovers, and checks the sealed end
            tokio::runtime::Builder::new_current_thread().build().expect("runtime").block_on(store.close());
            let reader = Reader::open(&path, ChainKey::new(&KEY)).expect("reader");
            assert!(ids.len() >= acknowledged);
            let mut stored = std::collections::BTreeSet::new();
            let each = |event: &crate::audit::Event| {
                stored.insert(event.id);
                Ok::<_, ReadError>(())
            };
            reader.export_here(&Filter::default(), each).expect("export");
            assert!(ids.iter().all(|id| stored.contains(id)));
            match reader.verify_here().expect("verify") {
                Chain::Intact { events, .. } => assert!(events >= before + acknowledged as u64),
                broken @ Chain::Broken { .. } => panic!("{broken:?}"),
            }
            before = stored.len() as u64;
        }
    }
}
