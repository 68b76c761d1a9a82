//! The statements of the audit store. What reads events by filters is in `filter.rs`, the tables are in `schema.rs`.

use super::{
    chain::{ChainKey, Ends, Link},
    note::{Kind, Note, Subject},
    query::Review,
    record::{Id, Record},
};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

/// Marks a file as ours: "Exet".
pub(super) const APPLICATION_ID: i64 = 0x4578_6574;

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
    /// Further names of the destination, sorted.
    pub(super) also: Vec<String>,
    pub(super) write: Write,
}

/// How a record comes to the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Write {
    /// As a new one.
    Append,
    /// In place of an earlier one of the same exchange, which the chain keeps.
    Amend,
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
    pub(super) json: String,
    pub(super) link: Link,
    pub(super) row: ChainedRow,
}

/// What is particular to its table.
pub(super) enum ChainedRow {
    Event { id: Id, time: i64, user: Option<String>, host: String, action: String },
    Note { kind: Kind, subject: Subject },
}

/// A stored token, without the token.
#[derive(Clone)]
pub(super) struct StoredToken {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) role: String,
    pub(super) hash: [u8; 32],
    /// Milliseconds since 1970.
    pub(super) created: i64,
}

impl Prepared {
    pub(super) fn of(record: &Record, write: Write) -> Result<Self, serde_json::Error> {
        let mut labels: Vec<(String, i64)> = Vec::new();
        for entry in &record.findings {
            match labels.iter_mut().find(|(label, _)| *label == entry.label) {
                Some((_, count)) => *count += 1,
                None => labels.push((entry.label.clone(), 1)),
            }
        }
        labels.sort();
        let mut also = record.also.clone();
        also.sort();
        also.dedup();
        let (user, host) = (record.user.clone(), record.host.clone());
        Ok(Self { id: record.id, user, host, action: record.action.name(), json: record.to_json()?, labels, also, write })
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
    let last = |table: &str| {
        let statement = format!("SELECT seq, link FROM {table} ORDER BY seq DESC LIMIT 1");
        db.query_row(&statement, [], |row| Ok((row.get(0)?, link(row, 1)?))).optional()
    };
    Ok([last("events")?, last("notes")?].into_iter().flatten().max_by_key(|(seq, _)| *seq))
}

pub(super) fn insert(tx: &Transaction<'_>, seq: i64, record: &Prepared, link: Link) -> rusqlite::Result<()> {
    let (id, time) = (record.id.to_bytes(), as_i64(record.id.milliseconds()));
    tx.prepare_cached("INSERT INTO events (seq, id, time, user, host, action, json, link) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![seq, id, time, record.user, record.host, record.action, record.json, link.to_bytes()])?;
    let mut labels = tx.prepare_cached("INSERT OR REPLACE INTO labels (label, id, count) VALUES (?, ?, ?)")?;
    for (label, count) in &record.labels {
        labels.execute(params![label, id, count])?;
    }
    let mut hosts = tx.prepare_cached("INSERT OR REPLACE INTO hosts (host, id) VALUES (?, ?)")?;
    for host in &record.also {
        hosts.execute(params![host, id])?;
    }
    Ok(())
}

/// Makes room for a later record of the exchange `id`: the present one goes to the notes, its number and link with it.
pub(super) fn supersede(tx: &Transaction<'_>, id: Id) -> rusqlite::Result<()> {
    let bytes = id.to_bytes();
    tx.prepare_cached("INSERT INTO notes SELECT seq, ?2, id, time, json, link FROM events WHERE id = ?1")?
        .execute(params![bytes, Kind::Superseded])?;
    for table in ["labels", "hosts", "events"] {
        tx.prepare_cached(&format!("DELETE FROM {table} WHERE id = ?"))?.execute([bytes])?;
    }
    Ok(())
}

pub(super) fn insert_note(tx: &Transaction<'_>, seq: i64, note: &Note, time: i64, link: Link) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT INTO notes (seq, kind, subject, time, json, link) VALUES (?, ?, ?, ?, ?, ?)")?.execute(params![
        seq,
        note.kind,
        note.subject,
        time,
        note.json,
        link.to_bytes()
    ])?;
    Ok(())
}

/// What [`remove_older`] did.
pub(super) struct Removed {
    /// Number and link of the last row that went.
    pub(super) seq: i64,
    pub(super) link: Link,
    pub(super) events: usize,
    /// Notes that went and are still true: of valid tokens, and reviews of events that stay.
    pub(super) current: Vec<Note>,
}

