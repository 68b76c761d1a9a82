//! A pack as a file: encrypted and authenticated as a whole (AES-256-GCM), useless without the key, and signed by whoever learnt (Ed25519).
//!
//! ```text
//! "EXEATKN2" | key id (8 bytes) | signer (32) | salt (16) | number of sections (4)
//! for each section:  kind (4) | length (8) | ciphertext | tag (16)
//! signature (64) of all that stands before it
//! ```
//!
//! Every pack has a key of its own, derived from the installation's and the salt, so that the number of a section can be its nonce. The head of
//! the file and of the section are authenticated with it: sections can be neither changed, dropped, added nor moved to another pack. The
//! signature is checked before anything is decrypted.

mod key;
mod signature;

pub use self::{key::Key, signature::SigningKey};

use super::{
    Malformed, Pack, hex,
    pack::{Kind, Section},
    signer::{Signer, Signers},
};
use aws_lc_rs::{
    aead::{Aad, Nonce},
    error::Unspecified,
    rand,
};
use signature::SIGNATURE;

const MAGIC: &[u8; 8] = b"EXEATKN2";
const HEAD: usize = 68;
const SECTION_HEAD: usize = 12;
const TAG: usize = 16;

/// What packs are opened with.
#[derive(Clone, Debug)]
pub struct Keyring {
    /// The key of the installation.
    pub key: Key,
    /// Whose packs are taken.
    pub signers: Signers,
}

/// A pack that was opened.
#[derive(Debug)]
pub struct Opened {
    /// Who signed it.
    pub signer: Signer,
    /// What it holds.
    pub sections: Vec<Section>,
}

impl Opened {
    /// The pack, which knows its signer.
    ///
    /// # Errors
    /// Those of [`Pack::read`].
    pub fn pack(&self) -> Result<Pack, Malformed> {
        Ok(Pack::read(&self.sections)?.signed_by(self.signer))
    }
}

/// Why a pack cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The operating system has no random numbers.
    #[error("no random numbers from the operating system")]
    Random,
    /// That is no key.
    #[error("the key is not 64 hexadecimal digits; use the file that \"exeat learn\" made")]
    NoKey,
    /// That is no key to sign with.
    #[error("the signing key is not an Ed25519 key in PKCS#8, as hexadecimal digits; use the file that \"exeat learn\" made")]
    NoSigningKey,
    /// The file is something else.
    #[error("this is no pack of this version; make one with \"exeat learn\"")]
    NoPack,
    /// The file was made under another key.
    #[error("the pack was made with key {pack}, and the key here is {here}; bring the key file along with the pack, or learn again")]
    ForeignKey {
        /// Identifier of the pack's key.
        pack: String,
        /// Identifier of the key at hand.
        here: String,
    },
    /// The file was made by somebody whose packs are not taken here.
    #[error(
        "the pack is signed by {0}, which knowledge.signers does not name; name it there if you know whose it is, or take the pack of a \
         signer that is named"
    )]
    ForeignSigner(Signer),
    /// Something is missing at the end.
    #[error("the pack is cut short; copy it again")]
    Truncated,
    /// Something is not as it was written.
    #[error("the pack was changed after it was made; copy it again, or learn again")]
    Tampered,
}

/// The file of these sections.
///
/// # Errors
/// [`SealError::Random`], [`SealError::NoSigningKey`].
pub fn seal(key: &Key, signing: &SigningKey, sections: Vec<Section>) -> Result<Vec<u8>, SealError> {
    let mut salt = [0; 16];
    rand::fill(&mut salt).map_err(|Unspecified| SealError::Random)?;
    let own = key.of_pack(&salt)?;
    let count = u32::try_from(sections.len()).map_err(|_| SealError::NoPack)?;
    let head = [MAGIC.as_slice(), &key.id_bytes(), &signing.signer().0, &salt, &count.to_le_bytes()].concat();
    let size = sections.iter().map(|section| section.bytes.len() + SECTION_HEAD + TAG).sum::<usize>();
    let mut file = Vec::with_capacity(HEAD + size + SIGNATURE);
    file.extend(&head);
    for (number, section) in (0..).zip(sections) {
        let mut bytes = section.bytes;
        let section_head = [section.kind.number().to_le_bytes().as_slice(), &(bytes.len() as u64).to_le_bytes()].concat();
        let tag = own
            .seal_in_place_separate_tag(nonce(number), aad(&head, &section_head), &mut bytes)
            .map_err(|Unspecified| SealError::Random)?;
        file.extend(section_head);
        file.append(&mut bytes);
        file.extend(tag.as_ref());
    }
    let signature = signing.sign(&file)?;
    file.extend(signature);
    Ok(file)
}

