use super::*;
use crate::audit::{Bucket, By, Chain, ChainKey, Entry, Filter, Outcome, StoreError, schema::MIGRATIONS, sql};
use rusqlite::Connection;
use std::{fs, net::IpAddr, os::unix::fs::PermissionsExt as _};

const KEY: [u8; 32] = [7; 32];

fn record(id: Id, host: &str, labels: &[&str]) -> Record {
    let mut record = Record::unread(id, IpAddr::from([10, 0, 0, 1]), Some("li.wei"), "POST", host, Outcome::Redact);
    let entry = |label: &&str| Entry {
        label: (*label).to_owned(),
        detector: "test".to_owned(),
        confidence: 0.9,
        place: "body".to_owned(),
        digest: "00".repeat(16),
        trace: None,
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

#[tokio::test]
async fn an_amended_record_replaces_the_first_which_the_chain_keeps() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("audit.db");
    let store = Store::open(&path, &KEY, None).expect("open");
    let (id, other) = (Id::new(), Id::new());
    store.append(&record(id, "a.example", &["secret.aws"])).await.expect("append");
    store.append(&record(other, "b.example", &["x"])).await.expect("append");
    let review = Review { verdict: "confirmed".to_owned(), note: "seen".to_owned(), reviewer: "wang".to_owned(), time: 1_760_000_100_000 };
    assert!(store.review(id, review.clone()).await.expect("review"));
    store.amend(&record(id, "a.example", &["id.cn.resident", "id.cn.resident"])).await.expect("amend");
    store.amend(&record(id, "a.example", &["id.cn.resident"])).await.expect("amend again");
    assert_eq!(all(&store).await, [other, id]);
    let event = store.reader().event(id).await.expect("read").expect("there");
    assert!(event.json.contains("id.cn.resident") && !event.json.contains("secret.aws"));
    assert_eq!((event.seq, event.review), (5, Some(review)));
    let label = |label: &str| Filter { label: Some(label.to_owned()), ..Filter::default() };
    assert!(store.reader().page(label("secret"), None, 10).await.expect("page").is_empty());
    let chain = store.reader().verify().await.expect("verify");
    assert!(matches!(chain, Chain::Intact { events: 2, notes: 3, removed: 0, .. }), "{chain:?}");
}

#[tokio::test]
async fn every_name_of_a_destination_is_found() {
    let dir = tempfile::tempdir().expect("dir");
    let store = Store::open(&dir.path().join("audit.db"), &KEY, None).expect("open");
    let mut fronted = record(Id::new(), "front.example", &["x"]);
    fronted.also = vec!["behind.example.com".to_owned()];
    store.append(&fronted).await.expect("append");
    for host in ["front.example", "behind.example.com", "*.example.com", "BEHIND.example.com"] {
        let filter = Filter { host: Some(host.to_owned()), q: Some("front".to_owned()), ..Filter::default() };
        assert_eq!(store.reader().page(filter, None, 10).await.expect("page").len(), 1, "{host}");
    }
    let none = Filter { host: Some("example.com".to_owned()), ..Filter::default() };
    assert!(store.reader().page(none, None, 10).await.expect("page").is_empty());
}

/// A store with an event that was amended and reviewed twice, one token made and one revoked.
async fn with_notes(path: &Path) -> Id {
    let store = Store::open(path, &KEY, None).expect("open");
    let id = Id::new();
    store.append(&record(id, "a.example", &["x"])).await.expect("append"); // 1
    store.amend(&record(id, "a.example", &["y"])).await.expect("amend"); // 2
    for verdict in ["confirmed", "false_positive"] {
        let review = Review { verdict: verdict.to_owned(), note: String::new(), reviewer: "wang".to_owned(), time: 1_760_000_100_000 };
        assert!(store.review(id, review).await.expect("review")); // 3, 4
    }
    for name in ["siem", "old"] {
        let hash = *blake3::hash(name.as_bytes()).as_bytes();
        let token = StoredToken { id: name.to_owned(), name: name.to_owned(), role: "viewer".to_owned(), hash, created: 1_760_000_000_000 };
        store.put_token(token, "admin.token").await.expect("token"); // 5, 6
    }
    assert!(store.remove_token("old".to_owned(), "admin.token").await.expect("revoked")); // 7
    assert!(!store.remove_token("old".to_owned(), "admin.token").await.expect("gone"));
    store.close().await;
    id
}

#[tokio::test]
async fn tampering_with_reviews_tokens_and_earlier_records_shows() {
    let untouched = "SELECT 1";
    let tampering = [
        (untouched, None),
        ("UPDATE reviews SET verdict = 'confirmed'", Some(0)),
        ("UPDATE reviews SET note = 'x'", Some(0)),
        ("DELETE FROM reviews", Some(4)),
        ("INSERT INTO reviews SELECT randomblob(16), verdict, note, reviewer, time FROM reviews", Some(0)),
        ("UPDATE tokens SET role = 'admin'", Some(0)),
        ("UPDATE tokens SET hash = randomblob(32)", Some(0)),
        ("DELETE FROM tokens", Some(0)),
        ("INSERT INTO tokens VALUES ('x', 'x', 'admin', randomblob(32), 1)", Some(0)),
        ("DELETE FROM notes WHERE seq = 7", Some(7)),
        ("DELETE FROM notes WHERE seq = 3", Some(3)),
        ("UPDATE notes SET json = replace(json, 'siem', 'soar')", Some(5)),
        ("UPDATE notes SET kind = 'token' WHERE seq = 7", Some(7)),
        // An event that is passed off as an earlier version of one that is not there.
        (
            "INSERT INTO notes SELECT seq, 'superseded', id, time, json, link FROM events; DELETE FROM events; DELETE FROM labels; DELETE FROM reviews",
            Some(2),
        ),
    ];
    for (sql, at) in tampering {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("audit.db");
        with_notes(&path).await;
        Connection::open(&path).expect("db").execute_batch(sql).expect(sql);
        match (Reader::open(&path, ChainKey::new(&KEY)).expect("reader").verify_here().expect("verify"), at) {
            (Chain::Broken { seq, .. }, Some(at)) => assert_eq!(seq, at, "{sql}"),
            (Chain::Intact { events: 1, notes: 6, .. }, None) => {}
            (chain, _) => panic!("{sql}: {chain:?}"),
        }
    }
}

#[tokio::test]
async fn retention_keeps_what_is_said_of_tokens_that_are_valid() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("audit.db");
    let store = Store::open(&path, &KEY, None).expect("open");
    let created = i64::try_from(aged(400).milliseconds()).expect("a time");
    for name in ["siem", "old"] {
        let hash = *blake3::hash(name.as_bytes()).as_bytes();
        let token = StoredToken { id: name.to_owned(), name: name.to_owned(), role: "viewer".to_owned(), hash, created };
        store.put_token(token, "admin.token").await.expect("token");
    }
    store.append(&record(aged(300), "a", &["x"])).await.expect("append");
    store.append(&record(Id::new(), "a", &["x"])).await.expect("append");
    store.close().await;
    let store = Store::open(&path, &KEY, Some(Duration::from_secs(180 * 86_400))).expect("open again");
    while all(&store).await.len() > 1 {
        assert!(store.remove_token("none".to_owned(), "x").await.is_ok_and(|removed| !removed), "gives the writer a turn");
    }
    let chain = store.reader().verify().await.expect("verify");
    assert!(matches!(chain, Chain::Intact { events: 1, notes: 2, removed: 3, .. }), "{chain:?}");
    store.close().await;
    let db = Connection::open(&path).expect("db");
    db.execute_batch("UPDATE tokens SET role = 'admin' WHERE id = 'old'").expect("sql");
    let chain = Reader::open(&path, ChainKey::new(&KEY)).expect("reader").verify_here().expect("verify");
    assert!(matches!(chain, Chain::Broken { seq: 0, .. }), "{chain:?}");
}

