//! Sets of digests that answer "perhaps" or "no": binary fuse filters, in shards, and bitmaps in front of them.

use super::{
    digest::Digest,
    wire::{Malformed, Number, Reader, Writer},
};
use xorf::{BinaryFuse8, BinaryFuse16, Filter as _};

/// Digests in one filter; building takes some forty bytes for each.
const SHARD: usize = 4 << 20;

/// A set of digests in about 9 (`BinaryFuse8`) or 18 (`BinaryFuse16`) bits each. Of the digests that are not in it, one in 256 or in 65,536
/// seems to be.
#[derive(Debug)]
pub(crate) struct Set<F> {
    shards: Vec<F>,
}

impl<F: Shard> Set<F> {
    /// The set of `digests`.
    pub(crate) fn of(mut digests: Vec<Digest>) -> Self {
        digests.sort_unstable();
        digests.dedup();
        let count = digests.len().div_ceil(SHARD);
        let mut rest = digests.as_slice();
        let shards = (0..count)
            .map(|number| {
                let end = rest.partition_point(|digest| shard(*digest, count) <= number);
                let (own, others) = rest.split_at(end);
                rest = others;
                F::build(own)
            })
            .collect();
        Self { shards }
    }

    /// Whether it is perhaps in the set.
    #[inline]
    pub(crate) fn may_contain(&self, digest: Digest) -> bool {
        self.shards.get(shard(digest, self.shards.len())).is_some_and(|shard| shard.may_contain(digest))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.shards.is_empty()
    }

    pub(crate) fn write(&self, to: &mut Writer) {
        to.u64(self.shards.len() as u64);
        self.shards.iter().for_each(|shard| shard.write(to));
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let count = from.count()?;
        Ok(Self { shards: (0..count).map(|_| F::read(from)).collect::<Result<_, _>>()? })
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.shards.iter().map(Shard::bytes).sum()
    }
}

/// Which of `count` shards a digest belongs to.
#[inline(always)]
fn shard(digest: Digest, count: usize) -> usize {
    ((u128::from(digest) * count as u128) >> 64) as usize
}

/// One filter.
pub(crate) trait Shard: Sized {
    /// The filter of distinct digests.
    fn build(digests: &[Digest]) -> Self;
    fn may_contain(&self, digest: Digest) -> bool;
    fn write(&self, to: &mut Writer);
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed>;
    fn bytes(&self) -> usize;
}

macro_rules! shard {
    ($filter:ident, $number:ty) => {
        impl Shard for $filter {
            fn build(digests: &[Digest]) -> Self {
                // Distinct digests make one within a few rounds, and a thousand are tried.
                $filter::try_from_iterator(digests.iter().copied()).expect("distinct digests make a filter")
            }

            #[inline(always)]
            fn may_contain(&self, digest: Digest) -> bool {
                self.contains(&digest)
            }

            fn write(&self, to: &mut Writer) {
                let head = &self.descriptor;
                to.u64(head.seed).u32(head.segment_length).u32(head.segment_count_length).array(&self.fingerprints);
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
                // The descriptor's type has no public name, so it is taken from a filter of nothing.
                let mut filter = Self::build(&[]);
                let head = &mut filter.descriptor;
                (head.seed, head.segment_length, head.segment_count_length) = (from.u64()?, from.u32()?, from.u32()?);
                head.segment_length_mask = head.segment_length.wrapping_sub(1);
                // What `contains` reaches at most.
                let reach = u64::from(head.segment_count_length) + 2 * u64::from(head.segment_length);
                let is_power = head.segment_length.is_power_of_two();
                filter.fingerprints = from.array::<$number>()?.into_boxed_slice();
                if is_power && reach <= filter.fingerprints.len() as u64 { Ok(filter) } else { Err(Malformed) }
            }

            fn bytes(&self) -> usize {
                self.fingerprints.len() * <$number>::BYTES
            }
        }
    };
}

shard!(BinaryFuse8, u8);
shard!(BinaryFuse16, u16);

/// A bitmap that sends nearly all digests away with one look at memory: a Bloom filter whose bits for one digest stand in one word (Putze,
/// Sanders and Singler 2007). The top bits of a digest tell the word, [`MARKS`] groups of six others the bits in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gate {
    /// Bits of a word's number.
    bits: u32,
    words: Vec<u64>,
}

/// Bits that a digest sets.
const MARKS: u32 = 3;
/// Where the bits of a digest begin that tell its marks: below come those that [tables of passages](super::documents::COUNTED) forget.
const FIRST_MARK: u32 = 18;
/// Bits of a word's number at most: those above the marks.
const MOST_BITS: u32 = 64 - FIRST_MARK - 6 * MARKS;
/// Digests that share a word, at most on average.
const PER_WORD: usize = 8;

impl Gate {
    /// A gate without any digest.
    pub(crate) fn closed() -> Self {
        Self { bits: 0, words: vec![0] }
    }

