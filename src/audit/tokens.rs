//! Bearer tokens: who may read the audit and who may change anything.
//!
//! Tokens are 256 random bits and are stored as BLAKE3 hashes. The exception is the first one: `admin.token` in the
//! state directory holds it in clear (mode 0600), so that somebody can begin. The file is the truth about it: whoever
//! deletes it gets a new token at the next start, and the old one is void.

use super::{
    query::ReadError,
    record::{Id, fill_random},
    sql::StoredToken,
    store::{Store, Unrecorded},
};
use arc_swap::ArcSwap;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};
use time::OffsetDateTime;

/// All valid tokens.
#[derive(Debug)]
pub struct Tokens {
    store: Store,
    known: ArcSwap<Vec<Known>>,
    /// Changes go one at a time, so that none overwrites another's.
    changing: tokio::sync::Mutex<()>,
}

/// What the holder of a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Read everything, and try out texts.
    Viewer,
    /// Also review events, and make and revoke tokens.
    Admin,
}

/// Who presented a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The token's id.
    pub id: Arc<str>,
    /// The token's name.
    pub name: Arc<str>,
    /// What it allows.
    pub role: Role,
}

/// A token, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenInfo {
    /// To revoke it by.
    pub id: String,
    /// Whose it is, or what for.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// When it was made; the first admin's is not known.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub created: Option<OffsetDateTime>,
}

/// Why tokens cannot be loaded or changed.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The first admin's file.
    #[error("cannot use the admin token file {path}: {source}; check its permissions, or delete it and a new one is made")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The first admin's token is weak.
    #[error("the admin token in {path} has fewer than 32 characters; delete the file and exeat makes a good one")]
    Weak {
        /// The file.
        path: PathBuf,
    },
    /// The first admin's token is not in the store.
    #[error("the first admin token is revoked by deleting the file admin.token and restarting exeat")]
    First,
    /// The name is not fit.
    #[error("a token's name has 1 to 64 characters, none of them control characters")]
    Name,
    /// Too many.
    #[error("there are {0} tokens already; revoke some first", Tokens::MOST)]
    TooMany,
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store cannot be written.
    #[error(transparent)]
    Write(#[from] Unrecorded),
}

#[derive(Clone)]
struct Known {
    info: TokenInfo,
    hash: blake3::Hash,
    identity: Identity,
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.info.fmt(f)
    }
}

impl Tokens {
    /// Most tokens at a time.
    pub const MOST: usize = 1000;
    const FIRST: &'static str = "admin.token";

    /// The tokens of `store`, and the first admin's in `file`, which is made where it is missing.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn open(file: &Path, store: Store) -> Result<Self, TokenError> {
        let first = first_admin(file)?;
        let info = TokenInfo { id: Self::FIRST.to_owned(), name: Self::FIRST.to_owned(), role: Role::Admin, created: None };
        let mut known = vec![Known::new(info, blake3::hash(first.as_bytes()))];
        known.extend(store.reader().tokens_here()?.into_iter().map(Known::of));
        Ok(Self { store, known: ArcSwap::from_pointee(known), changing: tokio::sync::Mutex::default() })
    }

    /// Whose token `presented` is. Takes the same time whichever it is, or none.
    pub fn check(&self, presented: &str) -> Option<Identity> {
        let hash = blake3::hash(presented.as_bytes());
        // `Hash` compares in constant time, and the whole list is always walked.
        self.known.load().iter().fold(None, |found, known| if known.hash == hash { Some(known.identity.clone()) } else { found })
    }

    /// Whether the token that was presented has not been revoked since.
    pub fn is_valid(&self, identity: &Identity) -> bool {
        self.known.load().iter().any(|known| *known.info.id == *identity.id)
    }

    /// All tokens, the first admin's first.
    pub fn list(&self) -> Vec<TokenInfo> {
        self.known.load().iter().map(|known| known.info.clone()).collect()
    }

    /// Makes a token for the holder of the token called `by`; its text is returned this once and never again.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn create(&self, name: &str, role: Role, by: &str) -> Result<(TokenInfo, String), TokenError> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
            return Err(TokenError::Name);
        }
        let _alone = self.changing.lock().await;
        if self.known.load().len() >= Self::MOST {
            return Err(TokenError::TooMany);
        }
        let (text, id) = (generate(), Id::new());
        let hash = blake3::hash(text.as_bytes());
        let info = TokenInfo { id: id.to_string(), name: name.to_owned(), role, created: Some(id.time()) };
        let created = i64::try_from(id.milliseconds()).unwrap_or(i64::MAX);
        let row =
            StoredToken { id: info.id.clone(), name: info.name.clone(), role: role.name().to_owned(), hash: *hash.as_bytes(), created };
        self.store.put_token(row, by).await?;
        let mut known = Vec::clone(&self.known.load());
        known.push(Known::new(info.clone(), hash));
        self.known.store(Arc::new(known));
        Ok((info, text))
    }

    /// Revokes a token at once, for the holder of the token called `by`; `false` where there is none of that id.
    ///
    /// # Errors
    /// [`TokenError::First`] for the first admin's, or what the store says.
    pub async fn revoke(&self, id: &str, by: &str) -> Result<bool, TokenError> {
        if id == Self::FIRST {
            return Err(TokenError::First);
        }
        let _alone = self.changing.lock().await;
        let removed = self.store.remove_token(id.to_owned(), by).await?;
        let known = self.known.load().iter().filter(|known| known.info.id != id).cloned().collect();
        self.known.store(Arc::new(known));
        Ok(removed)
    }
}

