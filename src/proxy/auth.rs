//! Proxy authentication: `Basic` (RFC 7617) against a file of Argon2 hashes.

use argon2::{Argon2, PasswordHash, PasswordVerifier as _};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, header};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// A password that was right stays right for so long without being hashed again: Argon2 is slow on purpose.
const REMEMBERED: Duration = Duration::from_secs(300);
const MOST_REMEMBERED: usize = 10_000;
/// Hashes computed at one time; the others wait, so that guessing cannot take the whole machine.
const AT_ONCE: usize = 2;

/// Who may use the proxy.
pub struct Users {
    hashes: HashMap<String, (Arc<str>, String)>,
    remembered: Mutex<HashMap<blake3::Hash, Instant>>,
    at_once: Arc<Semaphore>,
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Users({})", self.hashes.len())
    }
}

/// What became of a request's credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// They are this user's.
    Granted(Arc<str>),
    /// They are missing or wrong.
    Denied,
}

/// A line of the user file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {cause}; write user:hash with a hash as printed by `argon2 SALT -id -e`")]
pub struct BadUser {
    /// 1-based.
    pub line: usize,
    /// What is wrong with it.
    pub cause: &'static str,
}

impl Users {
    /// Reads lines `user:hash`; empty lines and those that begin with `#` do not count.
    ///
    /// # Errors
    /// Every line that cannot be used.
    pub fn parse(text: &str) -> Result<Self, Vec<BadUser>> {
        let mut hashes = HashMap::new();
        let mut problems = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line_number = index + 1;
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut bad = |cause| problems.push(BadUser { line: line_number, cause });
            match line.split_once(':') {
                None => bad("there is no colon"),
                Some(("", _)) => bad("the user name is empty"),
                Some((_, hash)) if PasswordHash::new(hash).is_err() => bad("the hash is no Argon2 hash in PHC format"),
                Some((user, hash)) => {
                    if hashes.insert(user.to_owned(), (user.into(), hash.to_owned())).is_some() {
                        bad("the user is there twice");
                    }
                }
            }
        }
        let remembered = Mutex::new(HashMap::new());
        if problems.is_empty() { Ok(Self { hashes, remembered, at_once: Arc::new(Semaphore::new(AT_ONCE)) }) } else { Err(problems) }
    }

    /// Checks the `Proxy-Authorization` of a request.
    pub async fn check(&self, headers: &HeaderMap) -> Access {
        let Some((user, password)) = headers.get(header::PROXY_AUTHORIZATION).and_then(|value| credentials(value.to_str().ok()?)) else {
            return Access::Denied;
        };
        let Some((user, hash)) = self.hashes.get(&user) else { return Access::Denied };
        let mark = blake3::hash(format!("{user}\0{password}\0{hash}").as_bytes());
        if self.remembered().get(&mark).is_some_and(|since| since.elapsed() < REMEMBERED) {
            return Access::Granted(Arc::clone(user));
        }
        let Ok(_permit) = self.at_once.acquire().await else { return Access::Denied };
        let hash = hash.clone();
        let is_right = tokio::task::spawn_blocking(move || {
            PasswordHash::new(&hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        });
        if !is_right.await.unwrap_or(false) {
            return Access::Denied;
        }
        let mut remembered = self.remembered();
        if remembered.len() >= MOST_REMEMBERED {
            remembered.retain(|_, since| since.elapsed() < REMEMBERED);
        }
        if remembered.len() < MOST_REMEMBERED {
            remembered.insert(mark, Instant::now());
        }
        Access::Granted(Arc::clone(user))
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, HashMap<blake3::Hash, Instant>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn credentials(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::password_hash::{PasswordHasher as _, SaltString};
    use http::HeaderValue;

    fn hash(password: &str) -> String {
        let salt = SaltString::encode_b64(b"0123456789abcdef").expect("salt");
        Argon2::default().hash_password(password.as_bytes(), &salt).expect("hash").to_string()
    }

    fn asking(user: &str, password: &str) -> HeaderMap {
        let value = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        HeaderMap::from_iter([(header::PROXY_AUTHORIZATION, HeaderValue::from_str(&value).expect("value"))])
    }

    #[tokio::test]
    async fn the_right_password_opens_and_others_do_not() {
        let users = Users::parse(&format!("# staff\n\n李雷:{}\n", hash("pa:ss"))).expect("file");
        assert_eq!(users.check(&asking("李雷", "pa:ss")).await, Access::Granted("李雷".into()));
        assert_eq!(users.check(&asking("李雷", "pa:ss")).await, Access::Granted("李雷".into()), "remembered");
        assert_eq!(users.check(&asking("李雷", "wrong")).await, Access::Denied);
        assert_eq!(users.check(&asking("nobody", "pa:ss")).await, Access::Denied);
        assert_eq!(users.check(&HeaderMap::new()).await, Access::Denied);
    }

    #[test]
    fn every_bad_line_is_named() {
        let problems = Users::parse("a\n:x\nb:plain\n").expect_err("bad");
        assert_eq!(problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [1, 2, 3]);
    }
}
