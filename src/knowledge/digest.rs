//! Keyed digests of words, phrases and passages.
//!
//! Every text that passes is digested word by word, so a word costs a few multiplications and no more: a keyed multiply-and-fold hash of the
//! wyhash family. It keeps accidents apart, and without the key nothing can be looked up by it; it is no cryptographic hash, and need not be:
//! a pack is encrypted as a whole. What may be guessed from a short list (a name, a phone number) is [stretched](Digester::stretch).

/// 64 bits that stand for a word, a phrase or a passage.
pub type Digest = u64;

/// Digests under one key. Packs of one key share it, so that a text is digested once for all of them.
#[derive(Clone)]
pub struct Digester {
    word: [u64; 4],
    join: u64,
    /// Odd.
    base: u64,
    stretch: [u8; 32],
}

impl std::fmt::Debug for Digester {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Digester")
    }
}

/// Rounds of BLAKE3 that stand between a guess and its answer: about 5 microseconds on one core.
const ROUNDS: usize = 64;

impl Digester {
    /// The digester of a knowledge key.
    pub fn new(key: &[u8; 32]) -> Self {
        let mut secret = [0_u8; 48];
        blake3::Hasher::new_derive_key("exeat 2026 knowledge: words").update(key).finalize_xof().fill(&mut secret);
        let mut numbers = secret.chunks_exact(8).map(|bytes| bytes.try_into().map_or(0, u64::from_le_bytes));
        let mut next = || numbers.next().unwrap_or_default() | 1;
        let (word, join, base) = ([next(), next(), next(), next()], next(), next());
        Self { word, join, base, stretch: blake3::derive_key("exeat 2026 knowledge: stretch", key) }
    }

    /// The state in which a word begins.
    #[inline(always)]
    pub(crate) fn begin(&self) -> u64 {
        self.word_key(0)
    }

    /// Takes in the next eight bytes of a word, lower case; a last chunk is padded with zeros.
    #[inline(always)]
    pub(crate) fn absorb(&self, state: u64, chunk: u64) -> u64 {
        fold(state ^ chunk, self.word_key(1))
    }

    /// The digest of a word of `len` bytes.
    #[inline(always)]
    pub(crate) fn end(&self, state: u64, len: usize) -> Digest {
        fold(state ^ len as u64, self.word_key(2))
    }

    /// The digest of a single character of a script without spaces.
    #[inline(always)]
    pub(crate) fn character(&self, code: u32) -> Digest {
        fold(u64::from(code) ^ self.word_key(3), self.word_key(1))
    }

    /// The digest of a number, given as its digits in hexadecimal places and how many they are.
    pub(crate) fn number(&self, digits: u128, len: u32) -> Digest {
        let (low, high) = (digits as u64, (digits >> 64) as u64);
        fold(fold(low ^ self.word_key(2), self.word_key(3)) ^ high ^ u64::from(len), self.join)
    }

    /// The digest of a phrase of no words.
    #[inline(always)]
    pub(crate) fn phrase(&self) -> Digest {
        self.word_key(2)
    }

    /// The digest of a phrase with one more word.
    #[inline(always)]
    pub(crate) fn join(&self, phrase: Digest, word: Digest) -> Digest {
        fold(phrase ^ word, self.join)
    }

    /// The digest of a value that stands beside another in a column.
    #[inline(always)]
    pub(crate) fn pair(&self, primary: [u8; 32], column: u32, value: Digest) -> Digest {
        let first = primary.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        fold(fold(first ^ value, self.word_key(0)) ^ u64::from(column), self.join)
    }

    /// The base of rolling sums; odd.
    #[inline(always)]
    pub(crate) fn base(&self) -> u64 {
        self.base
    }

    /// The digest of a passage whose rolling sum is `sum`.
    #[inline(always)]
    pub(crate) fn passage(&self, sum: u64) -> Digest {
        fold(sum ^ self.word_key(0), self.word_key(3))
    }

    /// A digest that is slow to come by: `ROUNDS` of keyed BLAKE3, one after the other.
    pub(crate) fn stretch(&self, digest: Digest) -> [u8; 32] {
        let first = *blake3::keyed_hash(&self.stretch, &digest.to_le_bytes()).as_bytes();
        (1..ROUNDS).fold(first, |state, _| *blake3::keyed_hash(&self.stretch, &state).as_bytes())
    }

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "constant indexes into an array")]
    fn word_key(&self, index: usize) -> u64 {
        self.word[index]
    }
}

/// The 64 bits under which a stretched digest is looked up.
pub(crate) fn short(stretched: &[u8; 32]) -> Digest {
    stretched.last_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Both halves of the product, folded (wyhash).
#[inline(always)]
pub(crate) fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_hang_on_the_key() {
        let (one, other) = (Digester::new(&[1; 32]), Digester::new(&[2; 32]));
        assert_eq!(one.number(0x123, 3), Digester::new(&[1; 32]).number(0x123, 3));
        assert_ne!(one.number(0x123, 3), other.number(0x123, 3));
        assert_ne!(one.number(0x123, 3), one.number(0x123, 4), "a leading zero counts");
        assert_ne!(one.stretch(7), other.stretch(7));
    }

    #[test]
    fn stretching_takes_its_time() {
        let digester = Digester::new(&[1; 32]);
        let begun = std::time::Instant::now();
        let sum = (0..100_u64).fold(0, |sum, digest| sum ^ short(&digester.stretch(digest)));
        assert!(sum != 0 && begun.elapsed() > std::time::Duration::from_micros(100 * 2), "{:?}", begun.elapsed());
    }
}
