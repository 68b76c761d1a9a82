//! A pack as a file: encrypted and authenticated as a whole (AES-256-GCM), useless without the key.
//!
//! ```text
//! "EXEATKN1" | key id (8 bytes) | salt (16) | number of sections (4)
//! for each section:  kind (4) | length (8) | ciphertext | tag (16)
//! ```
//!
//! Every pack has a key of its own, derived from the installation's and the salt, so that the number of a section can be its nonce. The head of
//! the file and of the section are authenticated with it: sections can be neither changed, dropped, added nor moved to another pack.

use super::pack::{Kind, Section};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    error::Unspecified,
    rand,
};

const MAGIC: &[u8; 8] = b"EXEATKN1";
const HEAD: usize = 36;
const SECTION_HEAD: usize = 12;
const TAG: usize = 16;

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
        let digits: Vec<u32> = text.trim().chars().map(|char| char.to_digit(16)).collect::<Option<_>>().ok_or(SealError::NoKey)?;
        let byte = |pair: &[u32]| pair.iter().try_fold(0_u8, |byte, digit| Some(byte << 4 | u8::try_from(*digit).ok()?));
        let bytes: Vec<u8> = digits.chunks(2).map(byte).collect::<Option<_>>().ok_or(SealError::NoKey)?;
        if digits.len() == 64 { bytes.try_into().map(Self).map_err(|_| SealError::NoKey) } else { Err(SealError::NoKey) }
    }

    /// The key as 64 hexadecimal digits.
    pub fn text(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What tells it from other keys and says nothing about it.
    pub fn id(&self) -> String {
        self.id_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The digester of packs under this key.
    pub fn digester(&self) -> super::Digester {
        super::Digester::new(&self.0)
    }

    /// 64 bits of a keyed digest.
    pub fn digest(&self, bytes: &[u8]) -> u64 {
        let key = blake3::derive_key("exeat 2026 knowledge: sources", &self.0);
        blake3::keyed_hash(&key, bytes).as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    fn id_bytes(&self) -> [u8; 8] {
        blake3::derive_key("exeat 2026 knowledge: key id", &self.0).first_chunk().copied().unwrap_or_default()
    }

    fn of_pack(&self, salt: &[u8]) -> Result<LessSafeKey, SealError> {
        let mut key = [0; 32];
        blake3::Hasher::new_derive_key("exeat 2026 knowledge: pack").update(&self.0).update(salt).finalize_xof().fill(&mut key);
        UnboundKey::new(&AES_256_GCM, &key).map(LessSafeKey::new).map_err(|Unspecified| SealError::Random)
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
/// [`SealError::Random`].
pub fn seal(key: &Key, sections: Vec<Section>) -> Result<Vec<u8>, SealError> {
    let mut salt = [0; 16];
    rand::fill(&mut salt).map_err(|Unspecified| SealError::Random)?;
    let own = key.of_pack(&salt)?;
    let count = u32::try_from(sections.len()).map_err(|_| SealError::NoPack)?;
    let head = [MAGIC.as_slice(), &key.id_bytes(), &salt, &count.to_le_bytes()].concat();
    let mut file = Vec::with_capacity(sections.iter().map(|section| section.bytes.len() + SECTION_HEAD + TAG).sum::<usize>() + HEAD);
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
    Ok(file)
}

/// The sections of a file.
///
/// # Errors
/// Any but [`SealError::NoKey`]: a pack is opened as a whole or not at all.
pub fn open(key: &Key, file: &mut [u8]) -> Result<Vec<Section>, SealError> {
    if file.get(..MAGIC.len()).is_none_or(|magic| magic != MAGIC) {
        return Err(SealError::NoPack);
    }
    let (head, mut rest) = file.split_first_chunk_mut::<HEAD>().ok_or(SealError::Truncated)?;
    let head = *head;
    let (id, salt, count) = parts(&head);
    if id != key.id_bytes() {
        let pack = id.iter().map(|byte| format!("{byte:02x}")).collect();
        return Err(SealError::ForeignKey { pack, here: key.id() });
    }
    let own = key.of_pack(&salt)?;
    let mut sections = Vec::new();
    for number in 0..count {
        let (section_head, behind) = std::mem::take(&mut rest).split_first_chunk_mut::<SECTION_HEAD>().ok_or(SealError::Truncated)?;
        let (kind, len) = section_parts(section_head);
        let kind = Kind::of(kind).ok_or(SealError::Tampered)?;
        let len = usize::try_from(len).map_err(|_| SealError::Tampered)?;
        let sealed = len.checked_add(TAG).ok_or(SealError::Tampered)?;
        let (sealed, behind) = behind.split_at_mut_checked(sealed).ok_or(SealError::Truncated)?;
        let bytes = own.open_in_place(nonce(number), aad(&head, section_head), sealed).map_err(|Unspecified| SealError::Tampered)?;
        sections.push(Section { kind, bytes: bytes.to_vec() });
        rest = behind;
    }
    if rest.is_empty() { Ok(sections) } else { Err(SealError::Tampered) }
}

fn parts(head: &[u8; HEAD]) -> ([u8; 8], [u8; 16], u32) {
    let array = |from: usize| head.get(from..).unwrap_or_default();
    (
        array(8).first_chunk().copied().unwrap_or_default(),
        array(16).first_chunk().copied().unwrap_or_default(),
        array(32).first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes)),
    )
}

fn section_parts(head: &[u8; SECTION_HEAD]) -> (u32, u64) {
    let kind = head.first_chunk().map_or(u32::MAX, |bytes| u32::from_le_bytes(*bytes));
    let len = head.last_chunk().map_or(u64::MAX, |bytes| u64::from_le_bytes(*bytes));
    (kind, len)
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

    fn opened(key: &Key, file: &[u8]) -> Result<Vec<(Kind, Vec<u8>)>, SealError> {
        open(key, &mut file.to_vec()).map(|sections| sections.into_iter().map(|section| (section.kind, section.bytes)).collect())
    }

    #[test]
    fn a_pack_opens_with_its_key_and_shows_nothing_without() {
        let key = Key::random().expect("random");
        let file = seal(&key, sections()).expect("sealed");
        assert_eq!(opened(&key, &file).expect("opened"), sections().into_iter().map(|s| (s.kind, s.bytes)).collect::<Vec<_>>());
        assert!(memchr::memmem::find(&file, b"canary").is_none());
        assert_ne!(file, seal(&key, sections()).expect("sealed"), "every pack has a salt of its own");
        let other = Key::random().expect("random");
        let error = opened(&other, &file).expect_err("foreign");
        assert_eq!(error, SealError::ForeignKey { pack: key.id(), here: other.id() });
    }

    #[test]
    fn every_cut_and_every_change_is_noticed() {
        let key = Key::random().expect("random");
        let file = seal(&key, sections()).expect("sealed");
        for len in 0..file.len() {
            assert!(opened(&key, &file[..len]).is_err(), "{len}");
        }
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(opened(&key, &changed).is_err(), "{at}");
        }
        assert_eq!(opened(&key, &[file.clone(), vec![0]].concat()), Err(SealError::Tampered));
        assert_eq!(opened(&key, b"PK\x03\x04"), Err(SealError::NoPack));
    }

    #[test]
    fn sections_of_another_pack_do_not_fit() {
        let key = Key::random().expect("random");
        let (one, other) = (seal(&key, sections()).expect("sealed"), seal(&key, sections()).expect("sealed"));
        assert!(opened(&key, &[&one[..HEAD], &other[HEAD..]].concat()).is_err());
    }

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
