//! Words near a match that tell what it is.
//!
//! All rules' words are looked for together, and only in those blocks of the text that a candidate lies near, once.

use super::{rule::Rule, wake::Wake};
use std::{collections::HashMap, ops::Range};

/// The context words of all rules.
pub(super) struct Words {
    /// Spellings of three bytes and more, each with its word's number.
    long: Wake,
    /// The others, which are of two ASCII letters,
    short: HashMap<[u8; 2], u32>,
    /// and a bit for each two letters of one.
    short_bits: Box<[u64; PAIRS / 64]>,
    /// By rule: the words' numbers, sorted.
    of_rule: Vec<Box<[u32]>>,
    /// By word: a bit for each rule that has it, in `stride` parts.
    rules_of: Vec<u64>,
    stride: usize,
}

/// What was found in a text so far; reused from text to text.
#[derive(Default)]
pub(super) struct Known {
    /// By block, if it was read.
    blocks: Vec<Option<Block>>,
    /// Those of each block side by side.
    hits: Vec<Hit>,
    /// For each block that was read, a bit for each rule that one of its words belongs to.
    rules: Vec<u64>,
}

/// The words of a stretch of the text, each counted where its rarest bytes begin: where they stand in [`Known`].
#[derive(Clone, Copy)]
struct Block {
    first_hit: usize,
    last_hit: usize,
    rules: usize,
}

#[derive(Clone, Copy)]
struct Hit {
    start: usize,
    end: usize,
    word: u32,
}

const BLOCK: usize = 256;

impl Words {
    /// The words of `rules`.
    ///
    /// # Errors
    /// What the automaton's builder says when there are too many.
    pub(super) fn new(rules: &[Rule]) -> Result<Self, String> {
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let mut all: Vec<(String, u32)> = Vec::new();
        let mut of_rule = Vec::with_capacity(rules.len());
        for rule in rules {
            let mut mine = Vec::with_capacity(rule.context.len());
            for word in &rule.context {
                let next = numbers.len() as u32;
                let number = *numbers.entry(word).or_insert_with(|| {
                    all.extend(spellings(word).into_iter().map(|spelling| (spelling, next)));
                    next
                });
                mine.push(number);
            }
            mine.sort_unstable();
            of_rule.push(mine.into_boxed_slice());
        }
        let (long, short): (Vec<_>, Vec<_>) = all.into_iter().partition(|(spelling, _)| spelling.len() >= 3);
        let long = Wake::new(long.iter().map(|(spelling, word)| (spelling.as_str(), *word)));
        let mut short_bits = Box::new([0u64; PAIRS / 64]);
        let short: HashMap<[u8; 2], u32> =
            short.iter().filter_map(|(spelling, word)| Some((spelling.as_bytes().try_into().ok()?, *word))).collect();
        for pair in short.keys() {
            if let Some(bits) = short_bits.get_mut(pair_index(*pair) / 64) {
                *bits |= 1 << (pair_index(*pair) % 64);
            }
        }
        let stride = rules.len().div_ceil(64);
        let mut rules_of = vec![0u64; numbers.len() * stride];
        for (rule, words) in of_rule.iter().enumerate() {
            for word in words {
                if let Some(bits) = rules_of.get_mut(*word as usize * stride + rule / 64) {
                    *bits |= 1 << (rule % 64);
                }
            }
        }
        Ok(Self { long, short, short_bits, of_rule, rules_of, stride })
    }

    /// Whether a word of `rule` could stand within `bytes` bytes of `range`: never a wrong no, and quickly told.
    pub(super) fn may_be_near(&self, known: &mut Known, text: &str, range: Range<usize>, rule: u32, bytes: usize) -> bool {
        let first = range.start.saturating_sub(bytes) / BLOCK;
        let last = (range.end + bytes).min(text.len().saturating_sub(1)) / BLOCK;
        (first..=last).any(|index| {
            let block = self.block(known, text, index);
            block.is_some_and(|block| known.has_word_of(block, rule))
        })
    }

    /// Whether a word of `rule` stands as a whole token within `within` characters of `range`.
    pub(super) fn near(&self, known: &mut Known, text: &str, range: Range<usize>, rule: u32, within: usize) -> bool {
        let Some(words) = self.of_rule.get(rule as usize).filter(|words| !words.is_empty()) else { return false };
        let (from, to) = surroundings(text, &range, within);
        (from / BLOCK..=to / BLOCK).any(|index| {
            let Some(block) = self.block(known, text, index).filter(|block| known.has_word_of(*block, rule)) else { return false };
            known.hits.get(block.first_hit..block.last_hit).unwrap_or_default().iter().any(|hit| {
                let before = from <= hit.start && hit.end <= range.start;
                let after = range.end <= hit.start && hit.end <= to;
                (before || after) && words.binary_search(&hit.word).is_ok()
            })
        })
    }