/// The sections of a file, and who signed it.
///
/// # Errors
/// Any but those about the text of keys: a pack is opened as a whole or not at all.
pub fn open(keyring: &Keyring, file: &mut [u8]) -> Result<Opened, SealError> {
    let Keyring { key, signers } = keyring;
    if file.get(..MAGIC.len()).is_none_or(|magic| magic != MAGIC) {
        return Err(SealError::NoPack);
    }
    let (signed, signature) = file.split_last_chunk_mut::<SIGNATURE>().ok_or(SealError::Truncated)?;
    let head: [u8; HEAD] = *signed.first_chunk().ok_or(SealError::Truncated)?;
    let Head { id, signer, salt, count } = Head::of(&head);
    if id != key.id_bytes() {
        return Err(SealError::ForeignKey { pack: hex::digits(&id), here: key.id() });
    }
    // Before the signature, which only says that something is not as it was.
    hold_whole(signed.get(HEAD..).unwrap_or_default(), count)?;
    signature::verify(&signer, signed, signature)?;
    if !signers.take(&signer) {
        return Err(SealError::ForeignSigner(signer));
    }
    let own = key.of_pack(&salt)?;
    let mut rest = signed.get_mut(HEAD..).unwrap_or_default();
    let mut sections = Vec::new();
    for number in 0..count {
        let (section_head, behind) = std::mem::take(&mut rest).split_first_chunk_mut::<SECTION_HEAD>().ok_or(SealError::Truncated)?;
        let (kind, sealed) = section_parts(section_head)?;
        let kind = Kind::of(kind).ok_or(SealError::Tampered)?;
        let (sealed, behind) = behind.split_at_mut_checked(sealed).ok_or(SealError::Truncated)?;
        let bytes = own.open_in_place(nonce(number), aad(&head, section_head), sealed).map_err(|Unspecified| SealError::Tampered)?;
        sections.push(Section { kind, bytes: bytes.to_vec() });
        rest = behind;
    }
    Ok(Opened { signer, sections })
}

/// Holds that `sections` are as long as their heads say, and no longer.
fn hold_whole(mut sections: &[u8], count: u32) -> Result<(), SealError> {
    for _section in 0..count {
        let (head, behind) = sections.split_first_chunk::<SECTION_HEAD>().ok_or(SealError::Truncated)?;
        let (_kind, sealed) = section_parts(head)?;
        sections = behind.get(sealed..).ok_or(SealError::Truncated)?;
    }
    if sections.is_empty() { Ok(()) } else { Err(SealError::Tampered) }
}

/// What the head of a file says, which is true only when the signature fits.
struct Head {
    id: [u8; 8],
    signer: Signer,
    salt: [u8; 16],
    count: u32,
}

impl Head {
    fn of(head: &[u8; HEAD]) -> Self {
        let from = |from: usize| head.get(from..).unwrap_or_default();
        Self {
            id: from(8).first_chunk().copied().unwrap_or_default(),
            signer: Signer(from(16).first_chunk().copied().unwrap_or_default()),
            salt: from(48).first_chunk().copied().unwrap_or_default(),
            count: from(64).first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes)),
        }
    }
}

/// The number of the section's kind, and how many bytes are sealed behind its head.
fn section_parts(head: &[u8; SECTION_HEAD]) -> Result<(u32, usize), SealError> {
    let kind = head.first_chunk().map_or(u32::MAX, |bytes| u32::from_le_bytes(*bytes));
    let len = head.last_chunk().map_or(u64::MAX, |bytes| u64::from_le_bytes(*bytes));
    let sealed = usize::try_from(len).ok().and_then(|len| len.checked_add(TAG)).ok_or(SealError::Tampered)?;
    Ok((kind, sealed))
}

fn nonce(section: u32) -> Nonce {
    let mut nonce = [0; 12];
    nonce.iter_mut().zip(section.to_le_bytes()).for_each(|(to, from)| *to = from);
    Nonce::assume_unique_for_key(nonce)
}

