//! The packs that a configuration names, the key that opens them, and the one that signs them where they are learnt.

use super::Config;
use crate::{
    knowledge::{
        Knowledge, Pack, Thresholds,
        seal::{self, Key, Keyring, SealError, SigningKey},
        shelf::{EXTENSION, Shelf},
    },
    problem::Problem,
};
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Environment variable that holds the key, before any file.
pub const KEY_VARIABLE: &str = "EXEAT_KNOWLEDGE_KEY";
/// Environment variable that holds the key to sign with, before any file.
pub const SIGNING_KEY_VARIABLE: &str = "EXEAT_KNOWLEDGE_SIGNING_KEY";
/// Its file, beside that of the key.
const SIGNING_KEY_FILE: &str = "knowledge.signing";
/// Folder of the state directory whose packs are in force without being named.
const SHELF: &str = "knowledge";

impl Config {
    /// What the company taught; `None` if no pack is named.
    ///
    /// # Errors
    /// Every pack that cannot be opened, or the key.
    pub fn taught(&self) -> Result<Option<Knowledge>, Vec<Problem>> {
        let paths = self.pack_files();
        if paths.is_empty() {
            return Ok(None);
        }
        let keyring = self.keyring().map_err(|problem| vec![problem])?;
        let (mut packs, mut problems) = (Vec::new(), Vec::new());
        for path in paths {
            match pack(&path, &keyring) {
                Ok(pack) => packs.push(pack),
                Err(cause) => problems.push(problem(&path, "knowledge.packs", cause)),
            }
        }
        let thresholds = Thresholds { cells: self.knowledge.min_cells, characters: self.knowledge.min_characters };
        if problems.is_empty() { Ok(Some(Knowledge::new(keyring.key.digester(), packs, thresholds))) } else { Err(problems) }
    }

    /// The packs that were uploaded.
    pub fn shelf(&self) -> Shelf {
        Shelf::new(self.state.directory.join(SHELF))
    }

    /// The files of all packs, those of folders by name.
    pub fn pack_files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let shelf = self.shelf().folder().to_owned();
        for path in self.knowledge.packs.iter().chain(shelf.is_dir().then_some(&shelf)) {
            match fs::read_dir(path) {
                Ok(entries) => {
                    let mut inside: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
                    inside.retain(|path| path.extension().is_some_and(|extension| extension == EXTENSION));
                    inside.sort();
                    files.extend(inside);
                }
                Err(_) => files.push(path.clone()),
            }
        }
        files
    }

    /// What packs are opened with.
    ///
    /// # Errors
    /// Those of [`knowledge_key`](Self::knowledge_key).
    pub fn keyring(&self) -> Result<Keyring, Problem> {
        Ok(Keyring { key: self.knowledge_key()?, signers: self.knowledge.signers.clone() })
    }

    /// The key of the packs: that of the environment, or of the file.
    ///
    /// # Errors
    /// Where it is not or no key.
    pub fn knowledge_key(&self) -> Result<Key, Problem> {
        secret(KEY_VARIABLE, &self.knowledge.key_file, "knowledge.key_file", Key::parse)
    }

    /// Where the key to sign with is looked for, unless the operator names another place.
    pub fn signing_key_file(&self) -> PathBuf {
        self.knowledge.key_file.with_file_name(SIGNING_KEY_FILE)
    }

    /// The key that packs are signed with where they are learnt: that of the environment, or of the file at `path`.
    ///
    /// # Errors
    /// Where it is not or no such key.
    pub fn signing_key(&self, path: &Path) -> Result<SigningKey, Problem> {
        secret(SIGNING_KEY_VARIABLE, path, "signing key", SigningKey::parse)
    }
}

/// The key of the environment, or of the file that the operator named in `item`.
fn secret<T>(variable: &str, path: &Path, item: &str, parse: impl Fn(&str) -> Result<T, SealError>) -> Result<T, Problem> {
    if let Ok(text) = env::var(variable) {
        return parse(&text).map_err(|error| problem(Path::new(variable), "knowledge", error.to_string()));
    }
    let text = fs::read_to_string(path).map_err(|error| {
        let cause = format!("cannot be read: {error}; put the key there that \"exeat learn\" made, or set {variable}");
        problem(path, item, cause)
    })?;
    parse(&text).map_err(|error| problem(path, item, error.to_string()))
}

/// Opens a pack.
fn pack(path: &Path, keyring: &Keyring) -> Result<Pack, String> {
    let mut file = fs::read(path).map_err(|error| format!("cannot be read: {error}; check the path and its permissions"))?;
    let opened = seal::open(keyring, &mut file).map_err(|error| error.to_string())?;
    drop(file);
    opened.pack().map_err(|error| format!("{error}; learn it again with this version"))
}

/// A cause that names its fix behind a semicolon.
fn problem(path: &Path, item: &str, cause: String) -> Problem {
    let (cause, fix) = cause.split_once("; ").map_or((cause.as_str(), ""), |(cause, fix)| (cause, fix));
    Problem { file: path.display().to_string(), line: None, item: item.to_owned(), cause: cause.to_owned(), fix: fix.to_owned() }
}