    /// The words of block `index`.
    fn block(&self, known: &mut Known, text: &str, index: usize) -> Option<Block> {
        if known.blocks.len() <= index {
            known.blocks.resize(text.len() / BLOCK + 1, None);
        }
        let slot = known.blocks.get_mut(index)?;
        if slot.is_none() {
            *slot = Some(self.read(text.as_bytes(), index, &mut known.hits, &mut known.rules));
        }
        *slot
    }

    /// Looks for words in block `index`.
    fn read(&self, bytes: &[u8], index: usize, hits: &mut Vec<Hit>, rules: &mut Vec<u64>) -> Block {
        let places = index * BLOCK..((index + 1) * BLOCK).min(bytes.len());
        let (first_hit, first_rule) = (hits.len(), rules.len());
        let mut add = |start: usize, end: usize, words: &[u32]| {
            if is_token(bytes, start, end) {
                hits.extend(words.iter().map(|word| Hit { start, end, word: *word }));
            }
        };
        self.long.scan_in(bytes, places.clone(), |start, end, word| add(start, end, &word.rules));
        self.each_short(bytes, places, |at, word| add(at, at + 2, &[word]));
        rules.resize(first_rule + self.stride, 0);
        for hit in hits.get(first_hit..).unwrap_or_default() {
            let of_word = self.rules_of.get(hit.word as usize * self.stride..).unwrap_or_default();
            rules.iter_mut().skip(first_rule).zip(of_word).for_each(|(all, one)| *all |= one);
        }
        Block { first_hit, last_hit: hits.len(), rules: first_rule }
    }

    /// Calls `hit` with place and number of each word of two letters that begins in `places`.
    fn each_short(&self, bytes: &[u8], places: Range<usize>, mut hit: impl FnMut(usize, u32)) {
        for start in places.clone().step_by(STEP) {
            let mut window = [0u8; STEP + 3];
            let seen = bytes.get(start.saturating_sub(1)..(start + STEP + 2).min(bytes.len())).unwrap_or_default();
            window.iter_mut().skip(usize::from(start == 0)).zip(seen).for_each(|(to, from)| *to = *from);
            for (eight, found) in (start..).step_by(8).zip(two_letters(&window).as_chunks::<8>().0) {
                let mut found = u64::from_le_bytes(*found);
                while found != 0 {
                    let at = eight + (found.trailing_zeros() / 8) as usize;
                    found &= found - 1;
                    let Some(&[a, b]) = bytes.get(at..at + 2).filter(|_| at < places.end) else { continue };
                    let index = pair_index([a, b]);
                    if self.short_bits.get(index / 64).is_some_and(|bits| bits >> (index % 64) & 1 == 1)
                        && let Some(word) = self.short.get(&[a, b].map(|byte| byte.to_ascii_lowercase()))
                    {
                        hit(at, *word);
                    }
                }
            }
        }
    }
}

/// Places that are looked at together.
const STEP: usize = 64;

/// 1 for each place of `window`, past the first byte, at which two letters stand by themselves. Compiled to SIMD.
#[expect(clippy::indexing_slicing, reason = "constant offsets into arrays, so that the loop becomes SIMD")]
fn two_letters(window: &[u8; STEP + 3]) -> [u8; STEP] {
    let lower = window.map(|byte| u8::from(byte.wrapping_sub(b'a') < 26));
    let upper = window.map(|byte| u8::from(byte.wrapping_sub(b'A') < 26));
    let mut found = [0u8; STEP];
    for place in 0..STEP {
        let letter = |at: usize| lower[place + at] | upper[place + at];
        let goes_on = |at: usize| letter(at) & letter(at + 1) & ((lower[place + at] & upper[place + at + 1]) ^ 1);
        found[place] = letter(1) & letter(2) & (goes_on(0) ^ 1) & (goes_on(2) ^ 1);
    }
    found
}

/// Pairs of ASCII characters.
const PAIRS: usize = 128 * 128;

/// One number for two letters in either case (and for some other pairs).
#[inline(always)]
fn pair_index([a, b]: [u8; 2]) -> usize {
    let folded = |byte: u8| usize::from((byte | 0x20) & 0x7F);
    folded(a) * 128 + folded(b)
}

