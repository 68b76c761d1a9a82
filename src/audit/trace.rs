//! What a finding met of a company's pack, as the audit keeps it: sealed, so that neither the database nor an export says which words stood there.
//!
//! The digests in a trace are made fast and stand up to nobody who can collect them; the seal (AES-256-GCM) does. Its key comes from the
//! installation's, and the finding's digest is sealed with it, so that a trace cannot be moved to another finding.

use super::record::fill_random;
use crate::{knowledge::Trace, redact::DigestKey};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};

/// A trace that cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the trace of a dismissed finding is damaged or of another installation; name the state directory that it comes from")]
pub struct Foreign;

/// Seals the trace of a finding of this digest.
pub fn seal(key: &DigestKey, digest: &str, trace: &Trace) -> Option<String> {
    let mut nonce = [0; NONCE_LEN];
    fill_random(&mut nonce);
    let mut sealed = trace.to_bytes();
    of(key)?.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(digest.as_bytes()), &mut sealed).ok()?;
    Some(BASE64_STANDARD_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
}

/// The trace that was sealed so.
///
/// # Errors
/// [`Foreign`].
pub fn open(key: &DigestKey, digest: &str, sealed: &str) -> Result<Trace, Foreign> {
    let bytes = BASE64_STANDARD_NO_PAD.decode(sealed).map_err(|_| Foreign)?;
    let (nonce, rest) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(Foreign)?;
    let mut rest = rest.to_vec();
    let own = of(key).ok_or(Foreign)?;
    let plain = own.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(digest.as_bytes()), &mut rest).map_err(|_| Foreign)?;
    Trace::from_bytes(plain).map_err(|_| Foreign)
}

/// `None` never comes of 32 bytes.
fn of(key: &DigestKey) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, &key.derive("exeat 2026 audit: traces")).map(LessSafeKey::new).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        finding::Label,
        knowledge::{Knowledge, Pack, Thresholds, build::PackBuilder, seal::Key},
    };

    #[test]
    fn a_trace_opens_under_its_key_and_beside_its_finding_only() {
        let digester = Key::parse(&"5a".repeat(32)).expect("a key").digester();
        let pack = Pack::read(&PackBuilder::new(digester.clone(), "acme").finish(String::new())).expect("a pack");
        let knowledge = Knowledge::new(digester, vec![pack], Thresholds::default());
        let trace = Trace::of(&knowledge, &Label::parse("company.exact.acme").expect("a label"), "Jane Doe").expect("a trace");
        let key = DigestKey::new([1; 32]);
        let sealed = seal(&key, "aa", &trace).expect("sealed");
        assert_eq!(open(&key, "aa", &sealed), Ok(trace.clone()));
        assert_ne!(seal(&key, "aa", &trace), Some(sealed.clone()), "equal traces do not show that they are");
        let cut = &sealed[..sealed.len() - 4];
        for (key, digest, sealed) in
            [(DigestKey::new([2; 32]), "aa", sealed.as_str()), (key.clone(), "ab", &sealed), (key.clone(), "aa", cut), (key, "aa", "?")]
        {
            assert_eq!(open(&key, digest, sealed), Err(Foreign));
        }
    }
}
