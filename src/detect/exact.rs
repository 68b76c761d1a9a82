//! Values of learnt tables and word lists in a text.
//!
//! Every number and every phrase of the text is a candidate. A gate over the first two words sends nearly all away; the tables decide on the
//! rest. A primary value counts if cells of the same row stand near it.

use super::learnt::Hit;
use crate::knowledge::{
    Knowledge,
    cell::Lengths,
    digest::{Digest, Digester},
    filter::Gate,
    number,
    pack::Pack,
    table::{Table, Values},
    words::Word,
};
use std::ops::Range;

/// How far from a primary value, in words, the cells of its row may stand.
const WINDOW: usize = 48;
/// Of how many values that recur the slow digest is remembered.
const REMEMBERED: usize = 1024;

/// What the reading needs again and again.
#[derive(Default)]
pub(super) struct Scratch {
    /// Slow digests, by the low bits of the quick ones.
    stretched: Vec<(Digest, [u8; 32])>,
    candidates: Vec<Candidate>,
    neighbours: Option<Vec<Candidate>>,
}

/// A phrase or a number of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    digest: Digest,
    words: Range<usize>,
    /// How many digits it has, if it is a number.
    digits: Option<u32>,
}

/// Adds the values of learnt tables that stand in `text`, whose words are `words`, to `hits`.
pub(super) fn find(knowledge: &Knowledge, text: &str, words: &[Word], scratch: &mut Scratch, hits: &mut Vec<Hit>) {
    if knowledge.packs.iter().all(|pack| pack.tables.is_empty()) {
        return;
    }
    scratch.neighbours = None;
    let mut candidates = std::mem::take(&mut scratch.candidates);
    candidates.clear();
    each(&knowledge.digester, &knowledge.heads, knowledge.lengths, text, words, |candidate| candidates.push(candidate));
    for candidate in &candidates {
        for pack in &knowledge.packs {
            for table in &pack.tables {
                let mut reading = Reading { knowledge, pack, table, text, words, scratch, hits };
                if reading.holds(&table.alone, candidate) && is_whole(text, words, candidate) {
                    reading.report(candidate, ALONE);
                }
                if reading.holds(&table.primary, candidate) {
                    reading.row(candidate);
                }
            }
        }
    }
    scratch.candidates = candidates;
}

/// How sure a value is that says enough by itself.
const ALONE: f32 = 0.95;

/// How sure so many cells of a row are.
fn confidence(cells: usize) -> f32 {
    match cells {
        0 | 1 => 0.4,
        2 => 0.9,
        _ => 0.98,
    }
}

/// Calls `each` with every number and phrase of these lengths; of phrases only with those whose first words `gate` lets pass.
#[inline(always)]
fn each(digester: &Digester, gate: &Gate, lengths: Lengths, text: &str, words: &[Word], mut each: impl FnMut(Candidate)) {
    let bytes = text.as_bytes();
    let mut numbers = 0;
    for (first, word) in words.iter().enumerate() {
        if lengths.numbers != 0 && first >= numbers && bytes.get(word.start as usize).is_some_and(u8::is_ascii_digit) {
            numbers = number::written(text, words, first, |written| {
                let digest = written.number.digest(digester);
                each(Candidate { digest, words: written.words, digits: Some(written.number.len) });
            });
        }
        let one = digester.join(digester.phrase(), word.digest);
        if gate.lets_pass(one) {
            each(Candidate { digest: one, words: first..first + 1, digits: None });
        }
        let Some(second) = words.get(first + 1) else { break };
        let mut digest = digester.join(one, second.digest);
        if gate.lets_pass(digest) {
            each(Candidate { digest, words: first..first + 2, digits: None });
            for (len, word) in (3..=lengths.longest()).zip(words.iter().skip(first + 2)) {
                digest = digester.join(digest, word.digest);
                each(Candidate { digest, words: first..first + len, digits: None });
            }
        }
    }
}

/// A candidate before a table.
struct Reading<'r> {
    knowledge: &'r Knowledge,
    pack: &'r Pack,
    table: &'r Table,
    text: &'r str,
    words: &'r [Word],
    scratch: &'r mut Scratch,
    hits: &'r mut Vec<Hit>,
}