impl Known {
    pub(super) fn reset(&mut self) {
        self.blocks.clear();
        self.hits.clear();
        self.rules.clear();
    }

    /// Whether a word of `rule` is in `block`.
    fn has_word_of(&self, block: Block, rule: u32) -> bool {
        self.rules.get(block.rules + rule as usize / 64).is_some_and(|bits| bits >> (rule % 64) & 1 == 1)
    }
}

/// Start and end of the `within` characters on each side of `range`.
fn surroundings(text: &str, range: &Range<usize>, within: usize) -> (usize, usize) {
    let starts = |byte: &u8| (*byte as i8) >= -0x40; // not a continuation byte
    let bytes = text.as_bytes();
    let before = bytes.get(..range.start).unwrap_or_default();
    let after = bytes.get(range.end..).unwrap_or_default();
    let from = before.iter().enumerate().rev().filter(|(_, byte)| starts(byte)).nth(within.saturating_sub(1)).map_or(0, |(at, _)| at);
    let to = after.iter().enumerate().filter(|(_, byte)| starts(byte)).nth(within).map_or(bytes.len(), |(at, _)| range.end + at);
    (from, to)
}

/// Whether neither border cuts an ASCII word in two. `_` and a change from small to capital letters are borders.
fn is_token(bytes: &[u8], start: usize, end: usize) -> bool {
    let at = |index: Option<usize>| index.and_then(|index| bytes.get(index)).copied().unwrap_or(b' ');
    let border = |left: u8, right: u8| {
        !(left.is_ascii_alphanumeric() && right.is_ascii_alphanumeric())
            || (left.is_ascii_lowercase() && right.is_ascii_uppercase())
            || (left.is_ascii_alphabetic() != right.is_ascii_alphabetic())
    };
    border(at(start.checked_sub(1)), at(Some(start))) && border(at(end.checked_sub(1)), at(Some(end)))
}

/// How people and programs write `word`: `id no`, `id_no`, `id-no`, `idNo`; capitals beyond ASCII.
fn spellings(word: &str) -> Vec<String> {
    let mut all = vec![word.to_owned()];
    if word.is_ascii() && word.contains(' ') {
        all.extend(["_", "-", ""].map(|joint| word.replace(' ', joint)));
    }
    let upper = word.to_uppercase();
    if !word.is_ascii() && upper != word {
        let mut first = word.chars();
        let capital = first.next().map(|char| char.to_uppercase().chain(first).collect());
        all.extend(capital);
        all.push(upper);
    }
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(context: &str, text: &str, value: &str, within: usize) -> bool {
        let file = format!(
            "[[rule]]\nid = \"t\"\nlabel = \"t\"\nname = {{ en = \"t\", zh = \"t\" }}\npattern = 't'\nconfidence = 0.5\nevidence = \"context\"\n\
             severity = \"low\"\ncontext = [\"{context}\"]\nexamples = [\"\",\"\",\"\"]\ncounterexamples = [\"\",\"\",\"\"]\nsource = \"\"\n"
        );
        let rules = super::super::rule::parse(&[super::super::RuleFile { name: "t", text: &file }]).expect("rule");
        let start = text.find(value).expect("value");
        Words::new(&rules).expect("words").near(&mut Known::default(), text, start..start + value.len(), 0, within)
    }

    #[test]
    fn words_are_whole_tokens_in_any_case_on_both_sides() {
        assert!(near("ssn", "my SSN is 123", "123", 60));
        assert!(near("ssn", "123 (ssn)", "123", 60));
        assert!(!near("ssn", "assns 123", "123", 60));
        assert!(near("ssn", "user_ssn_1=123", "123", 60));
    }

    #[test]
    fn programs_write_words_their_own_way() {
        for text in ["idNo: 123", "id_no=123", "ID-NO 123", "\"userIdNo\":123"] {
            assert!(near("id no", text, "123", 60), "{text}");
        }
        assert!(near("número", "NÚMERO 123", "123", 60));
    }

    #[test]
    fn chinese_words_stand_anywhere() {
        assert!(near("身份证", "我的身份证号码是123", "123", 60));
    }

    #[test]
    fn distance_is_counted_in_characters() {
        assert!(near("身份证", "身份证一二三四五123", "123", 8));
        assert!(!near("身份证", "身份证一二三四五六123", "123", 8));
    }

    #[test]
    fn blocks_do_not_cut_words() {
        for lead in 480..540 {
            let text = format!("{} password 123", "x".repeat(lead));
            assert!(near("password", &text, "123", 60), "{lead}");
        }
    }
}
