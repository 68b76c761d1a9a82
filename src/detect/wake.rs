//! Which rules a text could concern at all, by their keywords: about two cycles a byte, however many there are.
//!
//! Every keyword is represented by its rarest three bytes. Three table look-ups and a bit test per place of the text, none of which
//! waits for another, tell whether some keyword's three bytes could stand there; only then the keyword itself is compared.

use super::rarity;
use std::{collections::HashMap, ops::Range};

/// The keywords of all rules.
pub(super) struct Wake {
    /// A random number for each byte (letters folded). Those of a gram's three, each turned by another amount, XOR to an index of `bitmap`.
    table: Box<[u32; 256]>,
    bitmap: Box<[u8; BYTES]>,
    /// Open addressing by gram: where its keywords stand in `entries`.
    slots: Vec<Slot>,
    entries: Vec<Entry>,
    keywords: Vec<Keyword>,
}

const BITS: u32 = 18;
const BYTES: usize = (1 << BITS) / 8;
/// Places tested between two branches.
const STRIDE: usize = 8;
const GRAM: usize = 3;

#[derive(Clone, Copy, Default)]
struct Slot {
    gram: u32,
    start: u32,
    end: u32,
}

struct Entry {
    keyword: u32,
    /// Where in the keyword the gram begins.
    offset: u16,
    /// How far from there another byte of the keyword stands, and which: most other words differ in it.
    aside: i8,
    byte: u8,
}

impl Entry {
    fn new(keyword: u32, word: &[u8], offset: usize) -> Self {
        // The byte behind the gram, or the one before it.
        let behind = word.get(offset + GRAM).map(|byte| (GRAM as i8, *byte));
        let before = || offset.checked_sub(1).and_then(|before| word.get(before)).map(|byte| (-1, *byte));
        let (aside, byte) = behind.or_else(before).or_else(|| word.first().map(|byte| (0, *byte))).unwrap_or_default();
        Self { keyword, offset: u16::try_from(offset).unwrap_or(u16::MAX), aside, byte: fold(byte) }
    }

    /// Whether the other byte stands where it must if the gram stands at `at`.
    fn fits(&self, text: &[u8], at: usize) -> bool {
        at.checked_add_signed(isize::from(self.aside)).and_then(|at| text.get(at)).is_some_and(|byte| fold(*byte) == self.byte)
    }
}

/// A word and the rules that it wakes.
pub(super) struct Keyword {
    pub(super) text: Box<[u8]>,
    pub(super) rules: Vec<u32>,
    /// Number of the first of as many pairs of this keyword and a rule.
    pub(super) pairs: usize,
}

