//! Reading what is stored: pages, single events, sums.

use super::{
    chain::ChainKey,
    filter::{Conditions, Filter},
    record::Id,
    sql::{self, Stored},
    verify::{Chain, verify},
};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, params_from_iter};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Semaphore;

/// Reads the database over a few connections of its own, each query bounded in time. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    key: ChainKey,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
    verifying: Semaphore,
}

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It takes too long.
    #[error("the query takes too long; narrow the range of time or drop the text search")]
    TimedOut,
    /// Too many read at once.
    #[error("too many queries at once; try again in a moment")]
    Busy,
    /// There is no database.
    #[error("there is no audit database here; check state.directory")]
    Absent,
    /// The database fails.
    #[error("the audit database cannot be read: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// An event as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its number in the chain.
    pub seq: i64,
    /// Its id.
    pub id: Id,
    /// The record's JSON.
    pub json: String,
    /// What a person said about it.
    pub review: Option<Review>,
}

/// What a person says about an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// `false_positive` or `confirmed`.
    pub verdict: String,
    /// In their words.
    pub note: String,
    /// Name of the token they used.
    pub reviewer: String,
    /// When, in milliseconds since 1970.
    pub time: i64,
}

/// What a summary sums by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Findings under each label.
    Label,
    /// Events to each host.
    Host,
    /// Events of each user; `""` is everyone unnamed.
    User,
    /// Events of each outcome.
    Action,
}

/// A period of a summary, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bucket {
    /// 3,600 seconds.
    Hour,
    /// 86,400 seconds.
    Day,
}

/// Sums over events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Events in all.
    pub events: i64,
    /// Clean exchanges in the hours of the range, whatever else is filtered by.
    pub clean: i64,
    /// Key and count, largest first; at most [`Summary::MOST_KEYS`].
    pub totals: Vec<(String, i64)>,
    /// Per bucket's beginning (milliseconds since 1970): key and count, for the keys of `totals`.
    pub buckets: BTreeMap<i64, BTreeMap<String, i64>>,
}

impl Summary {
    /// Most keys that are told apart.
    pub const MOST_KEYS: usize = 50;
}

impl Bucket {
    fn milliseconds(self) -> i64 {
        match self {
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }
}

impl Reader {
    const CONNECTIONS: usize = 4;
    const QUERY_TIME: Duration = Duration::from_secs(15);
    const VERIFY_TIME: Duration = Duration::from_secs(3600);

    /// Reads the database at `path`, also while another process writes it. `key` is the chain's.
    ///
    /// # Errors
    /// [`ReadError::Absent`], or what SQLite says.
    pub fn open(path: &Path, key: ChainKey) -> Result<Self, ReadError> {
        if !path.is_file() {
            return Err(ReadError::Absent);
        }
        let inner = Inner {
            path: path.to_owned(),
            key,
            idle: Mutex::default(),
            permits: Semaphore::new(Self::CONNECTIONS),
            verifying: Semaphore::new(1),
        };
        let first = inner.connect()?;
        inner.give_back(first);
        Ok(Self { inner: Arc::new(inner) })
    }

    /// At most `most` events, newest first, older than `before`.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn page(&self, filter: Filter, before: Option<Id>, most: usize) -> Result<Vec<Event>, ReadError> {
        self.read(move |db| events(db, &filter, Order::NewestFirst(before), most)).await
    }

    /// At most `most` events, oldest first, after `after`.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn page_up(&self, filter: Filter, after: Option<Id>, most: usize) -> Result<Vec<Event>, ReadError> {
        self.read(move |db| events(db, &filter, Order::OldestFirst(after), most)).await
    }

    /// At most `most` events in the order they were stored, after number `seq`.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn stored_after(&self, seq: i64, filter: Filter, most: usize) -> Result<Vec<Event>, ReadError> {
        self.read(move |db| events(db, &filter, Order::Stored(seq), most)).await
    }

    /// One event.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn event(&self, id: Id) -> Result<Option<Event>, ReadError> {
        self.read(move |db| {
            let event =
                db.prepare_cached(&format!("{} WHERE e.id = ?", sql::STORED))?.query_row([id.to_bytes()], sql::stored).optional()?;
            Ok(event.map(Event::of))
        })
        .await
    }

    /// Sums of the events that `filter` lets through.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn summary(&self, filter: Filter, by: By, bucket: Bucket) -> Result<Summary, ReadError> {
        self.read(move |db| summary(db, &filter, by, bucket)).await
    }

    /// Walks the whole chain; one walk at a time.
    ///
    /// # Errors
    /// [`ReadError::Busy`] while another walks, otherwise as for all reading.
    pub async fn verify(&self) -> Result<Chain, ReadError> {
        let _alone = self.inner.verifying.try_acquire().map_err(|_| ReadError::Busy)?;
        let key = self.inner.key.clone();
        self.read_within(Self::VERIFY_TIME, move |db| verify(db, &key)).await
    }

    /// Walks the whole chain on this thread, for the command line.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn verify_here(&self) -> Result<Chain, ReadError> {
        Ok(verify(&self.inner.connect()?, &self.inner.key)?)
    }

    /// Hands every event that `filter` lets through to `each`, oldest first, on this thread, for the command line.
    ///
    /// # Errors
    /// [`ReadError`], or what `each` returns.
    pub fn export_here<E: From<ReadError>>(&self, filter: &Filter, mut each: impl FnMut(&Event) -> Result<(), E>) -> Result<(), E> {
        let db = self.inner.connect().map_err(ReadError::from)?;
        let mut after = None;
        loop {
            let page = events(&db, filter, Order::OldestFirst(after), 1000).map_err(ReadError::from)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id);
            page.iter().try_for_each(&mut each)?;
        }
    }

    pub(super) fn tokens_here(&self) -> Result<Vec<sql::StoredToken>, ReadError> {
        Ok(sql::tokens(&self.inner.connect()?)?)
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, ReadError> {
        self.read_within(Self::QUERY_TIME, query).await
    }

    /// Runs `query` on a thread for blocking work and interrupts it after `limit`, or when nobody waits any more.
    async fn read_within<T: Send + 'static>(
        &self,
        limit: Duration,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, ReadError> {
        let inner = Arc::clone(&self.inner);
        let permit = tokio::time::timeout(Self::QUERY_TIME, inner.permits.acquire()).await.map_err(|_| ReadError::Busy)?;
        let _permit = permit.map_err(|_| ReadError::Busy)?;
        let db = inner.take()?;
        let interrupt = Interrupt(Some(db.get_interrupt_handle()));
        let pool = Arc::clone(&inner);
        let work = tokio::task::spawn_blocking(move || {
            let result = query(&db);
            match &result {
                Ok(_) => pool.give_back(db),
                Err(_) => drop(db), // a connection that failed is not used again
            }
            result
        });
        match tokio::time::timeout(limit, work).await {
            Ok(Ok(result)) => {
                interrupt.disarm();
                result.map_err(|error| match error.sqlite_error_code() {
                    Some(ErrorCode::OperationInterrupted) => ReadError::TimedOut,
                    _ => ReadError::Sqlite(error),
                })
            }
            Ok(Err(_)) => Err(ReadError::Busy), // the runtime is shutting down
            Err(_) => Err(ReadError::TimedOut),
        }
    }
}

