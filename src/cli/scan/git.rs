//! What the commits of a repository added, from the `git` command.

use super::examine::{self, Report, Source};
use crate::cli::reader::Reader;
use anyhow::{Context, bail};
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

/// Begins the line of a commit; cannot begin a line of a patch.
const COMMIT: &[u8] = b"\x01commit ";

/// A running `git log`.
#[derive(Debug)]
pub(super) struct History {
    pub(super) child: Git,
    pub(super) hunks: Hunks<BufReader<ChildStdout>>,
}

/// The process.
#[derive(Debug)]
pub(super) struct Git(Child);

impl Git {
    /// Waits for its end.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        let status = self.0.wait().context("git")?;
        if status.success() { Ok(()) } else { bail!("git log failed ({status}); its message stands above") }
    }
}

impl History {
    /// Asks git for the history of `revision` (all branches if empty) of the repository at `folder`.
    pub(super) fn open(folder: &Path, revision: &str) -> anyhow::Result<Self> {
        let mut git = Command::new("git");
        git.arg("-C").arg(folder).args([
            "-c",
            "core.quotePath=false",
            "log",
            "--reverse",
            "--patch",
            "--unified=0",
            "--diff-merges=dense-combined",
        ]);
        git.args([
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            "--no-renames",
            "--src-prefix=a/",
            "--dst-prefix=b/",
            "--format=%x01commit %H",
        ]);
        match revision {
            "" => git.arg("--all"),
            revision => git.arg("--end-of-options").arg(revision),
        };
        git.arg("--");
        let mut child = git.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cannot run git; is it installed?")?;
        let stdout = child.stdout.take().context("git has no output")?;
        Ok(Self { child: Git(child), hunks: Hunks::of(BufReader::new(stdout)) })
    }
}

/// Lines that a commit added next to each other.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Hunk {
    commit: String,
    path: String,
    /// Number of its first line in the file, from 1.
    line: usize,
    text: String,
}

/// Reads what was added.
pub(super) fn examine(reader: &Reader, hunk: &Hunk) -> Report {
    let source =
        Source { path: hunk.path.clone(), commit: Some(hunk.commit.clone()), lines_before: hunk.line.saturating_sub(1), bytes_before: 0 };
    examine::text(reader, &source, &hunk.text)
}

/// The hunks of a patch, as they are read.
#[derive(Debug)]
pub(super) struct Hunks<R> {
    lines: R,
    commit: String,
    path: String,
    /// Lines that the present hunk is still to have: of each parent, and of the result.
    removed: usize,
    added: usize,
    /// Parents of the commit: as many sign columns stand before each line.
    parents: usize,
    hunk: Option<Hunk>,
}

impl<R: BufRead> Hunks<R> {
    fn of(lines: R) -> Self {
        Self { lines, commit: String::new(), path: String::new(), removed: 0, added: 0, parents: 1, hunk: None }
    }

    /// Takes in a line; gives the hunk that it ends.
    fn line(&mut self, line: &[u8]) -> Option<Hunk> {
        if self.added > 0 || self.removed > 0 {
            let signs = line.get(..self.parents).unwrap_or_default();
            let rest = line.get(self.parents..).unwrap_or_default();
            if signs.contains(&b'-') {
                self.removed = self.removed.saturating_sub(1);
            } else if !signs.starts_with(b"\\") {
                self.added = self.added.saturating_sub(1);
                if self.parents == 1 {
                    self.removed = self.removed.saturating_sub(usize::from(signs == b" "));
                }
                if let Some(hunk) = &mut self.hunk {
                    hunk.text.push_str(&String::from_utf8_lossy(rest));
                    hunk.text.push('\n');
                }
            }
            if self.parents > 1 && self.added == 0 {
                self.removed = 0; // a combined diff does not say which parent's lines are left
            }
            return None;
        }
        if let Some(commit) = line.strip_prefix(COMMIT) {
            self.commit = String::from_utf8_lossy(commit).into_owned();
        } else if let Some(path) = line.strip_prefix(b"+++ ") {
            let path = String::from_utf8_lossy(path);
            let path = path.trim_end_matches('\t').trim_matches('"');
            self.path = path.strip_prefix("b/").unwrap_or(path).to_owned();
        } else if line.starts_with(b"@@") {
            return self.head(&String::from_utf8_lossy(line));
        }
        None
    }

    /// `@@ -1,2 +3,4 @@`, with one `-` range and one more `@` for each further parent.
    fn head(&mut self, line: &str) -> Option<Hunk> {
        let signs = line.bytes().take_while(|byte| *byte == b'@').count();
        self.parents = signs.saturating_sub(1).max(1);
        let ranges = line.split(' ').skip(1).take(self.parents + 1);
        let number = |text: &str| text.parse().unwrap_or(0);
        (self.removed, self.added) = (0, 0);
        let mut first = 0;
        for range in ranges {
            let (start, count) = range.get(1..).unwrap_or_default().split_once(',').unwrap_or((range.get(1..).unwrap_or_default(), "1"));
            if range.starts_with('+') {
                (first, self.added) = (number(start), number(count));
            } else {
                self.removed += number(count);
            }
        }
        let next =
            (self.added > 0).then(|| Hunk { commit: self.commit.clone(), path: self.path.clone(), line: first, text: String::new() });
        std::mem::replace(&mut self.hunk, next)
    }
}

impl<R: BufRead> Iterator for Hunks<R> {
    type Item = anyhow::Result<Hunk>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        loop {
            line.clear();
            match self.lines.read_until(b'\n', &mut line) {
                Err(error) => return Some(Err(error).context("git")),
                Ok(0) => return self.hunk.take().map(Ok),
                Ok(_) => {}
            }
            if let Some(hunk) = self.line(line.strip_suffix(b"\n").unwrap_or(&line)) {
                return Some(Ok(hunk));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn added_lines_are_read_with_commit_path_and_line() {
        let patch = "\u{1}commit c1\n\ndiff --git a/x b/x\n--- /dev/null\n+++ b/x\n@@ -0,0 +1,2 @@\n+one\n+++ two\n\u{1}commit c2\n\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -2 +2 @@ fn\n-++ two\n+three\n\\ No newline at end of file\n@@ -9,2 +8,0 @@\n-a\n-b\n";
        let hunks: Vec<_> = Hunks::of(patch.as_bytes()).map(|hunk| hunk.expect("memory")).collect();
        let hunk = |commit: &str, line, text: &str| Hunk { commit: commit.to_owned(), path: "x".to_owned(), line, text: text.to_owned() };
        assert_eq!(hunks, [hunk("c1", 1, "one\n++ two\n"), hunk("c2", 2, "three\n")]);
    }

    #[test]
    fn a_merge_shows_what_neither_parent_had() {
        let patch =
            "\u{1}commit m\n\ndiff --cc y\nindex 1,2..3\n--- a/y\n+++ b/y\n@@@ -1,1 -1,1 +1,2 @@@\n- ours\n -theirs\n++merged\n++token\n";
        let hunks: Vec<_> = Hunks::of(patch.as_bytes()).map(|hunk| hunk.expect("memory")).collect();
        assert_eq!(hunks, [Hunk { commit: "m".to_owned(), path: "y".to_owned(), line: 1, text: "merged\ntoken\n".to_owned() }]);
    }
}
