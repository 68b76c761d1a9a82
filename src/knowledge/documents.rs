//! The kept passages of all documents, to be looked up by digest: eight bytes each.
//!
//! ```text
//! digest:  | bucket (top bits) | key (the rest of the 46 bits that count) |
//! starts   where each bucket begins in ...
//! keys     ... sorted within the bucket, and beside it
//! places   where the passage stands: weight / 4, counted through all documents one after the other
//! ```

use super::{
    digest::Digest,
    filter::Gate,
    wire::{Malformed, Reader, Writer},
};

/// Weight that one step of a place stands for.
pub(crate) const STEP: u32 = 4;
/// Of passages that stand in more places, some places are remembered.
pub(crate) const MOST_PLACES: usize = 16;
/// Passages in a bucket, on average.
const BUCKET: usize = 4;
/// The bits of a digest that count: so many that any table keeps them, and one can be made of another.
pub(crate) const COUNTED: Digest = Digest::MAX << 18;
/// Buckets are at least so many that key and bucket hold all of them.
const LEAST_BITS: u32 = 14;

/// A passage of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) digest: Digest,
    /// Index of the document.
    pub(crate) document: u32,
    /// Weight before it, in steps.
    pub(crate) place: u32,
}

/// The passages of some documents.
#[derive(Debug)]
pub(crate) struct Passages {
    /// Bits of a bucket's number.
    bits: u32,
    starts: Vec<u32>,
    keys: Vec<u32>,
    places: Vec<u32>,
    /// Where each document begins, and where the last one ends.
    documents: Vec<u32>,
    gate: Gate,
}

impl Passages {
    /// The passages `entries` of documents of these lengths, in steps. Both have to fit in 32 bits.
    pub(crate) fn of(mut entries: Vec<Entry>, lengths: &[u32]) -> Self {
        let mut documents = vec![0_u32];
        for length in lengths {
            documents.push(documents.last().copied().unwrap_or_default().saturating_add(*length));
        }
        entries.iter_mut().for_each(|entry| entry.digest &= COUNTED);
        entries.sort_unstable();
        entries.dedup_by_key(|entry| (entry.digest, entry.document, entry.place));
        let mut run = (0, 0);
        entries.retain(|entry| {
            run = if run.0 == entry.digest { (run.0, run.1 + 1) } else { (entry.digest, 1) };
            run.1 <= MOST_PLACES
        });
        let bits = (entries.len() / BUCKET).max(1).next_power_of_two().trailing_zeros().clamp(LEAST_BITS, 30);
        let mut starts = vec![0; (1 << bits) + 1];
        for entry in &entries {
            let bucket = (entry.digest >> (64 - bits)) as usize;
            starts.iter_mut().skip(bucket + 1).take(1).for_each(|count| *count += 1);
        }
        let mut sum = 0;
        starts.iter_mut().for_each(|start| {
            sum += *start;
            *start = sum;
        });
        let keys: Vec<u32> = entries.iter().map(|entry| key(entry.digest, bits)).collect();
        let begin = |document: u32| documents.get(document as usize).copied().unwrap_or_default();
        let places = entries.iter().map(|entry| begin(entry.document).saturating_add(entry.place)).collect();
        let gate = gate(bits, &starts, &keys);
        Self { bits, starts, keys, places, documents, gate }
    }

    /// Whether the passage is perhaps in some document.
    #[inline(always)]
    pub(crate) fn may_contain(&self, digest: Digest) -> bool {
        self.gate.lets_pass(digest)
    }

    /// Where it stands, in all documents.
    #[inline]
    pub(crate) fn places(&self, digest: Digest) -> &[u32] {
        let bucket = (digest >> (64 - self.bits)) as usize;
        let (Some(start), Some(end)) = (self.starts.get(bucket), self.starts.get(bucket + 1)) else { return &[] };
        let (start, end) = (*start as usize, *end as usize);
        let (keys, key) = (self.keys.get(start..end).unwrap_or_default(), key(digest, self.bits));
        let first = start + keys.partition_point(|other| *other < key);
        let count = keys.iter().skip(first - start).take_while(|other| **other == key).count();
        self.places.get(first..first + count).unwrap_or_default()
    }

    /// The document at a place, and the place within it.
    pub(crate) fn document(&self, place: u32) -> (usize, u32) {
        let index = self.documents.partition_point(|begin| *begin <= place).saturating_sub(1);
        (index, place - self.documents.get(index).copied().unwrap_or_default())
    }

