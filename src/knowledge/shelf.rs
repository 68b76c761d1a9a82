//! The packs of the state directory: those that were uploaded, each with the one that it replaced.

use super::{
    Malformed, Pack,
    seal::{self, Keyring, SealError},
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
    pub fn put(&self, name: &str, file: &[u8], keyring: &Keyring) -> Result<Pack, ShelfError> {
        let pack = seal::open(keyring, &mut file.to_vec())?.pack()?;
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

    /// Puts the pack that was replaced last back into force, after a look whether it can still be used, and keeps the present one instead.
    ///
    /// # Errors
    /// Any [`ShelfError`] but [`Absent`](ShelfError::Absent); then nothing has changed.
    pub fn roll_back(&self, name: &str, keyring: &Keyring) -> Result<(), ShelfError> {
        let (current, replaced) = (self.path(name, EXTENSION), self.path(name, REPLACED));
        let earlier = fs::read(&replaced).map_err(|error| if is_absent(&error) { ShelfError::Unreplaced } else { error.into() })?;
        // Its signer may have been trusted when it came, and no more.
        seal::open(keyring, &mut earlier.clone())?.pack()?;
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
    use crate::knowledge::{
        build::{NewDocument, PackBuilder, Reading},
        seal::{Key, SigningKey},
        signer::Signers,
    };

    fn sealed(key: &Key, signing: &SigningKey, name: &str, text: &str) -> Vec<u8> {
        let mut builder = PackBuilder::new(key.digester(), name);
        builder.document(&NewDocument { id: 1, source: 1, content: 1, text, reading: Reading::Prose });
        seal::seal(key, signing, builder.finish(text.to_owned())).expect("sealed")
    }

    fn shelf_in(dir: &tempfile::TempDir) -> (Keyring, SigningKey, Shelf) {
        let keyring = Keyring { key: Key::random().expect("random"), signers: Signers::default() };
        (keyring, SigningKey::random().expect("random"), Shelf::new(dir.path().join("knowledge")))
    }

    fn created(shelf: &Shelf, keyring: &Keyring) -> String {
        let mut file = fs::read(shelf.path("acme", EXTENSION)).expect("there");
        seal::open(keyring, &mut file).expect("opens").pack().expect("a pack").created().to_owned()
    }

    #[test]
    fn packs_replace_each_other_and_come_back() {
        let dir = tempfile::tempdir().expect("dir");
        let (keyring, signing, shelf) = shelf_in(&dir);
        let sealed = |name: &str, text: &str| sealed(&keyring.key, &signing, name, text);
        let created = || created(&shelf, &keyring);
        let pack = shelf.put("acme", &sealed("acme", "one"), &keyring).expect("put");
        assert_eq!(pack.signer(), Some(signing.signer()));
        assert!(matches!(shelf.roll_back("acme", &keyring), Err(ShelfError::Unreplaced)));
        shelf.put("acme", &sealed("acme", "two"), &keyring).expect("put");
        assert_eq!(created(), "two");
        shelf.roll_back("acme", &keyring).expect("back");
        assert_eq!(created(), "one");
        shelf.roll_back("acme", &keyring).expect("and forth");
        assert_eq!(created(), "two");
        assert!(matches!(shelf.put("other", &sealed("acme", "three"), &keyring), Err(ShelfError::OtherName(name)) if name == "acme"));
        assert!(matches!(shelf.put("acme", b"EXEAT?", &keyring), Err(ShelfError::Sealed(SealError::NoPack))));
        assert_eq!(created(), "two", "what cannot be used changes nothing");
        shelf.remove("acme").expect("removed");
        assert!(matches!(shelf.remove("acme"), Err(ShelfError::Absent)));
        shelf.roll_back("acme", &keyring).expect("back");
        assert_eq!(created(), "two");
        assert!(Shelf::is_name("acme-2") && !Shelf::is_name("../acme") && !Shelf::is_name(""));
    }

    #[test]
    fn packs_of_others_are_neither_put_there_nor_brought_back() {
        let dir = tempfile::tempdir().expect("dir");
        let (anybody, signing, shelf) = shelf_in(&dir);
        let other = SigningKey::random().expect("random");
        let named = Keyring { signers: Signers::new(vec![signing.signer()]), ..anybody.clone() };
        let foreign = sealed(&anybody.key, &other, "acme", "foreign");
        shelf.put("acme", &foreign, &anybody).expect("nobody is named yet");
        shelf.put("acme", &sealed(&anybody.key, &signing, "acme", "own"), &named).expect("put");
        let is_refused = |result: Result<(), ShelfError>| matches!(result, Err(ShelfError::Sealed(SealError::ForeignSigner(signer))) if signer == other.signer());
        assert!(is_refused(shelf.put("acme", &foreign, &named).map(|_pack| ())));
        assert!(is_refused(shelf.roll_back("acme", &named)));
        assert_eq!(created(&shelf, &named), "own");
    }
}
