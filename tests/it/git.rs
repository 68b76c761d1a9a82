//! git over HTTPS: what is pushed is read object by object, and git says why a push was refused.

use crate::{
    exeat::{CARD, Exeat, run},
    origin::{Kind, Origin},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A bare repository behind `git http-backend`, and a work tree beside it.
struct Project {
    exeat: Exeat,
    origin: Origin,
    work: PathBuf,
}

impl Project {
    fn new() -> Self {
        let exeat = Exeat::start();
        let bare = exeat.path("srv/project.git");
        let work = exeat.path("work");
        run(Command::new("git").args(["init", "-q", "--bare", "-b", "main"]).arg(&bare));
        run(Command::new("git").arg("-C").arg(&bare).args(["config", "http.receivepack", "true"]));
        run(Command::new("git").args(["init", "-q", "-b", "main"]).arg(&work));
        let origin = Origin::start(&Kind { cgi_root: Some(exeat.path("srv")), ..Kind::https() });
        Self { exeat, origin, work }
    }

    fn git(&self) -> Command {
        let mut git = Command::new("git");
        git.arg("-C").arg(&self.work).args(["-c", "user.name=T", "-c", "user.email=t@localhost", "-c"]);
        git.arg(format!("http.proxy={}", self.exeat.proxy_url())).env("GIT_SSL_CAINFO", self.exeat.ca());
        git.env("NO_PROXY", "").env("no_proxy", "").env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C.UTF-8").env_remove("LANGUAGE");
        git
    }

    fn commit(&self, message: &str) {
        run(self.git().args(["add", "."]));
        run(self.git().args(["commit", "-q", "--allow-empty", "-m", message]));
    }

    fn push(&self) -> Output {
        self.git().args(["push", &self.origin.url("/git/project.git"), "main"]).output().expect("git runs")
    }

    /// Pushes what has to be refused; what git said.
    fn refused(&self) -> String {
        let before = self.head();
        let output = self.push();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{said}");
        assert_eq!(self.head(), before, "the branch has not moved");
        assert!(said.contains("remote: Exeat: ") && said.contains("[remote rejected] main -> main (Blocked by Exeat"), "{said}");
        let event = self.exeat.events().remove(0);
        assert_eq!(event["action"], "block", "{event}");
        assert!(said.contains(event["id"].as_str().expect("an id")), "{said}");
        said
    }

    fn pushed(&self) {
        let output = self.push();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Where the pushed branch is.
    fn head(&self) -> Option<String> {
        let bare = self.exeat.path("srv/project.git");
        let output = Command::new("git").arg("-C").arg(bare).args(["rev-parse", "--verify", "-q", "main"]).output().expect("git runs");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn place(&self) -> String {
        self.exeat.events()[0]["findings"][0]["place"].as_str().expect("a place").to_owned()
    }
}

/// Bytes that do not compress, the same at every run.
fn noise(path: &Path, seed: u64, len: usize) {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33).to_le_bytes()
    };
    let bytes: Vec<u8> = (0..len / 4).flat_map(|_| <[u8; 4]>::try_from(&next()[..4]).expect("four")).collect();
    fs::write(path, bytes).expect("written");
}

/// The most memory that a process has had, bytes.
fn peak(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("status");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("KiB") * 1024
}

#[test]
fn git_pushes_and_clones_over_https() {
    let project = Project::new();
    fs::write(project.work.join("readme.md"), "nothing to hide\n").expect("written");
    project.commit("first");
    project.pushed();
    let copy = project.exeat.path("copy");
    run(project.git().args(["clone", "-q", &project.origin.url("/git/project.git")]).arg(&copy));
    assert_eq!(fs::read_to_string(copy.join("readme.md")).expect("cloned"), "nothing to hide\n");
    run(project.git().args(["push", "-q", &project.origin.url("/git/project.git"), "main:other"]));
    run(project.git().args(["push", "-q", &project.origin.url("/git/project.git"), "--delete", "other"]));
    assert!(project.exeat.events().is_empty(), "{:?}", project.exeat.events());
}

#[test]
fn a_pushed_secret_is_refused_wherever_it_stands_and_git_says_why() {
    let project = Project::new();
    let file = project.work.join("notes.txt");
    let secret = format!("charge my visa card {CARD} today\n");
    let prose: String = (0..400).map(|n| format!("line {n}: the quick brown fox jumps over the lazy dog\n")).collect();

    fs::write(&file, format!("{prose}{secret}")).expect("written");
    project.commit("add the notes");
    let said = project.refused();
    assert!(said.contains("remote: Policy: cards and accounts."), "{said}");
    assert_eq!(project.place(), "part \"blob\"");

    // Taken out and committed anew, it passes.
    fs::write(&file, &prose).expect("written");
    run(project.git().args(["commit", "-q", "-a", "--amend", "-m", "add the notes"]));
    project.pushed();

    // A change to a file that the other side has is sent as a delta.
    fs::write(&file, prose.replace("line 200:", &format!("line 200:\n{secret}"))).expect("written");
    project.commit("change the notes");
    project.refused();
    assert_eq!(project.place(), "part \"delta\"");
    run(project.git().args(["reset", "-q", "--hard", "HEAD~1"]));

    project.commit(&format!("look\n\n{secret}"));
    project.refused();
    assert_eq!(project.place(), "part \"commit message\"");
    run(project.git().args(["reset", "-q", "--hard", "HEAD~1"]));

    run(Command::new("gzip").arg("-nc").arg(&file).stdout(fs::File::create(project.work.join("notes.gz")).expect("made")));
    fs::write(&file, &secret).expect("written");
    run(Command::new("sh").arg("-c").arg("gzip -nc notes.txt > card.gz; rm notes.txt").current_dir(&project.work));
    project.commit("a compressed file");
    project.refused();
    assert_eq!(project.place(), "part \"blob\"");
    assert!(!project.origin.has_seen(CARD));
}

#[test]
fn git_is_told_in_its_own_language() {
    let project = Project::new();
    fs::write(project.work.join("notes.txt"), format!("charge my visa card {CARD} today\n")).expect("written");
    project.commit("first");
    let url = project.origin.url("/git/project.git");
    let output = project.git().args(["push", &url, "main"]).env("LANGUAGE", "zh_CN").output().expect("git runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("Exeat：") && said.contains("策略："), "{said}");
}

#[test]
fn a_large_push_passes_in_bounded_memory_and_is_refused_for_a_line_in_it() {
    let project = Project::new();
    for n in 0..5 {
        noise(&project.work.join(format!("{n}.bin")), n, 10 << 20);
    }
    project.commit("fifty megabytes");
    let before = peak(project.exeat.pid());
    project.pushed();
    let after = peak(project.exeat.pid());
    assert!(after < before + (64 << 20), "from {before} to {after} bytes");
    assert!(project.exeat.events().is_empty(), "{:?}", project.exeat.events());

    for n in 5..8 {
        noise(&project.work.join(format!("{n}.bin")), n, 5 << 20);
    }
    fs::write(project.work.join("6.txt"), format!("charge my visa card {CARD} today\n")).expect("written");
    project.commit("with a card");
    project.refused();
    assert!(peak(project.exeat.pid()) < before + (64 << 20));
}
