//! All SQL of the audit store, and nothing else: schema, migrations, statements.

use super::{
    chain::{ChainKey, Ends, Link},
    query::Review,
    record::{Id, Record},
};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

/// Marks a file as ours: "Exet".
pub(super) const APPLICATION_ID: i64 = 0x4578_6574;

/// One step per schema version; step `n` brings version `n` to `n + 1`. Never change one that has been released.
pub(super) const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        time INTEGER NOT NULL,
        user TEXT,
        host TEXT NOT NULL,
        action TEXT NOT NULL,
        json TEXT NOT NULL,
        link BLOB NOT NULL
    );
    CREATE INDEX events_user ON events (user, id) WHERE user IS NOT NULL;
    CREATE INDEX events_host ON events (host, id);
    CREATE INDEX events_action ON events (action, id);
    CREATE TABLE labels (
        label TEXT NOT NULL,
        id BLOB NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (label, id)
    ) WITHOUT ROWID;
    CREATE INDEX labels_id ON labels (id);
    CREATE TABLE chain (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        anchor INTEGER NOT NULL,
        anchor_link BLOB NOT NULL,
        head INTEGER NOT NULL,
        head_link BLOB NOT NULL,
        seal BLOB NOT NULL
    );
    CREATE TABLE reviews (
        id BLOB PRIMARY KEY,
        verdict TEXT NOT NULL,
        note TEXT NOT NULL,
        reviewer TEXT NOT NULL,
        time INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE clean (
        hour INTEGER PRIMARY KEY,
        exchanges INTEGER NOT NULL,
        bytes INTEGER NOT NULL
    );
    CREATE TABLE tokens (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        hash BLOB NOT NULL UNIQUE,
        created INTEGER NOT NULL
    ) WITHOUT ROWID;
"];

/// A record, made ready for its row.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub(super) id: Id,
    pub(super) user: Option<String>,
    pub(super) host: String,
    pub(super) action: &'static str,
    pub(super) json: String,
    /// Label and number of findings under it.
    pub(super) labels: Vec<(String, i64)>,
}

/// A stored event.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stored {
    pub(super) seq: i64,
    pub(super) id: Id,
    pub(super) json: String,
    pub(super) review: Option<Review>,
}

/// A row as the chain's check needs it.
pub(super) struct Chained {
    pub(super) seq: i64,
    pub(super) id: Id,
    pub(super) time: i64,
    pub(super) user: Option<String>,
    pub(super) host: String,
    pub(super) action: String,
    pub(super) json: String,
    pub(super) link: Link,
}

/// A stored token, without the token.
pub(super) struct StoredToken {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) role: String,
    pub(super) hash: [u8; 32],
    /// Milliseconds since 1970.
    pub(super) created: i64,
}

impl Prepared {
    pub(super) fn of(record: &Record) -> Result<Self, serde_json::Error> {
        let mut labels: Vec<(String, i64)> = Vec::new();
        for entry in &record.findings {
            match labels.iter_mut().find(|(label, _)| *label == entry.label) {
                Some((_, count)) => *count += 1,
                None => labels.push((entry.label.clone(), 1)),
            }
        }
        labels.sort();
        let (user, host) = (record.user.clone(), record.host.clone());
        Ok(Self { id: record.id, user, host, action: record.action.name(), json: record.to_json()?, labels })
    }
}

/// Settings of the one connection that writes. `FULL` makes each commit durable before it returns.
pub(super) fn set_up_writer(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch("PRAGMA busy_timeout = 5000; PRAGMA auto_vacuum = INCREMENTAL")?;
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN);
        return Err(rusqlite::Error::SqliteFailure(code, Some("the file system does not allow write-ahead logging".to_owned())));
    }
    db.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF")
}

/// Settings of a connection that reads.
pub(super) fn set_up_reader(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch("PRAGMA busy_timeout = 5000; PRAGMA query_only = ON; PRAGMA trusted_schema = OFF")
}

pub(super) fn application_id(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("PRAGMA application_id", [], |row| row.get(0))
}

pub(super) fn schema_version(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("PRAGMA user_version", [], |row| row.get(0))
}

