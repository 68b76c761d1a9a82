//! The tables of the audit database, version by version.

/// One step per schema version; step `n` brings version `n` to `n + 1`. Never change one that has been released.
pub(super) const MIGRATIONS: [&str; 2] = [
    "
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
",
    // Notes share the numbers of the chain with the events. `hosts` holds the further names of an event's destination.
    "
    CREATE TABLE notes (
        seq INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        subject NOT NULL,
        time INTEGER NOT NULL,
        json TEXT NOT NULL,
        link BLOB NOT NULL
    );
    CREATE INDEX notes_subject ON notes (subject, kind);
    CREATE TABLE hosts (
        host TEXT NOT NULL,
        id BLOB NOT NULL,
        PRIMARY KEY (host, id)
    ) WITHOUT ROWID;
    CREATE INDEX hosts_id ON hosts (id);
",
];
