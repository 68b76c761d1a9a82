//! The files below a path.

use anyhow::Context;
use ignore::WalkBuilder;
use std::path::{Path, PathBuf};

/// Our own ignore file, in the notation of `.gitignore`.
const IGNORE_FILE: &str = ".exeatignore";

/// Every file below `path`, or `path` itself, in the order of their names. Hidden files are included, since `.env` is where
/// secrets are; ignored ones and `.git` are not.
pub(super) fn below(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let about = std::fs::metadata(path).with_context(|| path.display().to_string())?;
    if !about.is_dir() {
        return Ok(vec![path.to_owned()]); // a pipe too: `exeat scan <(command)`
    }
    let mut walk = WalkBuilder::new(path);
    walk.hidden(false).require_git(false).add_custom_ignore_filename(IGNORE_FILE).sort_by_file_path(Path::cmp);
    walk.filter_entry(|entry| entry.file_name() != ".git");
    let mut files = Vec::new();
    for entry in walk.build() {
        let entry = entry.with_context(|| format!("cannot list {}", path.display()))?;
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn ignore_files_are_respected_and_hidden_files_are_read() {
        let folder = tempfile::tempdir().expect("folder");
        fs::create_dir_all(folder.path().join("sub/.git")).expect("folders");
        for name in ["a.txt", ".env", "b.log", "sub/c.txt", "sub/.git/config", "sub/secret.txt"] {
            fs::write(folder.path().join(name), "x").expect("file");
        }
        fs::write(folder.path().join(".gitignore"), "*.log\n").expect("file");
        fs::write(folder.path().join("sub/.exeatignore"), "secret.txt\n.exeatignore\n").expect("file");
        let files = below(folder.path()).expect("walk");
        let names: Vec<_> = files.iter().map(|path| path.strip_prefix(folder.path()).expect("below").display().to_string()).collect();
        assert_eq!(names, [".env", ".gitignore", "a.txt", "sub/c.txt"]);
        assert!(below(&folder.path().join("absent")).is_err());
    }
}
