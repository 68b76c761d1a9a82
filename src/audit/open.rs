//! Opening the database: the lock, the checks, the migrations.

use super::{
    chain::{ChainKey, Ends},
    note::Note,
    schema::MIGRATIONS,
    sql,
};
use rusqlite::{Connection, ErrorCode, Transaction};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

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

pub(super) fn sqlite(path: &Path, source: rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged { path, cause: source.to_string() },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::InUse { path },
        _ => StoreError::Sqlite { path, source: Box::new(source) },
    }
}

/// Takes the lock that keeps a second process from chaining to the same head. The system frees it whatever happens.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let beside = path.with_added_extension("lock");
    let file = private().create(true).truncate(false).open(&beside).map_err(|source| StoreError::Io { path: beside.clone(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(StoreError::Io { path: beside, source }),
    }
}

/// Makes the file for its owner alone before SQLite sees it; the write-ahead log takes over its mode.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
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
pub(super) fn open_writer(path: &Path, key: &ChainKey) -> Result<(Connection, Ends), StoreError> {
    let failed = |source| sqlite(path, source);
    let mut db = Connection::open(path).map_err(failed)?;
    let known = sql::as_i64(MIGRATIONS.len() as u64);
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
    for (step, reached) in MIGRATIONS.iter().zip(1..).skip(usize::try_from(version).unwrap_or(0)) {
        sql::migrate(&tx, step, reached).map_err(failed)?;
    }
    if blank {
        sql::put_ends(&tx, &Ends::EMPTY, key).map_err(failed)?;
    } else if version < WITH_NOTES {
        let ends = sealed_ends(&tx, key).map_err(failed)?.ok_or_else(|| StoreError::Tampered { path: path.to_owned() })?;
        let ends = adopt(&tx, ends, key).map_err(failed)?;
        sql::put_ends(&tx, &ends, key).map_err(failed)?;
    }
    tx.commit().map_err(failed)?;
    let ends = sealed_ends(&db, key).map_err(failed)?.ok_or_else(|| StoreError::Tampered { path: path.to_owned() })?;
    Ok((db, ends))
}

/// The schema version since which reviews and tokens are in the chain.
const WITH_NOTES: i64 = 2;

/// Takes the reviews and tokens of an older database into the chain, as they are.
fn adopt(tx: &Transaction<'_>, mut ends: Ends, key: &ChainKey) -> rusqlite::Result<Ends> {
    for (id, review) in sql::reviews(tx)? {
        add_note(tx, &mut ends, key, &Note::review(id, &review).map_err(unwritable)?, review.time)?;
    }
    for token in sql::tokens(tx)? {
        add_note(tx, &mut ends, key, &Note::token(&token, None).map_err(unwritable)?, token.created)?;
    }
    Ok(ends)
}

/// Chains `note` and moves the end; the caller seals it.
pub(super) fn add_note(tx: &Transaction<'_>, ends: &mut Ends, key: &ChainKey, note: &Note, time: i64) -> rusqlite::Result<()> {
    let (seq, link) = (ends.head + 1, key.link(ends.head_link, &note.json));
    sql::insert_note(tx, seq, note, time, link)?;
    (ends.head, ends.head_link) = (seq, link);
    Ok(())
}

/// JSON that cannot be written, as the fault of a statement.
pub(super) fn unwritable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}

/// The chain's ends, if their seal is ours and the last row is the head.
pub(super) fn sealed_ends(db: &Connection, key: &ChainKey) -> rusqlite::Result<Option<Ends>> {
    let Some((ends, seal)) = sql::ends(db)? else { return Ok(None) };
    let at_the_end = sql::last(db)?.unwrap_or((ends.anchor, ends.anchor_link));
    Ok((seal == key.seal(&ends) && at_the_end == (ends.head, ends.head_link)).then_some(ends))
}