impl Wake {
    /// A filter for these keywords (lower case, at least 3 bytes), each with the number of a rule that it wakes.
    pub(super) fn new<'a>(keywords: impl Iterator<Item = (&'a str, u32)>) -> Self {
        let mut rules_of: HashMap<&str, Vec<u32>> = HashMap::new();
        for (word, rule) in keywords.filter(|(word, _)| word.len() >= GRAM) {
            rules_of.entry(word).or_default().push(rule);
        }
        let mut words: Vec<_> = rules_of.into_iter().collect();
        words.sort_unstable();

        let mut wake = Self {
            table: Box::new(std::array::from_fn(|byte| spread(fold(byte as u8)))),
            bitmap: Box::new([0; BYTES]),
            slots: Vec::new(),
            entries: Vec::new(),
            keywords: Vec::new(),
        };
        let mut by_gram: HashMap<u32, Vec<Entry>> = HashMap::new();
        for (number, (word, rules)) in (0..).zip(words) {
            let (offset, gram) = rarity::rarest(word.as_bytes());
            let bit = wake.hash(gram);
            if let Some(bits) = wake.bitmap.get_mut(bit / 8) {
                *bits |= 1 << (bit % 8);
            }
            by_gram.entry(packed(gram)).or_default().push(Entry::new(number, word.as_bytes(), offset));
            let pairs = wake.keywords.last().map_or(0, |last| last.pairs + last.rules.len());
            wake.keywords.push(Keyword { text: word.bytes().map(fold).collect(), rules, pairs });
        }
        wake.slots = vec![Slot::default(); (by_gram.len() * 4).next_power_of_two()];
        let mut grams: Vec<_> = by_gram.into_iter().collect();
        grams.sort_unstable_by_key(|(gram, _)| *gram);
        for (gram, entries) in grams {
            let start = wake.entries.len() as u32;
            wake.entries.extend(entries);
            let end = wake.entries.len() as u32;
            let mut at = wake.slot(gram);
            while let Some(slot) = wake.slots.get_mut(at) {
                if slot.start == slot.end {
                    *slot = Slot { gram, start, end };
                    break;
                }
                at = (at + 1) % wake.slots.len();
            }
        }
        wake
    }

    /// Pairs of a keyword and a rule.
    pub(super) fn pairs(&self) -> usize {
        self.keywords.last().map_or(0, |last| last.pairs + last.rules.len())
    }

    /// Calls `hit` with start and end of every keyword that stands in `text`.
    pub(super) fn scan(&self, text: &[u8], hit: impl FnMut(usize, usize, &Keyword)) {
        self.scan_in(text, 0..text.len(), hit);
    }

    /// Calls `hit` with start and end of every keyword in `text` whose rarest bytes begin in `places`: of places that lie side by side, one
    /// has it, and no byte is looked at twice.
    pub(super) fn scan_in(&self, text: &[u8], places: Range<usize>, mut hit: impl FnMut(usize, usize, &Keyword)) {
        if self.keywords.is_empty() {
            return;
        }
        let mut at = places.start;
        while at + STRIDE <= places.end
            && let Some(Ok(window)) = text.get(at..at + STRIDE + GRAM - 1).map(<&[u8; STRIDE + GRAM - 1]>::try_from)
        {
            let mut found = self.grams(window);
            while found != 0 {
                self.verify(text, at + (found.trailing_zeros() / 8) as usize, &mut hit);
                found &= found - 1;
            }
            at += STRIDE;
        }
        // What is left is shorter than a window, or stands at the end of the text.
        while at < places.end {
            let mut last = [0u8; STRIDE + GRAM - 1];
            last.iter_mut().zip(text.get(at..).unwrap_or_default()).for_each(|(to, from)| *to = *from);
            let mut found = self.grams(&last);
            while found != 0 {
                let place = at + (found.trailing_zeros() / 8) as usize;
                if place < places.end {
                    self.verify(text, place, &mut hit);
                }
                found &= found - 1;
            }
            at += STRIDE;
        }
    }

    /// For each place of `window`, in the lowest bit of its byte, whether a keyword's gram may begin there.
    #[inline(always)]
    #[expect(
        clippy::indexing_slicing,
        reason = "constant offsets into arrays, indices masked to their length: the bounds are gone when compiled"
    )]
    fn grams(&self, window: &[u8; STRIDE + GRAM - 1]) -> u64 {
        let mut hashes = [0u32; STRIDE + GRAM - 1];
        for place in 0..hashes.len() {
            hashes[place] = self.table[window[place] as usize];
        }
        let mut found = [0u8; STRIDE];
        for place in 0..STRIDE {
            let index = index(hashes[place], hashes[place + 1], hashes[place + 2]);
            found[place] = (self.bitmap[index / 8] >> (index % 8)) & 1;
        }
        u64::from_le_bytes(found)
    }

    /// Compares the keywords whose gram stands at `at`.
    #[cold]
    #[inline(never)]
    fn verify(&self, text: &[u8], at: usize, hit: &mut impl FnMut(usize, usize, &Keyword)) {
        let Some(&[a, b, c]) = text.get(at..at + GRAM) else { return };
        let gram = packed([fold(a), fold(b), fold(c)]);
        let mut place = self.slot(gram);
        while let Some(slot) = self.slots.get(place).filter(|slot| slot.start != slot.end) {
            if slot.gram == gram {
                let entries = self.entries.get(slot.start as usize..slot.end as usize).unwrap_or_default();
                for entry in entries.iter().filter(|entry| entry.fits(text, at)) {
                    let Some(keyword) = self.keywords.get(entry.keyword as usize) else { continue };
                    let Some(start) = at.checked_sub(entry.offset as usize) else { continue };
                    let end = start + keyword.text.len();
                    if text.get(start..end).is_some_and(|found| found.eq_ignore_ascii_case(&keyword.text)) {
                        hit(start, end, keyword);
                    }
                }
                return;
            }
            place = (place + 1) % self.slots.len();
        }
    }

    fn slot(&self, gram: u32) -> usize {
        (gram.wrapping_mul(0x9E37_79B1) >> 12) as usize & (self.slots.len().wrapping_sub(1))
    }

    fn hash(&self, gram: [u8; GRAM]) -> usize {
        let [a, b, c] = gram.map(|byte| self.table.get(usize::from(byte)).copied().unwrap_or_default());
        index(a, b, c)
    }
}

