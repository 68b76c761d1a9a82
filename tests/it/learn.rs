//! `exeat learn`: from files to what `scan` and a running proxy find, and packs that cannot be used.

use crate::{
    exeat::{Exeat, Setup, curl, run},
    origin::{Kind, Origin},
};
use ::exeat::knowledge::{
    build::PackBuilder,
    head::Head,
    pack::Trained,
    seal::{self, Key, SigningKey},
};
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
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

/// Whom the page names.
fn signer(learnt: &Output) -> String {
    assert_eq!(learnt.status.code(), Some(0), "{}", stderr(learnt));
    let page = stdout(learnt);
    let (_, rest) = page.split_once("[knowledge] signers = [\"").expect("the line to paste");
    rest.split('"').next().expect("a signer").to_owned()
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
    for made in ["A new key was made: exeat-state/knowledge.key", "A new signing key was made: exeat-state/knowledge.signing"] {
        assert!(stderr(&learnt).contains(made), "{made}: {}", stderr(&learnt));
    }
    for file in ["exeat-state/knowledge.key", "exeat-state/knowledge.signing", "acme.exeat"] {
        let mode = fs::metadata(folder.path().join(file)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }

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
    assert!(found.contains("new text about \"acme\" [company.classifier.acme]") && found.contains("over the threshold"), "{found}");
    assert!(!scan(&["public.txt"]).contains("company.classifier"));

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
    // Packs in force are no part of a lesson, so one that cannot be used does not keep its successor from being made.
    fs::create_dir(path("exeat-state/knowledge")).expect("made");
    fs::write(path("exeat-state/knowledge/acme.exeat"), b"EXEATKN1 of an earlier version").expect("written");
    let again = exeat(folder.path(), &["learn", "--name", "acme", "--exact", "customers.csv", "-o", "exeat-state/knowledge/acme.exeat"]);
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
}

/// Two learn with the same key of the packs; one of them is named.
#[test]
fn with_signers_named_only_their_packs_are_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    fs::write(path("customers.csv"), CUSTOMERS).expect("written");
    fs::write(path("leak.txt"), "Xanthippe Quillfeather, 5 Elm Street\n").expect("written");
    let learn = |more: &[&str]| exeat(folder.path(), &[&["learn", "--exact", "customers.csv"], more].concat());
    let own = signer(&learn(&["--name", "acme", "-o", "acme.exeat"]));
    let pack = fs::read(path("acme.exeat")).expect("a pack");
    let foreign = signer(&learn(&["--name", "acme", "--signing-key", "other.signing", "-o", "other.exeat"]));
    assert_ne!(own, foreign);
    let anybodys = "[knowledge]\npacks = [\"acme.exeat\"]\n";
    fs::write(path("anybody.toml"), anybodys).expect("written");
    fs::write(path("named.toml"), format!("{anybodys}signers = [\"{own}\"]\n")).expect("written");
    let scan = |config: &str| exeat(folder.path(), &["scan", "--config", config, "leak.txt"]);
    assert_eq!(scan("named.toml").status.code(), Some(1), "{}", stderr(&scan("named.toml")));

    fs::copy(path("other.exeat"), path("acme.exeat")).expect("put in its place");
    assert_eq!(scan("anybody.toml").status.code(), Some(1), "nobody is named");
    let told = format!("the pack is signed by {foreign}, which knowledge.signers does not name");
    for args in [
        &["scan", "leak.txt"][..],
        &["redact"],
        &["check"],
        &["evaluate", "--knowledge", "acme.exeat"],
        &["learn", "--update", "--exact", "customers.csv", "-o", "acme.exeat"],
    ] {
        let refused = exeat(folder.path(), &[args, &["--config", "named.toml"]].concat());
        assert!(refused.status.code() == Some(2) && stderr(&refused).contains(&told), "{args:?}: {}", stderr(&refused));
    }
    // What is refused is not written over either.
    assert_eq!(fs::read(path("acme.exeat")).expect("still there"), fs::read(path("other.exeat")).expect("still there"));

    // With nobody named, an update goes on with it, and says so.
    let updated = learn(&["--update", "-o", "acme.exeat"]);
    assert_eq!(signer(&updated), own);
    assert!(stderr(&updated).contains(&format!("The earlier pack is signed by {foreign}")), "{}", stderr(&updated));

    // The own key always will do; what lies beside the pack is held to the same, and can be had again.
    fs::write(path("others.toml"), format!("{anybodys}signers = [\"{}\"]\n", "5a".repeat(32))).expect("written");
    fs::write(path("acme.exeat"), &pack).expect("written");
    fs::copy(path("other.exeat"), path("acme.examples")).expect("put beside it");
    let updated = learn(&["--update", "--config", "others.toml", "-o", "acme.exeat"]);
    assert_eq!(signer(&updated), own);
    let warned = stderr(&updated);
    assert!(warned.contains(&format!("acme.examples: {told}")) && warned.contains("the head is trained on the sources"), "{warned}");
    assert!(warned.contains(&format!("WARNING: knowledge.signers does not name {own}")), "{warned}");

    // From a secret store; and an update makes no new key to sign with.
    let key = fs::read_to_string(path("other.signing")).expect("a key");
    fs::remove_file(path("exeat-state/knowledge.signing")).expect("removed");
    let update = ["learn", "--update", "--exact", "customers.csv", "-o", "other.exeat"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_exeat"));
    let with = command.args(update).current_dir(folder.path()).env("LC_ALL", "C").env("EXEAT_KNOWLEDGE_SIGNING_KEY", key.trim()).output();
    assert_eq!(signer(&with.expect("exeat runs")), foreign);
    let without = exeat(folder.path(), &update);
    let told = "exeat-state/knowledge.signing: signing key: cannot be read";
    assert!(without.status.code() == Some(2) && stderr(&without).contains(told), "{}", stderr(&without));
    assert!(!path("exeat-state/knowledge.signing").exists());
}

#[test]
fn a_running_proxy_takes_up_a_new_pack_and_keeps_the_old_when_the_new_is_damaged_or_anothers() {
    let [own, other] = [(); 2].map(|()| SigningKey::random().expect("random"));
    let [own_text, other_text] = [&own, &other].map(|key| key.text().expect("text"));
    let exeat_run = Exeat::start_with(&Setup {
        config: &format!("[knowledge]\nsigners = [\"{}\"]\n", own.signer()),
        files: &[("customers.csv", CUSTOMERS), ("own.signing", &own_text), ("other.signing", &other_text)],
        ..Setup::default()
    });
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
    let learn = |signing: &str, pack: &str| {
        let lesson = ["learn", "--name", "acme", "--exact", "customers.csv", "--key", "state/knowledge.key"];
        exeat(&folder, &[&lesson[..], &["--signing-key", signing, "-o", pack]].concat())
    };
    assert_eq!(signer(&learn("own.signing", "state/knowledge/acme.exeat")), own.signer().to_string());
    until("the pack is taken up", &finds);
    let pack = fs::read(exeat_run.path("state/knowledge/acme.exeat")).expect("a pack");
    fs::write(exeat_run.path("state/knowledge/acme.exeat"), &pack[..pack.len() / 2]).expect("written");
    until("the damage is told", &|| exeat_run.log().contains("the pack is cut short"));
    assert!(finds(), "the old one keeps serving");
    assert_eq!(signer(&learn("other.signing", "state/knowledge/acme.exeat")), other.signer().to_string());
    let told = format!("the pack is signed by {}, which knowledge.signers does not name", other.signer());
    until("the foreign signer is told", &|| exeat_run.log().contains(&told));
    assert!(finds(), "the old one keeps serving");
    assert_eq!(exeat_run.get("/api/v1/knowledge")["packs"][0]["signer"], own.signer().to_string());
}

/// From the message to the pack that says nothing about it any more: what a reviewer calls false joins the next update, and an update that loses
/// what it should find is not written.
#[test]
fn what_reviewers_call_false_joins_the_next_update_unless_the_pack_is_the_worse_for_it() {
    let exeat_run = Exeat::start_with(&Setup { files: &[("projects.txt", "Bluebird Nine\nNightjar Twelve\n")], ..Setup::default() });
    let origin = Origin::start(&Kind::https());
    let folder = exeat_run.path("");
    fs::create_dir(exeat_run.path("docs")).expect("made");
    (0..4).for_each(|number| fs::write(exeat_run.path(&format!("docs/{number}.txt")), prose(number)).expect("written"));
    fs::create_dir(exeat_run.path("state/knowledge")).expect("made");
    let pack = exeat_run.path("state/knowledge/acme.exeat");
    let learn = |language: &str, args: &[&str]| {
        let all = [&["learn", "--key", "state/knowledge.key", "-o", "state/knowledge/acme.exeat"], args].concat();
        Command::new(env!("CARGO_BIN_EXE_exeat")).args(all).current_dir(&folder).env("LC_ALL", language).output().expect("exeat runs")
    };
    let learnt = learn("C", &["--name", "acme", "--dictionary", "projects.txt", "--documents", "docs"]);
    assert_eq!(learnt.status.code(), Some(0), "{}", stderr(&learnt));

    // Sends a message until the pack is in force, and has what was found there called false.
    let called_false = |text: &str, label: &str| {
        let begun = Instant::now();
        let event = loop {
            run(curl(&exeat_run).args(["--data-binary", text, "-H", "content-type: text/plain", &origin.url("/echo")]));
            let has_label =
                |event: &&Value| event["findings"].as_array().is_some_and(|all| all.iter().any(|found| found["label"] == label));
            match exeat_run.events().iter().find(has_label) {
                Some(event) => break event["id"].as_str().expect("an id").to_owned(),
                None => assert!(begun.elapsed() < Duration::from_secs(30), "{label}\n{}", exeat_run.log()),
            }
            std::thread::sleep(Duration::from_millis(200));
        };
        let token = fs::read_to_string(exeat_run.path("state/admin.token")).expect("a token");
        let head = format!("POST /api/v1/audit/events/{event}/review HTTP/1.1\r\nAuthorization: Bearer {}\r\n", token.trim());
        let (status, body) =
            exeat_run.admin_request(&format!("{head}Content-Type: application/json\r\n"), r#"{"verdict": "false_positive"}"#);
        assert_eq!(status, 200, "{body}");
    };
    called_false("we fly with nightjar twelve", "company.exact.acme");
    let list = exeat_run.get("/api/v1/audit/dismissed");
    assert!(list["dismissed"][0]["learnable"] == true && list["dismissed"][0].get("trace").is_none(), "{list}");
    // Neither the audit nor the list holds a digest that could be guessed at: the trace is sealed.
    assert!(exeat_run.events()[0]["findings"][0]["trace"].as_str().is_some_and(|trace| trace.len() > 40));

    let updated = learn("C", &["--update", "--reviews", "state"]);
    assert_eq!(updated.status.code(), Some(0), "{}", stderr(&updated));
    assert!(stdout(&updated).contains("reviews: left out as false: values 1, passages of documents 0"), "{}", stdout(&updated));
    assert!(stdout(&updated).contains("beside the earlier pack: found then, found now, of"), "{}", stdout(&updated));
    fs::write(exeat_run.path("leak.txt"), format!("Nightjar Twelve\nBluebird Nine\n{}\n", prose(2))).expect("written");
    fs::write(
        exeat_run.path("scan.toml"),
        "[inspect]\nmodel = \"off\"\n[knowledge]\npacks = [\"state/knowledge/acme.exeat\"]\nkey_file = \"state/knowledge.key\"\n",
    )
    .expect("written");
    let scan = || stdout(&exeat(&folder, &["scan", "--config", "scan.toml", "leak.txt"]));
    let found = scan();
    assert!(!found.contains("leak.txt:1:") && found.contains("leak.txt:2:1:") && found.contains("company.document.acme"), "{found}");

    // One of four documents, as a whole: that is no slip.
    called_false(&prose(2), "company.document.acme");
    let before = fs::read(&pack).expect("a pack");
    let refused = learn("C", &["--update", "--reviews", "state"]);
    assert_eq!(refused.status.code(), Some(2), "{}", stdout(&refused));
    let told = stderr(&refused);
    for part in ["state/knowledge/acme.exeat: the updated pack is worse", "stretches of documents", " before (100.0 %)", "--force"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(stderr(&learn("zh_CN.UTF-8", &["--update", "--reviews", "state"])).contains("旧包保持不变"));
    assert_eq!(fs::read(&pack).expect("still there"), before, "nothing is written");
    assert!(scan().contains("company.document.acme"));
    let forced = learn("C", &["--update", "--reviews", "state", "--force"]);
    assert_eq!(forced.status.code(), Some(0), "{}", stderr(&forced));
    assert!(!scan().contains("company.document.acme"));
    let absent = learn("C", &["--update", "--reviews", "nowhere"]);
    assert!(stderr(&absent).contains("name the state directory of an Exeat that has run"), "{}", stderr(&absent));
}

/// A pack whose head is another model's, as one is after an upgrade that brings new weights.
fn pack_of_another_model(key: &Key) -> Vec<u8> {
    let mut builder = PackBuilder::new(key.digester(), "acme");
    let head = Head {
        model: 1,
        weights: vec![0.5; 4],
        bias: 0.0,
        features: vec![1, 2],
        lexical: vec![3, -3],
        step: 0.1,
        threshold: 1.5,
        false_positives: 0.001,
        recall: 0.5,
    };
    builder.head(&head, Trained { documents: 30, public: 40, held: 10, found: 8 });
    seal::seal(key, &SigningKey::random().expect("random"), builder.finish("2026-01-31T08:00:00Z".to_owned())).expect("sealed")
}

#[test]
fn a_head_of_another_model_is_named_by_check_and_by_the_api() {
    let key = Key::random().expect("random");
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("acme.exeat"), pack_of_another_model(&key)).expect("written");
    fs::write(folder.path().join("key"), key.text()).expect("written");
    fs::write(folder.path().join("exeat.toml"), "[knowledge]\npacks = [\"acme.exeat\"]\nkey_file = \"key\"\n").expect("written");
    let check = exeat(folder.path(), &["check", "--config", "exeat.toml"]);
    assert_eq!(check.status.code(), Some(0), "the rest of the pack works: {}", stderr(&check));
    assert!(stdout(&check).contains("WARNING: pack \"acme\": its head was trained with another model"), "{}", stdout(&check));

    let pack = folder.path().join("acme.exeat");
    let config = format!("[knowledge]\npacks = [{:?}]\nkey_file = {:?}\n", pack, folder.path().join("key"));
    let running = Exeat::start_with(&Setup { config: &config, ..Setup::default() });
    let head = running.get("/api/v1/knowledge")["packs"][0]["head"].clone();
    assert_eq!(
        (&head["state"], &head["documents"], &head["public"], &head["threshold"]),
        (&json!("stale"), &json!(30), &json!(40), &json!(1.5))
    );
    let found = &head["found"];
    assert_eq!((&found["hits"], &found["of"], &found["share"]), (&json!(8), &json!(10), &json!(0.8)));
    // Wilson's interval of 8 of 10.
    let near = |key: &str, expected: f64| found[key].as_f64().is_some_and(|value| (value - expected).abs() < 1e-3);
    assert!(near("low", 0.490) && near("high", 0.943), "{found}");
}
