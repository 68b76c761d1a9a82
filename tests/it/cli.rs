//! The command line: what scan, redact, check and evaluate print, and how they end.

use serde_json::Value;
use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;

/// An operator's rule, so that the tests do not hang on the shipped ones.
const BANK: &str = r#"
[[rule]]
id = "ledger-number"
label = "company.exact.ledger"
name = { en = "ledger number", zh = "账簿号" }
pattern = '\bLDG-\d{6}\b'
keywords = ["ldg-"]
confidence = 0.95
evidence = "structure"
severity = "high"
examples = ["see LDG-471102", "LDG-993310 is open", "(LDG-100234)"]
counterexamples = ["LDG-47110", "XLDG-4711023", "ldg"]
source = "the bank's own numbering"
"#;

const CONFIG: &str = "[rules]\ndirectories = [\"rules\"]\n";

/// A folder with the operator's rule and a configuration that names it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().expect("a temporary directory"));
        fs::create_dir(folder.path().join("rules")).expect("created");
        folder.write("rules/bank.toml", BANK).write("exeat.toml", CONFIG);
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) -> &Self {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("created");
        fs::write(path, text).expect("written");
        self
    }

    fn exeat(&self, args: &[&str], stdin: &str) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_exeat"))
            .args(args)
            .current_dir(self.path())
            .envs([("LC_ALL", "C"), ("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("exeat starts");
        // A command that does not read stdin may have ended by now.
        let _ = child.stdin.take().expect("piped").write_all(stdin.as_bytes());
        child.wait_with_output().expect("exeat ends")
    }

    fn git(&self, args: &[&str]) {
        let status = Command::new("git")
            .args(["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "init.defaultBranch=main"])
            .args(args)
            .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null")])
            .current_dir(self.path())
            .stdout(Stdio::null())
            .status()
            .expect("git runs");
        assert!(status.success(), "git {args:?}");
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

fn lines(output: &Output) -> Vec<Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}

#[test]
fn scan_names_the_place_and_never_the_value() {
    let folder = Folder::new();
    folder.write("src/notes.txt", "nothing\n备注 LDG-471102 here\n").write("src/clean.txt", "nothing\n");
    let output = folder.exeat(&["scan", "--config", "exeat.toml", "src"], "");
    assert_eq!(stdout(&output), "src/notes.txt:2:4: ledger number [company.exact.ledger] 0.95 redact: L**-*****2\n");
    assert_eq!(output.status.code(), Some(1));
    let output = folder.exeat(&["scan", "--config", "exeat.toml", "src/clean.txt"], "");
    assert_eq!((stdout(&output).as_str(), output.status.code()), ("", Some(0)));
    let output = folder.exeat(&["scan", "--config", "exeat.toml", "-"], "LDG-471102");
    assert!(stdout(&output).starts_with("-:1:1: "), "{output:?}");
    let output = folder.exeat(&["scan", "absent"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("absent"));
}

#[test]
fn scan_does_not_take_an_empty_stdin_for_a_clean_folder() {
    let output = Folder::new().exeat(&["scan"], "");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn scan_answers_records_in_order_with_byte_offsets() {
    let folder = Folder::new();
    let records: String = (0..500).map(|n| format!("{{\"id\":{n},\"text\":\"备 LDG-{:06}\",\"more\":1}}\n", 471_102 + 13 * n)).collect();
    let output = folder.exeat(&["scan", "--config", "exeat.toml", "--input", "jsonl", "--format", "jsonl"], &records);
    assert_eq!(output.status.code(), Some(1));
    let answers = lines(&output);
    assert_eq!(answers.len(), 500);
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(answer["id"], n);
        assert_eq!(answer["action"], "redact");
        let finding = &answer["findings"][0];
        assert_eq!((&finding["start"], &finding["end"]), (&Value::from(4), &Value::from(14)));
        assert_eq!((&finding["label"], &finding["detector"]), (&Value::from("company.exact.ledger"), &Value::from("ledger-number")));
        assert_eq!(finding["confidence"], 0.95);
    }
}

#[test]
fn scan_stops_at_a_bad_record_and_names_its_line() {
    let folder = Folder::new();
    folder.write("records.jsonl", "{\"id\":1,\"text\":\"a\"}\n{\"id\":2}\n{\"id\":3,\"text\":\"c\"}\n");
    let output = folder.exeat(&["scan", "--input", "jsonl", "--format", "jsonl", "records.jsonl"], "");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stdout(&output), "{\"id\":1,\"findings\":[],\"action\":\"allow\"}\n");
    assert!(stderr(&output).contains("records.jsonl:2: not a record"), "{}", stderr(&output));
}

#[test]
fn scan_writes_sarif_that_points_at_the_value() {
    let folder = Folder::new();
    folder.write("a b.txt", "x\n LDG-471102\n");
    let output = folder.exeat(&["scan", "--config", "exeat.toml", "--format", "sarif", "a b.txt"], "");
    let log: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let result = &run["results"][0];
    assert_eq!(run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().expect("index") as usize]["id"], result["ruleId"]);
    assert_eq!(result["level"], "error");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%20b.txt");
    let region: Vec<_> = ["startLine", "startColumn", "endLine", "endColumn"].iter().map(|key| place["region"][key].as_u64()).collect();
    assert_eq!(region, [Some(2), Some(2), Some(2), Some(12)]);
    assert!(!stdout(&output).contains("471102"));
}

#[test]
fn a_baseline_hides_what_is_known_wherever_it_moves() {
    let folder = Folder::new();
    folder.write("a.txt", "LDG-471102\n");
    let scan =
        |more: &[&str]| folder.exeat(&[&["scan", "--config", "exeat.toml", "--baseline", "base.json"], more, &["a.txt"]].concat(), "");
    assert_eq!(scan(&[]).status.code(), Some(2), "there is none yet");
    assert_eq!(scan(&["--write-baseline"]).status.code(), Some(0));
    assert!(!fs::read_to_string(folder.path().join("base.json")).expect("written").contains("471102"));
    assert_eq!(scan(&[]).status.code(), Some(0));
    folder.write("a.txt", "\n\nLDG-471102 moved\n");
    assert_eq!(scan(&[]).status.code(), Some(0));
    folder.write("a.txt", "LDG-471102\nLDG-471102\nLDG-551102\n");
    let output = scan(&[]);
    assert_eq!((stdout(&output).lines().count(), output.status.code()), (2, Some(1)), "one more of the known, and a new one");
}

#[test]
fn scan_finds_what_a_later_commit_took_out() {
    let folder = Folder::new();
    folder.git(&["init", "-q"]);
    for (text, message) in [("a\nLDG-471102\n", "one"), ("a\n", "two"), ("a\nb\n", "three")] {
        folder.write("数据.txt", text).git(&["add", "数据.txt"]);
        folder.git(&["commit", "-q", "-m", message]);
    }
    let output = folder.exeat(&["scan", "--config", "exeat.toml", "--git", "--format", "jsonl"], "");
    let found = lines(&output);
    assert_eq!((found.len(), output.status.code()), (1, Some(1)), "{output:?}");
    assert_eq!((&found[0]["path"], &found[0]["line"]), (&Value::from("数据.txt"), &Value::from(2)));
    assert_eq!(found[0]["commit"].as_str().map(str::len), Some(40));
    assert_eq!(folder.exeat(&["scan", "--config", "exeat.toml", "--git=HEAD~1..HEAD"], "").status.code(), Some(0));
    assert_eq!(folder.exeat(&["scan", "--git=no-such-branch"], "").status.code(), Some(2));
    assert_eq!(folder.exeat(&["scan", "--git=--output=x"], "").status.code(), Some(2), "a revision is never an option");
    assert!(!folder.path().join("x").exists());
}

#[test]
fn scan_explains_findings() {
    let folder = Folder::new();
    folder.write("a.txt", "LDG-471102\n");
    let output = folder.exeat(&["scan", "--config", "exeat.toml", "--explain", "a.txt"], "");
    let words = "    detector ledger-number: its shape is telling; policy rule: company data; source: the bank's own numbering";
    assert_eq!(stdout(&output).lines().nth(1), Some(words));
}

#[test]
fn redact_is_a_filter() {
    let folder = Folder::new();
    let output = folder.exeat(&["redact", "--config", "exeat.toml"], "one LDG-471102\r\n二 LDG-471102\n");
    assert_eq!((stdout(&output).as_str(), output.status.code()), ("one [CONFIDENTIAL]\r\n二 [CONFIDENTIAL]\n", Some(0)));
    let output = folder.exeat(&["redact", "--config", "exeat.toml", "--redaction", "hash"], "LDG-471102 LDG-471102 LDG-551102");
    let words: Vec<_> = stdout(&output).split(' ').map(str::to_owned).collect();
    assert!(words[0] == words[1] && words[0] != words[2], "{words:?}");
    let status = |stdin: &str| folder.exeat(&["redact", "--config", "exeat.toml", "--exit-code"], stdin).status.code();
    assert_eq!((status("LDG-471102\n"), status("nothing\n")), (Some(1), Some(0)));
}

#[test]
fn check_proves_rules_and_reports_what_they_cost() {
    let folder = Folder::new();
    let output = folder.exeat(&["check", "--config", "exeat.toml"], "");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("all good") && stdout(&output).contains("ledger-number: "), "{}", stdout(&output));
    folder.write("wrong.toml", &BANK.replace("ledger-number", "ledger-2").replace("\"ldg\"]", "\"LDG-471103\"]"));
    let output = folder.exeat(&["check", "wrong.toml"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("wrong.toml") && stderr(&output).contains("counterexample"), "{}", stderr(&output));
}

#[test]
fn check_lists_the_problems_of_policy_and_rules_at_once() {
    let folder = Folder::new();
    folder.write("policy.toml", "[[rule]]\nname = \"r\"\naction = \"blok\"\n").write("rules/broken.toml", "[[rule]]\nid = \"x\"\n");
    folder.write("exeat.toml", &format!("{CONFIG}[policy]\nfile = \"policy.toml\"\n"));
    let output = folder.exeat(&["check", "--config", "exeat.toml"], "");
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(text.contains("policy.toml:3: rule \"r\": action: \"blok\" is not a choice; did you mean `block`?"), "{text}");
    assert!(text.contains("rules/broken.toml"), "{text}");
    folder.write("exeat.toml", "[proxy]\nlisten = 8080\n[polcy]\n");
    let text = stderr(&folder.exeat(&["check", "--config", "exeat.toml"], ""));
    assert_eq!(text.lines().count(), 2, "{text}");
}

#[test]
fn evaluate_counts_by_label() {
    let folder = Folder::new();
    let email = "jane.roe@corp-mail.com";
    let spans = format!(
        "{{\"id\":1,\"lang\":\"zh\",\"text\":\"邮 {email}\",\"spans\":[{{\"start\":2,\"end\":24,\"label\":\"EMAIL\"}}]}}\n{{\"id\":2,\"lang\":\"en\",\"text\":\"{email}\",\"spans\":[]}}\n"
    );
    folder.write("data.jsonl", &spans);
    let output = folder.exeat(&["evaluate", "--format", "jsonl", "data.jsonl"], "");
    let line = &lines(&output)[0];
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!((&line["label"], &line["recall"]["value"], &line["precision"]["value"]), (&"EMAIL".into(), &1.0.into(), &0.5.into()));
    let shown = stdout(&folder.exeat(&["evaluate", "--show", "fp", "data.jsonl"], ""));
    assert!(shown.starts_with("2\tpersonal.email\t") && shown.contains("[jane.roe@corp-mail.com]"), "{shown}");
}

#[test]
fn what_the_company_allows_is_no_finding_and_says_so() {
    let folder = Folder::new();
    folder.write("exeat.toml", &format!("{CONFIG}[policy]\nallow = \"allow.toml\"\n"));
    folder.write(
        "allow.toml",
        "[[allow]]\nname = \"the sample ledger\"\nvalues = [\"LDG 471102\"]\n\n[[allow]]\nname = \"fixtures\"\npaths = [\"fixtures/\"]\n",
    );
    folder.write("a.txt", "LDG-471102 and LDG-551102\n").write("fixtures/b.txt", "LDG-551102\n");
    let output = folder.exeat(&["scan", "--config", "exeat.toml", "a.txt", "fixtures"], "");
    assert_eq!((stdout(&output).lines().count(), output.status.code()), (1, Some(1)), "{}", stdout(&output));
    assert_eq!(stderr(&output), "1 finding in 2 sources\n");
    let explained = stdout(&folder.exeat(&["scan", "--config", "exeat.toml", "--explain", "a.txt", "fixtures"], ""));
    assert!(
        explained.contains("a.txt:1:1: no finding: ledger-number (allowed by the company: the sample ledger): ***-******"),
        "{explained}"
    );
    assert!(explained.contains("fixtures/b.txt:1:1: no finding: ledger-number (allowed by the company: fixtures)"), "{explained}");
    let checked = folder.exeat(&["check", "--config", "exeat.toml"], "");
    assert!(stdout(&checked).contains("2 allowed items"), "{}", stderr(&checked));
    folder.write("allow.toml", "[[allow]]\nname = \"x\"\nlabel = \"company.exact.legder\"\nvalue = [\"a\"]\n");
    let text = stderr(&folder.exeat(&["check", "--config", "exeat.toml"], ""));
    assert!(text.contains("allow.toml:4: allow \"x\": value: unknown key; did you mean `values`?"), "{text}");
}

#[test]
fn scan_explains_what_a_check_refused() {
    let folder = Folder::new();
    folder.write("a.txt", "身份证号 110101199003079312\n");
    let explained = stdout(&folder.exeat(&["scan", "--explain", "a.txt"], ""));
    assert!(explained.contains("a.txt:1:6: no finding: cn-resident-id (a check refuses it: cn-resident-id): "), "{explained}");
    let lines = lines(&folder.exeat(&["scan", "--explain", "--format", "jsonl", "a.txt"], ""));
    assert!(lines.iter().any(|line| line["suppressed"] == "cn-resident-id" && line["detail"] == "cn-resident-id"), "{lines:?}");
}
