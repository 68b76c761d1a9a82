//! `exeat learn`: from files to what `scan` and a running proxy find, and packs that cannot be used.

use crate::exeat::{Exeat, Setup};
use std::{
    fs,
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

const CUSTOMERS: &str = "name,phone,street\nXanthippe Quillfeather,13902468135,5 Elm Street\nOswald Brackenbury,13711112222,7 Oak Lane\n";

fn exeat(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_exeat")).args(args).current_dir(folder).env("LC_ALL", "C").output().expect("exeat runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Different sentences for every number.
fn prose(number: usize) -> String {
    (0..120).map(|word| format!("word{} ", (word * 37 + number * 101) % 997)).collect()
}

#[test]
fn what_was_learnt_is_found_and_the_page_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    fs::create_dir(folder.path().join("docs")).expect("made");
    write("customers.csv", CUSTOMERS);
    write("projects.txt", "Bluebird Nine\n");
    write("docs/plan.txt", &prose(1));
    write("docs/scan.pdf", "%PDF-1.7");
    write("exeat.toml", "[knowledge]\npacks = [\"acme.exeat\"]\n");
    let lesson =
        ["learn", "--name", "acme", "--exact", "customers.csv", "--dictionary", "projects.txt", "--documents", "docs", "-o", "acme.exeat"];
    let learnt = exeat(folder.path(), &lesson);
    assert_eq!(learnt.status.code(), Some(0), "{}", stderr(&learnt));
    let page = stdout(&learnt);
    for line in [
        "customers.csv: 2 rows, 6 cells; 0 rows say too little",
        "name: tells rows apart",
        "projects.txt: 1 of 1 listed words",
        "documents: 1 learnt",
        "excerpts of 300 characters, as they are: ",
        "rows of tables: 2 2 1.0000",
        "docs/scan.pdf: PDF is not read",
        "Written to acme.exeat",
    ] {
        assert!(page.contains(line), "{line}:\n{page}");
    }
    assert!(stderr(&learnt).contains("A new key was made: exeat-state/knowledge.key"), "{}", stderr(&learnt));

    write("leak.txt", &format!("Xanthippe Quillfeather, 5 Elm Street\nbluebird nine\n{}\n", prose(1)));
    let scan = exeat(folder.path(), &["scan", "--config", "exeat.toml", "leak.txt"]);
    let found = stdout(&scan);
    for part in [
        "leak.txt:1:1: company data \"acme\" [company.exact.acme]",
        "leak.txt:2:1: company data",
        "company document \"acme\" [company.document.acme]",
    ] {
        assert!(found.contains(part), "{part}:\n{found}\n{}", stderr(&scan));
    }
    let redacted = Command::new("sh")
        .args(["-c", "printf 'ask Oswald Brackenbury of 7 oak lane' | \"$0\" redact --config exeat.toml"])
        .arg(env!("CARGO_BIN_EXE_exeat"))
        .current_dir(folder.path())
        .output()
        .expect("runs");
    assert_eq!(stdout(&redacted), "ask [CONFIDENTIAL] of [CONFIDENTIAL]");

    let forgotten = exeat(folder.path(), &["learn", "--update", "--remove", "projects.txt", "-o", "acme.exeat"]);
    assert_eq!(forgotten.status.code(), Some(0), "{}", stderr(&forgotten));
    let found = stdout(&exeat(folder.path(), &["scan", "--config", "exeat.toml", "leak.txt"]));
    assert!(found.contains("leak.txt:1:1:") && !found.contains("leak.txt:2:1:"), "{found}");
}

/// A page of prose about ships, of which the company builds some kinds and everybody knows others.
fn ships(kinds: [&str; 4], seed: usize) -> String {
    let verbs = ["was launched late", "lost its mast", "came back from the trial", "needs new paint"];
    let places = ["in the northern dock", "behind the harbour wall", "off the old pier"];
    (0..12).map(|at| format!("The {} {} {}. ", kinds[(seed + at) % 4], verbs[(seed * 3 + at) % 4], places[(seed + at * 2) % 3])).collect()
}

#[test]
fn new_text_about_learnt_matters_is_found_by_a_head() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = ["Osprey skiff", "Lantern ketch", "hydrofoil tender", "carbon yawl"];
    let public = ["fishing boat", "river ferry", "paddle steamer", "rubber dinghy"];
    for name in ["docs", "site"] {
        fs::create_dir(folder.path().join(name)).expect("made");
    }
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    for seed in 0..24 {
        write(&format!("docs/{seed}.txt"), &format!("{}{}", ships(own, seed), prose(seed)));
        write(&format!("site/{seed}.txt"), &ships(public, seed));
    }
    write("exeat.toml", "[knowledge]\npacks = [\"acme.exeat\"]\n");
    let lesson = ["learn", "--name", "acme", "--documents", "docs", "--public", "site", "-o", "acme.exeat"];
    let learnt = exeat(folder.path(), &lesson);
    assert_eq!(learnt.status.code(), Some(0), "{}", stderr(&learnt));
    let page = stdout(&learnt);
    for line in [
        "new text: a head trained on 24 documents against 24 public ones",
        "the company's own passages, held out: found: ",
        "held-out passages are too few to show that: it takes 3838",
    ] {
        assert!(page.contains(line), "{line}:\n{page}");
    }
    assert!(folder.path().join("acme.examples").exists());

    write(
        "new.txt",
        "At last the Lantern ketch and both Osprey skiffs are ready; the carbon yawl and the hydrofoil tender follow in May, he writes.",
    );
    write(
        "public.txt",
        "At last the river ferry and both fishing boats are ready; the paddle steamer and the rubber dinghy follow in May, he writes.",
    );
    let scan = |args: &[&str]| stdout(&exeat(folder.path(), &[&["scan", "--config", "exeat.toml"], args].concat()));
    let found = scan(&["--explain", "new.txt"]);
    assert!(found.contains("new text about \"acme\" [company.topic.acme]") && found.contains("over the threshold"), "{found}");
    assert!(!scan(&["public.txt"]).contains("company.topic"));

    let without = exeat(folder.path(), &["learn", "--name", "acme", "--documents", "docs", "--without-public", "-o", "other.exeat"]);
    assert!(stderr(&without).contains("WARNING: without public documents of the same kind"), "{}", stderr(&without));
    assert!(stdout(&without).contains("a head trained on 24 documents against 0 public ones"), "{}", stdout(&without));
    let figures = stdout(&exeat(folder.path(), &["evaluate", "--knowledge", "acme.exeat", "--unseen", "docs", "--public", "site"]));
    assert!(figures.contains("new text about acme") && figures.contains("found at 1 % false alarms: "), "{figures}");
}