pub(super) fn is_blank(db: &Connection) -> rusqlite::Result<bool> {
    db.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
}

/// The first fault of the file's structure, or none.
pub(super) fn fault(db: &Connection) -> rusqlite::Result<Option<String>> {
    let told: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok((told != "ok").then_some(told))
}

/// Applies `step`, which makes the schema `version`.
pub(super) fn migrate(tx: &Transaction<'_>, step: &str, version: i64) -> rusqlite::Result<()> {
    tx.execute_batch(step)?;
    tx.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version}"))
}

/// The chain's ends with their seal.
pub(super) fn ends(db: &Connection) -> rusqlite::Result<Option<(Ends, Link)>> {
    db.prepare_cached("SELECT anchor, anchor_link, head, head_link, seal FROM chain")?
        .query_row([], |row| {
            let ends = Ends { anchor: row.get(0)?, anchor_link: link(row, 1)?, head: row.get(2)?, head_link: link(row, 3)? };
            Ok((ends, link(row, 4)?))
        })
        .optional()
}

pub(super) fn put_ends(tx: &Transaction<'_>, ends: &Ends, key: &ChainKey) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT OR REPLACE INTO chain (one, anchor, anchor_link, head, head_link, seal) VALUES (1, ?, ?, ?, ?, ?)")?
        .execute(params![ends.anchor, ends.anchor_link.to_bytes(), ends.head, ends.head_link.to_bytes(), key.seal(ends).to_bytes()])?;
    Ok(())
}

/// Number and link of the last row.
pub(super) fn last(db: &Connection) -> rusqlite::Result<Option<(i64, Link)>> {
    db.query_row("SELECT seq, link FROM events ORDER BY seq DESC LIMIT 1", [], |row| Ok((row.get(0)?, link(row, 1)?))).optional()
}

pub(super) fn insert(tx: &Transaction<'_>, seq: i64, record: &Prepared, link: Link) -> rusqlite::Result<()> {
    let (id, time) = (record.id.to_bytes(), as_i64(record.id.milliseconds()));
    tx.prepare_cached("INSERT INTO events (seq, id, time, user, host, action, json, link) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![seq, id, time, record.user, record.host, record.action, record.json, link.to_bytes()])?;
    let mut labels = tx.prepare_cached("INSERT OR REPLACE INTO labels (label, id, count) VALUES (?, ?, ?)")?;
    for (label, count) in &record.labels {
        labels.execute(params![label, id, count])?;
    }
    Ok(())
}

/// Removes at most `most` of the oldest rows, as far as all of them are older than `cutoff` (milliseconds since 1970).
/// Gives how many went, and number and link of the last of them.
pub(super) fn remove_older(tx: &Transaction<'_>, cutoff: i64, most: i64) -> rusqlite::Result<Option<(i64, Link, usize)>> {
    let mut rows = tx.prepare_cached("SELECT seq, link, time FROM events ORDER BY seq LIMIT ?")?;
    let mut rows = rows.query([most])?;
    let mut last = None;
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(2)? >= cutoff {
            break;
        }
        last = Some((row.get::<_, i64>(0)?, link(row, 1)?));
    }
    let Some((seq, link)) = last else { return Ok(None) };
    for table in ["labels", "reviews"] {
        tx.prepare_cached(&format!("DELETE FROM {table} WHERE id IN (SELECT id FROM events WHERE seq <= ?)"))?.execute([seq])?;
    }
    let count = tx.prepare_cached("DELETE FROM events WHERE seq <= ?")?.execute([seq])?;
    Ok(Some((seq, link, count)))
}

/// Gives freed pages back to the file system, and drops counts of clean exchanges older than `hour`.
pub(super) fn tidy(db: &Connection, hour: i64) -> rusqlite::Result<()> {
    db.execute("DELETE FROM clean WHERE hour < ?", [hour])?;
    db.execute_batch("PRAGMA incremental_vacuum(4096)")
}

