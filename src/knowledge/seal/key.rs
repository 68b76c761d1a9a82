//! The key of an installation: what its packs are encrypted with, and its values digested.

use super::SealError;
use crate::knowledge::{Digester, hex};
use aws_lc_rs::{
    aead::{AES_256_GCM, LessSafeKey, UnboundKey},
    error::Unspecified,
    rand,
};

/// The key of an installation's packs: 32 bytes that nobody can guess.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.id())
    }
}

impl Key {
    /// A new one, from the operating system.
    ///
    /// # Errors
    /// When there are no random numbers.
    pub fn random() -> Result<Self, SealError> {
        let mut key = [0; 32];
        rand::fill(&mut key).map_err(|Unspecified| SealError::Random)?;
        Ok(Self(key))
    }

    /// The key that is written as 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`SealError::NoKey`] for anything else.
    pub fn parse(text: &str) -> Result<Self, SealError> {
        hex::bytes(text).and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(SealError::NoKey)
    }

    /// The key as 64 hexadecimal digits.
    pub fn text(&self) -> String {
        hex::digits(&self.0)
    }

    /// What tells it from other keys and says nothing about it.
    pub fn id(&self) -> String {
        hex::digits(&self.id_bytes())
    }

    /// The digester of packs under this key.
    pub fn digester(&self) -> Digester {
        Digester::new(&self.0)
    }

    /// 64 bits of a keyed digest.
    pub fn digest(&self, bytes: &[u8]) -> u64 {
        let key = blake3::derive_key("exeat 2026 knowledge: sources", &self.0);
        blake3::keyed_hash(&key, bytes).as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    pub(super) fn id_bytes(&self) -> [u8; 8] {
        blake3::derive_key("exeat 2026 knowledge: key id", &self.0).first_chunk().copied().unwrap_or_default()
    }

    /// The key of the one pack with this salt.
    pub(super) fn of_pack(&self, salt: &[u8]) -> Result<LessSafeKey, SealError> {
        let mut key = [0; 32];
        blake3::Hasher::new_derive_key("exeat 2026 knowledge: pack").update(&self.0).update(salt).finalize_xof().fill(&mut key);
        UnboundKey::new(&AES_256_GCM, &key).map(LessSafeKey::new).map_err(|Unspecified| SealError::Random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_and_read() {
        let key = Key::random().expect("random");
        assert!(Key::parse(&format!("{}\n", key.text())).is_ok_and(|read| read == key));
        for bad in ["", "12", &"g".repeat(64), &"0".repeat(63), &"0".repeat(66)] {
            assert_eq!(Key::parse(bad).err(), Some(SealError::NoKey));
        }
        assert!(!format!("{key:?}").contains(&key.text()));
    }
}