    /// A gate that lets nothing pass yet, with eight to sixteen bits for each of `count` digests. Of others it will let pass some two in a
    /// hundred.
    pub(crate) fn sized(count: usize) -> Self {
        let bits = count.div_ceil(PER_WORD).next_power_of_two().trailing_zeros().clamp(6, MOST_BITS);
        Self { bits, words: vec![0; 1 << bits] }
    }

    /// The gate of `digests`.
    pub(crate) fn of(digests: &[Digest]) -> Self {
        let mut gate = Self::sized(digests.len());
        digests.iter().for_each(|digest| gate.let_pass(*digest));
        gate
    }

    /// Lets one more pass.
    #[inline(always)]
    pub(crate) fn let_pass(&mut self, digest: Digest) {
        let place = self.place(digest);
        if let Some(word) = self.words.get_mut(place) {
            *word |= marks(digest);
        }
    }

    /// Whether the digest is perhaps one of those.
    #[inline(always)]
    pub(crate) fn lets_pass(&self, digest: Digest) -> bool {
        let marks = marks(digest);
        self.words.get(self.place(digest)).is_some_and(|word| word & marks == marks)
    }

    /// Lets everything pass that `other` does.
    pub(crate) fn merge(&mut self, other: &Self) {
        if other.bits > self.bits {
            let small = std::mem::replace(self, other.clone());
            return self.merge(&small);
        }
        // What shares a word there shares its number's first bits here.
        let shared = self.words.len() / other.words.len();
        for (words, own) in self.words.chunks_mut(shared).zip(&other.words) {
            words.iter_mut().for_each(|word| *word |= own);
        }
    }

    pub(crate) fn write(&self, to: &mut Writer) {
        to.u32(self.bits).array(&self.words);
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let gate = Self { bits: from.u32()?, words: from.array()? };
        if gate.bits <= MOST_BITS && gate.words.len() == 1 << gate.bits { Ok(gate) } else { Err(Malformed) }
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.words.len() * 8
    }

    #[inline(always)]
    fn place(&self, digest: Digest) -> usize {
        // Not by one shift of 64 - bits: there may be one word only.
        (digest >> 1 >> (63 - self.bits)) as usize
    }
}

/// The bits of a digest in its word.
#[inline(always)]
fn marks(digest: Digest) -> u64 {
    (0..MARKS).fold(0, |marks, mark| marks | 1 << (digest >> (FIRST_MARK + 6 * mark) & 63))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::digest::fold;

    fn digests(from: u64, count: u64) -> Vec<Digest> {
        (from..from + count).map(|number| fold(number ^ 0x9E37_79B9_7F4A_7C15, 0xD6E8_FEB8_6659_FD93)).collect()
    }

    #[test]
    fn sets_hold_what_they_were_made_of_and_little_else() {
        for count in [0, 1, 2, 7, 1000, 100_000] {
            let own = digests(0, count);
            let set = Set::<BinaryFuse16>::of(own.iter().chain(&own).copied().collect());
            let mut writer = Writer::default();
            set.write(&mut writer);
            let mut reader = Reader(&writer.0);
            let set = Set::<BinaryFuse16>::read(&mut reader).expect("read back");
            assert_eq!(reader.end(), Ok(()));
            assert!(own.iter().all(|digest| set.may_contain(*digest)));
            let wrong = digests(1 << 40, 200_000).iter().filter(|digest| set.may_contain(**digest)).count();
            assert!(wrong < 20, "{wrong} of {count}");
        }
    }

    #[test]
    fn shards_share_the_digests() {
        let own = digests(0, 3 * SHARD as u64 / 2);
        let set = Set::<BinaryFuse8>::of(own.clone());
        assert_eq!(set.shards.len(), 2);
        assert!(own.iter().all(|digest| set.may_contain(*digest)));
        assert!(set.bytes() * 8 < own.len() * 10, "{}", set.bytes());
    }

    #[test]
    fn a_filter_that_reaches_beyond_its_end_is_refused() {
        let mut writer = Writer::default();
        writer.u64(1).u64(3).u32(4).u32(1 << 30).array(&[0_u8; 12]);
        assert!(Set::<BinaryFuse8>::read(&mut Reader(&writer.0)).is_err());
    }

    #[test]
    fn gates_merge_whatever_their_sizes() {
        let (few, many) = (digests(0, 10), digests(100, 10_000));
        for (first, second) in [(&few, &many), (&many, &few)] {
            let mut gate = Gate::closed();
            gate.merge(&Gate::of(first));
            gate.merge(&Gate::of(second));
            assert!(few.iter().chain(&many).all(|digest| gate.lets_pass(*digest)));
            let wrong = digests(1 << 40, 100_000).iter().filter(|digest| gate.lets_pass(**digest)).count();
            assert!(wrong < 3_500, "{wrong}");
        }
        assert!(!Gate::closed().lets_pass(u64::MAX));
    }
}