pub(super) fn add_clean(db: &Connection, hour: i64, exchanges: i64, bytes: i64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO clean (hour, exchanges, bytes) VALUES (?1, ?2, ?3)
         ON CONFLICT (hour) DO UPDATE SET exchanges = exchanges + ?2, bytes = bytes + ?3",
    )?
    .execute([hour, exchanges, bytes])?;
    Ok(())
}

/// Clean exchanges and their bytes in the hours `from..to`.
pub(super) fn clean(db: &Connection, from: i64, to: i64) -> rusqlite::Result<(i64, i64)> {
    db.prepare_cached("SELECT coalesce(sum(exchanges), 0), coalesce(sum(bytes), 0) FROM clean WHERE hour >= ? AND hour < ?")?
        .query_row([from, to], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Stores a review over any earlier one; `false` where there is no such event.
pub(super) fn put_review(db: &Connection, id: Id, review: &Review) -> rusqlite::Result<bool> {
    let changed = db
        .prepare_cached(
            "INSERT OR REPLACE INTO reviews (id, verdict, note, reviewer, time)
             SELECT id, ?2, ?3, ?4, ?5 FROM events WHERE id = ?1",
        )?
        .execute(params![id.to_bytes(), review.verdict, review.note, review.reviewer, review.time])?;
    Ok(changed == 1)
}

/// Rows from `seq` on, oldest first, to walk the chain.
pub(super) fn chained(db: &Connection, seq: i64, most: i64) -> rusqlite::Result<Vec<Chained>> {
    db.prepare_cached("SELECT seq, id, time, user, host, action, json, link FROM events WHERE seq >= ? ORDER BY seq LIMIT ?")?
        .query_map([seq, most], |row| {
            Ok(Chained {
                seq: row.get(0)?,
                id: id(row, 1)?,
                time: row.get(2)?,
                user: row.get(3)?,
                host: row.get(4)?,
                action: row.get(5)?,
                json: row.get(6)?,
                link: link(row, 7)?,
            })
        })?
        .collect()
}

/// Labels and counts of one event, sorted.
pub(super) fn labels_of(db: &Connection, id: Id) -> rusqlite::Result<Vec<(String, i64)>> {
    db.prepare_cached("SELECT label, count FROM labels WHERE id = ? ORDER BY label")?
        .query_map([id.to_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

pub(super) fn tokens(db: &Connection) -> rusqlite::Result<Vec<StoredToken>> {
    db.prepare_cached("SELECT id, name, role, hash, created FROM tokens ORDER BY created, id")?
        .query_map([], |row| {
            Ok(StoredToken { id: row.get(0)?, name: row.get(1)?, role: row.get(2)?, hash: row.get(3)?, created: row.get(4)? })
        })?
        .collect()
}

pub(super) fn put_token(db: &Connection, token: &StoredToken) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO tokens (id, name, role, hash, created) VALUES (?, ?, ?, ?, ?)")?.execute(params![
        token.id,
        token.name,
        token.role,
        token.hash,
        token.created
    ])?;
    Ok(())
}

/// Removes a token; `false` where there is none.
pub(super) fn remove_token(db: &Connection, id: &str) -> rusqlite::Result<bool> {
    Ok(db.prepare_cached("DELETE FROM tokens WHERE id = ?")?.execute([id])? == 1)
}

/// The columns that [`stored`] reads, from `events` as `e`.
pub(super) const STORED: &str =
    "SELECT e.seq, e.id, e.json, r.verdict, r.note, r.reviewer, r.time FROM events e LEFT JOIN reviews r ON r.id = e.id";

/// Reads a row of [`STORED`].
pub(super) fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let review = match row.get::<_, Option<String>>(3)? {
        Some(verdict) => Some(Review { verdict, note: row.get(4)?, reviewer: row.get(5)?, time: row.get(6)? }),
        None => None,
    };
    Ok(Stored { seq: row.get(0)?, id: id(row, 1)?, json: row.get(2)?, review })
}

fn link(row: &Row<'_>, column: usize) -> rusqlite::Result<Link> {
    row.get(column).map(Link::from_bytes)
}

fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<Id> {
    row.get(column).map(Id::from_bytes)
}

/// A count as SQLite holds it.
pub(super) fn as_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