#[tokio::test]
async fn a_database_of_the_first_version_is_taken_over() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("audit.db");
    let key = ChainKey::new(&KEY);
    let (id, event) = (Id::new(), record(Id::new(), "a.example", &[]));
    let json = event.to_json().expect("json");
    let mut db = Connection::open(&path).expect("db");
    let tx = db.transaction().expect("begun");
    sql::migrate(&tx, MIGRATIONS[0], 1).expect("the first schema");
    let link = key.link(crate::audit::chain::Link::ORIGIN, &json);
    let time = i64::try_from(event.id.milliseconds()).expect("a time");
    tx.execute(
        "INSERT INTO events VALUES (1, ?, ?, 'li.wei', 'a.example', 'redact', ?, ?)",
        rusqlite::params![event.id.to_bytes(), time, json, link.to_bytes()],
    )
    .expect("event");
    tx.execute("INSERT INTO reviews VALUES (?, 'confirmed', 'n', 'wang', 5)", [event.id.to_bytes()]).expect("review");
    tx.execute("INSERT INTO tokens VALUES ('t', 'siem', 'viewer', ?, 5)", [[3_u8; 32]]).expect("token");
    let ends = crate::audit::chain::Ends { head: 1, head_link: link, ..crate::audit::chain::Ends::EMPTY };
    sql::put_ends(&tx, &ends, &key).expect("ends");
    tx.commit().expect("committed");
    drop(db);

    let store = Store::open(&path, &KEY, None).expect("taken over");
    store.append(&record(id, "b.example", &["x"])).await.expect("append");
    assert_eq!(
        all(&store).await,
        [event.id, id].into_iter().rev().collect::<std::collections::BTreeSet<_>>().into_iter().rev().collect::<Vec<_>>()
    );
    let chain = store.reader().verify().await.expect("verify");
    assert!(matches!(chain, Chain::Intact { events: 2, notes: 2, removed: 0, .. }), "{chain:?}");
}