/// Stops a query whose caller has gone.
struct Interrupt(Option<rusqlite::InterruptHandle>);

impl Interrupt {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        if let Some(handle) = &self.0 {
            handle.interrupt();
        }
    }
}

impl Inner {
    fn connect(&self) -> rusqlite::Result<Connection> {
        let db = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        sql::set_up_reader(&db)?;
        Ok(db)
    }

    fn take(&self) -> rusqlite::Result<Connection> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| self.connect(), Ok)
    }

    fn give_back(&self, db: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < Reader::CONNECTIONS {
            idle.push(db);
        }
    }
}

impl Event {
    fn of(stored: Stored) -> Self {
        Self { seq: stored.seq, id: stored.id, json: stored.json, review: stored.review }
    }
}

enum Order {
    NewestFirst(Option<Id>),
    OldestFirst(Option<Id>),
    Stored(i64),
}

fn events(db: &Connection, filter: &Filter, order: Order, most: usize) -> rusqlite::Result<Vec<Event>> {
    let mut conditions = Conditions::of(filter);
    let order = match order {
        Order::NewestFirst(before) => {
            if let Some(before) = before {
                conditions.add("e.id < ?", before.to_bytes());
            }
            "e.id DESC"
        }
        Order::OldestFirst(after) => {
            if let Some(after) = after {
                conditions.add("e.id > ?", after.to_bytes());
            }
            "e.id"
        }
        Order::Stored(seq) => {
            conditions.add("e.seq > ?", seq);
            "e.seq"
        }
    };
    let statement = format!("{}{} ORDER BY {order} LIMIT {most}", sql::STORED, conditions.clause());
    let mut statement = db.prepare_cached(&statement)?;
    statement.query_map(params_from_iter(conditions.values()), |row| sql::stored(row).map(Event::of))?.collect()
}

fn summary(db: &Connection, filter: &Filter, by: By, bucket: Bucket) -> rusqlite::Result<Summary> {
    let conditions = Conditions::of(filter);
    let clause = conditions.clause();
    let (key, count, join) = match by {
        By::Label => ("l.label", "sum(l.count)", " JOIN labels l ON l.id = e.id"),
        By::Host => ("e.host", "count(*)", ""),
        By::User => ("coalesce(e.user, '')", "count(*)", ""),
        By::Action => ("e.action", "count(*)", ""),
    };
    let mut events = db.prepare_cached(&format!("SELECT count(*) FROM events e{clause}"))?;
    let events = events.query_row(params_from_iter(conditions.values()), |row| row.get(0))?;

    let length = bucket.milliseconds();
    let mut statement =
        db.prepare_cached(&format!("SELECT {key}, e.time / {length} * {length}, {count} FROM events e{join}{clause} GROUP BY 1, 2"))?;
    let mut rows = statement.query(params_from_iter(conditions.values()))?;
    let mut totals: BTreeMap<String, i64> = BTreeMap::new();
    let mut cells: Vec<(String, i64, i64)> = Vec::new();
    while let Some(row) = rows.next()? {
        let (key, start, count): (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        *totals.entry(key.clone()).or_default() += count;
        cells.push((key, start, count));
    }
    let mut totals: Vec<(String, i64)> = totals.into_iter().collect();
    totals.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    totals.truncate(Summary::MOST_KEYS);
    let mut buckets: BTreeMap<i64, BTreeMap<String, i64>> = BTreeMap::new();
    for (key, start, count) in cells {
        if totals.iter().any(|(kept, _)| *kept == key) {
            buckets.entry(start).or_default().insert(key, count);
        }
    }
    let hour = |milliseconds: u64| sql::as_i64(milliseconds / 3_600_000);
    let to = filter.to.map_or(i64::MAX, |to| hour(to.saturating_add(3_599_999)));
    let (clean, _) = sql::clean(db, filter.from.map_or(0, hour), to)?;
    Ok(Summary { events, clean, totals, buckets })
}
