//! The hash chain over the records: whoever changes, removes or inserts one without the key leaves a break.
//!
//! Each record is stored with `BLAKE3-keyed(previous hash || record)`. Where the chain begins (retention removes the
//! oldest records) and where it ends is stored too, sealed with the key, so that cutting off either end shows.

use std::fmt;

/// The key of the chain, derived from the state's key.
#[derive(Clone)]
pub struct ChainKey([u8; 32]);

/// A link: the hash of everything up to and with one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link(blake3::Hash);

/// Where the chain begins and ends. `0` in both counts is the empty chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Number of the last record that retention removed.
    pub anchor: i64,
    /// The link of that record: what the first one kept is chained to.
    pub anchor_link: Link,
    /// Number of the last record.
    pub head: i64,
    /// Its link.
    pub head_link: Link,
}

impl ChainKey {
    /// The chain's key under the state's `key`.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(blake3::derive_key("exeat 2026 audit hash chain v1", key))
    }

    /// The link of `record`, which follows the one of `previous`.
    pub fn link(&self, previous: Link, record: &str) -> Link {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(previous.0.as_bytes()).update(record.as_bytes());
        Link(hasher.finalize())
    }

    /// The seal on `ends`, which only the key can make.
    pub fn seal(&self, ends: &Ends) -> Link {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(b"ends").update(&ends.anchor.to_be_bytes()).update(ends.anchor_link.0.as_bytes());
        hasher.update(&ends.head.to_be_bytes()).update(ends.head_link.0.as_bytes());
        Link(hasher.finalize())
    }
}

impl fmt::Debug for ChainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChainKey")
    }
}

impl Link {
    /// What the very first record is chained to.
    pub const ORIGIN: Self = Self(blake3::Hash::from_bytes([0; 32]));

    /// The link of these 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(blake3::Hash::from_bytes(bytes))
    }

    /// The 32 bytes.
    pub fn to_bytes(self) -> [u8; 32] {
        *self.0.as_bytes()
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_hex())
    }
}

impl Ends {
    /// The ends of a chain without a record.
    pub const EMPTY: Self = Self { anchor: 0, anchor_link: Link::ORIGIN, head: 0, head_link: Link::ORIGIN };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_depends_on_key_history_and_record() {
        let (key, other) = (ChainKey::new(&[1; 32]), ChainKey::new(&[2; 32]));
        let first = key.link(Link::ORIGIN, "a");
        assert_ne!(first, other.link(Link::ORIGIN, "a"));
        assert_ne!(first, key.link(first, "a"));
        assert_ne!(first, key.link(Link::ORIGIN, "b"));
        assert_eq!(first, Link::from_bytes(first.to_bytes()));
    }

    #[test]
    fn a_seal_covers_both_ends() {
        let key = ChainKey::new(&[1; 32]);
        let sealed = key.seal(&Ends::EMPTY);
        for changed in [
            Ends { head: 1, ..Ends::EMPTY },
            Ends { anchor: 1, ..Ends::EMPTY },
            Ends { head_link: key.link(Link::ORIGIN, ""), ..Ends::EMPTY },
        ] {
            assert_ne!(sealed, key.seal(&changed));
        }
    }
}