impl Known {
    fn new(info: TokenInfo, hash: blake3::Hash) -> Self {
        let identity = Identity { id: info.id.as_str().into(), name: info.name.as_str().into(), role: info.role };
        Self { info, hash, identity }
    }

    fn of(row: StoredToken) -> Self {
        let created = OffsetDateTime::from_unix_timestamp_nanos(i128::from(row.created) * 1_000_000).ok();
        // A role that we do not know allows the least.
        let role = if row.role == Role::Admin.name() { Role::Admin } else { Role::Viewer };
        Self::new(TokenInfo { id: row.id, name: row.name, role, created }, blake3::Hash::from_bytes(row.hash))
    }
}

impl Role {
    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Admin => "admin",
        }
    }
}

fn generate() -> String {
    let mut bytes = [0; 32];
    fill_random(&mut bytes);
    format!("exeat_{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// Reads the first admin's token, or makes one: whole and synced before it has its name, so that a crash leaves none.
fn first_admin(file: &Path) -> Result<String, TokenError> {
    let io = |source| TokenError::Io { path: file.to_owned(), source };
    match fs::read_to_string(file) {
        Ok(text) if text.trim().chars().count() < 32 => Err(TokenError::Weak { path: file.to_owned() }),
        Ok(text) => {
            #[cfg(unix)]
            fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).map_err(io)?;
            Ok(text.trim().to_owned())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = generate();
            let aside = file.with_added_extension("new");
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut made = options.open(&aside).map_err(io)?;
            made.write_all(format!("{text}\n").as_bytes()).and_then(|()| made.sync_all()).map_err(io)?;
            fs::rename(&aside, file).map_err(io)?;
            Ok(text)
        }
        Err(error) => Err(io(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(dir: &Path) -> (Store, Tokens) {
        let store = Store::open(&dir.join("audit.db"), &[7; 32], None).expect("store");
        (store.clone(), Tokens::open(&dir.join("admin.token"), store).expect("tokens"))
    }

    #[tokio::test]
    async fn the_first_admin_token_is_made_once_and_only_its_owner_can_read_it() {
        let dir = tempfile::tempdir().expect("dir");
        let (store, tokens) = open(dir.path());
        let file = dir.path().join("admin.token");
        let text = fs::read_to_string(&file).expect("file");
        assert_eq!(tokens.check(text.trim()).map(|who| who.role), Some(Role::Admin));
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).expect("file").permissions()) & 0o777, 0o600);
        drop(tokens);
        store.close().await;
        let (_store, tokens) = open(dir.path());
        assert!(tokens.check(text.trim()).is_some(), "a restart keeps it");
        assert!(matches!(tokens.revoke("admin.token", "x").await, Err(TokenError::First)));
    }

    #[tokio::test]
    async fn a_made_token_works_until_it_is_revoked_also_after_a_restart() {
        let dir = tempfile::tempdir().expect("dir");
        let (store, tokens) = open(dir.path());
        let (info, text) = tokens.create(" siem ", Role::Viewer, "admin.token").await.expect("create");
        let who = Identity { id: info.id.as_str().into(), name: "siem".into(), role: Role::Viewer };
        assert_eq!(tokens.check(&text), Some(who.clone()));
        assert_eq!(tokens.check(""), None);
        drop(tokens);
        store.close().await;
        assert!(!fs::read(dir.path().join("audit.db")).expect("db").windows(text.len()).any(|bytes| bytes == text.as_bytes()));
        let (_store, tokens) = open(dir.path());
        assert_eq!(tokens.check(&text), Some(who));
        assert!(tokens.revoke(&info.id, "admin.token").await.expect("revoke"));
        assert_eq!(tokens.check(&text), None);
        assert!(!tokens.revoke(&info.id, "admin.token").await.expect("revoke"));
    }

    #[test]
    fn a_short_admin_token_is_refused() {
        let dir = tempfile::tempdir().expect("dir");
        fs::write(dir.path().join("admin.token"), "secret\n").expect("write");
        assert!(matches!(first_admin(&dir.path().join("admin.token")), Err(TokenError::Weak { .. })));
    }
}
