//! The thread that owns the database: takes what waits, commits it together, answers everybody; in between it counts
//! clean exchanges and removes what is older than the retention.

use super::{
    chain::{ChainKey, Ends},
    note::Note,
    open::{add_note, unwritable},
    query::Review,
    record::Id,
    sql::{self, Prepared, StoredToken, Write},
    store::{Shared, Unrecorded},
};
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use std::{
    fs::File,
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::{oneshot, watch};
use tracing::{error, info};

type Answer<T> = oneshot::Sender<Result<T, Unrecorded>>;

/// What the writer is asked to do.
#[derive(Debug)]
pub(super) enum Job {
    Append(Prepared, Answer<()>),
    Review(Id, Review, Answer<bool>),
    /// The token, and the name of the one that it was made with.
    PutToken(StoredToken, String, Answer<()>),
    /// The token's id, and the name of the one that it was revoked with.
    RemoveToken(String, String, Answer<bool>),
    Close(oneshot::Sender<()>),
}

impl std::fmt::Debug for StoredToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredToken").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The writer's state.
pub(super) struct Writer {
    pub(super) db: Connection,
    pub(super) key: ChainKey,
    pub(super) ends: Ends,
    pub(super) queue: Receiver<Job>,
    pub(super) told: watch::Sender<i64>,
    pub(super) shared: Arc<Shared>,
    pub(super) retention: Option<Duration>,
    /// Held until the database is closed.
    pub(super) lock: File,
}

impl Writer {
    /// Most jobs in one transaction.
    const BATCH: usize = 1024;
    /// Most rows that retention removes before waiting jobs get their turn.
    const REMOVED_AT_ONCE: i64 = 500;
    /// How often clean exchanges go to the file.
    const COUNT_EVERY: Duration = Duration::from_secs(10);
    /// How often retention looks for old days.
    const TIDY_EVERY: Duration = Duration::from_secs(600);

    /// Works until every [`Store`](super::Store) is gone or one is closed.
    pub(super) fn run(mut self) {
        let (mut next_count, mut next_tidy) = (Instant::now() + Self::COUNT_EVERY, Instant::now());
        loop {
            let wait = next_count.min(next_tidy).saturating_duration_since(Instant::now());
            match self.queue.recv_timeout(wait) {
                Ok(first) => {
                    if let Some(closed) = self.work(first) {
                        self.close();
                        let _ = closed.send(()); // nobody may be waiting any more
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.close(),
            }
            if Instant::now() >= next_count {
                self.count_clean();
                next_count = Instant::now() + Self::COUNT_EVERY;
            }
            if Instant::now() >= next_tidy {
                // Unfinished work goes on after the jobs that came meanwhile.
                let done = self.remove_old().unwrap_or_else(|failure| {
                    error!(error = %failure, "the audit's retention could not be carried out");
                    true
                });
                if done {
                    next_tidy = Instant::now() + Self::TIDY_EVERY;
                }
            }
        }
    }

    /// Does `first` and all that waits with it; gives the one to tell when it is time to close.
    fn work(&mut self, first: Job) -> Option<oneshot::Sender<()>> {
        let mut appends = Vec::new();
        let mut next = Some(first);
        let mut closed = None;
        while let Some(job) = next {
            match job {
                Job::Append(record, answer) => appends.push((record, answer)),
                Job::Close(answer) => closed = Some(answer),
                // The others are rare; what was asked before them is done before them.
                Job::Review(id, review, answer) => {
                    self.store(&mut appends);
                    let _ = answer.send(self.note(|tx| review_note(tx, id, &review)).map_err(disk));
                }
                Job::PutToken(token, by, answer) => {
                    let _ = answer.send(self.note(|tx| token_note(tx, &token, &by)).map(drop).map_err(disk));
                }
                Job::RemoveToken(id, by, answer) => {
                    let _ = answer.send(self.note(|tx| revoked_note(tx, &id, &by)).map_err(disk));
                }
            }
            self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
            next = if closed.is_none() && appends.len() < Self::BATCH { self.queue.try_recv().ok() } else { None };
        }
        self.store(&mut appends);
        closed
    }

    /// Commits `appends` as one and answers each.
    fn store(&mut self, appends: &mut Vec<(Prepared, Answer<()>)>) {
        if appends.is_empty() {
            return;
        }
        let bytes = appends.iter().map(|(record, _)| record.json.len()).sum();
        let result = self.commit(appends);
        self.shared.failing.store(result.is_err(), Ordering::Relaxed);
        self.shared.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        match result {
            Ok((ends, refused)) => {
                self.ends = ends;
                // Before the answers: who has one and then opens a live stream must not be told of that record again.
                self.told.send_replace(ends.head);
                self.shared.stored.fetch_add((appends.len() - refused.len()) as u64, Ordering::Relaxed);
                for (index, (_, answer)) in appends.drain(..).enumerate() {
                    let refusal = refused.iter().find(|(at, _)| *at == index).map(|(_, why)| Err(why.clone()));
                    let _ = answer.send(refusal.unwrap_or(Ok(()))); // a client that left does not unmake the record
                }
            }
            Err(failure) => {
                error!(error = %failure, records = appends.len(), "the audit store cannot write");
                let why = disk(failure);
                for (_, answer) in appends.drain(..) {
                    let _ = answer.send(Err(why.clone()));
                }
            }
        }
    }

    /// Gives the new ends, and which of the records were refused alone.
    fn commit(&mut self, appends: &[(Prepared, Answer<()>)]) -> rusqlite::Result<(Ends, Vec<(usize, Unrecorded)>)> {
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (mut ends, mut refused) = (self.ends, Vec::new());
        for (index, (record, _)) in appends.iter().enumerate() {
            let (seq, link) = (ends.head + 1, self.key.link(ends.head_link, &record.json));
            match record.write {
                Write::Append => {}
                Write::Amend => sql::supersede(&tx, record.id)?,
            }
            match sql::insert(&tx, seq, record, link) {
                Ok(()) => (ends.head, ends.head_link) = (seq, link),
                // The same id twice: the statement alone is undone, the others must not pay for it.
                Err(failure) if failure.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => refused.push((index, disk(failure))),
                Err(failure) => return Err(failure),
            }
        }
        sql::put_ends(&tx, &ends, &self.key)?;
        tx.commit()?;
        Ok((ends, refused))
    }

    /// Lets `change` change something and chains the note that it returns; `false` where it did nothing.
    fn note(&mut self, change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<Option<(Note, i64)>>) -> rusqlite::Result<bool> {
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let Some((note, time)) = change(&tx)? else { return Ok(false) };
        let mut ends = self.ends;
        add_note(&tx, &mut ends, &self.key, &note, time)?;
        sql::put_ends(&tx, &ends, &self.key)?;
        tx.commit()?;
        self.ends = ends;
        Ok(true)
    }

    fn count_clean(&mut self) {
        let (exchanges, bytes) = (self.shared.clean.swap(0, Ordering::Relaxed), self.shared.clean_bytes.swap(0, Ordering::Relaxed));
        if exchanges == 0 {
            return;
        }
        let hour = sql::as_i64(seconds_now() / 3600);
        let result = sql::add_clean(&self.db, hour, sql::as_i64(exchanges), sql::as_i64(bytes));
        self.shared.failing.store(result.is_err(), Ordering::Relaxed);
        if let Err(failure) = result {
            error!(error = %failure, "clean exchanges could not be counted");
            self.shared.clean.fetch_add(exchanges, Ordering::Relaxed);
            self.shared.clean_bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Removes one batch of what is older than the retention; `true` when nothing is left to remove.
    fn remove_old(&mut self) -> rusqlite::Result<bool> {
        const DAY: u64 = 86_400;
        let Some(retention) = self.retention else { return Ok(true) };
        let day = seconds_now().saturating_sub(retention.as_secs()) / DAY; // whole days, in UTC
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let removed = sql::remove_older(&tx, sql::as_i64(day * DAY * 1000), Self::REMOVED_AT_ONCE)?;
        let Some(removed) = removed else {
            drop(tx);
            sql::tidy(&self.db, sql::as_i64(day * 24))?;
            return Ok(true);
        };
        let mut ends = Ends { anchor: removed.seq, anchor_link: removed.link, ..self.ends };
        for note in &removed.current {
            add_note(&tx, &mut ends, &self.key, note, sql::as_i64(seconds_now() * 1000))?;
        }
        sql::put_ends(&tx, &ends, &self.key)?;
        tx.commit()?;
        self.ends = ends;
        info!(records = removed.events, "audit records past the retention were removed");
        Ok(false)
    }

    fn close(mut self) {
        self.count_clean();
        let Self { db, lock, .. } = self;
        if let Err((_, failure)) = db.close() {
            error!(error = %failure, "the audit database was not closed cleanly; the next start recovers it");
        }
        drop(lock);
    }
}

fn review_note(tx: &Transaction<'_>, id: Id, review: &Review) -> rusqlite::Result<Option<(Note, i64)>> {
    if !sql::put_review(tx, id, review)? {
        return Ok(None);
    }
    Ok(Some((Note::review(id, review).map_err(unwritable)?, review.time)))
}

fn token_note(tx: &Transaction<'_>, token: &StoredToken, by: &str) -> rusqlite::Result<Option<(Note, i64)>> {
    sql::put_token(tx, token)?;
    Ok(Some((Note::token(token, Some(by)).map_err(unwritable)?, token.created)))
}

fn revoked_note(tx: &Transaction<'_>, id: &str, by: &str) -> rusqlite::Result<Option<(Note, i64)>> {
    let Some(token) = sql::remove_token(tx, id)? else { return Ok(None) };
    let now = sql::as_i64(seconds_now() * 1000);
    Ok(Some((Note::revoked(&token, by, now).map_err(unwritable)?, now)))
}

fn disk(failure: rusqlite::Error) -> Unrecorded {
    Unrecorded::Disk(failure.to_string().into())
}

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