fn aad(head: &[u8], section_head: &[u8]) -> Aad<Vec<u8>> {
    Aad::from([head, section_head].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sections() -> Vec<Section> {
        let section = |kind, bytes: &[u8]| Section { kind, bytes: bytes.to_vec() };
        vec![section(Kind::Manifest, b"{}"), section(Kind::Table, b"the canary sings"), section(Kind::Table, b"")]
    }

    /// An installation that takes anybody's packs, and one who learns.
    fn made() -> (Keyring, SigningKey) {
        (Keyring { key: Key::random().expect("random"), signers: Signers::default() }, SigningKey::random().expect("random"))
    }

    fn opened(keyring: &Keyring, file: &[u8]) -> Result<Vec<(Kind, Vec<u8>)>, SealError> {
        open(keyring, &mut file.to_vec()).map(|pack| pack.sections.into_iter().map(|section| (section.kind, section.bytes)).collect())
    }

    /// The file with a signature of `signing`, whoever its head says signed it.
    fn signed_again(file: &[u8], signing: &SigningKey) -> Vec<u8> {
        let file = &file[..file.len() - SIGNATURE];
        [file, &signing.sign(file).expect("signed")].concat()
    }

    #[test]
    fn a_pack_opens_with_its_key_and_shows_nothing_without() {
        let (keyring, signing) = made();
        let file = seal(&keyring.key, &signing, sections()).expect("sealed");
        assert_eq!(opened(&keyring, &file).expect("opened"), sections().into_iter().map(|s| (s.kind, s.bytes)).collect::<Vec<_>>());
        assert_eq!(open(&keyring, &mut file.clone()).expect("opened").signer, signing.signer());
        assert!(memchr::memmem::find(&file, b"canary").is_none());
        assert_ne!(file, seal(&keyring.key, &signing, sections()).expect("sealed"), "every pack has a salt of its own");
        let (other, _) = made();
        let error = opened(&other, &file).expect_err("foreign");
        assert_eq!(error, SealError::ForeignKey { pack: keyring.key.id(), here: other.key.id() });
    }

    #[test]
    fn every_cut_and_every_change_is_noticed() {
        let (keyring, signing) = made();
        let file = seal(&keyring.key, &signing, sections()).expect("sealed");
        for len in 0..file.len() {
            let expected = if len < MAGIC.len() { SealError::NoPack } else { SealError::Truncated };
            // What is left of the end is taken for the signature, so a cut always shows in the sections before it.
            assert_eq!(opened(&keyring, &file[..len]), Err(expected), "{len}");
        }
        for at in 0..file.len() {
            for bit in 0..8 {
                let mut changed = file.clone();
                changed[at] ^= 1 << bit;
                assert!(opened(&keyring, &changed).is_err(), "{at}");
                // Nor does it help to have the key that signs, but not that of the packs.
                if at < file.len() - SIGNATURE {
                    assert!(opened(&keyring, &signed_again(&changed, &signing)).is_err(), "{at}, signed again");
                }
            }
        }
        assert_eq!(opened(&keyring, &[file.clone(), vec![0]].concat()), Err(SealError::Tampered));
        assert_eq!(opened(&keyring, b"PK\x03\x04"), Err(SealError::NoPack));
        let earlier = [b"EXEATKN1", &file[MAGIC.len()..]].concat();
        assert_eq!(opened(&keyring, &earlier), Err(SealError::NoPack));
    }

    #[test]
    fn sections_of_another_pack_do_not_fit() {
        let (keyring, signing) = made();
        let [one, other] = [(); 2].map(|()| seal(&keyring.key, &signing, sections()).expect("sealed"));
        let mixed = [&one[..HEAD], &other[HEAD..]].concat();
        assert_eq!(opened(&keyring, &mixed), Err(SealError::Tampered));
        assert_eq!(opened(&keyring, &signed_again(&mixed, &signing)), Err(SealError::Tampered));
    }

    #[test]
    fn signatures_of_another_pack_do_not_fit() {
        let (keyring, signing) = made();
        let [one, other] = [(); 2].map(|()| seal(&keyring.key, &signing, sections()).expect("sealed"));
        let end = one.len() - SIGNATURE;
        assert_eq!(opened(&keyring, &[&one[..end], &other[end..]].concat()), Err(SealError::Tampered));
        let whole = [&one[..end], &one[end..]].concat();
        assert!(opened(&keyring, &whole).is_ok());
    }

    #[test]
    fn whoever_has_only_the_key_of_the_packs_can_sign_in_nobody_elses_name() {
        let (mut keyring, signing) = made();
        let genuine = seal(&keyring.key, &signing, sections()).expect("sealed");
        let attacker = SigningKey::random().expect("random");
        let forged = seal(&keyring.key, &attacker, sections()).expect("sealed");
        assert!(opened(&keyring, &forged).is_ok(), "nobody is named, so anybody will do");
        keyring.signers = Signers::new(vec![signing.signer()]);
        assert!(opened(&keyring, &genuine).is_ok());
        assert_eq!(opened(&keyring, &forged), Err(SealError::ForeignSigner(attacker.signer())));
        let message = SealError::ForeignSigner(attacker.signer()).to_string();
        assert!(message.contains(&format!("signed by {}", attacker.signer())), "{message}");

        // Encrypted for that name, down to the authenticated head, but signed by the only key at hand.
        let named = SigningKey::posing(&attacker, signing.signer());
        let posing = seal(&keyring.key, &named, sections()).expect("sealed");
        assert_eq!(opened(&keyring, &posing), Err(SealError::Tampered));
        // Nor is the name changed afterwards.
        let mut renamed = forged;
        renamed[16..48].copy_from_slice(&signing.signer().0);
        assert_eq!(opened(&keyring, &renamed), Err(SealError::Tampered));
    }

    #[test]
    fn a_foreign_signer_is_told_only_where_the_signature_fits() {
        let (mut keyring, signing) = made();
        let mut file = seal(&keyring.key, &signing, sections()).expect("sealed");
        keyring.signers = Signers::new(vec![SigningKey::random().expect("random").signer()]);
        assert_eq!(opened(&keyring, &file), Err(SealError::ForeignSigner(signing.signer())));
        file[HEAD + 20] ^= 1;
        assert_eq!(opened(&keyring, &file), Err(SealError::Tampered));
    }
}