impl Reading<'_> {
    fn holds(&mut self, values: &Values, candidate: &Candidate) -> bool {
        let fits = match candidate.digits {
            Some(digits) => values.lengths.has_number(digits),
            None => u32::try_from(candidate.words.len()).is_ok_and(|words| values.lengths.has_phrase(words)),
        };
        fits && values.may_contain(candidate.digest) && values.contains(&self.stretched(candidate.digest))
    }

    fn stretched(&mut self, digest: Digest) -> [u8; 32] {
        let memory = &mut self.scratch.stretched;
        memory.resize(REMEMBERED, (0, [0; 32]));
        let Some(slot) = memory.get_mut(digest as usize % REMEMBERED) else { return [0; 32] };
        if slot.0 != digest {
            *slot = (digest, self.knowledge.digester.stretch(digest));
        }
        slot.1
    }

    /// Looks around a primary value for cells of its row.
    fn row(&mut self, primary: &Candidate) {
        if !self.table.has_rows() {
            return;
        }
        let stretched = self.stretched(primary.digest);
        let (from, to) = (primary.words.start.saturating_sub(WINDOW), primary.words.end + WINDOW);
        let mut cells: Vec<(usize, &Candidate)> = Vec::new();
        let Self { knowledge, table, text, words, scratch, .. } = self;
        let neighbours = scratch.neighbours.get_or_insert_with(|| {
            let mut all = Vec::new();
            each(&knowledge.digester, &knowledge.beside, knowledge.beside_lengths, text, words, |candidate| all.push(candidate));
            all.sort_by_key(|candidate| candidate.words.start);
            all
        });
        let first = neighbours.partition_point(|neighbour| neighbour.words.start < from);
        for neighbour in neighbours.iter().skip(first).take_while(|neighbour| neighbour.words.start < to) {
            if neighbour.words.start < primary.words.end && primary.words.start < neighbour.words.end {
                continue;
            }
            for (column, lengths) in table.columns.iter().enumerate() {
                let fits = match neighbour.digits {
                    Some(digits) => lengths.has_number(digits),
                    None => u32::try_from(neighbour.words.len()).is_ok_and(|words| lengths.has_phrase(words)),
                };
                if fits && table.has_pair(&knowledge.digester, &stretched, column, neighbour.digest) {
                    cells.push((column, neighbour));
                }
            }
        }
        // Of each column the longest, and no word for two columns.
        cells.sort_by_key(|(_, cell)| std::cmp::Reverse(cell.words.len()));
        let mut kept: Vec<(usize, Candidate)> = Vec::new();
        for (column, cell) in cells {
            let is_apart = |taken: &Candidate| taken.words.end <= cell.words.start || cell.words.end <= taken.words.start;
            if kept.iter().all(|(other, taken)| *other != column && is_apart(taken)) {
                kept.push((column, cell.clone()));
            }
        }
        let count = kept.len() + 1;
        if count >= self.knowledge.thresholds.cells {
            self.report(primary, confidence(count));
            kept.iter().for_each(|(_, cell)| self.report(cell, confidence(count)));
        }
    }

    fn report(&mut self, value: &Candidate, confidence: f32) {
        let words = &value.words;
        let Some((first, last)) = self.words.get(words.start).zip(words.end.checked_sub(1).and_then(|last| self.words.get(last))) else {
            return;
        };
        // A value that is none still tells a row: the other cells of it are what they were.
        if self.pack.unlearnt.has_value(value.digest) {
            return;
        }
        let (label, detector) = (self.pack.exact.clone(), self.pack.detector.clone());
        self.hits.push(Hit { range: first.start as usize..last.end as usize, label, detector, confidence });
    }
}

/// Characters that often stand behind a name and make no other word with it.
const PARTICLES: &str = "的了和与及或是在为对由从向把被给跟同等之有请让叫说将已会要能可来去到先女总";

/// Whether the value stands by itself. In Chinese, two characters in a row are often parts of other words (`王明` of `大王明天到`), so what
/// follows them counts; more are rarely.
fn is_whole(text: &str, words: &[Word], candidate: &Candidate) -> bool {
    let own = words.get(candidate.words.clone()).unwrap_or_default();
    let Some(last) = own.last().filter(|_| own.len() <= 2 && own.iter().all(|word| word.is_character())) else { return true };
    let next = text.get(last.end as usize..).and_then(|behind| behind.chars().next());
    next.is_none_or(|char| !char.is_alphanumeric() || PARTICLES.contains(char))
}