    /// The length of a document, in steps.
    pub(crate) fn length(&self, document: usize) -> u32 {
        match (self.documents.get(document), self.documents.get(document + 1)) {
            (Some(begin), Some(end)) => end - begin,
            (_, None) | (None, _) => 0,
        }
    }

    /// Every passage, with the bits of its digest that count.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> {
        let digests = digests(self.bits, &self.starts, &self.keys);
        digests.zip(&self.places).map(|(digest, place)| {
            let (document, place) = self.document(*place);
            Entry { digest, document: u32::try_from(document).unwrap_or(u32::MAX), place }
        })
    }

    pub(crate) fn write(&self, to: &mut Writer) {
        to.u32(self.bits).array(&self.starts).array(&self.keys).array(&self.places).array(&self.documents);
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let bits = from.u32()?;
        let (starts, keys, places, documents) = (from.array::<u32>()?, from.array::<u32>()?, from.array::<u32>()?, from.array::<u32>()?);
        let sound = (LEAST_BITS..=30).contains(&bits)
            && starts.len() == (1 << bits) + 1
            && starts.is_sorted()
            && starts.last().is_some_and(|last| *last as usize == keys.len())
            && keys.len() == places.len()
            && documents.is_sorted()
            && documents.first() == Some(&0);
        if !sound {
            return Err(Malformed);
        }
        let gate = gate(bits, &starts, &keys);
        Ok(Self { bits, starts, keys, places, documents, gate })
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        (self.starts.len() + self.keys.len() + self.places.len() + self.documents.len()) * 4 + self.gate.bytes()
    }
}

/// The 32 bits behind the bucket.
#[inline(always)]
fn key(digest: Digest, bits: u32) -> u32 {
    ((digest & COUNTED) << bits >> 32) as u32
}

fn gate(bits: u32, starts: &[u32], keys: &[u32]) -> Gate {
    // The gate's places are in the order of the buckets, so this is one pass through memory.
    let mut gate = Gate::sized(keys.len());
    digests(bits, starts, keys).for_each(|digest| gate.let_pass(digest));
    gate
}

/// The digests as far as they are kept, in order.
fn digests(bits: u32, starts: &[u32], keys: &[u32]) -> impl Iterator<Item = Digest> {
    let buckets = (0_u64..).zip(starts.windows(2)).flat_map(|(bucket, bounds)| match bounds {
        [start, end] => std::iter::repeat_n(bucket, (end - start) as usize),
        _ => std::iter::repeat_n(bucket, 0),
    });
    buckets.zip(keys).map(move |(bucket, key)| bucket << (64 - bits) | u64::from(*key) << (32 - bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::digest::fold;

    fn digest(number: u64) -> Digest {
        fold(number ^ 0x9E37_79B9_7F4A_7C15, 0xD6E8_FEB8_6659_FD93)
    }

    fn entries() -> Vec<Entry> {
        (0..5000_u32).map(|n| Entry { digest: digest(u64::from(n % 4000)), document: n / 100, place: n % 100 }).collect()
    }

    #[test]
    fn every_passage_is_found_where_it_stands() {
        let passages = Passages::of(entries(), &[100; 50]);
        let mut writer = Writer::default();
        passages.write(&mut writer);
        let mut reader = Reader(&writer.0);
        let read = Passages::read(&mut reader).expect("read back");
        assert_eq!(reader.end(), Ok(()));
        for entry in entries() {
            assert!(read.may_contain(entry.digest));
            let places: Vec<_> = read.places(entry.digest).iter().map(|place| read.document(*place)).collect();
            assert!(places.contains(&(entry.document as usize, entry.place)), "{entry:?}: {places:?}");
        }
        assert_eq!(read.length(7), 100);
        let wrong = (10_000..110_000).filter(|n| !read.places(digest(*n)).is_empty()).count();
        assert_eq!(wrong, 0);
        assert_eq!(read.entries().count(), 5000);
    }

    #[test]
    fn many_places_of_one_passage_are_bounded() {
        let same = (0..1000).map(|n| Entry { digest: digest(1), document: n, place: 0 }).collect();
        assert_eq!(Passages::of(same, &[1; 1000]).places(digest(1)).len(), MOST_PLACES);
        assert!(Passages::of(Vec::new(), &[]).places(digest(1)).is_empty());
    }

    #[test]
    fn tables_that_do_not_fit_together_are_refused() {
        let mut writer = Writer::default();
        writer.u32(14).array(&vec![0_u32; (1 << 14) + 1]).array(&[5_u32]).array(&[0_u32]).array(&[0_u32]);
        assert!(Passages::read(&mut Reader(&writer.0)).is_err());
    }
}
