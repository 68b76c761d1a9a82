//! The state directory: what an installation keeps between starts, readable by its user alone.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

/// The key under which found text is digested.
const KEY_FILE: &str = "digest.key";
/// Written when the proxy serves: addresses and process id.
const READY_FILE: &str = "ready";

/// An open state directory.
#[derive(Debug)]
pub struct State {
    directory: PathBuf,
}

impl State {
    /// Opens `directory`, making it (mode 0700) if it is not there.
    ///
    /// # Errors
    /// When it can neither be made nor used.
    pub fn open(directory: &Path) -> io::Result<Self> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(directory)?;
        Ok(Self { directory: directory.to_owned() })
    }

    /// A file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The installation's digest key, made on first use.
    ///
    /// # Errors
    /// When it cannot be read or written, or has not 32 bytes.
    pub fn digest_key(&self) -> io::Result<[u8; 32]> {
        match Self::digest_key_in(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut key = [0_u8; 32];
                aws_lc_rs::rand::fill(&mut key).map_err(io::Error::other)?;
                write_private(&self.path(KEY_FILE), &key)?;
                Ok(key)
            }
            read => read,
        }
    }

    /// The digest key of the installation whose state `directory` is; none is made.
    ///
    /// # Errors
    /// When it is not there, cannot be read, or has not 32 bytes.
    pub fn digest_key_in(directory: &Path) -> io::Result<[u8; 32]> {
        fs::read(directory.join(KEY_FILE))?.try_into().map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidData, "digest.key has not 32 bytes; put the right one back, or remove it and audit.db")
        })
    }

    /// Says that the proxy serves: `{"proxy","admin","pid"}`, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn announce(&self, proxy: std::net::SocketAddr, admin: std::net::SocketAddr) -> io::Result<()> {
        let ready = serde_json::json!({ "proxy": proxy.to_string(), "admin": admin.to_string(), "pid": std::process::id() });
        write_private(&self.path(READY_FILE), ready.to_string().as_bytes())
    }

    /// Takes that back.
    pub fn retract(&self) {
        // Not there is as good as removed.
        let _ = fs::remove_file(self.path(READY_FILE));
    }
}

/// Writes `bytes` to `path`, mode 0600, whole or not at all: written aside, flushed to the disk, then renamed.
///
/// # Errors
/// What the file system says.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".new");
    let aside = PathBuf::from(aside);
    // A left-over of a start that was cut short would keep its mode.
    let _ = fs::remove_file(&aside);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&aside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&aside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_what_is_kept() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().expect("dir");
        let state = State::open(&dir.path().join("a/b")).expect("made");
        let key = state.digest_key().expect("key");
        assert_eq!(state.digest_key().expect("again"), key);
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(state.directory()), 0o700);
        assert_eq!(mode(&state.path(KEY_FILE)), 0o600);
    }

    #[test]
    fn a_cut_off_key_is_an_error_not_a_new_key() {
        let dir = tempfile::tempdir().expect("dir");
        let state = State::open(dir.path()).expect("made");
        fs::write(state.path(KEY_FILE), b"short").expect("write");
        assert!(state.digest_key().is_err());
    }
}
