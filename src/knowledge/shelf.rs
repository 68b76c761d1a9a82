//! The packs of the state directory: those that were uploaded, each with the one that it replaced.

use super::{
    Malformed, Pack,
    seal::{self, Key, SealError},
};
use crate::state::write_private;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Ending of packs.
pub const EXTENSION: &str = "exeat";
/// Ending of packs that were replaced.
const REPLACED: &str = "replaced";

/// A folder of packs.
#[derive(Clone, Debug)]
pub struct Shelf {
    folder: PathBuf,
}

/// Why a pack is not put into the folder, or not taken out of it.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// It cannot be opened.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// It was made by another version.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It was learnt under another name.
    #[error("this pack was learnt as {0:?}; upload it under that name")]
    OtherName(String),
    /// There is none of that name.
    #[error("there is no such pack in the state directory")]
    Absent,
    /// There is no earlier one.
    #[error("no earlier pack of this name is kept")]
    Unreplaced,
    /// The file system.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Shelf {
    /// The packs in `folder`, which need not be there yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Puts a pack into the folder, after a look whether it can be used. The one of the same name is kept aside.
    ///
    /// # Errors
    /// Any [`ShelfError`] but those about absence; then nothing has changed.
    pub fn put(&self, name: &str, file: &[u8], key: &Key) -> Result<Pack, ShelfError> {
        let pack = Pack::read(&seal::open(key, &mut file.to_vec())?)?;
        if pack.name() != name {
            return Err(ShelfError::OtherName(pack.name().to_owned()));
        }
        crate::state::State::open(&self.folder)?;
        let current = self.path(name, EXTENSION);
        if current.exists() {
            // A copy, so that there is a pack at every moment.
            write_private(&self.path(name, REPLACED), &fs::read(&current)?)?;
        }
        write_private(&current, file)?;
        Ok(pack)
    }

    /// Puts the pack that was replaced last back into force, and keeps the present one instead.
    ///
    /// # Errors
    /// [`ShelfError::Unreplaced`], [`ShelfError::Io`].
    pub fn roll_back(&self, name: &str) -> Result<(), ShelfError> {
        let (current, replaced) = (self.path(name, EXTENSION), self.path(name, REPLACED));
        let earlier = fs::read(&replaced).map_err(|error| if is_absent(&error) { ShelfError::Unreplaced } else { error.into() })?;
        match fs::read(&current) {
            Ok(present) => write_private(&replaced, &present)?,
            Err(error) if is_absent(&error) => fs::remove_file(&replaced)?,
            Err(error) => return Err(error.into()),
        }
        Ok(write_private(&current, &earlier)?)
    }

    /// Takes a pack out of force; it can be rolled back to.
    ///
    /// # Errors
    /// [`ShelfError::Absent`], [`ShelfError::Io`].
    pub fn remove(&self, name: &str) -> Result<(), ShelfError> {
        let moved = fs::rename(self.path(name, EXTENSION), self.path(name, REPLACED));
        moved.map_err(|error| if is_absent(&error) { ShelfError::Absent } else { error.into() })
    }

    /// Whether the name is one that packs have; nothing else becomes part of a path.
    pub fn is_name(name: &str) -> bool {
        !name.is_empty() && name.len() <= 64 && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, name: &str, extension: &str) -> PathBuf {
        self.folder.join(format!("{name}.{extension}"))
    }
}

fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::build::{NewDocument, PackBuilder, Reading};

    fn sealed(key: &Key, name: &str, text: &str) -> Vec<u8> {
        let mut builder = PackBuilder::new(key.digester(), name);
        builder.document(&NewDocument { id: 1, source: 1, content: 1, text, reading: Reading::Prose });
        seal::seal(key, builder.finish(text.to_owned())).expect("sealed")
    }

    #[test]
    fn packs_replace_each_other_and_come_back() {
        let dir = tempfile::tempdir().expect("dir");
        let (key, shelf) = (Key::random().expect("random"), Shelf::new(dir.path().join("knowledge")));
        let created = || {
            let mut file = fs::read(shelf.path("acme", EXTENSION)).expect("there");
            Pack::read(&seal::open(&key, &mut file).expect("opens")).expect("a pack").created().to_owned()
        };
        shelf.put("acme", &sealed(&key, "acme", "one"), &key).expect("put");
        assert!(matches!(shelf.roll_back("acme"), Err(ShelfError::Unreplaced)));
        shelf.put("acme", &sealed(&key, "acme", "two"), &key).expect("put");
        assert_eq!(created(), "two");
        shelf.roll_back("acme").expect("back");
        assert_eq!(created(), "one");
        shelf.roll_back("acme").expect("and forth");
        assert_eq!(created(), "two");
        assert!(matches!(shelf.put("other", &sealed(&key, "acme", "three"), &key), Err(ShelfError::OtherName(name)) if name == "acme"));
        assert!(matches!(shelf.put("acme", b"EXEAT?", &key), Err(ShelfError::Sealed(SealError::NoPack))));
        assert_eq!(created(), "two", "what cannot be used changes nothing");
        shelf.remove("acme").expect("removed");
        assert!(matches!(shelf.remove("acme"), Err(ShelfError::Absent)));
        shelf.roll_back("acme").expect("back");
        assert_eq!(created(), "two");
        assert!(Shelf::is_name("acme-2") && !Shelf::is_name("../acme") && !Shelf::is_name(""));
    }
}