/// Removes at most `most` of the oldest rows, as far as all of them are older than `cutoff` (milliseconds since 1970).
pub(super) fn remove_older(tx: &Transaction<'_>, cutoff: i64, most: i64) -> rusqlite::Result<Option<Removed>> {
    let mut rows =
        tx.prepare_cached("SELECT seq, link, time FROM events UNION ALL SELECT seq, link, time FROM notes ORDER BY seq LIMIT ?")?;
    let mut rows = rows.query([most])?;
    let mut last = None;
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(2)? >= cutoff {
            break;
        }
        last = Some((row.get::<_, i64>(0)?, link(row, 1)?));
    }
    let Some((seq, link)) = last else { return Ok(None) };
    let current = current_notes(tx, seq)?;
    for table in ["labels", "hosts", "reviews"] {
        tx.prepare_cached(&format!("DELETE FROM {table} WHERE id IN (SELECT id FROM events WHERE seq <= ?)"))?.execute([seq])?;
    }
    let events = tx.prepare_cached("DELETE FROM events WHERE seq <= ?")?.execute([seq])?;
    tx.prepare_cached("DELETE FROM notes WHERE seq <= ?")?.execute([seq])?;
    Ok(Some(Removed { seq, link, events, current }))
}

/// The notes up to number `seq` that are still true when all up to there is gone.
fn current_notes(db: &Connection, seq: i64) -> rusqlite::Result<Vec<Note>> {
    db.prepare_cached(
        "SELECT kind, subject, json FROM notes WHERE seq <= ?1 AND (kind = ?2 AND subject IN (SELECT id FROM tokens)
         OR kind = ?3 AND subject IN (SELECT id FROM events WHERE seq > ?1)) ORDER BY seq",
    )?
    .query_map(params![seq, Kind::Token, Kind::Review], |row| Ok(Note { kind: row.get(0)?, subject: row.get(1)?, json: row.get(2)? }))?
    .collect()
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

/// Rows from `seq` on, events and notes, oldest first, to walk the chain.
pub(super) fn chained(db: &Connection, seq: i64, most: i64) -> rusqlite::Result<Vec<Chained>> {
    db.prepare_cached(
        "SELECT seq, json, link, NULL, id, time, user, host, action FROM events WHERE seq >= ?1
         UNION ALL SELECT seq, json, link, kind, subject, NULL, NULL, NULL, NULL FROM notes WHERE seq >= ?1 ORDER BY seq LIMIT ?2",
    )?
    .query_map([seq, most], |row| {
        let kind = row.get::<_, Option<Kind>>(3)?;
        let of_event = || {
            Ok::<_, rusqlite::Error>(ChainedRow::Event {
                id: id(row, 4)?,
                time: row.get(5)?,
                user: row.get(6)?,
                host: row.get(7)?,
                action: row.get(8)?,
            })
        };
        let chained = match kind {
            Some(kind) => ChainedRow::Note { kind, subject: row.get(4)? },
            None => of_event()?,
        };
        Ok(Chained { seq: row.get(0)?, json: row.get(1)?, link: link(row, 2)?, row: chained })
    })?
    .collect()
}

/// Number of the event `id`.
pub(super) fn seq_of(db: &Connection, id: Id) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT seq FROM events WHERE id = ?")?.query_row([id.to_bytes()], |row| row.get(0)).optional()
}

/// All reviews, by event.
pub(super) fn reviews(db: &Connection) -> rusqlite::Result<Vec<(Id, Review)>> {
    db.prepare_cached("SELECT id, verdict, note, reviewer, time FROM reviews ORDER BY id")?
        .query_map([], |row| {
            Ok((id(row, 0)?, Review { verdict: row.get(1)?, note: row.get(2)?, reviewer: row.get(3)?, time: row.get(4)? }))
        })?
        .collect()
}

/// Further names of one event's destination, sorted.
pub(super) fn hosts_of(db: &Connection, id: Id) -> rusqlite::Result<Vec<String>> {
    db.prepare_cached("SELECT host FROM hosts WHERE id = ? ORDER BY host")?.query_map([id.to_bytes()], |row| row.get(0))?.collect()
}

/// Labels and counts of one event, sorted.
pub(super) fn labels_of(db: &Connection, id: Id) -> rusqlite::Result<Vec<(String, i64)>> {
    db.prepare_cached("SELECT label, count FROM labels WHERE id = ? ORDER BY label")?
        .query_map([id.to_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

pub(super) fn tokens(db: &Connection) -> rusqlite::Result<Vec<StoredToken>> {
    db.prepare_cached("SELECT id, name, role, hash, created FROM tokens ORDER BY created, id")?.query_map([], token)?.collect()
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

/// Removes a token and returns it; `None` where there is none.
pub(super) fn remove_token(db: &Connection, id: &str) -> rusqlite::Result<Option<StoredToken>> {
    db.prepare_cached("DELETE FROM tokens WHERE id = ? RETURNING id, name, role, hash, created")?.query_row([id], token).optional()
}

fn token(row: &Row<'_>) -> rusqlite::Result<StoredToken> {
    Ok(StoredToken { id: row.get(0)?, name: row.get(1)?, role: row.get(2)?, hash: row.get(3)?, created: row.get(4)? })
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