#[test]
fn packs_that_cannot_be_used_are_refused_with_the_fix() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    fs::write(path("customers.csv"), CUSTOMERS).expect("written");
    fs::write(path("exeat.toml"), "[knowledge]\npacks = [\"acme.exeat\"]\n").expect("written");
    let learnt = exeat(folder.path(), &["learn", "--name", "acme", "--exact", "customers.csv", "-o", "acme.exeat"]);
    assert_eq!(learnt.status.code(), Some(0), "{}", stderr(&learnt));
    let (pack, key) = (fs::read(path("acme.exeat")).expect("a pack"), path("exeat-state/knowledge.key"));
    let check = |fix: &str| {
        let output = exeat(folder.path(), &["check", "--config", "exeat.toml"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("acme.exeat: knowledge.packs") && stderr(&output).contains(fix), "{fix}: {}", stderr(&output));
    };
    fs::write(path("acme.exeat"), &pack[..pack.len() - 9]).expect("written");
    check("the pack is cut short; copy it again");
    let mut changed = pack.clone();
    changed[pack.len() / 2] ^= 1;
    fs::write(path("acme.exeat"), changed).expect("written");
    check("the pack was changed after it was made; copy it again, or learn again");
    fs::write(path("acme.exeat"), &pack).expect("written");
    fs::write(&key, "0".repeat(64)).expect("written");
    check("bring the key file along with the pack, or learn again");
    // Nothing half-written: a lesson that fails leaves the old pack as it was.
    let failed = exeat(folder.path(), &["learn", "--name", "acme", "--exact", "absent.csv", "-o", "acme.exeat"]);
    assert_eq!(failed.status.code(), Some(2));
    assert!(stderr(&failed).contains("absent.csv: cannot be read"), "{}", stderr(&failed));
    assert_eq!(fs::read(path("acme.exeat")).expect("still there"), pack);
}

#[test]
fn a_running_proxy_takes_up_a_new_pack_and_keeps_the_old_when_the_new_is_damaged() {
    let exeat_run = Exeat::start_with(&Setup { files: &[("customers.csv", CUSTOMERS)], ..Setup::default() });
    let folder = exeat_run.path("");
    let finds = || {
        let token = fs::read_to_string(exeat_run.path("state/admin.token")).expect("a token");
        let head = format!("POST /api/v1/inspect HTTP/1.1\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n", token.trim());
        let (status, body) = exeat_run.admin_request(&head, r#"{"text": "Xanthippe Quillfeather, 5 Elm Street"}"#);
        assert_eq!(status, 200, "{body}");
        body.contains("company.exact.acme")
    };
    let until = |what: &str, is_so: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < Duration::from_secs(30), "{what}\n{}", exeat_run.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    assert!(!finds());
    fs::create_dir(exeat_run.path("state/knowledge")).expect("made");
    let learn = exeat(
        &folder,
        &["learn", "--name", "acme", "--exact", "customers.csv", "--key", "state/knowledge.key", "-o", "state/knowledge/acme.exeat"],
    );
    assert_eq!(learn.status.code(), Some(0), "{}", stderr(&learn));
    until("the pack is taken up", &finds);
    let pack = fs::read(exeat_run.path("state/knowledge/acme.exeat")).expect("a pack");
    fs::write(exeat_run.path("state/knowledge/acme.exeat"), &pack[..pack.len() / 2]).expect("written");
    until("the damage is told", &|| exeat_run.log().contains("the pack is cut short"));
    assert!(finds(), "the old one keeps serving");
}
