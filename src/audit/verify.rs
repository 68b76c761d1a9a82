//! The walk along the chain: whether everything is as it was written.

use super::{
    chain::{ChainKey, Link},
    note::{Kind, Reviewed, Subject, Token},
    open::sealed_ends,
    record::{Id, Record},
    sql::{self, Chained, ChainedRow, Write},
};
use rusqlite::Connection;
use std::collections::BTreeMap;

/// What walking the chain came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chain {
    /// Every record is as it was written.
    Intact {
        /// How many events there are.
        events: u64,
        /// How many notes: reviews, tokens made and revoked, earlier records of an exchange.
        notes: u64,
        /// How many of both retention has removed before them.
        removed: i64,
        /// The last link, in hex: note it elsewhere, and no later tampering can go unseen.
        head: String,
    },
    /// It was changed from outside.
    Broken {
        /// Records that are still sound before the break.
        sound: u64,
        /// Number of the first one that is not.
        seq: i64,
        /// Its id, where there is a row.
        id: Option<Id>,
        /// What is wrong.
        cause: &'static str,
    },
}

/// What the notes say so far.
#[derive(Default)]
struct Told {
    /// The last review of each event, with its number.
    reviews: BTreeMap<Id, (i64, Reviewed)>,
    /// The tokens that were made and not revoked.
    tokens: BTreeMap<String, Token>,
    /// Where an earlier record of each exchange stands last.
    superseded: BTreeMap<Id, i64>,
}

/// A row that is not as it was written, and why.
type Wrong = (Option<Id>, &'static str);

pub(super) fn verify(db: &Connection, key: &ChainKey) -> rusqlite::Result<Chain> {
    const AT_ONCE: i64 = 1000;
    let snapshot = db.unchecked_transaction()?; // what is added or removed meanwhile does not disturb the walk
    let stored = sql::ends(&snapshot)?.filter(|(ends, seal)| *seal == key.seal(ends));
    let Some((ends, _)) = stored else {
        let cause = "the seal on the ends of the chain is missing or not ours";
        return Ok(Chain::Broken { sound: 0, seq: 0, id: None, cause });
    };
    let (mut at, mut link, mut events, mut notes) = (ends.anchor, ends.anchor_link, 0, 0);
    let mut told = Told::default();
    loop {
        let rows = sql::chained(&snapshot, if at == ends.anchor { i64::MIN } else { at + 1 }, AT_ONCE)?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let next = key.link(link, &row.json);
            if let Some((id, cause)) = wrong_with(&snapshot, &row, at + 1, next, &mut told)? {
                return Ok(Chain::Broken { sound: events + notes, seq: at + 1, id, cause });
            }
            (at, link) = (row.seq, next);
            match row.row {
                ChainedRow::Event { .. } => events += 1,
                ChainedRow::Note { .. } => notes += 1,
            }
        }
    }
    let sound = events + notes;
    if sealed_ends(&snapshot, key)?.is_none() || (at, link) != (ends.head, ends.head_link) {
        return Ok(Chain::Broken { sound, seq: at + 1, id: None, cause: "records are missing at the end" });
    }
    if let Some((seq, id, cause)) = told.contradicted(&snapshot)? {
        return Ok(Chain::Broken { sound, seq, id, cause });
    }
    Ok(Chain::Intact { events, notes, removed: ends.anchor, head: link.to_string() })
}

fn wrong_with(db: &Connection, row: &Chained, seq: i64, link: Link, told: &mut Told) -> rusqlite::Result<Option<Wrong>> {
    let id = match &row.row {
        ChainedRow::Event { id, .. } | ChainedRow::Note { subject: Subject::Event(id), .. } => Some(*id),
        ChainedRow::Note { subject: Subject::Token(_), .. } => None,
    };
    if row.seq != seq {
        return Ok(Some((id, "records are missing or were put in before this one")));
    }
    if link != row.link {
        return Ok(Some((id, "the record was changed")));
    }
    let is_right = match &row.row {
        ChainedRow::Event { .. } => is_indexed_right(db, row)?,
        ChainedRow::Note { kind, subject } => told.take(*kind, subject, row),
    };
    Ok((!is_right).then_some((id, "the columns that searches use do not match the record")))
}

fn is_indexed_right(db: &Connection, row: &Chained) -> rusqlite::Result<bool> {
    let ChainedRow::Event { id, time, user, host, action } = &row.row else { return Ok(false) };
    let Ok(record) = serde_json::from_str::<Record>(&row.json) else { return Ok(false) };
    let Ok(right) = sql::Prepared::of(&record, Write::Append) else { return Ok(false) };
    let own_time = sql::as_i64(record.id.milliseconds());
    let columns = right.id == *id && own_time == *time && right.user == *user && right.host == *host && right.action == action;
    Ok(columns && sql::labels_of(db, *id)? == right.labels && sql::hosts_of(db, *id)? == right.also)
}

impl Told {
    /// Takes in a note; `false` if its columns do not match its JSON.
    fn take(&mut self, kind: Kind, subject: &Subject, row: &Chained) -> bool {
        match (kind, subject) {
            (Kind::Review, Subject::Event(id)) => {
                let Ok(review) = serde_json::from_str::<Reviewed>(&row.json) else { return false };
                let is_right = review.event() == *id;
                self.reviews.insert(*id, (row.seq, review));
                is_right
            }
            (Kind::Token | Kind::Revoked, Subject::Token(id)) => {
                let Ok(token) = serde_json::from_str::<Token>(&row.json) else { return false };
                let is_right = token.id == *id && token.kind() == kind.name();
                match kind {
                    Kind::Token => _ = self.tokens.insert(id.clone(), token),
                    Kind::Revoked | Kind::Review | Kind::Superseded => _ = self.tokens.remove(id),
                }
                is_right
            }
            (Kind::Superseded, Subject::Event(id)) => {
                let is_right = serde_json::from_str::<Record>(&row.json).is_ok_and(|record| record.id == *id);
                self.superseded.insert(*id, row.seq);
                is_right
            }
            (Kind::Review | Kind::Superseded, Subject::Token(_)) | (Kind::Token | Kind::Revoked, Subject::Event(_)) => false,
        }
    }

    /// Where the tables say something else than the notes.
    fn contradicted(&self, db: &Connection) -> rusqlite::Result<Option<(i64, Option<Id>, &'static str)>> {
        for (id, seq) in &self.superseded {
            // Retention takes the older first, so a later record is always there.
            if sql::seq_of(db, *id)?.is_none_or(|later| later < *seq) {
                return Ok(Some((*seq, Some(*id), "the later record of this exchange is missing")));
            }
        }
        let rows = sql::reviews(db)?;
        for (id, review) in &rows {
            if self.reviews.get(id).is_none_or(|(_, told)| *told != Reviewed::of(*id, review)) {
                return Ok(Some((0, Some(*id), "the review of this event was changed or put in")));
            }
        }
        for (id, (seq, _)) in &self.reviews {
            let is_there = rows.binary_search_by_key(id, |(id, _)| *id).is_ok();
            if !is_there && sql::seq_of(db, *id)?.is_some() {
                return Ok(Some((*seq, Some(*id), "the review of this event was removed")));
            }
        }
        let rows = sql::tokens(db)?;
        let is_right =
            rows.len() == self.tokens.len() && rows.iter().all(|row| self.tokens.get(&row.id).is_some_and(|told| told.is_of(row)));
        Ok((!is_right).then_some((0, None, "the tokens are not those that were made and not revoked")))
    }
}
