//! Who made a pack: an Ed25519 signature (RFC 8032) of whoever learnt.
//!
//! The key of the packs cannot tell that: each machine that inspects has it. What is signed is a digest of the file as it stands on the disk.
//! The tags of AES-GCM would not do, since whoever has the pack's key can make other sections with the same tags.

use super::SealError;
use crate::knowledge::{hex, signer::Signer};
use aws_lc_rs::{
    error::Unspecified,
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};

/// Bytes of a signature.
pub(super) const SIGNATURE: usize = 64;

/// Goes before the digest, so that what is signed here means nothing anywhere else.
const CONTEXT: &[u8] = b"exeat 2026 knowledge: signed pack\0";

/// What packs are signed with. It stays where they are learnt.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    signer: Signer,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.signer)
    }
}

impl SigningKey {
    /// A new one, from the operating system.
    ///
    /// # Errors
    /// When there are no random numbers.
    pub fn random() -> Result<Self, SealError> {
        Ed25519KeyPair::generate().ok().and_then(Self::of).ok_or(SealError::Random)
    }

    /// The key that is written as hexadecimal digits, in PKCS#8 (RFC 8410). That is longer than its 32 bytes, so that the key of the packs,
    /// which many have, is not taken for one to sign with.
    ///
    /// # Errors
    /// [`SealError::NoSigningKey`] for anything else.
    pub fn parse(text: &str) -> Result<Self, SealError> {
        let pair = hex::bytes(text).and_then(|bytes| Ed25519KeyPair::from_pkcs8(&bytes).ok());
        pair.and_then(Self::of).ok_or(SealError::NoSigningKey)
    }

    /// The key as [`parse`](Self::parse) reads it.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn text(&self) -> Result<String, SealError> {
        self.pair.to_pkcs8v1().map(|document| hex::digits(document.as_ref())).map_err(|Unspecified| SealError::NoSigningKey)
    }

    /// Whose it is.
    pub fn signer(&self) -> Signer {
        self.signer
    }

    /// The signature of a file that ends before it.
    pub(super) fn sign(&self, file: &[u8]) -> Result<[u8; SIGNATURE], SealError> {
        let signature = self.pair.try_sign(&message(file)).ok();
        signature.and_then(|signature| signature.as_ref().try_into().ok()).ok_or(SealError::NoSigningKey)
    }

    /// The key of one who signs under the name of another.
    #[cfg(test)]
    pub(super) fn posing(key: &Self, signer: Signer) -> Self {
        let pair = Self::parse(&key.text().expect("text")).expect("a key").pair;
        Self { pair, signer }
    }

    fn of(pair: Ed25519KeyPair) -> Option<Self> {
        let signer = Signer(pair.public_key().as_ref().try_into().ok()?);
        Some(Self { pair, signer })
    }
}

/// Holds that `signer` signed this file.
///
/// # Errors
/// [`SealError::Tampered`]
pub(super) fn verify(signer: &Signer, file: &[u8], signature: &[u8; SIGNATURE]) -> Result<(), SealError> {
    UnparsedPublicKey::new(&ED25519, signer.0).verify(&message(file), signature).map_err(|Unspecified| SealError::Tampered)
}

fn message(file: &[u8]) -> Vec<u8> {
    [CONTEXT, blake3::hash(file).as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_keys_are_written_and_read() {
        let key = SigningKey::random().expect("random");
        let text = key.text().expect("text");
        assert_eq!(SigningKey::parse(&format!("{text}\n")).expect("read").signer(), key.signer());
        assert_ne!(SigningKey::random().expect("random").signer(), key.signer());
        let pack_key = super::super::Key::random().expect("random").text();
        for bad in ["", "12", &pack_key, &key.signer().to_string(), &text[2..], &text[..94]] {
            assert_eq!(SigningKey::parse(bad).err(), Some(SealError::NoSigningKey), "{bad}");
        }
        assert!(!format!("{key:?}").contains(&text[32..]));
    }

    /// The key of RFC 8410, section 10.3, and the first of RFC 8032, section 7.1, whose public halves are printed there.
    #[test]
    fn keys_are_those_of_the_standards() {
        let signer =
            |seed: &str| SigningKey::parse(&format!("302e020100300506032b657004220420{seed}")).expect("a key").signer().to_string();
        assert_eq!(
            signer("d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842"),
            "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"
        );
        assert_eq!(
            signer("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
    }

    #[test]
    fn a_signature_is_of_one_file_by_one_signer() {
        let (key, other) = (SigningKey::random().expect("random"), SigningKey::random().expect("random"));
        let signature = key.sign(b"file").expect("signed");
        assert_eq!(verify(&key.signer(), b"file", &signature), Ok(()));
        assert_eq!(verify(&key.signer(), b"filf", &signature), Err(SealError::Tampered));
        assert_eq!(verify(&other.signer(), b"file", &signature), Err(SealError::Tampered));
        // What is signed is no bare file and no bare digest.
        for bare in [b"file".as_slice(), blake3::hash(b"file").as_bytes()] {
            assert!(UnparsedPublicKey::new(&ED25519, key.signer().0).verify(bare, &signature).is_err());
        }
    }
}
