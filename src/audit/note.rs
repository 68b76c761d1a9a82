//! What the chain holds beside the events: what people said about them, tokens made and revoked, and earlier versions of events.
//!
//! A note is chained as its JSON, in the order in which it was made. The tables of reviews and tokens hold what is true now, so
//! that nobody has to read the notes to know; [`verify`](super::verify) compares the two.

use super::{export::rfc3339, query::Review, record::Id, sql::StoredToken};
use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};
use serde::{Deserialize, Serialize};

/// A note, ready for its row.
#[derive(Clone, Debug)]
pub(super) struct Note {
    pub(super) kind: Kind,
    pub(super) subject: Subject,
    /// What is chained.
    pub(super) json: String,
}

/// What a note tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Somebody reviewed an event.
    Review,
    /// A token was made.
    Token,
    /// A token was revoked.
    Revoked,
    /// The record of an exchange before the one that stands among the events now.
    Superseded,
}

/// What a note is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Event(Id),
    Token(String),
}

/// The JSON of a review.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reviewed {
    note: String,
    event: Id,
    verdict: String,
    text: String,
    reviewer: String,
    /// RFC 3339.
    time: String,
}

/// The JSON of a token made or revoked.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    note: String,
    pub(super) id: String,
    name: String,
    role: String,
    /// BLAKE3 of the token's 256 random bits, in hex: to know that the row is the one that was made.
    hash: String,
    /// Name of the token that was used to make or revoke it; absent for those made before this was noted.
    by: Option<String>,
    /// RFC 3339.
    time: String,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Review, Self::Token, Self::Revoked, Self::Superseded];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Token => "token",
            Self::Revoked => "revoked",
            Self::Superseded => "superseded",
        }
    }
}

impl Reviewed {
    pub(super) fn of(event: Id, review: &Review) -> Self {
        Self {
            note: Kind::Review.name().to_owned(),
            event,
            verdict: review.verdict.clone(),
            text: review.note.clone(),
            reviewer: review.reviewer.clone(),
            time: rfc3339(review.time),
        }
    }

    pub(super) fn event(&self) -> Id {
        self.event
    }
}

impl Token {
    fn of(kind: Kind, token: &StoredToken, by: Option<&str>, time: i64) -> Self {
        Self {
            note: kind.name().to_owned(),
            id: token.id.clone(),
            name: token.name.clone(),
            role: token.role.clone(),
            hash: blake3::Hash::from_bytes(token.hash).to_hex().to_string(),
            by: by.map(str::to_owned),
            time: rfc3339(time),
        }
    }

    pub(super) fn kind(&self) -> &str {
        &self.note
    }

    /// Whether `row` is the token that this tells of.
    pub(super) fn is_of(&self, row: &StoredToken) -> bool {
        let told = Self::of(Kind::Token, row, self.by.as_deref(), row.created);
        *self == told
    }
}

impl Note {
    pub(super) fn review(event: Id, review: &Review) -> Result<Self, serde_json::Error> {
        let json = serde_json::to_string(&Reviewed::of(event, review))?;
        Ok(Self { kind: Kind::Review, subject: Subject::Event(event), json })
    }

    pub(super) fn token(token: &StoredToken, by: Option<&str>) -> Result<Self, serde_json::Error> {
        let json = serde_json::to_string(&Token::of(Kind::Token, token, by, token.created))?;
        Ok(Self { kind: Kind::Token, subject: Subject::Token(token.id.clone()), json })
    }

    pub(super) fn revoked(token: &StoredToken, by: &str, time: i64) -> Result<Self, serde_json::Error> {
        let json = serde_json::to_string(&Token::of(Kind::Revoked, token, Some(by), time))?;
        Ok(Self { kind: Kind::Revoked, subject: Subject::Token(token.id.clone()), json })
    }
}

impl ToSql for Kind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.name().into())
    }
}

impl FromSql for Kind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name = value.as_str()?;
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or(FromSqlError::InvalidType)
    }
}

impl ToSql for Subject {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Event(id) => id.to_bytes().to_vec().into(),
            Self::Token(id) => id.as_str().into(),
        })
    }
}

impl FromSql for Subject {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Blob(bytes) => Ok(Self::Event(Id::from_bytes(bytes.try_into().map_err(|_| FromSqlError::InvalidType)?))),
            ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Text(_) => Ok(Self::Token(value.as_str()?.to_owned())),
        }
    }
}
