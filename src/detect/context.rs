//! Words near a match that tell what it is.
//!
//! All rules' words are looked for together, and only in those blocks of the text that a candidate lies near, once.

use super::rule::Rule;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::{collections::HashMap, ops::Range};

/// The context words of all rules.
pub(super) struct Words {
    automaton: AhoCorasick,
    /// By rule: the words' numbers, sorted.
    of_rule: Vec<Box<[u32]>>,
    /// By pattern of the automaton: the word's number.
    word_of: Vec<u32>,
    /// The longest pattern, in bytes.
    longest: usize,
}

/// What was found in a text so far; reused from text to text.
#[derive(Default)]
pub(super) struct Known {
    blocks: Vec<Option<Vec<Hit>>>,
}

#[derive(Clone, Copy)]
struct Hit {
    start: usize,
    end: usize,
    word: u32,
}

const BLOCK: usize = 512;

impl Words {
    /// The words of `rules`.
    ///
    /// # Errors
    /// What the automaton's builder says when there are too many.
    pub(super) fn new(rules: &[Rule]) -> Result<Self, String> {
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let (mut patterns, mut word_of) = (Vec::new(), Vec::new());
        let mut of_rule = Vec::with_capacity(rules.len());
        for rule in rules {
            let mut mine = Vec::with_capacity(rule.context.len());
            for word in &rule.context {
                let next = numbers.len() as u32;
                let number = *numbers.entry(word).or_insert_with(|| {
                    for spelling in spellings(word) {
                        patterns.push(spelling);
                        word_of.push(next);
                    }
                    next
                });
                mine.push(number);
            }
            mine.sort_unstable();
            of_rule.push(mine.into_boxed_slice());
        }
        let longest = patterns.iter().map(String::len).max().unwrap_or(0);
        let mut builder = AhoCorasick::builder();
        builder.ascii_case_insensitive(true).match_kind(MatchKind::Standard).kind(Some(AhoCorasickKind::ContiguousNFA));
        let automaton = builder.build(&patterns).map_err(|error| error.to_string())?;
        Ok(Self { automaton, of_rule, word_of, longest })
    }

    /// Whether a word of `rule` stands as a whole token within `within` characters of `range`.
    pub(super) fn near(&self, known: &mut Known, text: &str, range: Range<usize>, rule: u32, within: usize) -> bool {
        let Some(words) = self.of_rule.get(rule as usize).filter(|words| !words.is_empty()) else { return false };
        let (from, to) = surroundings(text, &range, within);
        let first = from / BLOCK;
        for index in first..=to / BLOCK {
            for hit in self.block(known, text, index) {
                let before = from <= hit.start && hit.end <= range.start;
                let after = range.end <= hit.start && hit.end <= to;
                if (before || after) && words.binary_search(&hit.word).is_ok() {
                    return true;
                }
            }
        }
        false
    }

    /// The words that begin in block `index`.
    fn block<'k>(&self, known: &'k mut Known, text: &str, index: usize) -> &'k [Hit] {
        if known.blocks.len() <= index {
            known.blocks.resize(text.len() / BLOCK + 1, None);
        }
        let Some(block) = known.blocks.get_mut(index) else { return &[] };
        block.get_or_insert_with(|| {
            let borders = index * BLOCK..(index + 1) * BLOCK;
            let bytes = text.as_bytes();
            let piece = bytes.get(borders.start..(borders.end + self.longest).min(bytes.len())).unwrap_or_default();
            let found = self.automaton.find_overlapping_iter(piece);
            let found = found.map(|found| (borders.start + found.start(), borders.start + found.end(), found.pattern().as_usize()));
            let found = found.filter(|(start, end, _)| *start < borders.end && is_token(bytes, *start, *end));
            found.map(|(start, end, pattern)| Hit { start, end, word: self.word_of.get(pattern).copied().unwrap_or(u32::MAX) }).collect()
        })
    }
}

impl Known {
    pub(super) fn reset(&mut self) {
        self.blocks.clear();
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