/// Where the gram of bytes with these numbers has its bit.
#[inline(always)]
fn index(a: u32, b: u32, c: u32) -> usize {
    ((a ^ b.rotate_left(11) ^ c.rotate_left(22)) >> (u32::BITS - BITS)) as usize
}

fn fold(byte: u8) -> u8 {
    byte.to_ascii_lowercase()
}

fn packed([a, b, c]: [u8; GRAM]) -> u32 {
    u32::from_le_bytes([a, b, c, 0])
}

/// The well mixed number of a byte (splitmix64).
fn spread(byte: u8) -> u32 {
    let mut x = (u64::from(byte) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (x >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WORDS: [&str; 7] = ["akia", "password", "key", "绝密", "xoxb-", "-----begin", "sswords"];

    fn hits(text: &str) -> Vec<(usize, usize, u32)> {
        let wake = Wake::new(WORDS.iter().copied().zip(0..));
        let mut hits = Vec::new();
        wake.scan(text.as_bytes(), |start, end, keyword| hits.extend(keyword.rules.iter().map(|rule| (start, end, *rule))));
        hits.sort_unstable();
        hits
    }

    fn naive(text: &str) -> Vec<(usize, usize, u32)> {
        let folded = text.to_ascii_lowercase();
        let mut hits = Vec::new();
        for (rule, word) in (0..).zip(WORDS) {
            hits.extend(
                (0..folded.len()).filter(|at| folded.as_bytes()[*at..].starts_with(word.as_bytes())).map(|at| (at, at + word.len(), rule)),
            );
        }
        hits.sort_unstable();
        hits
    }

    #[test]
    fn every_place_of_the_text_is_looked_at() {
        for lead in 0..40 {
            let text = format!("{}PASSWORDs绝密 key", "x".repeat(lead));
            assert_eq!(hits(&text), naive(&text), "{text}");
        }
    }

    #[test]
    fn of_places_side_by_side_one_has_the_word() {
        let text = "PASSWORDs绝密 key and a password".repeat(3);
        let wake = Wake::new(WORDS.iter().copied().zip(0..));
        for width in 1..40 {
            let mut found = Vec::new();
            for start in (0..text.len()).step_by(width) {
                let places = start..(start + width).min(text.len());
                wake.scan_in(text.as_bytes(), places, |start, end, word| found.extend(word.rules.iter().map(|rule| (start, end, *rule))));
            }
            found.sort_unstable();
            assert_eq!(found, naive(&text), "{width}");
        }
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_stands_there(parts in proptest::collection::vec(prop_oneof!["akia", "PassWord", "Key", "绝密", "xoxb-", "[a-z -]{0,9}", "密绝"], 0..12)) {
            let text: String = parts.concat();
            prop_assert_eq!(hits(&text), naive(&text));
        }
    }
}
